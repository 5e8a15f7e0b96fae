"""Recorded detections, replayed by time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.core import ConfigError, DataError, Detections, Detector, Frame
from gocv.data.detections import DetectionTableWriter
from gocv.detect import RecordedDetections


def frame(time_s: float) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), "1", time_s, 0)


def box(left: float, label: int = 0) -> Detections:
    return Detections([[left, 0, left + 10, 20]], [0.5], [label])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Ten frames a second from 100.0 to 100.9 s; nothing was found at 100.5; a dog at 100.7."""
    with DetectionTableWriter(tmp_path / "d.parquet", classes=("person", "dog")) as writer:
        for i in range(10):
            found = Detections.empty() if i == 5 else box(float(i), label=int(i == 7))
            writer.write(i, 100 + i / 10, found)
    return tmp_path / "d.parquet"


def lefts(detector: RecordedDetections, *times: float) -> list[list[float]]:
    return [d.xyxy[:, 0].tolist() for d in detector.detect([frame(t) for t in times])]


def test_it_is_a_detector(table: Path) -> None:
    detector = RecordedDetections(table)
    assert isinstance(detector, Detector)
    assert detector.classes == ("person",)
    assert detector.detect([]) == []


def test_the_nearest_within_half_a_frame(table: Path) -> None:
    detector = RecordedDetections(table)
    assert lefts(detector, 100.0, 100.31, 100.29, 100.85, 100.949, 99.951) == [[0.0], [3.0], [3.0], [8.0], [9.0], [0.0]]
    assert detector.unmatched == 0


def test_out_of_tolerance_is_nothing_and_is_counted(table: Path) -> None:
    detector = RecordedDetections(table)
    assert lefts(detector, 0.0, 99.9, 101.0) == [[], [], []]
    assert detector.unmatched == 3
    strict = RecordedDetections(table, tolerance_s=0.001)
    assert lefts(strict, 100.1, 100.102) == [[1.0], []]
    assert strict.unmatched == 1
    assert lefts(RecordedDetections(table, tolerance_s=5.0), 96.0) == [[0.0]]


def test_an_empty_frame_is_not_filled_from_its_neighbours(table: Path) -> None:
    detector = RecordedDetections(table)
    assert lefts(detector, 100.46, 100.5, 100.54) == [[], [], []]
    assert detector.unmatched == 0


def test_classes(table: Path) -> None:
    assert lefts(RecordedDetections(table), 100.7) == [[]]
    both = RecordedDetections(table, classes=("dog", "person"))
    assert [d.label.tolist() for d in both.detect([frame(100.6), frame(100.7)])] == [[1], [0]]


def test_an_empty_table_and_one_of_a_single_frame(tmp_path: Path) -> None:
    for count, want in ((0, [[]]), (1, [[3.0]])):
        with DetectionTableWriter(tmp_path / "d.parquet", classes=("person",)) as writer:
            for i in range(count):
                writer.write(i, 1.0, box(3.0))
        assert lefts(RecordedDetections(tmp_path / "d.parquet"), 1.04) == want


def test_what_is_wrong_is_said(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tolerance_s"):
        RecordedDetections(table, tolerance_s=-1.0)
    with pytest.raises(DataError, match=r"missing\.parquet"):
        RecordedDetections(tmp_path / "missing.parquet")
