"""Scores of people on the floor: made-up cases whose answers are known, and slow oracles."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.metrics.floor import FloorScores, FloorSequence, count_floor, half_interval_s, positions_at

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from trackeval.metrics import CLEAR, HOTA, Identity

_PATH = Path(__file__).parents[2] / "oracles" / "floor_moda.py"
_SPEC = importlib.util.spec_from_file_location("floor_moda", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_ORACLE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ORACLE)
moda_by_tables = _ORACLE.moda_by_tables

Rows = list[tuple[float, int, float, float]]
"""Time, who, x and y."""
SQUARE_M = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]


def sequence(truth: Rows, found: Rows, **settings: Any) -> FloorSequence:
    sides = [np.array(rows, np.float64).reshape(-1, 4) for rows in (truth, found)]
    return FloorSequence.of(*(part for side in sides for part in (side[:, 0], side[:, 1], side[:, 2:])), **settings)


def scores(truth: Rows, found: Rows, **settings: Any) -> FloorScores:
    return FloorScores.of(count_floor(sequence(truth, found, **settings)))


def walk(who: int, times: range, x: float = 0.0, y: float = 0.0) -> Rows:
    """Somebody who stands still for some half seconds."""
    return [(time / 2, who, x, y) for time in times]


def test_who_is_found_where_they_stand_has_full_scores() -> None:
    truth = walk(1, range(10)) + walk(2, range(10), 3.0)
    got = scores(truth, [(t, who + 40, x, y) for t, who, x, y in truth])
    assert (got.moda, got.modp, got.mota, got.motp_m, got.idf1, got.hota, got.kept) == (1, 1, 1, 0, 1, 1, 1)
    assert (got.switches, got.merges, got.identity_life_s, got.people) == (0, 0, 5.0, 2)
    assert got.shopper_hours == pytest.approx(10 / 3600)


@pytest.mark.parametrize(("off_m", "found"), [(0.0, True), (0.5, True), (0.51, False)])
def test_the_gate_is_the_largest_distance_of_a_match(off_m: float, found: bool) -> None:
    got = scores(walk(1, range(4)), walk(9, range(4), off_m))
    assert (got.recall, got.precision, got.idf1) == (float(found),) * 3
    assert got.mota == (1.0 if found else -1.0)
    assert got.moda == got.mota
    if found:
        assert got.motp_m == pytest.approx(off_m)
        assert got.modp == pytest.approx(1 - off_m / 0.5)


@pytest.mark.parametrize(("gate_m", "recall"), [(0.5, 0.0), (1.0, 1.0)])
def test_another_gate_is_another_score(gate_m: float, recall: float) -> None:
    assert scores(walk(1, range(4)), walk(9, range(4), 0.8), gate_m=gate_m).recall == recall


def test_moda_knows_misses_and_false_people_and_no_identities() -> None:
    truth = walk(1, range(4)) + walk(2, range(4), 3.0)
    found = walk(5, range(2)) + walk(6, range(2, 4)) + walk(7, range(1), 8.0)
    got = scores(truth, found)
    assert got.moda == 1 - (4 + 1) / 8
    assert got.mota == 1 - (4 + 1 + 1) / 8
    assert (got.recall, got.precision) == (4 / 8, 4 / 5)


def test_moda_makes_as_many_pairs_as_can_be_and_then_the_nearest() -> None:
    truth = [(0.0, 1, 0.0, 0.0), (0.0, 2, 0.5, 0.0)]
    found = [(0.0, 8, 0.4, 0.0), (0.0, 9, 0.9, 0.0)]  # the nearest pair alone would leave one without
    got = scores(truth, found)
    assert got.recall == 1
    assert got.modp == pytest.approx(1 - 0.4 / 0.5)


def test_a_switch_is_counted_across_a_gap() -> None:
    truth = walk(1, range(12))
    got = scores(truth, walk(5, range(4)) + walk(6, range(8, 12)))
    assert (got.switches, got.merges, got.kept) == (1, 0, 0)
    assert got.identity_life_s == 2.0
    assert got.switches_per_shopper_hour == pytest.approx(3600 / 6)


def test_an_identity_that_comes_back_after_a_gap_has_lived_on() -> None:
    got = scores(walk(1, range(10)), walk(5, range(5)) + walk(5, range(6, 10)))
    assert (got.switches, got.kept, got.identity_life_s) == (0, 1, 5.0)


def test_who_is_hardly_ever_found_has_not_kept_an_identity() -> None:
    assert scores(walk(1, range(10)), walk(5, range(7))).kept == 0


def test_one_identity_for_two_people_is_a_merge() -> None:
    truth = walk(1, range(4)) + walk(2, range(4, 8), 3.0)
    got = scores(truth, walk(5, range(4)) + walk(5, range(4, 8), 3.0))
    assert (got.switches, got.merges, got.kept, got.idf1) == (0, 1, 1, 0.5)


def test_two_people_who_exchange_identities_switch_twice_and_merge_twice() -> None:
    truth = walk(1, range(8)) + walk(2, range(8), 3.0)
    found = walk(5, range(4)) + walk(6, range(4), 3.0) + walk(6, range(4, 8)) + walk(5, range(4, 8), 3.0)
    got = scores(truth, found)
    assert (got.switches, got.merges, got.mota, got.moda) == (2, 2, 1 - 2 / 16, 1)


def test_counts_of_sequences_are_added() -> None:
    one = sequence(walk(1, range(4)), walk(5, range(4)))
    other = sequence(walk(1, range(8)), walk(5, range(4)) + walk(6, range(4, 8), 0.3))
    both = FloorScores.of(count_floor(one) + count_floor(other))
    assert (both.people, both.switches, both.kept) == (2, 1, 0.5)
    assert both.motp_m == pytest.approx(4 * 0.3 / 12)


def test_moments_at_which_nobody_is_there_count() -> None:
    truth, found = walk(1, range(2)), walk(5, range(6))
    assert scores(truth, found).moda == 1
    assert scores(truth, found, moment_s=np.arange(6) / 2).moda == 1 - 4 / 2


@pytest.mark.parametrize(
    ("true_x", "found_x", "moda"),
    [
        (5.0, 12.0, -0.0),  # found outside where nobody is labelled: not an error, but the one inside is missed
        (5.0, 8.0, -1.0),
        (9.9, 10.2, 1.0),  # across the line, but near who is labelled
        (10.2, 9.9, 0.0),  # labelled outside: neither the person nor who was found of it counts
        (12.0, 12.0, 0.0),
    ],
)
def test_the_area_says_who_counts(true_x: float, found_x: float, moda: float) -> None:
    got = scores(walk(1, range(2), true_x, 5.0), walk(5, range(2), found_x, 5.0), area_m=SQUARE_M)
    assert got.moda == moda


@pytest.mark.parametrize("empty", ["truth", "found", "both"])
def test_nothing_is_a_valid_sequence(empty: str) -> None:
    some = walk(1, range(3))
    got = scores([] if empty != "found" else some, [] if empty != "truth" else some, moment_s=np.arange(3) / 2)
    assert (got.idf1, got.recall, got.kept, got.identity_life_s) == (0, 0, 0, 0)


@pytest.mark.parametrize(("settings", "what"), [({"gate_m": 0.0}, "gate_m"), ({"moment_s": [0.0, 1.0]}, "moment_s")])
def test_what_cannot_be_scored_is_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError, match=what):
        sequence(walk(1, range(3)), [], **settings)


def drawn(seed: int, moments: int, people: int, noise_m: float) -> tuple[Rows, Rows]:
    rng = np.random.default_rng(seed)
    at, name = rng.uniform(0, 4, (people, 2)), np.arange(people)
    truth: Rows = []
    found: Rows = []
    for moment in range(moments):
        at = at + rng.normal(0, 0.3, at.shape)
        for i in range(people):
            if rng.random() < 0.9:
                truth.append((moment / 2, i, *at[i]))
            if rng.random() < 0.1:
                name[i] = people + 10 * moment + i
            if rng.random() < 0.8:
                found.append((moment / 2, int(name[i]), *(at[i] + rng.normal(0, noise_m, 2))))
    return truth, found


cases = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(0, 7), st.sampled_from([0.05, 0.3, 0.8]))


@given(case=cases)
def test_moda_and_modp_are_those_of_dense_tables(case: tuple[Any, ...]) -> None:
    truth, found = drawn(*case)
    times = [moment / 2 for moment in range(case[1])]
    got = scores(truth, found, moment_s=times)
    want = moda_by_tables(
        *(
            [np.array([row[2:] for row in rows if row[0] == t]).reshape(-1, 2) for t in times]
            for rows in (truth, found)
        ),
        gate_m=0.5,
    )
    assert {name: getattr(got, name) for name in want} == pytest.approx(want, abs=1e-9)


@given(case=cases)
def test_tracks_are_scored_as_trackeval_scores_similarities_of_one_metre(case: tuple[Any, ...]) -> None:
    truth, found = drawn(*case)
    if not truth or not found:
        return
    got = scores(truth, found, moment_s=[moment / 2 for moment in range(case[1])])
    true_ids, found_ids = (sorted({row[1] for row in rows}) for rows in (truth, found))
    data: dict[str, Any] = {
        "num_timesteps": case[1],
        "num_gt_ids": len(true_ids),
        "num_tracker_ids": len(found_ids),
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(found),
        "gt_ids": [],
        "tracker_ids": [],
        "similarity_scores": [],
    }
    for moment in range(case[1]):
        there, seen = ([row for row in rows if row[0] == moment / 2] for rows in (truth, found))
        data["gt_ids"].append(np.array([true_ids.index(row[1]) for row in there], int))
        data["tracker_ids"].append(np.array([found_ids.index(row[1]) for row in seen], int))
        apart = [[np.hypot(a[2] - b[2], a[3] - b[3]) for b in seen] for a in there]
        data["similarity_scores"].append(np.maximum(1 - np.array(apart).reshape(len(there), len(seen)), 0))
    clear = CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    identity, hota = Identity({"PRINT_CONFIG": False}).eval_sequence(data), HOTA().eval_sequence(data)
    assert got.mota == pytest.approx(clear["MOTA"], abs=1e-9)
    assert got.switches == clear["IDSW"]
    assert got.motp_m == pytest.approx(1 - clear["MOTP"] if clear["CLR_TP"] else 0.0, abs=1e-9)
    assert (got.idf1, got.idp, got.idr) == pytest.approx((identity["IDF1"], identity["IDP"], identity["IDR"]), abs=1e-9)
    assert (got.hota, got.ass_a) == pytest.approx((hota["HOTA"].mean(), hota["AssA"].mean()), abs=1e-9)


@pytest.mark.parametrize(
    ("times", "moment", "within_s", "x"),
    [
        ([0.0, 1.0], 0.5, 0.5, 0.5),  # between two rows
        ([0.0, 1.0], 0.5, 0.25, None),  # too far apart to say
        ([0.0, 1.0], 0.9, 0.25, 1.0),  # the nearest
        ([0.0, 1.0], 0.1, 0.25, 0.0),
        ([0.0, 1.0], 0.25, 0.25, None),  # half way before the next moment belongs to that one
        ([0.0, 1.0], 0.75, 0.25, 1.0),
        ([0.0, 1.0], 1.2, 0.25, 1.0),
        ([0.0, 1.0], 1.0, 0.0, 1.0),
        ([1.0, 0.0], 0.5, 0.5, 0.5),  # in any order: x is the number of the row
        ([0.0, 0.0, 1.0], 0.0, 0.5, 0.5),  # two rows of one moment
        ([], 0.0, 0.5, None),
    ],
)
def test_a_shopper_is_where_the_rows_around_a_moment_say(
    times: list[float], moment: float, within_s: float, x: float | None
) -> None:
    at, who, where = positions_at(
        times, [3] * len(times), [[i, 0.0] for i in range(len(times))], [moment], within_s=within_s
    )
    assert at.tolist() == ([] if x is None else [0])
    assert who.tolist() == ([] if x is None else [3])
    assert where[:, 0].tolist() == pytest.approx([] if x is None else [x])


def test_rows_without_a_place_are_nowhere() -> None:
    at, _, _ = positions_at([0.0, 1.0], [0, 0], [[np.nan, 0.0], [1.0, 0.0]], [0.0, 1.0], within_s=0.1)
    assert at.tolist() == [1]


@pytest.mark.parametrize(("moments", "half"), [([], 0.0), ([3.0], 0.0), ([0.0, 0.5, 1.0, 9.0], 0.25)])
def test_half_the_usual_step_of_moments(moments: list[float], half: float) -> None:
    assert half_interval_s(moments) == half


def test_moments_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(DataError, match="ascend"):
        positions_at([0.0], [0], [[0.0, 0.0]], [1.0, 0.0], within_s=0.1)
