"""What breaks in a store: plates, cables, clocks, gondolas and cameras, as things that can be switched on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, PlateId, ScaleSamples
from gocv.geometry import points_in_polygon
from gocv.sim.checks import check_number
from gocv.sim.scales import ScaleNoise

Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class _Span:
    """From when until when, seconds on the recording's clock, `until_s` not included."""

    from_s: float = dataclasses.field(default=0.0, kw_only=True)
    until_s: float = dataclasses.field(default=math.inf, kw_only=True)

    def __post_init__(self) -> None:
        check_number("from_s", self.from_s, low=-math.inf)
        if not self.until_s > self.from_s:
            raise ConfigError(f"{self.until_s} s ends before it starts", key="until_s", expected="later than from_s")

    def during(self, time_s: Array) -> NDArray[np.bool_]:
        """(n,) which of (n,) times are within the span."""
        return np.asarray((time_s >= self.from_s) & (time_s < self.until_s))


@dataclasses.dataclass(frozen=True, slots=True)
class DriftingPlate(_Span):
    """A plate whose zero runs away; where it has got to by the end, it stays.

    Attributes:
        plate: Which.
        g_per_h: How fast, grams an hour.
    """

    plate: PlateId
    g_per_h: float

    def __post_init__(self) -> None:
        _Span.__post_init__(self)
        check_number("g_per_h", self.g_per_h, low=-math.inf)


@dataclasses.dataclass(frozen=True, slots=True)
class NoisyPlate(_Span):
    """A plate that trembles more than others: white noise is added, in steps of the converter.

    Attributes:
        plate: Which.
        factor: On the standard deviation, at least 1.
        sd_g: The standard deviation of a sound plate, grams.
    """

    plate: PlateId
    factor: float
    sd_g: float = ScaleNoise().sd_g

    def __post_init__(self) -> None:
        _Span.__post_init__(self)
        check_number("factor", self.factor, low=1.0)
        check_number("sd_g", self.sd_g)


@dataclasses.dataclass(frozen=True, slots=True)
class StuckPlate(_Span):
    """A plate that repeats its last reading before `from_s`, or its first where there is none.

    Attributes:
        plate: Which.
    """

    plate: PlateId


@dataclasses.dataclass(frozen=True, slots=True)
class MissingPlate(_Span):
    """A plate that gives nothing: its readings are NaN.

    Attributes:
        plate: Which.
    """

    plate: PlateId


@dataclasses.dataclass(frozen=True, slots=True)
class SwappedPlates(_Span):
    """Two plates of one gondola whose cables are exchanged: each gives what the other weighs.

    Attributes:
        first: One.
        second: The other.
    """

    first: PlateId
    second: PlateId

    def __post_init__(self) -> None:
        _Span.__post_init__(self)
        if self.first == self.second or self.first.gondola != self.second.gondola:
            expected = f"another plate of gondola {self.first.gondola}"
            raise ConfigError(f"{self.second} cannot be swapped with {self.first}", key="second", expected=expected)


@dataclasses.dataclass(frozen=True, slots=True)
class DeadGondola(_Span):
    """A gondola whose messages are lost: there are no samples.

    Attributes:
        gondola: Its number.
    """

    gondola: int


@dataclasses.dataclass(frozen=True, slots=True)
class ClockSkew:
    """A gondola's clock is off by more than the recording states, all the time.

    Attributes:
        gondola: Its number.
        offset_s: Added to its time stamps.
        drift_ppm: How much faster its stamps run, from recording time 0.
    """

    gondola: int
    offset_s: float = 0.0
    drift_ppm: float = 0.0

    def __post_init__(self) -> None:
        check_number("offset_s", self.offset_s, low=-math.inf)
        check_number("drift_ppm", self.drift_ppm, low=-10_000.0, high=10_000.0)


ScaleFault = DriftingPlate | NoisyPlate | StuckPlate | MissingPlate | SwappedPlates | DeadGondola | ClockSkew


@dataclasses.dataclass(frozen=True, slots=True)
class BlindArea(_Span):
    """A part of the store that no camera sees for a while: joints above it are unknown.

    Attributes:
        polygon_m: Its corners on the floor, in the store's frame, at least three.
        camera: Name of the one that should see it.
    """

    polygon_m: tuple[tuple[float, float], ...]
    camera: str = ""

    def __post_init__(self) -> None:
        _Span.__post_init__(self)
        try:
            points_in_polygon(np.zeros((1, 2)), self.polygon_m)
        except DataError as error:
            raise ConfigError(error.problem, key="polygon_m", expected="3 or more finite corners (x, y)") from error

    def hides(self, time_s: Array, xy_m: Array) -> NDArray[np.bool_]:
        """(n, ...) which of the places (n, ..., 2), seen at (n,) times, are hidden."""
        during = self.during(time_s)
        hidden = np.zeros(xy_m.shape[:-1], np.bool_)
        if during.any():
            seen = xy_m[during]
            hidden[during] = points_in_polygon(seen.reshape(-1, 2), self.polygon_m).reshape(seen.shape[:-1])
        return hidden


class FaultyScales:
    """Applies faults to the samples of a group of plates, chunk by chunk: the same come out however they are cut.

    Drift, noise, sticking and missing readings belong to a plate; cables are exchanged after them, then messages are
    lost and stamps go wrong. Faults of gondolas that have no plate in the group are passed over.

    Args:
        plates: Of the group, in the order of the samples' columns.
        faults: Any number, in any order.
        seed: Own stream of random numbers.

    Raises:
        ConfigError: A fault is of a plate that its gondola does not have.
    """

    def __init__(self, plates: tuple[PlateId, ...], faults: Sequence[ScaleFault], seed: np.random.SeedSequence) -> None:
        self._column = {plate: i for i, plate in enumerate(plates)}
        self._gondolas = {plate.gondola for plate in plates}
        self._faults = [fault for fault in faults if self._concerns(fault)]
        key = seed.spawn_key
        self._noise = {
            i: np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*key, i)))
            for i, fault in enumerate(self._faults)
            if isinstance(fault, NoisyPlate)
        }
        self._stuck: dict[int, float] = {}

    def _concerns(self, fault: ScaleFault) -> bool:
        if isinstance(fault, (DeadGondola, ClockSkew)):
            return fault.gondola in self._gondolas
        if isinstance(fault, SwappedPlates):
            named = {"first": fault.first, "second": fault.second}
        else:
            named = {"plate": fault.plate}
        for key, plate in named.items():
            if plate.gondola not in self._gondolas:
                return False
            if plate not in self._column:
                raise ConfigError(f"there is no plate {plate}", key=key, expected=f"one of gondola {plate.gondola}")
        return True

    def apply(self, samples: ScaleSamples, time_s: Array) -> ScaleSamples:
        """The samples as the broken scales give them.

        Args:
            samples: Sound ones, on the scales' own clock; each call's follow those of the call before.
            time_s: (n,) when each was really taken, seconds on the recording's clock.
        """
        if not self._faults:
            return samples
        weight, stamps = samples.weight_g.copy(), samples.time_s.copy()
        for index, fault in enumerate(self._faults):
            if isinstance(fault, (DriftingPlate, NoisyPlate)):
                self._strain(index, fault, time_s, weight)
        for index, fault in enumerate(self._faults):
            if isinstance(fault, StuckPlate):
                self._stick(index, fault, time_s, weight)
        for fault in self._faults:
            if isinstance(fault, MissingPlate):
                weight[fault.during(time_s), self._column[fault.plate]] = np.nan
        for fault in self._faults:
            if isinstance(fault, SwappedPlates):
                rows = np.flatnonzero(fault.during(time_s))[:, None]
                pair = np.array([self._column[fault.first], self._column[fault.second]])
                weight[rows, pair] = weight[rows, pair[::-1]]
        alive = np.ones(len(samples), np.bool_)
        for fault in self._faults:
            if isinstance(fault, DeadGondola):
                alive &= ~fault.during(time_s)
            elif isinstance(fault, ClockSkew):
                stamps += fault.offset_s + fault.drift_ppm * 1e-6 * time_s
        return ScaleSamples(samples.plates, time_s=stamps[alive], weight_g=weight[alive])

    def _strain(
        self, index: int, fault: DriftingPlate | NoisyPlate, time_s: Array, weight: NDArray[np.float32]
    ) -> None:
        """Add drift or noise to a plate's column (in place)."""
        column, step = weight[:, self._column[fault.plate]], ScaleNoise().step_g
        if isinstance(fault, DriftingPlate):
            added = fault.g_per_h / 3600 * (np.clip(time_s, fault.from_s, fault.until_s) - fault.from_s)
        else:
            rows = fault.during(time_s)
            added = np.zeros(len(time_s))
            extra = fault.sd_g * math.sqrt(fault.factor**2 - 1)
            added[rows] = extra * self._noise[index].standard_normal(int(rows.sum()))
        column += (np.round(added / step) * step).astype(np.float32)

    def _stick(self, index: int, fault: StuckPlate, time_s: Array, weight: NDArray[np.float32]) -> None:
        """Repeat a plate's last reading from before (in place)."""
        column = weight[:, self._column[fault.plate]]
        before = column[time_s < fault.from_s]
        if len(before):
            self._stuck[index] = float(before[-1])
        elif len(column):
            self._stuck.setdefault(index, float(column[0]))
        rows = fault.during(time_s)
        if rows.any():
            column[rows] = self._stuck[index]
