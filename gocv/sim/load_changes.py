"""What a hand does to a shelf: lifts, put-downs, and leaning on it, as grams over time."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError
from gocv.sim.checks import check_number

Array = NDArray[np.float64]

_RING_HZ, _RING_DECAY_S = 6.0, 0.16
_RING_ENDS_S = 2.0  # what is left of the ringing then is under 4 millionths of it
_APPROACH_S, _LET_GO_S = 0.35, 0.15
"""How long before a lift the hand is there, and how long it takes to bear down or let go."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LoadChange:
    """Something put on a shelf or taken from it, or a hand that leans on it.

    Before `start_s` it adds exactly nothing to what the plates carry, from `settled_s` on exactly `delta_g`.

    Defaults are an abrupt change; real ones, as far as three measured takes say, move all the weight within 0.07 to
    0.08 s, after a press of 30 to 50 g.

    Attributes:
        time_s: When half of the weight has moved, on the clock of the times handed to `ShelfScales.read`. For a
            press without any change, its middle.
        duration_s: From the first gram to the last, a pause not counted; long for a slow lift. For a press without
            any change, how long the hand takes to bear down and to let go, together.
        delta_g: (P,) float64, what comes onto each plate of the shelf; negative where taken. Both signs are allowed
            (a thing pushed from plate to plate). All zero: nothing changes, somebody leans on the shelf.
        press_g: Weight of the hand on the shelf: before a lift, after a put-down.
        overshoot: Share of the change by which the plates first go too far: they ring and bounce.
        hold_s: How long the hand rests on the shelf with all of `press_g`: before the lift, or after the put-down.
        first_share: Share of the weight that goes first, in a change of two steps; 1 for a change in one.
        pause_s: Between the two steps.
        press_share: (P,) float64, how the hand's weight is shared out, in proportion. None: as the change is.

    Raises:
        ConfigError: A number is out of range, or a share does not fit the plates.
    """

    time_s: float
    duration_s: float
    delta_g: Array
    press_g: float = 0.0
    overshoot: float = 0.0
    hold_s: float = 0.0
    first_share: float = 1.0
    pause_s: float = 0.0
    press_share: Array | None = None

    def __post_init__(self) -> None:
        for key in ("press_g", "overshoot", "hold_s", "pause_s"):
            check_number(key, getattr(self, key))
        check_number("time_s", self.time_s, low=-np.inf)
        check_number("duration_s", self.duration_s, low=0.001)
        check_number("first_share", self.first_share, low=0.001, high=1.0)
        if self.delta_g.ndim != 1 or not np.isfinite(self.delta_g).all():
            raise ConfigError("is not a finite number for each plate", key="delta_g", expected="(P,) finite grams")
        share = self.press_share
        if share is not None and (share.shape != self.delta_g.shape or not (share >= 0).all() or not share.sum() > 0):
            raise ConfigError("cannot be shared out so", key="press_share", expected="(P,), none negative, not all 0")
        if share is None and self.press_g and not self.delta_g.any():
            raise ConfigError("a press without a change needs its plates", key="press_share", expected="(P,) shares")

    @property
    def start_s(self) -> float:
        """Before this, nothing: the hand is not there yet."""
        return min(self._press_span_s()[0], self._begins_s())

    @property
    def settled_s(self) -> float:
        """From here on, exactly `delta_g` and nothing else."""
        ringing = self._ringing_s() + _RING_ENDS_S if self.overshoot and self.delta_g.any() else -np.inf
        return max(self._press_span_s()[1], self._ends_s(), ringing)

    def moved(self, time_s: Array) -> Array:
        """(n,) share of the weight that has moved by each of (n,) times: from exactly 0 to exactly 1."""
        first = self.first_share
        begins = self._begins_s()
        share = first * minimum_jerk((time_s - begins) / (first * self.duration_s))
        if first < 1:
            second = begins + first * self.duration_s + self.pause_s
            share = share + (1 - first) * minimum_jerk((time_s - second) / ((1 - first) * self.duration_s))
            share = np.where(time_s >= self._ends_s(), 1.0, share)
        return np.asarray(share)

    def _begins_s(self) -> float:
        """When the first gram moves: the half comes at a known part of the way, in one step or the other."""
        first = self.first_share
        if first >= 0.5:
            return self.time_s - first * self.duration_s * _way_to(0.5 / first)
        share = (0.5 - first) / (1 - first)
        return self.time_s - first * self.duration_s - self.pause_s - (1 - first) * self.duration_s * _way_to(share)

    def _ends_s(self) -> float:
        return self._begins_s() + self.duration_s + (self.pause_s if self.first_share < 1 else 0.0)

    def _ringing_s(self) -> float:
        """When the plates begin to ring: as the last of the weight goes fastest."""
        last = 1 - self.first_share if self.first_share < 1 else 1.0
        return self._ends_s() - 0.2 * last * self.duration_s

    def _press_span_s(self) -> tuple[float, float]:
        if not self.press_g:
            return self._begins_s(), self._ends_s()
        if not self.delta_g.any():
            half = (self.duration_s + self.hold_s) / 2
            return self.time_s - half, self.time_s + half
        if self.delta_g.sum() < 0:
            return self._begins_s() - _APPROACH_S - self.hold_s, self._begins_s() + _LET_GO_S
        return self._ends_s() - _LET_GO_S, self._ends_s() + _APPROACH_S + self.hold_s

    def press(self, time_s: Array) -> Array:
        """(n,) grams of the hand at (n,) times: it bears down smoothly, rests, lets go."""
        start, end = self._press_span_s()
        ramp = _LET_GO_S if self.delta_g.any() else self.duration_s / 2
        return np.asarray(self.press_g * minimum_jerk((time_s - start) / ramp) * minimum_jerk((end - time_s) / ramp))


def minimum_jerk(share: Any) -> Any:
    """Smooth step from 0 to 1 of a reaching hand: 10u³ - 15u⁴ + 6u⁵ (Flash & Hogan 1985, eq. 6 at rest ends).

    >>> [float(minimum_jerk(u)) for u in (-1.0, 0.5, 2.0)]
    [0.0, 0.5, 1.0]
    """
    u = np.clip(share, 0.0, 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def load_signal(change: LoadChange, time_s: Array) -> Array:
    """(n, P) float64 grams that `change` adds at each of (n,) times: the hand, the lift or put-down, ringing, rest."""
    after = time_s - change._ringing_s()
    rings = (after > 0) & (after < _RING_ENDS_S)
    after = np.where(rings, after, 0.0)
    ringing = change.overshoot * np.exp(-after / _RING_DECAY_S) * np.sin(2 * np.pi * _RING_HZ * after)
    signal = (change.moved(time_s) + ringing)[:, None] * change.delta_g
    if change.press_g:
        share = np.abs(change.delta_g) if change.press_share is None else change.press_share
        signal = signal + change.press(time_s)[:, None] * (share / share.sum())
    return np.asarray(signal)


@functools.lru_cache(maxsize=1024)
def _way_to(moved: float) -> float:
    """The part of a smooth step after which a share of it is done: `minimum_jerk` backwards, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(50):
        u = (low + high) / 2
        low, high = (u, high) if u * u * u * (10.0 + u * (6.0 * u - 15.0)) < moved else (low, u)
    return (low + high) / 2
