"""Cameras calibrated from simulated walkers, whose cameras are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import DataError, Detections
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration import (
    Lens,
    WalkerSettings,
    calibrate_walkers,
    check_cameras,
    floor_errors,
)
from gocv.multicamera.calibration.body import PERSON, RECTANGLE, boxes_of
from gocv.multicamera.calibration.poses import parameters_of
from gocv.multicamera.views import CameraView
from gocv.sim.routes import Floor
from gocv.sim.stores import demo_layout
from gocv.sim.strollers import BoxFaults, boxes_seen, stroll

HEIGHTS = (1.82, 1.66)
CAMERAS = demo_layout().cameras
SECONDS = 90.0


def walk(moved: str | None = None, seconds: float = SECONDS) -> tuple[list[CameraView], np.ndarray]:
    """What the shop's cameras saw of two walkers, and where those were; one camera may be knocked by 5° half-way."""
    rng, floor = np.random.default_rng(11), Floor(demo_layout())
    people = [stroll(floor, f"p{i}", h, seconds, rng) for i, h in enumerate(HEIGHTS)]
    time_s = np.arange(0, seconds, 0.1)
    views = []
    for name, camera in CAMERAS.items():
        parameters = parameters_of(camera)
        parameters[4] += np.radians(5.0)
        knock = (seconds * 0.55, Lens.of(camera).camera(parameters)) if moved == name else None
        views.append(CameraView(name, camera, boxes_seen(camera, people, time_s, BoxFaults(), rng, knock)[0]))
    return views, np.concatenate([person.at(time_s, person.xy_m) for person in people])


@pytest.fixture(scope="module")
def walked() -> tuple[list[CameraView], np.ndarray]:
    return walk()


def lenses() -> list[Lens]:
    return [Lens.of(camera) for camera in CAMERAS.values()]


def turned(camera: PinholeCamera, degrees: float) -> PinholeCamera:
    parameters = parameters_of(camera)
    parameters[4] += np.radians(degrees)
    return Lens.of(camera).camera(parameters)


def test_two_walkers_calibrate_four_cameras_to_a_decimetre(walked) -> None:
    views, xy_m = walked
    found = calibrate_walkers(views, lenses(), WalkerSettings(known_heights_m=HEIGHTS))
    errors = floor_errors(found.cameras, CAMERAS, xy_m)
    assert np.median(np.concatenate(list(errors.values()))) < 0.10
    assert max(np.median(own) for own in errors.values()) < 0.15
    assert [report.suspect for report in found.reports] == [""] * 4
    assert all(report.boxes > 50 and 0 < report.rms_share < 0.06 for report in found.reports)
    first = found.cameras["camera-1"]
    np.testing.assert_allclose(first.position_m[:2], 0, atol=1e-9)
    assert abs(first.camera_T_world[2, 1]) < 1e-9  # it looks along x
    assert abs(first.position_m[2] - 2.7) < max(0.06, 4 * found.reports[0].sd["z_m"])
    assert found.reports[0].sd["log_focal"] == found.reports[0].sd["x_m"] == 0
    assert found.reports[1].sd["x_m"] > 0


def test_a_measured_height_of_a_camera_gives_the_scale(walked) -> None:
    views, xy_m = walked
    wrong = WalkerSettings(height_m=1.6, camera_heights_m={"camera-2": 2.7}, measured_sd_m=0.005)
    found = calibrate_walkers(views, lenses(), wrong)
    assert np.median(np.concatenate(list(floor_errors(found.cameras, CAMERAS, xy_m).values()))) < 0.10
    assert abs(found.cameras["camera-2"].position_m[2] - 2.7) < 0.02


def test_the_focal_length_is_found_too(walked) -> None:
    views, xy_m = walked
    bare = [Lens(640, 360) for _ in views]
    found = calibrate_walkers(views, bare, WalkerSettings(known_heights_m=HEIGHTS))
    assert np.median(np.concatenate(list(floor_errors(found.cameras, CAMERAS, xy_m).values()))) < 0.20
    for camera in found.cameras.values():
        assert abs(np.log(camera.matrix[1, 1] / 330)) < 0.15


def test_a_camera_that_was_knocked_is_named_and_the_others_survive() -> None:
    views, xy_m = walk(moved="camera-2", seconds=240.0)
    found = calibrate_walkers(views, lenses(), WalkerSettings(known_heights_m=HEIGHTS))
    suspect = {report.camera: report.suspect for report in found.reports if report.suspect}
    assert set(suspect) == {"camera-2"}
    assert "moved during the recording: turned by" in suspect["camera-2"]
    assert any(note.startswith("camera-2") and "it moved are left out" in note for note in found.notes)
    others = {name: camera for name, camera in CAMERAS.items() if name != "camera-2"}
    assert np.median(np.concatenate(list(floor_errors(found.cameras, others, xy_m).values()))) < 0.10


def test_a_right_calibration_passes_the_check_and_a_turned_camera_fails_it(walked) -> None:
    views, _ = walked
    assert [report.suspect for report in check_cameras(views)] == [""] * 4
    views = [dataclasses.replace(v, calibration=turned(v.calibration, 8.0 * (v.camera == "camera-3"))) for v in views]
    reports = {report.camera: report for report in check_cameras(views)}
    worst = max(reports.values(), key=lambda report: report.apart_m)
    assert worst.camera == "camera-3"
    assert "m from where the others do" in worst.suspect


def empty() -> DetectionTable:
    none = Detections.empty()
    return DetectionTable(
        ("person",), np.arange(3), np.arange(3) / 10, np.zeros(4, np.int64), none, np.empty(0, np.int64)
    )


def test_a_camera_that_saw_nobody_is_refused_by_name(walked) -> None:
    views, _ = walked
    with pytest.raises(DataError, match="camera-4: 0 whole boxes"):
        calibrate_walkers([*views[:3], dataclasses.replace(views[3], seen=empty())], lenses())


def test_a_camera_of_another_place_is_refused_by_name(walked) -> None:
    views, _ = walked
    seen = views[1].seen
    later = dataclasses.replace(views[1], seen=dataclasses.replace(seen, time_s=seen.time_s + 10_000))
    with pytest.raises(DataError, match="camera-2 could not be joined to camera-1"):
        calibrate_walkers([views[0], later], lenses()[:2])


def test_wrong_names_are_refused(walked) -> None:
    views, _ = walked
    with pytest.raises(DataError, match="there is no camera 'camera-9'"):
        calibrate_walkers(views, lenses(), WalkerSettings(camera_heights_m={"camera-9": 2.0}))
    with pytest.raises(DataError, match="one lens a view"):
        calibrate_walkers(views, lenses()[:2])


def test_boxes_of_spheroids_are_those_of_points_on_them() -> None:
    camera = CAMERAS["camera-1"]
    bare = Lens(640, 360, camera.matrix, np.zeros(5)).camera(parameters_of(camera) * [1, 0, 1, 1, 1, 1, 1, 1])
    unit = np.random.default_rng(0).normal(size=(40_000, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    points = np.concatenate(
        [[3.0, 2.2, 1.7 * at] + 1.7 * unit * [r, r, half] for at, half, r in zip(
            PERSON.level, PERSON.half_height, PERSON.radius, strict=True)]
    )  # fmt: skip
    pixels = bare.project(points)[0]
    expected = np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])
    constants = Lens.of(bare).constants()[None]
    box = boxes_of(PERSON, parameters_of(bare)[None], constants, np.array([[3.0, 2.2]]), np.array([1.7]), np.zeros(2))
    np.testing.assert_allclose(box[0], expected, atol=0.1)


def test_a_rectangle_ends_at_its_foot_and_at_its_top() -> None:
    camera = PinholeCamera.look_at([0, 0, 2.5], [6, 0, 1], width_px=640, height_px=480, focal_px=400)
    box = boxes_of(
        RECTANGLE, parameters_of(camera)[None], Lens.of(camera).constants()[None], np.array([[6.0, 0.0]]),
        np.array([1.8]), np.zeros(1),
    )[0]  # fmt: skip
    assert box[3] == pytest.approx(camera.floor_to_pixels([[6.0, 0.0]])[0, 1])
    assert box[1] == pytest.approx(camera.floor_to_pixels([[6.0, 0.0]], 1.8)[0, 1])


@pytest.mark.parametrize("roll", [-0.2, 0.0, 0.3])
def test_parameters_and_cameras_are_inverses(roll) -> None:
    camera = CAMERAS["camera-3"]
    parameters = parameters_of(camera)
    parameters[3] = roll
    again = Lens.of(camera).camera(parameters)
    np.testing.assert_allclose(parameters_of(again), parameters, atol=1e-9)
    np.testing.assert_allclose(again.matrix, camera.matrix, atol=1e-9)
