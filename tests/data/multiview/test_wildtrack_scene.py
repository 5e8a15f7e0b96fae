"""Real calibrated cameras: labelled people stand where their boxes' feet are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.data.calibrations import read_wildtrack_cameras
from gocv.data.multiview import MultiviewScene, read_multiview
from gocv.geometry import PinholeCamera, triangulate

CYLINDER_M = 1.8
"""Height of the cylinder that fits the boxes of both sets best, of those from 1.5 to 2.15 m in steps of 5 cm."""


@pytest.fixture(scope="module")
def wildtrack(shared_data: Path) -> MultiviewScene:
    return read_multiview(shared_data / "wildtrack", "wildtrack")


@pytest.fixture(scope="module")
def multiviewx(shared_data: Path) -> MultiviewScene:
    return read_multiview(shared_data / "multiviewx", "multiviewx")


def boxes_of(scene: MultiviewScene, camera: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, 4) boxes that are wholly in the picture, and (n, 2) where their people stand."""
    labels = scene.labels[camera]
    time_s = np.repeat(labels.time_s, np.diff(labels.first_row))
    rows = {key: row for row, key in enumerate(zip(scene.truth.time_s, scene.truth.person, strict=True))}
    xy_m = scene.truth.xy_m[[rows[key] for key in zip(time_s, labels.track_id, strict=True)]]
    xyxy = labels.boxes.xyxy.astype(float)
    whole = (xyxy[:, :2] > 0).all(axis=1) & (xyxy[:, 2:] < [1919, 1079]).all(axis=1)
    return xyxy[whole], xy_m[whole]


def misses(camera: PinholeCamera, xyxy: np.ndarray, xy_m: np.ndarray, height_m: float = 0.0) -> np.ndarray:
    """(n,) from the point above `xy_m` to the middle of the box's lower edge, or upper edge, in heights of the box."""
    edge = np.stack([xyxy[:, [0, 2]].mean(axis=1), xyxy[:, 1 if height_m else 3]], axis=1)
    return np.linalg.norm(camera.floor_to_pixels(xy_m, height_m) - edge, axis=1) / (xyxy[:, 3] - xyxy[:, 1])


@pytest.mark.parametrize("data", ["wildtrack", "multiviewx"])
def test_people_project_into_their_boxes(data: str, request: pytest.FixtureRequest) -> None:
    """Medians: feet 1.9 to 4.2 % of the box's height in WILDTRACK, 2.4 to 4.5 % in MultiviewX; 95 % within 10.7 %."""
    scene = request.getfixturevalue(data)
    for name, camera in scene.cameras.items():
        xyxy, xy_m = boxes_of(scene, name)
        assert len(xyxy) > 200, name
        feet, top = misses(camera, xyxy, xy_m), misses(camera, xyxy, xy_m, CYLINDER_M)
        assert np.median(feet) < 0.05, name
        assert np.median(top) < 0.05, name
        assert np.percentile(feet, 95) < 0.11, name
        assert np.percentile(top, 95) < 0.11, name


@pytest.mark.parametrize("data", ["wildtrack", "multiviewx"])
def test_the_boxes_are_those_of_a_cylinder_of_this_height(data: str, request: pytest.FixtureRequest) -> None:
    scene = request.getfixturevalue(data)
    parts = [(camera, *boxes_of(scene, name)) for name, camera in scene.cameras.items()]
    heights = np.arange(1.5, 2.2, 0.05)
    errors = [np.median(np.concatenate([misses(*part, height) for part in parts])) for height in heights]
    assert heights[np.argmin(errors)] == pytest.approx(CYLINDER_M)


def test_feet_stand_where_they_are_labelled(wildtrack: MultiviewScene) -> None:
    for name, camera in wildtrack.cameras.items():
        xyxy, xy_m = boxes_of(wildtrack, name)
        feet = np.stack([xyxy[:, [0, 2]].mean(axis=1), xyxy[:, 3]], axis=1)
        error_m = np.linalg.norm(camera.pixels_to_floor(feet) - xy_m, axis=1)
        assert np.median(error_m) < 0.16, name
        assert np.percentile(error_m, 99) < 0.5, name


def test_triangulated_feet_are_on_the_floor(wildtrack: MultiviewScene) -> None:
    rows = {key: row for row, key in enumerate(zip(wildtrack.truth.time_s, wildtrack.truth.person, strict=True))}
    feet = np.full((len(wildtrack.cameras), len(rows), 2), np.nan)
    for view, labels in zip(feet, wildtrack.labels.values(), strict=True):
        keys = zip(np.repeat(labels.time_s, np.diff(labels.first_row)), labels.track_id, strict=True)
        xyxy = labels.boxes.xyxy
        whole = (xyxy[:, 0] >= 0) & (xyxy[:, 3] < 1079)
        view[np.array([rows[key] for key in keys])[whole]] = np.c_[xyxy[:, [0, 2]].mean(axis=1), xyxy[:, 3]][whole]
    chosen = slice(0, None, 10)
    points, rms = triangulate(list(wildtrack.cameras.values()), feet[:, chosen])
    np.testing.assert_array_equal(np.isfinite(rms), np.isfinite(feet[:, chosen, 0]).sum(axis=0) >= 2)
    assert np.nanmedian(np.abs(points[:, 2])) < 0.02
    assert np.nanmedian(np.linalg.norm(points[:, :2] - wildtrack.truth.xy_m[chosen], axis=1)) < 0.08
    assert np.nanmedian(rms) < 5


def test_ten_frames_of_wildtrack_are_nearer_still(wildtrack: MultiviewScene) -> None:
    """Every second second of the first twenty."""
    cameras = list(wildtrack.cameras.values())
    early = wildtrack.truth[(wildtrack.truth.time_s < 20) & (wildtrack.truth.time_s % 2 == 0)]
    rows = {key: row for row, key in enumerate(zip(early.time_s, early.person, strict=True))}
    feet = np.full((len(cameras), len(rows), 2), np.nan)
    for view, labels in zip(feet, wildtrack.labels.values(), strict=True):
        time_s = np.repeat(labels.time_s, np.diff(labels.first_row))
        xyxy = labels.boxes.xyxy
        own = (time_s < 20) & (time_s % 2 == 0) & (xyxy[:, 0] >= 0) & (xyxy[:, 3] < 1079)
        row = [rows[key] for key in zip(time_s[own], labels.track_id[own], strict=True)]
        view[row] = np.c_[xyxy[own][:, [0, 2]].mean(axis=1), xyxy[own][:, 3]]
    for camera, seen in zip(cameras, feet, strict=True):
        error_px = np.linalg.norm(camera.floor_to_pixels(early.xy_m) - seen, axis=1)
        error_m = np.linalg.norm(camera.pixels_to_floor(seen) - early.xy_m, axis=1)
        assert np.isfinite(error_px).sum() > 40
        assert np.nanmedian(error_px) < 17
        assert np.nanmax(error_px) < 70
        assert np.nanmedian(error_m) < 0.16
        assert np.nanmax(error_m) < 0.4
    points, rms = triangulate(cameras, feet)
    assert np.nanmax(np.abs(points[:, 2])) < 0.12
    assert np.nanmedian(np.linalg.norm(points[:, :2] - early.xy_m, axis=1)) < 0.08
    assert np.nanmedian(rms) < 3.5


def test_original_lenses_invert(shared_data: Path) -> None:
    """Two of the seven fitted polynomials fold back just before a corner of the image: 0.1 % of its pixels at most."""
    grid = np.stack(np.meshgrid(np.arange(0, 1920.0, 8), np.arange(0, 1080.0, 8)), axis=-1)
    lost = {}
    for name, camera in read_wildtrack_cameras(shared_data / "wildtrack", "original").items():
        origin, direction = camera.rays(grid)
        found = np.isfinite(direction[..., 0])
        lost[name] = int((~found).sum())
        np.testing.assert_allclose(camera.project(origin + 10 * direction[found])[0], grid[found], atol=1e-9)
    assert lost == {"CVLab1": 32, "CVLab2": 0, "CVLab3": 0, "CVLab4": 0, "IDIAP1": 0, "IDIAP2": 3, "IDIAP3": 0}


def test_wildtrack_is_whole(wildtrack: MultiviewScene) -> None:
    """The 320 frames of this copy: 7,910 labels of people, 34,098 boxes."""
    assert list(wildtrack.cameras) == ["CVLab1", "CVLab2", "CVLab3", "CVLab4", "IDIAP1", "IDIAP2", "IDIAP3"]
    assert len(wildtrack.truth) == 7910
    assert sum(len(labels.boxes) for labels in wildtrack.labels.values()) == 34_098
    for labels in wildtrack.labels.values():
        np.testing.assert_array_equal(labels.frame, np.arange(0, 1600, 5))
        np.testing.assert_allclose(labels.time_s, np.arange(320) / 2, rtol=0, atol=1e-12)
    np.testing.assert_allclose(wildtrack.area_m, [[-3, -9], [9, -9], [9, 27], [-3, 27]])


@pytest.mark.parametrize(("data", "low_m_s", "high_m_s"), [("wildtrack", 0.7, 1.1), ("multiviewx", 1.1, 1.3)])
def test_people_walk(data: str, low_m_s: float, high_m_s: float, request: pytest.FixtureRequest) -> None:
    """Medians: 0.92 m/s in WILDTRACK, 1.20 m/s in MultiviewX."""
    truth = request.getfixturevalue(data).truth
    truth = truth[np.lexsort((truth.time_s, truth.person))]
    next_label = (np.diff(truth.person) == 0) & (np.diff(truth.time_s) < 0.6)
    speed_m_s = np.linalg.norm(np.diff(truth.xy_m, axis=0), axis=1)[next_label] / 0.5
    assert low_m_s < np.median(speed_m_s) < high_m_s


def test_multiviewx_is_in_a_right_handed_frame(multiviewx: MultiviewScene) -> None:
    """All six cameras have everybody they label before them, and somebody on the right is right in the picture."""
    for name, camera in multiviewx.cameras.items():
        xyxy, xy_m = boxes_of(multiviewx, name)
        in_camera = np.c_[xy_m, np.zeros(len(xy_m)), np.ones(len(xy_m))] @ camera.camera_T_world.T
        assert (in_camera[:, 2] > 0).all(), name
        assert np.corrcoef(in_camera[:, 0] / in_camera[:, 2], xyxy[:, [0, 2]].mean(axis=1))[0, 1] > 0.999, name
    assert (multiviewx.truth.xy_m >= 0).all()
    assert (multiviewx.truth.xy_m <= [25, 16]).all()
