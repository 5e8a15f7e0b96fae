"""Shoppers: how they walk, how they reach, and what a tracker of their joints would see of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from gocv.core import JOINTS, FloorTracks
from gocv.sim.scales import minimum_jerk

Array = NDArray[np.float64]

STEP_S = 0.02
"""Resolution of a motion; everything in it starts and ends on a multiple of this."""
_RAMP_S = 0.6
_TURN_S = 0.6
_STRIDE_M = 1.4
_STEP_BACK_M = 1.0
_UPPER_ARM_M, _FOREARM_M = 0.30, 0.27


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """A hand that goes to a place and comes back.

    Attributes:
        time_s: When the hand is there.
        out_s: How long it takes to get there, and back again.
        target_m: (3,) where, in the store's frame.
    """

    time_s: float
    out_s: float
    target_m: Array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where a shopper is, and which way they face, from coming in to leaving.

    Attributes:
        name: Of the shopper.
        height_m: From the floor to the top of the head.
        start_s: Time of the first row.
        xy_m: (n, 2) on the floor, a row each `STEP_S`.
        outlook: (n, 2) unit vectors.
        reaches: In order of time.
    """

    name: str
    height_m: float
    start_s: float
    xy_m: Array
    outlook: Array
    reaches: tuple[Reach, ...]

    @property
    def end_s(self) -> float:
        """Time of the last row."""
        return self.start_s + (len(self.xy_m) - 1) * STEP_S

    def at(self, time_s: Array, of: Array) -> Array:
        """(m, k) rows of `of` (n, k), such as `xy_m`, interpolated at times; its ends held before and after."""
        steps = (time_s - self.start_s) / STEP_S
        rows = np.arange(len(of))
        return np.stack([np.interp(steps, rows, of[:, k]) for k in range(of.shape[1])], axis=1)

    def joints_m(self, time_s: Array) -> Array:
        """(m, 8, 3) in the order of `JOINTS`: a walking figure whose nearer hand does the reaching."""
        xy = self.at(time_s, self.xy_m)
        forward = self.at(time_s, self.outlook)
        forward = np.pad(forward / np.linalg.norm(forward, axis=1, keepdims=True), ((0, 0), (0, 1)))
        leftward = np.stack([-forward[:, 1], forward[:, 0], np.zeros(len(forward))], axis=1)
        ground, h = np.pad(xy, ((0, 0), (0, 1))), self.height_m
        side = np.array([1.0, -1.0])[None, :, None]
        shoulders = ground[:, None] + side * 0.11 * h * leftward[:, None] + np.array([0.0, 0.0, 0.81 * h])
        walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(self.xy_m, axis=0), axis=1))])
        swing = 0.12 * np.sin(2 * np.pi * self.at(time_s, walked[:, None]) / _STRIDE_M)[:, :, None]
        wrists = shoulders + (0.10 + side * swing) * forward[:, None] + np.array([0.0, 0.0, -0.29 * h])
        lean = np.zeros((len(time_s), 3))
        for reach in self.reaches:
            self._reach(reach, time_s, shoulders, wrists, lean)
        shoulders += lean[:, None]
        elbows = _elbows(shoulders, wrists, forward)
        neck = ground + np.array([0.0, 0.0, 0.845 * h]) + lean
        head = ground + np.array([0.0, 0.0, 0.93 * h]) + 0.03 * forward + lean
        return np.stack([head, neck, *(p[:, k] for p in (shoulders, elbows, wrists) for k in (0, 1))], axis=1)

    def _reach(self, reach: Reach, time_s: Array, shoulders: Array, wrists: Array, lean: Array) -> None:
        """Bend one arm, and as far as the arm is short the body, towards the target (in place)."""
        near = np.flatnonzero(np.abs(time_s - reach.time_s) < reach.out_s)
        if not len(near):
            return
        share = minimum_jerk((reach.out_s - np.abs(time_s[near] - reach.time_s)) / (reach.out_s * 0.85))[:, None]
        gap = reach.target_m - shoulders[near]
        hand = int(np.linalg.norm(gap, axis=2).sum(axis=0).argmin())
        distance = np.linalg.norm(gap[:, hand], axis=1, keepdims=True)
        short = np.maximum(distance - 0.96 * (_UPPER_ARM_M + _FOREARM_M), 0.0)
        wrists[near, hand] += share * (reach.target_m - wrists[near, hand])
        lean[near] = np.maximum(share, 0.0) * short * gap[:, hand] / distance


def _elbows(shoulders: Array, wrists: Array, forward: Array) -> Array:
    """(m, 2, 3) where two bones of fixed length meet, bent down and backwards."""
    arm = wrists - shoulders
    length = np.linalg.norm(arm, axis=2, keepdims=True)
    reach = np.minimum(length, _UPPER_ARM_M + _FOREARM_M)
    along = (_UPPER_ARM_M**2 - _FOREARM_M**2 + reach**2) / (2 * reach)
    bend = np.sqrt(np.maximum(_UPPER_ARM_M**2 - along**2, 0.0))
    pole = (np.array([0.0, 0.0, -1.0]) - forward)[:, None]
    pole = pole - (pole * arm).sum(axis=2, keepdims=True) / length**2 * arm
    return np.asarray(shoulders + along * arm / length + bend * pole / np.linalg.norm(pole, axis=2, keepdims=True))


class Route:
    """A motion under construction: legs and stops, one after the other.

    Args:
        start_s: When the shopper appears; rounded to `STEP_S`.
        xy_m: (2,) where.
        outlook: (2,) unit vector, which way they look.
    """

    def __init__(self, start_s: float, xy_m: Array, outlook: Array) -> None:
        self._first = round(start_s / STEP_S)
        self._xy = [np.asarray(xy_m, dtype=np.float64)[None]]
        self._outlook = [np.asarray(outlook, dtype=np.float64)[None]]
        self._steps = 1

    @property
    def now_s(self) -> float:
        """Time of the last row so far."""
        return (self._first + self._steps - 1) * STEP_S

    @property
    def here_m(self) -> Array:
        """(2,) position in the last row so far."""
        return np.asarray(self._xy[-1][-1])

    def stand(self, until_s: float, outlook: Array) -> None:
        """Wait where we are."""
        steps = max(0, round(until_s / STEP_S) - (self._first + self._steps - 1))
        self._extend(np.repeat(self.here_m[None], steps, axis=0), np.repeat(outlook[None], steps, axis=0))

    def walk(self, leg: Array) -> None:
        """Go along a leg, as `leg_to` makes it."""
        ahead = np.gradient(np.concatenate([self.here_m[None], leg]), axis=0)[1:]
        length = np.linalg.norm(ahead, axis=1, keepdims=True)
        self._extend(leg, ahead / np.maximum(length, 1e-9))

    def finish(self, name: str, height_m: float, reaches: Sequence[Reach]) -> Motion:
        """The motion, turns smoothed: nobody turns on the spot in an instant."""
        outlook = np.concatenate(self._outlook)
        angle = np.unwrap(np.arctan2(outlook[:, 1], outlook[:, 0]))
        width = round(_TURN_S / STEP_S) | 1
        angle = np.convolve(np.pad(angle, width // 2, mode="edge"), np.ones(width) / width, mode="valid")
        smooth = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return Motion(name, height_m, self._first * STEP_S, np.concatenate(self._xy), smooth, tuple(reaches))

    def _extend(self, xy: Array, outlook: Array) -> None:
        if len(xy):
            self._xy.append(xy)
            self._outlook.append(outlook)
            self._steps += len(xy)


def leg_to(start_m: Array, end_m: Array, away: Array, speed_m_s: float, bend_m: float = 0.0) -> Array:
    """(n, 2) positions after each `STEP_S` of a walk from one shelf to another.

    A cubic Bézier curve that steps back from the one, goes through the middle of the shop and up to the other, so
    that it keeps clear of those who stand at the shelves. The speed rises, holds at `speed_m_s` and falls smoothly;
    on a short leg it stays lower.

    Args:
        start_m: (2,) from where.
        end_m: (2,) to where.
        away: (2, 2) unit vectors away from what stands at the start and at the end.
        speed_m_s: Of the stretch between.
        bend_m: Swerve to the left of it.
    """
    straight = end_m - start_m
    length = max(float(np.linalg.norm(straight)), 1e-9)
    swerve = 4 / 3 * bend_m * np.array([-straight[1], straight[0]]) / length
    control = np.stack([start_m, end_m]) + min(_STEP_BACK_M, 0.6 * length) * away + swerve
    u = np.linspace(0.0, 1.0, 201)[:, None]
    inner = 3 * u * (1 - u) * ((1 - u) * control[0] + u * control[1])
    curve = (1 - u) ** 3 * start_m + inner + u**3 * end_m
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    speed = min(speed_m_s, way[-1] / (2 * _RAMP_S))
    steps = max(1, int(np.ceil((way[-1] / max(speed, 1e-9) + _RAMP_S) / STEP_S)))
    time = np.arange(1, steps + 1) * STEP_S
    rate = minimum_jerk(time / _RAMP_S) * minimum_jerk((steps * STEP_S - time) / _RAMP_S)
    done = np.cumsum(rate) / max(float(rate.sum()), 1e-9) * way[-1]
    return np.stack([np.interp(done, way, curve[:, k]) for k in (0, 1)], axis=1)


def observe(
    motions: Sequence[Motion], rng: np.random.Generator, *, rate_hz: float = 10.0, noise_m: float = 0.013
) -> FloorTracks:
    """The joints as a tracker would give them: noisy, with drop-outs in runs, the hands more often than the head.

    Args:
        motions: Of every shopper.
        rng: Stream of random numbers.
        rate_hz: Rows a second, on one grid for all shoppers.
        noise_m: Standard deviation of each coordinate; a third of its variance carries over to the next row.
    """
    tables = [_observe_one(motion, i, rng, rate_hz, noise_m) for i, motion in enumerate(motions)]
    columns = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
    order = np.lexsort((columns["shopper"], columns["time_s"]))
    return FloorTracks(tuple(m.name for m in motions), **{key: value[order] for key, value in columns.items()})


def _observe_one(
    motion: Motion, index: int, rng: np.random.Generator, rate_hz: float, noise_m: float
) -> dict[str, NDArray[np.generic]]:
    time = np.arange(np.ceil(motion.start_s * rate_hz), np.floor(motion.end_s * rate_hz) + 1) / rate_hz
    n, kept = len(time), 1 / 3
    error = lfilter([np.sqrt(1 - kept)], [1.0, -np.sqrt(kept)], rng.standard_normal((n, len(JOINTS), 3)), axis=0)
    joints = motion.joints_m(time) + noise_m * error
    lost_per_row = np.array([0.004, 0.004, 0.006, 0.006, 0.01, 0.01, 0.015, 0.015])
    lost = np.zeros((n, len(JOINTS)), dtype=bool)
    for row, joint in np.argwhere(rng.random((n, len(JOINTS))) < lost_per_row):
        lost[row : row + rng.integers(1, 5), joint] = True
    joints[lost] = np.nan
    score = np.where(lost, 0.0, np.clip(rng.normal(0.93, 0.03, lost.shape), 0.5, 1.0))
    ground = motion.at(time, motion.xy_m) + noise_m * rng.standard_normal((n, 2))
    return {
        "time_s": time,
        "shopper": np.full(n, index, dtype=np.int64),
        "xy_m": ground,
        "covariance_m2": np.tile(np.eye(2) * noise_m**2, (n, 1, 1)),
        "joints_m": joints,
        "joint_score": score,
    }
