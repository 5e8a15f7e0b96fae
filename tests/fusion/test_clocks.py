from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, ShelfId, Store, WeightEvent
from gocv.fusion.clocks import ClockOffset, ClockSettings, apply_clock, estimate_clock

PLATES = [PlateId(gondola, 1, plate) for gondola in (1, 2) for plate in range(1, 9)]
STORE = Store(
    {},
    {
        p: Plate(p, np.array([0.5 * p.plate, 5.0 * p.gondola, 1.0]), np.eye(3), np.array([0.1, 0.4]))
        for p in [*PLATES, PlateId(3, 1, 1)]
    },
    {},
)
WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]


def visit(gondola, plates, *, every_s=8.0, start_s=10.0, puts=()):
    """Somebody who takes from one plate after the other, and the events of it on the cameras' clock."""
    times = start_s + every_s * np.arange(len(plates))
    places = np.array([STORE.plates[PlateId(gondola, 1, p)].centre_m for p in plates])
    time_s = np.arange(0, times[-1] + 10, 0.1)
    stop = np.clip(np.searchsorted(times + every_s / 2, time_s), 0, len(plates) - 1)
    place_m, at_s = places[stop], times[stop]
    put = np.isin(stop, puts)
    since_s, until_s = np.where(put, at_s, at_s - 0.4), np.where(put, at_s + 0.4, at_s)
    out = np.clip(np.maximum(since_s - time_s, time_s - until_s) / 0.5, 0, 1)[:, None]
    joints_m = np.full((len(time_s), len(JOINTS), 3), np.nan)
    joints_m[:, WRISTS[0]] = place_m + np.array([-0.2, -0.6, -0.2])
    joints_m[:, WRISTS[1]] = place_m + (1 - out) * (0.0, -0.1, 0.1) + out * (0.2, -0.6, -0.2)
    score = np.where(np.isnan(joints_m[..., 0]), 0.0, 1.0)
    xy_m = place_m[:, :2] - (0.0, 0.6)
    table = FloorTracks.sightings(
        (f"s{gondola}",), time_s, np.zeros(len(time_s)), xy_m=xy_m, joints_m=joints_m, joint_score=score
    )
    events = [
        event(gondola, p, t, 100.0 if k in puts else -100.0)
        for k, (p, t) in enumerate(zip(plates, times.tolist(), strict=True))
    ]
    return table, events


def event(gondola, plate, time_s, grams):
    ids = (PlateId(gondola, 1, plate),)
    name = f"{gondola}-{time_s}"
    return WeightEvent(
        name, ShelfId(gondola, 1), time_s - 0.4, time_s + 0.4, time_s, ids, np.array([grams]), np.eye(1), 1.0
    )


def together(*tables):
    names = tuple(name for table in tables for name in table.shoppers)
    moved = [dataclasses.replace(t, shoppers=names, shopper=t.shopper + k) for k, t in enumerate(tables)]
    return FloorTracks.concatenate(moved)


def late(events, by_s):
    return [
        dataclasses.replace(e, start_s=e.start_s + by_s, time_s=e.time_s + by_s, end_s=e.end_s + by_s) for e in events
    ]


ONE, OF_ONE = visit(1, (1, 4, 7, 2, 8), puts=(2,))
TWO, OF_TWO = visit(2, (5, 1, 8, 3, 6), every_s=9.1)
BOTH = together(ONE, TWO)


class TestEstimate:
    @pytest.mark.parametrize("skew_s", [-4.0, -1.3, 0.6, 2.0, 5.0])
    def test_a_skewed_clock_is_found(self, skew_s):
        found = estimate_clock(late(OF_ONE, skew_s), ONE, STORE)
        assert [o.gondola for o in found] == [1]
        assert found[0].offset_s == pytest.approx(-skew_s, abs=0.1)
        assert found[0].significant
        assert found[0].log_ratio > 5
        assert abs(found[0].offset_s + skew_s) < 3 * found[0].sd_s

    def test_a_right_clock_is_left_alone(self):
        for offset in estimate_clock([*OF_ONE, *OF_TWO], BOTH, STORE):
            assert abs(offset.offset_s) < 0.1
            assert not offset.significant

    def test_what_all_gondolas_share_is_found_together(self):
        found = estimate_clock(late([*OF_ONE, *OF_TWO[:1]], 2.0), BOTH, STORE)
        assert [(o.gondola, o.shared, o.significant, o.events) for o in found] == [
            (1, True, True, 6),
            (2, True, True, 6),
        ]

    def test_one_gondola_of_two_may_be_skewed(self):
        found = estimate_clock([*OF_ONE, *late(OF_TWO, 1.5)], BOTH, STORE)
        assert [(o.gondola, o.shared, o.significant) for o in found] == [(1, False, False), (2, False, True)]
        assert found[1].offset_s == pytest.approx(-1.5, abs=0.1)

    @pytest.mark.parametrize("count", [0, 1])
    def test_few_events_say_nothing(self, count):
        assert not any(o.significant for o in estimate_clock(late(OF_ONE[:count], 1.5), ONE, STORE))

    def test_events_that_nobody_was_near_say_nothing(self):
        assert estimate_clock(OF_TWO, ONE, STORE) == []
        assert estimate_clock(OF_TWO, FloorTracks.empty(shoppers=()), STORE) == []

    def test_some_events_that_no_hand_did_change_nothing(self):
        stray = [event(1, p, t, -60.0) for p, t in ((6, 22.0), (3, 37.0))]
        assert estimate_clock([*late(OF_ONE, 2.0), *stray], ONE, STORE)[0].offset_s == pytest.approx(-2.0, abs=0.1)

    def test_order_of_rows_and_events_does_not_matter(self):
        mixed = np.random.default_rng(0).permutation(len(ONE))
        events = late(OF_ONE, 1.0)
        assert estimate_clock(events[::-1], ONE[mixed], STORE) == estimate_clock(events, ONE, STORE)

    def test_least_offset_is_a_setting(self):
        wide = ClockSettings(least_s=3.0)
        assert not estimate_clock(late(OF_ONE, 2.0), ONE, STORE, wide)[0].significant


class TestApply:
    def test_only_significant_offsets_are_applied(self):
        offsets = [
            ClockOffset(1, -1.5, 0.1, 20.0, 1.0, 5, False, True),
            ClockOffset(2, -1.0, 0.1, 2.0, 0.3, 2, False, False),
        ]
        first, second, third = apply_clock([OF_ONE[0], OF_TWO[0], event(3, 1, 5.0, -1.0)], offsets)
        assert (first.start_s, first.time_s, first.end_s) == pytest.approx((8.1, 8.5, 8.9))
        assert second is OF_TWO[0]
        assert third.time_s == 5.0

    def test_estimated_and_applied_the_clock_is_right(self):
        events = late(OF_ONE, 3.3)
        right = apply_clock(events, estimate_clock(events, ONE, STORE))
        assert [e.time_s for e in right] == pytest.approx([e.time_s for e in OF_ONE], abs=0.1)
