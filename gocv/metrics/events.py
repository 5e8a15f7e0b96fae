"""How well events were found, named and given to people.

A predicted event and a true one can be the same where they are at the same place and close in time; they are paired one
to one. Counts add up over recordings, and are divided last:

>>> def event(time_s, items, shopper):
...     return TimedEvent("1/5", time_s, items, shopper)
>>> one = count_events([event(3.2, (("tea", 1),), "ann")], [event(3.0, (("tea", 1),), "bob")], tolerance_s=1.0)
>>> other = count_events([], [event(9.0, (("milk", 1),), "ann")], tolerance_s=1.0)
>>> score = sum_events([one, other])
>>> score.recall, score.identification, score.who
(0.5, 1.0, 0.0)
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.assign import gated_assignment
from gocv.core import DataError


class TimedEvent(NamedTuple):
    """Something that happened at a shelf.

    Attributes:
        place: Where, such as a `ShelfId`; events at different places are never the same.
        time_s: Seconds on the recording's clock.
        items: (product id, units) pairs, units > 0 taken; None where it is not known, and then not scored.
        shopper: Who, under the truth's name; "" for nobody known. None as for `items`.
    """

    place: Hashable
    time_s: float
    items: tuple[tuple[str, int], ...] | None = None
    shopper: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class EventCounts:
    """Additive counts of one or more recordings, and what follows from them. A share of nothing is NaN.

    Attributes:
        predicted: Events that were stated.
        true: Events that there were.
        matched: Pairs of the one and the other.
        named: Matched pairs in which it is known what moved.
        named_right: Those in which exactly that was stated: products, units and direction.
        placed: Matched pairs in which it is known who moved it.
        placed_right: Those given to the right shopper.
        right: Matched pairs, both known, in which both are right.
        both: Matched pairs in which both are known.
    """

    predicted: int = 0
    true: int = 0
    matched: int = 0
    named: int = 0
    named_right: int = 0
    placed: int = 0
    placed_right: int = 0
    both: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Share of the stated events that there were."""
        return _share(self.matched, self.predicted)

    @property
    def recall(self) -> float:
        """Share of the true events that were stated."""
        return _share(self.matched, self.true)

    @property
    def f1(self) -> float:
        """2·matched / (predicted + true)."""
        return _share(2 * self.matched, self.predicted + self.true)

    @property
    def identification(self) -> float:
        """Share of the matched events in which exactly the right things moved."""
        return _share(self.named_right, self.named)

    @property
    def who(self) -> float:
        """Share of the matched events that the right shopper was charged with."""
        return _share(self.placed_right, self.placed)

    @property
    def complete(self) -> float:
        """Share of the matched events in which both what and who are right."""
        return _share(self.right, self.both)


def sum_events(counts: Iterable[EventCounts]) -> EventCounts:
    """The counts of several recordings together."""
    rows = [dataclasses.astuple(c) for c in counts]
    return EventCounts(*(sum(column) for column in zip(*rows, strict=True)))


def count_events(predicted: Sequence[TimedEvent], true: Sequence[TimedEvent], *, tolerance_s: float) -> EventCounts:
    """Compare the events of one recording; pairs are made as `match_events` says, whatever is said to have moved."""
    pairs = match_events(
        [e.time_s for e in predicted],
        [e.time_s for e in true],
        [e.place for e in predicted],
        [e.place for e in true],
        tolerance_s=tolerance_s,
    )
    what = [_agree(_sorted(predicted[i]), _sorted(true[j])) for i, j in pairs]
    who = [_agree(predicted[i].shopper, true[j].shopper) for i, j in pairs]
    both = [a and b for a, b in zip(what, who, strict=True) if a is not None and b is not None]
    return EventCounts(
        predicted=len(predicted),
        true=len(true),
        matched=len(pairs),
        named=len(pairs) - what.count(None),
        named_right=what.count(True),
        placed=len(pairs) - who.count(None),
        placed_right=who.count(True),
        both=len(both),
        right=sum(both),
    )


def match_events(
    predicted_s: ArrayLike,
    true_s: ArrayLike,
    predicted_place: Sequence[Hashable],
    true_place: Sequence[Hashable],
    *,
    tolerance_s: float,
) -> NDArray[np.int64]:
    """One-to-one pairs at the same place within the tolerance: as many as possible, and then as close as possible.

    Args:
        predicted_s: (n,) seconds on the recording's clock.
        true_s: (m,) seconds on the recording's clock.
        predicted_place: (n,) where.
        true_place: (m,) where.
        tolerance_s: Most that the times of a pair may differ, inclusive; finite, at least 0.

    Returns:
        (k, 2) int64, row of the predicted and row of the true event, sorted.

    Raises:
        DataError: Times and places do not fit one another, a time is not finite, or the tolerance will not do.
    """
    times = [np.asarray(t, np.float64) for t in (predicted_s, true_s)]
    for t, places in zip(times, (predicted_place, true_place), strict=True):
        if t.shape != (len(places),) or not np.isfinite(t).all():
            raise DataError(f"times of shape {t.shape} for {len(places)} places", expected="a finite time for each")
    if not 0 <= tolerance_s < np.inf:
        raise DataError(f"a tolerance of {tolerance_s} s", expected="a finite number, at least 0")
    rows, columns = _by_place(predicted_place), _by_place(true_place)
    found = [np.empty((0, 2), np.int64)]
    for place in rows.keys() & columns.keys():
        i, j = rows[place], columns[place]
        apart_s = np.abs(times[0][i][:, None] - times[1][j][None, :])
        share = np.minimum(apart_s, tolerance_s) / max(tolerance_s, np.finfo(float).tiny)
        cost = np.where(apart_s <= tolerance_s, share, np.inf)
        most_pairs = min(cost.shape)  # each costs at most 1, so that one pair more outweighs all differences in time
        pairs = gated_assignment(cost, gate=most_pairs + 2.0).pairs
        found.append(np.stack([i[pairs[:, 0]], j[pairs[:, 1]]], axis=1))
    together = np.concatenate(found)
    return together[np.argsort(together[:, 0])]


def _by_place(places: Sequence[Hashable]) -> dict[Hashable, NDArray[np.int64]]:
    rows: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, place in enumerate(places):
        rows[place].append(row)
    return {place: np.array(listed, np.int64) for place, listed in rows.items()}


def _sorted(event: TimedEvent) -> tuple[tuple[str, int], ...] | None:
    return None if event.items is None else tuple(sorted(event.items))


def _agree(predicted: object, true: object) -> bool | None:
    """Whether the same; None where the truth is not known."""
    return None if true is None else predicted == true


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
