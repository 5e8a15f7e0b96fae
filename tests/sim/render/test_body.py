from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS
from gocv.data.poses import COCO17
from gocv.sim.body import ANKLE, SHIN, THIGH, bent, body, footsteps
from gocv.sim.shoppers import Motion

HEIGHT_M = 1.7
ROWS = 400


def row_s() -> float:
    probe = Motion("a", HEIGHT_M, 0.0, np.zeros((101, 2)), np.tile([1.0, 0.0], (101, 1)), ())
    return probe.end_s / 100


def walker(speed_m_s: float = 1.1) -> Motion:
    """Stands, walks 4 m along x, and stands again, looking along y."""
    time_s = np.arange(ROWS) * row_s()
    start_s = 0.25 * time_s[-1]
    x = np.clip((time_s - start_s) * speed_m_s, 0.0, 4.0)
    turned = np.clip((time_s - start_s - 4.0 / speed_m_s) / 0.6, 0.0, 1.0) * np.pi / 2
    xy_m = np.stack([1.0 + x, np.full(ROWS, 2.0)], axis=1)
    return Motion("a", HEIGHT_M, 3.0, xy_m, np.stack([np.cos(turned), np.sin(turned)], axis=1), ())


@pytest.fixture(scope="module")
def motion() -> Motion:
    # However far apart a motion's rows are, the walk of 4 m fits in.
    return walker(max(1.1, 16.0 / (ROWS * row_s())))


@pytest.fixture(scope="module")
def time_s(motion: Motion) -> np.ndarray:
    return np.arange(motion.start_s, motion.end_s, 0.01)


def test_a_planted_foot_stays_where_it_is(motion: Motion, time_s: np.ndarray) -> None:
    feet, _ = footsteps(motion, time_s)
    moved_m = np.linalg.norm(np.diff(feet[:, :, :2], axis=0), axis=2)
    planted = (feet[:-1, :, 2] < 1e-9) & (feet[1:, :, 2] < 1e-9)
    assert planted.mean() > 0.3
    assert moved_m[planted].max() < 0.002
    assert moved_m.sum(axis=0) == pytest.approx(4.0, abs=0.5)


def test_feet_end_beside_each_other_and_point_where_the_person_looks(motion: Motion, time_s: np.ndarray) -> None:
    feet, yaw = footsteps(motion, time_s)
    np.testing.assert_allclose(feet[-1, :, :2].mean(axis=0), [5.0, 2.0], atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(feet[-1, 0] - feet[-1, 1]), 0.1 * HEIGHT_M, atol=0.05)
    np.testing.assert_allclose(yaw[-1], np.pi / 2, atol=0.2)


def test_bones_keep_their_length_and_nothing_is_under_the_floor(motion: Motion, time_s: np.ndarray) -> None:
    points = dict(zip(COCO17, np.moveaxis(body(motion, time_s).keypoints_m, 1, 0), strict=True))
    for side in "lr":
        thigh = np.linalg.norm(points[f"{side}_knee"] - points[f"{side}_hip"], axis=1)
        shin = np.linalg.norm(points[f"{side}_ankle"] - points[f"{side}_knee"], axis=1)
        np.testing.assert_allclose(thigh, THIGH * HEIGHT_M, rtol=0.01)
        np.testing.assert_allclose(shin, SHIN * HEIGHT_M, rtol=0.01)
        assert points[f"{side}_ankle"][:, 2].min() >= ANKLE * HEIGHT_M - 1e-9
    assert (points["nose"][:, 2] > 0.85 * HEIGHT_M).all()


def test_the_upper_body_is_that_of_the_motion(motion: Motion, time_s: np.ndarray) -> None:
    whole, joints = body(motion, time_s[::50]), motion.joints_m(time_s[::50])
    for name in ("l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist"):
        np.testing.assert_allclose(whole.keypoints_m[:, COCO17.index(name)], joints[:, JOINTS.index(name)])
    wrists = whole.keypoints_m[:, 9:11]
    np.testing.assert_allclose(np.linalg.norm(whole.hands_m - wrists, axis=2), 0.048 * HEIGHT_M)


def test_left_is_left(motion: Motion) -> None:
    whole = body(motion, np.array([motion.start_s]))  # looks along x, so that the left is +y
    points = dict(zip(COCO17, whole.keypoints_m[0], strict=True))
    for name in ("eye", "ear", "shoulder", "hip", "knee", "ankle"):
        assert points[f"l_{name}"][1] > points[f"r_{name}"][1]


def test_a_bent_joint_is_as_far_as_its_bones_are_long() -> None:
    root, tip = np.zeros(3), np.array([0.0, 0.0, -0.6])
    joint = bent(root, tip, 0.4, 0.3, np.array([1.0, 0.0, 0.0]))
    np.testing.assert_allclose([np.linalg.norm(joint), np.linalg.norm(joint - tip)], [0.4, 0.3])
    assert joint[0] > 0
