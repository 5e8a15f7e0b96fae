"""Crops against Pillow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gocv.core import DataError
from gocv.data.pictures import read_picture
from gocv.reid.crops import cut_crops, read_crops, resized

HIGH, WIDE = 40, 60
FRAME = np.random.default_rng(0).integers(0, 256, (HIGH, WIDE, 3), dtype=np.uint8)


def by_pillow(box: tuple[int, int, int, int], size_px: tuple[int, int]) -> np.ndarray:
    height, width = size_px
    return np.asarray(Image.fromarray(FRAME).crop(box).resize((width, height), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(
    ("xyxy", "taken"),
    [
        ((10, 5, 30, 35), (10, 5, 30, 35)),
        ((10.2, 5.9, 29.1, 34.0), (10, 5, 30, 34)),
        ((-20, -3, 8, 9), (0, 0, 8, 9)),
        ((50, 30, 99, 99), (50, 30, 60, 40)),
        ((-1e30, -1e30, 1e30, 1e30), (0, 0, 60, 40)),
        ((-9, -9, -5, -5), (0, 0, 1, 1)),
        ((70, 10, 80, 20), (59, 10, 60, 20)),
        ((10, 50, 20, 60), (10, 39, 20, 40)),
        ((7, 8, 7, 8), (7, 8, 8, 9)),
        ((60, 40, 60, 40), (59, 39, 60, 40)),
        ((30, 35, 10, 5), (30, 35, 31, 36)),
    ],
)
def test_a_box_is_cut(xyxy: tuple[float, ...], taken: tuple[int, int, int, int]) -> None:
    (crop,) = cut_crops(FRAME, [xyxy], (16, 8))
    np.testing.assert_array_equal(crop, by_pillow(taken, (16, 8)))


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.floats(-80, 120, width=32)] * 4), max_size=5), st.integers(1, 20), st.integers(1, 20))
def test_boxes_are_cut_in_their_order(boxes: list[tuple[float, ...]], height: int, width: int) -> None:
    crops = cut_crops(FRAME, boxes, (height, width))
    assert (crops.shape, crops.dtype) == ((len(boxes), height, width, 3), np.uint8)
    for crop, (x1, y1, x2, y2) in zip(crops, boxes, strict=True):
        left, top = min(max(int(np.floor(x1)), 0), WIDE - 1), min(max(int(np.floor(y1)), 0), HIGH - 1)
        right, bottom = max(min(int(np.ceil(x2)), WIDE), left + 1), max(min(int(np.ceil(y2)), HIGH), top + 1)
        np.testing.assert_array_equal(crop, by_pillow((left, top, right, bottom), (height, width)))


def test_a_frame_may_be_a_view() -> None:
    wide = np.repeat(FRAME, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(cut_crops(wide, [(3, 4, 20, 30)], (9, 7))[0], by_pillow((3, 4, 20, 30), (9, 7)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_box_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(DataError, match="not finite") as refusal:
        cut_crops(FRAME, [(0, 0, 5, 5), (0, 0, 5, 5), (0, bad, 5, 5)], (16, 8))
    assert refusal.value.row == 2


def test_shrinking_smooths() -> None:
    """Every second row is white: what takes single pixels gives black or white."""
    stripes = np.zeros((64, 32, 3), np.uint8)
    stripes[::2] = 255
    np.testing.assert_allclose(resized(stripes, (16, 8))[4:-4], 127, atol=12)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_pictures_are_read_as_red_green_blue(tmp_path: Path, mode: str) -> None:
    Image.fromarray(FRAME // 64 * 64).convert(mode).save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as wanted:
        np.testing.assert_array_equal(found, np.asarray(wanted.convert("RGB")))
    assert (found.shape, found.dtype) == ((HIGH, WIDE, 3), np.uint8)


def test_pictures_that_cannot_be_decoded_are_passed_over(tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.png" for n in range(5)]
    for file in files[:4]:
        Image.fromarray(FRAME).save(file)
    files[1].write_bytes(files[1].read_bytes()[:400])
    files[2].write_text("no picture")
    crops, known, problems = read_crops(files, (16, 8))
    assert known.tolist() == [True, False, False, True, False]
    np.testing.assert_array_equal(crops, [resized(FRAME, (16, 8))] * 2)
    assert len(problems) == 3
    assert all(str(file) in problem for file, problem in zip(np.array(files)[~known], problems, strict=True))
    with pytest.raises(DataError, match="cannot be decoded"):
        read_picture(files[1])
    nothing, _, _ = read_crops([], (16, 8))
    assert (nothing.shape, nothing.dtype) == ((0, 16, 8, 3), np.uint8)
