"""Shoppers: where they are, which way they face, what their hands do, and the joints that follow from it."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.sim.figure import Bend, arms, hanging, trunk
from gocv.sim.gait import ROW_S
from gocv.sim.load_changes import minimum_jerk

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

STEP_S = 0.02
"""Acts are done on multiples of this."""
_TURN_ROWS = 7
_STRIDE_M = 1.4
_STILL_M = 1e-3
_SWING = 0.07
_BOB_M = 0.012
_SWAY_RAD = 0.012
_GLANCE_RAD = 0.035


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """A hand that goes to a place, stays there, and comes back.

    Attributes:
        time_s: The moment it is for; the hand is there then.
        hand: 0 the left one, 1 the right one.
        target_m: (3,) where the wrist goes, in the store's frame.
        from_s: Since when it is there.
        until_s: Until when.
        out_s: How long it takes to get there.
        back_s: How long it takes to come back.
        bend: What the trunk does for it.
    """

    time_s: float
    hand: int
    target_m: Array
    from_s: float
    until_s: float
    out_s: float
    back_s: float
    bend: Bend

    def share(self, time_s: Array) -> Array:
        """(m,) how far the hand has come at each time: 0 hanging, 1 there."""
        out = minimum_jerk((time_s - self.from_s) / self.out_s + 1.0)
        back = minimum_jerk((time_s - self.until_s) / max(self.back_s, 1e-9))
        return np.asarray(out * (1.0 - back))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where a shopper is, and which way they face, from coming in to leaving.

    Attributes:
        name: Of the shopper.
        height_m: From the floor to the top of the head.
        start_s: Time of the first row, a multiple of `ROW_S`.
        xy_m: (n, 2) on the floor, a row each `ROW_S`.
        outlook: (n, 2) unit vectors.
        reaches: In order of time.
        again: Name that the same person had when they came in for the first time; None where this is that time.
    """

    name: str
    height_m: float
    start_s: float
    xy_m: Array
    outlook: Array
    reaches: tuple[Reach, ...]
    again: str | None = None

    @property
    def person(self) -> str:
        """The same for each time that somebody comes in: the name that they had first."""
        return self.name if self.again is None else self.again

    @property
    def end_s(self) -> float:
        """Time of the last row."""
        return self.start_s + (len(self.xy_m) - 1) * ROW_S

    def at(self, time_s: Array, of: Array) -> Array:
        """(m, k) rows of `of` (n, k), such as `xy_m`, at times; its ends held before and after.

        A cubic through the rows (Catmull & Rom 1974), so that speeds do not jump from row to row.
        """
        last = len(of) - 1
        steps = np.clip((time_s - self.start_s) / ROW_S, 0.0, last)
        row = np.minimum(steps.astype(np.int64), max(last - 1, 0))
        u = (steps - row)[:, None]
        before, here, there, after = (of[np.clip(row + k, 0, last)] for k in (-1, 0, 1, 2))
        bend = 2 * before - 5 * here + 4 * there - after + u * (3 * (here - there) + after - before)
        return np.asarray(here + 0.5 * u * (there - before + u * bend))

    def joints_m(self, time_s: Array) -> Array:
        """(m, 8, 3) in the order of `JOINTS`: a figure that walks, sways, bends and reaches."""
        xy = self.at(time_s, self.xy_m)
        forward = self.at(time_s, self.outlook)
        forward = forward / np.hypot(forward[:, 0], forward[:, 1])[:, None]
        phase, pace = self._strides(time_s)
        tilt, glance, drop = self._fidgets(time_s, phase, pace, forward)
        twist = 0.06 * pace * np.sin(phase + np.pi)
        pull, place, bent = self._hands(time_s)
        head, neck, shoulders = trunk(
            self.height_m, xy, forward, tilt + bent[:, :2], drop + bent[:, 2], twist + bent[:, 3]
        )
        head[:, :2] += glance
        wrists = hanging(self.height_m, shoulders, forward, _SWING * self.height_m * pace * np.sin(phase))
        wrists += pull[:, :, None] * (place - wrists)
        elbows, wrists = arms(self.height_m, shoulders, wrists, forward)
        return np.concatenate([head[:, None], neck[:, None], shoulders, elbows, wrists], axis=1)

    def _strides(self, time_s: Array) -> tuple[Array, Array]:
        """(m,) phase of the stride, and how much of a walk it is: 0 standing, 1 walking."""
        step = np.diff(self.xy_m, axis=0)
        walked = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
        rows = (time_s - self.start_s) / ROW_S
        index = np.arange(len(walked))
        ahead, behind = np.interp(rows + 2.0, index, walked), np.interp(rows - 2.0, index, walked)
        phase = 2 * np.pi * np.interp(rows, index, walked) / _STRIDE_M
        return phase, np.clip((ahead - behind) / (4 * ROW_S), 0.0, 1.0)

    def _fidgets(self, time_s: Array, phase: Array, pace: Array, forward: Array) -> tuple[Array, Array, Array]:
        """Small movements that are always there: tilt of the trunk (m, 2), of the head (m, 2), drop (m,)."""
        own = zlib.crc32(self.name.encode()) * np.array([1.0, 0.37, 0.73, 0.19])  # so that no two sway in step
        slow = np.sin(2 * np.pi * time_s[:, None] / np.array([3.1, 4.7, 6.3, 7.9]) + own)
        sway = _SWAY_RAD * (slow[:, :2] + slow[:, 2:]) / 2
        left = np.stack([-forward[:, 1], forward[:, 0]], axis=1)
        glance = _GLANCE_RAD * self.height_m / 2 * (slow[:, 1] * slow[:, 3])[:, None] * left
        return sway, glance, _BOB_M * pace * (1.0 + np.cos(2 * phase))

    def _hands(self, time_s: Array) -> tuple[Array, Array, Array]:
        """How far each hand is drawn (m, 2) to which place (m, 2, 3), and tilt, drop, twist (m, 4) of the trunk."""
        m = len(time_s)
        rest, weight, place = np.ones((m, 2)), np.zeros((m, 2)), np.zeros((m, 2, 3))
        bent, strength = np.zeros((m, 4)), np.full(m, 1e-9)
        ordered = bool((time_s[1:] >= time_s[:-1]).all())
        for reach in self.reaches:
            first, last = reach.from_s - reach.out_s, reach.until_s + reach.back_s
            if ordered:
                rows: slice | Rows = slice(*np.searchsorted(time_s, (first, last)))
            else:
                rows = np.flatnonzero((time_s > first) & (time_s < last))
            share = reach.share(time_s[rows])
            rest[rows, reach.hand] *= 1.0 - share
            weight[rows, reach.hand] += share
            place[rows, reach.hand] += share[:, None] * reach.target_m
            # Of two hands that reach, the trunk serves the one that is there before the one that is on its way.
            pull = share / (1.02 - share)
            trunk_bend = np.array([*reach.bend.tilt_rad, reach.bend.drop_m, reach.bend.twist_rad])
            bent[rows] += pull[:, None] * trunk_bend
            strength[rows] += pull
        bent *= ((1.0 - rest.prod(axis=1)) / strength)[:, None]
        return 1.0 - rest, place / np.maximum(weight, 1e-9)[:, :, None], bent


class Route:
    """A motion under construction: walks and stands, one after the other, in rows of `ROW_S`.

    Args:
        row: Number of the first row, counted from time 0, when the shopper appears.
        xy_m: (2,) where.
        outlook: (2,) unit vector, which way they look.
    """

    def __init__(self, row: int, xy_m: Array, outlook: Array) -> None:
        self._first = row
        self._xy = [np.asarray(xy_m, dtype=np.float64)[None]]
        self._outlook = [np.asarray(outlook, dtype=np.float64)[None]]
        self._rows = 1

    @property
    def row(self) -> int:
        """Number of the last row so far."""
        return self._first + self._rows - 1

    @property
    def here_m(self) -> Array:
        """(2,) position in the last row so far."""
        return np.asarray(self._xy[-1][-1])

    def stand(self, until_row: int, outlook: Array) -> None:
        """Wait where we are; nothing where that is past."""
        rows = until_row - self.row
        if rows > 0:
            self._extend(np.repeat(self.here_m[None], rows, axis=0), np.repeat(outlook[None], rows, axis=0))

    def walk(self, leg: Array) -> None:
        """Go along (n, 2) rows, looking ahead; who pauses on the way keeps looking where they did."""
        ahead = np.gradient(np.concatenate([self.here_m[None], leg]), axis=0)[1:]
        length = np.hypot(ahead[:, 0], ahead[:, 1])
        unit = np.concatenate([self._outlook[-1][-1:], ahead / np.maximum(length, 1e-9)[:, None]])
        moving = np.concatenate([[True], length > _STILL_M])
        self._extend(leg, unit[np.maximum.accumulate(np.where(moving, np.arange(len(unit)), 0))][1:])

    def finish(self, name: str, height_m: float, reaches: Sequence[Reach]) -> Motion:
        """The motion, turns smoothed: nobody turns on the spot in an instant."""
        outlook = np.concatenate(self._outlook)
        angle = np.unwrap(np.arctan2(outlook[:, 1], outlook[:, 0]))
        window = np.convolve(np.full(_TURN_ROWS, 1 / _TURN_ROWS), np.full(3, 1 / 3))
        angle = np.convolve(np.pad(angle, len(window) // 2, mode="edge"), window, mode="valid")
        smooth = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return Motion(name, height_m, self._first * ROW_S, np.concatenate(self._xy), smooth, tuple(reaches))

    def _extend(self, xy: Array, outlook: Array) -> None:
        self._xy.append(xy)
        self._outlook.append(outlook)
        self._rows += len(xy)
