"""Homographies from pairs of points."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.geometry import PinholeCamera, apply_homography, fit_homography

CAMERA = PinholeCamera.look_at([1, -2, 4], [3, 2, 0], width_px=1280, height_px=720, focal_px=800)
FLOOR_M = np.random.default_rng(0).uniform([1, 0], [5, 4], (12, 2))


@pytest.mark.parametrize("n", [4, 5, 12])
def test_fit_recovers_the_floor_of_a_camera(n: int) -> None:
    matrix = fit_homography(CAMERA.floor_to_pixels(FLOOR_M[:n]), FLOOR_M[:n])
    assert np.linalg.norm(matrix) == pytest.approx(1)
    pixels = np.random.default_rng(1).uniform([0, 100], [1280, 720], (50, 2))
    np.testing.assert_allclose(apply_homography(matrix, pixels), CAMERA.pixels_to_floor(pixels), atol=1e-8)
    back = apply_homography(np.linalg.inv(matrix), apply_homography(matrix, pixels))
    np.testing.assert_allclose(back, pixels, atol=1e-8)


def test_past_the_horizon_is_nan_as_for_a_camera() -> None:
    matrix = fit_homography(CAMERA.floor_to_pixels(FLOOR_M), FLOOR_M)
    column = np.stack([np.full(200, 640.0), np.linspace(-3000, 700, 200)], axis=1)
    seen = np.isfinite(apply_homography(matrix, column)[:, 0])
    np.testing.assert_array_equal(seen, np.isfinite(CAMERA.pixels_to_floor(column)[:, 0]))
    assert 0 < seen.sum() < 200


def test_equals_opencv_with_noise() -> None:
    cv2 = pytest.importorskip("cv2")
    pixels = CAMERA.floor_to_pixels(FLOOR_M) + np.random.default_rng(2).normal(0, 0.5, (12, 2))
    ours = fit_homography(pixels, FLOOR_M)
    theirs = cv2.findHomography(pixels, FLOOR_M, 0)[0]
    # OpenCV goes on to minimise the distance on the floor; without noise the two are the same, with it they are near.
    grid = np.random.default_rng(3).uniform([200, 300], [1000, 700], (30, 2))
    expected = cv2.perspectiveTransform(grid[None], theirs)[0]
    assert np.linalg.norm(apply_homography(ours, grid) - expected, axis=1).max() < 0.02


def test_shapes() -> None:
    matrix = fit_homography(CAMERA.floor_to_pixels(FLOOR_M), FLOOR_M)
    assert apply_homography(matrix, []).shape == (0, 2)
    assert apply_homography(matrix, np.full((3, 4, 2), 400.0)).shape == (3, 4, 2)


@pytest.mark.parametrize(
    ("pixels", "floor_m", "named"),
    [
        (np.eye(4)[:3, :2], np.eye(4)[:3, :2], "3 pairs"),
        (np.zeros((4, 2)), np.zeros((5, 2)), "floor_m"),
        ([], [], "shape"),
        ([[0, 0], [1, 0], [2, 0], [1, 1]], [[0, 0], [1, 0], [2, 0], [1, 1]], "do not fix"),
        (np.ones((6, 2)), np.ones((6, 2)), "do not fix"),
        ([[0, 0], [1, 0], [np.nan, 1], [1, 1]], [[0, 0], [1, 0], [0, 1], [1, 1]], "not finite"),
    ],
)
def test_errors_name_what_is_wrong(pixels, floor_m, named: str) -> None:
    with pytest.raises(DataError) as caught:
        fit_homography(pixels, floor_m)
    assert named in str(caught.value)
