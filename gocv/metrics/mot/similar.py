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

    With the others sorted by frame and lower end, those that an interval may touch stand in one stretch: no lower than
    its own lower end less the widest of them, no higher than its upper end.
    """
    if not len(frame) or not len(other_frame):
        return
    both = np.unique(np.concatenate([frame[_changes(frame)], other_frame[_changes(other_frame)]]))
    number, other_number = np.searchsorted(both, frame), np.searchsorted(both, other_frame)
    lowest, widest = float(other_low.min()), max(float((other_high - other_low).max()), 0.0)
    span = float(other_low.max()) - lowest + 1.0
    slack = 32 * np.finfo(np.float64).eps * (span * len(both) + abs(lowest) + widest + float(np.abs(high).max()))
    key = other_number * span + (other_low - lowest)
    order = np.argsort(key)
    key = key[order]
    base = number * span
    ends = np.concatenate([base + (low - lowest - widest - slack), base + (high - lowest + slack)])
    first, last = np.searchsorted(key, ends).reshape(2, -1)
    bounds = np.searchsorted(other_number, np.arange(len(both) + 1))
    first, last = np.maximum(first, bounds[number]), np.minimum(last, bounds[number + 1])
    counts = np.maximum(last - first, 0)
    total = np.cumsum(counts)
    cuts = np.searchsorted(total, np.arange(_AT_ONCE, total[-1] + _AT_ONCE, _AT_ONCE)) + 1
    start = 0
    for end in np.minimum(cuts, len(frame)).tolist():
        some = counts[start:end]
        row = np.repeat(np.arange(start, end), some)
        offset = first[start:end] - (total[start:end] - some)
        before = int(total[start - 1]) if start else 0
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
