"""Boxes and poses of a simulated visit, and what hides people from cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.data.detections import read_detections
from gocv.data.poses import COCO17, read_poses
from gocv.data.recording import Recording, check_recording
from gocv.sim import Scenario, simulate, simulate_scene
from gocv.sim.body import body
from gocv.sim.layout import Gondola
from gocv.sim.poses import PoseNoise, see_people
from gocv.sim.scene import Scene
from gocv.sim.sight import behind_body, behind_gondolas, behind_oneself

EXACT = PoseNoise(jitter=0, bias=0, unseen=0, turned_per_s=0, box=0, missed=0)
SCENARIO = Scenario(shoppers=2, cameras=3)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return simulate_scene(SCENARIO, seed=4)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    path = tmp_path_factory.mktemp("poses") / "recording"
    simulate(SCENARIO, path, seed=4, poses=True)
    return Recording.open(path)


def looked(scene: Scene, noise: PoseNoise, camera: str = "camera-1", seed: int = 0):
    parts = see_people(scene, camera, noise, rate_hz=10.0, seed=np.random.SeedSequence(seed))
    return [part for _, part in parts]


def test_a_recording_has_boxes_and_poses_and_no_joints(recording: Recording) -> None:
    assert recording.joints is None
    assert [p for p in check_recording(recording.path) if p.severity == "error" or "pose" in p.message] == []
    for camera in recording.cameras:
        assert camera.video is None
        boxes, poses = read_detections(camera.detections, ["person"]), read_poses(camera.poses)
        assert poses.keypoints == COCO17
        np.testing.assert_array_equal(boxes.frame, poses.frame)
        np.testing.assert_array_equal(boxes.first_row, poses.first_row)
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


def test_without_errors_keypoints_are_where_the_camera_has_them(scene: Scene) -> None:
    camera, motions = scene.layout.cameras["camera-1"], {m.name: m for m in scene.motions}
    for part in looked(scene, EXACT):
        for name in set(part.person.tolist()):
            rows = part.person == name
            exact = camera.project(body(motions[name], part.frame[rows] / 10).keypoints_m)[0]
            seen = part.poses.score[rows] > 0
            np.testing.assert_allclose(part.poses.keypoints_px[rows][seen], exact[seen], atol=1e-2)
            assert seen.mean() > 0.5


def test_keypoints_lie_in_their_boxes(scene: Scene) -> None:
    for part in looked(scene, EXACT):
        sure = part.poses.score > 0.6
        box = part.boxes.xyxy[:, None]
        pixels = part.poses.keypoints_px
        inside = ((pixels >= box[..., :2]) & (pixels <= box[..., 2:])).all(axis=2)
        assert inside[sure].mean() > 0.97  # a hidden one may be scored high


def test_errors_grow_with_the_person_and_as_scores_fall(scene: Scene) -> None:
    exact, noisy = looked(scene, EXACT), looked(scene, EXACT.model_copy(update={"jitter": 0.02}))
    off, size, score = [], [], []
    for one, other in zip(exact, noisy, strict=True):
        np.testing.assert_array_equal(one.frame, other.frame)
        off.append(np.abs(one.poses.keypoints_px - other.poses.keypoints_px).mean(axis=2))
        size.append(np.repeat(np.sqrt(np.prod(one.boxes.xyxy[:, 2:] - one.boxes.xyxy[:, :2], axis=1))[:, None], 17, 1))
        score.append(other.poses.score)
    offs, sizes, scores = (np.concatenate(parts) for parts in (off, size, score))
    known = np.isfinite(offs)
    sure = known & (scores > 0.7) & (scores < 0.8)
    large, small = sure & (sizes > np.median(sizes[sure])), sure & (sizes <= np.median(sizes[sure]))
    assert offs[large].mean() > 1.1 * offs[small].mean()
    assert offs[known & (scores < 0.4)].mean() > 2 * offs[sure].mean()


def test_left_and_right_are_sometimes_taken_for_each_other(scene: Scene) -> None:
    exact = looked(scene, EXACT)
    turned = looked(scene, EXACT.model_copy(update={"turned_per_s": 0.5}))
    left, right = COCO17.index("l_hip"), COCO17.index("r_hip")
    one = np.concatenate([part.poses.keypoints_px for part in exact])
    other = np.concatenate([part.poses.keypoints_px for part in turned])
    same = (one[:, left] == other[:, left]).all(axis=1)
    swapped = (one[:, left] == other[:, right]).all(axis=1)
    assert 0.03 < swapped.mean() < 0.4
    assert (same | swapped | np.isnan(one[:, [left, right]]).any(axis=(1, 2))).all()


def test_a_gondola_hides_what_is_behind_it_and_not_a_hand_that_reaches_in() -> None:
    gondola = Gondola(1, (0.0, 0.0), 0.0, plates=20, heights_m=(0.2, 0.8, 1.4))
    camera = np.array([1.0, -3.0, 1.5])
    points = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 0.2, 1.0], [1.0, 3.0, 3.5]])
    assert behind_gondolas(camera, points, [gondola]).tolist() == [True, False, False, False]
    assert behind_gondolas(np.array([1.0, 3.0, 1.5]), points[2:3], [gondola]).tolist() == [True]
    assert not behind_gondolas(camera, points, []).any()


def test_people_hide_what_is_behind_them_and_a_face_is_not_seen_from_behind(scene: Scene) -> None:
    motion = scene.motions[0]
    now = np.array([(motion.start_s + motion.end_s) / 2])
    person = body(motion, now)
    middle, ahead = person.neck_m[0] - [0, 0, 0.2], person.forward[0]
    camera = middle + 2 * ahead
    points = np.stack([middle - ahead, middle + ahead, middle - ahead + [0, 0, 2.0]])[None]
    assert behind_body(camera, points, person).tolist() == [[True, False, False]]
    nose = COCO17.index("nose")
    level = person.keypoints_m[0, nose]
    assert not behind_oneself(level + 2 * person.gaze[0], person)[0, nose]
    assert behind_oneself(level - 2 * person.gaze[0], person)[0, nose]


def test_a_camera_that_is_dead_sees_nobody(tmp_path: Path) -> None:
    scenario = Scenario.model_validate({"shoppers": 2, "cameras": 3, "faults": [{"kind": "dead_camera"}]})
    simulate(scenario, tmp_path / "r", seed=4, poses=True)
    lengths = [len(read_poses(camera.poses).poses) for camera in Recording.open(tmp_path / "r").cameras]
    simulate(SCENARIO, tmp_path / "s", seed=4, poses=True)
    whole = [len(read_poses(camera.poses).poses) for camera in Recording.open(tmp_path / "s").cameras]
    assert sum(one < other for one, other in zip(lengths, whole, strict=True)) == 1
