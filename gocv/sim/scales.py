"""Weighing plates: how a load becomes a signal, and what else is in the signal."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE_HZ = 60.0
SAMPLES_PER_MESSAGE = 12
_RING_HZ, _RING_DECAY_S = 6.0, 0.16
_SETTLED_S = 2.5  # after this long what is left of the ringing is under a millionth of it


@dataclasses.dataclass(frozen=True, slots=True)
class ScaleNoise:
    """How the plates of a gondola misbehave. Defaults are a quiet gondola of the AiFi NanoStore, as measured.

    Attributes:
        sd_g: Median over plates of the standard deviation within one second, grams.
        sd_spread: Standard deviation of its logarithm between plates.
        correlation: Between two plates of one shelf: the vibration that they share.
        vibration: Share of a plate's own variance that is narrow-band vibration; the rest is white.
        wander_g: Change of the slow drift within one second, standard deviation in grams.
        step_g: Quantisation step of the converter, grams.
        spill: Range of the share of a change that each neighbouring plate shows too.
        message_jitter_s: Standard deviation of a message's time stamp, seconds.
    """

    sd_g: float = 0.75
    sd_spread: float = 0.10
    correlation: float = 0.30
    vibration: float = 0.35
    wander_g: float = 0.15
    step_g: float = 0.241
    spill: tuple[float, float] = (0.008, 0.02)
    message_jitter_s: float = 0.002


SHAKY = ScaleNoise(sd_g=2.8, sd_spread=0.6, correlation=0.07, vibration=0.6)
"""A gondola next to a source of vibration: median 2.8 g, 90 % of plates under 6.5 g."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LoadChange:
    """Something put on a shelf or taken from it.

    Attributes:
        time_s: When half of it has happened, on the clock of the times handed to `ShelfScales.read`.
        duration_s: From the first gram to the last.
        delta_g: (P,) float64, what comes onto each plate of the shelf; negative where taken.
        press_g: Weight of the hand on the same plates: before a lift, after putting down.
        overshoot: Share of the change by which the plates first go too far.
    """

    time_s: float
    duration_s: float
    delta_g: NDArray[np.float64]
    press_g: float
    overshoot: float


def minimum_jerk(share: Any) -> Any:
    """Smooth step from 0 to 1 of a reaching hand: 10u³ - 15u⁴ + 6u⁵ (Flash & Hogan 1985, eq. 6 at rest ends).

    >>> [float(minimum_jerk(u)) for u in (-1.0, 0.5, 2.0)]
    [0.0, 0.5, 1.0]
    """
    u = np.clip(share, 0.0, 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def load_signal(change: LoadChange, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, P) grams that `change` adds at each time: press of the hand, the lift or put-down, ringing, rest."""
    lag = time_s - change.time_s
    taken = change.delta_g.sum() < 0
    moved = minimum_jerk(lag / change.duration_s + 0.5)
    after = np.maximum(lag - 0.3 * change.duration_s, 0.0)
    ringing = change.overshoot * np.exp(-after / _RING_DECAY_S) * np.sin(2 * np.pi * _RING_HZ * after)
    press_span = (-change.duration_s / 2 - 0.35, -0.05) if taken else (-0.05, change.duration_s / 2 + 0.30)
    phase = np.clip((lag - press_span[0]) / (press_span[1] - press_span[0]), 0.0, 1.0)
    shares = change.delta_g / change.delta_g.sum()
    press = change.press_g * np.sin(np.pi * phase) ** 2
    return np.asarray((moved + ringing)[:, None] * change.delta_g + press[:, None] * shares)


def message_times(start_s: float, end_s: float, noise: ScaleNoise, seed: np.random.SeedSequence) -> NDArray[np.float64]:
    """(n,) time stamps on the scales' clock, strictly ascending: whole messages whose stamps arrive unevenly.

    Samples within a message are exactly a period apart; between messages the period varies by their jitter.
    """
    count = int((end_s - start_s) * RATE_HZ / SAMPLES_PER_MESSAGE)
    period = 1.0 / RATE_HZ
    jitter = np.random.default_rng(seed).normal(0.0, noise.message_jitter_s, count)
    sent = start_s + np.arange(count) * SAMPLES_PER_MESSAGE * period + np.clip(jitter, -0.4 * period, 0.4 * period)
    times: NDArray[np.float64] = (sent[:, None] + np.arange(SAMPLES_PER_MESSAGE) * period).reshape(-1)
    return times


class ShelfScales:
    """The plates of one shelf, read chunk by chunk: the same samples come out however they are cut.

    Args:
        load_g: (P,) what stands on each plate at the start, the unknown zero of each load cell included.
        changes: What happens, in any order.
        noise: How the plates misbehave.
        seed: Own stream of random numbers.
    """

    def __init__(
        self,
        load_g: NDArray[np.float64],
        changes: Sequence[LoadChange],
        noise: ScaleNoise,
        seed: np.random.SeedSequence,
    ) -> None:
        plates = len(load_g)
        traits, *streams = (np.random.default_rng(s) for s in seed.spawn(5))
        self._white, self._vibrating, self._shared, self._drifting = streams
        self._noise = noise
        self.sd_g = np.minimum(noise.sd_g * np.exp(traits.normal(0.0, noise.sd_spread, plates)), 5 * noise.sd_g)
        spill = traits.uniform(*noise.spill, (plates, 2))
        self.spill = np.eye(plates) + np.diag(spill[1:, 0], -1) + np.diag(spill[:-1, 1], 1)
        """(P, P): what each plate (row) shows of a change on each plate (column)."""
        self._own = Resonance(traits.uniform(5.0, 25.0, plates), traits)
        self._common = Resonance(traits.uniform(6.0, 18.0, 1), traits)
        self._drift = Wander(plates, noise.wander_g, traits)
        self._load = load_g.astype(np.float64)
        self._pending = sorted(changes, key=lambda change: change.time_s)

    def read(self, time_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, P) float32 grams at the next n samples, whose times follow those of the call before."""
        noise, plates = self._noise, len(self._load)
        own = np.sqrt(1 - noise.vibration) * self._white.standard_normal((len(time_s), plates))
        own += np.sqrt(noise.vibration) * self._own.next(self._vibrating.standard_normal((len(time_s), plates)))
        common = self._common.next(self._shared.standard_normal((len(time_s), 1)))
        shaken = np.sqrt(1 - noise.correlation) * own + np.sqrt(noise.correlation) * common
        drift = self._drift.next(self._drifting.standard_normal((len(time_s), plates)))
        weight = self._loads(time_s) + self.sd_g * shaken + drift
        return np.asarray(np.round(weight / noise.step_g) * noise.step_g, dtype=np.float32)

    def _loads(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        loads = np.tile(self._load, (len(time_s), 1))
        if not len(time_s):
            return loads
        for change in self._pending:
            loads += load_signal(change, time_s) @ self.spill.T
        past = [c for c in self._pending if c.time_s + _SETTLED_S < time_s[-1]]
        for change in past:
            self._load += self.spill @ change.delta_g
        self._pending = [c for c in self._pending if c not in past]
        return loads


class Resonance:
    """Vibration of unit variance around given frequencies: an AR(2) process per column.

    x_t = 2 r cos θ x_(t-1) - r² x_(t-2) + e_t, with θ = 2π f / rate; variance from Box & Jenkins, Time Series
    Analysis, eq. 3.2.28.
    """

    RADIUS = 0.94

    def __init__(self, frequency_hz: NDArray[np.float64], rng: np.random.Generator) -> None:
        r, theta = self.RADIUS, 2 * np.pi * frequency_hz / RATE_HZ
        self._poles = np.stack([np.ones_like(theta), -2 * r * np.cos(theta), np.full_like(theta, r * r)])
        self._gain = np.sqrt((1 - r * r) * (1 + r**4 - 2 * r * r * np.cos(2 * theta)) / (1 + r * r))
        self._state = np.zeros((2, len(theta)))
        self.next(rng.standard_normal((200, len(theta))))  # forget the start at rest

    def next(self, innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, P) following samples from (n, P) standard normal innovations."""
        out = np.empty_like(innovations)
        for column in range(innovations.shape[1]):
            out[:, column], self._state[:, column] = lfilter(
                self._gain[column : column + 1],
                self._poles[:, column],
                innovations[:, column],
                zi=self._state[:, column],
            )
        return out


class Wander:
    """Slow drift: an Ornstein-Uhlenbeck process that moves `wander_g` a second and comes back over minutes."""

    TIME_CONSTANT_S = 200.0

    def __init__(self, plates: int, wander_g: float, rng: np.random.Generator) -> None:
        # Within a second an Ornstein-Uhlenbeck process of deviation s moves by s * sqrt(2 / time constant).
        deviation = wander_g * np.sqrt(self.TIME_CONSTANT_S / 2)
        self._keep = float(np.exp(-1.0 / (RATE_HZ * self.TIME_CONSTANT_S)))
        self._gain = float(deviation * np.sqrt(1 - self._keep**2))
        self._state = self._keep * deviation * rng.standard_normal((1, plates))

    def next(self, innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, P) following samples in grams from (n, P) standard normal innovations."""
        if not len(innovations):
            return innovations
        out, self._state = lfilter([self._gain], [1.0, -self._keep], innovations, axis=0, zi=self._state)
        return np.asarray(out)
