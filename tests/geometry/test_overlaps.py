"""Overlapping pairs against the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gocv.core import DataError
from gocv.geometry import iou, overlapping_pairs, overlapping_pairs_by_group

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


@given(groups=st.lists(st.tuples(tables, tables), max_size=5))
def test_groups_are_kept_apart(groups: list[tuple[np.ndarray, np.ndarray]]) -> None:
    a = np.concatenate([np.empty((0, 4)), *(one for one, _ in groups)])
    b = np.concatenate([np.empty((0, 4)), *(other for _, other in groups)])
    starts = [np.cumsum([0, *(len(group[side]) for group in groups)]) for side in (0, 1)]
    got = overlapping_pairs_by_group(a, starts[0], b, starts[1])
    want = [overlapping_pairs(one, other) for one, other in groups]
    assert got.row.tolist() == [i + s for w, s in zip(want, starts[0], strict=False) for i in w.row.tolist()]
    assert got.col.tolist() == [i + s for w, s in zip(want, starts[1], strict=False) for i in w.col.tolist()]
    assert got.iou.tolist() == [value for w in want for value in w.iou.tolist()]


def test_many_large_groups() -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 500, (40 * 90, 2))
    boxes, starts = np.concatenate([corner, corner + 40], axis=1), np.arange(41) * 90
    got = overlapping_pairs_by_group(boxes, starts, boxes, starts)
    want = [overlapping_pairs(boxes[i : i + 90], boxes[i : i + 90]) for i in starts[:-1]]
    assert got.iou.tolist() == [value for one in want for value in one.iou.tolist()]


def test_starts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="starts"):
        overlapping_pairs_by_group(np.zeros((2, 4)), [0, 2], np.zeros((1, 4)), [0, 1, 1])
