"""The search for a way to the next stop that keeps clear of the others: at once or later, straight or swerving."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gocv.sim.crowd import Crowd, Others, room_of, stays_clear
from gocv.sim.detour import detour
from gocv.sim.gait import ROW_S, swerved
from gocv.sim.routes import Floor

Array = NDArray[np.float64]

APART_M = 0.50
"""How near shoppers come to each other of their own will."""
_NEARBY_M = 1.0
"""Who stays farther than this from a way matters to nobody on it."""
_TIGHT_M = 0.32
_CLOSE_BY_M = 0.7
_GOOD_S = 1.7
_GROUPS = (0, 1, 6, 1000)
"""Waits are tried in groups: where a short one does, long ones are not looked at."""
_LATE_ROWS = 50
_OFFSETS_M = np.array([0.45, -0.45, 0.8, -0.8, 1.1, -1.1])
_SWERVES = 3
_HORIZON = 120
_COST_PER_SWERVE_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A way to the next stop.

    Attributes:
        wait: Rows to wait before it.
        leg: (n, 2) position in each row of the walk.
        gap_m: How near others come, at the nearest.
        cost_s: What it costs in time and trouble.
    """

    wait: int
    leg: Array
    gap_m: float
    cost_s: float

    def is_better_than(self, other: Way | None) -> bool:
        """Clear before not clear; of the clear ones the cheaper, of the others the roomier."""
        if other is None:
            return True
        clear = self.gap_m >= APART_M
        if clear != (other.gap_m >= APART_M):
            return clear
        return self.cost_s < other.cost_s if clear else self.gap_m > other.gap_m


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Errand:
    """What a way has to serve.

    Attributes:
        depart: Row at which the walk begins if nobody is in the way.
        here_m: (2,) where to wait before; None if that is outside the store.
        timed: The walk (n, 2) along a curve, at the speed that the errand asks for.
        waits: Rows that one may wait, ascending from 0.
        strict_rows: How many rows the wait and the walk may take together; None if any number.
        due: Row at which to be there; the stay begins then, if one is earlier.
        busy: Rows of the stay.
        leaves_close: Those around the start are not minded.
        comes_close: Those around the end are not minded.
    """

    depart: int
    here_m: Array | None
    timed: Callable[[Array], Array]
    waits: NDArray[np.int64]
    strict_rows: int | None
    due: int
    busy: int
    leaves_close: bool
    comes_close: bool


class Search:
    """Finds a way for one errand.

    Args:
        floor: Where there is room.
        crowd: Who else is inside.
        slack: (p,) added to the distance of each of them.
        errand: What the way is for.

    Attributes:
        best: The best way so far.
        is_taken: Whether somebody is or will be at the end of the way last considered, and nobody on it.
    """

    def __init__(self, floor: Floor, crowd: Crowd, slack: Array, errand: Errand) -> None:
        self.best: Way | None = None
        self.is_taken = False
        self._floor, self._crowd, self._slack, self._errand = floor, crowd, slack, errand
        self._others: Others | None = None
        self._seen = 0

    def is_clear(self) -> bool:
        """Whether a clear way has been found."""
        return self.best is not None and self.best.gap_m >= APART_M

    def is_good(self) -> bool:
        """Whether a clear way at little cost has been found."""
        return self.best is not None and self.best.gap_m >= APART_M and self.best.cost_s <= _GOOD_S

    def consider(self, curve: Array, cost_s: float) -> None:
        """Try a curve, at once and, if that is not clear, after every wait."""
        leg = self._errand.timed(curve)
        waits, taken = self._errand.waits, False
        for first, last in pairwise(_GROUPS):
            if first < len(waits):
                way, _ = self._tried(leg, waits[first:last], cost_s)
                self._keep(way)
                taken = self.is_taken if first == 0 else taken
                if way.gap_m >= APART_M:
                    break
        self.is_taken = taken

    def consider_leg(self, leg: Array, wait: int) -> None:
        """Try a walk (n, 2) that is timed already, after a wait."""
        self._keep(self._tried(leg, np.array([wait]), 0.0)[0])

    def swerve(self, curve: Array) -> None:
        """Bend a curve aside where somebody is in the way, and again where the next one is."""
        now = self._errand.waits[:1]
        way, worst_m = self._tried(self._errand.timed(curve), now, 0.0)
        for turn in range(_SWERVES):
            variants = swerved(curve, worst_m, _OFFSETS_M)
            ahead = self._floor.clear(variants[:, :-1].reshape(-1, 2), variants[:, 1:].reshape(-1, 2))
            found = False
            for variant in variants[ahead.reshape(len(variants), -1).all(axis=1)]:
                cost_s = _COST_PER_SWERVE_S * (turn + 1)
                tried, where_m = self._tried(self._errand.timed(variant), now, cost_s)
                if tried.gap_m > way.gap_m + 0.01:
                    way, worst_m, curve, found = tried, where_m, variant, True
                if way.gap_m >= APART_M:
                    break
            if not found or way.gap_m >= APART_M:
                break
        self._keep(way)

    def go_around(self, curve: Array) -> None:
        """Search in space and time for a way through the crowd."""
        errand = self._errand
        wait = self.best.wait if self.best is not None and errand.here_m is None else 0
        timed = len(errand.timed(curve))
        horizon = 2 * timed + _HORIZON if errand.strict_rows is None else errand.strict_rows - wait
        if horizon < 1:
            return
        stay = max(errand.due - errand.depart, 0) + errand.busy
        others = self._window(wait + horizon + stay + 1).since(wait)
        arrive = np.ones(horizon, dtype=bool)
        if not errand.comes_close:
            until = np.maximum(errand.due - errand.depart - wait, np.arange(horizon)) + errand.busy
            arrive = stays_clear(others, curve[-1], until, APART_M)
        near_m = 0.0 if errand.leaves_close or errand.comes_close else APART_M
        leg = detour(self._floor, others, curve, arrive, near_m)
        if leg is not None:
            self._keep(self._tried(leg, np.array([wait]), (len(leg) - timed) * ROW_S)[0])

    def consider_late(self, curve: Array) -> None:
        """Rather late than through somebody: more waits, where no way leaves even a little room."""
        if self.best is not None and self.best.gap_m < _TIGHT_M:
            last = int(self._errand.waits[-1])
            way, _ = self._tried(self._errand.timed(curve), np.arange(last, last + _LATE_ROWS, 5), 0.0)
            self._keep(way)

    def _keep(self, way: Way) -> None:
        if way.is_better_than(self.best):
            self.best = way

    def _tried(self, leg: Array, waits: NDArray[np.int64], cost_s: float) -> tuple[Way, Array]:
        """The best of the waits before a leg, and where it is narrowest without any."""
        errand = self._errand
        first, last = 0, len(leg)
        if errand.leaves_close and errand.here_m is not None:
            first = int((np.hypot(*(leg - errand.here_m).T) > _CLOSE_BY_M).argmax())
        if errand.comes_close:
            last = max(first + 1, int((np.hypot(*(leg - leg[-1]).T) > _CLOSE_BY_M).sum()))
            stays = np.zeros(len(waits), dtype=np.int64)
        else:
            stays = np.maximum(errand.due - (errand.depart + waits + len(leg)), 0) + errand.busy
        here = None if errand.leaves_close else errand.here_m
        others = self._window(int((waits + stays).max()) + len(leg) + 1).around(leg, _NEARBY_M)
        room = room_of(others, here, leg[first:last], waits + first, stays)
        cost = cost_s + (waits * ROW_S)
        clear = room.gap_m >= APART_M
        self.is_taken = room.gap_m[0] < APART_M <= room.passing_m
        pick = int(np.where(clear, cost, np.inf).argmin()) if clear.any() else int(room.gap_m.argmax())
        way = Way(int(waits[pick]), leg, float(room.gap_m[pick]), float(cost[pick]))
        return way, leg[first:last][room.worst]

    def _window(self, rows: int) -> Others:
        if self._others is None or self._seen < rows:
            self._seen = rows + 40
            self._others = self._crowd.window(self._errand.depart + 1, self._seen, self._slack)
        return self._others
