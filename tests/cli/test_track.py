"""`gocv track`, `gocv tune` and `gocv bench mot`."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from gocv.cli.app import app
from gocv.data.mot import read_mot
from gocv.data.video import VideoReader
from gocv.reid.colour import ColourHistogram
from gocv.track import DeepSortTracker

FRAMES = 30


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.output


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sequences of two walkers; a third has no detections."""
    rng = np.random.default_rng(0)
    for name in ("a", "b", "bare"):
        folder = tmp_path / "root" / name
        for part in ("gt", "det", "img1"):
            (folder / part).mkdir(parents=True)
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nframeRate=20\nseqLength={FRAMES}\n")
        truth, found = [], []
        for frame in range(1, FRAMES + 1):
            Image.new("RGB", (160, 120), (90, 90, 90)).save(folder / "img1" / f"{frame:06}.jpg")
            for track, top in ((1, 10), (2, 60)):
                left = 5 + 3 * frame if track == 1 else 110 - 3 * frame
                truth.append(f"{frame},{track},{left},{top},20,40,1,1,1")
                off = rng.normal(0, 0.5, 2)
                found.append(f"{frame},-1,{left + off[0]:.2f},{top + off[1]:.2f},20,40,0.9,-1,-1,-1")
        (folder / "gt" / "gt.txt").write_text("\n".join(truth) + "\n")
        if name != "bare":
            (folder / "det" / "det.txt").write_text("\n".join(found) + "\n")
    return tmp_path / "root"


def test_a_clip_is_tracked_written_and_drawn(root: Path, tmp_path: Path) -> None:
    clip, detections = root / "a" / "img1", root / "a" / "det" / "det.txt"
    code, output = run("track", clip, "--detections", detections, "-o", tmp_path / "out", "track.part=bytetrack")
    assert code == 0, output
    rows = read_mot(tmp_path / "out" / "tracks.txt")
    assert set(rows.track_id.tolist()) == {1, 2}
    assert len(rows) == 2 * FRAMES
    table = pq.read_table(tmp_path / "out" / "tracks.parquet")
    assert table.num_rows == 2 * FRAMES
    assert set(table["track_id"].to_pylist()) == {1, 2}
    drawn = list(VideoReader(tmp_path / "out" / "tracks.mp4", camera="c"))
    assert len(drawn) == FRAMES
    assert (np.ptp(drawn[20].image.astype(int), axis=2) > 40).any()  # colour on a grey picture
    code, _ = run("track", clip, "--detections", detections, "-o", tmp_path / "plain", "--no-draw")
    assert code == 0
    assert not (tmp_path / "plain" / "tracks.mp4").exists()


def test_a_broken_picture_is_noted_and_the_rest_is_tracked(root: Path, tmp_path: Path) -> None:
    clip, detections = root / "a" / "img1", root / "a" / "det" / "det.txt"
    (clip / "000010.jpg").write_bytes(b"none")
    code, output = run("track", clip, "--detections", detections, "-o", tmp_path / "out", "--no-draw")
    assert code == 0
    assert "000010.jpg is left out" in output
    assert set(read_mot(tmp_path / "out" / "tracks.txt").track_id.tolist()) == {1, 2}


RED, BLUE = (210, 30, 30), (30, 30, 210)


def swapped(folder: Path, *, frames: int = 40, gap: range = range(15, 25)) -> None:
    """A sequence of two people who stand still, and who exchange their places while nobody sees them."""
    for part in ("gt", "det", "img1"):
        (folder / part).mkdir(parents=True)
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={folder.name}\nframeRate=10\nseqLength={frames}\n")
    truth = []
    for frame in range(1, frames + 1):
        picture = np.full((120, 160, 3), 110, np.uint8)
        for track, colour in ((1, RED), (2, BLUE)) if frame not in gap else ():
            left = 30 if (track == 1) == (frame < gap.start) else 70
            picture[10:100, left : left + 30] = colour
            truth.append(f"{frame},{track},{left},10,30,90,1,1,1")
        Image.fromarray(picture).save(folder / "img1" / f"{frame:06}.png")
    (folder / "gt" / "gt.txt").write_text("\n".join(truth) + "\n")
    found = [
        ",".join([frame, "-1", *box, "0.9,-1,-1,-1"]) for frame, _, *box in (line.split(",")[:6] for line in truth)
    ]
    (folder / "det" / "det.txt").write_text("\n".join(found) + "\n")


def test_people_in_a_clip_are_known_by_how_they_look(tmp_path: Path) -> None:
    swapped(tmp_path / "swap")
    clip, boxes = tmp_path / "swap" / "img1", tmp_path / "swap" / "det" / "det.txt"
    code, output = run(
        *("track", clip, "--detections", boxes, "-o", tmp_path / "out", "--no-draw"),
        *("track.part=deepsort", "encode.part=colour"),
    )
    assert code == 0, output
    found = read_mot(tmp_path / "out" / "tracks.txt")
    before, after = found[found.frame == 10], found[found.frame == 40]
    assert before.track_id[np.argsort(before.xyxy[:, 0])].tolist() == [1, 2]
    assert after.track_id[np.argsort(after.xyxy[:, 0])].tolist() == [2, 1]
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"tracks.txt", "tracks.parquet"}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many boxes were encoded, call by call."""
    calls: list[int] = []
    real = ColourHistogram.encode
    monkeypatch.setattr(ColourHistogram, "encode", lambda self, f, d: (calls.append(len(d)), real(self, f, d))[1])
    return calls


def test_trackers_that_need_appearance_share_it(
    tmp_path: Path, counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped(tmp_path / "root" / "swap")
    entry, known = SimpleNamespace(name="mine", load=lambda: DeepSortTracker), entry_points
    monkeypatch.setattr("gocv.pipeline.parts.entry_points", lambda group: [*known(group=group), entry])
    trackers = ("--tracker", "deepsort", "--tracker", "mine", "--tracker", "ocsort", "encode.part=colour")
    code, output = run("bench", "mot", "--root", tmp_path / "root", *trackers, "--json", tmp_path / "out.json")
    assert code == 0, output
    assert counted == [2] * 30
    score = {row["method"]: row for row in json.loads((tmp_path / "out.json").read_text())["rows"]}
    assert score["deepsort"]["ass_a"] == score["mine"]["ass_a"] > 0.8 > score["ocsort"]["ass_a"]
    assert "note" not in output


def test_no_vectors_are_made_for_trackers_that_need_boxes_alone(root: Path, counted: list[int]) -> None:
    assert run("bench", "mot", "--root", root, "encode.part=colour")[0] == 0
    assert counted == []


def test_sequences_without_pictures_are_left_out_for_those_that_need_them(root: Path, tmp_path: Path) -> None:
    shutil.rmtree(root / "a" / "img1")
    (root / "b" / "img1" / "000004.jpg").write_bytes(b"none")
    arguments = ("bench", "mot", "--root", root, "encode.part=colour", "--tracker", "deepsort", "--tracker", "sort")
    code, output = run(*arguments, "--json", tmp_path / "out.json")
    assert code == 0, output
    result = json.loads((tmp_path / "out.json").read_text())
    scored = [(row["method"], row["sequence"]) for row in result["rows"]]
    assert scored == [("deepsort", "b"), ("deepsort", "combined"), *(("sort", s) for s in ("a", "b", "combined"))]
    assert [note.partition(":")[0] for note in result["notes"]] == [
        "a is left out for trackers that need appearance",
        "b",
    ]
    assert "1 of 30 frames with boxes have no picture: their boxes" in result["notes"][1]
    assert all(f"note: {note}" in output for note in result["notes"])
    (root / "b" / "img1" / "000007.jpg").unlink()
    code, output = run(*arguments)
    assert code == 1  # what sees so much less than others is not compared with them
    assert "no sequence has pictures, and deepsort needs appearance" in output


def test_a_tracker_that_needs_appearance_is_tuned_where_there_are_pictures(
    root: Path, tmp_path: Path, counted: list[int]
) -> None:
    shutil.rmtree(root / "a" / "img1")
    ranges = tmp_path / "ranges.yaml"
    ranges.write_text("min_hits: {low: 1, high: 4}\n")
    arguments = ("tune", "deepsort", "--root", root, "--ranges", ranges, "--trials", 3, "encode.part=colour")
    code, output = run(*arguments)
    assert code == 0, output
    assert "note: a is left out" in output
    assert counted == [2] * FRAMES  # once, whatever is tried
    shutil.rmtree(root / "b" / "img1")
    code, output = run(*arguments)
    assert code == 1
    assert "no sequence has pictures" in output


def test_nobody_in_a_clip(root: Path, tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("")
    code, output = run("track", root / "a" / "img1", "--detections", tmp_path / "none.txt", "-o", tmp_path / "out")
    assert code == 0, output
    assert "0 people in 30 frames" in output
    assert len(read_mot(tmp_path / "out" / "tracks.txt")) == 0


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ((), "detector"),
        (("track.part=deepsort", "encode.part=colours", "--detections", "DET"), "'colour'"),
        (("track.part=deepsort", "encode.part=onnx", "encode.weights=no.onnx", "--detections", "DET"), "no.onnx"),
        (("track.part=no",), "part"),
    ],
)
def test_what_cannot_be_tracked_is_refused(root: Path, tmp_path: Path, extra: tuple[str, ...], message: str) -> None:
    detections = str(root / "a" / "det" / "det.txt")
    given = [detections if one == "DET" else one for one in extra]
    code, output = run("track", root / "a" / "img1", "-o", tmp_path / "out", *given)
    assert code == 1
    assert message in output
    assert not list(tmp_path.glob("out/tracks.*"))


def test_trackers_are_scored_on_all_sequences_that_have_detections(root: Path, tmp_path: Path) -> None:
    code, output = run("bench", "mot", "--root", root, "--json", tmp_path / "out.json")
    assert code == 0, output
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {"botsort", "bytetrack", "ocsort", "sort"}
    assert [row["sequence"] for row in rows if row["method"] == "sort"] == ["a", "b", "combined"]
    assert all(row["hota"] > 0.8 and row["idsw"] == 0 and row["frames_per_s"] > 0 for row in rows)


def test_detections_may_come_from_elsewhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "bare.txt").write_text((root / "a" / "det" / "det.txt").read_text())
    arguments = ("bench", "mot", "--root", root, "--tracker", "sort", "--json", tmp_path / "out.json", "--detections")
    assert run(*arguments, tmp_path / "found")[0] == 0
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert [row["sequence"] for row in rows] == ["bare", "combined"]
    for source, message in (("nowhere", "neither"), ("detector", "detect.model")):
        code, output = run(*arguments, source)
        assert code == 1
        assert message in output


def test_settings_are_searched_and_never_get_worse(root: Path, tmp_path: Path) -> None:
    ranges = tmp_path / "ranges.yaml"
    ranges.write_text("min_iou: {low: 0.1, high: 0.9}\nmin_hits: {low: 1, high: 4}\n")
    arguments = ("tune", "sort", "--root", root, "--ranges", ranges, "--trials", 6, "-o", tmp_path / "best.yaml")
    code, output = run(*arguments)
    assert code == 0, output
    best = yaml.safe_load((tmp_path / "best.yaml").read_text())
    assert set(best) == {"min_iou", "min_hits"}
    assert isinstance(best["min_hits"], int)
    words = output.split()
    assert float(words[1]) <= float(words[5])
    assert run(*arguments)[1] == output  # a seed is a search
    for text, message in (
        ("min_iou: {low: 0.9, high: 0.1}\n", "low < high"),
        ("beauty: {low: 0, high: 1}\n", "beauty"),
    ):
        ranges.write_text(text)
        code, output = run(*arguments)
        assert code == 1
        assert message in output
    assert run("tune", "sort", "--root", root, "--goal", "beauty")[0] == 1
