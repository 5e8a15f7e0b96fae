"""A change of level on the plates of one shelf: how much, how surely, and when."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

_CORRELATED = 2
"""Readings that are worth one independent one. Vibration averages out: over a second, plates at rest in the two
AutoCheckout recordings repeat better than independent readings would."""

_FLOOR_G2 = 0.25
"""Least variance of a level, g²: drift, quantisation and what touches the plate without being lifted."""

_WIDEST_G = 20_000.0
"""A plate carries at most 20 kg, so a change has a flat prior density of 1 / 40 kg."""

_SMOOTHING = 6
"""Readings over which progress is smoothed."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What changed between two stretches of rest.

    Attributes:
        plates: (P,) int64, columns that changed.
        delta_g: (P,) float64, grams after minus before.
        covariance_g2: (P, P) float64 of `delta_g`.
        probability: That the level changed at all.
        first, half, last: Rows of the stretch between at which 5, 50 and 95 % of the change had happened.
    """

    plates: NDArray[np.int64]
    delta_g: NDArray[np.float64]
    covariance_g2: NDArray[np.float64]
    probability: float
    first: int
    half: int
    last: int


def describe_change(
    before: NDArray[np.float32], between: NDArray[np.float32], after: NDArray[np.float32], min_plate_g: float
) -> Change | None:
    """Compare the rest before with the rest after.

    Args:
        before: (n, P) readings at rest before the change, grams, n >= 2.
        between: (m, P) readings in which the change happens, m >= 1.
        after: (k, P) readings at rest after it, k >= 2.
        min_plate_g: Plates that change by more than this are part of it.

    Returns:
        The change, or None where no plate changed by more than `min_plate_g`.
    """
    delta_g = after.mean(axis=0, dtype=np.float64) - before.mean(axis=0, dtype=np.float64)
    plates = np.flatnonzero(np.abs(delta_g) > min_plate_g)
    if not len(plates):
        return None
    delta_g = delta_g[plates]
    was, moving, became = (readings[:, plates].astype(np.float64) for readings in (before, between, after))
    covariance_g2 = _covariance(was, became)
    progress = _progress(moving - was.mean(axis=0), delta_g)
    first, half, last = np.minimum(np.searchsorted(progress, (0.05, 0.5, 0.95)), len(progress) - 1).tolist()
    return Change(plates, delta_g, covariance_g2, changed(delta_g, np.diag(covariance_g2)), first, half, last)


def _covariance(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of the difference of the two means.

    Noise is taken to be the same before and after, so the larger of the two estimates counts; a reading that repeats
    the one before it, as where samples were missing, tells nothing new.
    """
    rests = [rest - rest.mean(axis=0) for rest in (before, after)]
    products = sum(rest.T @ rest for rest in rests)
    size = np.sqrt(np.diag(products))
    size[size == 0] = 1
    variance_g2 = np.max([rest.var(axis=0, ddof=1) for rest in rests], axis=0)
    share = sum(1 / np.maximum(1, np.count_nonzero(np.diff(rest, axis=0), axis=0) / _CORRELATED) for rest in rests)
    sd_g = np.sqrt(variance_g2 * share)
    covariance_g2: NDArray[np.float64] = products / np.outer(size, size) * np.outer(sd_g, sd_g)
    return covariance_g2 + 2 * _FLOOR_G2 * np.eye(len(sd_g))


def _progress(moved: NDArray[np.float64], delta_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest share of the change, weighted by plate, seen up to each row."""
    share = moved @ delta_g / (delta_g @ delta_g)
    smooth = np.convolve(share, np.full(_SMOOTHING, 1 / _SMOOTHING), mode="same")[: len(share)]
    return np.maximum.accumulate(smooth)


def changed(delta_g: NDArray[np.float64], variance_g2: NDArray[np.float64]) -> float:
    """Posterior at even odds that one of the plates, whichever, changed by anything (flat density) and not nothing."""
    nothing = -0.5 * (delta_g**2 / variance_g2 + np.log(2 * np.pi * variance_g2))
    odds = np.exp(np.clip(-np.log(2 * _WIDEST_G) - nothing, -700, 700)).mean()
    return float(odds / (1 + odds))
