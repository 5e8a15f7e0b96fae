"""Triangulation from two and more cameras."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import DataError
from gocv.geometry import PinholeCamera, triangulate

POSITIONS = [(0.0, 0.0, 3.0), (6.0, 0.0, 3.0), (6.0, 4.0, 2.5), (0.0, 4.0, 3.5)]
LENS = (-0.31, 0.12, 0.0008, -0.0005, -0.02)
CAMERAS = [
    PinholeCamera.look_at(p, (3, 2, 1), width_px=1280, height_px=720, focal_px=700, distortion=LENS) for p in POSITIONS
]
POINTS_M = np.random.default_rng(0).uniform([2, 1, 0], [4, 3, 2], (30, 3))


def views(cameras=CAMERAS, points=POINTS_M) -> np.ndarray:
    return np.stack([c.project(points)[0] for c in cameras])


@pytest.mark.parametrize("count", [2, 3, 4])
def test_exact_views_give_the_point(count: int) -> None:
    points, rms = triangulate(CAMERAS[:count], views()[:count])
    np.testing.assert_allclose(points, POINTS_M, atol=1e-9)
    np.testing.assert_allclose(rms, 0, atol=1e-7)


def test_equals_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    rays = np.stack([c.undistort(v) for c, v in zip(CAMERAS[:2], views()[:2], strict=True)])
    poses = [c.camera_T_world[:3] for c in CAMERAS[:2]]
    theirs = cv2.triangulatePoints(poses[0].copy(), poses[1].copy(), rays[0].T.copy(), rays[1].T.copy())
    theirs = (theirs[:3] / theirs[3]).T
    np.testing.assert_allclose(triangulate(CAMERAS[:2], views()[:2])[0], theirs, atol=1e-8)


def test_views_that_are_missing_are_ignored() -> None:
    pixels = views()
    pixels[0, :10] = np.nan
    pixels[1:, 10] = np.nan
    pixels[:, 11] = np.nan
    pixels[2, 12, 1] = np.nan
    points, rms = triangulate(CAMERAS, pixels)
    unknown = np.zeros(30, bool)
    unknown[[10, 11]] = True
    np.testing.assert_array_equal(np.isnan(points).any(axis=1), unknown)
    np.testing.assert_array_equal(np.isnan(rms), unknown)
    np.testing.assert_allclose(points[~unknown], POINTS_M[~unknown], atol=1e-9)


def test_rms_is_the_distance_in_pixels() -> None:
    pixels = views() + np.random.default_rng(1).normal(0, 2, (4, 30, 2))
    points, rms = triangulate(CAMERAS, pixels)
    squared = np.square(views(points=points) - pixels).sum(axis=2)
    np.testing.assert_allclose(rms, np.sqrt(squared.mean(axis=0)), rtol=1e-12)


def test_noise_costs_hardly_more_than_the_least_possible() -> None:
    """Against Gauss-Newton on the reprojection error itself, which no estimate can beat in pixels."""
    pixels = views() + np.random.default_rng(1).normal(0, 2, (4, 30, 2))
    points, rms = triangulate(CAMERAS, pixels)
    best = points.copy()
    for _ in range(5):
        for i in range(len(best)):
            steps = np.eye(3) * 1e-6
            j = np.stack([(views(points=best[i] + s) - views(points=best[i] - s)).ravel() / 2e-6 for s in steps], -1)
            best[i] += np.linalg.lstsq(j, (pixels[:, i] - views(points=best[i])).ravel(), rcond=None)[0]
    least = np.sqrt(np.square(views(points=best) - pixels).sum(axis=2).mean(axis=0))
    assert (rms <= least * 1.002).all()


def test_the_origin_of_the_store_does_not_matter() -> None:
    pixels = views() + np.random.default_rng(1).normal(0, 2, (4, 30, 2))
    shift = np.array([100.0, -40.0, 7.0])
    moved = []
    for camera in CAMERAS:
        pose = camera.camera_T_world.copy()
        pose[:3, 3] -= pose[:3, :3] @ shift
        moved.append(dataclasses.replace(camera, camera_T_world=pose))
    np.testing.assert_allclose(triangulate(moved, pixels)[0] - shift, triangulate(CAMERAS, pixels)[0], atol=1e-8)


def test_rays_that_do_not_fix_a_point_are_nan() -> None:
    twice = [CAMERAS[0], CAMERAS[0]]
    assert np.isnan(triangulate(twice, views(twice))[0]).all()
    size = {"width_px": 641, "height_px": 481, "focal_px": 500}
    left = PinholeCamera.look_at([0, 0, 2], [0, 5, 2], **size)
    right = PinholeCamera.look_at([1, 0, 2], [1, 5, 2], **size)
    middle = [320.0, 240.0]
    parallel, spreading = [[middle], [middle]], [[[310.0, 240.0]], [[330.0, 240.0]]]
    for pixels in (parallel, spreading):
        points, rms = triangulate([left, right], pixels)
        assert np.isnan(points).all()
        assert np.isnan(rms).all()
    crossing = triangulate([left, right], [[[330.0, 240.0]], [[310.0, 240.0]]])
    np.testing.assert_allclose(crossing[0], [[0.5, 25, 2]], atol=1e-9)


def test_no_points_and_no_cameras() -> None:
    points, rms = triangulate(CAMERAS, np.empty((4, 0, 2)))
    assert (points.shape, rms.shape) == ((0, 3), (0,))
    points, rms = triangulate([], np.empty((0, 5, 2)))
    assert (points.shape, rms.shape) == ((5, 3), (5,))
    assert np.isnan(points).all()


@pytest.mark.parametrize("shape", [(3, 5, 2), (4, 5, 3), (4, 2)])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="shape"):
        triangulate(CAMERAS, np.zeros(shape))
