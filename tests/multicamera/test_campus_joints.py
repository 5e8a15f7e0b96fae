"""Joints from the real labels of Campus: three cameras, labelled by hand in two, with 3-D labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from gocv.geometry import PinholeCamera
from gocv.multicamera import triangulate_joints


@pytest.fixture
def campus(shared_data: Path) -> tuple[list[PinholeCamera], np.ndarray, np.ndarray]:
    """Cameras, (n, 14, 3) joints in metres and (3, n, 14, 2) pixels."""
    folder = shared_data / "shelf_campus_calibration"
    cameras = []
    for entry in json.loads((folder / "calibration_campus.json").read_text()).values():
        pose = np.eye(4)
        pose[:3, :3] = entry["R"]
        pose[:3, 3] = -pose[:3, :3] @ np.ravel(entry["T"]) / 1000
        matrix = np.array([[entry["fx"], 0, entry["cx"]], [0, entry["fy"], entry["cy"]], [0, 0, 1]])
        cameras.append(PinholeCamera(360, 288, matrix, np.zeros(5), pose))
    labels = loadmat(folder / "actorsGT.mat", struct_as_record=False, squeeze_me=True)
    known = [
        (np.asarray(joints, float), np.stack([np.asarray(view, float) for view in views]))
        for actor_m, actor_px in zip(labels["actor3D"], labels["actor2D"], strict=True)
        for joints, views in zip(actor_m, actor_px, strict=True)
        if np.size(joints)
    ]
    return cameras, np.stack([joints for joints, _ in known]), np.stack([views for _, views in known], axis=1)


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
    wrong[0] += [18.0, 0.0]  # the person beside
    found = triangulate_joints(cameras, wrong, np.full((3, *joints_m.shape[:2]), 0.9), 1.0)
    assert found.used[0].mean() < 0.1
    assert np.median(np.linalg.norm(found.joints_m - joints_m, axis=2)) < 0.02
