"""gocv's own detector of weight events: steps between rests, judged by the noise that each plate is known to have.

Readings are averaged over blocks of 50 ms. A plate is unquiet where the means of two neighbouring windows differ by
more than `threshold` deviations of what they differ by at rest (`gocv.shelf.noise`), that deviation raised while the
whole gondola shakes, which the fine detail within the blocks tells. Windows of 0.2 s find all that happens at once;
those of 0.8 to 3.2 s find, between it, what happens slowly. Unquiet stretches of a shelf with only short rests
between them are an episode. Within it the rests are found by dynamic programming (`gocv.shelf.segments`), and every
step from one rest to the next is a `WeightEvent` (`gocv.shelf.chains`).

How long a rest ends an episode is a compromise: a receipt wants it short; but a lift in two steps pauses for up to a
second and a half, and a hand that leans on the goods before it lifts them slowly looks, until then, just like a
put-down. So an episode lasts longer while the shelf is heavier than it was before.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import ScaleSamples, ShelfId, WeightEvent
from gocv.shelf.blocks import BlockStream
from gocv.shelf.chains import MARGIN, Step, Stretch, find_steps, matters, moved_plates
from gocv.shelf.change import changed
from gocv.shelf.noise import Noise
from gocv.shelf.runs import refuse_below
from gocv.shelf.segments import Odds
from gocv.shelf.unrest import AHEAD, EPOCH, FAST, SLOW, WARM, UnrestMeter

_JOIN = 3
"""Unquiet runs with fewer quiet block boundaries between them are one fragment: no lasting rest."""

_CREEP = 12
"""Blocks of the windows that tell whether a slow change has come to rest."""

_CREEPS, _LEAST_CREEP_G = 3.5, 0.6
"""They tell it where they differ by more deviations than that, and more grams."""

_LONG = 40
"""Unquiet stretches of more blocks are slow changes; what is fast shows no further in slow windows."""

_TOUCH_G = 8.0
"""An episode after which the shelf is as before is of interest where a level changed by more than this meanwhile."""

_MOST_LISTED = 20


@dataclasses.dataclass(slots=True)
class _Shelf:
    """Where one shelf stands; all positions are blocks, or boundaries before blocks.

    Attributes:
        id: Which shelf.
        columns: Its plates among those of the group, sorted.
        fragments: Unquiet stretches of the open episode.
        slow: Slow change that is going on: its first boundary, the one after its last, and its height and place.
        free: First block that belongs to no episode that is over.
        noise: What was known of the noise when the open episode began: a long one would pass for noise itself.
    """

    id: ShelfId
    columns: slice
    fragments: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    slow: tuple[int, int, float, int] | None = None
    free: int = -AHEAD
    noise: Noise | None = None


class StepDetector:
    """Finds weight events in one group of plates that are sampled together, chunk by chunk.

    What it finds does not depend on how the samples are cut into chunks. Memory is bounded. The store is taken to be at
    rest before the first and after the last sample. All events of an episode list the same plates.

    Args:
        rate_hz: Samples per second.
        threshold: Deviations of the noise beyond which a plate is unquiet.
        min_change_g: Plates that change by less than this (or by no more than their noise) did not, grams.
        beside_g: Neighbours of plates that changed by more than this are part of an event too, as things stand
            astride; grams.
        rest_s: How long a shelf must rest for an episode to be over, seconds.
        lean_s: The same while a plate is heavier than it was before: somebody may lean on it.
        level_s: Of the longest rest that gives a level, seconds.
        max_event_s: Longest episode, seconds; it is cut there and reported where it has no rest.
        odds: Prior log odds of rests and moves within an episode.

    Raises:
        ConfigError: An argument is out of range.
    """

    def __init__(
        self,
        rate_hz: float = 60.0,
        threshold: float = 5.0,
        min_change_g: float = 4.0,
        beside_g: float = 20.0,
        rest_s: float = 1.6,
        lean_s: float = 7.0,
        level_s: float = 1.5,
        max_event_s: float = 60.0,
        odds: Odds | None = None,
    ) -> None:
        refuse_below(
            (
                ("rate_hz", rate_hz, 3.0),
                ("threshold", threshold, 1.0),
                ("min_change_g", min_change_g, 0.0),
                ("beside_g", beside_g, 0.0),
                ("rest_s", rest_s, 0.5),
                ("lean_s", lean_s, rest_s),
                ("level_s", level_s, 0.2),
                ("max_event_s", max_event_s, 5.0),
            )
        )
        self.threshold, self.min_change_g, self.beside_g = threshold, min_change_g, beside_g
        self._stream = BlockStream(rate_hz)
        per_s = self._stream.per_s
        # Boundaries near a change are unquiet: a rest of n blocks has n - 2 * FAST + 1 quiet ones.
        self._rest, self._lean = (max(_JOIN, round(t * per_s) - 2 * FAST[-1] + 1) for t in (rest_s, lean_s))
        self._level, self._longest = max(4, round(level_s * per_s)), math.ceil(max_event_s * per_s)
        self._odds = Odds() if odds is None else odds
        self._meter: UnrestMeter | None = None
        self._end = 0
        self._shelves: list[_Shelf] = []
        self._ids: set[str] = set()
        self._cut: list[dict[str, str]] = []

    def update(self, samples: ScaleSamples) -> list[WeightEvent]:
        """Events complete with these samples.

        Args:
            samples: Readings that follow those of the call before, of the same plates, on the recording's clock.

        Returns:
            Events in order of time, those of an episode at once.

        Raises:
            DataError: The plates are not those of the call before.
        """
        self._stream.push(samples)
        return self._advance() if self._meter is not None or self._stream.end >= WARM * EPOCH else []

    def flush(self) -> list[WeightEvent]:
        """Events still open at the end: the shelf is taken to stay as it is. No samples may follow."""
        self._stream.finish(self._lean + 2 * AHEAD + EPOCH, EPOCH)
        return self._advance() if self._stream.plates else []

    def report(self) -> list[dict[str, str]]:
        """What was irregular in the samples, plates that are stuck or tremble, and episodes that were cut short."""
        found = self._stream.report()
        known = {entry["where"] for entry in found}
        for column, problem in () if self._meter is None else self._meter.report():
            where = f"plate {self._stream.plates[column]}"
            if where not in known:
                found.append({"where": where, "problem": problem})
        return [*found, *self._cut]

    def _advance(self) -> list[WeightEvent]:
        """Look at the epochs that are complete now; forget what no event needs any more."""
        begin, end = self._end, self._stream.end // EPOCH * EPOCH
        if end <= begin:
            return []
        if self._meter is None:
            self._stream.suppose_before(AHEAD)
            self._meter = UnrestMeter(self._stream, self.threshold)
            self._shelves = [_Shelf(name, columns) for name, columns in self._stream.shelves]
        fast, slow = self._meter.measure(begin, end)
        unquiet = np.maximum(fast, slow).reshape(-1, EPOCH, len(self._shelves)).max(axis=1) > 1
        events: list[WeightEvent] = []
        for epoch, noise in enumerate(self._meter.noises):
            rows = slice(epoch * EPOCH, (epoch + 1) * EPOCH)
            self._end = begin + rows.stop
            for k, shelf in enumerate(self._shelves):
                if unquiet[epoch, k] or shelf.fragments or shelf.slow:
                    events += self._follow(shelf, fast[rows, k], slow[rows, k], noise)
        self._forget(self._meter)
        return sorted(events, key=lambda e: e.time_s)

    def _follow(
        self, shelf: _Shelf, fast: NDArray[np.float32], slow: NDArray[np.float32], noise: Noise
    ) -> Iterator[WeightEvent]:
        """Carry a shelf over an epoch."""
        now = self._end - FAST[-1]
        if shelf.fragments and shelf.noise is not None:
            noise = shelf.noise
        shelf.noise = noise
        for first, last in _runs(fast > 1, now - EPOCH):
            if shelf.fragments and first - shelf.fragments[-1][1] < _JOIN:
                shelf.fragments[-1] = (shelf.fragments[-1][0], last)
            else:
                shelf.fragments.append((first, last))
        self._follow_slow(shelf, slow, noise)
        while shelf.fragments and now - shelf.fragments[0][0] > self._longest:
            yield from self._cut_short(shelf, now, noise)
        if shelf.fragments:
            quiet = now - shelf.fragments[-1][1]
            if quiet < self._rest or (quiet < self._lean and self._heavier(shelf, noise)):
                return
            if not self._creeps_on(shelf, noise):
                yield from self._close(shelf, len(shelf.fragments), self._end, noise)

    def _follow_slow(self, shelf: _Shelf, slow: NDArray[np.float32], noise: Noise) -> None:
        """Where a slow change is over, and nothing fast was near it, its middle is a fragment of its own."""
        begin = self._end - SLOW[-1] - EPOCH
        for first, last in _runs(slow > 1, begin):
            part = slow[first - begin : last - begin]
            height, place = float(part.max()), first + int(part.argmax())
            if shelf.slow is not None and first <= shelf.slow[1]:
                _, _, before, where = shelf.slow
                shelf.slow = (shelf.slow[0], last, *((height, place) if height > before else (before, where)))
            else:
                self._end_slow(shelf, noise)
                shelf.slow = (first, last, height, place)
        if shelf.slow is not None and (shelf.slow[1] < begin + EPOCH or shelf.slow[1] - shelf.slow[0] > self._longest):
            self._end_slow(shelf, noise)

    def _end_slow(self, shelf: _Shelf, noise: Noise) -> None:
        if shelf.slow is None:
            return
        first, last, _, place = shelf.slow
        shelf.slow = None
        inset = SLOW[-1] // 4
        core = (min(first + inset, place - 2), max(last - inset, place + 2))
        near = any(core[0] - SLOW[-1] < b and a < core[1] + SLOW[-1] for a, b in shelf.fragments)
        if not near and core[0] - SLOW[-1] >= shelf.free:
            shelf.fragments = sorted([*shelf.fragments, core])
            return
        # What is fast shows in slow windows too: only a long stretch between it of which the ends differ is slow.
        edges = [shelf.free, *itertools.chain(*shelf.fragments), self._end]
        for before, after in zip(edges[::2], edges[1::2], strict=True):
            part = (max(core[0], before + FAST[-1]), min(core[1], after - FAST[-1]))
            if self._crept(shelf, part, noise):
                shelf.fragments = sorted([*shelf.fragments, part])

    def _crept(self, shelf: _Shelf, part: tuple[int, int], noise: Noise) -> bool:
        """Whether a stretch without anything fast is long, and the levels at its ends differ surely."""
        half = (part[1] - part[0]) // 3
        if 3 * half <= _LONG:
            return False
        begin, end = (self._stream.rows(at, at + half) for at in (part[0], part[1] - half))
        blocks = self._stream.values_g[:, shelf.columns]
        apart = np.abs(blocks[end].mean(axis=0) - blocks[begin].mean(axis=0))
        assert self._meter is not None
        sd_g = self._meter.loudness(*part) * np.sqrt(2 * noise.of(shelf.columns).level_g2(half))
        return bool((apart > np.maximum(self.threshold * sd_g, self.min_change_g)).any())

    def _heavier(self, shelf: _Shelf, noise: Noise) -> bool:
        """Whether a plate carries more than before the episode."""
        before, after = shelf.fragments[0][0], shelf.fragments[-1][1]
        blocks = self._stream.values_g[:, shelf.columns]
        was = blocks[self._stream.rows(before - MARGIN, before)].mean(axis=0)
        now = blocks[self._stream.rows(after + 1, after + 1 + MARGIN)].mean(axis=0)
        return bool((now - was > np.maximum(_TOUCH_G, self.threshold * noise.step_g[1, shelf.columns])).any())

    def _creeps_on(self, shelf: _Shelf, noise: Noise) -> bool:
        """Whether the level still changes, too slowly to be unquiet; if so the last fragment is made longer."""
        first, last = shelf.fragments[-1]
        width = SLOW[-2] if last - first > _LONG else _CREEP
        middle = last + 2 + width
        if middle + width > self._end:
            return True
        if not self._differ(shelf, middle - width, middle, middle + width, noise):
            return False
        shelf.fragments[-1] = (first, last + width // 2)
        return True

    def _crept_from(self, shelf: _Shelf, first: int, noise: Noise) -> int:
        """Where a change had begun that was too slow to be unquiet before the boundary `first`."""
        while first - 2 * _CREEP > max(shelf.free, self._stream.offset) + MARGIN + _CREEP // 2 and self._differ(
            shelf, first - 2 * _CREEP, first - _CREEP, first, noise
        ):
            first -= _CREEP // 2
        return first

    def _differ(self, shelf: _Shelf, first: int, middle: int, last: int, noise: Noise) -> bool:
        """Whether the means of two windows of a shelf differ."""
        before, after = self._stream.rows(first, middle), self._stream.rows(middle, last)
        apart = self._stream.values_g[after, shelf.columns].mean(axis=0) - self._stream.values_g[
            before, shelf.columns
        ].mean(axis=0)
        assert self._meter is not None
        sd_g = self._meter.loudness(first, last) * np.sqrt(2 * noise.of(shelf.columns).level_g2(middle - first))
        return bool((np.abs(apart) > np.maximum(_CREEPS * sd_g, _LEAST_CREEP_G)).any())

    def _cut_short(self, shelf: _Shelf, now: int, noise: Noise) -> Iterator[WeightEvent]:
        """End an episode that has lasted too long: at its last rest, or where it stands."""
        if len(shelf.fragments) > 1:
            stop = shelf.fragments[-1][0]
            yield from self._close(shelf, len(shelf.fragments) - 1, stop, noise)
            return
        first, last = shelf.fragments[0]
        point = first + self._longest
        if last <= point:
            yield from self._close(shelf, 1, self._end, noise)
            return
        if len(self._cut) < _MOST_LISTED:
            seconds = f"from {self._stream.time(first):.1f} s to {self._stream.time(point):.1f} s"
            self._cut.append({"where": f"shelf {shelf.id}", "problem": f"no rest {seconds}: the event was cut there"})
        shelf.fragments = [(first, point)]
        yield from self._close(shelf, 1, point + MARGIN, noise)
        shelf.fragments, shelf.free = [(point, last)], point - MARGIN

    def _close(self, shelf: _Shelf, count: int, stop: int, noise: Noise) -> Iterator[WeightEvent]:
        """The events of the first fragments of a shelf; nothing from the block `stop` on belongs to them."""
        assert self._meter is not None
        fragments, shelf.fragments = shelf.fragments[:count], shelf.fragments[count:]
        if shelf.slow is not None:
            before = (max(shelf.free + FAST[-1], shelf.slow[0] + SLOW[-1] // 4), fragments[0][0] - FAST[-1])
            if self._crept(shelf, before, noise):
                fragments = [before, *fragments]
        fragments[0] = (self._crept_from(shelf, fragments[0][0], noise), fragments[0][1])
        begin = min(max(shelf.free, fragments[0][0] - self._level - MARGIN), fragments[0][0] - MARGIN)
        stop = max(stop, fragments[-1][1] + MARGIN)
        shelf.free = fragments[-1][1]
        rows = self._stream.rows(begin, stop)
        stretch = Stretch(
            values_g=self._stream.values_g[rows, shelf.columns].astype(np.float64),
            shaking=_smooth(self._meter.shaking[rows]),
            real=(-begin, self._stream.measured - begin),
            fragments=[(a - begin, b - begin) for a, b in fragments],
            level_blocks=self._level,
            noise=noise.of(shelf.columns),
        )
        steps = find_steps(stretch, self.min_change_g, self._odds)
        if steps and matters(steps, self.min_change_g, _TOUCH_G):
            yield from self._events(shelf, steps, begin)

    def _events(self, shelf: _Shelf, steps: list[Step], begin: int) -> Iterator[WeightEvent]:
        columns = moved_plates(steps, self.min_change_g, self.beside_g)
        plates = tuple(self._stream.plates[shelf.columns.start + c] for c in columns.tolist())
        among = np.ix_(columns, columns)
        episode = ""
        for step in steps:
            time_s = self._stream.time(begin + step.half)
            name = self._new_id(shelf.id, time_s)
            episode = episode or name
            delta_g, covariance_g2 = step.delta_g[columns], step.covariance_g2[among]
            yield WeightEvent(
                id=name,
                shelf=shelf.id,
                start_s=min(self._stream.time(begin + step.first), time_s),
                end_s=max(self._stream.time(begin + step.last), time_s),
                time_s=time_s,
                plates=plates,
                delta_g=delta_g,
                covariance_g2=covariance_g2,
                probability=changed(delta_g, np.diag(covariance_g2)),
                episode=episode,
                settled_g2=step.settled_g2[among],
            )

    def _new_id(self, shelf: ShelfId, time_s: float) -> str:
        name = f"{shelf.gondola}-{shelf.shelf}@{time_s:.2f}"
        names = itertools.chain([name], (f"{name}.{k}" for k in itertools.count(2)))
        free = next(n for n in names if n not in self._ids)
        self._ids.add(free)
        return free

    def _forget(self, meter: UnrestMeter) -> None:
        opened = [f[0] for s in self._shelves for f in s.fragments] + [s.slow[0] for s in self._shelves if s.slow]
        needed = min([self._end - SLOW[-1], *opened]) - AHEAD - self._level - MARGIN
        meter.shaking = meter.shaking[self._stream.forget(needed) :].copy()


def _smooth(shaking: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of five, at least 1."""
    kernel = np.ones(5)
    means = np.convolve(shaking, kernel, "same") / np.convolve(np.ones(len(shaking)), kernel, "same")
    level: NDArray[np.float64] = np.maximum(means[: len(shaking)], 1.0)
    return level


def _runs(active: NDArray[np.bool_], begin: int) -> list[tuple[int, int]]:
    if not active.any():
        return []
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2) + begin
    return [(int(a), int(b)) for a, b in edges]
