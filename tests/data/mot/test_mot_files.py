"""Text files, folders, pictures and XML of tracking data sets."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import DataError
from gocv.data.mot import (
    ImageFolder,
    MotFolder,
    MotRows,
    as_detections,
    mot_folders,
    read_cvml,
    read_mot,
    write_annotations,
    write_detections,
    write_mot,
    write_seqinfo,
)

SEQINFO = "[Sequence]\nname=S-01\nimDir=img1\nframeRate=14\nseqLength=525\nimWidth=640\nimHeight=480\nimExt=.jpg\n"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_annotations_of_mot16(tmp_path: Path) -> None:
    rows = read_mot(written(tmp_path / "gt.txt", "1,3,10,20,30,40,1,7,0.25\n2,3,11,20,30,40,0,1,1\n"))
    assert rows.frame.tolist() == [1, 2]
    assert rows.xyxy.tolist() == [[10, 20, 40, 60], [11, 20, 41, 60]]
    assert rows.score.tolist() == [1, 0]
    assert rows.label.tolist() == [7, 1]
    assert rows.visibility.tolist() == [0.25, 1]


@pytest.mark.parametrize("end", ["", ",-1,-1,-1", ",-1,-1,-1,", ",-1"])
def test_detections_and_results(tmp_path: Path, end: str) -> None:
    rows = read_mot(written(tmp_path / "det.txt", f"1,-1,10.5,20,30,40,0.75{end}\n"))
    assert rows.track_id.tolist() == [-1]
    assert rows.xyxy.tolist() == [[10.5, 20, 40.5, 60]]
    assert (rows.score.tolist(), rows.label.tolist(), rows.visibility.tolist()) == ([0.75], [1], [1])


def test_six_columns_are_enough_and_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read_mot(written(tmp_path / "a.txt", "4,2,1,2,3,4\n")).score.tolist() == [1]
    assert len(read_mot(written(tmp_path / "b.txt", ""))) == 0


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("2,1,x,2,3,4,1,-1,-1,-1", "row 2.*left.*column 3 .left. is 'x'.*number"),
        ("2,1,1,2,3,nan,1,-1,-1,-1", "row 2.*height.*column 6 .height. is 'nan'.*finite"),
        ("2,1.5,1,2,3,4,1,-1,-1,-1", "row 2.*id.*whole"),
        ("0,1,1,2,3,4,1,-1,-1,-1", "row 2.*frame.*from 1"),
        ("2,1,1,2,3", "row 2.*5 columns"),
        ("2,1,1,2,3,4,x,-1,-1,-1", "row 2.*column 7 .confidence. is 'x'"),
        ("2,1,1,2,3,,1,-1,-1,-1", "row 2.*column 6 .height. is ''"),
    ],
)
def test_a_line_that_is_not_right_is_named(tmp_path: Path, line: str, place: str) -> None:
    file = written(tmp_path / "gt.txt", f"1,1,1,2,3,4,1,-1,-1,-1\n{line}\n")
    with pytest.raises(DataError) as caught:
        read_mot(file)
    text = f"row {caught.value.row} {caught.value.key} {caught.value}"
    assert str(file) in text
    assert re.search(place, text), text


def test_a_class_is_whole(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 2.*column 8.*1\.5.*whole"):
        read_mot(written(tmp_path / "gt.txt", "1,1,1,2,3,4,1,7,0.5\n2,1,1,2,3,4,1,1.5,1\n"))


def test_annotations_and_detections_are_written_and_read(tmp_path: Path) -> None:
    boxes = [[1.25, 2, 4, 8], [0, 0, 5, 5.5], [3, 3, 9, 9]]
    rows = MotRows([2, 1, 1], [4, 9, 2], boxes, [1, 0, 1], [1, 7, 12], [0.5, 1, 0.33333])
    write_annotations(tmp_path / "S" / "gt" / "gt.txt", rows)
    back, want = read_mot(tmp_path / "S" / "gt" / "gt.txt"), rows[[2, 1, 0]]
    for name in ("frame", "track_id", "xyxy", "score", "label", "visibility"):
        np.testing.assert_array_equal(getattr(back, name), getattr(want, name), name)
    write_detections(tmp_path / "S" / "det" / "det.txt", rows)
    found = read_mot(tmp_path / "S" / "det" / "det.txt")
    assert (found.frame.tolist(), found.track_id.tolist(), found.score.tolist()) == ([1, 1, 2], [-1] * 3, [1, 0, 1])
    write_annotations(tmp_path / "none.txt", rows[:0])
    assert len(read_mot(tmp_path / "none.txt")) == 0


@pytest.mark.parametrize("rate_hz", [25.0, 29.97, 30000 / 1001, 7.0])
def test_a_seqinfo_is_written_and_read(tmp_path: Path, rate_hz: float) -> None:
    write_seqinfo(tmp_path / "S", "S-50%", rate_hz=rate_hz, length=9, size_px=(640, 480))
    one = MotFolder.open(tmp_path / "S")
    assert (one.name, one.rate_hz, one.length, one.size_px) == ("S-50%", rate_hz, 9, (640, 480))
    for wrong in ({"rate_hz": 0.0}, {"length": 0}, {"size_px": (0, 1)}):
        with pytest.raises(DataError, match="above 0"):
            write_seqinfo(tmp_path, "S", **{"rate_hz": 1.0, "length": 1, "size_px": (1, 1), **wrong})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="one line"):
        write_seqinfo(tmp_path, "a\nframeRate=1", rate_hz=1.0, length=1, size_px=(1, 1))


@pytest.mark.parametrize(
    ("names", "indices"),
    [
        (["000003", "000005"], [2, 4]),  # a part of a sequence keeps its times
        (["9", "10"], [8, 9]),
        (["0", "2"], [0, 2]),
        (["a2", "a10"], [0, 1]),
        (["1700000000001", "1700000000002"], [0, 1]),
    ],
)
def test_numbers_of_pictures_are_their_frames(tmp_path: Path, names: list[str], indices: list[int]) -> None:
    for name in names:
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    frames = list(ImageFolder(tmp_path, camera="c", rate_hz=10.0))
    assert [(frame.index, frame.time_s) for frame in frames] == [(i, i / 10) for i in indices]


def test_no_file_and_too_few_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        read_mot(tmp_path / "none.txt")
    with pytest.raises(DataError, match="2 columns"):
        read_mot(written(tmp_path / "gt.txt", "1,2\n"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 100, (20, 2)).round(2)
    rows = MotRows(
        np.arange(20, 0, -1),
        np.where(np.arange(20) == 3, -1, np.arange(20)),
        np.concatenate([corner, corner + 12.25], axis=1),
        np.full(20, 0.5),
        np.ones(20, np.int64),
        np.ones(20),
    )
    write_mot(tmp_path / "deep" / "out.txt", rows)
    back = read_mot(tmp_path / "deep" / "out.txt")
    kept = rows[rows.track_id >= 0][::-1]
    assert back.frame.tolist() == kept.frame.tolist()
    assert back.track_id.tolist() == kept.track_id.tolist()
    np.testing.assert_allclose(back.xyxy, kept.xyxy, atol=0.006)
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["out.txt"]


def test_detections_by_frame() -> None:
    def rows(scores: list[float]) -> MotRows:
        ones = np.ones(3)
        return MotRows([3, 1, 3], [-1, -1, -1], [[0, 0, 5, 5], [1, 0, 5, 5], [2, 0, 5, 5]], scores, [1, 1, 1], ones)

    found = as_detections(rows([0.5, 0.6, 0.7]), 4)
    assert [len(one) for one in found] == [1, 0, 2, 0]
    assert found[2].xyxy[:, 0].tolist() == [0, 2]
    np.testing.assert_allclose(found[2].score, [0.5, 0.7], rtol=1e-6)
    np.testing.assert_allclose(as_detections(rows([0.0, 3.0, -3.0]), 3)[2].score, [0.5, 1 / (1 + np.exp(3))], rtol=1e-6)
    assert as_detections(rows([0.5, 0.6, 0.7]), 2)[0].score.shape == (1,)


def test_a_sequence_in_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "train" / "S-01"
    written(folder / "gt" / "gt.txt", "1,1,1,2,3,4,1,1,1\n")
    written(folder / "det" / "det.txt", "1,-1,1,2,3,4,0.9\n")
    written(folder / "seqinfo.ini", SEQINFO)
    (one,) = mot_folders(tmp_path)
    assert (one.name, one.rate_hz, one.length, one.size_px) == ("S-01", 14, 525, (640, 480))
    assert one.has_truth
    assert one.has_detections
    assert len(one.truth()) == len(one.detections()) == 1
    bare = tmp_path / "train" / "bare"
    written(bare / "gt" / "gt.txt", "")
    assert [(s.name, s.length) for s in mot_folders(tmp_path)] == [("S-01", 525), ("bare", None)]
    with pytest.raises(DataError, match="img1"):
        one.frames()


@pytest.mark.parametrize(
    "text", ["", "[Sequence]\nname=a\n", SEQINFO.replace("14", "often"), SEQINFO.replace("14", "0"), "name"]
)
def test_a_seqinfo_that_is_not_right(tmp_path: Path, text: str) -> None:
    written(tmp_path / "seqinfo.ini", text)
    with pytest.raises(DataError, match=r"seqinfo\.ini"):
        MotFolder.open(tmp_path)


def test_folders_without_sequences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no sequence"):
        mot_folders(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        mot_folders(tmp_path / "none")
    for parent in ("a", "b"):
        written(tmp_path / parent / "S" / "gt" / "gt.txt", "")
    with pytest.raises(DataError, match="two sequences"):
        mot_folders(tmp_path)


def test_pictures_are_frames_and_a_broken_one_is_passed_over(tmp_path: Path) -> None:
    for i in (1, 2, 3):
        Image.new("RGB", (8, 6), (i, 0, 0)).save(tmp_path / f"{i:06}.png")
    (tmp_path / "000002.png").write_bytes(b"no picture")
    source = ImageFolder(tmp_path, camera="c", rate_hz=10.0)
    frames = list(source)
    assert len(source) == 3
    assert [(f.index, f.time_s, f.image[0, 0, 0], f.image.shape) for f in frames] == [
        (0, 0.0, 1, (6, 8, 3)),
        (2, 0.2, 3, (6, 8, 3)),
    ]
    assert [file.name for file in source.broken] == ["000002.png"]
    with pytest.raises(DataError, match="rate"):
        ImageFolder(tmp_path, camera="c", rate_hz=0.0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture"):
        ImageFolder(tmp_path / "empty", camera="c", rate_hz=10.0)


def test_true_tracks_in_xml(tmp_path: Path) -> None:
    one = '<object id="9"><box h="20" w="10" xc="15" yc="30"/></object>'
    file = written(tmp_path / "a.xml", f'<dataset><frame number="0"><objectlist>{one}</objectlist></frame></dataset>')
    rows = read_cvml(file)
    assert (rows.frame.tolist(), rows.track_id.tolist(), rows.xyxy.tolist()) == ([1], [9], [[10, 20, 20, 40]])
    for wrong in (one.replace('h="20"', ""), one.replace('"15"', '"x"'), one.replace('id="9"', "")):
        written(file, f'<dataset><frame number="4"><objectlist>{wrong}</objectlist></frame></dataset>')
        with pytest.raises(DataError, match="frame 4"):
            read_cvml(file)
    written(file, "<dataset>")
    with pytest.raises(DataError, match="no XML"):
        read_cvml(file)
    with pytest.raises(DataError, match="not a file"):
        read_cvml(tmp_path / "none.xml")


def test_the_real_files(shared_data: Path) -> None:
    truth = read_mot(shared_data / "mot" / "MOT16" / "MOT16-13" / "gt" / "gt.txt")
    assert len(truth) == 19263
    assert set(np.unique(truth.label)) <= set(range(1, 14))
    assert len(read_cvml(shared_data / "pets09" / "annotations" / "PETS2009-S2L1.xml")) == 4650
    names = {one.name for one in mot_folders(shared_data / "mot")}
    assert {"TUD-Campus", "MOT16-13", "MOT17-02-FRCNN", "MOT17-04-FRCNN"} <= names
    small = MotFolder.open(shared_data / "mot" / "MOT17-mini" / "train" / "MOT17-02-FRCNN")
    assert next(iter(small.frames())).image.shape == (1080, 1920, 3)
