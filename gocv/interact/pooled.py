"""What hands looked like, on the grid of the paths: cameras pooled, a value each tenth of a second."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import HandLooks
from gocv.interact.paths import STEP_S, ShopperPath

Array = NDArray[np.float64]

_SURE = 0.001
"""No single picture is surer than this."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PooledLooks:
    """Looks of one shopper's hands, row by row of their path.

    Attributes:
        logit: (n, 2) float64, log odds that something is in the left and in the right hand; NaN where not looked at.
        top: (n, 2) float64, the same in the camera that is surest of it: others may not see the hand.
        vector: (n, 2, D) float64 of length 1, what is in it; NaN where not looked at.
    """

    logit: Array
    top: Array
    vector: Array


def pooled_looks(looks: HandLooks, path: ShopperPath) -> PooledLooks:
    """Pool the looks of a shopper: log odds and vectors are means over the cameras.

    Cameras err together (the same goods lie behind the hand in all), so a mean is taken and no product.

    Args:
        looks: Of any shoppers, in any order of time.
        path: Of the shopper.
    """
    n, dims = len(path.joints_m), looks.vector.shape[1] if looks.vector.ndim == 2 else 0
    logit, top, vector = np.full((n, 2), np.nan), np.full((n, 2), np.nan), np.full((n, 2, dims), np.nan)
    if path.shopper not in looks.shoppers:
        return PooledLooks(logit, top, vector)
    own = np.flatnonzero(looks.shopper == looks.shoppers.index(path.shopper))
    row = np.rint(looks.time_s[own] / STEP_S).astype(np.int64) - path.first
    fits = (row >= 0) & (row < n) & np.isfinite(looks.holds[own]) & np.isin(looks.hand[own], (0, 1))
    own, row = own[fits], row[fits]
    cell = 2 * row + looks.hand[own]
    count = np.bincount(cell, minlength=2 * n)
    holds = np.clip(looks.holds[own].astype(np.float64), _SURE, 1 - _SURE)
    odds = np.log(holds / (1 - holds))
    total = np.bincount(cell, odds, minlength=2 * n)
    seen = count > 0
    logit.reshape(-1)[seen] = total[seen] / count[seen]
    np.fmax.at(top.reshape(-1), cell, odds)
    if dims:
        order = np.argsort(cell, kind="stable")
        first = np.flatnonzero(np.diff(cell[order], prepend=-1))
        if len(first):
            sums = np.add.reduceat(looks.vector[own][order].astype(np.float64), first, axis=0)
            vector.reshape(2 * n, dims)[cell[order][first]] = unit(sums)
    return PooledLooks(logit, top, vector)


def unit(vectors: Array) -> Array:
    """Vectors of length 1; what has no length stays."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))


def cosine(one: Array, other: Array) -> Array:
    """Of vectors of length 1, which may be NaN: then NaN. So it is where they have no dimension."""
    return np.asarray(
        (one * other).sum(axis=-1)
        if one.shape[-1]
        else np.full(np.broadcast_shapes(one.shape[:-1], other.shape[:-1]), np.nan)
    )
