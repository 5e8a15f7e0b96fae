"""Frames to network inputs and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.detect.config import Input
from gocv.detect.preprocess import prepare


def wanted(**changes: Any) -> Input:
    return Input(**{"width": 40, "height": 20, "channels": "rgb", **changes})


def image(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), [10, 20, 30], np.uint8)


@pytest.mark.parametrize(
    ("resize", "size", "columns", "rows"),
    [
        ("letterbox", (10, 10), (0, 20), (0, 20)),
        ("letterbox_centred", (10, 10), (10, 30), (0, 20)),
        ("letterbox", (10, 80), (0, 40), (0, 5)),
        ("letterbox_centred", (10, 80), (0, 40), (7, 12)),
        ("stretch", (10, 10), (0, 40), (0, 20)),
    ],
)
def test_where_the_frame_lies(
    resize: Any, size: tuple[int, int], columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    tensor, place = prepare(image(*size), wanted(resize=resize, pad=99))
    assert tensor.shape == (3, 20, 40)
    assert tensor.dtype == np.float32
    inside = np.zeros((20, 40), bool)
    inside[slice(*rows), slice(*columns)] = True
    assert (tensor[:, inside] == np.array([[10], [20], [30]])).all()
    assert (tensor[:, ~inside] == 99).all()
    corners = np.array([[columns[0], rows[0], columns[1], rows[1]]], np.float32)
    np.testing.assert_allclose(place.to_frame(corners), [[0, 0, size[1], size[0]]], atol=1e-5)


def test_values_channels_and_layout() -> None:
    plain, _ = prepare(image(20, 40), wanted())
    assert plain[:, 0, 0].tolist() == [10, 20, 30]
    bgr, _ = prepare(image(20, 40), wanted(channels="bgr"))
    assert bgr[:, 0, 0].tolist() == [30, 20, 10]
    last, _ = prepare(image(20, 40), wanted(layout="nhwc"))
    assert last.shape == (20, 40, 3)
    scaled, _ = prepare(image(20, 40), wanted(channels="bgr", scale=0.1, mean=(1, 2, 3), std=(1, 2, 4)))
    np.testing.assert_allclose(scaled[:, 0, 0], [(3 - 1) / 1, (2 - 2) / 2, (1 - 3) / 4], rtol=1e-6)
    for tensor in (plain, bgr, last, scaled):
        assert tensor.flags["C_CONTIGUOUS"]


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    resize=st.sampled_from(["letterbox", "letterbox_centred", "stretch"]),
    share=st.tuples(*[st.floats(0, 1)] * 2),
)
def test_a_point_of_the_frame_comes_back(height: int, width: int, resize: Any, share: tuple[float, float]) -> None:
    _, place = prepare(image(height, width), wanted(resize=resize))
    x, y = share[0] * width, share[1] * height
    there = [x * place.scale_x + place.offset_x, y * place.scale_y + place.offset_y]
    assert -1e-6 <= there[0] <= 40 + 1e-6
    assert -1e-6 <= there[1] <= 20 + 1e-6
    np.testing.assert_allclose(place.to_frame(np.array([there * 2])), [[x, y, x, y]], atol=1e-3)


@pytest.mark.parametrize(
    ("size", "shape"), [((9, 16), (24, 40)), ((16, 16), (40, 40)), ((40, 10), (40, 16)), ((1, 40), (8, 40))]
)
@pytest.mark.parametrize("resize", ["letterbox", "letterbox_centred"])
def test_a_letterbox_may_be_cut_down_to_the_frame(resize: Any, size: tuple[int, int], shape: tuple[int, int]) -> None:
    given = wanted(width=40, height=40, multiple=8, resize=resize, pad=99)
    tensor, place = prepare(image(*size), given)
    assert tensor.shape == (3, *shape)
    whole, _ = prepare(image(*size), wanted(width=40, height=40, resize="letterbox", pad=99))
    assert (tensor != 99).sum() == (whole != 99).sum()
    left, top, right, bottom = place.to_frame(np.array([[0.0, 0.0, *shape[::-1]]]))[0]
    assert min(-left, -top, right - size[1], bottom - size[0]) >= -1


def test_a_letterbox_is_never_larger_than_it_may_be() -> None:
    tensor, _ = prepare(image(10, 10), wanted(width=40, height=20, multiple=32))
    assert tensor.shape == (3, 20, 32)
