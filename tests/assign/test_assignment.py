"""Gated assignment against every possible assignment."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gocv.assign import gated_assignment
from gocv.core import DataError


def best_by_trying_all(cost: np.ndarray, gate: float) -> float:
    """The least sum of (cost - gate) over all one-to-one sets of pairs, none included."""
    n, m = cost.shape
    best = 0.0
    for size in range(1, min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for cols in itertools.permutations(range(m), size):
                values = [cost[r, c] for r, c in zip(rows, cols, strict=True)]
                if all(v < gate for v in values):
                    best = min(best, math.fsum(v - gate for v in values))
    return best


costs = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4),
    elements=st.one_of(
        st.sampled_from([0.0, 0.25, 0.5, 1.0, np.inf, np.nan]),  # ties, cells at the gate, impossible pairs
        st.floats(-10, 10),
    ),
)


@given(cost=costs, gate=st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(-10, 10)))
def test_no_other_assignment_is_better(cost: np.ndarray, gate: float) -> None:
    pairs = gated_assignment(cost, gate).pairs
    values = cost[pairs[:, 0], pairs[:, 1]]
    assert (values < gate).all()
    assert math.fsum(values - gate) == pytest.approx(best_by_trying_all(cost, gate), abs=1e-9)


@given(cost=costs, gate=st.floats(-10, 10))
def test_every_row_and_column_is_accounted_for_once(cost: np.ndarray, gate: float) -> None:
    pairs, rows, cols = gated_assignment(cost, gate)
    assert sorted([*pairs[:, 0], *rows]) == list(range(cost.shape[0]))
    assert sorted([*pairs[:, 1], *cols]) == list(range(cost.shape[1]))
    assert all(a.dtype == np.int64 for a in (pairs, rows, cols))
    assert pairs.shape[1] == 2
    assert (np.diff(pairs[:, 0]) > 0).all()


@given(cost=costs, gate=st.floats(-10, 10))
def test_the_argument_is_left_alone(cost: np.ndarray, gate: float) -> None:
    before = cost.copy()
    gated_assignment(cost, gate)
    np.testing.assert_array_equal(cost, before)


@pytest.mark.parametrize(
    ("cost", "gate", "pairs"),
    [
        (np.empty((0, 0)), 1.0, []),
        (np.empty((3, 0)), 1.0, []),
        (np.empty((0, 3)), 1.0, []),
        ([[1.0]], 1.0, []),  # at the gate is not under it
        ([[0.999]], 1.0, [[0, 0]]),
        ([[0.0, 0.6], [0.6, 5.0]], 1.0, [[0, 0]]),  # one excellent pair (-1.0) beats two poor ones (-0.8)
        ([[0.0, 0.4], [0.4, 5.0]], 1.0, [[0, 1], [1, 0]]),  # and here two good ones (-1.2) beat it
        ([[np.nan, 0.2], [0.1, np.inf]], 1.0, [[0, 1], [1, 0]]),
    ],
)
def test_the_objective_by_hand(cost: Any, gate: float, pairs: list[list[int]]) -> None:
    assert gated_assignment(cost, gate).pairs.tolist() == pairs


def test_many_groups_give_what_one_problem_gives() -> None:
    rng = np.random.default_rng(0)
    cost = rng.random((60, 70))
    cost[rng.random(cost.shape) < 0.97] = np.inf
    pairs = gated_assignment(cost, 0.9).pairs
    from scipy.optimize import linear_sum_assignment

    gain = np.minimum(cost - 0.9, 0)
    i, j = linear_sum_assignment(gain)
    assert (cost[pairs[:, 0], pairs[:, 1]] - 0.9).sum() == pytest.approx(gain[i, j].sum())


@pytest.mark.parametrize(
    ("cost", "gate", "problem"),
    [([1.0, 2.0], 1.0, "shape"), ([[-np.inf]], 1.0, "-inf"), ([[0.0]], np.inf, "gate"), ([[0.0]], np.nan, "gate")],
)
def test_what_has_no_meaning_is_refused(cost: Any, gate: float, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        gated_assignment(cost, gate)
