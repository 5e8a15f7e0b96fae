"""The best matching within each frame, ties included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gocv.assign import best_pairs

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

_LESS = 1e-9
"""By which part a matching is made worse to see whether another is as good."""


def match_frames(row: Int64, col: Int64, gain: Float64, truth_frame: Int64, found_frame: Int64) -> NDArray[np.bool_]:
    """Which pairs make the greatest sum of gains in each frame; among equally good matchings, the one scipy finds.

    Which of several best matchings is taken shows in the scores: another pair may switch identity. Other evaluations
    take what `scipy.optimize.linear_sum_assignment` gives for a frame's whole matrix, rows and columns in the order of
    the file. So the best pairs are found sparsely first; then once more with each of them worth a little less, which
    brings forth another matching if and only if one is as good. Frames where it does are solved as others solve them.

    Args:
        row: (k,) candidate pairs: indices into `truth_frame`; both of a pair are in the same frame.
        col: (k,) indices into `found_frame`.
        gain: (k,) above 0.
        truth_frame: (n,) frame of each true object, ascending.
        found_frame: (m,) frame of each found one, ascending.

    Returns:
        (k,) whether each pair is made.
    """
    r, c = _compact(row, len(truth_frame)), _compact(col, len(found_frame))
    shape = int(r.max(initial=-1)) + 1, int(c.max(initial=-1)) + 1
    # A pair that gains more than both its sides could with others is in every best matching.
    made = gain * (1 - _LESS) > _second_best(r, gain, shape[0])[r] + _second_best(c, gain, shape[1])[c]
    taken_row, taken_col = np.zeros(shape[0], np.bool_), np.zeros(shape[1], np.bool_)
    taken_row[r[made]] = taken_col[c[made]] = True
    rest = np.flatnonzero(~taken_row[r] & ~taken_col[c])
    rows, r = np.unique(row[rest], return_inverse=True)
    cols, c = np.unique(col[rest], return_inverse=True)
    best = _best(r, c, gain[rest], (len(rows), len(cols)))
    other = _best(r, c, gain[rest] * (1 - _LESS * best), (len(rows), len(cols)))
    made[rest[best]] = True
    for frame in np.unique(truth_frame[row[rest[best != other]]]):
        of_frame = np.flatnonzero(truth_frame[row] == frame)
        made[of_frame] = _by_whole_matrix(
            row[of_frame] - np.searchsorted(truth_frame, frame),
            col[of_frame] - np.searchsorted(found_frame, frame),
            gain[of_frame],
            (int((truth_frame == frame).sum()), int((found_frame == frame).sum())),
        )
    return made


def _compact(index: Int64, size: int) -> Int64:
    """The same rows or columns by smaller numbers, where they are few of many: tables are as long as the largest."""
    return np.unique(index, return_inverse=True)[1] if 8 * len(index) < size else index


def _second_best(index: Int64, gain: Float64, size: int) -> Float64:
    """(size,) the second greatest gain of each row or column; 0 where it has one pair."""
    best, second = np.zeros(size), np.zeros(size)
    np.maximum.at(best, index, gain)
    is_best = gain == best[index]
    np.maximum.at(second, index, np.where(is_best, 0.0, gain))
    several = np.bincount(index[is_best], minlength=size) > 1
    second[several] = best[several]
    return second


def _best(row: Int64, col: Int64, gain: Float64, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(k,) whether a pair is among the best."""
    rows, cols = best_pairs(row, col, gain, shape)
    partner = np.full(shape[0], -1, np.int64)
    partner[rows] = cols
    best: NDArray[np.bool_] = partner[row] == col
    return best


def _by_whole_matrix(row: Int64, col: Int64, gain: Float64, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(k,) whether a pair is matched, by one call for all true and found objects of a frame."""
    matrix = np.zeros(shape)
    matrix[row, col] = gain
    partner = np.full(shape[0], -1, np.int64)
    i, j = linear_sum_assignment(matrix, maximize=True)
    partner[i] = j
    matched: NDArray[np.bool_] = partner[row] == col
    return matched
