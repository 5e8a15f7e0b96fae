"""From a network's maps to places of keypoints and how sure they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

REACH = 3
"""Cells around the best one that count as the same place: about a tenth of the box, to which scores are held."""


class Decoded(NamedTuple):
    """Keypoints of n people.

    Attributes:
        points: (n, K, 2) float32, x and y in cells of the map, (0, 0) the middle of the first.
        score: (n, K) float32 in [0, 1]: how surely the keypoint is seen, and there.
    """

    points: NDArray[np.float32]
    score: NDArray[np.float32]


def decode(maps: NDArray[Any], seen: NDArray[Any]) -> Decoded:
    """The best place of each keypoint.

    A map is the logarithm, up to a constant, of a distribution over places. The place is the mean over the cells around
    the best one (soft-argmax, Sun et al. 2018, arXiv:1711.08229, eq. 2, on a window); the score is the share of the
    distribution in there times the probability that the keypoint is seen at all.

    Args:
        maps: (n, K, h, w) float.
        seen: (n, K) float, logits.
    """
    n, count, _, wide = maps.shape
    if not n:
        return Decoded(np.empty((0, count, 2), np.float32), np.empty((0, count), np.float32))
    flat = maps.reshape(n, count, -1).astype(np.float32)
    share = np.exp(flat - flat.max(axis=2, keepdims=True))
    share = (share / share.sum(axis=2, keepdims=True)).reshape(maps.shape)
    best = flat.argmax(axis=2)
    padded = np.pad(share, ((0, 0), (0, 0), (REACH, REACH), (REACH, REACH)))
    around = np.arange(2 * REACH + 1)
    rows, columns = best // wide, best % wide
    person, keypoint = np.arange(n)[:, None, None, None], np.arange(count)[None, :, None, None]
    window = padded[person, keypoint, (rows[..., None] + around)[..., None], (columns[..., None] + around)[:, :, None]]
    mass = window.sum(axis=(2, 3))
    x = (window.sum(axis=2) * around).sum(axis=2) / mass + columns - REACH
    y = (window.sum(axis=3) * around).sum(axis=2) / mass + rows - REACH
    sure = np.minimum(mass, 1.0) / (1 + np.exp(-np.clip(seen, -50, 50)))
    return Decoded(np.stack([x, y], axis=-1).astype(np.float32), sure.astype(np.float32))
