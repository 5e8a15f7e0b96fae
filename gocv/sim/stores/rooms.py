"""Where a facing's room begins and ends, when all that is known is the plates that the planogram gives it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

Span = tuple[int, int]
"""First and last plate, from 1, both included."""


def rooms(spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Left and right end of each facing's room on one shelf, in plates from the shelf's left end.

    A facing has its plates to itself where no other stands on them. The boundary between neighbours lies in the
    middle of the plates that they share; facings with the very same plates share the room between them evenly, and
    where several boundaries fall together each has a part of that plate. What cannot be so divided (a facing within
    another that goes on beyond it) comes out with no room: its right end is not above its left one.

    >>> rooms([(1, 3), (3, 4), (6, 6)])
    [(0.0, 2.5), (2.5, 4.0), (5.0, 6.0)]
    >>> rooms([(5, 6), (5, 6)])
    [(4.0, 5.0), (5.0, 6.0)]
    """
    order = sorted(range(len(spans)), key=lambda i: (spans[i], i))
    groups = [list(group) for _, group in itertools.groupby(order, key=lambda i: spans[i])]
    found: dict[int, tuple[float, float]] = {}
    for group, (left, right) in zip(groups, _disjoint([spans[group[0]] for group in groups]), strict=True):
        for place, i in enumerate(group):
            step = (right - left) / len(group)
            found[i] = (left + place * step, left + (place + 1) * step)
    return [found[i] for i in range(len(spans))]


def _disjoint(spans: Sequence[Span]) -> list[tuple[float, float]]:
    """Rooms of different spans, in their order."""
    lefts = [float(first - 1) for first, _ in spans]
    rights = [float(last) for _, last in spans]
    shared = [i for i in range(len(spans) - 1) if spans[i][1] >= spans[i + 1][0]]
    middles = {i: (spans[i + 1][0] - 1 + min(spans[i][1], spans[i + 1][1])) / 2 for i in shared}
    for _, same in itertools.groupby(shared, key=lambda i: (middles[i], _run(i, shared))):
        together = list(same)
        for place, i in enumerate(together):
            apart = (place + 1) / (len(together) + 1) - 0.5
            # Half a plate at most, so that it stays clear of the next boundary, half a plate away at least.
            rights[i] = lefts[i + 1] = middles[i] + (0.5 * apart if len(together) > 1 else 0.0)
    return list(zip(lefts, rights, strict=True))


def _run(i: int, shared: Sequence[int]) -> int:
    """Tells apart the runs of neighbouring boundaries."""
    return i - shared.index(i)
