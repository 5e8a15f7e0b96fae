"""Who comes close to whom in the store, and who leaves such an encounter under the other's name."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_PARTED = 2.0  # an encounter ends at this many times the distance at which it began


class Encounters:
    """Follows who is near whom, block after block of ticks, and draws the exchanges of names.

    An encounter begins when two come closer than a distance and ends when they are twice as far apart or one leaves;
    an exchange is drawn once for each, in order of time: the same come out however the ticks are cut into blocks.

    Args:
        within_m: The distance.
        probability: Of an exchange.
        rng: Own stream of random numbers.
    """

    def __init__(self, within_m: float, probability: float, rng: np.random.Generator) -> None:
        self._within_m, self._probability, self._rng = within_m, probability, rng
        self._together: set[tuple[int, int]] = set()

    def swaps(self, places: Mapping[int, tuple[int, Array]], start: int, end: int) -> list[tuple[int, int, int]]:
        """Exchanges in ticks from `start` up to `end`: (tick, one, other), in order.

        Args:
            places: By person, the tick of the first row, and (n, 2) where they are, metres, a row a tick.
            start: First tick.
            end: First tick no more.
        """
        if not self._probability:
            return []
        begun: list[tuple[int, int, int]] = []
        for one, other in combinations(sorted(places), 2):
            (first_a, a), (first_b, b) = places[one], places[other]
            low, high = max(start, first_a, first_b), min(end, first_a + len(a), first_b + len(b))
            if low >= high:
                self._together.discard((one, other))
                continue
            apart = np.hypot(*(a[low - first_a : high - first_a] - b[low - first_b : high - first_b]).T)
            begun += [(low + int(row), one, other) for row in self._begins((one, other), apart)]
        alive = set(places)
        self._together = {pair for pair in self._together if alive.issuperset(pair)}
        begun.sort()
        drawn = self._rng.random(len(begun)) < self._probability
        return [encounter for encounter, swapped in zip(begun, drawn, strict=True) if swapped]

    def _begins(self, pair: tuple[int, int], apart_m: Array) -> NDArray[np.int64]:
        """Rows at which an encounter of a pair begins; remembers whether one is going on at the end."""
        near, far = apart_m < self._within_m, apart_m > _PARTED * self._within_m
        if not near.any() and (far.any() or pair not in self._together):
            self._together.discard(pair)
            return np.empty(0, np.int64)
        known = np.concatenate([[True], near | far])
        latest = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
        together = np.concatenate([[pair in self._together], near])[latest]
        (self._together.add if together[-1] else self._together.discard)(pair)
        return np.flatnonzero(together[1:] & ~together[:-1]).astype(np.int64)
