"""Runs in which a shelf is not at rest, found in samples that come chunk by chunk: the frame of the event detectors.

Detectors differ in how they measure unrest and in what they make of a run. What they share is here: samples on an even
grid, one moving variance for each shelf's sum, runs above a threshold that are closed by a stretch below it, the
levels at rest on either side, and memory that stays bounded.
"""

from __future__ import annotations

import abc
import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, PlateId, ScaleSamples, ShelfId, WeightEvent
from gocv.shelf.change import Change
from gocv.shelf.grid import EvenGrid

_MOST_LISTED = 20

_Number = TypeVar("_Number", bound=np.generic)


@dataclasses.dataclass(slots=True)
class Shelf:
    """Where the runs of one shelf stand; all positions are grid points.

    Attributes:
        id: Which shelf.
        columns: Its plates among those of the group, sorted.
        start: First point of the event that is open, if any.
        end: Point after its last active one.
        rest: First point of the window that gives the level before it.
    """

    id: ShelfId
    columns: slice
    start: int | None = None
    end: int = 0
    rest: int = 0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A stretch of unrest on one shelf, and the rest on either side.

    Attributes:
        shelf: Which shelf.
        start: First active grid point.
        end: Grid point after the last active one.
        begin: Grid point of the first row of `between`.
        before: (window, P) float32, readings of the shelf's plates at rest before, grams.
        between: (m, P) float32, readings from `begin` until as long after `end` as `begin` is before `start`.
        after: (window, P) float32, readings at rest after.
    """

    shelf: Shelf
    start: int
    end: int
    begin: int
    before: NDArray[np.float32]
    between: NDArray[np.float32]
    after: NDArray[np.float32]


class RunDetector(abc.ABC):
    """Finds weight events in one group of plates that are sampled together, chunk by chunk.

    What it finds does not depend on how the samples are cut into chunks. Memory is bounded: an event that has not
    come to rest after `max_event_s` is cut there and reported; the level where it was cut ends the one part and begins
    the next.

    Args:
        rate_hz: Samples per second.
        window: Samples of the means that give the levels at rest.
        variance_g2: A shelf is active where its variance (`_variance`) exceeds this, g².
        shortest: Shorter active runs are none, samples.
        settle: Levels are taken in windows whose middles lie this far outside the run, and a stable run must be
            longer than this to close an event, samples.
        reach: Samples on either side of a grid point that its variance depends on, at most `window`.
        still: Samples at the very start and at the very end in which the store is taken to be at rest.
        max_event_s: Longest event, seconds.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        window: int,
        variance_g2: float,
        shortest: int,
        settle: int,
        reach: int,
        still: int,
        max_event_s: float,
    ) -> None:
        self.window = window
        self.variance_g2 = variance_g2
        self.max_event = math.ceil(max_event_s * rate_hz)
        self._shortest = shortest
        self._settle = settle
        self._reach = reach
        self._still = still
        self._lag = max(reach, settle + window - window // 2)
        """Points that must follow one before it is looked at: an event that is cut there needs its level after it."""
        self._margin = window + settle + 1
        """Points needed on each side of an event to know its level there."""
        self._grid = EvenGrid(rate_hz)
        self._weights = np.empty((0, 0), np.float32)
        self._times = np.empty(0)
        self._offset = 0
        self._seen = 0
        self._started = False
        self._plates: tuple[PlateId, ...] = ()
        self._order: NDArray[np.int64] | slice = slice(None)
        self._shelves: list[Shelf] = []
        self._ids: set[str] = set()
        self._cut: list[dict[str, str]] = []

    @abc.abstractmethod
    def _variance(self, sums_g: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unquiet shelves are.

        Args:
            sums_g: (m + 2 · reach, S) float64, sums of the plates of each shelf, grams from any level.

        Returns:
            (at least m, S) float64, g²: row i belongs to row i + reach of `sums_g`.
        """

    @abc.abstractmethod
    def _changes(self, run: Run) -> Iterator[WeightEvent]:
        """The events of a run that is over."""

    def _at_rest(self, weight_g: NDArray[np.float32]) -> NDArray[np.float32]:
        """What to repeat after the last readings (`still`, P): by default these as they are, with their noise."""
        return weight_g

    def update(self, samples: ScaleSamples) -> list[WeightEvent]:
        """Events complete with these samples.

        Args:
            samples: Readings that follow those of the call before, of the same plates, on the recording's clock.

        Returns:
            Events in order of time. An event is known when the window that gives the level after it is full.

        Raises:
            DataError: The plates are not those of the call before.
        """
        self._append(*self._grid.push(samples))
        return self._advance() if self._started or len(self._weights) >= self.window else []

    def flush(self) -> list[WeightEvent]:
        """Events still open at the end: the last readings are repeated until everything has come to rest.

        No samples may follow.
        """
        self._append(*self._grid.finish())
        if not len(self._weights):
            return []
        points = 2 * self._margin + self.window
        weight_g = self._at_rest(self._weights[-self._still :])
        self._append(_tiled(weight_g, points), _tiled(self._times[-self._still :], points))
        return self._advance()

    def report(self) -> list[dict[str, str]]:
        """What was irregular in the samples, and events that were cut short."""
        return [*self._grid.report(), *self._cut]

    def _append(self, weight_g: NDArray[np.float32], time_s: NDArray[np.float64]) -> None:
        if not len(weight_g):
            return
        if not self._shelves:
            self._learn_shelves(self._grid.plates)
        weight_g = weight_g[:, self._order]
        self._weights = np.concatenate([self._weights, weight_g]) if len(self._weights) else weight_g
        self._times = np.concatenate([self._times, time_s])

    def _learn_shelves(self, plates: tuple[PlateId, ...]) -> None:
        self._plates = tuple(sorted(plates))
        if self._plates != plates:
            self._order = np.array([plates.index(plate) for plate in self._plates])
        ids = [p.shelf_id for p in self._plates]
        starts = [i for i, shelf in enumerate(ids) if i == 0 or shelf != ids[i - 1]]
        ends = [*starts[1:], len(ids)]
        self._shelves = [Shelf(ids[a], slice(a, b)) for a, b in zip(starts, ends, strict=True)]

    def _advance(self) -> list[WeightEvent]:
        """Look at the points whose windows are complete now; forget what no event needs any more."""
        if not self._started:
            # The store was at rest before the first sample: an event may start right away.
            still, points = self._still, 2 * self.window
            self._weights = np.concatenate([_tiled(self._weights[:still], points), self._weights])
            self._times = np.concatenate([_tiled(self._times[:still], points), self._times])
            self._offset, self._seen, self._started = -2 * self.window, -self.window, True
        first, stop = self._seen, self._offset + len(self._weights) - self._lag
        if stop <= first:
            return []
        slab = self._weights[first - self._reach - self._offset : stop + self._reach - self._offset]
        sums = np.add.reduceat(slab, [s.columns.start for s in self._shelves], axis=1, dtype=np.float64)
        active = self._variance(sums - sums[0])[: stop - first] > self.variance_g2
        moving = np.asarray(active.any(axis=0))
        events = [
            event
            for k, shelf in enumerate(self._shelves)
            if moving[k] or shelf.start is not None
            for event in self._runs(shelf, active[:, k], first)
        ]
        self._seen = stop
        self._forget()
        return sorted(events, key=lambda e: e.time_s)

    def _runs(self, shelf: Shelf, active: NDArray[np.bool_], first: int) -> Iterator[WeightEvent]:
        """Carry the shelf's runs over the points [first, first + len(active))."""
        stop = first + len(active)
        edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2) + first
        for start, end in edges.tolist():
            if shelf.start is not None and start - shelf.end > self._settle:
                yield from self._close(shelf)
            if shelf.start is None:
                shelf.start, shelf.rest = start, start - self._settle - self.window // 2
            while end - shelf.start > self.max_event:
                yield from self._cut_at(shelf, shelf.start + self.max_event)
            shelf.end = end
        if shelf.start is not None and stop - shelf.end > self._margin:
            yield from self._close(shelf)

    def _cut_at(self, shelf: Shelf, point: int) -> Iterator[WeightEvent]:
        """End the open event at `point` and begin another there."""
        assert shelf.start is not None
        if len(self._cut) < _MOST_LISTED:
            seconds = f"from {self._time(shelf.start):.1f} s to {self._time(point):.1f} s"
            self._cut.append({"where": f"shelf {shelf.id}", "problem": f"no rest {seconds}: the event was cut there"})
        shelf.end = point
        yield from self._close(shelf)
        shelf.start, shelf.rest = point, point + self._settle - self.window // 2

    def _close(self, shelf: Shelf) -> Iterator[WeightEvent]:
        assert shelf.start is not None
        start, end, shelf.start = shelf.start, shelf.end, None
        if end - start < self._shortest:
            return
        begin, stop = start - self._settle, end + self._settle
        level = stop - self.window // 2
        yield from self._changes(
            Run(
                shelf=shelf,
                start=start,
                end=end,
                begin=begin,
                before=self._span(shelf, shelf.rest, shelf.rest + self.window),
                between=self._span(shelf, begin, stop),
                after=self._span(shelf, level, level + self.window),
            )
        )

    def _event(
        self, shelf: Shelf, change: Change, columns: NDArray[np.int64], start_s: float, end_s: float, time_s: float
    ) -> WeightEvent:
        """The event of a change on `columns` of the shelf."""
        return WeightEvent(
            id=self._new_id(shelf.id, time_s),
            shelf=shelf.id,
            start_s=min(start_s, time_s),
            end_s=max(end_s, time_s),
            time_s=time_s,
            plates=tuple(self._plates[shelf.columns][i] for i in columns),
            delta_g=change.delta_g,
            covariance_g2=change.covariance_g2,
            probability=change.probability,
        )

    def _new_id(self, shelf: ShelfId, time_s: float) -> str:
        name = f"{shelf.gondola}-{shelf.shelf}@{time_s:.2f}"
        names = itertools.chain([name], (f"{name}.{k}" for k in itertools.count(2)))
        free = next(n for n in names if n not in self._ids)
        self._ids.add(free)
        return free

    def _span(self, shelf: Shelf, start: int, stop: int) -> NDArray[np.float32]:
        return self._weights[start - self._offset : stop - self._offset, shelf.columns]

    def _time(self, point: int) -> float:
        return float(self._times[point - self._offset])

    def _forget(self) -> None:
        open_starts = [s.start for s in self._shelves if s.start is not None]
        needed = min([self._seen, *open_starts]) - 2 * self._margin
        if needed > self._offset:
            self._weights = self._weights[needed - self._offset :].copy()
            self._times = self._times[needed - self._offset :].copy()
            self._offset = needed


def refuse_below(limits: Iterable[tuple[str, float, float]]) -> None:
    """Check (name, value, least) of settings.

    Raises:
        ConfigError: A value is below the least, or is no number.
    """
    for name, value, least in limits:
        if not value >= least:
            raise ConfigError(f"{value} will not do", key=name, expected=f"at least {least:g}")


def moving_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Means over `window` rows of (n, S): (n - window + 1, S).

    >>> moving_mean(np.array([[0.0], [2.0], [6.0]]), 2).ravel().tolist()
    [1.0, 4.0]
    """
    total = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    means: NDArray[np.float64] = (total[window:] - total[:-window]) / window
    return means


def moving_variance(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Variances over `window` rows of (n, S): (n - window + 1, S).

    >>> moving_variance(np.array([[0.0], [2.0], [6.0]]), 2).ravel().tolist()
    [1.0, 4.0]
    """
    return moving_mean(values**2, window) - moving_mean(values, window) ** 2


def _tiled(rows: NDArray[_Number], count: int) -> NDArray[_Number]:
    """`rows` over and over, `count` in all."""
    return rows[np.arange(count) % len(rows)]
