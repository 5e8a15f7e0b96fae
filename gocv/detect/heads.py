"""From what a network gives to boxes in pixels of its input. Pure functions of numpy arrays.

Each returns the boxes that reach `min_score`, not yet thinned out: overlap is for `gocv.geometry.nms`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError

Array = NDArray[Any]


class Candidates(NamedTuple):
    """Boxes of one image, before suppression.

    Attributes:
        xyxy: (k, 4) float32, pixels of the network's input.
        score: (k,) float32.
        label: (k,) int64, the network's class numbers, from 0.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    label: NDArray[np.int64]


def yolox(output: Array, *, input_size: tuple[int, int], strides: Sequence[int], min_score: float) -> Candidates:
    """A raw YOLOX head (Ge et al., 2021, arXiv:2107.08430, §2.1): anchor-free, one cell a stride.

    centre = (offset + cell) * stride, size = exp(log size) * stride, score = objectness * best class, both of them
    already through the sigmoid.

    Args:
        output: (cells, 5 + C): dx, dy, log w, log h, objectness, classes; the strides' grids one after the other,
            each row by row.
        input_size: Width and height of the input, pixels.
        strides: Of the grids, in order.
        min_score: Least score.

    Raises:
        DataError: The output does not fit the input size and strides.
    """
    width, height = input_size
    grids = [
        np.stack(np.meshgrid(np.arange(width // s), np.arange(height // s)), axis=-1).reshape(-1, 2) for s in strides
    ]
    cells = np.concatenate(grids)
    stride = np.repeat(np.asarray(strides), [len(g) for g in grids])[:, None]
    if output.ndim != 2 or len(output) != len(cells) or output.shape[1] < 6:
        raise DataError(f"the network gives {output.shape}", key="head", expected=f"({len(cells)}, 5 + classes)")
    label = output[:, 5:].argmax(axis=1)
    score = output[:, 4] * output[np.arange(len(output)), 5 + label]
    kept = score >= min_score
    centre = (output[kept, :2] + cells[kept]) * stride[kept]
    return _candidates(_around(centre, np.exp(output[kept, 2:4]) * stride[kept]), score[kept], label[kept])


def yolov8(output: Array, *, min_score: float) -> Candidates:
    """An exported YOLOv8, YOLO11 or later head without suppression: boxes in input pixels, no objectness.

    Args:
        output: (4 + C, cells): centre x, centre y, width, height, classes.
        min_score: Least score.

    Raises:
        DataError: The output has another shape.
    """
    if output.ndim != 2 or len(output) < 5:
        raise DataError(f"the network gives {output.shape}", key="head", expected="(4 + classes, cells)")
    label = output[4:].argmax(axis=0)
    score = output[4 + label, np.arange(output.shape[1])]
    kept = score >= min_score
    return _candidates(_around(output[:2, kept].T, output[2:4, kept].T), score[kept], label[kept])


def fastestdet(output: Array, *, input_size: tuple[int, int], min_score: float) -> Candidates:
    """The head of FastestDet: one grid, score = objectness^0.6 * best class^0.4.

    centre = (cell + tanh offset) / grid, size = sigmoid, both as a share of the input.

    Args:
        output: (5 + C, rows, columns): objectness, dx, dy, w, h, classes.
        input_size: Width and height of the input, pixels.
        min_score: Least score.

    Raises:
        DataError: The output has another shape.
    """
    if output.ndim != 3 or len(output) < 6:
        raise DataError(f"the network gives {output.shape}", key="head", expected="(5 + classes, rows, columns)")
    rows, columns = output.shape[1:]
    flat = output.reshape(len(output), -1)
    label = flat[5:].argmax(axis=0)
    score = flat[0] ** 0.6 * flat[5 + label, np.arange(flat.shape[1])] ** 0.4
    kept = np.flatnonzero(score >= min_score)
    cell = np.stack([kept % columns, kept // columns], axis=1)
    centre = (cell + np.tanh(flat[1:3, kept].T)) / np.array([columns, rows])
    size = 1 / (1 + np.exp(-flat[3:5, kept].T))
    return _candidates(_around(centre * input_size, size * input_size), score[kept], label[kept])


def anchored(
    *maps: Array,
    strides: Sequence[int],
    anchors: Sequence[Sequence[tuple[float, float]]],
    stretch: float,
    min_score: float,
) -> Candidates:
    """Raw maps of a YOLOv3 or YOLOv4 head (Redmon & Farhadi 2018, arXiv:1804.02767, §2.1; arXiv:2004.10934, §3.4).

    centre = (stretch * sigmoid(d) - (stretch - 1) / 2 + cell) * stride, size = anchor * exp(log size), score =
    sigmoid(objectness) * sigmoid(best class).

    Args:
        maps: (A * (5 + C), rows, columns) each: for each anchor dx, dy, log w, log h, objectness, classes.
        strides: Of the maps, pixels of the input.
        anchors: Of each map, width and height in pixels of the input.
        stretch: How far beyond its cell a centre may lie (`scale_x_y`).
        min_score: Least score.

    Raises:
        DataError: The output has another shape.
    """
    found = []
    for given, stride, sizes in zip(maps, strides, anchors, strict=True):
        if given.ndim != 3 or len(given) % len(sizes) or len(given) < 6 * len(sizes):
            expected = f"({len(sizes)} * (5 + classes), rows, columns)"
            raise DataError(f"the network gives {given.shape}", key="head", expected=expected)
        each = given.reshape(len(sizes), -1, *given.shape[1:])
        # Most cells are empty: what cannot reach the score by objectness alone is not looked at.
        anchor, row, column = np.nonzero(each[:, 4] >= _logit(min_score))
        value = each[anchor, :, row, column].astype(np.float64)
        label = value[:, 5:].argmax(axis=1)
        score = _sigmoid(value[:, 4]) * _sigmoid(value[np.arange(len(value)), 5 + label])
        centre = (_sigmoid(value[:, :2]) * stretch - (stretch - 1) / 2 + np.stack([column, row], axis=1)) * stride
        size = np.asarray(sizes, np.float64)[anchor] * np.exp(value[:, 2:4])
        kept = score >= min_score
        found.append(_candidates(_around(centre[kept], size[kept]), score[kept], label[kept]))
    return Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def boxes(xyxy: Array, score: Array, label: Array, *, first_label: int, min_score: float) -> Candidates:
    """Boxes that the network has decoded itself, as torchvision's detectors do.

    Args:
        xyxy: (N, 4) input pixels; one leading axis of length 1 is allowed here and below.
        score: (N,).
        label: (N,) class numbers.
        first_label: The number of the first class: 1 where 0 is the background.
        min_score: Least score.

    Raises:
        DataError: The outputs have other shapes.
    """
    xyxy, score, label = (_without_batch(a, axes) for a, axes in ((xyxy, 2), (score, 1), (label, 1)))
    if xyxy.shape != (len(score), 4) or label.shape != score.shape:
        raise DataError(
            f"the network gives {xyxy.shape}, {score.shape}, {label.shape}", key="head", expected="(N, 4), (N,), (N,)"
        )
    label = label.astype(np.int64) - first_label
    kept = (score >= min_score) & (label >= 0)
    return _candidates(xyxy[kept], score[kept], label[kept])


def ssd(output: Array, *, input_size: tuple[int, int], first_label: int, min_score: float) -> Candidates:
    """OpenVINO's DetectionOutput: boxes as shares of the input; the list ends at the first negative image number.

    Args:
        output: (1, 1, N, 7): image, label, score, left, top, right, bottom.
        input_size: Width and height of the input, pixels.
        first_label: The number of the first class: 1 where 0 is the background.
        min_score: Least score.

    Raises:
        DataError: The output has another shape.
    """
    if output.ndim != 4 or output.shape[:2] != (1, 1) or output.shape[3] != 7:
        raise DataError(f"the network gives {output.shape}", key="head", expected="(1, 1, N, 7)")
    rows = output[0, 0]
    rows = rows[np.cumsum(rows[:, 0] < 0) == 0]
    width, height = input_size
    xyxy = rows[:, 3:] * np.array([width, height, width, height])
    return boxes(xyxy, rows[:, 2], rows[:, 1], first_label=first_label, min_score=min_score)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


def _logit(share: float) -> float:
    return float(-np.inf if share <= 0 else np.inf if share >= 1 else np.log(share / (1 - share)))


def _around(centre: Array, size: Array) -> Array:
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)


def _without_batch(array: Array, axes: int) -> Array:
    return array[0] if array.ndim == axes + 1 and len(array) == 1 else array


def _candidates(xyxy: Array, score: Array, label: Array) -> Candidates:
    return Candidates(xyxy.astype(np.float32), score.astype(np.float32), label.astype(np.int64))
