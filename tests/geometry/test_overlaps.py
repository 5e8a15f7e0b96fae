"""Overlapping pairs against the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gocv.core import DataError
from gocv.geometry import iou, overlapping_pairs

corners = st.one_of(st.integers(-20, 20).map(float), st.floats(-50, 50))
tables = hnp.arrays(np.float64, st.tuples(st.integers(0, 8), st.just(4)), elements=corners)


@given(a=tables, b=tables)
def test_it_finds_what_the_dense_matrix_holds(a: np.ndarray, b: np.ndarray) -> None:
    pairs, dense = overlapping_pairs(a, b), iou(a, b)
    sparse = np.zeros_like(dense)
    sparse[pairs.row, pairs.col] = pairs.iou
    np.testing.assert_allclose(sparse, dense, rtol=1e-9, atol=1e-12)
    assert (pairs.iou > 0).all()
    assert (np.diff(pairs.row * 10 + pairs.col) > 0).all()


def test_boxes_that_are_not_finite_overlap_nothing() -> None:
    odd = [[np.nan, 0, 9, 9], [0, 0, np.nan, 9], [5, 5, 1, 9], [3, 3, 3, 8]]
    assert len(overlapping_pairs(odd, [[0.0, 0.0, 10.0, 10.0]]).iou) == 0


def test_no_boxes() -> None:
    row, col, shared = overlapping_pairs([], [[0, 0, 1, 1]])
    assert len(row) == len(col) == len(shared) == 0


def test_what_is_no_box_is_refused() -> None:
    with pytest.raises(DataError, match=r"\(2, 3\)"):
        overlapping_pairs(np.zeros((2, 3)), np.zeros((1, 4)))
