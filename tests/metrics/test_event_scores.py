from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.metrics.events import EventCounts, TimedEvent, count_events, match_events, sum_events

TEA, MILK = (("tea", 1),), (("milk", 1),)


def event(time_s, items=TEA, shopper="ann", place="1/5"):
    return TimedEvent(place, time_s, items, shopper)


@pytest.mark.parametrize(
    ("predicted", "true", "expected"),
    [
        ([], [], {}),
        ([event(1)], [], {"predicted": 1}),
        ([], [event(1)], {"true": 1}),
        ([event(1)], [event(1.5)], {"matched": 1, "named_right": 1, "placed_right": 1, "right": 1}),
        ([event(1)], [event(2)], {"matched": 1, "named_right": 1, "placed_right": 1, "right": 1}),
        ([event(1)], [event(2.01)], {"matched": 0}),
        ([event(1)], [event(1, place="1/6")], {"matched": 0}),
        ([event(1, MILK)], [event(1)], {"matched": 1, "placed_right": 1}),
        ([event(1, shopper="bob")], [event(1)], {"matched": 1, "named_right": 1}),
        ([event(1, shopper="")], [event(1)], {"matched": 1, "named_right": 1}),
        ([event(1, (("tea", -1),))], [event(1)], {"matched": 1, "placed_right": 1}),
        ([event(1, MILK + TEA)], [event(1, TEA + MILK)], {"named_right": 1, "placed_right": 1, "right": 1}),
        ([event(1)], [event(1, None, None)], {"matched": 1, "named": 0, "placed": 0, "both": 0}),
        ([event(1)], [event(1, None)], {"named": 0, "placed_right": 1, "both": 0}),
    ],
    ids=[
        *("nothing", "invented", "missed", "right", "just within", "just without", "another shelf", "another product"),
        *("another shopper", "nobody named", "taken for put back", "two products", "unlabelled", "only who is known"),
    ],
)
def test_counts(predicted, true, expected):
    found = count_events(predicted, true, tolerance_s=1.0)
    matched = expected.get("matched", 1 if "named_right" in expected or "placed_right" in expected else 0)
    want = {"predicted": len(predicted), "true": len(true), "matched": matched}
    want |= {"named": matched, "placed": matched, "both": matched, "named_right": 0, "placed_right": 0, "right": 0}
    assert found == EventCounts(**want | expected)


def test_each_event_is_matched_once():
    found = count_events([event(1.0), event(1.1), event(1.2)], [event(1.1)], tolerance_s=1.0)
    assert (found.matched, found.precision, found.recall, found.f1) == (1, pytest.approx(1 / 3), 1.0, 0.5)


def test_as_many_as_possible_come_before_as_close_as_possible():
    pairs = match_events([0.0, 0.9], [0.8, 1.8], ["s", "s"], ["s", "s"], tolerance_s=1.0)
    assert pairs.tolist() == [[0, 0], [1, 1]]


TIMES = st.lists(st.tuples(st.floats(0, 4), st.sampled_from("ab")), max_size=4)


@given(predicted=TIMES, true=TIMES, tolerance_s=st.sampled_from([0.0, 0.5, 2.0]))
def test_no_pairing_is_better(predicted, true, tolerance_s):
    (ps, pp), (ts, tp) = ([[x[i] for x in side] for i in (0, 1)] for side in (predicted, true))
    pairs = match_events(ps, ts, pp, tp, tolerance_s=tolerance_s)
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)

    def worth(chosen):
        fits = [(i, j) for i, j in chosen if j is not None and pp[i] == tp[j] and abs(ps[i] - ts[j]) <= tolerance_s]
        return len(fits), -sum(abs(ps[i] - ts[j]) for i, j in fits)

    padded = [*range(len(ts)), *[None] * len(ps)]
    best = max(worth(list(enumerate(chosen))) for chosen in set(itertools.permutations(padded, len(ps))))
    got = worth(pairs.tolist())
    assert got[0] == len(pairs) == best[0]
    assert got[1] == pytest.approx(best[1], abs=1e-6)


def test_sums():
    one = count_events([event(1)], [event(1)], tolerance_s=1.0)
    other = count_events([event(1, MILK)], [event(1), event(9)], tolerance_s=1.0)
    both = sum_events([one, other])
    assert (both.precision, both.recall) == (1.0, pytest.approx(2 / 3))
    assert (both.identification, both.who, both.complete) == (0.5, 1.0, 0.5)
    assert sum_events([]) == EventCounts()
    assert math.isnan(EventCounts().precision)
    assert math.isnan(EventCounts().who)


@pytest.mark.parametrize(
    ("times", "places", "tolerance_s", "message"),
    [
        ([np.nan], ["a"], 1.0, "finite time"),
        ([1.0, 2.0], ["a"], 1.0, "shape"),
        ([1.0], ["a"], -1.0, "tolerance"),
        ([1.0], ["a"], np.inf, "tolerance"),
    ],
)
def test_refusals(times, places, tolerance_s, message):
    with pytest.raises(DataError, match=message):
        match_events(times, [1.0], places, ["a"], tolerance_s=tolerance_s)
