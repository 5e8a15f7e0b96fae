"""A camera from measured points, beside OpenCV's answer."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gocv.core import DataError
from gocv.geometry import PinholeCamera, rotation_vector
from gocv.multicamera.calibration import Lens, calibrate_points

DISTORTION = (-0.10, 0.015, 0.0003, -0.0002, 0.0)
CAMERA = PinholeCamera.look_at(
    [0.4, 0.5, 2.7], [3.0, 2.6, 0.9], width_px=1280, height_px=720, focal_px=660.0, distortion=DISTORTION
)
CORNERS = np.array(
    [[2, 1.5, 0], [4, 1.2, 0], [4.1, 3.9, 0], [2.2, 4.1, 0], [3, 3.2, 1.6], [4, 2.1, 1.6], [2.5, 2.2, 0.9], [5, 4, 1.8]]
)


def seen(points: np.ndarray, noise_px: float = 0.0, camera: PinholeCamera = CAMERA) -> np.ndarray:
    pixels = camera.project(points)[0]
    assert np.isfinite(pixels).all()
    return np.asarray(pixels + np.random.default_rng(3).normal(0, noise_px, pixels.shape) if noise_px else pixels)


@pytest.mark.parametrize("rows", [range(8), range(4), [0, 1, 4, 7], range(6)], ids=["all", "floor", "four", "six"])
def test_exact_points_give_the_exact_camera(rows) -> None:
    points = CORNERS[list(rows)]
    found = calibrate_points(Lens.of(CAMERA), seen(points), points)
    np.testing.assert_allclose(found.camera.position_m, CAMERA.position_m, atol=1e-5)
    np.testing.assert_allclose(found.camera.camera_T_world, CAMERA.camera_T_world, atol=1e-5)
    assert found.rms_px < 1e-4
    assert not found.suspect.any()


def test_noisy_points_give_what_opencv_gives_and_honest_uncertainty() -> None:
    pixels = seen(CORNERS, 1.0)
    found = calibrate_points(Lens.of(CAMERA), pixels, CORNERS)
    ok, rotation, shift = cv2.solvePnP(CORNERS, pixels, CAMERA.matrix, np.array(DISTORTION))
    assert ok
    position = -cv2.Rodrigues(rotation)[0].T @ shift[:, 0]
    sd = np.sqrt(np.diagonal(found.position_covariance_m2))
    assert (np.abs(found.camera.position_m - position) < sd).all()
    off = found.camera.position_m - CAMERA.position_m
    assert off @ np.linalg.solve(found.position_covariance_m2, off) < 16  # chi square of 3, 0.999
    turn = rotation_vector(found.camera.camera_T_world[:3, :3].T @ CAMERA.camera_T_world[:3, :3])
    assert turn @ np.linalg.solve(found.rotation_covariance_rad2, turn) < 16
    assert 0.001 < sd.max() < 0.1


def test_the_focal_length_is_found_where_it_is_not_known() -> None:
    plain = PinholeCamera.look_at([0.4, 0.5, 2.7], [3.0, 2.6, 0.9], width_px=1280, height_px=720, focal_px=660.0)
    found = calibrate_points(Lens(1280, 720), seen(CORNERS, 0.3, plain), CORNERS)
    assert abs(found.camera.matrix[1, 1] - 660) < 4 * found.focal_sd_px < 60
    assert np.linalg.norm(found.camera.position_m - plain.position_m) < 0.05


def test_the_point_that_was_measured_wrongly_is_named() -> None:
    wrong = CORNERS.copy()
    wrong[4] += [0.5, 0.0, 0.0]
    found = calibrate_points(Lens.of(CAMERA), seen(CORNERS, 0.5), wrong)
    assert np.flatnonzero(found.suspect).tolist() == [4]
    assert np.linalg.norm(found.camera.position_m - CAMERA.position_m) < 0.05
    assert found.rms_px < 3


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (CORNERS[:3], "3 points do not fix a camera"),
        (np.linspace([2, 1.5, 0], [4, 3.5, 1], 6), "on a line"),
        (np.full((5, 3), [3.0, 2.5, 0.5]), "on a line"),
    ],
)
def test_points_that_fix_nothing_are_refused(points, problem) -> None:
    with pytest.raises(DataError, match=problem):
        calibrate_points(Lens.of(CAMERA), seen(np.asarray(points)), points)


def test_a_wall_seen_straight_on_does_not_give_the_focal_length() -> None:
    camera = PinholeCamera.look_at([0, 0, 1.5], [4, 0, 1.5], width_px=1280, height_px=720, focal_px=660.0)
    wall = np.array([[4.0, y, z] for y in (-1, 0, 1) for z in (1.0, 1.5, 2.0)])
    with pytest.raises(DataError, match="do not fix the camera"):
        calibrate_points(Lens(1280, 720), seen(wall, 0.0, camera), wall)
