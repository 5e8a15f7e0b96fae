"""What shakes a shelf of scales: its own resonances, steps and doors felt by the whole store, and slow drift."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import gammaincinv

from gocv.sim.checks import check_number

Array32 = NDArray[np.float32]
Array64 = NDArray[np.float64]

_CELL_S = 60.0
_BURST_ENDS = 10.0  # decay times after which a burst is over: under 5 parts in 100,000 of it are left
_BEFORE_ALL = 2**31  # number of the cell that begins at time 0: numbers of cells may not be negative


class Bursts:
    """Moments at which somebody walks by or a door falls shut: all plates shake more, and it dies away.

    In both recordings measured, all gondolas shook at the same moments, so that one `Bursts` belongs to a store. The
    bursts of a minute depend on the seed and the minute alone: objects with the same seed agree, whichever times they
    are asked for, and hold nothing that grows.

    Args:
        per_min: Rate of the Poisson process.
        gain: Mean of what a burst adds to the level of the noise; exponentially distributed.
        decay_s: In which a burst falls to 1/e.
        seed: Own stream of random numbers.
    """

    def __init__(self, per_min: float, gain: float, decay_s: float, seed: np.random.SeedSequence) -> None:
        check_number("per_min", per_min)
        check_number("gain", gain)
        check_number("decay_s", decay_s, low=0.01, high=_CELL_S)
        self._per_min, self._gain, self._decay_s, self._seed = per_min, gain, decay_s, seed
        self._cells: dict[int, tuple[Array64, Array64]] = {}
        self._asked: tuple[Array64, Array32 | None] | None = None  # shelves ask for the same times one after the other

    def level(self, time_s: Array64) -> Array32 | None:
        """(n,) float32 factor on the noise at (n,) ascending times, 1 where all is still; None where all are 1."""
        if not (self._per_min and self._gain and len(time_s)):
            return None
        if self._asked is None or not np.array_equal(self._asked[0], time_s):
            self._asked = time_s.copy(), self._level(time_s)
        return self._asked[1]

    def _level(self, time_s: Array64) -> Array32 | None:
        at, gain = self._between(float(time_s[0]) - _BURST_ENDS * self._decay_s, float(time_s[-1]))
        if not len(at):
            return None
        level = np.ones(len(time_s))
        for start, add in zip(at, gain, strict=True):
            rows = slice(*np.searchsorted(time_s, (start, start + _BURST_ENDS * self._decay_s)))
            level[rows] += add * np.exp((start - time_s[rows]) / self._decay_s)
        return level.astype(np.float32)

    def _between(self, start_s: float, end_s: float) -> tuple[Array64, Array64]:
        """Times and gains of the bursts in a span, in order."""
        numbers = range(int(start_s // _CELL_S), int(end_s // _CELL_S) + 1)
        self._cells = {number: self._cells.get(number) or self._cell(number) for number in numbers}
        at, gain = (np.concatenate(parts) for parts in zip(*self._cells.values(), strict=True))
        inside = (at > start_s) & (at <= end_s)
        return at[inside], gain[inside]

    def _cell(self, number: int) -> tuple[Array64, Array64]:
        key = (*self._seed.spawn_key, _BEFORE_ALL + number)
        rng = np.random.default_rng(np.random.SeedSequence(self._seed.entropy, spawn_key=key))
        count = rng.poisson(self._per_min * _CELL_S / 60)
        at = np.sort(rng.uniform(number * _CELL_S, (number + 1) * _CELL_S, count))
        return at, rng.exponential(self._gain, count)


def usual_level(per_min: float, gain: float, decay_s: float) -> float:
    """Median over time of `Bursts.level`.

    Shot noise with exponential marks and decay is gamma distributed, of shape rate x decay and scale gain (Cox & Isham,
    Point Processes, 1980, section 5.6).

    >>> round(usual_level(22.4, 2.0, 1.27), 2), usual_level(0.0, 2.0, 1.27)
    (1.41, 1.0)
    """
    shape = per_min / 60 * decay_s
    return 1.0 + float(gain * gammaincinv(shape, 0.5)) if shape and gain else 1.0


class Modes:
    """Resonances of a shelf: a few narrow-band vibrations of unit variance that all its plates share.

    x_t = 2 r cos θ x_(t-1) - r² x_(t-2) + e_t, θ = 2π f / rate, r = exp(-π bandwidth / rate); variance from Box &
    Jenkins, Time Series Analysis, eq. 3.2.28.

    Args:
        frequency_hz: (K,) of each mode.
        bandwidth_hz: Width of the peak at half its power, of all.
        rate_hz: Samples a second.
        rng: For the start only: modes that have been shaking for long.
    """

    def __init__(self, frequency_hz: Array64, bandwidth_hz: float, rate_hz: float, rng: np.random.Generator) -> None:
        r, theta = np.exp(-np.pi * bandwidth_hz / rate_hz), 2 * np.pi * frequency_hz / rate_hz
        poles = np.stack([np.ones_like(theta), -2 * r * np.cos(theta), np.full_like(theta, r * r)])
        gain = np.sqrt((1 - r * r) * (1 + r**4 - 2 * r * r * np.cos(2 * theta)) / (1 + r * r))
        self._poles, self._gain = poles.astype(np.float32), gain.astype(np.float32)
        self._state = np.zeros((len(theta), 2), np.float32)
        settle = max(1, round(4 * rate_hz / (np.pi * bandwidth_hz)))
        self.next(rng.standard_normal((len(theta), settle), dtype=np.float32))

    def next(self, innovations: Array32) -> Array32:
        """(K, n) following samples from (K, n) standard normal innovations."""
        out = np.empty_like(innovations)
        for k, gain in enumerate(self._gain):
            out[k], self._state[k] = lfilter([gain], self._poles[:, k], innovations[k], zi=self._state[k])
        return out


class Wander:
    """Slow drift: an Ornstein-Uhlenbeck process, known every `every` samples and straight in between.

    Args:
        plates: How many.
        wander_g: Standard deviation of the change within one second, grams.
        time_constant_s: After which a plate has forgotten where it was; it strays by `wander_g` √(time constant / 2).
        rate_hz: Samples a second.
        every: Samples from one knot to the next.
        rng: Own stream of random numbers.
    """

    def __init__(
        self, plates: int, wander_g: float, time_constant_s: float, rate_hz: float, every: int, rng: np.random.Generator
    ) -> None:
        deviation = wander_g * np.sqrt(time_constant_s / 2)
        self._keep = float(np.exp(-every / (rate_hz * time_constant_s)))
        self._gain = float(deviation * np.sqrt(1 - self._keep**2))
        self._rng, self._every = rng, every
        self._last = (deviation * rng.standard_normal((1, plates))).astype(np.float32)

    def next(self, knots: int) -> Array32:
        """(knots * every, P) float32 following samples in grams."""
        plates = self._last.shape[1]
        innovations = self._gain * self._rng.standard_normal((knots, plates), dtype=np.float32)
        ahead = lfilter([1.0], [1.0, -self._keep], innovations, axis=0, zi=self._keep * self._last)[0]
        points = np.concatenate([self._last, ahead.astype(np.float32)])
        self._last = points[-1:]
        part = np.arange(self._every, dtype=np.float32)[:, None] / np.float32(self._every)
        between = points[:-1, None] + part * np.diff(points, axis=0)[:, None]
        return np.asarray(between.reshape(-1, plates))
