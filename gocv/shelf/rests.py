"""Where an event falls into several: rests within it, and plates far apart.

Two shoppers at one shelf, or one who takes quickly one thing after the other, leave no stable run between them that
would close an event. What they do still shows as steps with short rests in between, or on plates that are not
neighbours. (Splitting events gained the winner of the AutoCheckout competition 5.6 points of F1.)
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

_CLEAR_G = 25.0
"""Steps smaller than this on every plate (hands leaning, things settling) stay with the step beside them."""

_APART = 3
"""Plates this far apart along the shelf, with nothing changed between them, were not moved by one thing."""


def rests_within(
    before: NDArray[np.float32], between: NDArray[np.float32], after: NDArray[np.float32], length: int, still_g: float
) -> list[slice]:
    """Rests that part one step of an event from the next.

    Args:
        before: (n, P) readings at rest before the event, grams.
        between: (m, P) readings of the event.
        after: (k, P) readings at rest after it.
        length: Shortest rest, readings, at least 2.
        still_g: Plates whose level changes by no more than this (and no more than noise does) are at rest.

    Returns:
        Rows of `between`, in order. Each rest has a clear step on either side, and the two do not undo one another on
        the plate that moved most: pressing on goods before they are lifted is no put-down.
    """
    levels = [before.mean(axis=0), after.mean(axis=0)]
    rests = _still(between, length, np.maximum(still_g, 4 * before.std(axis=0) / np.sqrt(length / 4)))
    while rests:
        middle = [between[rest].mean(axis=0) for rest in rests]
        steps = np.diff(np.stack([levels[0], *middle, levels[1]]), axis=0)
        unclear = np.array([not _are_two(a, b) for a, b in itertools.pairwise(steps)])
        if not unclear.any():
            break
        smaller = np.minimum(np.abs(steps[:-1]).max(axis=1), np.abs(steps[1:]).max(axis=1))
        rests.pop(int(np.argmin(np.where(unclear, smaller, np.inf))))
    return rests


def clusters(plates: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Columns of plates that changed, parted where none between two of them did.

    >>> [c.tolist() for c in clusters(np.array([0, 1, 3, 7]))]
    [[0, 1, 3], [7]]
    """
    return np.split(plates, np.flatnonzero(np.diff(plates) >= _APART) + 1)


def _are_two(step: NDArray[np.float32], following: NDArray[np.float32]) -> bool:
    if min(np.abs(step).max(), np.abs(following).max()) < _CLEAR_G:
        return False
    main = int(np.argmax(np.abs(step) + np.abs(following)))
    return bool(step[main] * following[main] >= 0)


def _still(readings: NDArray[np.float32], length: int, limit_g: NDArray[np.floating]) -> list[slice]:
    half = length // 2
    if len(readings) < 2 * half:
        return []
    total = np.cumsum(np.concatenate([np.zeros((1, readings.shape[1])), readings]), axis=0)
    mean = (total[half:] - total[:-half]) / half
    quiet = (np.abs(mean[half:] - mean[:-half]) <= limit_g).all(axis=1)
    edges = np.flatnonzero(np.diff(quiet, prepend=False, append=False)).reshape(-1, 2)
    return [slice(int(a), int(b) - 1 + 2 * half) for a, b in edges]
