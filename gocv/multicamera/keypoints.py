"""From the keypoints of a pose estimator to the joints of a recording, and how far each may be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError, Poses
from gocv.data.poses import COCO17, COCO_SIGMA

Array = NDArray[np.float64]

_SIGMA = np.array(COCO_SIGMA)
_FILLED = 0.53
"""Share of a person's box that the person fills: what OKS takes where only boxes are known."""
_NOSE, _EARS, _SHOULDERS, _ARMS = 0, [3, 4], [5, 6], [7, 8, 9, 10]


def joints_of_coco17(poses: Poses, least_score: float = 0.2) -> Poses:
    """The joints of `gocv.core.JOINTS` from COCO's keypoints.

    The head is the middle of the ears; where one of them is not seen, the other, as views from both sides make up for
    each other; where none is, the nose. The neck is the middle of the shoulders. A joint has the lesser score of what
    it is made of.

    Args:
        poses: (n, 17, 2) keypoints in the order of `gocv.data.poses.COCO17`.
        least_score: A keypoint of a lower score is not seen.

    Returns:
        (n, 8, 2) joints; NaN and of score 0 where nothing of one is seen.

    Raises:
        DataError: The poses are not of 17 keypoints.

    >>> pixels = np.zeros((1, 17, 2))
    >>> pixels[0, 5], pixels[0, 6] = [100, 50], [140, 54]
    >>> joints_of_coco17(Poses(pixels, np.ones((1, 17)))).keypoints_px[0, 1]
    array([120.,  52.], dtype=float32)
    """
    if len(poses) and poses.score.shape[1] != len(COCO17):
        raise DataError(f"poses have {poses.score.shape[1]} keypoints", expected=f"{len(COCO17)}, as COCO's")
    pixels = poses.keypoints_px.reshape(-1, len(COCO17), 2)
    score = poses.score.reshape(-1, len(COCO17))
    there: NDArray[np.bool_] = np.asarray(np.isfinite(pixels).all(axis=2))
    seen: NDArray[np.bool_] = np.logical_and(there, score >= max(least_score, 1e-6))
    head = seen[:, [_NOSE, *_EARS]]
    head[:, 0] &= ~head[:, 1:].any(axis=1)
    both: NDArray[np.bool_] = np.asarray(seen[:, _SHOULDERS].all(axis=1))
    parts = [
        _middle(pixels[:, [_NOSE, *_EARS]], score[:, [_NOSE, *_EARS]], head),
        _middle(pixels[:, _SHOULDERS], score[:, _SHOULDERS], np.stack([both, both], axis=1)),
    ]
    alone = [_middle(pixels[:, [k]], score[:, [k]], seen[:, [k]]) for k in (*_SHOULDERS, *_ARMS)]
    return Poses(*(np.stack([part[i] for part in (*parts, *alone)], axis=1) for i in range(2)))


def joint_sd_px(xyxy: ArrayLike) -> Array:
    """Standard deviation of each coordinate of a person's joints, as far as people themselves agree on them.

    COCO's σ_k² is the mean square distance over the person's area, so each coordinate has σ_k √(area / 2), the area
    being 0.53 of the box's. A joint in the middle of two keypoints has 1/√2 of theirs.

    Args:
        xyxy: (n, 4) boxes of people, pixels.

    Returns:
        (n, 8) float64 pixels, in the order of `gocv.core.JOINTS`.
    """
    box = np.asarray(xyxy, np.float64).reshape(-1, 4)
    area = _FILLED * (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    sigma = np.array([_SIGMA[3] / np.sqrt(2), _SIGMA[5] / np.sqrt(2), *_SIGMA[_SHOULDERS], *_SIGMA[_ARMS]])
    sd: Array = np.sqrt(area / 2)[:, None] * sigma
    return sd


def _middle(
    pixels: NDArray[np.float32], score: NDArray[np.float32], used: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, 2) means of those of (n, k, 2) that are used, NaN without any, and (n,) their least scores, or 0."""
    count = used.sum(axis=1)
    total = np.where(used[..., None], pixels, 0.0).sum(axis=1)
    middle = np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], np.nan)
    least = np.where(count > 0, np.where(used, score, 1.0).min(axis=1), 0.0)
    return middle.astype(np.float32), least.astype(np.float32)
