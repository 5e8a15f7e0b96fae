"""Pairs of a true and a found object that are similar at all, in all frames at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Pairs = tuple[Int64, Int64, Float64]

_AT_ONCE = 1 << 16
"""Candidates looked at together: enough to outweigh a call, few enough for the processor's cache."""
_CELLS = 128
"""Cells of a frame: a cell is narrower than most boxes, and there are hardly more of them than of boxes in a crowd."""
_NARROW = 1e-6
"""Pixels or metres; frames in which all stands within this have one cell."""


def box_pairs(truth_frame: Int64, truth_xyxy: Float64, found_frame: Int64, found_xyxy: Float64) -> Pairs:
    """IoU of the boxes that overlap.

    Args:
        truth_frame: (n,) ascending.
        truth_xyxy: (n, 4) pixels.
        found_frame: (m,) ascending.
        found_xyxy: (m, 4) pixels.

    Returns:
        (p,) row, ascending; (p,) column; (p,) IoU in (0, 1]. Boxes without area are in no pair.
    """
    left, top, right, bottom = np.ascontiguousarray(truth_xyxy.T)
    others = np.ascontiguousarray(found_xyxy.T)
    area, other_area = (right - left) * (bottom - top), (others[2] - others[0]) * (others[3] - others[1])
    made = []
    for row, col in _candidates(truth_frame, left, right, found_frame, others[0], others[2]):
        tall = np.minimum(bottom[row], others[3][col])
        tall -= np.maximum(top[row], others[1][col])
        near = np.flatnonzero(tall > 0)
        row, col, tall = row[near], col[near], tall[near]
        shared = np.minimum(right[row], others[2][col])
        shared -= np.maximum(left[row], others[0][col])
        wide = shared > 0
        shared *= tall
        union = area[row]
        union += other_area[col]
        union -= shared
        made.append((row[wide], col[wide], shared[wide] / union[wide]))
    return _joined(made)


def point_pairs(
    truth_frame: Int64, truth_xy_m: Float64, found_frame: Int64, found_xy_m: Float64, zero_at_m: float
) -> Pairs:
    """1 - distance / `zero_at_m` of the points that are nearer than that.

    Args:
        truth_frame: (n,) ascending.
        truth_xy_m: (n, 2) metres.
        found_frame: (m,) ascending.
        found_xy_m: (m, 2) metres.
        zero_at_m: Distance from which on nothing is similar, above 0.

    Returns:
        (p,) row, ascending; (p,) column; (p,) similarity in (0, 1].
    """
    x, other_x = truth_xy_m[:, 0], found_xy_m[:, 0]
    made = []
    for row, col in _candidates(truth_frame, x - zero_at_m, x + zero_at_m, found_frame, other_x, other_x):
        apart = truth_xy_m[row] - found_xy_m[col]
        similarity = 1.0 - np.linalg.norm(apart, axis=1) / zero_at_m
        near = similarity > 0
        made.append((row[near], col[near], similarity[near]))
    return _joined(made)


def _candidates(
    frame: Int64, low: Float64, high: Float64, other_frame: Int64, other_low: Float64, other_high: Float64
) -> Iterator[tuple[Int64, Int64]]:
    """All pairs of intervals of the same frame that touch, and some that do not.

    The others of each frame are sorted into cells by their lower end. Those that an interval may touch then stand in
    one stretch: from the cell of its own lower end less the widest of them, to that of its upper end.
    """
    if not len(frame) or not len(other_frame):
        return
    begin, other_begin = _changes(frame), _changes(other_frame)
    place = np.minimum(np.searchsorted(other_frame[other_begin], frame[begin]), len(other_begin) - 1)
    sizes, other_sizes = np.diff(begin, append=len(frame)), np.diff(other_begin, append=len(other_frame))
    sizes = np.where(other_frame[other_begin[place]] == frame[begin], sizes, 0)
    rows = np.repeat(begin - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    number, other_number = np.repeat(place, sizes), np.repeat(np.arange(len(other_begin)), other_sizes)

    lowest, highest = np.minimum.reduceat(other_low, other_begin), np.maximum.reduceat(other_low, other_begin)
    widest = np.maximum.reduceat(other_high - other_low, other_begin)
    widest += 1e-12 * (widest + np.abs(lowest) + np.abs(highest))  # more than rounding takes away
    per_unit = np.where(highest - lowest > _NARROW, _CELLS / np.maximum(highest - lowest, _NARROW), 0.0)

    def cell(x: Float64, number: Int64) -> Int64:
        within = np.clip((x - lowest[number]) * per_unit[number], 0, _CELLS - 1)
        return number * _CELLS + within.astype(np.int64)

    other_cell = cell(other_low, other_number)
    order = np.argsort(other_cell, kind="stable")
    filled = np.append(0, np.cumsum(np.bincount(other_cell, minlength=len(other_begin) * _CELLS)))
    first = filled[cell(low[rows] - widest[number], number)]
    counts = np.maximum(filled[cell(high[rows], number) + 1] - first, 0)  # below 0 with edges the wrong way round
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, np.arange(_AT_ONCE, total[-1] + _AT_ONCE, _AT_ONCE)) + 1 if len(total) else total
    start = 0
    for end in np.minimum(cuts, len(rows)).tolist():
        some = counts[start:end]
        before = total[start - 1] if start else 0
        offset = first[start:end] - (total[start:end] - some)
        row = np.repeat(rows[start:end], some)
        yield row, order[np.repeat(offset, some) + np.arange(before, before + len(row))]
        start = end


def _changes(ascending: Int64) -> Int64:
    """Where a new value begins."""
    return np.flatnonzero(np.diff(ascending, prepend=ascending[0] - 1))


def _joined(made: list[Pairs]) -> Pairs:
    if not made:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    rows, cols, similarities = zip(*made, strict=True)
    return np.concatenate(rows), np.concatenate(cols), np.concatenate(similarities)
