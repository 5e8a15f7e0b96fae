from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Store
from gocv.fusion.gestures import Gesture, GestureSettings, candidates, gestures

PLATES = [PlateId(1, 1, n) for n in range(1, 21)]
STORE = Store(
    {},
    {p: Plate(p, np.array([0.1 * p.plate, 2.2, 0.4]), np.eye(3), np.array([0.1, 0.4])) for p in PLATES},
    {},
)
"""A gondola whose front is at y = 2, from x = 0.05 to 2.05."""
J = {name: k for k, name in enumerate(JOINTS)}
TIME_S = np.round(np.arange(0.0, 12.0, 0.1), 3)


def person(name, x, *reaches, y=1.4, walks=0.0, height=1.7):
    """Somebody who faces the shelf from (x, y), and walks along it; reaches are (hand, place, from, until)."""
    xy = np.stack([x + walks * TIME_S, np.full(len(TIME_S), y)], axis=1)
    joints = np.full((len(TIME_S), len(JOINTS), 3), np.nan)
    for side, sign in (("l", -1), ("r", 1)):
        shoulder = np.column_stack([xy[:, 0] + 0.19 * sign, xy[:, 1], np.full(len(xy), 0.81 * height)])
        wrist = shoulder + np.array([0.0, 0.1, -0.29 * height])
        for hand, place, from_s, until_s in reaches:
            if hand == side:
                share = 1 - np.clip(np.maximum(from_s - TIME_S, TIME_S - until_s) / 0.6, 0, 1)[:, None]
                wrist = wrist + share * (np.array(place) - wrist)
        joints[:, J[f"{side}_shoulder"]], joints[:, J[f"{side}_wrist"]] = shoulder, wrist
    return name, xy, joints


def seen(*people, shuffle=False):
    names = tuple(name for name, _, _ in people)
    n = len(TIME_S)
    joints_m = np.concatenate([joints for _, _, joints in people])
    table = FloorTracks.sightings(
        names,
        np.tile(TIME_S, len(people)),
        np.repeat(np.arange(len(people)), n),
        xy_m=np.concatenate([xy for _, xy, _ in people]),
        joints_m=joints_m,
        joint_score=np.where(np.isnan(joints_m[..., 0]), 0.0, 0.9),
    )
    return table[np.random.default_rng(0).permutation(len(table))] if shuffle else table


MIDDLE = (0.85, 1.4, 1.15)
GIVES = person("b", 0.5, ("r", MIDDLE, 5.0, 5.3))
GETS = person("a", 1.2, ("l", MIDDLE, 5.0, 5.3))
DROPS = person("a", 1.0, ("r", (1.0, 1.85, 0.1), 5.0, 5.5))


class TestHandOver:
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_hands_that_meet_between_two_are_a_hand_over(self, shuffle):
        (found,) = gestures(seen(GIVES, GETS, shuffle=shuffle), STORE)
        assert (found.kind, found.shoppers) == ("hand_over", ("a", "b"))
        assert found.time_s == pytest.approx(5.15, abs=0.3)
        assert found.probability > 0.8

    @pytest.mark.parametrize(
        "people",
        [
            [person("a", 0.7, ("r", (1.0, 2.1, 0.6), 5.0, 5.5)), person("b", 1.02, ("l", (0.8, 2.1, 0.6), 5.0, 5.5))],
            [person("a", 0.7, ("r", (0.9, 2.1, 0.6), 5.0, 5.5)), person("b", 1.02, ("l", (0.9, 2.1, 0.6), 5.0, 5.5))],
            [person("a", 0.6), person("b", 1.05)],
            [person("a", 0.0, walks=0.6), person("b", 0.45, walks=0.6)],
            [person("a", -2.0, walks=0.6), person("b", 2.5, walks=-0.6, y=1.2)],
            [GIVES, person("c", 2.6)],
        ],
        ids=["crossing arms", "same goods", "side by side", "walking together", "passing", "nobody takes it"],
    )
    def test_what_is_none(self, people):
        found = [g for g in gestures(seen(*people), STORE) if g.kind == "hand_over"]
        assert all(g.probability < 0.3 for g in found)

    def test_an_encounter_is_one_and_the_next_is_another(self):
        twice = [(h, MIDDLE, s, s + 0.4) for h in "r" for s in (3.0, 8.0)]
        table = seen(person("a", 0.5, *twice), person("b", 1.2, *[("l", *r[1:]) for r in twice]))
        found = gestures(table, STORE)
        assert [round(g.time_s) for g in found] == [3, 8]
        assert len({g.id for g in found}) == 2

    def test_hands_lost_for_a_moment_still_meet(self):
        table = seen(GIVES, GETS)
        score = table.joint_score.copy()
        score[(table.time_s > 5.05) & (table.time_s < 5.35) & (table.shopper == 0)] = 0.0
        (found,) = gestures(dataclasses.replace(table, joint_score=score), STORE)
        assert found.probability > 0.5


class TestFloor:
    def test_a_hand_at_the_floor(self):
        (found,) = gestures(seen(DROPS), STORE)
        assert (found.kind, found.shoppers) == ("floor", ("a",))
        assert found.time_s == pytest.approx(5.2, abs=0.4)
        assert found.probability > 0.8

    @pytest.mark.parametrize(
        "reach",
        [(1.0, 2.1, 0.5), (1.0, 2.15, 0.3), (1.0, 1.3, 0.7)],
        ids=["lowest shelf", "a low shelf", "a hand that hangs"],
    )
    def test_what_is_none(self, reach):
        found = gestures(seen(person("a", 1.0, ("r", reach, 5.0, 5.5))), STORE)
        assert all(g.probability < 0.3 for g in found)


class TestTables:
    @pytest.mark.parametrize(
        "table",
        [
            FloorTracks.empty(shoppers=()),
            FloorTracks.empty(shoppers=("a",)),
            FloorTracks.sightings(("a", "b"), [1.0, 1.0], [0, 1]),
            FloorTracks.sightings(("a", "b"), [1.0, 1.0, 2.0], [0, 1, 1], xy_m=np.zeros((3, 2))),
        ],
        ids=["nobody", "no rows", "no places", "no joints"],
    )
    def test_nothing_is_seen_where_nothing_is_known(self, table):
        assert gestures(table, STORE) == []
        assert gestures(table, Store({}, {}, {})) == []

    def test_without_surveyed_shelves_everything_is_away_from_them(self):
        bare = Store({}, {p: Plate.unsurveyed(p) for p in PLATES}, {})
        (found,) = gestures(seen(GIVES, GETS), bare)
        assert found.kind == "hand_over"

    def test_no_candidate_is_certain_and_the_least_probable_are_left_out(self):
        table = seen(GIVES, GETS)
        sure = GestureSettings(hand_over=(99.0, 0.0, 0.0, 0.0, 0.0))
        assert [g.probability for g in gestures(table, STORE, sure)] == [sure.most_probability]
        never = GestureSettings(hand_over=(-99.0, 0.0, 0.0, 0.0, 0.0))
        assert gestures(table, STORE, never) == []

    def test_features_are_in_metres_and_in_the_order_told(self):
        (candidate,) = candidates(seen(GIVES, GETS), STORE, GestureSettings())
        reach_m, away_m, drop_m, speed_m_s = candidate.features
        assert reach_m == pytest.approx(0.35, abs=0.03)
        assert away_m == pytest.approx(0.6, abs=0.03)
        assert drop_m == pytest.approx(0.81 * 1.7 - 1.15, abs=0.03)
        assert speed_m_s == pytest.approx(0.0, abs=1e-9)

    def test_an_entry_says_what_it_is(self):
        (found,) = gestures(seen(GIVES, GETS), STORE)
        assert found == Gesture("gesture-1", "hand_over", found.time_s, ("a", "b"), found.probability)
