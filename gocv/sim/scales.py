"""Weighing plates: how a load becomes a signal, and what else is in the signal.

The defaults are fitted to the AiFi NanoStore's scales by `experiments/fit_scale_noise.py`, whose result says which data
gave which number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError
from gocv.data.recording.schema import ScaleClock
from gocv.sim.checks import check_number, check_span
from gocv.sim.load_changes import LoadChange, load_signal
from gocv.sim.vibration import Bursts, Modes, Wander, usual_level

RATE_HZ = 60.0
SAMPLES_PER_MESSAGE = 12
_BLOCK = 1200
"""Samples that are made at once, however few are asked for: so the same come out however they are cut."""
_KNOT = 12
_MODES = 3
_LATEST = 0.8  # of a period: the latest that a message's stamp is, so that stamps stay in order
_SHELF_FACTOR = (0.2, 3.0)
"""A shelf's level against its gondola's: of the 52 measured, two are louder than this and none quieter."""
_FREE = {"wander_s": (1.0, np.inf), "bandwidth_hz": (0.01, 10.0), "burst_decay_s": (0.01, 60.0), "step_g": (1e-9, 1e3)}


@dataclasses.dataclass(frozen=True, slots=True)
class ScaleNoise:
    """How the plates of a gondola misbehave. Defaults are a quiet gondola of the AiFi NanoStore, as measured.

    Attributes:
        sd_g: Median over shelves of the median plate's standard deviation within one second, grams.
        shelf_spread: Standard deviation of its logarithm between shelves.
        sd_spread: The same between plates of one shelf.
        vibration: Share of a plate's variance that is narrow-band vibration, shared by the shelf; the rest is white.
        correlation: Mean between two plates of one shelf: what of the vibration they do in step.
        correlation_spread: Standard deviation of that between shelves.
        frequency_hz: Range of the resonances of a shelf.
        bandwidth_hz: Of a resonance, at half its power.
        bursts_per_min: How often somebody's step or a door shakes the store.
        burst_gain: Mean of what a burst adds to the level of the noise, 1 being the level at rest.
        burst_decay_s: In which a burst falls to 1/e.
        wander_g: Change of the slow drift within one second, standard deviation in grams.
        wander_s: After which a plate has forgotten where it drifted to: it strays `wander_g` √(`wander_s` / 2) grams.
        step_g: Quantisation step of the converter, grams.
        spill: Range of the share of a change that each neighbouring plate shows too.
        spill_far: The same of the plates next to those.
        message_jitter_s: Standard deviation of a message's time stamp, seconds; it may be late by much more than early.

    Raises:
        ConfigError: A number is negative, not finite or out of range; the key is named.
    """

    sd_g: float = 0.74
    shelf_spread: float = 0.33
    sd_spread: float = 0.31
    vibration: float = 0.44
    correlation: float = 0.38
    correlation_spread: float = 0.10
    frequency_hz: tuple[float, float] = (15.1, 24.5)
    bandwidth_hz: float = 0.5
    bursts_per_min: float = 22.4
    burst_gain: float = 2.0
    burst_decay_s: float = 1.27
    wander_g: float = 0.023
    wander_s: float = 3600.0
    step_g: float = 0.241
    spill: tuple[float, float] = (0.0, 0.017)
    spill_far: tuple[float, float] = (0.0, 0.021)
    message_jitter_s: float = 0.0024

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name in ("spill", "spill_far"):
                check_span(field.name, getattr(self, field.name), 0.0, 0.5)
            elif field.name == "frequency_hz":
                check_span(field.name, self.frequency_hz, 0.1, RATE_HZ / 2)
            else:
                check_number(field.name, getattr(self, field.name), *_FREE.get(field.name, (0.0, np.inf)))
        check_number("vibration", self.vibration, 0.0, 1.0)
        check_number("correlation", self.correlation, 0.0, self.vibration)


SHAKY = ScaleNoise(
    sd_g=2.6,
    shelf_spread=0.95,
    sd_spread=0.39,
    vibration=0.50,
    correlation=0.25,
    correlation_spread=0.14,
    frequency_hz=(7.9, 16.3),
    bandwidth_hz=0.75,
    wander_g=0.14,
)
"""The NanoStore's gondola 1, near a source of vibration: some shelves are quiet, on others a plate shakes by 10 g."""


def message_times(start_s: float, end_s: float, noise: ScaleNoise, seed: np.random.SeedSequence) -> NDArray[np.float64]:
    """(n,) time stamps on the scales' clock, strictly ascending: whole messages whose stamps arrive unevenly.

    Samples within a message are exactly a period apart; between messages the period varies by their jitter, which is
    a delay: gamma distributed about its mean, never more than most of a period.
    """
    count = int((end_s - start_s) * RATE_HZ / SAMPLES_PER_MESSAGE)
    period = 1.0 / RATE_HZ
    jitter = noise.message_jitter_s * (np.random.default_rng(seed).standard_gamma(1.0, count) - 1.0)
    sent = start_s + np.arange(count) * SAMPLES_PER_MESSAGE * period + np.clip(jitter, -0.1 * period, _LATEST * period)
    times: NDArray[np.float64] = (sent[:, None] + np.arange(SAMPLES_PER_MESSAGE) * period).reshape(-1)
    return times


def draw_clock(
    rng: np.random.Generator, *, offset_s: tuple[float, float] = (-5000.0, -600.0), drift_ppm: float = 60.0
) -> ScaleClock:
    """A clock of the scales' own: begun some time before the recording, and faster or slower by up to `drift_ppm`.

    No recording is long enough to measure the drift of such a clock: the default is assumed.
    """
    return ScaleClock(
        offset_s=float(rng.uniform(*offset_s)), drift_ppm=float(rng.uniform(-abs(drift_ppm), abs(drift_ppm)))
    )


class ShelfScales:
    """The plates of one shelf, read chunk by chunk: the same samples come out however they are cut.

    Args:
        load_g: (P,) what stands on each plate at the start, the unknown zero of each load cell included.
        changes: What happens, in any order. Changes may overlap.
        noise: How the plates misbehave.
        seed: Own stream of random numbers.
        bursts: What shakes the store; give the same to all its shelves. None: this shelf's own.

    Attributes:
        sd_g: (P,) float32, each plate's standard deviation while the store stirs as usual, grams.
        spill: (P, P) float64, what each plate (row) shows of a change on each plate (column).
    """

    def __init__(
        self,
        load_g: NDArray[np.float64],
        changes: Sequence[LoadChange],
        noise: ScaleNoise,
        seed: np.random.SeedSequence,
        bursts: Bursts | None = None,
    ) -> None:
        plates = len(load_g)
        for change in changes:
            if len(change.delta_g) != plates:
                raise ConfigError(
                    f"a change is of {len(change.delta_g)} plates", key="delta_g", expected=f"{plates}, as on the shelf"
                )
        own, shaking, *streams = seed.spawn(5)
        traits = np.random.default_rng(own)
        self._white, self._shared, drifting = (np.random.Generator(np.random.SFC64(s)) for s in streams)
        shaken = (noise.bursts_per_min, noise.burst_gain, noise.burst_decay_s)
        self._bursts = Bursts(*shaken, shaking) if bursts is None else bursts
        self._step = np.float32(noise.step_g)
        shelf, self.sd_g = _levels(noise, plates, traits)
        still = self.sd_g / np.float32(usual_level(*shaken))
        self._white_g = still * np.float32(np.sqrt(1 - noise.vibration))
        self._shapes = _shapes(noise, plates, shelf, traits) * still
        self.spill = _spills(noise, plates, traits)
        frequency = traits.uniform(*noise.frequency_hz, len(self._shapes))
        self._modes = Modes(frequency, noise.bandwidth_hz, RATE_HZ, traits)
        self._drift = Wander(plates, noise.wander_g, noise.wander_s, RATE_HZ, _KNOT, drifting)
        self._load = load_g.astype(np.float64)
        # In the order in which they settle: so loads add up in one order, and to the same last digit, however cut.
        self._pending = sorted(changes, key=lambda change: change.settled_s)
        self._starts = np.array([change.start_s for change in self._pending])
        self._settled = np.array([change.settled_s for change in self._pending])
        self._past = 0
        self._used = _BLOCK
        self._shaken = self._slow = np.empty((0, plates), np.float32)

    def read(self, time_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, P) float32 grams at the next n samples, whose times follow those of the call before."""
        weight = np.empty((len(time_s), len(self._load)), np.float32)
        levels = self._bursts.level(time_s)
        done = 0
        while done < len(time_s):
            if self._used == _BLOCK:
                self._make_block()
            rows = slice(done, done + min(_BLOCK - self._used, len(time_s) - done))
            source = slice(self._used, self._used + rows.stop - done)
            out, shaken = weight[rows], self._shaken[source]
            np.add(shaken if levels is None else shaken * levels[rows, None], self._slow[source], out=out)
            out += self._loads(time_s[rows])
            out *= 1 / self._step
            np.rint(out, out=out)
            out *= self._step
            done, self._used = rows.stop, source.stop
        return weight

    def _make_block(self) -> None:
        plates = len(self._load)
        self._shaken = self._white.standard_normal((_BLOCK, plates), dtype=np.float32)
        self._shaken *= self._white_g
        modes = self._modes.next(self._shared.standard_normal((len(self._shapes), _BLOCK), dtype=np.float32))
        self._shaken += modes.T @ self._shapes
        self._slow = self._drift.next(_BLOCK // _KNOT)
        self._used = 0

    def _loads(self, time_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """(n, P) or (P,) grams that stand on the plates, changes that are over folded into the load."""
        first, last = time_s[0], time_s[-1]
        while self._past < len(self._pending) and self._settled[self._past] <= first:
            self._load = self._load + self.spill @ self._pending[self._past].delta_g
            self._past += 1
        going = self._past + np.flatnonzero(self._starts[self._past :] <= last)
        if not len(going):
            return self._load.astype(np.float32)
        loads = np.tile(self._load, (len(time_s), 1))
        for index in going:
            change = self._pending[index]
            rows = slice(int(np.searchsorted(time_s, change.start_s)), None)
            end = int(np.searchsorted(time_s, change.settled_s))
            loads[rows.start : end] += _spilt(load_signal(change, time_s[rows.start : end]), self.spill)
            loads[end:] += self.spill @ change.delta_g
        return loads.astype(np.float32)


def _spilt(signal: NDArray[np.float64], spill: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, P) `spill` applied to each row by itself: a matrix product rounds as its size falls."""
    return np.asarray(np.einsum("np,qp->nq", signal, spill, optimize=False))


def _levels(noise: ScaleNoise, plates: int, traits: np.random.Generator) -> tuple[float, NDArray[np.float32]]:
    """The shelf's level against its gondola's, and (P,) grams of its plates: both log-normal, and cut off."""
    shelf = float(np.clip(np.exp(noise.shelf_spread * traits.standard_normal()), *_SHELF_FACTOR))
    own = noise.sd_spread * np.clip(traits.standard_normal(plates), -3.0, 3.0)
    return shelf, np.asarray(noise.sd_g * shelf * np.exp(own), np.float32)


def _shapes(noise: ScaleNoise, plates: int, shelf: float, traits: np.random.Generator) -> NDArray[np.float32]:
    """(K, P) by how much each mode shakes each plate, of the plate's deviation: the first mode all in step.

    The louder a shelf, the less its plates go in step: from 0.4 to 0.1 over the shelves of the shaky gondola.
    """
    drawn = traits.normal(noise.correlation, noise.correlation_spread) / np.sqrt(shelf)
    correlation = float(np.clip(drawn, 0.0, noise.vibration))
    rest = traits.standard_normal((_MODES - 1, plates))
    rest *= np.sqrt((noise.vibration - correlation) / np.maximum((rest**2).sum(axis=0), 1e-12))
    return np.concatenate([np.full((1, plates), np.sqrt(correlation)), rest]).astype(np.float32)


def _spills(noise: ScaleNoise, plates: int, traits: np.random.Generator) -> NDArray[np.float64]:
    spill = np.eye(plates)
    for distance, span in ((1, noise.spill), (2, noise.spill_far)):
        for side in (distance, -distance):
            spill += np.diag(traits.uniform(*span, max(plates - distance, 0)), side) if plates > distance else 0.0
    return spill
