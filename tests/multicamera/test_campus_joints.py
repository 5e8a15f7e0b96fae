"""Joints from the real labels of Campus: three cameras, labelled by hand in two, with 3-D labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.data.calibrations import read_calibration
from gocv.data.multiview.actors import read_actors
from gocv.geometry import PinholeCamera
from gocv.multicamera import triangulate_joints


@pytest.fixture
def campus(shared_data: Path) -> tuple[list[PinholeCamera], np.ndarray, np.ndarray]:
    """Cameras, (n, 14, 3) joints in metres and (3, n, 14, 2) pixels."""
    folder = shared_data / "shelf_campus_calibration"
    actors = read_actors(folder / "actorsGT.mat")
    cameras = read_calibration(folder / "calibration_campus.json", "campus3d")
    return list(cameras.values()), actors.joints_m, np.moveaxis(actors.joints_px, 1, 0)


def test_real_labels_of_two_cameras_give_the_labelled_joints(
    campus: tuple[list[PinholeCamera], np.ndarray, np.ndarray],
) -> None:
    cameras, joints_m, pixels = campus
    assert (pixels[:2] == pixels[:2].round()).all()  # by hand; the third camera's are projections
    found = triangulate_joints(cameras[:2], pixels[:2], np.ones((2, *joints_m.shape[:2])), 1.0)
    off_m = np.linalg.norm(found.joints_m - joints_m, axis=2)
    assert np.median(off_m) < 0.005
    assert off_m.max() < 0.02


def test_a_real_label_that_is_wrong_is_left_out(campus: tuple[list[PinholeCamera], np.ndarray, np.ndarray]) -> None:
    cameras, joints_m, pixels = campus
    wrong = pixels.copy()
    wrong[0] += [10.0, 14.0]  # across the other views' rays: along them, nobody could tell
    found = triangulate_joints(cameras, wrong, np.full((3, *joints_m.shape[:2]), 0.9), 1.0)
    assert found.used[0].mean() < 0.1
    off_m = np.linalg.norm(found.joints_m - joints_m, axis=2)
    sd_m = np.sqrt(np.trace(found.covariance_m2, axis1=2, axis2=3))
    assert (off_m < 3 * sd_m).all()  # the two that are left nearly face each other
    assert np.median(off_m) < 0.15
