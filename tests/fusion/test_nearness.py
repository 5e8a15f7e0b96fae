from __future__ import annotations

import math

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, ShelfId, Store, WeightEvent
from gocv.fusion import NearnessSettings, nearness

A, B, C = PlateId(1, 1, 1), PlateId(1, 1, 2), PlateId(1, 1, 3)
STORE = Store(
    {},
    {
        A: Plate(A, np.array([0.0, 0.0, 1.0]), np.eye(3), np.array([0.1, 0.4])),
        B: Plate(B, np.array([2.0, 0.0, 1.0]), np.eye(3), np.array([0.1, 0.4])),
        C: Plate.unsurveyed(C),
    },
    {},
)
EVENT_S = 10.0


def event(**grams):
    plates = tuple({"a": A, "b": B, "c": C}[k] for k in grams)
    delta_g = np.array(list(grams.values()))
    return WeightEvent("e", ShelfId(1, 1), 9.9, 10.1, EVENT_S, plates, delta_g, np.eye(len(plates)), 1.0)


def seen(*rows):
    """Rows of (shopper, seconds, standing or None, left wrist or None, right wrist or None[, score])."""
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


def near(tracks, what=None, **settings):
    return {n.shopper: n for n in nearness(what or event(a=-100.0), STORE, tracks, NearnessSettings(**settings))}


AT, AWAY = (0.0, 0.0, 1.1), (1.5, 0.0, 1.1)


class TestEvidence:
    @pytest.mark.parametrize(
        ("row", "evidence", "distance_m", "likelihood"),
        [
            (("s", 10, (0, 0.5), AT, AWAY), "hand", 0.0, 1.0),
            (("s", 10, (0, 0.5), AWAY, AT), "hand", 0.0, 1.0),
            (("s", 10, (0, 0.5), (0.2, 0.0, 1.1), AWAY), "hand", 0.15, math.exp(-0.5)),
            (("s", 10, (0, 0.5), AWAY, (1.0, 0.0, 1.1)), "hand", 0.95, math.exp(-0.5 * (0.95 / 0.15) ** 2)),
            (("s", 10, (0, 0.5), AWAY, None), "body", 0.5, 0.5),
            (("s", 10, (0, 0.5), None, None), "body", 0.5, 1.0),
            (("s", 10, (0, 1.05), None, None), "body", 1.05, math.exp(-0.5)),
            (("s", 10, (0, 0.5), AT, AT, 0.1), "body", 0.5, 1.0),
            (("s", 10, None, AT, None), "hand", 0.0, 1.0),
            (("s", 10, None, None, None), "presence", math.nan, 1.0),
            (("s", 12, (0, 0.5), AT, AT), "presence", math.nan, 1.0),
        ],
        ids=[
            *("left hand", "right hand", "15 cm away", "both hands elsewhere", "one hand elsewhere, one unseen"),
            *("body", "body out of reach", "unsure joints", "hand without body", "sighting", "two seconds later"),
        ],
    )
    def test_the_best_evidence_counts(self, row, evidence, distance_m, likelihood):
        found = near(seen(row))["s"]
        assert (found.event, found.evidence) == ("e", evidence)
        assert found.distance_m == pytest.approx(distance_m, nan_ok=True)
        assert found.likelihood == pytest.approx(likelihood)

    def test_a_hand_above_the_goods_is_near_and_one_under_the_shelf_is_not(self):
        found = near(seen(("above", 10, None, (0, 0, 1.2), None), ("below", 10, None, (0, 0, 0.6), None)))
        assert found["above"].distance_m == 0
        assert found["below"].distance_m == pytest.approx(0.4)

    def test_the_nearest_moment_around_the_event_counts(self):
        tracks = seen(*(("s", 9.5 + 0.1 * k, None, (0.1 * abs(k - 7), 0.0, 1.1), None) for k in range(12)))
        assert near(tracks)["s"].distance_m == 0
        assert near(tracks, around_s=0.0)["s"].distance_m == pytest.approx(0.05, abs=1e-6)

    def test_distance_is_to_the_plates_that_changed_most(self):
        tracks = seen(("s", 10, None, (2.0, 0.0, 1.1), None))
        assert near(tracks, event(a=-10.0, b=-300.0))["s"].distance_m == 0
        assert near(tracks, event(a=-300.0, b=-10.0))["s"].distance_m == pytest.approx(1.95)
        assert near(tracks, event(a=-300.0, b=-200.0))["s"].distance_m == 0


class TestUnknownPlaces:
    @pytest.mark.parametrize("what", [event(c=-100.0), event(c=-300.0, a=-20.0)])
    def test_a_plate_that_was_not_surveyed_leaves_presence(self, what):
        found = near(seen(("near", 10, (0, 0.5), AT, AT), ("far", 10, (9, 9), None, None)), what)
        assert {n.evidence for n in found.values()} == {"presence"}
        assert {n.likelihood for n in found.values()} == {1.0}

    def test_a_plate_that_the_store_does_not_know(self):
        unknown = PlateId(7, 7, 7)
        what = WeightEvent("e", ShelfId(7, 7), 9.9, 10.1, 10, (unknown,), np.array([-9.0]), np.eye(1), 1.0)
        assert near(seen(("s", 10, (0, 0.5), AT, AT)), what)["s"].evidence == "presence"

    def test_a_surveyed_plate_among_the_main_ones_is_enough(self):
        assert near(seen(("s", 10, None, AT, None)), event(a=-90.0, c=-100.0))["s"].evidence == "hand"

    def test_who_is_lost_at_the_event_counts_as_absent_beside_those_who_are_not(self):
        found = near(seen(("here", 10, (3, 3), None, None), ("lost", 12, (0, 0.5), AT, AT)))
        assert found["here"].evidence == "body"
        assert (found["lost"].evidence, found["lost"].likelihood) == ("presence", 0.02)

    def test_without_positions_all_who_were_sighted_are_on_a_par(self):
        tracks = seen(("x", 7, None, None, None), ("y", 14, None, None, None), ("z", 20, None, None, None))
        assert {name: n.likelihood for name, n in near(tracks).items()} == {"x": 1.0, "y": 1.0}

    def test_if_nobody_was_sighted_those_seen_before_and_after_are_absent(self):
        rows = [("stays", 1), ("stays", 30), ("left", 2), ("left", 3), ("comes", 17), ("comes", 40)]
        found = near(seen(*((name, t, (0, 0.5), None, None) for name, t in rows)))
        assert {name: n.likelihood for name, n in found.items()} == {"stays": 0.02}
        assert found["stays"].evidence == "presence"

    def test_nobody_at_all(self):
        assert near(FloorTracks.empty(shoppers=())) == {}
        assert near(FloorTracks.empty(shoppers=("a", "b"))) == {}
