"""The weight-event detector of FAIM, with the change taken from the plates that changed.

Falcão et al., "FAIM: Vision and Weight Sensing Fusion Framework for Autonomous Inventory Monitoring in Convenience
Stores", Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372. For shelf s with plates p:

    w_s = Σ_p w_{s,p},   μ_s = moving mean of w_s,   v_s = moving variance of μ_s   (both over 60 samples),
    active where v_s > 500 g²;  an event is an active run of more than 30 samples, closed by a stable run of
    more than 30 samples;  Δ_p = μ_p(end + 30) - μ_p(start - 30);  plates with |Δ_p| > 5 g contribute.

Windows are centred here. The paper keeps an event when the change of the shelf's sum is over 10 g; the sum also
collects the drift of a dozen plates that nobody touched (13 g on the one event of BENCHMARK-1), so ours is the sum
over the contributing plates alone.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, PlateId, ScaleSamples, ShelfId, WeightEvent
from gocv.shelf.change import describe_change
from gocv.shelf.grid import EvenGrid
from gocv.shelf.rests import clusters, rests_within

_MOST_LISTED = 20

_Number = TypeVar("_Number", bound=np.generic)


@dataclasses.dataclass(slots=True)
class _Shelf:
    """Where the runs of one shelf stand; all positions are grid points."""

    id: ShelfId
    columns: slice
    start: int | None = None
    """First point of the event that is open, if any."""
    end: int = 0
    """Point after its last active one."""
    rest: int = 0
    """First point of the window that gives the level before it."""


class FaimDetector:
    """Finds weight events in one group of plates that are sampled together, chunk by chunk.

    What it finds does not depend on how the samples are cut into chunks. Memory is bounded: an event that has not
    come to rest after `max_event_s` is cut there and reported; the level where it was cut ends the one part and begins
    the next. The store is taken to be at rest in the first and the last half window of samples.

    Args:
        rate_hz: Samples per second.
        window: Samples of the moving mean and of the moving variance.
        variance_g2: A shelf is active where v_s exceeds this, g².
        min_run: Active runs must be longer than this, and so must the stable run that closes one, samples.
        min_change_g: Events must change the contributing plates by more than this in all, grams.
        min_plate_g: Plates that change by more than this contribute, grams.
        max_event_s: Longest event, seconds.
        split_rest_s: Part an event in several where it rests for this long (`gocv.shelf.rests`), seconds. None: never,
            as published.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float = 60.0,
        window: int = 60,
        variance_g2: float = 500.0,
        min_run: int = 30,
        min_change_g: float = 10.0,
        min_plate_g: float = 5.0,
        max_event_s: float = 60.0,
        split_rest_s: float | None = None,
    ) -> None:
        for name, value, least in (
            ("rate_hz", rate_hz, 1e-3),
            ("window", window, 2),
            ("variance_g2", variance_g2, 0),
            ("min_run", min_run, 0),
            ("min_change_g", min_change_g, 0),
            ("min_plate_g", min_plate_g, 0),
            ("max_event_s", max_event_s, 2 * window / rate_hz if rate_hz > 0 else 0),
        ):
            if not value >= least:
                raise ConfigError(f"{value} will not do", key=name, expected=f"at least {least:g}")
        self.window = window
        self.variance_g2 = variance_g2
        self.min_run = min_run
        self.min_change_g = min_change_g
        self.min_plate_g = min_plate_g
        self.max_event = math.ceil(max_event_s * rate_hz)
        self.split_rest = None if split_rest_s is None else max(2, round(split_rest_s * rate_hz))
        self._grid = EvenGrid(rate_hz)
        self._margin = window + min_run + 1
        """Points needed on each side of an event to know its level there."""
        self._weights = np.empty((0, 0), np.float32)
        self._times = np.empty(0)
        self._offset = 0
        self._seen = 0
        self._started = False
        self._plates: tuple[PlateId, ...] = ()
        self._order: NDArray[np.int64] | slice = slice(None)
        self._shelves: list[_Shelf] = []
        self._ids: set[str] = set()
        self._cut: list[dict[str, str]] = []

    def update(self, samples: ScaleSamples) -> list[WeightEvent]:
        """Events complete with these samples.

        Args:
            samples: Readings that follow those of the call before, of the same plates, on the recording's clock.

        Returns:
            Events in order of time. An event is known `window` + `min_run` samples after v_s last exceeded the
            threshold.

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
        half, points = self.window // 2, 2 * self._margin + self.window
        self._append(_tiled(self._weights[-half:], points), _tiled(self._times[-half:], points))
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
        self._shelves = [_Shelf(ids[a], slice(a, b)) for a, b in zip(starts, ends, strict=True)]

    def _advance(self) -> list[WeightEvent]:
        """Look at the points whose windows are complete now; forget what no event needs any more."""
        if not self._started:
            # The store was at rest before the first sample: an event may start right away.
            half, points = self.window // 2, 2 * self.window
            self._weights = np.concatenate([_tiled(self._weights[:half], points), self._weights])
            self._times = np.concatenate([_tiled(self._times[:half], points), self._times])
            self._offset, self._seen, self._started = -2 * self.window, -self.window, True
        first, stop = self._seen, self._offset + len(self._weights) - self.window
        if stop <= first:
            return []
        slab = self._weights[first - self.window - self._offset :]
        sums = np.add.reduceat(slab, [s.columns.start for s in self._shelves], axis=1, dtype=np.float64)
        variance = _moving_variance(_moving_mean(sums - sums[0], self.window), self.window)
        active = variance[: stop - first] > self.variance_g2
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

    def _runs(self, shelf: _Shelf, active: NDArray[np.bool_], first: int) -> Iterator[WeightEvent]:
        """Carry the shelf's runs over the points [first, first + len(active))."""
        stop = first + len(active)
        edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2) + first
        for start, end in edges.tolist():
            if shelf.start is not None and start - shelf.end > self.min_run:
                yield from self._close(shelf)
            if shelf.start is None:
                shelf.start, shelf.rest = start, start - self.min_run - self.window // 2
            while end - shelf.start > self.max_event:
                yield from self._cut_at(shelf, shelf.start + self.max_event)
            shelf.end = end
        if shelf.start is not None and stop - shelf.end > self._margin:
            yield from self._close(shelf)

    def _cut_at(self, shelf: _Shelf, point: int) -> Iterator[WeightEvent]:
        """End the open event at `point` and begin another there."""
        assert shelf.start is not None
        if len(self._cut) < _MOST_LISTED:
            seconds = f"from {self._time(shelf.start):.1f} s to {self._time(point):.1f} s"
            self._cut.append({"where": f"shelf {shelf.id}", "problem": f"no rest {seconds}: the event was cut there"})
        shelf.end = point
        yield from self._close(shelf)
        shelf.start, shelf.rest = point, point + self.min_run - self.window // 2

    def _close(self, shelf: _Shelf) -> Iterator[WeightEvent]:
        assert shelf.start is not None
        start, end, shelf.start = shelf.start, shelf.end, None
        if end - start <= self.min_run:
            return
        begin, stop = start - self.min_run, end + self.min_run
        before = self._span(shelf, shelf.rest, shelf.rest + self.window)
        between = self._span(shelf, begin, stop)
        level = stop - self.window // 2
        after = self._span(shelf, level, level + self.window)
        rests = self._rests(before, between, after)
        levels = [before, *(between[rest] for rest in rests), after]
        middles = [0, *((rest.start + rest.stop) // 2 for rest in rests), stop - begin]
        for was, became, (first, last) in zip(levels[:-1], levels[1:], itertools.pairwise(middles), strict=True):
            yield from self._describe(shelf, begin + first, was, between[first:last], became)

    def _rests(
        self, before: NDArray[np.float32], between: NDArray[np.float32], after: NDArray[np.float32]
    ) -> list[slice]:
        """Rows of `between` that part the event in several."""
        if self.split_rest is None:
            return []
        return rests_within(before, between, after, self.split_rest, self.min_plate_g)

    def _describe(
        self,
        shelf: _Shelf,
        begin: int,
        before: NDArray[np.float32],
        between: NDArray[np.float32],
        after: NDArray[np.float32],
    ) -> Iterator[WeightEvent]:
        """The events of one step, whose readings `between` begin at the point `begin`."""
        step = describe_change(before, between, after, self.min_plate_g)
        if step is None:
            return
        for columns in [step.plates] if self.split_rest is None else clusters(step.plates):
            change = describe_change(before[:, columns], between[:, columns], after[:, columns], self.min_plate_g)
            if change is None or abs(change.delta_g.sum()) <= self.min_change_g:
                continue
            time_s = self._time(begin + change.half)
            yield WeightEvent(
                id=self._new_id(shelf.id, time_s),
                shelf=shelf.id,
                start_s=min(self._time(begin + max(change.first - 1, 0)), time_s),
                end_s=max(self._time(begin + change.last), time_s),
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

    def _span(self, shelf: _Shelf, start: int, stop: int) -> NDArray[np.float32]:
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


def _tiled(rows: NDArray[_Number], count: int) -> NDArray[_Number]:
    """`rows` over and over, `count` in all."""
    return rows[np.arange(count) % len(rows)]


def _moving_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Means over `window` rows: (n - window + 1, S)."""
    total = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
    means: NDArray[np.float64] = (total[window:] - total[:-window]) / window
    return means


def _moving_variance(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Variances over `window` rows: (n - window + 1, S)."""
    return _moving_mean(values**2, window) - _moving_mean(values, window) ** 2
