"""Programmes acted out on a stage: where, when, by which hand, and out of whose way."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from gocv.core import JOINTS, ShelfId
from gocv.sim.acts import Act, Manner, Programme, Stop
from gocv.sim.gait import ROW_S
from gocv.sim.layout import Gondola, StoreLayout
from gocv.sim.play import Stage
from gocv.sim.shoppers import STEP_S, Motion
from gocv.sim.stores.demo import demo_layout

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_HEIGHTS = (0.3, 0.7, 1.1, 1.5)


def _two_aisles() -> StoreLayout:
    """A room of 12 m by 10 m with two double-sided rows of twelve gondolas each."""
    gondolas = []
    for y in (2.5, 5.7):
        for k in range(6):
            x = 2.5 + k * 1.2
            gondolas.append(Gondola(len(gondolas) + 1, (x, y), 0.0, 12, _HEIGHTS))
            gondolas.append(Gondola(len(gondolas) + 1, (x + 1.2, y + 0.8), np.pi, 12, _HEIGHTS))
    return StoreLayout.build(gondolas, [], zones=[], size_m=(12.0, 10.0), door_m=(0.15, 5.0))


def _hall() -> StoreLayout:
    """A shop of 100 square metres."""
    gondolas = [
        Gondola(1, (1.5, 9.5), 0.0, 30, _HEIGHTS),
        Gondola(2, (5.5, 9.5), 0.0, 30, _HEIGHTS),
        Gondola(3, (4.5, 0.5), np.pi, 30, _HEIGHTS),
        Gondola(4, (8.5, 0.5), np.pi, 30, _HEIGHTS),
        Gondola(5, (3.0, 5.0), 0.0, 40, _HEIGHTS),
        Gondola(6, (7.0, 5.8), np.pi, 40, _HEIGHTS),
        Gondola(7, (9.5, 8.0), -np.pi / 2, 40, _HEIGHTS),
    ]
    return StoreLayout.build(gondolas, [], zones=[], size_m=(10.0, 10.0), door_m=(0.15, 5.0))


_LAYOUTS = {"demo": demo_layout, "two aisles": _two_aisles, "hall": _hall}


def _take(gondola: int, shelf: int, along_m: float, pause_s: float = 2.0, **more) -> Act:
    return Act("take", "product", 1, ShelfId(gondola, shelf), along_m, pause_s, **more)


def _programme(layout: StoreLayout, rng: np.random.Generator, name: str, entry_s: float, stops: int = 4) -> Programme:
    plan = []
    for number in rng.choice(list(layout.gondolas), stops):
        gondola = layout.gondolas[int(number)]
        along = float(rng.uniform(0.2, gondola.length_m - 0.2))
        acts = tuple(
            _take(
                int(number), int(rng.integers(4)) + 1, along + float(rng.uniform(-0.2, 0.2)), float(rng.uniform(1, 3))
            )
            for _ in range(int(rng.integers(1, 3)))
        )
        plan.append(Stop(int(number), along, acts, linger_s=float(rng.uniform(0.0, 2.0))))
    return Programme(name, entry_s, tuple(plan), float(rng.uniform(1.5, 1.9)), float(rng.uniform(1.0, 1.3)))


def _crowd(layout: StoreLayout, count: int, apart_s: float, seed: int = 0) -> list[Motion]:
    rng, stage = np.random.default_rng(seed), Stage(layout, seed)
    return [stage.perform(_programme(layout, rng, f"shopper-{k}", 1.0 + k * apart_s))[0] for k in range(count)]


def _distances(one: Motion, other: Motion) -> np.ndarray:
    """(n,) between two, a row each 0.05 s while both are inside."""
    time = np.arange(max(one.start_s, other.start_s), min(one.end_s, other.end_s), 0.05)
    return np.linalg.norm(one.at(time, one.xy_m) - other.at(time, other.xy_m), axis=1)


def _place(motion: Motion, time_s: float) -> np.ndarray:
    return motion.at(np.array([time_s]), motion.xy_m)[0]


def _wrist(motion: Motion, time_s: float, hand: int) -> np.ndarray:
    return motion.joints_m(np.array([time_s]))[0, _WRISTS[hand]]


@pytest.mark.parametrize("layout", _LAYOUTS.values(), ids=_LAYOUTS.keys())
@pytest.mark.parametrize("seed", range(3))
def test_nobody_walks_through_gondolas_walls_or_each_other(layout, seed) -> None:
    store = layout()
    motions = _crowd(store, 4, 5.0, seed)
    for k, motion in enumerate(motions):
        fine = motion.at(np.arange(motion.start_s, motion.end_s, 0.02), motion.xy_m)
        assert store.is_free(fine).all()
        for other in motions[:k]:
            assert _distances(motion, other).min(initial=np.inf) >= 0.45


@pytest.mark.parametrize("layout", [_two_aisles, _hall], ids=["two aisles", "hall"])
def test_a_crowd_gets_through_and_mostly_keeps_its_distance(layout) -> None:
    store = layout()
    motions = _crowd(store, 25, 1.0)
    assert sum(m.start_s < 60.0 < m.end_s for m in motions) > 12
    nearest = np.array([_distances(a, b).min(initial=np.inf) for k, a in enumerate(motions) for b in motions[:k]])
    assert (nearest >= 0.45).mean() > 0.9
    assert (nearest >= 0.3).mean() > 0.96
    for motion in motions:
        assert store.is_free(motion.xy_m).all()
        assert motion.end_s - motion.start_s < 240.0


def test_every_act_is_done_once_in_order_and_on_a_step() -> None:
    layout = demo_layout()
    stage, rng = Stage(layout, 3), np.random.default_rng(3)
    for k in range(4):
        programme = _programme(layout, rng, f"shopper-{k}", 5.0 * k)
        motion, deeds = stage.perform(programme)
        assert motion.name == programme.name
        assert motion.height_m == programme.height_m
        assert motion.start_s >= programme.entry_s
        assert [d.act for d in deeds] == [act for stop in programme.stops for act in stop.acts]
        times = np.array([d.time_s for d in deeds])
        assert (np.diff(times) > 0).all()
        np.testing.assert_allclose(times / STEP_S, np.round(times / STEP_S), atol=1e-6)
        for deed in deeds:
            gondola = layout.gondolas[deed.act.shelf.gondola]
            target = gondola.point(deed.act.along_m, 0.10, gondola.heights_m[deed.act.shelf.shelf - 1] + 0.10)
            assert np.linalg.norm(_wrist(motion, deed.time_s, deed.hand) - target) < 0.08


def test_acts_follow_each_other_by_their_pauses_from_the_meeting_time() -> None:
    acts = (_take(2, 2, 0.5, 1.7), _take(2, 3, 0.4, 2.31), _take(2, 2, 0.55, 0.9))
    stops = (Stop(2, 0.5, acts, not_before_s=20.0), Stop(4, 0.4, (_take(4, 1, 0.4, 1.5),), not_before_s=40.13))
    motion, deeds = Stage(demo_layout(), 0).perform(Programme("one", 2.0, stops))
    np.testing.assert_allclose([d.time_s for d in deeds], [21.7, 24.01, 24.91, 41.63], atol=STEP_S)
    assert motion.end_s > 41.63


def test_without_a_meeting_time_the_pause_begins_on_arrival() -> None:
    motion, deeds = Stage(demo_layout(), 0).perform(Programme("one", 2.0, (Stop(3, 0.4, (_take(3, 2, 0.4, 3.0),)),)))
    step = np.linalg.norm(np.diff(motion.xy_m, axis=0), axis=1)
    until = round((deeds[0].time_s - motion.start_s) / ROW_S)
    arrived_s = motion.start_s + (np.flatnonzero(step[:until] > 1e-9)[-1] + 1) * ROW_S
    assert deeds[0].time_s - arrived_s == pytest.approx(3.0, abs=0.11)


def test_who_would_be_late_leaves_at_once_and_hurries() -> None:
    layout = _hall()
    first = Stop(1, 1.0, (_take(1, 2, 1.0),), not_before_s=20.0, linger_s=30.0)

    def second(not_before_s: float) -> tuple[Motion, float]:
        stops = (first, Stop(7, 3.0, (_take(7, 2, 3.0, 2.0),), not_before_s=not_before_s))
        motion, deeds = Stage(layout, 0).perform(Programme("one", 1.0, stops, speed_m_s=1.1))
        return motion, deeds[1].time_s

    speeds = []
    for not_before_s in (60.0, 35.0, 29.0, 24.0):
        motion, time_s = second(not_before_s)
        between = slice(*(round((t - motion.start_s) / ROW_S) for t in (22.0, time_s)))
        speeds.append((np.linalg.norm(np.diff(motion.xy_m[between], axis=0), axis=1) / ROW_S).max())
        if not_before_s > 24.0:
            assert time_s == pytest.approx(not_before_s + 2.0, abs=STEP_S)
        else:  # that far cannot be walked in two seconds
            assert not_before_s + 3.0 < time_s < not_before_s + 12.0
    assert speeds[0] == pytest.approx(1.1, abs=0.05)
    assert speeds[1] == pytest.approx(1.1, abs=0.05)
    assert 1.15 < speeds[2] <= 2.2 + 1e-6
    assert 2.0 < speeds[3] <= 2.2 + 1e-6


def test_two_at_one_place_shift_aside_unless_they_are_to_be_close() -> None:
    layout = _hall()

    def apart_m(close: bool) -> tuple[float, list[float]]:
        stage, motions, times = Stage(layout, 0), [], []
        for k in range(2):
            stop = Stop(5, 2.0, (_take(5, 2, 2.0, 2.0),), not_before_s=20.0, linger_s=2.0, close=close)
            motion, deeds = stage.perform(Programme(f"shopper-{k}", 1.0 + 3 * k, (stop,)))
            motions.append(motion)
            times += [deed.time_s for deed in deeds]
        return float(np.linalg.norm(_place(motions[0], 22.0) - _place(motions[1], 22.0))), times

    assert apart_m(close=False)[0] >= 0.45
    distance_m, times = apart_m(close=True)
    assert distance_m < 0.01
    np.testing.assert_allclose(times, 22.0, atol=STEP_S)


def test_two_very_close_reach_across_each_other_at_the_same_time() -> None:
    layout, stage = _hall(), Stage(_hall(), 0)
    done = []
    for k, (along, place) in enumerate([(1.8, 2.2), (2.1, 1.7)]):
        stop = Stop(5, along, (_take(5, 3, place, 2.0),), not_before_s=20.0, close=True)
        done.append(stage.perform(Programme(f"shopper-{k}", 1.0 + k, (stop,))))
    for (motion, (deed,)), along in zip(done, (1.8, 2.1), strict=True):
        assert deed.time_s == pytest.approx(22.0, abs=STEP_S)
        np.testing.assert_allclose(_place(motion, 22.0), layout.gondolas[5].point(along, -0.5, 0.0)[:2], atol=1e-6)


def test_a_child_keeps_beside_its_parent() -> None:
    layout, rng = _hall(), np.random.default_rng(5)
    stage = Stage(layout, 5)
    parent, _ = stage.perform(_programme(layout, rng, "parent", 1.0, stops=5))
    own = Stop(layout_stop(parent, layout), 1.0, (_take(layout_stop(parent, layout), 1, 1.0),))
    child, deeds = stage.perform(Programme("child", 1.5, (own,), height_m=1.2, company="parent"))
    distance = _distances(parent, child)
    assert np.median(distance) < 0.7
    assert np.quantile(distance, 0.9) < 1.6
    assert distance.min() >= 0.28
    assert layout.is_free(child.xy_m).all()
    assert len(deeds) == 1
    assert abs(child.end_s - parent.end_s) < 8.0


def layout_stop(motion: Motion, layout: StoreLayout) -> int:
    """The gondola of the first reach of a motion."""
    target = motion.reaches[0].target_m[:2]
    return next(g.number for g in layout.gondolas.values() if g.covers(target[None], 0.0)[0])


def test_company_of_somebody_who_is_not_inside_shops_alone() -> None:
    stops = (Stop(2, 0.5, (_take(2, 2, 0.5),)),)
    with_none, _ = Stage(demo_layout(), 0).perform(Programme("one", 1.0, stops, company="nobody"))
    alone, _ = Stage(demo_layout(), 0).perform(Programme("one", 1.0, stops))
    np.testing.assert_array_equal(with_none.xy_m, alone.xy_m)


@pytest.mark.parametrize("heights_m", [(1.75, 1.62), (1.6, 1.25)])
@pytest.mark.parametrize("first", ["give", "receive"])
def test_hands_meet_in_a_hand_over(heights_m, first) -> None:
    layout, stage = _hall(), Stage(_hall(), 1)
    second = "receive" if first == "give" else "give"
    done = []
    for k, (kind, along) in enumerate([(first, 1.7), (second, 2.4)]):
        act = Act(kind, "product", 1, None, 2.05, 3.0 - k, partner=f"shopper-{1 - k}")
        stop = Stop(5, along, (act,), not_before_s=20.0 + k, close=True)
        done.append(stage.perform(Programme(f"shopper-{k}", 1.0 + 2 * k, (stop,), heights_m[k])))
    (one, (give,)), (other, (receive,)) = done
    assert give.time_s == receive.time_s == pytest.approx(23.0, abs=STEP_S)
    hands = _wrist(one, 23.0, give.hand), _wrist(other, 23.0, receive.hand)
    assert np.linalg.norm(hands[0] - hands[1]) < 0.05
    facing = [m.at(np.array([23.0]), m.outlook)[0] for m in (one, other)]
    assert facing[0] @ facing[1] < -0.7
    assert (facing[0] @ (_place(other, 23.0) - _place(one, 23.0))) > 0.5
    assert 0.9 < hands[0][2] < 1.3
    assert layout.is_free(np.stack([_place(m, 23.0) for m in (one, other)])).all()


def test_what_is_dropped_and_picked_up_is_bent_down_for() -> None:
    drop, pick = (Act(kind, "product", 1, None, 2.0, 2.5) for kind in ("drop", "pick_up"))
    layout = _hall()
    stops = (Stop(5, 2.0, (drop,)), Stop(5, 2.0, (pick,), not_before_s=40.0))
    motion, deeds = Stage(layout, 0).perform(Programme("one", 1.0, stops))
    for deed in deeds:
        joints = motion.joints_m(np.array([deed.time_s, deed.time_s - 2.0]))
        wrist = joints[0, _WRISTS[deed.hand]]
        assert wrist[2] == pytest.approx(0.1, abs=0.03)
        ahead = (wrist[:2] - _place(motion, deed.time_s)) @ layout.gondolas[5].outlook
        assert ahead == pytest.approx(0.35, abs=0.03)
        assert (joints[1, :4, 2] - joints[0, :4, 2]).min() > 0.3
        assert (joints[0, 0, :2] - joints[1, 0, :2]) @ layout.gondolas[5].outlook > 0.1


def test_a_look_brings_the_hand_that_has_the_unit_before_the_face() -> None:
    acts = (_take(5, 3, 2.25), Act("look", "product", 1, None, 2.0, 1.8), _take(5, 3, 1.75))
    motion, deeds = Stage(_hall(), 0).perform(Programme("one", 1.0, (Stop(5, 2.0, acts),)))
    assert [deed.hand for deed in deeds] == [1, 1, 0]
    joints = motion.joints_m(np.array([deeds[1].time_s - 0.4, deeds[1].time_s + 0.4]))
    assert np.linalg.norm(joints[:, _WRISTS[1]] - joints[:, 0], axis=1).max() < 0.4
    assert joints[:, _WRISTS[1], 2].min() > 1.3


@pytest.mark.parametrize(
    ("kind", "manner", "span_s"),
    [
        ("take", Manner(duration_s=0.6, hold_s=2.0), (-2.3, 0.0)),
        ("take", Manner(duration_s=0.4, step_pause_s=0.8, first_share=0.5), (-1.0, 0.8)),
        ("put", Manner(duration_s=0.6, hold_s=2.0), (0.0, 2.3)),
        ("touch", Manner(hold_s=1.0), (-0.5, 0.5)),
    ],
)
def test_the_hand_rests_at_the_shelf_as_long_as_its_manner_says(kind, manner, span_s) -> None:
    act = dataclasses.replace(_take(5, 3, 2.1, 5.0), kind=kind, manner=manner)
    motion, (deed,) = Stage(_hall(), 0).perform(Programme("one", 1.0, (Stop(5, 2.0, (act,)),)))
    inside = deed.time_s + np.linspace(*span_s, 20)
    wrists = motion.joints_m(inside)[:, _WRISTS[deed.hand]]
    assert np.ptp(wrists, axis=0).max() < 0.03
    away = motion.joints_m(deed.time_s + np.array([span_s[0] - 1.2, span_s[1] + 1.2]))[:, _WRISTS[deed.hand]]
    assert np.linalg.norm(away - wrists[0], axis=1).min() > 0.2


def test_a_fast_series_takes_turns_with_both_hands() -> None:
    acts = tuple(_take(5, 3, 2.0, 2.0 if k == 0 else 0.5) for k in range(5))
    motion, deeds = Stage(_hall(), 0).perform(Programme("one", 1.0, (Stop(5, 2.0, acts),)))
    assert all(a.hand != b.hand for a, b in pairwise(deeds))
    target = motion.reaches[0].target_m
    for deed in deeds:
        assert np.linalg.norm(_wrist(motion, deed.time_s, deed.hand) - target) < 0.03
    for hand in (0, 1):
        own = [reach for reach in motion.reaches if reach.hand == hand]
        assert all(a.until_s + a.back_s <= b.from_s + 1e-9 for a, b in pairwise(own))


def test_two_puts_at_once_use_both_hands() -> None:
    acts = [dataclasses.replace(_take(5, 3, 2.0 + 0.1 * k, 2.0 - 1.9 * k), kind="put") for k in range(2)]
    _, deeds = Stage(_hall(), 0).perform(Programme("one", 1.0, (Stop(5, 2.0, tuple(acts)),)))
    assert {deed.hand for deed in deeds} == {0, 1}


def test_the_same_seed_acts_the_same_and_another_one_otherwise() -> None:
    layout = demo_layout()
    same, again, other = (_crowd(layout, 4, 4.0, seed) for seed in (7, 7, 8))
    for one, two in zip(same, again, strict=True):
        np.testing.assert_array_equal(one.xy_m, two.xy_m)
        assert [r.time_s for r in one.reaches] == [r.time_s for r in two.reaches]
    assert any(len(a.xy_m) != len(b.xy_m) for a, b in zip(same, other, strict=True))


def test_a_stage_forgets_who_has_left() -> None:
    layout, rng = demo_layout(), np.random.default_rng(0)
    stage, motions = Stage(layout, 0), []
    for k in range(30):
        entry_s = 1.0 + 20.0 * k
        motions.append(stage.perform(_programme(layout, rng, f"shopper-{k}", entry_s, stops=2))[0])
        inside = {m.name for m in motions if m.end_s >= entry_s}
        assert set(stage.inside) == inside
    assert len(stage.inside) < 8


def test_who_wants_nothing_still_comes_and_goes() -> None:
    motion, deeds = Stage(demo_layout(), 0).perform(Programme("one", 0.0, ()))
    assert deeds == []
    assert motion.end_s > motion.start_s
