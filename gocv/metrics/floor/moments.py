"""Where shoppers were at the moments at which people were labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_ROUNDING = 1e-6
"""By which part of itself a step of time may be longer than it should be."""


def half_interval_s(moment_s: ArrayLike) -> float:
    """Half the usual time between two labelled moments: half the median of the steps; 0 with fewer than two moments.

    Args:
        moment_s: (k,) float64 s, ascending.

    >>> half_interval_s([0.0, 0.5, 1.0, 3.0])
    0.25
    """
    moments = np.asarray(moment_s, np.float64)
    return float(np.median(np.diff(moments))) / 2 if len(moments) > 1 else 0.0


def positions_at(
    time_s: ArrayLike, shopper: ArrayLike, xy_m: ArrayLike, moment_s: ArrayLike, *, within_s: float
) -> tuple[Index, Index, Array]:
    """Where each shopper was at each moment, as their rows say.

    Of rows before and after a moment that are no more than 2 `within_s` apart, the straight line between them is taken.
    Else the nearest row, if it is less than `within_s` before the moment, or up to `within_s` after it: a row stands
    for one moment at most. So rows as rare as the moments are taken as they are, rows that are more frequent are
    interpolated, and no gap is filled that is longer than the time between two moments. Rows of one shopper at one
    time are averaged. Rows without a place are left out.

    Args:
        time_s: (n,) s, in any order.
        shopper: (n,) whole numbers.
        xy_m: (n, 2) metres.
        moment_s: (k,) s, strictly ascending.
        within_s: Half the time between two moments (`half_interval_s`).

    Returns:
        (m,) int64 index into `moment_s`, ascending; (m,) int64 the shopper; (m, 2) float64 the place.

    Raises:
        DataError: Lengths do not agree, a time is not finite, or the moments do not ascend.

    >>> xy_m = [[0, 0], [2, 0], [4, 0], [9, 0]]
    >>> moment, shopper, at_m = positions_at([0.0, 0.2, 0.4, 2.0], [7, 7, 7, 7], xy_m, [0.3, 1.9], within_s=0.2)
    >>> moment.tolist(), shopper.tolist(), at_m.round(6).tolist()
    ([0, 1], [7, 7], [[3.0, 0.0], [9.0, 0.0]])
    """
    times, owner, places = np.asarray(time_s, np.float64), np.asarray(shopper, np.int64), np.asarray(xy_m, np.float64)
    moments = np.asarray(moment_s, np.float64)
    places = places.reshape(-1, 2) if not places.size else places
    if places.shape != (len(times), 2) or len(owner) != len(times):
        raise DataError(
            f"{len(times)} times, {len(owner)} shoppers, places of shape {places.shape}", expected="(n,), (n,), (n, 2)"
        )
    if not np.isfinite(times).all() or not np.isfinite(moments).all() or (np.diff(moments) <= 0).any():
        raise DataError("a time is not finite, or the moments do not ascend", key="time_s", expected="ascending s")
    known = np.flatnonzero(np.isfinite(places).all(axis=1))
    order = known[np.lexsort((times[known], owner[known]))]
    if not len(order):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 2))
    names, starts = np.unique(owner[order], return_index=True)
    found = [
        (at, np.full(len(at), name), where)
        for name, rows in zip(names, np.split(order, starts[1:]), strict=True)
        for at, where in [_of_one(times[rows], places[rows], moments, within_s)]
    ]
    at, who, where = (np.concatenate(parts) for parts in zip(*found, strict=True))
    by_moment = np.argsort(at, kind="stable")
    return at[by_moment], who[by_moment], where[by_moment]


def _of_one(times: Array, places: Array, moments: Array, within_s: float) -> tuple[Index, Array]:
    """The moments at which one shopper was somewhere, and where; the shopper's rows are in order of time."""
    start = np.flatnonzero(np.diff(times, prepend=-np.inf) > 0)
    places = np.add.reduceat(places, start, axis=0) / np.diff(start, append=len(times))[:, None]
    times = times[start]
    after = np.searchsorted(times, moments)
    before = np.searchsorted(times, moments, side="right") - 1
    inside = (before >= 0) & (after < len(times))
    before, after = np.maximum(before, 0), np.minimum(after, len(times) - 1)
    since_s, until_s = moments - times[before], times[after] - moments
    step_s = np.where(inside, since_s + until_s, np.inf)
    bridged = step_s <= 2 * within_s * (1 + _ROUNDING)
    share = np.where(bridged & (step_s > 0), since_s / np.where(step_s > 0, step_s, 1.0), 0.0)
    where = places[before] + share[:, None] * (places[after] - places[before])
    earlier = ~bridged & (np.abs(since_s) <= np.abs(until_s))
    off_s = np.where(earlier, -since_s, until_s)
    near = (off_s > -within_s) & (off_s <= within_s)
    where = np.where(bridged[:, None], where, np.where(earlier[:, None], places[before], places[after]))
    at = np.flatnonzero(bridged | near)
    return at, where[at]
