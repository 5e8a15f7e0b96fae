"""One-to-one assignment in which a pair is only made when it is worth making."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gocv.core import DataError


class Assignment(NamedTuple):
    """Pairs of rows and columns, and what is left of both.

    Attributes:
        pairs: (k, 2) int64, row and column, sorted by row.
        unmatched_rows: (n - k,) int64, ascending.
        unmatched_cols: (m - k,) int64, ascending.
    """

    pairs: NDArray[np.int64]
    unmatched_rows: NDArray[np.int64]
    unmatched_cols: NDArray[np.int64]


def gated_assignment(cost: ArrayLike, gate: float) -> Assignment:
    """The one-to-one pairs that minimise the sum of (cost - gate) over the pairs made.

    Leaving two things unpaired costs 0, so a pair is made only where its cost is below the gate, and a larger number of
    pairs is not an end in itself: one excellent pair beats two poor ones where that sum is lower.

    Pairs at or above the gate are struck out first; what remains falls into groups that share no row or column
    (connected components), and each is solved on its own by the Hungarian method.

    Args:
        cost: (n, m), any finite or infinite values; NaN and +inf mean that the pair is impossible.
        gate: Finite; pairs must cost less than this.

    Returns:
        The assignment. Among equally good ones, which is returned is fixed but not specified.

    Raises:
        DataError: `cost` is not two-dimensional or holds -inf, or `gate` is not finite.

    >>> pairs, rows, cols = gated_assignment([[0.1, 0.9], [0.2, 0.8]], gate=0.85)
    >>> pairs.tolist(), rows.tolist(), cols.tolist()
    ([[0, 0], [1, 1]], [], [])
    >>> gated_assignment([[0.1, 0.9], [0.2, 0.8]], gate=0.5).pairs.tolist()
    [[0, 0]]
    """
    values = np.asarray(cost, np.float64)
    if values.ndim != 2:
        raise DataError(f"cost has shape {values.shape}", expected="(n, m)")
    if not np.isfinite(gate):
        raise DataError(f"the gate is {gate}", expected="a finite cost")
    if np.isneginf(values).any():
        raise DataError("cost holds -inf", expected="finite values, or NaN or +inf for impossible pairs")
    row, col = np.nonzero(values < gate)  # NaN compares false
    pairs = _solve(values, gate, row, col)
    pairs = pairs[np.argsort(pairs[:, 0])]
    rows, cols = (np.setdiff1d(np.arange(size), pairs[:, axis]) for axis, size in enumerate(values.shape))
    return Assignment(pairs, rows, cols)


def _solve(values: NDArray[Any], gate: float, row: NDArray[Any], col: NDArray[Any]) -> NDArray[np.int64]:
    """Pairs from the cells (row, col) that lie under the gate, group by group."""
    n, m = values.shape
    if not len(row):
        return np.empty((0, 2), np.int64)
    graph = coo_array((np.ones(len(row), np.int8), (row, n + col)), shape=(n + m, n + m))
    _, group = connected_components(graph, directed=False)
    cells = np.bincount(group[row], minlength=len(group))
    alone = cells[group[row]] == 1  # the only cell of its group: a pair, with nothing to solve
    found = [np.stack([row[alone], col[alone]], axis=1)]
    for number in np.flatnonzero(cells > 1):
        rows, cols = np.flatnonzero(group[:n] == number), np.flatnonzero(group[n:] == number)
        gain = np.fmin(values[np.ix_(rows, cols)] - gate, 0.0)  # 0: no better than leaving both alone
        i, j = linear_sum_assignment(gain)
        made = gain[i, j] < 0
        found.append(np.stack([rows[i[made]], cols[j[made]]], axis=1))
    return np.concatenate(found).astype(np.int64)
