"""Boxes in pixels: formats, area, clipping, the IoU family, non-maximum suppression.

Boxes are (n, 4) `xyxy`: left, top, right, bottom; width is right - left. float32 goes in and float32 comes out; any
other type is computed in float64. No box divides by zero: one without area (or with its edges the wrong way round)
has area 0 and overlaps nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry._arrays import Bool, Float, Int64

_NMS_BLOCK = 256


def xyxy_to_xywh(xyxy: ArrayLike) -> Float:
    """Left, top, right, bottom to left, top, width, height; both (n, 4).

    >>> xyxy_to_xywh([[1.0, 2.0, 4.0, 8.0]])
    array([[1., 2., 3., 6.]])
    """
    boxes = _boxes(xyxy, "xyxy").copy()
    boxes[:, 2:] -= boxes[:, :2]
    return boxes


def xywh_to_xyxy(xywh: ArrayLike) -> Float:
    """Left, top, width, height to left, top, right, bottom; both (n, 4).

    >>> xywh_to_xyxy([[1.0, 2.0, 3.0, 6.0]])
    array([[1., 2., 4., 8.]])
    """
    boxes = _boxes(xywh, "xywh").copy()
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def xyxy_to_cxcywh(xyxy: ArrayLike) -> Float:
    """Left, top, right, bottom to centre x, centre y, width, height; both (n, 4).

    >>> xyxy_to_cxcywh([[1.0, 2.0, 4.0, 8.0]])
    array([[2.5, 5. , 3. , 6. ]])
    """
    boxes = xyxy_to_xywh(xyxy)
    boxes[:, :2] += boxes[:, 2:] / 2
    return boxes


def cxcywh_to_xyxy(cxcywh: ArrayLike) -> Float:
    """Centre x, centre y, width, height to left, top, right, bottom; both (n, 4).

    >>> cxcywh_to_xyxy([[2.5, 5.0, 3.0, 6.0]])
    array([[1., 2., 4., 8.]])
    """
    boxes = _boxes(cxcywh, "cxcywh").copy()
    boxes[:, :2] -= boxes[:, 2:] / 2
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def xywh_to_cxcywh(xywh: ArrayLike) -> Float:
    """Left, top, width, height to centre x, centre y, width, height; both (n, 4).

    >>> xywh_to_cxcywh([[1.0, 2.0, 3.0, 6.0]])
    array([[2.5, 5. , 3. , 6. ]])
    """
    boxes = _boxes(xywh, "xywh").copy()
    boxes[:, :2] += boxes[:, 2:] / 2
    return boxes


def cxcywh_to_xywh(cxcywh: ArrayLike) -> Float:
    """Centre x, centre y, width, height to left, top, width, height; both (n, 4).

    >>> cxcywh_to_xywh([[2.5, 5.0, 3.0, 6.0]])
    array([[1., 2., 3., 6.]])
    """
    boxes = _boxes(cxcywh, "cxcywh").copy()
    boxes[:, :2] -= boxes[:, 2:] / 2
    return boxes


def area(xyxy: ArrayLike) -> Float:
    """(n,) areas in square pixels of (n, 4) boxes; 0 where right <= left or bottom <= top.

    >>> area([[0.0, 0.0, 2.0, 3.0], [5.0, 5.0, 4.0, 9.0]])
    array([6., 0.])
    """
    return _area(_boxes(xyxy, "xyxy"))


def clip_to_image(xyxy: ArrayLike, width_px: float, height_px: float) -> Float:
    """The parts of (n, 4) boxes inside the image; a box wholly outside becomes one of no area on its edge.

    >>> clip_to_image([[-5.0, 10.0, 700.0, 20.0]], 640, 480)
    array([[  0.,  10., 640.,  20.]])
    """
    boxes = _boxes(xyxy, "xyxy")
    return np.clip(boxes, 0, np.array([width_px, height_px, width_px, height_px], boxes.dtype))


def iou(a: ArrayLike, b: ArrayLike) -> Float:
    """Intersection over union of every box of `a` with every box of `b`.

    Args:
        a: (n, 4) xyxy.
        b: (m, 4) xyxy.

    Returns:
        (n, m) in [0, 1]; float32 if both are, else float64.

    Raises:
        DataError: An argument is not (n, 4).

    >>> iou([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0], [0.0, 0.0, 2.0, 2.0], [9.0, 9.0, 9.0, 9.0]]).round(3)
    array([[0.333, 1.   , 0.   ]])
    """
    return _iou_and_union(*_pair(a, b))[0]


def ioa(a: ArrayLike, b: ArrayLike) -> Float:
    """Intersection with every box of `b` over the area of every box of `a`: how much of `a` is covered.

    Args:
        a: (n, 4) xyxy, such as detections.
        b: (m, 4) xyxy, such as areas to ignore.

    Returns:
        (n, m) in [0, 1]; float32 if both are, else float64.

    Raises:
        DataError: An argument is not (n, 4).

    >>> ioa([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 30.0, 20.0]])
    array([[0.5]])
    """
    first, second = _pair(a, b)
    overlap = _intersection(first, second)
    overlap /= _positive(_area(first))[:, None]
    return overlap


def giou(a: ArrayLike, b: ArrayLike) -> Float:
    """Generalised IoU: IoU - (|C| - |union|) / |C|, C the smallest box around both.

    Rezatofighi et al., "Generalized Intersection over Union", CVPR 2019, Algorithm 1.

    Args:
        a: (n, 4) xyxy.
        b: (m, 4) xyxy.

    Returns:
        (n, m) in [-1, 1]; float32 if both are, else float64. Where C has no area, 0.

    Raises:
        DataError: An argument is not (n, 4).

    >>> giou([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [3.0, 0.0, 4.0, 1.0]])
    array([[ 1. , -0.5]])
    """
    first, second = map(_upright, _pair(a, b))
    result, union = _iou_and_union(first, second)
    width, height = _enclosing(first, second)
    width *= height
    around = _positive(width)
    result -= (around - union) / around
    return result


def diou(a: ArrayLike, b: ArrayLike) -> Float:
    """Distance IoU: IoU - d^2 / c^2, d between the centres, c the diagonal of the smallest box around both.

    Zheng et al., "Distance-IoU Loss", AAAI 2020, eq. 7 (as 1 - loss).

    Args:
        a: (n, 4) xyxy.
        b: (m, 4) xyxy.

    Returns:
        (n, m) in [-1, 1]; float32 if both are, else float64. Where c is 0, 0.

    Raises:
        DataError: An argument is not (n, 4).

    >>> diou([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [3.0, 0.0, 4.0, 1.0]]).round(4)
    array([[ 1.    , -0.5294]])
    """
    return _iou_and_diou(*map(_upright, _pair(a, b)))[1]


def ciou(a: ArrayLike, b: ArrayLike) -> Float:
    """Complete IoU: DIoU - alpha v, v the difference of the aspect ratios, alpha = v / (1 - IoU + v).

    Zheng et al., "Distance-IoU Loss", AAAI 2020, eq. 8 to 11 (as 1 - loss), v = 4 / pi^2 (atan(w/h) - atan(w'/h'))^2.

    Args:
        a: (n, 4) xyxy.
        b: (m, 4) xyxy.

    Returns:
        (n, m) in [-2, 1]; float32 if both are, else float64.

    Raises:
        DataError: An argument is not (n, 4).

    >>> ciou([[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0]]).round(4)
    array([[1.    , 0.4468]])
    """
    first, second = map(_upright, _pair(a, b))
    overlap, result = _iou_and_diou(first, second)
    shape = _aspect_angle(first)[:, None] - _aspect_angle(second)
    shape *= 2 / np.pi
    np.square(shape, out=shape)
    result -= np.square(shape) / _positive(1 - overlap + shape)
    return result


def nms(xyxy: ArrayLike, score: ArrayLike, iou_threshold: float, label: ArrayLike | None = None) -> Int64:
    """Greedy non-maximum suppression: drop a box that overlaps a better one of its class by more than the threshold.

    Args:
        xyxy: (n, 4) boxes.
        score: (n,), higher is better; of equal scores the earlier row wins.
        iou_threshold: In [0, 1]; an IoU of exactly this much is kept.
        label: (n,) classes that do not suppress each other; all one class if not given.

    Returns:
        (k,) int64 rows that are kept, best first.

    Raises:
        DataError: The arguments have different lengths, or the threshold is not in [0, 1].

    >>> boxes = [[0.0, 0.0, 10.0, 10.0], [1.0, 0.0, 11.0, 10.0], [20.0, 0.0, 30.0, 10.0]]
    >>> nms(boxes, [0.6, 0.9, 0.3], 0.5)
    array([1, 2])
    >>> nms(boxes, [0.6, 0.9, 0.3], 0.5, label=[0, 1, 1])
    array([1, 0, 2])
    """
    boxes, scores = _boxes(xyxy, "xyxy"), np.asarray(score)
    labels = np.zeros(len(boxes), np.int64) if label is None else np.asarray(label)
    for name, values in (("score", scores), ("label", labels)):
        if values.shape != (len(boxes),):
            raise DataError(f"{name} has shape {values.shape}", key=name, expected=f"({len(boxes)},), one a box")
    if not 0 <= iou_threshold <= 1:
        raise DataError(f"iou_threshold is {iou_threshold}", key="iou_threshold", expected="a number in [0, 1]")
    # Block by block: the whole matrix of the thousands of boxes a raw detector gives would be far larger than needed.
    alive = np.argsort(-scores, kind="stable")
    kept = [np.empty(0, np.int64)]
    while len(alive):
        block, alive = alive[:_NMS_BLOCK], alive[_NMS_BLOCK:]
        rivals = _rivals(boxes, labels, block, block, iou_threshold)
        stays = np.ones(len(block), np.bool_)
        for i in range(len(block)):
            if stays[i]:
                stays[i + 1 :] &= ~rivals[i, i + 1 :]
        kept.append(block[stays])
        alive = alive[~_rivals(boxes, labels, kept[-1], alive, iou_threshold).any(axis=0)]
    return np.concatenate(kept)


def _rivals(boxes: Float, labels: Int64, rows: Int64, columns: Int64, threshold: float) -> Bool:
    rivals: Bool = (iou(boxes[rows], boxes[columns]) > threshold) & (labels[rows][:, None] == labels[columns])
    return rivals


def _boxes(value: ArrayLike, name: str) -> Float:
    try:
        boxes = np.asarray(value)
        if boxes.dtype != np.float32:
            boxes = boxes.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: {error}", key=name, expected="an array of numbers") from error
    if boxes.size == 0 and boxes.ndim <= 1:
        return np.empty((0, 4), boxes.dtype)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f"{name} has shape {boxes.shape}", key=name, expected="(n, 4)")
    return boxes


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Float, Float]:
    first, second = _boxes(a, "a"), _boxes(b, "b")
    dtype = np.result_type(first, second)
    return first.astype(dtype, copy=False), second.astype(dtype, copy=False)


def _upright(boxes: Float) -> Float:
    """Inverted edges brought to the left or upper one, so that every centre lies within every enclosing box."""
    return np.hstack([boxes[:, :2], np.maximum(boxes[:, :2], boxes[:, 2:])])


def _positive(values: Float) -> Float:
    """`values` made safe to divide by: what is divided is 0 wherever this changes anything."""
    return np.maximum(values, np.finfo(values.dtype).tiny, out=values)


def _area(boxes: Float) -> Float:
    left, top, right, bottom = boxes.T
    areas: Float = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    return areas


def _intersection(a: Float, b: Float) -> Float:
    # Column by column, in place: the (n, m, 2) temporaries of the usual form take three times as long.
    width: Float = np.minimum(a[:, 2, None], b[:, 2])
    width -= np.maximum(a[:, 0, None], b[:, 0])
    height = np.minimum(a[:, 3, None], b[:, 3])
    height -= np.maximum(a[:, 1, None], b[:, 1])
    np.maximum(width, 0, out=width)
    np.maximum(height, 0, out=height)
    width *= height
    return width


def _iou_and_union(a: Float, b: Float) -> tuple[Float, Float]:
    """(n, m) IoU, and the union where it is not 0."""
    overlap = _intersection(a, b)
    union = _area(a)[:, None] + _area(b)
    union -= overlap
    overlap /= _positive(union)
    return overlap, union


def _iou_and_diou(a: Float, b: Float) -> tuple[Float, Float]:
    overlap = _iou_and_union(a, b)[0]
    width, height = _enclosing(a, b)
    centre_a, centre_b = (a[:, :2] + a[:, 2:]) / 2, (b[:, :2] + b[:, 2:]) / 2
    distance = np.square(centre_a[:, 0, None] - centre_b[:, 0]) + np.square(centre_a[:, 1, None] - centre_b[:, 1])
    return overlap, overlap - distance / _positive(np.square(width) + np.square(height))


def _enclosing(a: Float, b: Float) -> tuple[Float, Float]:
    width = np.maximum(a[:, 2, None], b[:, 2]) - np.minimum(a[:, 0, None], b[:, 0])
    height = np.maximum(a[:, 3, None], b[:, 3]) - np.minimum(a[:, 1, None], b[:, 1])
    return width, height


def _aspect_angle(xyxy: Float) -> Float:
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.arctan2(size[:, 0], size[:, 1])
