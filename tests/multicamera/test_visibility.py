"""Who should be seen by whom."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.geometry import PinholeCamera
from gocv.multicamera.settings import BoxSettings
from gocv.multicamera.visibility import Visibility


def camera(x_m: float, y_m: float, **more) -> PinholeCamera:
    return PinholeCamera.look_at([x_m, y_m, 3.0], [0, 0, 0.8], width_px=1280, height_px=720, focal_px=700, **more)


EAST, NORTH = camera(6, 0), camera(0, 6)
LENS = camera(6, 0, distortion=(-0.35, 0.0, 0.0, 0.0, 0.0))


def visible(cameras, xy_m, present=None) -> np.ndarray:
    looked = np.ones(len(cameras), np.bool_) if present is None else np.array(present)
    return Visibility(cameras, BoxSettings(), 0.7).visible(np.array(xy_m, np.float64).reshape(-1, 2), looked)


def test_who_stands_alone_is_seen_whole_by_all_that_look() -> None:
    assert visible([EAST, NORTH], [[0, 0]]).tolist() == [[1.0], [1.0]]
    assert visible([EAST, NORTH], [[0, 0]], [True, False]).tolist() == [[1.0], [0.0]]


def test_who_stands_behind_somebody_is_hidden_from_that_side_only() -> None:
    got = visible([EAST, NORTH], [[1.0, 0], [0.2, 0]])
    assert got[0, 0] == 1.0
    assert got[0, 1] < 0.5
    assert got[1].tolist() == [1.0, 1.0]


def test_the_order_of_people_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    xy, order = rng.uniform(-2, 2, (9, 2)), rng.permutation(9)
    np.testing.assert_allclose(visible([EAST, LENS], xy)[:, order], visible([EAST, LENS], xy[order]))


@pytest.mark.parametrize("one", [EAST, NORTH, LENS], ids=["east", "north", "a lens"])
def test_whether_somebody_is_in_the_picture_is_what_projection_says(one: PinholeCamera) -> None:
    """Far outside the picture too, where the polynomial of a lens folds back into it."""
    xy = np.stack(np.meshgrid(np.linspace(-30, 30, 61), np.linspace(-30, 30, 61)), axis=-1).reshape(-1, 2)
    ends = [one.floor_to_pixels(xy, height) for height in (0.0, 1.7)]
    size = [one.width_px, one.height_px]
    with np.errstate(invalid="ignore"):
        inside = np.all([(px >= 0).all(axis=1) & (px <= size).all(axis=1) for px in ends], axis=0)
    assert 20 < inside.sum() < len(xy) - 20
    got = np.array([visible([one], place)[0, 0] for place in xy])
    assert np.array_equal(got > 0, inside)


def test_cameras_are_learnt_from_whom_others_found() -> None:
    of = Visibility([EAST, NORTH, LENS], BoxSettings(), 0.7)
    whole, sure = np.ones((3, 1)), np.array([True])
    for k in range(2000):
        of.learn(whole, np.array([[True], [k % 2 == 0], [k % 10 == 0]]), sure)
    assert of.found[0] > 0.93
    assert abs(of.found[1] - 0.5) < 0.02
    assert abs(of.found[2] - 0.1) < 0.02


def test_nothing_is_learnt_of_who_is_hidden_unsure_or_seen_by_nobody_else() -> None:
    of = Visibility([EAST, NORTH], BoxSettings(), 0.7)
    for _ in range(100):
        of.learn(np.full((2, 1), 0.5), np.array([[True], [False]]), np.array([True]))
        of.learn(np.ones((2, 1)), np.array([[True], [False]]), np.array([False]))
        of.learn(np.ones((2, 1)), np.array([[False], [False]]), np.array([True]))
        of.learn(np.array([[1.0], [0.0]]), np.array([[True], [False]]), np.array([True]))
    np.testing.assert_allclose(of.found, 0.7)


def test_no_cameras_and_nobody_are_valid() -> None:
    assert visible([], [[0, 0]]).shape == (0, 1)
    assert visible([EAST], []).shape == (1, 0)
