"""Which boxes overlap: the pairs alone, where a dense matrix would be nearly empty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError


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
    left, top, right, bottom = first[:, :, None]
    near = left < second[2]
    near &= right > second[0]
    near &= top < second[3]
    near &= bottom > second[1]
    place: NDArray[np.int64] = near.ravel().nonzero()[0]
    row, col = np.divmod(place, max(near.shape[1], 1))
    one, other = first.take(row, axis=1), second.take(col, axis=1)
    size = np.minimum(one[2:], other[2:])
    size -= np.maximum(one[:2], other[:2])
    shared = size[0] * size[1]
    union = (one[2] - one[0]) * (one[3] - one[1])
    union += (other[2] - other[0]) * (other[3] - other[1])
    union -= shared
    if len(row) and size.min() <= 0:  # a box with its edges the wrong way round
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
