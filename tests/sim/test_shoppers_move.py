"""Shoppers: how they walk and reach, and what is seen of it."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS
from gocv.sim.layout import demo_layout
from gocv.sim.play import play
from gocv.sim.script import Script
from gocv.sim.shoppers import STEP_S, Reach, Route, leg_to, observe
from gocv.sim.stock import Stock


def _visit(seed: int, shoppers: int = 3):
    layout, rng = demo_layout(), np.random.default_rng(seed)
    return layout, *play(layout, Script(layout, Stock(layout, rng), rng).stops(shoppers), rng)


@pytest.fixture(scope="module", params=range(6))
def visit(request):
    return _visit(request.param)


def test_walking_is_smooth_and_at_the_pace_of_shoppers(visit) -> None:
    for motion in visit[1]:
        speed = np.linalg.norm(np.diff(motion.xy_m, axis=0), axis=1) / STEP_S
        assert speed.max() < 1.6
        brisk = speed[speed > 0.9 * speed.max()]
        assert 0.95 < np.median(brisk) < 1.45
        assert np.abs(np.diff(speed)).max() < 0.2


def test_nobody_walks_through_gondolas_walls_or_each_other(visit) -> None:
    layout, motions, _ = visit
    for i, motion in enumerate(motions):
        assert layout.is_free(motion.xy_m).all()
        time = motion.start_s + np.arange(len(motion.xy_m)) * STEP_S
        for other in motions[:i]:
            both = (time >= other.start_s) & (time <= other.end_s)
            assert np.linalg.norm(motion.xy_m - other.at(time, other.xy_m), axis=1)[both].min() > 0.25


def test_two_shoppers_stand_side_by_side_at_one_gondola_at_the_same_time(visit) -> None:
    _, _, actions = visit
    early = [a for a in actions if 14.0 < a.time_s < 22.0]
    pairs = [
        (a, b)
        for a in early
        for b in early
        if a.shopper < b.shopper and a.wish.shelf.gondola == b.wish.shelf.gondola and abs(a.time_s - b.time_s) < 3.0
    ]
    assert pairs


def test_the_hand_is_at_the_place_at_the_time_of_the_event(visit) -> None:
    layout, motions, actions = visit
    by_name = {motion.name: motion for motion in motions}
    wrists = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
    for action in actions:
        gondola = layout.gondolas[action.wish.shelf.gondola]
        place = gondola.point(action.wish.along_m, 0.2, gondola.heights_m[action.wish.shelf.shelf - 1])
        joints = by_name[action.shopper].joints_m(np.array([action.time_s]))[0]
        assert np.linalg.norm(joints[wrists] - place, axis=1).min() < 0.2


def test_arms_keep_their_length(visit) -> None:
    shoulder, elbow, wrist = (
        [JOINTS.index(f"{side}_{part}") for side in "lr"] for part in ("shoulder", "elbow", "wrist")
    )
    for motion in visit[1]:
        joints = motion.joints_m(np.arange(motion.start_s, motion.end_s, 0.1))
        upper = np.linalg.norm(joints[:, elbow] - joints[:, shoulder], axis=2)
        assert upper.max() < 0.36
        assert np.linalg.norm(joints[:, wrist] - joints[:, elbow], axis=2).max() < 0.40
        assert (joints[:, :, 2] > 0.0).all()
        assert (joints[:, 0, 2] < 2.0).all()


def test_joints_are_seen_ten_times_a_second_with_noise_and_dropouts(visit) -> None:
    motions = visit[1]
    seen = observe(motions, np.random.default_rng(0))
    assert (np.diff(seen.time_s) >= 0).all()
    for i, motion in enumerate(motions):
        rows = seen[seen.shopper == i]
        np.testing.assert_allclose(np.diff(rows.time_s), 0.1, atol=1e-9)
        error = rows.joints_m - motion.joints_m(rows.time_s)
        assert 0.01 < np.nanstd(error) < 0.02
        lost = np.isnan(rows.joints_m).any(axis=2)
        assert 0.005 < lost.mean() < 0.08
        np.testing.assert_array_equal(rows.joint_score == 0, lost)
        assert np.linalg.norm(rows.xy_m - motion.at(rows.time_s, motion.xy_m), axis=1).max() < 0.1


@pytest.mark.parametrize("length_m", [0.0, 0.1, 0.5, 3.0])
def test_a_leg_of_any_length_ends_where_it_should(length_m) -> None:
    start, end = np.array([1.0, 1.0]), np.array([1.0 + length_m, 1.0])
    leg = leg_to(start, end, np.array([[0.0, 1.0], [0.0, 1.0]]), 1.2)
    np.testing.assert_allclose(leg[-1], end, atol=1e-6)
    steps = np.linalg.norm(np.diff(np.concatenate([start[None], leg]), axis=0), axis=1)
    assert steps.max() / STEP_S < 1.6


def test_a_reach_moves_one_hand_and_returns_it() -> None:
    route = Route(0.0, np.array([1.0, 1.0]), np.array([0.0, 1.0]))
    route.stand(6.0, np.array([0.0, 1.0]))
    target = np.array([0.8, 1.7, 1.2])
    motion = route.finish("someone", 1.75, [Reach(3.0, 0.8, target)])
    joints = motion.joints_m(np.array([1.0, 3.0, 5.0]))
    left, right = JOINTS.index("l_wrist"), JOINTS.index("r_wrist")
    np.testing.assert_allclose(joints[1, left], target, atol=1e-9)
    assert np.linalg.norm(joints[1, right] - joints[0, right]) < 0.01
    np.testing.assert_allclose(joints[0], joints[2])
