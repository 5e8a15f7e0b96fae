from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, ShelfId, Store, WeightEvent
from gocv.fusion.nearness import NearnessSettings, goods_of, hands_at, nearness

A, B, C, ABOVE = PlateId(1, 1, 1), PlateId(1, 1, 20), PlateId(1, 1, 2), PlateId(1, 2, 1)
SIZE_M = np.array([0.1, 0.4])
STORE = Store(
    {},
    {
        A: Plate(A, np.array([0.0, 0.0, 1.0]), np.eye(3), SIZE_M),
        B: Plate(B, np.array([2.0, 0.0, 1.0]), np.eye(3), SIZE_M),
        C: Plate.unsurveyed(C),
        ABOVE: Plate(ABOVE, np.array([0.0, 0.0, 1.3]), np.eye(3), SIZE_M),
    },
    {},
)
EVENT_S = 10.0
CAP = NearnessSettings().cap
ABSENT = NearnessSettings().absent
AT, AWAY, HANGING = (0.0, -0.1, 1.1), (1.5, -0.1, 1.1), (0.2, -0.6, 0.8)
BEFORE_SHELF, FAR = (0.0, -0.6), (4.0, -3.0)


def event(time_s=EVENT_S, **grams):
    plates = tuple({"a": A, "b": B, "c": C, "above": ABOVE}[k] for k in grams)
    delta_g = np.array(list(grams.values()))
    start_s, end_s = time_s - 0.4, time_s + 0.4
    return WeightEvent("e", ShelfId(1, 1), start_s, end_s, time_s, plates, delta_g, np.eye(len(plates)), 1.0)


TAKE, PUT = event(a=-100.0), event(a=100.0)


def seen(*rows):
    """Rows of (shopper, seconds, standing or None, left wrist or None, right wrist or None[, score])."""
    rows = sorted(rows, key=lambda r: r[1])
    names = tuple(sorted({r[0] for r in rows}))
    xy_m = np.full((len(rows), 2), np.nan)
    joints_m = np.full((len(rows), len(JOINTS), 3), np.nan)
    score = np.zeros((len(rows), len(JOINTS)))
    for i, (_, _, standing, left, right, *confident) in enumerate(rows):
        if standing is not None:
            xy_m[i] = standing
        for joint, place in (("l_wrist", left), ("r_wrist", right)):
            if place is not None:
                joints_m[i, JOINTS.index(joint)] = place
                score[i, JOINTS.index(joint)] = confident[0] if confident else 1.0
    return FloorTracks.sightings(
        names,
        np.array([r[1] for r in rows], float),
        np.array([names.index(r[0]) for r in rows], np.int64),
        xy_m=xy_m,
        joints_m=joints_m,
        joint_score=score,
    )


def visit(name, until_s=EVENT_S, since_s=0.0, at=AT, rest=HANGING, standing=BEFORE_SHELF, other=HANGING):
    """Rows, ten a second, of somebody whose right hand is at a place from a time until another, and then hangs."""
    rows = []
    for k in range(60, 141):
        t = k / 10
        out = np.clip([(since_s - t) / 0.5, (t - until_s) / 0.5], 0, 1).max()
        rows.append((name, t, standing, other, tuple((1 - out) * np.array(at) + out * np.array(rest))))
    return rows


def near(tracks, what=TAKE, **options):
    return {n.shopper: n for n in nearness(what, STORE, tracks, NearnessSettings(**options))}


class TestHands:
    def test_who_takes_at_the_moment_is_likely_and_who_is_elsewhere_is_not(self):
        found = near(seen(*visit("at"), *visit("away", at=AWAY, standing=(1.5, -0.6), other=AWAY)))
        assert (found["at"].evidence, found["at"].distance_m) == ("hand", 0.0)
        assert found["at"].likelihood > 0.6
        assert found["away"].distance_m == pytest.approx(1.45, abs=0.05)
        assert found["away"].likelihood < 1e-3

    @pytest.mark.parametrize("hands", [("l", AT, HANGING), ("r", HANGING, AT)])
    def test_either_hand_will_do(self, hands):
        rows = [("s", t / 10, BEFORE_SHELF, hands[1], hands[2]) for t in range(60, 141)]
        assert near(seen(*rows))["s"].distance_m == 0

    @pytest.mark.parametrize(("axis", "off_m"), [(0, 0.3), (1, -0.6), (2, 0.3), (2, -0.3)])
    def test_each_direction_counts(self, axis, off_m):
        at = np.array(AT)
        at[axis] += off_m
        found = near(seen(*visit("right"), *visit("off", at=tuple(at))))
        assert found["right"].likelihood > 20 * found["off"].likelihood

    def test_a_hand_on_the_shelf_above_is_told_from_one_on_this(self):
        tracks = seen(*visit("here"), *visit("above", at=(0.0, -0.1, 1.4)))
        on_this, on_that = near(tracks), near(tracks, event(above=-100.0))
        assert on_this["here"].likelihood > 20 * on_this["above"].likelihood
        assert on_that["above"].likelihood > 20 * on_that["here"].likelihood

    @pytest.mark.parametrize("apart_s", [0.3, 0.4])
    def test_takes_from_one_plate_are_told_apart_by_when_hands_leave(self, apart_s):
        tracks = seen(*visit("first", since_s=9.7), *visit("second", EVENT_S + apart_s, EVENT_S + apart_s - 0.2))
        early, late = near(tracks), near(tracks, event(EVENT_S + apart_s, a=-100.0))
        assert early["first"].likelihood > 2 * early["second"].likelihood
        assert late["second"].likelihood > 2 * late["first"].likelihood

    def test_a_take_is_before_a_hand_leaves_and_a_put_after_it_comes(self):
        tracks = seen(*visit("leaves", until_s=10.0), *visit("comes", since_s=10.0, until_s=13.0))
        took, put = near(tracks), near(tracks, PUT)
        assert took["leaves"].likelihood > 2 * took["comes"].likelihood
        assert put["comes"].likelihood > 2 * put["leaves"].likelihood

    def test_a_hand_that_passes_is_less_likely_than_one_that_stays(self):
        passing = [("passes", 9.0 + k / 10, BEFORE_SHELF, None, (0.3 * (k - 10), -0.1, 1.1)) for k in range(21)]
        found = near(seen(*passing, *visit("stays")))
        assert found["stays"].likelihood > 3 * found["passes"].likelihood

    def test_a_hand_that_is_lost_for_a_moment_is_where_it_was(self):
        rows = [r if not 9.75 < r[1] < 10.15 else (*r[:4], None) for r in visit("s")]
        found = near(seen(*rows))["s"]
        assert found.evidence == "hand"
        assert found.likelihood > 0.3

    def test_noise_of_a_few_centimetres_changes_little(self):
        rng = np.random.default_rng(0)
        clean = visit("s")
        noisy = [(*r[:4], tuple(np.array(r[4]) + rng.normal(0, 0.03, 3))) for r in clean]
        ratio = near(seen(*noisy))["s"].likelihood / near(seen(*clean))["s"].likelihood
        assert 0.4 < ratio < 2

    def test_nobody_is_less_likely_than_the_cap_allows(self):
        far = [("far", t / 10, FAR, (4.0, -3.0, 1.0), (4.0, -3.0, 1.0)) for t in range(60, 141)]
        found = near(seen(*far, *visit("at")))
        assert found["far"].likelihood == 1 / CAP
        assert near(seen(*far, *visit("at")), cap=50.0)["far"].likelihood == 1 / 50

    def test_place_is_the_weighted_middle_of_the_plates(self):
        goods = goods_of(event(a=-300.0, b=-100.0), STORE)
        assert goods.centre_m == pytest.approx([0.5, 0.0, 1.0])
        assert goods.spread_m2 == pytest.approx(0.25 * 3 + 0.1**2 / 12)

    def test_the_time_of_a_long_event_is_less_sharp(self):
        tracks = seen(*visit("s", until_s=10.4))
        slow = dataclasses.replace(TAKE, start_s=7.0, end_s=13.0)
        assert near(tracks, slow)["s"].likelihood > near(tracks)["s"].likelihood


class TestBodies:
    @pytest.mark.parametrize(
        ("standing", "relative"),
        [((0.0, -0.6), 1.0), ((0.0, -0.65), 1.0), ((0.0, -1.5), 0.05), ((0.0, 0.6), 0.1), ((1.2, -0.3), 0.2)],
        ids=["within reach", "an arm's length", "too far", "behind the shelf", "aside"],
    )
    def test_bodies_without_hands(self, standing, relative):
        found = near(seen(("s", 10, standing, None, None)))["s"]
        assert found.evidence == "body"
        assert found.distance_m == pytest.approx(math.hypot(*standing))
        reach = NearnessSettings().unseen
        assert found.likelihood <= relative * reach * 1.01
        assert relative < 1 or found.likelihood == pytest.approx(reach, rel=0.01)

    def test_a_hand_elsewhere_leaves_the_other_with_even_odds(self):
        one, none = (near(seen(("s", 10, BEFORE_SHELF, hand, None)))["s"] for hand in (AWAY, None))
        assert one.evidence == none.evidence == "body"
        assert one.likelihood == pytest.approx(none.likelihood / 2, rel=0.01)

    def test_unsure_joints_are_ignored(self):
        assert near(seen(("s", 10, BEFORE_SHELF, AT, AT, 0.1)))["s"].evidence == "body"

    def test_a_hand_without_a_body(self):
        found = near(seen(("s", 10, None, AT, None)))["s"]
        assert (found.evidence, found.distance_m) == ("hand", 0.0)


class TestModes:
    TRACKS = seen(*visit("hand", standing=(0.0, -1.2)), *visit("body", at=AWAY, other=AWAY))

    def test_hands(self):
        found = near(self.TRACKS)
        assert found["hand"].likelihood > found["body"].likelihood

    def test_bodies_alone(self):
        found = near(self.TRACKS, mode="body")
        assert found["hand"].likelihood < found["body"].likelihood == 1.0
        assert {n.evidence for n in found.values()} == {"body"}

    def test_presence_alone(self):
        assert [(n.evidence, n.likelihood) for n in near(self.TRACKS, mode="presence").values()] == [
            ("presence", 1.0),
            ("presence", 1.0),
        ]


class TestUnknownPlaces:
    @pytest.mark.parametrize("what", [event(c=-100.0), event(c=-300.0, a=-20.0)])
    def test_a_plate_that_was_not_surveyed_leaves_presence(self, what):
        found = near(seen(("near", 10, BEFORE_SHELF, AT, AT), ("far", 10, (9, 9), None, None)), what)
        assert {(n.evidence, n.likelihood) for n in found.values()} == {("presence", 1.0)}

    def test_a_plate_that_the_store_does_not_know(self):
        unknown = PlateId(7, 7, 7)
        what = WeightEvent("e", ShelfId(7, 7), 9.9, 10.1, 10, (unknown,), np.array([-9.0]), np.eye(1), 1.0)
        assert near(seen(("s", 10, BEFORE_SHELF, AT, AT)), what)["s"].evidence == "presence"

    def test_a_surveyed_plate_among_the_main_ones_is_enough(self):
        assert near(seen(("s", 10, None, AT, None)), event(a=-90.0, c=-100.0))["s"].evidence == "hand"

    def test_who_is_lost_at_the_event_counts_as_absent_beside_those_who_are_not(self):
        found = near(seen(("here", 10, (3, 3), None, None), ("lost", 12, BEFORE_SHELF, AT, AT)))
        assert found["here"].evidence == "body"
        assert (found["lost"].evidence, found["lost"].likelihood) == ("presence", ABSENT)

    def test_who_was_too_far_to_walk_there_was_not_there(self):
        rows = [("lost", t, (8.0, -3.0), None, None) for t in (8.5, 11.5)]
        assert near(seen(("here", 10, (3, 3), None, None), *rows))["lost"].likelihood < 0.02 * ABSENT

    def test_without_positions_all_who_were_sighted_are_on_a_par(self):
        tracks = seen(("x", 7, None, None, None), ("y", 14, None, None, None), ("z", 20, None, None, None))
        assert {name: n.likelihood for name, n in near(tracks).items()} == {"x": 1.0, "y": 1.0}

    def test_if_nobody_was_sighted_those_seen_before_and_after_are_absent(self):
        rows = [("stays", 1), ("stays", 30), ("left", 2), ("left", 3), ("comes", 17), ("comes", 40)]
        found = near(seen(*((name, t, BEFORE_SHELF, None, None) for name, t in rows)))
        assert {name: n.likelihood for name, n in found.items()} == {"stays": ABSENT}
        assert found["stays"].evidence == "presence"

    def test_nobody_at_all(self):
        assert near(FloorTracks.empty(shoppers=())) == {}
        assert near(FloorTracks.empty(shoppers=("a", "b"))) == {}


class TestHandsAt:
    @pytest.mark.parametrize("what", [TAKE, PUT])
    def test_a_hand_fits_best_at_the_time_it_was_there(self, what):
        shift_s = 1.5
        tracks = seen(*visit("s", until_s=11.5 if what is TAKE else 13.0, since_s=11.2 if what is TAKE else 11.5))
        grid_s = np.arange(-20, 21) / 10
        fits = hands_at(what, goods_of(what, STORE), tracks, NearnessSettings(), grid_s)
        assert fits.shape == grid_s.shape
        assert grid_s[fits.argmax()] == pytest.approx(shift_s, abs=0.11)
        assert fits.max() > 0.8

    def test_nobody_fits_at_no_time(self):
        fits = hands_at(TAKE, goods_of(TAKE, STORE), seen(("s", 10, FAR, AT, AT)), NearnessSettings(), np.zeros(1))
        assert fits.tolist() == [0.0]


class TestInvariance:
    @settings(max_examples=25, deadline=None)
    @given(
        yaw=st.floats(-3, 3),
        move=st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
        later_s=st.floats(0, 1e5),
        seed=st.integers(0, 99),
    )
    def test_a_store_turned_and_moved_in_space_and_time_gives_the_same(self, yaw, move, later_s, seed):
        rng = np.random.default_rng(seed)
        rows = [
            (name, 9.0 + k / 9, tuple(rng.normal(0, 0.6, 2)), tuple(rng.normal((0, 0, 1), 0.2)), None)
            for name in "ab"
            for k in range(19)
        ]
        tracks = seen(*rows)
        turn = np.array([[math.cos(yaw), -math.sin(yaw), 0], [math.sin(yaw), math.cos(yaw), 0], [0, 0, 1]])
        shift = np.array([*move, 0.0])
        turned = dataclasses.replace(
            tracks,
            time_s=tracks.time_s + later_s,
            xy_m=tracks.xy_m @ turn[:2, :2].T + shift[:2],
            joints_m=tracks.joints_m @ turn.T + shift,
        )
        plates = {
            i: dataclasses.replace(p, centre_m=turn @ p.centre_m + shift, rotation=turn)
            for i, p in STORE.plates.items()
        }
        at = event(EVENT_S + later_s, a=-100.0)
        here = nearness(TAKE, STORE, tracks, NearnessSettings())
        there = nearness(at, Store({}, plates, {}), turned, NearnessSettings())
        assert [n.shopper for n in here] == [n.shopper for n in there]
        for one, other in zip(here, there, strict=True):
            assert one.likelihood == pytest.approx(other.likelihood, rel=1e-3)
            assert 1 / CAP <= one.likelihood <= 1
