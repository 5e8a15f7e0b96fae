"""Which boxes overlap: the pairs alone, where a dense matrix would be nearly empty."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

_CELLS = 1 << 17
"""Pairs of boxes that are compared at a time: what fits a processor's cache."""


class Overlaps(NamedTuple):
    """Pairs of boxes that overlap, in order of row, then column.

    Attributes:
        row: (k,) int64, index into the first boxes.
        col: (k,) int64, index into the second boxes.
        iou: (k,) float64 in (0, 1].
    """

    row: NDArray[np.int64]
    col: NDArray[np.int64]
    iou: NDArray[np.float64]


def overlapping_pairs(a: ArrayLike, b: ArrayLike) -> Overlaps:
    """Intersection over union of those boxes that overlap at all.

    In a crowd, a box overlaps few others. Four comparisons of edges find which; the rest is computed for these alone.

    Args:
        a: (n, 4) xyxy, pixels.
        b: (m, 4) xyxy, pixels.

    Returns:
        The pairs whose IoU is above 0; boxes without area, or that are not finite, are in none.

    Raises:
        DataError: An argument is not (n, 4).

    >>> pairs = overlapping_pairs([[0.0, 0.0, 2.0, 2.0]], [[9.0, 9.0, 11.0, 11.0], [1.0, 0.0, 3.0, 2.0]])
    >>> pairs.row.tolist(), pairs.col.tolist(), pairs.iou.round(3).tolist()
    ([0], [1], [0.333])
    """
    first, second = _edges(a), _edges(b)
    place: NDArray[np.int64] = _near(first[:, :, None], second[:, None, :]).ravel().nonzero()[0]
    row, col = np.divmod(place, max(second.shape[1], 1))
    return _overlaps(first, second, row, col)


def overlapping_pairs_by_group(a: ArrayLike, a_starts: ArrayLike, b: ArrayLike, b_starts: ArrayLike) -> Overlaps:
    """`overlapping_pairs` of many groups at once, such as all frames of a clip: boxes of other groups never overlap.

    Args:
        a: (n, 4) xyxy, pixels, in order of group.
        a_starts: (g + 1,) whole numbers: the boxes of group i are the rows from a_starts[i] to a_starts[i + 1].
        b: (m, 4) xyxy, pixels, in order of group.
        b_starts: (g + 1,) likewise.

    Returns:
        The pairs, rows and columns counted over all groups.

    Raises:
        DataError: An argument is not (n, 4), or the starts are not of the same groups.

    >>> boxes = [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0]]
    >>> overlapping_pairs_by_group(boxes, [0, 1, 2], boxes, [0, 1, 2]).col.tolist()
    [0, 1]
    """
    first, second = _edges(a), _edges(b)
    starts, other_starts = np.asarray(a_starts, np.int64), np.asarray(b_starts, np.int64)
    if starts.shape != other_starts.shape or starts[-1] != first.shape[1] or other_starts[-1] != second.shape[1]:
        raise DataError(f"starts have shapes {starts.shape} and {other_starts.shape}", expected="(g + 1,), all boxes")
    tall, wide = int(np.diff(starts).max(initial=1)), int(np.diff(other_starts).max(initial=1))
    step = max(1, _CELLS // max(tall * wide, 1))
    rough, other_rough = _outward(first), _outward(second)
    rows, cols = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for begin in range(0, len(starts) - 1, step):
        own, theirs = starts[begin : begin + step + 1], other_starts[begin : begin + step + 1]
        near = _near(_padded(rough, own)[:, :, :, None], _padded(other_rough, theirs)[:, :, None, :])
        group, cell = np.divmod(near.ravel().nonzero()[0], max(near.shape[1] * near.shape[2], 1))
        row, col = np.divmod(cell, max(near.shape[2], 1))
        rows.append(row + own[group])
        cols.append(col + theirs[group])
    return _overlaps(first, second, np.concatenate(rows), np.concatenate(cols))


def _outward(edges: NDArray[np.float64]) -> NDArray[np.float32]:
    """(4, n) edges in half the bytes, each moved outward: what crosses in float64 crosses here too."""
    with np.errstate(over="ignore"):
        rough = edges.astype(np.float32)
    rough[:2] = np.nextafter(rough[:2], np.float32(-np.inf))
    rough[2:] = np.nextafter(rough[2:], np.float32(np.inf))
    return rough


def _padded(edges: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """(4, groups, most) edges by group, NaN where a group has fewer."""
    sizes = np.diff(starts)
    padded = np.full((4, len(sizes), int(sizes.max(initial=0))), np.nan, np.float32)
    there = np.arange(padded.shape[2]) < sizes[:, None]
    padded[:, there] = edges[:, starts[0] : starts[-1]]
    return padded


def _near(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether edges (4, …) cross in both directions; NaN crosses nothing."""
    near: NDArray[np.bool_] = one[0] < other[2]
    near &= one[2] > other[0]
    near &= one[1] < other[3]
    near &= one[3] > other[1]
    return near


def _overlaps(
    first: NDArray[np.float64], second: NDArray[np.float64], row: NDArray[np.int64], col: NDArray[np.int64]
) -> Overlaps:
    """IoU of pairs of boxes whose edges cross."""
    one, other = first.take(row, axis=1), second.take(col, axis=1)
    size = np.minimum(one[2:], other[2:])
    size -= np.maximum(one[:2], other[:2])
    shared = size[0] * size[1]
    union = (one[2] - one[0]) * (one[3] - one[1])
    union += (other[2] - other[0]) * (other[3] - other[1])
    union -= shared
    if len(row) and not size.min() > 0:  # edges the wrong way round, or that crossed by rounding alone
        real = (size > 0).all(axis=0)
        row, col, shared, union = row[real], col[real], shared[real], union[real]
    return Overlaps(row, col, shared / union)


def _edges(boxes: ArrayLike) -> NDArray[np.float64]:
    """(4, n) left, top, right and bottom edges, each contiguous."""
    array = np.asarray(boxes, np.float64)
    if array.ndim == 1 and not len(array):
        array = array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4:
        raise DataError(f"boxes have shape {array.shape}", expected="(n, 4)")
    return np.ascontiguousarray(array.T)
