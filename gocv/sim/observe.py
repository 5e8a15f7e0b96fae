"""What a tracker of the shoppers' joints would see of them: noise, drop-outs, and names that do not hold.

Noise and scores are fitted to a real recording by `experiments/fit_joint_noise.py`; how often identities break or swap
no data at hand could say, and those defaults are assumed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from gocv.core import JOINTS, ConfigError, DataError, FloorTracks
from gocv.sim.checks import check_number
from gocv.sim.encounters import Encounters
from gocv.sim.faults import BlindArea

Array = NDArray[np.float64]

_BLOCK_S = 60.0
_OUTLIERS, _OUTLYING = 0.10, 4.0
"""Share of the fast noise's rows that stray further, and by how much: a tenth of the real ones makes most of it."""
_TAME = math.sqrt(1 - _OUTLIERS + _OUTLIERS * _OUTLYING**2)
_LOWEST_SCORE = 0.2
_GAMMA_SHAPE, _GAMMA_MEDIAN = 1.5, 1.183
"""What is missing from a score of 1 is gamma distributed."""
_PER_JOINT = ("fast_m", "slow_m", "score", "lost_per_s")


class Mover(Protocol):
    """Somebody in the store, such as `gocv.sim.Motion`: from `start_s` to `end_s`, on the recording's clock."""

    @property
    def name(self) -> str:
        """Who."""

    @property
    def start_s(self) -> float:
        """When they come in."""

    @property
    def end_s(self) -> float:
        """When they are gone."""

    @property
    def xy_m(self) -> Array:
        """(n, 2) on the floor, in the store's frame, at rows of their own."""

    def at(self, time_s: Array, of: Array) -> Array:
        """(m, k) rows of `of` (n, k) at (m,) times."""

    def joints_m(self, time_s: Array) -> Array:
        """(m, 8, 3) in the order of `JOINTS`, in the store's frame, at (m,) times."""


@dataclasses.dataclass(frozen=True, slots=True)
class JointNoise:
    """How a tracker errs. Noise and scores are the AiFi NanoStore's as measured; what follows them is assumed.

    Tuples have a number for each of `gocv.core.JOINTS`.

    Attributes:
        fast_m: Noise that is new in each row, standard deviation of each coordinate.
        slow_m: Noise that stays for a while, standard deviation of each coordinate.
        slow_s: In which the slow noise is forgotten to 1/e.
        ground_m: Slow noise of where the shopper stands, standard deviation of each coordinate.
        score: Median of the scores of joints that are seen.
        lost_per_s: How often a joint is lost.
        lost_s: Mean time for which it is, and at least a row.
        away_per_h: How often, an hour of a shopper's, all of the shopper is lost and then found again.
        away_s: Mean time for which that is.
        breaks_per_h: How often, an hour of a shopper's, that happens and the shopper goes on under a new name.
        swap: Probability that two shoppers who come close exchange names.
        swap_within_m: How close that is; they have parted when twice as far apart.

    Raises:
        ConfigError: A number is negative, not finite or out of range; the key is named.
    """

    fast_m: tuple[float, ...] = (0.0047, 0.0051, 0.0055, 0.0051, 0.0081, 0.0086, 0.0107, 0.0109)
    slow_m: tuple[float, ...] = (0.0116, 0.0116, 0.0116, 0.0116, 0.0207, 0.0207, 0.0324, 0.0324)
    slow_s: float = 0.45
    ground_m: float = 0.0116
    score: tuple[float, ...] = (0.966, 0.954, 0.965, 0.971, 0.960, 0.919, 0.949, 0.914)
    lost_per_s: tuple[float, ...] = (0.04, 0.04, 0.06, 0.06, 0.10, 0.10, 0.15, 0.15)
    lost_s: float = 0.3
    away_per_h: float = 6.0
    away_s: float = 1.5
    breaks_per_h: float = 1.0
    swap: float = 0.02
    swap_within_m: float = 0.5

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name in _PER_JOINT:
                if len(value) != len(JOINTS):
                    raise ConfigError(f"{len(value)} numbers", key=field.name, expected=f"{len(JOINTS)}, one a joint")
                for number in value:
                    check_number(field.name, number)
            else:
                check_number(field.name, value)
        check_number("swap", self.swap, high=1.0)
        check_number("slow_s", self.slow_s, low=0.001)
        check_number("score", min(self.score), low=_LOWEST_SCORE)
        check_number("score", max(self.score), high=1.0)

    def holding_names(self) -> JointNoise:
        """The same, but everybody is in sight all the time under one name."""
        return dataclasses.replace(self, away_per_h=0.0, breaks_per_h=0.0, swap=0.0)


class NameSpan(NamedTuple):
    """From when on a name was which person; until the name comes again, or for good.

    Attributes:
        name: As the tracks have it.
        person: Whose it really was: the motion's name.
        from_s: Time of the first row.
    """

    name: str
    person: str
    from_s: float


@dataclasses.dataclass(slots=True, eq=False)
class _Seen:
    """A person in the store, observed from coming in to leaving; row r is tick `first` + r of the grid.

    `renamed` are the ticks from which on the person goes by a new name.
    """

    person: str
    first: int
    place_m: Array
    xy_m: Array
    joints_m: Array
    score: Array
    visible: NDArray[np.bool_]
    renamed: list[int]
    name: str
    times_renamed: int = 1
    said: str | None = None

    @property
    def end(self) -> int:
        return self.first + len(self.xy_m)


class JointStream:
    """Observes shoppers who come and go, in bounded memory: who has left and was handed out is forgotten.

    Rows lie on one grid of times for all, whatever is asked for and when, and the same come out however they are cut.

    Args:
        noise: How the tracker errs.
        seed: Own stream of random numbers.
        rate_hz: Rows a second of each shopper.
        blind: Where and when no camera sees anything.

    Raises:
        ConfigError: The rate is not positive.
    """

    def __init__(
        self,
        noise: JointNoise,
        seed: np.random.SeedSequence,
        *,
        rate_hz: float = 10.0,
        blind: Sequence[BlindArea] = (),
    ) -> None:
        check_number("rate_hz", rate_hz, low=0.01, high=1000.0)
        self._noise, self._seed, self._rate_hz, self._blind = noise, seed, rate_hz, tuple(blind)
        self._encounters = Encounters(noise.swap_within_m, noise.swap, self._child(0))
        self._waiting: list[tuple[int, Mover]] = []
        self._present: dict[int, _Seen] = {}
        self._added = 0
        self._latest_s = -math.inf
        self._tick: int | None = None
        self._index: dict[str, int] = {}
        self._names: list[NameSpan] = []

    def add(self, motion: Mover) -> None:
        """Let somebody in; called in order of `start_s`.

        Raises:
            DataError: Somebody was let in who came later, rows of that time were handed out, or the name was there.
        """
        handed_out_s = -math.inf if self._tick is None else self._tick / self._rate_hz
        if motion.start_s < max(self._latest_s, handed_out_s - 1e-9):
            expected = f"{max(self._latest_s, handed_out_s):g} s or later"
            raise DataError(f"{motion.name} comes in at {motion.start_s:g} s", key="start_s", expected=expected)
        if motion.name in self._index:
            raise DataError(f"there is a {motion.name} already", key="name", expected="a name of one's own")
        self._latest_s = motion.start_s
        self._index[motion.name] = len(self._index)
        self._added += 1
        self._waiting.append((self._added, motion))

    def rows_until(self, time_s: float) -> FloorTracks:
        """All rows before a time that were not handed out yet, in order of time, then of coming in.

        The table lists every name ever used, so that an index means the same in all.
        """
        return self._until(math.ceil(time_s * self._rate_hz - 1e-9))

    def finish(self) -> FloorTracks:
        """The rest of the rows."""
        ends = [motion.end_s for _, motion in self._waiting]
        ticks = [math.floor(end * self._rate_hz + 1e-9) + 1 for end in ends] + [p.end for p in self._present.values()]
        return self._until(max(ticks, default=self._tick or 0))

    def names(self) -> list[NameSpan]:
        """Which name was which person from when on, as far as rows were handed out, in order of time."""
        return sorted(self._names, key=lambda span: span.from_s)

    def _until(self, stop: int) -> FloorTracks:
        if self._tick is None:
            starts = [math.ceil(motion.start_s * self._rate_hz - 1e-9) for _, motion in self._waiting]
            self._tick = min([*starts, stop])
        parts: list[dict[str, NDArray[np.generic]]] = []
        block = round(_BLOCK_S * self._rate_hz) or 1
        while self._tick < stop:
            end = min(stop, (self._tick // block + 1) * block)
            parts += self._block(self._tick, end)
            self._tick = end
        names = tuple(self._index)
        if not parts:
            return FloorTracks.empty(shoppers=names)
        columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        order = np.lexsort((columns.pop("order"), columns["time_s"]))
        return FloorTracks(names, **{key: value[order] for key, value in columns.items()})

    def _block(self, start: int, end: int) -> list[dict[str, NDArray[np.generic]]]:
        """The rows of ticks from `start` up to `end`, a table for each person."""
        limit_s = end / self._rate_hz
        while self._waiting and self._waiting[0][1].start_s < limit_s:
            number, motion = self._waiting.pop(0)
            self._present[number] = self._observe(number, motion)
        renamed = self._rename(start, end)
        tables = [self._rows(number, start, end, renamed[number]) for number in self._present]
        for number in [n for n, person in self._present.items() if person.end <= end]:
            del self._present[number]
        return [table for table in tables if table is not None]

    def _rename(self, start: int, end: int) -> dict[int, list[tuple[int, str]]]:
        """By person, the ticks within a block from which on a name holds. Names break and swap in order of time."""
        people = self._present
        held = {number: [(start, person.name)] for number, person in people.items()}
        broken = [(t, n, n) for n, person in people.items() for t in person.renamed if start <= t < end]
        places = {number: (person.first, person.place_m) for number, person in people.items()}
        for tick, one, other in sorted(broken + self._encounters.swaps(places, start, end)):
            if one == other:
                people[one].name = self._new_name(people[one])
            else:
                people[one].name, people[other].name = people[other].name, people[one].name
            for number in {one, other}:
                held[number].append((tick, people[number].name))
        return held

    def _new_name(self, person: _Seen) -> str:
        name = person.person
        while name in self._index:
            person.times_renamed += 1
            name = f"{person.person}.{person.times_renamed}"
        self._index[name] = len(self._index)
        return name

    def _rows(
        self, number: int, start: int, end: int, held: list[tuple[int, str]]
    ) -> dict[str, NDArray[np.generic]] | None:
        person = self._present[number]
        first = max(start, person.first)
        inside = slice(first - person.first, max(first, min(end, person.end)) - person.first)
        rows = inside.start + np.flatnonzero(person.visible[inside])
        if not len(rows):
            return None
        time = (person.first + rows) / self._rate_hz
        span = np.searchsorted([tick for tick, _ in held], person.first + rows, side="right") - 1
        for index in np.unique(span):
            name = held[index][1]
            if name != person.said:
                person.said = name
                self._names.append(NameSpan(name, person.person, float(time[np.argmax(span == index)])))
        shopper = np.array([self._index[name] for _, name in held], np.int64)[span]
        variance = self._noise.ground_m**2
        return {
            "time_s": time,
            "order": np.full(len(rows), number, np.int64),
            "shopper": shopper,
            "xy_m": person.xy_m[rows],
            "covariance_m2": np.tile(np.eye(2) * variance, (len(rows), 1, 1)),
            "joints_m": person.joints_m[rows],
            "joint_score": person.score[rows],
        }

    def _child(self, number: int) -> np.random.Generator:
        """Random numbers of the encounters (0) or of a person, whatever else was drawn."""
        seed = np.random.SeedSequence(self._seed.entropy, spawn_key=(*self._seed.spawn_key, number))
        return np.random.Generator(np.random.SFC64(seed))

    def _observe(self, number: int, motion: Mover) -> _Seen:
        """All that is seen of a person who comes in."""
        noise, rate, rng = self._noise, self._rate_hz, self._child(number)
        first, last = math.ceil(motion.start_s * rate - 1e-9), math.floor(motion.end_s * rate + 1e-9)
        time = np.arange(first, last + 1) / rate
        place = motion.at(time, motion.xy_m)
        error = _errors(noise, len(time), rate, rng)
        joints = motion.joints_m(time) + error[:, :-1]
        lost = _lost(noise, len(time), rate, rng)
        for area in self._blind:
            lost |= area.hides(time, joints[:, :, :2])
        score = 1 - (1 - np.array(noise.score)) / _GAMMA_MEDIAN * rng.standard_gamma(_GAMMA_SHAPE, lost.shape)
        joints[lost] = np.nan
        score = np.where(lost, 0.0, np.maximum(score, _LOWEST_SCORE))
        visible, renamed = _sightings(noise, len(time), rate, rng)
        renamed = [first + row for row in renamed]
        visible &= ~lost.all(axis=1)
        xy = place + error[:, -1, :2]
        return _Seen(motion.name, first, place, xy, joints, score, visible, renamed, motion.name)


def observe(
    motions: Sequence[Mover], rng: np.random.Generator, *, rate_hz: float = 10.0, noise: JointNoise | None = None
) -> FloorTracks:
    """The joints of a few shoppers at once, as a `JointStream` gives them.

    Args:
        motions: Of every shopper, in any order.
        rng: Stream of random numbers.
        rate_hz: Rows a second, on one grid for all shoppers.
        noise: How the tracker errs; None: as it is by default, but all are in sight under one name.
    """
    seed = np.random.SeedSequence([int(n) for n in rng.integers(2**32, size=4)])
    stream = JointStream(noise or JointNoise().holding_names(), seed, rate_hz=rate_hz)
    for motion in sorted(motions, key=lambda motion: motion.start_s):
        stream.add(motion)
    return stream.finish()


def _errors(noise: JointNoise, rows: int, rate_hz: float, rng: np.random.Generator) -> Array:
    """(rows, 9, 3) metres: of the joints, and last of where the shopper stands."""
    slow = np.array([*noise.slow_m, noise.ground_m])[:, None]
    kept = math.exp(-1 / (rate_hz * noise.slow_s))
    drive = rng.standard_normal((rows, len(slow), 3), dtype=np.float32)
    drive[:1] /= math.sqrt(1 - kept**2)  # the first row is as far off as any
    error = lfilter([math.sqrt(1 - kept**2)], [1.0, -kept], drive, axis=0) * slow
    fast = np.array([*noise.fast_m, 0.0])[:, None] / _TAME
    strays = rng.random((rows, len(slow), 1), dtype=np.float32) < _OUTLIERS
    error += fast * np.where(strays, _OUTLYING, 1.0) * rng.standard_normal((rows, len(slow), 3), dtype=np.float32)
    return np.asarray(error, np.float64)


def _lost(noise: JointNoise, rows: int, rate_hz: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(rows, 8) which joints are lost, in runs."""
    lost = np.zeros((rows, len(JOINTS)), np.bool_)
    starts = np.argwhere(rng.random(lost.shape) < -np.expm1(-np.array(noise.lost_per_s) / rate_hz))
    runs = rng.geometric(min(1.0, 1 / max(noise.lost_s * rate_hz, 1.0)), len(starts))
    for (row, joint), run in zip(starts, runs, strict=True):
        lost[row : row + run, joint] = True
    return lost


def _sightings(
    noise: JointNoise, rows: int, rate_hz: float, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], list[int]]:
    """(rows,) when a person is in sight, and the rows from which on they have a new name."""
    visible = np.ones(rows, np.bool_)
    renamed: list[int] = []
    hours = rows / rate_hz / 3600
    for per_h, breaks in ((noise.away_per_h, False), (noise.breaks_per_h, True)):
        starts = rng.integers(1, max(rows, 2), rng.poisson(per_h * hours))
        for start, away_s in zip(starts, rng.exponential(noise.away_s, len(starts)), strict=True):
            back = int(start) + max(1, round(away_s * rate_hz))
            visible[start:back] = False
            renamed += [back] if breaks and back < rows else []
    return visible, sorted(renamed)
