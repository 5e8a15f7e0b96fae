"""Shoppers: how they stand, bend and reach, and the limbs that they do it with."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS
from gocv.sim.figure import bend_towards
from gocv.sim.gait import ROW_S, walked
from gocv.sim.shoppers import Motion, Reach, Route

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_ELBOWS = [JOINTS.index("l_elbow"), JOINTS.index("r_elbow")]
_SHOULDERS = [JOINTS.index("l_shoulder"), JOINTS.index("r_shoulder")]
_NORTH = np.array([0.0, 1.0])


def _reach(height_m: float, target_m, time_s: float = 3.0, hand: int = 1, until_s: float | None = None) -> Reach:
    target = np.asarray(target_m, dtype=float)
    bend = bend_towards(height_m, np.array([1.0, 1.0]), _NORTH, target, hand)
    return Reach(time_s, hand, target, time_s - 0.3, until_s or time_s, 0.75, 0.7, bend)


def _standing(height_m: float, reaches, seconds: int = 6) -> Motion:
    route = Route(0, np.array([1.0, 1.0]), _NORTH)
    route.stand(round(seconds / ROW_S), _NORTH)
    return route.finish("someone", height_m, reaches)


def _walking(speed_m_s: float = 1.2, height_m: float = 1.72) -> Motion:
    route = Route(10, np.array([1.0, 1.0]), _NORTH)
    route.stand(30, _NORTH)
    route.walk(walked(np.stack([np.linspace(1.0, 7.0, 80), np.ones(80)], axis=1), speed_m_s))
    route.stand(route.row + 30, _NORTH)
    return route.finish("walker", height_m, [])


@pytest.mark.parametrize("height_m", [1.1, 1.4, 1.6, 1.72, 1.95])
@pytest.mark.parametrize("target_m", [(1.1, 1.35, 0.1), (0.7, 1.5, 0.4), (1.3, 1.55, 1.0), (1.0, 1.4, 2.2)])
@pytest.mark.parametrize("hand", [0, 1])
def test_arms_keep_their_length_whatever_they_reach_for(height_m, target_m, hand) -> None:
    motion = _standing(height_m, [_reach(height_m, target_m, hand=hand)])
    joints = motion.joints_m(np.arange(0.0, 6.0, 0.02)) * (1.72 / height_m)
    upper = np.linalg.norm(joints[:, _ELBOWS] - joints[:, _SHOULDERS], axis=2)
    fore = np.linalg.norm(joints[:, _WRISTS] - joints[:, _ELBOWS], axis=2)
    np.testing.assert_allclose(upper, 0.30, rtol=0.03)
    np.testing.assert_allclose(fore, 0.27, rtol=0.03)
    np.testing.assert_allclose(np.linalg.norm(joints[:, 2] - joints[:, 3], axis=1), 0.378, rtol=0.03)
    assert (joints[:, :, 2] > 0.0).all()


@pytest.mark.parametrize(
    ("height_m", "target_m"),
    [
        (1.72, (1.0, 1.6, 1.2)),
        (1.72, (0.6, 1.55, 0.20)),
        (1.72, (1.3, 1.6, 0.45)),
        (1.72, (1.1, 1.55, 1.85)),
        (1.95, (1.1, 1.35, 0.10)),
        (1.60, (1.4, 1.55, 0.40)),
        (1.20, (1.1, 1.45, 0.90)),
        (1.10, (0.9, 1.42, 0.50)),
    ],
)
def test_the_wrist_gets_to_what_is_within_reach_of_a_bent_body(height_m, target_m) -> None:
    reach = _reach(height_m, target_m, until_s=3.4)
    assert reach.bend.miss_m < 0.01
    time = np.array([2.7, 3.0, 3.4])
    wrist = _standing(height_m, [reach]).joints_m(time)[:, _WRISTS[1]]
    np.testing.assert_allclose(wrist, np.tile(target_m, (3, 1)), atol=0.02)


def test_what_is_out_of_reach_is_missed_by_what_is_said() -> None:
    reach = _reach(1.1, (1.0, 1.5, 2.0))
    wrist = _standing(1.1, [reach]).joints_m(np.array([3.0]))[0, _WRISTS[1]]
    assert reach.bend.miss_m > 0.2
    assert np.linalg.norm(wrist - reach.target_m) == pytest.approx(reach.bend.miss_m, abs=0.03)


def test_low_shelves_are_bent_to_and_high_ones_stretched_to() -> None:
    low, middle, high = (bend_towards(1.72, np.zeros(2), _NORTH, np.array([0.1, 0.55, z]), 1) for z in (0.2, 1.2, 1.9))
    assert low.drop_m > 0.2
    assert np.hypot(*low.tilt_rad) > 0.5
    assert np.hypot(*middle.tilt_rad) < 0.3
    assert abs(middle.drop_m) < 0.1
    assert high.drop_m < 0.0


def test_a_reach_moves_one_hand_and_returns_it() -> None:
    motion = _standing(1.75, [_reach(1.75, (0.8, 1.6, 1.2), hand=0)])
    still = _standing(1.75, [])
    time = np.array([1.0, 3.0, 5.0])
    joints, without = motion.joints_m(time), still.joints_m(time)
    np.testing.assert_allclose(joints[[0, 2]], without[[0, 2]], atol=1e-9)
    assert np.linalg.norm(joints[1, _WRISTS[0]] - without[1, _WRISTS[0]]) > 0.3
    assert np.linalg.norm(joints[1, _WRISTS[1]] - without[1, _WRISTS[1]]) < 0.25


def test_two_hands_in_quick_turn_both_get_there() -> None:
    one, other = _reach(1.72, (0.9, 1.55, 0.5), 3.0, hand=1), _reach(1.72, (0.8, 1.55, 0.5), 3.6, hand=0)
    joints = _standing(1.72, [one, other]).joints_m(np.array([3.0, 3.6]))
    np.testing.assert_allclose(joints[0, _WRISTS[1]], one.target_m, atol=0.02)
    np.testing.assert_allclose(joints[1, _WRISTS[0]], other.target_m, atol=0.02)


def test_hands_move_no_faster_than_hands_do() -> None:
    motion = _standing(1.72, [_reach(1.72, (0.7, 1.55, 0.3)), _reach(1.72, (1.2, 1.55, 1.7), 4.8)])
    joints = motion.joints_m(np.arange(0.0, 6.0, 0.02))
    assert (np.linalg.norm(np.diff(joints, axis=0), axis=2) / 0.02).max() < 4.5


def test_who_stands_is_not_frozen_and_does_not_wander() -> None:
    motion = _standing(1.72, [], seconds=60)
    joints = motion.joints_m(np.arange(5.0, 55.0, 0.1))
    moved = joints.std(axis=0)
    assert moved[0, :2].max() > 0.004
    assert moved[2:4, :2].max() > 0.002
    assert moved.max() < 0.05


def test_no_two_sway_in_step() -> None:
    route = Route(0, np.array([1.0, 1.0]), _NORTH)
    route.stand(600, _NORTH)
    time = np.arange(0.0, 60.0, 0.1)
    one, other = (route.finish(name, 1.72, []).joints_m(time)[:, 0, 0] for name in ("one", "other"))
    assert np.corrcoef(one, other)[0, 1] < 0.9


def test_walking_is_smooth_in_between_its_rows_and_swings_the_arms() -> None:
    motion = _walking()
    time = np.arange(motion.start_s, motion.end_s, 1 / 60)
    joints = motion.joints_m(time)
    velocity = np.diff(joints, axis=0) * 60
    assert np.linalg.norm(velocity[:, :4], axis=2).max() < 1.7
    assert np.linalg.norm(np.diff(velocity[:, :2], axis=0), axis=2).max() * 60 < 8.0
    middle = slice(len(time) // 2 - 60, len(time) // 2 + 60)
    apart = joints[middle][:, _WRISTS, 0] - joints[middle][:, _SHOULDERS, 0]
    assert np.ptp(apart, axis=0).min() > 0.15
    assert np.corrcoef(apart.T)[0, 1] < -0.9


def test_who_walks_looks_ahead_and_turns_smoothly() -> None:
    motion = _walking()
    east = motion.at(np.array([(motion.start_s + motion.end_s) / 2]), motion.outlook)[0]
    np.testing.assert_allclose(east, [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(motion.outlook[-1], _NORTH, atol=1e-6)
    angle = np.unwrap(np.arctan2(*motion.outlook.T[::-1]))
    assert np.abs(np.diff(angle)).max() < 0.4


def test_a_motion_goes_through_its_rows_and_rests_at_its_ends() -> None:
    motion = _walking()
    rows = motion.start_s + np.arange(len(motion.xy_m)) * ROW_S
    np.testing.assert_allclose(motion.at(rows, motion.xy_m), motion.xy_m, atol=1e-9)
    ends = motion.at(np.array([motion.start_s - 5.0, motion.end_s + 5.0]), motion.xy_m)
    np.testing.assert_allclose(ends, motion.xy_m[[0, -1]])
    assert motion.start_s == pytest.approx(1.0)
    assert motion.at(np.empty(0), motion.xy_m).shape == (0, 2)
    assert motion.joints_m(np.empty(0)).shape == (0, len(JOINTS), 3)


def test_joints_do_not_depend_on_which_times_are_asked_for_together() -> None:
    motion = _standing(1.72, [_reach(1.72, (0.7, 1.5, 0.5), 2.0), _reach(1.72, (1.2, 1.5, 1.5), 3.0, hand=0)])
    time = np.arange(0.0, 6.0, 0.1)
    mixed = np.random.default_rng(0).permutation(len(time))
    np.testing.assert_allclose(motion.joints_m(time[mixed]), motion.joints_m(time)[mixed], atol=1e-9)
    one = np.concatenate([motion.joints_m(time[k : k + 1]) for k in range(len(time))])
    np.testing.assert_allclose(one, motion.joints_m(time), atol=1e-9)
