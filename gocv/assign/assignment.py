"""One-to-one assignment in which a pair is only made when it is worth making."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.assign.pairs import best_pairs
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

    Pairs at or above the gate are struck out first; what remains is solved by `best_pairs`.

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
    rows, cols = best_pairs(row, col, gate - values[row, col], values.shape)
    order = np.argsort(rows)
    pairs = np.stack([rows[order], cols[order]], axis=1)
    left = [np.setdiff1d(np.arange(size), pairs[:, axis]) for axis, size in enumerate(values.shape)]
    return Assignment(pairs, left[0], left[1])
