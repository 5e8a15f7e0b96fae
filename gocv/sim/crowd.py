"""Who is in the store at a time, and how much room they leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.sim.gait import ROW_S
from gocv.sim.shoppers import Motion

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

_NOWHERE_M = 1e6


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Where others are in a span of rows.

    Attributes:
        xy_m: (2, p, t) in the store's frame; far away where they are not inside.
        slack_m: (p,) how much nearer than others one may come to each.
        low_m: (2, p) corner of the rectangle in which each one stays.
        high_m: (2, p) the other corner.
    """

    xy_m: Array
    slack_m: Array
    low_m: Array
    high_m: Array

    def around(self, places_m: Array, margin_m: float) -> Others:
        """Those who may come within a margin of any of (n, 2) places."""
        low, high = places_m.min(axis=0) - margin_m, places_m.max(axis=0) + margin_m
        near = ((self.low_m <= high[:, None]) & (self.high_m >= low[:, None])).all(axis=0)
        if near.all():
            return self
        return Others(self.xy_m[:, near], self.slack_m[near], self.low_m[:, near], self.high_m[:, near])

    def since(self, row: int) -> Others:
        """The same from a row of theirs on."""
        return dataclasses.replace(self, xy_m=self.xy_m[:, :, row:])


class Crowd:
    """The motions of those who are inside; those who have left are forgotten."""

    def __init__(self) -> None:
        self._motions: list[tuple[int, Motion]] = []

    def __len__(self) -> int:
        return len(self._motions)

    def add(self, motion: Motion) -> None:
        """Let somebody in."""
        self._motions.append((round(motion.start_s / ROW_S), motion))

    def forget(self, time_s: float) -> None:
        """Drop those who have left by then."""
        self._motions = [(row, motion) for row, motion in self._motions if motion.end_s >= time_s]

    def window(self, row: int, rows: int, slack: Array) -> Others:
        """Where everybody is from a row on, for so many rows."""
        xy = np.full((2, len(self._motions), rows), _NOWHERE_M)
        for person, (first, motion) in enumerate(self._motions):
            start, stop = max(first, row), min(first + len(motion.xy_m), row + rows)
            if start < stop:
                xy[:, person, start - row : stop - row] = motion.xy_m[start - first : stop - first].T
        return Others(
            xy, slack, xy.min(axis=2), np.where(xy < _NOWHERE_M, xy, -_NOWHERE_M).max(axis=2, initial=-np.inf)
        )

    def slack(self, near: Sequence[str], slack_m: float) -> Array:
        """(p,) how much nearer than others one may come to each: `slack_m` for those named, otherwise 0."""
        return np.array([slack_m if motion.name in near else 0.0 for _, motion in self._motions])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What room a way leaves for each time that one may wait before it.

    Attributes:
        gap_m: (w,) smallest distance to anybody, for each wait.
        passing_m: The same of the walk alone, after the first of the waits.
        worst: Row of the leg at which that is smallest.
    """

    gap_m: Array
    passing_m: float
    worst: int


def room_of(others: Others, here_m: Array | None, leg: Array, waits: Rows, stays: Rows) -> Room:
    """How near others come to somebody who waits, walks a leg, and stays at its end.

    Args:
        others: Where they are, from now on.
        here_m: (2,) where the waiting happens; None if that is outside.
        leg: (n, 2) the walk.
        waits: (w,) rows to wait before it, ascending.
        stays: (w,) rows to stay after it, for each wait.
    """
    if not others.xy_m.shape[1]:
        return Room(np.full(len(waits), np.inf), np.inf, 0)
    n = len(leg)
    rows = waits[:, None] + np.arange(n)
    square = _square(others.xy_m[:, :, rows], leg.T[:, None, None])  # (p, w, n)
    gap = (np.sqrt(square.min(axis=2)) + others.slack_m[:, None]).min(axis=0)
    passing_m = float(gap[0])
    worst = int(square[:, 0].min(axis=0).argmin())
    if stays.any():
        from_end = np.append(_nearest(others, leg[-1]), np.inf)
        spans = np.stack([waits + n, waits + n + stays], axis=1)
        gap = np.minimum(gap, np.where(stays > 0, np.minimum.reduceat(from_end, spans.ravel())[::2], np.inf))
    if here_m is not None and waits[-1] > 0:
        from_here = _nearest(others, here_m)[: waits[-1]]
        waiting = np.minimum.accumulate(np.concatenate([[np.inf], from_here]))
        gap = np.minimum(gap, waiting[waits])
    return Room(gap, passing_m, worst)


def stays_clear(others: Others, place_m: Array, until: Rows, apart_m: float) -> NDArray[np.bool_]:
    """(n,) whether somebody at a place from row i on until row `until[i]` is at least `apart_m` from everybody.

    Args:
        others: Where they are.
        place_m: (2,) the place.
        until: (n,) row after the last, for each row of arrival.
        apart_m: How near they may come.
    """
    if not others.xy_m.shape[1]:
        return np.ones(len(until), dtype=bool)
    near = np.concatenate([[0], np.cumsum(_nearest(others, place_m) < apart_m)])
    last = np.minimum(until, len(near) - 1)
    return np.asarray(near[last] == near[np.arange(len(until))])


def _nearest(others: Others, place_m: Array) -> Array:
    """(t,) distance of whoever is nearest to a place."""
    square = _square(others.xy_m, place_m[:, None, None])
    return np.asarray((np.sqrt(square) + others.slack_m[:, None]).min(axis=0))


def _square(others: Array, xy_m: Array) -> Array:
    """Squares of distances; x and y come apart in the first axis, as numpy is quick with long rows."""
    x, y = others[0] - xy_m[0], others[1] - xy_m[1]
    return np.asarray(x * x + y * y)
