"""The best one-to-one pairs among a list of candidates."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

_SPLIT_FROM = 128
"""Rows that are left from which looking for groups among them costs less than solving all at once."""


def best_pairs(row: Int64, col: Int64, gain: Float64, shape: tuple[int, int]) -> tuple[Int64, Int64]:
    """The one-to-one pairs with the greatest sum of gains.

    Nearly all pairs are settled without a solver: if pairing i with j gains more than the next best that i could have
    together with the next best that j could have, every best assignment holds that pair. What remains is split into
    groups that share no row or column (connected components) where it is large, and solved by the Hungarian method
    (Crouse, "On implementing 2D rectangular assignment algorithms", 2016, as in scipy).

    Args:
        row: (k,) int64 in [0, shape[0]), rows of the candidate pairs; no pair occurs twice.
        col: (k,) int64 in [0, shape[1]), their columns.
        gain: (k,) float64, above 0 and finite: what pairing them is worth. Leaving both alone is worth 0.
        shape: Numbers of rows and of columns.

    Returns:
        (p,) int64 rows and (p,) int64 columns of the pairs made, in no particular order.

    >>> rows, cols = best_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.8, 0.6, 0.7]), (2, 2))
    >>> sorted(zip(rows.tolist(), cols.tolist()))
    [(0, 1), (1, 0)]
    """
    if len(row) < 2:
        return row, col
    sure = _dominant(row, col, gain, shape)
    if sure.all():
        return row, col
    rows, cols = row[sure], col[sure]
    row_open, col_open = np.ones(shape[0], np.bool_), np.ones(shape[1], np.bool_)
    row_open[rows] = col_open[cols] = False
    rest = row_open[row]
    rest &= col_open[col]
    if not rest.any():
        return rows, cols
    more_rows, more_cols = _solve(row[rest], col[rest], gain[rest])
    return np.concatenate([rows, more_rows]), np.concatenate([cols, more_cols])


def _dominant(row: Int64, col: Int64, gain: Float64, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(k,) whether a pair gains more than the alternatives of both its sides together."""
    row_alone, row_second = _best_and_second(row, gain, shape[0])
    col_alone, col_second = _best_and_second(col, gain, shape[1])
    row_alone &= col_alone
    row_second += col_second
    row_alone &= gain > row_second
    return row_alone


def _best_and_second(index: Int64, gain: Float64, size: int) -> tuple[NDArray[np.bool_], Float64]:
    """(k,) whether a pair is the one best of its side, and what the side's second best gains."""
    best, second = np.zeros(size), np.zeros(size)
    np.maximum.at(best, index, gain)
    is_best: NDArray[np.bool_] = gain == best.take(index)
    np.maximum.at(second, index, np.where(is_best, 0.0, gain))
    is_best &= (np.bincount(index, is_best, size) == 1).take(index)
    return is_best, second.take(index)


def _solve(row: Int64, col: Int64, gain: Float64) -> tuple[Int64, Int64]:
    """The best pairs by the Hungarian method, group by group where there are many."""
    rows, r = np.unique(row, return_inverse=True)
    cols, c = np.unique(col, return_inverse=True)
    if len(rows) < _SPLIT_FROM:
        i, j = _hungarian(r, c, gain, (len(rows), len(cols)))
        return rows[i], cols[j]
    graph = coo_array((np.ones(len(r), np.int8), (r, len(rows) + c)), shape=(len(rows) + len(cols),) * 2)
    groups, group = connected_components(graph, directed=False)
    row_in, col_in = _numbered(group[: len(rows)], groups), _numbered(group[len(rows) :], groups)
    order = np.argsort(group[r], kind="stable")
    r, c, gain, of = r[order], c[order], gain[order], group[r][order]
    heights, widths = np.bincount(group[: len(rows)]), np.bincount(group[len(rows) :], minlength=groups)
    bounds = np.append(np.flatnonzero(np.diff(of, prepend=-1)), len(of)).tolist()
    made = []
    for start, end in itertools.pairwise(bounds):
        i, j = row_in[r[start:end]], col_in[c[start:end]]
        dense = np.zeros((heights[of[start]], widths[of[start]]))
        dense[i, j] = gain[start:end]
        partner = np.full(len(dense), -1)
        best = linear_sum_assignment(dense, maximize=True)
        partner[best[0]] = best[1]
        made.append(partner[i] == j)
    which = np.concatenate(made)
    return rows[r[which]], cols[c[which]]


def _numbered(group: Int64, groups: int) -> Int64:
    """(n,) the number of each member within its group, from 0."""
    order = np.argsort(group, kind="stable")
    starts = np.cumsum(np.bincount(group, minlength=groups)) - np.bincount(group, minlength=groups)
    number = np.empty(len(group), np.int64)
    number[order] = np.arange(len(group)) - starts[group[order]]
    return number


def _hungarian(row: Int64, col: Int64, gain: Float64, shape: tuple[int, int]) -> tuple[Int64, Int64]:
    dense = np.zeros(shape)
    dense[row, col] = gain
    i, j = linear_sum_assignment(dense, maximize=True)
    made = dense[i, j] > 0
    return i[made], j[made]
