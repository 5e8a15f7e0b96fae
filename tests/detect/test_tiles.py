"""Tiles of large frames, with a detector that finds coloured rectangles exactly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gocv.core import Detections, Detector, Frame
from gocv.data.mot import read_mot
from gocv.data.pictures import read_picture
from gocv.detect import OnnxDetector
from gocv.detect.tiles import TiledDetector, TileSettings, tile_starts
from gocv.geometry import iou


class Colours:
    """Finds each colour that is not black: one box around what is seen of it. Even reds are of class 1.

    Attributes:
        sizes: Of the pictures that it was shown.
        most: Of the pictures shown in one go.
    """

    classes = ("person", "product")

    def __init__(self, largest_px: float = np.inf) -> None:
        self.sizes: list[tuple[int, ...]] = []
        self.most = 0
        self.largest_px = largest_px

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.sizes += [frame.image.shape[:2] for frame in frames]
        self.most = max(self.most, len(frames))
        return [self.find(frame.image) for frame in frames]

    def find(self, image: np.ndarray) -> Detections:
        boxes, scores, labels = [], [], []
        for red in np.unique(image[..., 0])[1:] if (image[..., 0] == 0).any() else np.unique(image[..., 0]):
            y, x = np.nonzero(image[..., 0] == red)
            boxes.append([x.min(), y.min(), x.max() + 1, y.max() + 1])
            scores.append(min(1.0, 0.2 + len(x) / 1e6))
            labels.append(int(red % 2 == 0))
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores), np.array(labels, np.int64))


def picture(boxes: Sequence[Sequence[int]], width: int = 400, height: int = 300) -> Frame:
    """Rectangles of reds 1, 3, 5, …"""
    image = np.zeros((height, width, 3), np.uint8)
    for number, (left, top, right, bottom) in enumerate(boxes):
        image[top:bottom, left:right] = 2 * number + 1
    return Frame(image, "1", 0.0, 0)


def tiled(whole: bool = False, **more: Any) -> tuple[TiledDetector, Colours]:
    inner = Colours()
    chosen = TileSettings(width_px=120, height_px=100, overlap=0.25, whole=whole, **more)
    return TiledDetector(inner, chosen), inner


def found(detector: Detector, boxes: Sequence[Sequence[int]], **size: int) -> list[list[float]]:
    (one,) = detector.detect([picture(boxes, **size)])
    return sorted(one.xyxy.tolist())


@pytest.mark.parametrize(
    "box",
    [
        [10, 10, 40, 50],  # within one tile
        [90, 20, 130, 60],  # on the edge of the first and whole in the second
        [60, 20, 330, 60],  # over three tiles, whole in none
        [20, 30, 50, 290],  # over all rows
        [30, 40, 380, 280],  # over nearly all tiles
        [0, 0, 400, 300],  # all of the frame
        [118, 98, 124, 104],  # on a corner
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_a_thing_is_one_box_wherever_edges_cut_it(box: list[int], whole: bool) -> None:
    detector, _ = tiled(whole)
    assert found(detector, [box]) == [box]


def test_people_beside_each_other_on_an_edge_stay_two() -> None:
    """Both are cut by the edges of the same tiles; the second is lower."""
    boxes = [[60, 10, 330, 40], [60, 50, 330, 80]]
    assert found(tiled()[0], boxes) == boxes


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(8, 96), st.integers(8, 96)), max_size=8))
def test_what_lies_apart_is_found_as_it_is(cells: list[tuple[int, int, int, int]]) -> None:
    """Rectangles of any size, one in each cell of a grid that has nothing to do with the tiles."""
    chosen = {(column, row): (wide, high) for column, row, wide, high in cells}
    boxes = [[100 * c + 2, 100 * r + 2, 100 * c + 2 + w, 100 * r + 2 + h] for (c, r), (w, h) in chosen.items()]
    assert found(tiled()[0], boxes) == sorted(boxes)


def test_classes_are_kept_apart() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[10:60, 60:330] = 1
    image[20:50, 80:320] = 2
    (one,) = tiled()[0].detect([Frame(image, "1", 0.0, 0)])
    assert sorted(zip(one.label.tolist(), one.xyxy.tolist(), strict=True)) == [
        (0, [60, 10, 330, 60]),
        (1, [80, 20, 320, 50]),
    ]


def test_a_frame_no_larger_than_a_tile_is_looked_at_as_it_is() -> None:
    detector, inner = tiled(whole=True)
    assert found(detector, [[3, 3, 50, 60]], width=120, height=100) == [[3, 3, 50, 60]]
    assert inner.sizes == [(100, 120)]


def test_tiles_of_all_frames_go_together() -> None:
    detector, inner = tiled(whole=True, batch=7)
    results = detector.detect([picture([[3, 3, 9, 9]]), picture([], width=50, height=50), picture([[200, 9, 210, 30]])])
    assert [one.xyxy.tolist() for one in results] == [[[3, 3, 9, 9]], [], [[200, 9, 210, 30]]]
    assert inner.most == 7
    assert inner.sizes.count((300, 400)) == 2
    assert detector.detect([]) == []
    assert detector.classes == inner.classes


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.integers(1, 900), st.floats(0, 0.9))
def test_tiles_cover_everything_with_the_overlap_asked_for(length: int, tile: int, overlap: float) -> None:
    starts = np.array(tile_starts(length, tile, overlap))
    assert starts[0] == 0
    assert starts[-1] + tile >= length
    if len(starts) > 1:
        assert starts[-1] + tile == length
        assert (tile - np.diff(starts) >= tile * overlap - 1.5).all()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValidationError):
        TileSettings(overlap=0.95)


def test_more_people_are_found_in_a_large_real_frame(shared_data: Path, shared_models: Path) -> None:
    """A square at night, 1920 × 1080: of the 416 pixels of the input a person has some 40."""
    folder = shared_data / "mot" / "MOT17-mini" / "train" / "MOT17-04-FRCNN"
    truth = read_mot(folder / "gt" / "gt.txt")
    people = truth.xyxy[(truth.frame == 1) & (truth.label == 1) & (truth.visibility >= 0.5)]
    frame = Frame(read_picture(folder / "img1" / "000001.jpg"), "1", 0.0, 0)
    model = Path(__file__).parents[2] / "configs" / "detectors" / "yolox_nano.yaml"
    inner = OnnxDetector(model, weights=shared_models / "yolox_nano.onnx", threads=1)

    def hits(detector: Detector) -> tuple[int, int]:
        (one,) = detector.detect([frame])
        overlap = iou(one.xyxy, people) >= 0.5
        return int(overlap.any(axis=0).sum()), len(one)

    plain, _ = hits(inner)
    more, boxes = hits(TiledDetector(inner))
    assert len(people) >= 20
    assert more >= 1.4 * plain
    assert boxes <= 1.6 * len(people)
