"""Pictures as they are shown: boxes stay on what they are around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gocv.core import DataError
from gocv.data.coco import DetectionSet, LabelledBoxes
from gocv.detect.training.pictures import Part, SeededBatches, Squares, collate, held_out
from gocv.detect.training.settings import DataSettings
from gocv.train.augment import AugmentSettings

SIDE = 128
STILL = {"mirror": 0, "upside_down": 0, "colour": 0, "blur": 0, "compress": 0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DetectionSet:
    """Black pictures with one white box each."""
    root, rng = tmp_path_factory.mktemp("boxes"), np.random.default_rng(0)
    files, boxes, sizes = [], [], []
    for number in range(12):
        width, height = rng.integers(80, 200, 2)
        left, top = rng.integers(5, 30, 2)
        right, bottom = left + rng.integers(20, 45), top + rng.integers(20, 45)
        image = np.zeros((height, width, 3), np.uint8)
        image[top:bottom, left:right] = 255
        files.append(root / f"{number}.png")
        Image.fromarray(image).save(files[-1])
        boxes.append([left, top, right, bottom])
        sizes.append([width, height])
    rows = LabelledBoxes(np.arange(12), np.array(boxes), np.zeros(12), np.zeros(12, bool), np.ones(12))
    return DetectionSet("boxes", tuple(files), np.array(sizes), np.arange(1, 13), ("person",), (1,), rows)


def squares(dataset: DetectionSet, augment: dict[str, Any] = STILL, **changes: Any) -> Squares:
    settings = DataSettings.model_validate({"sizes_px": [SIDE], **changes})
    return Squares([dataset], [1.0], [0.5], settings, AugmentSettings.model_validate({**STILL, **augment}))


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
@pytest.mark.parametrize("augment", [{}, {"mirror": 1}, {"upside_down": 1}, {"mirror": 1, "upside_down": 1}], ids=str)
@pytest.mark.parametrize("largest_px", [64, 640])
def test_boxes_stay_on_what_they_are_around(
    dataset: DetectionSet, mosaic: float, augment: dict[str, Any], largest_px: int
) -> None:
    shown, seen = squares(dataset, augment, mosaic=mosaic, largest_px=largest_px), 0
    for seed in range(20):
        part, distil = shown[seed, SIDE]
        assert (part.image.shape, distil) == ((SIDE, SIDE, 3), 0.5)
        white = part.image.min(axis=2) > 180
        inside = np.zeros_like(white)
        for left, top, right, bottom in part.xyxy.round().astype(int):
            inside[max(top - 2, 0) : bottom + 2, max(left - 2, 0) : right + 2] = True
            middle = white[top + 3 : max(bottom - 3, 0), left + 3 : max(right - 3, 0)]
            assert middle.all()
            seen += middle.size > 0
        # What is left of a box that is almost cut away has no box.
        assert (white & ~inside).sum() < 0.02 * white.size
    assert seen > 15


def test_what_is_mostly_cut_away_is_to_be_ignored_and_what_is_whole_is_not(dataset: DetectionSet) -> None:
    shown = squares(dataset, mosaic=1.0, scale=[1.0, 2.0])
    parts = [shown[seed, SIDE][0] for seed in range(60)]
    assert {bool(flag) for part in parts for flag in part.ignore} == {False, True}
    still = squares(dataset, mosaic=0.0, scale=[0.5, 0.9])
    assert not any(still[seed, SIDE][0].ignore.any() for seed in range(20))


def test_the_same_seed_shows_the_same_and_another_something_else(dataset: DetectionSet) -> None:
    one, other = (squares(dataset, {"colour": 1, "blur": 0.5, "compress": 0.5}) for _ in range(2))
    for seed in range(5):
        a, b, c = one[seed, SIDE][0], other[seed, SIDE][0], one[seed + 100, SIDE][0]
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.xyxy, b.xyxy)
        assert (a.image != c.image).any()


def test_an_empty_data_set_is_refused(dataset: DetectionSet) -> None:
    with pytest.raises(DataError, match="no picture"):
        squares(dataset[:0])


def test_batches_follow_from_seed_and_epoch() -> None:
    batches = SeededBatches(3, 5, (32, 64), seed=1)
    first = list(batches)
    batches.set_epoch(1)
    assert list(batches) != first
    batches.set_epoch(0)
    assert list(batches) == first
    assert list(SeededBatches(3, 5, (32, 64), seed=1, rank=1)) != first
    assert len(first) == len(batches) == 5
    assert all(len({side for _, side in batch}) == 1 and len(batch) == 3 for batch in first)


def test_a_batch_says_whose_boxes_are_whose() -> None:
    def part(boxes: int) -> Part:
        return Part(np.zeros((4, 4, 3), np.uint8), np.ones((boxes, 4)), np.zeros(boxes, bool))

    shown = collate([(part(2), 0.0), (part(0), 1.0), (part(1), 0.5)])
    assert shown.square.tolist() == [0, 0, 2]
    assert shown.distil.tolist() == [0.0, 1.0, 0.5]
    assert (shown.pixels.shape, shown.xyxy.shape, shown.ignore.shape) == ((3, 3, 4, 4), (3, 4), (3,))


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.25, 3), (0.5, 6), (0.99, 11)])
def test_what_is_held_out_is_not_learnt_from(dataset: DetectionSet, share: float, count: int) -> None:
    learnt, out = held_out(dataset, share)
    assert len(out) == count
    assert sorted([*learnt.files, *out.files]) == sorted(dataset.files)
    assert Path(learnt.files[0]).is_file()
