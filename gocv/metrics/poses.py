"""How well keypoints are placed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]


def correct_keypoints(points_px: ArrayLike, truth_px: ArrayLike, xyxy: ArrayLike, share: float = 0.1) -> Bool:
    """Which keypoints are right: within a share of the larger side of the person's box.

    The mean over keypoints that are known is PCK, the percentage of correct keypoints (Yang & Ramanan 2013, TPAMI
    35(12), §6), here against the box.

    Args:
        points_px: (n, K, 2) places that were found; NaN where none.
        truth_px: (n, K, 2) true places.
        xyxy: (n, 4) boxes, in the same pixels.
        share: Of the larger side.

    Returns:
        (n, K) bool; False where a place is NaN.

    Raises:
        DataError: The shapes do not fit each other.

    >>> correct_keypoints([[[10, 10], [30, 10]]], [[[14, 10], [40, 10]]], [[0, 0, 20, 50]])
    array([[ True, False]])
    """
    points, truth, boxes = _checked(points_px, truth_px, xyxy)
    largest = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0.0)
    apart = np.linalg.norm(points - truth, axis=2)
    with np.errstate(invalid="ignore"):
        return np.asarray(apart <= share * largest[:, None])


def keypoint_similarity(
    points_px: ArrayLike, truth_px: ArrayLike, xyxy: ArrayLike, known: ArrayLike, sigma: ArrayLike
) -> Float64:
    """OKS, object keypoint similarity (COCO, keypoint evaluation), with the area of the box for that of the person.

    It is the mean over known keypoints of exp(-d² / (2 s² k²)), s² the area and k twice `sigma`; a keypoint that was
    not found counts 0.

    Args:
        points_px: (n, K, 2) places that were found; NaN where none.
        truth_px: (n, K, 2) true places.
        xyxy: (n, 4) boxes, in the same pixels.
        known: (n, K) bool, which keypoints count.
        sigma: (K,) as `gocv.data.poses.COCO_SIGMA`.

    Returns:
        (n,) float64 in [0, 1]; NaN where no keypoint is known.

    Raises:
        DataError: The shapes do not fit each other.

    >>> keypoint_similarity([[[10, 10]]], [[[10, 10]]], [[0, 0, 20, 50]], [[True]], [0.06])
    array([1.])
    """
    points, truth, boxes = _checked(points_px, truth_px, xyxy)
    counted = np.asarray(known, bool)
    if counted.shape != points.shape[:2]:
        raise DataError(f"has shape {counted.shape}", key="known", expected=f"{points.shape[:2]}")
    area = (boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1)
    spread = 2 * (2 * np.asarray(sigma, np.float64)) ** 2 * np.maximum(area, 1e-9)[:, None]
    like = np.nan_to_num(np.exp(-((points - truth) ** 2).sum(axis=2) / spread))
    count = counted.sum(axis=1)
    return np.where(count > 0, (like * counted).sum(axis=1) / np.maximum(count, 1), np.nan)


def _checked(points_px: ArrayLike, truth_px: ArrayLike, xyxy: ArrayLike) -> tuple[Any, Any, Any]:
    points, truth, boxes = (np.asarray(value, np.float64) for value in (points_px, truth_px, xyxy))
    if points.ndim != 3 or points.shape[2] != 2 or truth.shape != points.shape:
        raise DataError(f"have shapes {points.shape} and {truth.shape}", key="points_px", expected="(n, K, 2), both")
    if boxes.shape != (len(points), 4):
        raise DataError(f"has shape {boxes.shape}", key="xyxy", expected=f"({len(points)}, 4)")
    return points, truth, boxes
