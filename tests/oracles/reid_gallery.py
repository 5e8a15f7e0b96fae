"""A gallery as a plain dictionary, by loops: person → list of (time, how manyth added, vector, camera)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Entry = tuple[float, int, np.ndarray, str]


class DictGallery:
    """The rules of `gocv.reid.Gallery` for vectors of length 1."""

    def __init__(self, ratio: Callable[[float], float], keep: int, expires_s: float, prior_new: float) -> None:
        self.ratio, self.keep, self.expires_s, self.prior_new = ratio, keep, expires_s, prior_new
        self.held: dict[int, list[Entry]] = {}
        self.forgotten: set[int] = set()
        self.clock_s = -math.inf
        self.added = 0

    def expire(self, time_s: float) -> list[int]:
        self.clock_s = max(self.clock_s, time_s)
        gone = []
        for person in sorted(self.held):
            self.held[person] = [e for e in self.held[person] if self.clock_s - e[0] <= self.expires_s]
            if not self.held[person]:
                del self.held[person]
                gone.append(person)
        return gone

    def add(self, person: int, vectors: Sequence[np.ndarray], times: Sequence[float], camera: str) -> None:
        if not len(vectors):
            return
        self.expire(max(times))
        entries = self.held.get(person, [])
        for vector, time_s in zip(vectors, times, strict=True):
            if self.clock_s - time_s <= self.expires_s:
                entries.append((time_s, self.added, vector.astype(float), camera))
                self.added += 1
        if entries:
            self.held[person] = self.thinned(entries)

    def thinned(self, entries: list[Entry]) -> list[Entry]:
        if len(entries) <= self.keep:
            return entries
        left = sorted(entries, key=lambda e: (e[0], e[1]), reverse=True)
        chosen = [left.pop(0)]
        while len(chosen) < self.keep:
            nearest = [max(float(e[2] @ c[2]) for c in chosen) for e in left]
            chosen.append(left.pop(nearest.index(min(nearest))))
        return chosen

    def forget(self, person: int) -> None:
        del self.held[person]
        self.forgotten.add(person)

    def match(self, tracklets: Sequence[Sequence[np.ndarray]], time_s: float) -> list[dict[int | None, float]]:
        """For each tracklet, the probability of each person and of None."""
        self.expire(time_s)
        result = []
        for vectors in tracklets:
            weight: dict[int | None, float] = {None: self.prior_new}
            for person, entries in self.held.items():
                ratios = [math.exp(self.ratio(float(x @ e[2]))) for x in vectors for e in entries]
                weight[person] = (1 - self.prior_new) / len(self.held) * sum(ratios) / len(ratios)
            total = sum(weight.values())
            result.append({person: w / total for person, w in weight.items()})
        return result
