"""Boxes and poses of a simulated visit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.data.detections import read_detections
from gocv.data.poses import COCO17, PoseTable, read_poses
from gocv.data.recording import Recording, check_recording
from gocv.sim import Scenario, simulate, simulate_scene
from gocv.sim.body import body
from gocv.sim.detector import BoxNoise
from gocv.sim.multiview import look
from gocv.sim.poses import PoseNoise
from gocv.sim.scene import Scene
from gocv.sim.sightings import people_of

EXACT = PoseNoise(jitter=0, bias=0, unseen=0, turned_per_s=0)
BOXES = BoxNoise(jitter=0.0)
SCENARIO = Scenario(shoppers=2, cameras=3)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulate_scene(SCENARIO, seed=4)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("poses") / "recording"
    simulate(SCENARIO, path, seed=4, poses=True)
    return Recording.open(path)


@dataclasses.dataclass(frozen=True)
class Looked:
    """Poses of the boxes of a camera, and for each the number of the motion, the frame, and the box."""

    table: PoseTable
    motion: np.ndarray
    frame: np.ndarray
    xyxy: np.ndarray


def looked(scene: Scene, noise: PoseNoise, camera: str = "camera-1", boxes: BoxNoise = BOXES) -> Looked:
    views = look(scene, boxes, seed=4, rate_hz=10.0, poses=noise)
    table, found = views.poses[camera], views.scene.detections[camera]
    frame = np.repeat(np.arange(len(table)), np.diff(table.first_row))
    row = found.first_row[frame] + table.box
    return Looked(table, views.sightings[camera].person[views.of[camera][row]], frame, found.boxes.xyxy[row])


def test_a_recording_has_boxes_and_poses_and_no_joints(recording: Recording) -> None:
    assert recording.joints is None
    assert [p for p in check_recording(recording.path) if p.severity == "error" or "pose" in p.message] == []
    for camera in recording.cameras:
        assert camera.video is None
        boxes, poses = read_detections(camera.detections, ["person"]), read_poses(camera.poses)
        assert poses.keypoints == COCO17
        np.testing.assert_array_equal(boxes.frame, poses.frame)
        frame = np.repeat(np.arange(len(poses)), np.diff(poses.first_row))
        assert (boxes.first_row[frame] + poses.box < boxes.first_row[frame + 1]).all()
        assert camera.truth is not None
        assert len(boxes) == round(10 * recording.duration_s)
        assert len(poses.poses) > 50
    assert recording.truth is not None
    assert recording.truth.names == ()


def test_everything_else_is_the_same_with_and_without_poses(recording: Recording, tmp_path: Path) -> None:
    simulate(SCENARIO, tmp_path / "plain", seed=4)
    plain = Recording.open(tmp_path / "plain")
    assert plain.joints is not None
    assert plain.truth is not None
    assert plain.truth.events == recording.truth.events
    for one, other in zip(plain.scales, recording.scales, strict=True):
        assert one.file.read_bytes() == other.file.read_bytes()


def test_the_same_seed_sees_the_same(recording: Recording, tmp_path: Path) -> None:
    simulate(SCENARIO, tmp_path / "again", seed=4, poses=True)
    for camera in recording.cameras:
        again = tmp_path / "again" / "poses" / f"{camera.name}.parquet"
        assert again.read_bytes() == camera.poses.read_bytes()


def test_boxes_are_the_same_with_and_without_poses(recording: Recording, tmp_path: Path) -> None:
    simulate(SCENARIO.model_copy(update={"detections": True}), tmp_path / "boxes", seed=4)
    for one, other in zip(recording.cameras, Recording.open(tmp_path / "boxes").cameras, strict=True):
        assert other.poses is None
        assert one.detections.read_bytes() == other.detections.read_bytes()
        assert one.truth.read_bytes() == other.truth.read_bytes()


def test_without_errors_keypoints_are_where_the_camera_has_them(scene: Scene) -> None:
    camera, found = scene.layout.cameras["camera-1"], looked(scene, EXACT)
    numbers = people_of(scene)
    for motion in scene.motions:
        rows = found.motion == numbers[motion.person]
        exact = camera.project(body(motion, found.frame[rows] / 10).keypoints_m)[0]
        seen = found.table.poses.score[rows] > 0
        assert rows.any()
        np.testing.assert_allclose(found.table.poses.keypoints_px[rows][seen], exact[seen], atol=1e-2)
        assert seen.mean() > 0.5


def test_a_pose_is_of_the_box_that_it_lies_in_and_false_boxes_have_none(scene: Scene) -> None:
    found = looked(scene, EXACT, boxes=BoxNoise(jitter=0.0, false_per_frame=0.5))
    box, pixels = found.xyxy[:, None], found.table.poses.keypoints_px
    inside = ((pixels >= box[..., :2]) & (pixels <= box[..., 2:])).all(axis=2)
    sure = found.table.poses.score > 0.6
    assert sure.sum() > 1000
    assert inside[sure].mean() > 0.97  # a hidden one may be scored high
    views = look(scene, BoxNoise(false_per_frame=0.5), seed=4, rate_hz=10.0, poses=EXACT)
    for name, of in views.of.items():
        assert (of < 0).any()
        assert len(views.poses[name].poses) == (of >= 0).sum()


def test_errors_grow_with_the_person_and_as_scores_fall(scene: Scene) -> None:
    one, other = looked(scene, EXACT), looked(scene, EXACT.model_copy(update={"jitter": 0.02}))
    np.testing.assert_array_equal(one.frame, other.frame)
    off = np.abs(one.table.poses.keypoints_px - other.table.poses.keypoints_px).mean(axis=2)
    sides = one.xyxy[:, 2:] - one.xyxy[:, :2]
    size = np.repeat(np.sqrt(np.prod(sides, axis=1))[:, None], 17, 1)
    score = other.table.poses.score
    known = np.isfinite(off)
    sure = known & (score > 0.7) & (score < 0.8)
    large, small = sure & (size > np.median(size[sure])), sure & (size <= np.median(size[sure]))
    assert off[large].mean() > 1.1 * off[small].mean()
    assert off[known & (score < 0.4)].mean() > 2 * off[sure].mean()


def test_left_and_right_are_sometimes_taken_for_each_other(scene: Scene) -> None:
    one = looked(scene, EXACT).table.poses.keypoints_px
    other = looked(scene, EXACT.model_copy(update={"turned_per_s": 0.5})).table.poses.keypoints_px
    left, right = COCO17.index("l_hip"), COCO17.index("r_hip")
    same = (one[:, left] == other[:, left]).all(axis=1)
    swapped = (one[:, left] == other[:, right]).all(axis=1)
    assert 0.03 < swapped.mean() < 0.4
    assert (same | swapped | np.isnan(one[:, [left, right]]).any(axis=(1, 2))).all()


def test_a_camera_that_is_dead_sees_nobody(tmp_path: Path) -> None:
    scenario = Scenario.model_validate({"shoppers": 2, "cameras": 3, "faults": [{"kind": "dead_camera"}]})
    simulate(scenario, tmp_path / "r", seed=4, poses=True)
    lengths = [len(read_poses(camera.poses).poses) for camera in Recording.open(tmp_path / "r").cameras]
    simulate(SCENARIO, tmp_path / "s", seed=4, poses=True)
    whole = [len(read_poses(camera.poses).poses) for camera in Recording.open(tmp_path / "s").cameras]
    assert sum(one < other for one, other in zip(lengths, whole, strict=True)) == 1
