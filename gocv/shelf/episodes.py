"""Episodes: runs of weight events on one shelf with no more than short rests between them.

Whether a rest parts two things that were done, or lies within one (a lift in two steps, a hand that presses first), the
scales alone cannot say. An episode keeps all the rests; whoever explains it may merge neighbouring events.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import WeightEvent


@dataclasses.dataclass(frozen=True, slots=True)
class Episode:
    """Events that follow one another on a shelf; rest r lies before event r, and rest len(events) after the last.

    Attributes:
        id: Of the episode: that of its first event.
        events: In order of time, all of the same plates.
    """

    id: str
    events: tuple[WeightEvent, ...]

    @property
    def start_s(self) -> float:
        """Of its first event."""
        return self.events[0].start_s

    @property
    def end_s(self) -> float:
        """Of its last event."""
        return self.events[-1].end_s

    def between(self, first: int, last: int) -> WeightEvent:
        """The change from rest `first` to rest `last`, as one event; the levels between cancel."""
        events = self.events[first:last]
        if len(events) == 1:
            return events[0]
        covariance_g2 = np.sum([e.covariance_g2 for e in events], axis=0)
        for event in events[:-1]:
            covariance_g2 = covariance_g2 - 2 * event.settled_g2
        delta_g: NDArray[np.float64] = np.sum([e.delta_g for e in events], axis=0)
        # When the most of it happened: of the steps in its direction the greatest one.
        along = [float(e.delta_g @ delta_g) for e in events]
        return dataclasses.replace(
            events[0],
            end_s=events[-1].end_s,
            time_s=events[int(np.argmax(along))].time_s,
            delta_g=delta_g,
            covariance_g2=_positive(covariance_g2),
            probability=max(e.probability for e in events),
            settled_g2=events[-1].settled_g2,
        )

    def level(self, rest: int) -> NDArray[np.float64]:
        """(P,) grams of rest `rest` above rest 0."""
        return np.asarray(
            np.sum([e.delta_g for e in self.events[:rest]], axis=0) + np.zeros(len(self.events[0].plates))
        )


def episodes(events: Iterable[WeightEvent]) -> list[Episode]:
    """Events gathered into episodes, in order of time of their first events.

    Events that stand alone, or of which others of the episode are of other plates, are episodes of their own.
    """
    gathered: dict[str, list[WeightEvent]] = {}
    for event in sorted(events, key=lambda e: (e.time_s, e.id)):
        key = event.episode if event.settled_g2.size else ""
        gathered.setdefault(f"{key} {event.shelf} {event.plates}" if key else event.id, []).append(event)
    found = [Episode(run[0].id, tuple(run)) for run in gathered.values()]
    return sorted(found, key=lambda e: (e.events[0].time_s, e.id))


def alone(event: WeightEvent, plates: Sequence[int], delta_g: NDArray[np.float64]) -> WeightEvent:
    """The part of an event that is `delta_g` (n,) on some of its plates (n,), given by index."""
    rows = np.asarray(plates, dtype=np.int64)
    return dataclasses.replace(
        event,
        plates=tuple(event.plates[i] for i in rows),
        delta_g=delta_g,
        covariance_g2=event.covariance_g2[np.ix_(rows, rows)],
        settled_g2=np.empty((0, 0)),
    )


def _positive(covariance_g2: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest matrix whose variances are not below what quantisation leaves, with possible correlations."""
    values, vectors = np.linalg.eigh((covariance_g2 + covariance_g2.T) / 2)
    least_g2 = 0.01
    if values[0] >= least_g2:
        return covariance_g2
    return np.asarray((vectors * np.maximum(values, least_g2)) @ vectors.T)
