"""Joints of shoppers who are known to be in several cameras."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.core import JOINTS, DataError, Detections, FloorTracks, Poses, Store
from gocv.data.detections import DetectionTable, DetectionTableWriter
from gocv.data.poses import PoseTable, PoseTableWriter
from gocv.data.recording import Camera, Recording, RecordingWriter, check_recording
from gocv.geometry import PinholeCamera
from gocv.multicamera.views import Association, CameraView
from gocv.pipeline.poses import PoseSettings, add_joints, recorded_poses

BODY = np.array(
    [
        [0, 0, 1.7],
        [0, 0, 1.5],
        [0.2, 0, 1.45],
        [-0.2, 0, 1.45],
        [0.25, 0, 1.2],
        [-0.25, 0, 1.2],
        [0.3, 0.2, 1],
        [-0.3, 0.1, 1],
    ]
)
PLACES = np.array([[0.0, 0.0], [1.0, 0.5]])
RATE_HZ, FRAMES = 10.0, 20


def camera(turn: float) -> PinholeCamera:
    place = [4 * np.cos(turn), 4 * np.sin(turn), 2.7]
    return PinholeCamera.look_at(place, [0, 0, 1], width_px=640, height_px=480, focal_px=330)


def body(person: int, time_s: float) -> np.ndarray:
    """They walk at 1 m/s along x."""
    return np.asarray(BODY + np.array([PLACES[person, 0] + time_s, PLACES[person, 1], 0.0]))


def scene(cameras: int = 3, late_s: float = 0.0, lone: bool = False) -> tuple[list[CameraView], Association, dict]:
    """Two people in some cameras, each `late_s` after the one before; with `lone` the second is in the first alone."""
    views, who, poses = [], {}, {}
    for number in range(cameras):
        name, view = f"camera-{number}", camera(0.4 + number * 2.1)
        time_s = np.arange(FRAMES) / RATE_HZ + number * late_s
        there = [0] if lone and number else [1, 0]  # boxes in another order than shoppers
        pixels = np.concatenate([[view.project(body(person, t))[0] for person in there] for t in time_s])
        first = np.arange(FRAMES + 1) * len(there)
        edge = 5.0
        xyxy = np.concatenate([pixels.min(axis=1) - edge, pixels.max(axis=1) + edge], axis=1)
        boxes = Detections(xyxy, np.ones(len(xyxy)), np.zeros(len(xyxy)))
        table = DetectionTable(("person",), np.arange(FRAMES), time_s, first, boxes, np.full(len(xyxy), -1))
        views.append(CameraView(name, view, table))
        who[name] = np.tile(there, FRAMES)
        seen = Poses(pixels, np.full((len(pixels), 8), 0.9))
        poses[name] = PoseTable(JOINTS, table.frame, time_s, first, seen, np.tile(np.arange(len(there)), FRAMES))
    time_s = np.repeat(np.arange(FRAMES) / RATE_HZ, 2)
    xy_m = np.tile(PLACES, (FRAMES, 1)) + np.stack([time_s, 0 * time_s], axis=1)
    shoppers = FloorTracks.sightings(("anna", "bert"), time_s, np.tile([0, 1], FRAMES), xy_m=xy_m)
    return views, Association(shoppers, who), poses


def errors_m(found: FloorTracks) -> np.ndarray:
    truth = [body(p, t) for p, t in zip(found.shopper, found.time_s, strict=True)]
    return np.linalg.norm(found.joints_m - np.stack(truth), axis=2)


def test_everybody_has_their_own_joints() -> None:
    views, association, poses = scene()
    found = add_joints(views, association, poses)
    assert errors_m(found).max() < 1e-3  # pixels are float32
    assert (found.joint_score > 0.9).all()
    for column in ("time_s", "shopper", "xy_m", "covariance_m2"):
        np.testing.assert_array_equal(getattr(found, column), getattr(association.shoppers, column))


def test_cameras_that_take_their_pictures_at_other_times_are_brought_together() -> None:
    found = add_joints(*scene(late_s=0.035))
    inner = (found.time_s >= 0.1) & (found.time_s <= 1.8)
    assert errors_m(found)[inner].max() < 0.005  # 35 and 70 mm where nothing was interpolated


def test_who_is_in_one_camera_alone_keeps_nan() -> None:
    found = add_joints(*scene(lone=True))
    assert np.isfinite(found.joints_m[found.shopper == 0]).all()
    assert np.isnan(found.joints_m[found.shopper == 1]).all()
    assert (found.joint_score[found.shopper == 1] == 0).all()


def test_boxes_of_nobody_make_no_joints() -> None:
    views, association, poses = scene(cameras=2)
    who = {**association.who, "camera-1": np.full_like(association.who["camera-1"], -1)}
    found = add_joints(views, dataclasses.replace(association, who=who), poses)
    assert np.isnan(found.joints_m).all()


def test_a_box_that_was_given_to_the_wrong_shopper_is_outvoted() -> None:
    views, association, poses = scene(cameras=4)
    who = {**association.who, "camera-2": 1 - association.who["camera-2"]}
    found = add_joints(views, dataclasses.replace(association, who=who), poses)
    assert np.nanmedian(errors_m(found)) < 1e-3
    assert (errors_m(found) < 0.01).mean() > 0.95


def test_a_gap_in_a_camera_is_not_bridged() -> None:
    views, association, poses = scene(cameras=2)
    who = association.who["camera-1"].copy()
    who[10:20] = -1  # half a second
    found = add_joints(views, dataclasses.replace(association, who={**association.who, "camera-1": who}), poses)
    gap = (found.time_s > 0.46) & (found.time_s < 0.94)
    assert np.isnan(found.joints_m[gap]).all()
    assert np.isfinite(found.joints_m[~gap]).all()


def test_a_joint_that_is_too_unsure_is_not_known() -> None:
    views, association, poses = scene()
    found = add_joints(views, association, poses, PoseSettings(largest_sd_m=0.001))
    assert np.isnan(found.joints_m).all()
    assert (found.joint_score == 0).all()


def test_poses_without_calibration_or_nobody_at_all_are_valid() -> None:
    views, association, poses = scene()
    blind = [dataclasses.replace(view, calibration=None) for view in views]
    assert np.isnan(add_joints(blind, association, poses).joints_m).all()
    nobody = Association(FloorTracks.empty(shoppers=()), {view.camera: np.full(40, -1) for view in views})
    assert len(add_joints(views, nobody, poses)) == 0


def test_keypoints_that_nobody_knows_are_refused() -> None:
    views, association, poses = scene()
    strange = {name: dataclasses.replace(table, keypoints=tuple("abcdefgh")) for name, table in poses.items()}
    with pytest.raises(DataError, match="keypoints a, b"):
        add_joints(views, association, strange)


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """Three cameras with poses: one whole, one without calibration, one without detections."""
    boxes, poses = tmp_path / "boxes.parquet", tmp_path / "poses.parquet"
    with DetectionTableWriter(boxes, classes=("person",)) as one, PoseTableWriter(poses) as other:
        one.write(0, 0.0, Detections([[0, 0, 9, 9]], [1.0], [0]))
        other.write(0, 0.0, Poses(np.zeros((2, 17, 2)), np.ones((2, 17))))
    with RecordingWriter(tmp_path / "r", name="r", origin_unix_s=0, duration_s=1, store=Store({}, {}, {})) as writer:
        writer.add_camera(Camera("whole", calibration=camera(0), detections=boxes, poses=poses))
        writer.add_camera(Camera("lost", detections=boxes, poses=poses))
        writer.add_camera(Camera("bare", calibration=camera(1), poses=poses))
    return Recording.open(tmp_path / "r")


def test_recorded_poses_that_are_of_no_use_are_said_to_be(recording: Recording) -> None:
    tables, report = recorded_poses(recording)
    assert list(tables) == ["whole"]
    assert [entry["where"] for entry in report] == ["camera lost", "camera bare"]
    assert "not calibrated" in report[0]["problem"]
    assert "no detections" in report[1]["problem"]


def test_the_validator_tells_of_poses_without_a_box(recording: Recording) -> None:
    found = [str(problem) for problem in check_recording(recording.path)]
    assert any("1 of 2 poses are of no box" in text for text in found)
    assert any("camera bare has poses but no detections" in text for text in found)
