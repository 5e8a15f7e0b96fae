"""The best pairs of a list against the Hungarian method on the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment

from gocv.assign import best_pairs

gains = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1)),
)


def total(dense: np.ndarray) -> float:
    row, col = np.nonzero(dense)
    rows, cols = best_pairs(row, col, dense[row, col], dense.shape)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(cols.tolist())) == len(cols)
    assert (dense[rows, cols] > 0).all()
    return float(dense[rows, cols].sum())


@given(dense=gains)
def test_no_other_pairs_gain_more(dense: np.ndarray) -> None:
    rows, cols = linear_sum_assignment(dense, maximize=True)
    assert total(dense) == pytest.approx(dense[rows, cols].sum(), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("density", [0.01, 0.03, 0.2])
def test_many_rows_are_split_into_groups_and_nothing_is_lost(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.uniform(0, 1, (400, 380)) * (rng.random((400, 380)) < density)
    rows, cols = linear_sum_assignment(dense, maximize=True)
    assert total(dense) == pytest.approx(dense[rows, cols].sum(), abs=1e-9)


def test_nothing_to_pair() -> None:
    none = np.empty(0, np.int64)
    rows, cols = best_pairs(none, none, np.empty(0), (3, 0))
    assert len(rows) == len(cols) == 0
