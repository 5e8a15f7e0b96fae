"""Tables of detections: written as frames come, read back the same, refused by name where they are wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocv.core import DataError, Detections
from gocv.data.detections import DetectionTableWriter, read_detections

CLASSES = ("person", "bottle")


def found(*labels: int) -> Detections:
    n = len(labels)
    corner = np.arange(n)[:, None] * np.ones(2)
    return Detections(np.hstack([corner, corner + np.array([10, 20])]), np.linspace(0.1, 0.9, n), labels)


FRAMES = [(0, 0.0, found(0)), (1, 0.1, found()), (2, 0.25, found(1, 0, 0)), (7, 1.5, found())]


def write(path: Path, frames: Iterable[tuple[int, float, Detections]], **options: Any) -> Path:
    with DetectionTableWriter(path, classes=CLASSES, **options) as table:
        for frame, time_s, rows in frames:
            table.write(frame, time_s, rows)
    return path


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    table = read_detections(write(tmp_path / "d.parquet", FRAMES), CLASSES)
    assert table.classes == CLASSES
    assert table.frame.tolist() == [0, 1, 2, 7]
    assert table.time_s.tolist() == [0.0, 0.1, 0.25, 1.5]
    assert len(table) == 4
    for position, (_, _, rows) in enumerate(FRAMES):
        got = table.detections(position)
        np.testing.assert_array_equal(got.xyxy, rows.xyxy)
        np.testing.assert_array_equal(got.score, rows.score)
        np.testing.assert_array_equal(got.label, rows.label)
        assert table.track_ids(position).tolist() == [-1] * len(rows)


def test_a_frame_without_boxes_is_a_row_of_nulls(tmp_path: Path) -> None:
    rows = pq.read_table(write(tmp_path / "d.parquet", FRAMES)).to_pylist()
    assert [r["frame"] for r in rows] == [0, 1, 2, 2, 2, 7]
    empty = {"left_px", "top_px", "right_px", "bottom_px", "score", "label"}
    assert rows[1] == {"frame": 1, "time_s": 0.1, **dict.fromkeys(empty)}
    assert rows[2]["label"] == "bottle"


def test_identities_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    with DetectionTableWriter(path, classes=CLASSES, tracks=True) as table:
        table.write(0, 0.0, found(0, 0), np.array([4, -1]))
        table.write(1, 0.1, found(), np.array([], np.int64))
        table.write(2, 0.2, found(0), [4])
    read = read_detections(path)
    assert [read.track_ids(i).tolist() for i in range(3)] == [[4, -1], [], [4]]


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (("person",), [[0], [], [0, 0], []]),
        (("bottle",), [[], [], [0], []]),
        (("bottle", "person"), [[1], [], [0, 1, 1], []]),
        (None, [[1], [], [0, 1, 1], []]),
        (("dog",), [[], [], [], []]),
    ],
)
def test_classes_are_chosen_and_frames_are_kept(
    tmp_path: Path, classes: tuple[str, ...] | None, labels: list[list[int]]
) -> None:
    table = read_detections(write(tmp_path / "d.parquet", FRAMES), classes)
    assert [table.detections(i).label.tolist() for i in range(4)] == labels


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(0, 4), max_size=20))
def test_any_number_of_boxes_and_frames(tmp_path: Path, counts: list[int]) -> None:
    frames = [(i, i / 10, found(*[0] * count)) for i, count in enumerate(counts)]
    table = read_detections(write(tmp_path / "d.parquet", frames))
    assert np.diff(table.first_row).tolist() == counts


def test_long_tables_are_written_in_groups(tmp_path: Path) -> None:
    path = write(tmp_path / "d.parquet", [(i, i / 10, found(*[0] * 50)) for i in range(900)])
    assert pq.ParquetFile(path).num_row_groups == 3
    assert len(read_detections(path).boxes) == 45_000


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "d.parquet"
    breaking_off = (FRAMES[i] if i < 2 else 1 / 0 for i in range(4))
    with pytest.raises(ZeroDivisionError):
        write(path, breaking_off)
    assert list(tmp_path.iterdir()) == []
    write(path, FRAMES)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        ([(0, 1.0, found()), (1, 1.0, found())], "time_s"),
        ([(0, 1.0, found()), (1, 0.9, found())], "time_s"),
        ([(0, np.nan, found())], "time_s"),
        ([(0, 0.0, found(2))], "labels"),
        ([(0, 0.0, found(-1))], "labels"),
    ],
)
def test_the_writer_refuses(tmp_path: Path, calls: list[tuple[int, float, Detections]], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        write(tmp_path / "d.parquet", calls)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("tracks", "ids"), [(True, None), (False, [1]), (True, [1, 2])])
def test_identities_are_given_exactly_when_the_table_has_them(tmp_path: Path, tracks: bool, ids: Any) -> None:
    with (
        pytest.raises(DataError, match="track_id"),
        DetectionTableWriter(tmp_path / "d.parquet", classes=CLASSES, tracks=tracks) as table,
    ):
        table.write(0, 0.0, found(0), ids)


GOOD: dict[str, list[Any]] = {
    "time_s": [0.0, 0.1, 0.1],
    "left_px": [1.0, 2.0, 3.0],
    "top_px": [1.0, 2.0, 3.0],
    "right_px": [5.0, 6.0, 7.0],
    "bottom_px": [5.0, 6.0, 7.0],
    "score": [0.5, 0.6, 0.7],
    "label": ["person", "person", "bottle"],
}


def test_tables_made_elsewhere_need_no_frame_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table(GOOD), tmp_path / "d.parquet")  # 64-bit coordinates, no frame, no identities
    table = read_detections(tmp_path / "d.parquet", CLASSES)
    assert table.frame.tolist() == [0, 1]
    assert table.first_row.tolist() == [0, 1, 3]
    assert table.boxes.xyxy.dtype == np.float32


@pytest.mark.parametrize(
    ("key", "values", "row"),
    [
        ("time_s", [0.0, np.nan, 0.1], 2),
        ("time_s", [0.0, 0.2, 0.1], 3),
        ("time_s", [None, 0.1, 0.1], 1),
        ("right_px", [5.0, 6.0, 2.0], 3),
        ("top_px", [1.0, None, 3.0], 2),
        ("bottom_px", [np.inf, 6.0, 7.0], 1),
        ("score", [0.5, 1.6, 0.7], 2),
        ("score", [0.5, 0.6, None], 3),
        ("label", ["person", None, "bottle"], 2),
    ],
)
def test_a_wrong_value_is_named_with_its_row(tmp_path: Path, key: str, values: list[Any], row: int) -> None:
    pq.write_table(pa.table({**GOOD, key: values}), tmp_path / "wrong.parquet")
    with pytest.raises(DataError, match=rf"wrong\.parquet, row {row}, key"):
        read_detections(tmp_path / "wrong.parquet", CLASSES)


def test_a_wrong_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.parquet"
    pq.write_table(pa.table({("left" if k == "left_px" else k): v for k, v in GOOD.items()}), path)
    with pytest.raises(DataError, match=r"'left_px'.*'left'"):
        read_detections(path)
    pq.write_table(pa.table({**GOOD, "score": ["high", "low", "none"]}), path)
    with pytest.raises(DataError, match=r"'score'.*wrong type"):
        read_detections(path)


def test_what_is_no_table_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("hello")
    for name, problem in (("text.parquet", "not Parquet"), ("missing.parquet", "no such table"), ("", "not Parquet")):
        with pytest.raises(DataError, match=problem):
            read_detections(tmp_path / name)
