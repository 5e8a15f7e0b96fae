"""What was seen of an event besides its weight: who was near, what a hand did, what was in it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from gocv.core import FloorTracks, Interaction, Recognition, Store, WeightEvent
from gocv.fusion.nearness import NearnessSettings, nearness

_CAP = math.log(50.0)
"""No classifier's word moves the odds by more: its errors hang together, and its probabilities are its own."""

_AROUND_S = 1.0
"""What a hand did, or held, counts for an event this near, seconds."""

_MOST_SHOPPERS = 6

Who = Mapping[int | None, float]
"""Log probability of each shopper's index, and of None for nobody known, by nearness alone."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Everything that was seen, ready to be asked about an event.

    Args:
        shoppers: Rows in order of time.
        store: Where the plates are.
        settings: How nearness becomes a likelihood.
        least_share: Shoppers whose share of an event is smaller had no part in it.
        interactions: By shopper.
        recognitions: By shopper.
    """

    shoppers: FloorTracks
    store: Store
    settings: NearnessSettings
    least_share: float
    interactions: Mapping[str, Sequence[Interaction]]
    recognitions: Mapping[str, Sequence[Recognition]]
    _index: dict[str, int] = dataclasses.field(init=False)
    _asked: dict[object, dict[int | None, float]] = dataclasses.field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {name: i for i, name in enumerate(self.shoppers.shoppers)})

    def who(self, event: WeightEvent) -> dict[int | None, float]:
        """Who may have moved this: log probabilities that sum to 1."""
        share = np.round(event.delta_g / max(float(np.abs(event.delta_g).max()), 1e-9), 1)
        key = event.start_s, event.time_s, event.end_s, event.plates, tuple(share.tolist())
        if key not in self._asked:
            self._asked[key] = self._who(event)
        return self._asked[key]

    def _who(self, event: WeightEvent) -> dict[int | None, float]:
        index = self._index
        time_s, around_s = self.shoppers.time_s, self.settings.present_s
        first = np.searchsorted(time_s, event.start_s - around_s, "left")
        stop = np.searchsorted(time_s, event.end_s + around_s, "right")
        around = self.shoppers[first:stop] if stop > first else self.shoppers
        found = nearness(event, self.store, around, self.settings)
        likelihood: dict[int | None, float] = {index[n.shopper]: n.likelihood for n in found}
        likelihood[None] = self.settings.nobody
        least = self.least_share * math.fsum(likelihood.values())
        likely = sorted((s for s in likelihood if s is not None), key=lambda s: -likelihood[s])[:_MOST_SHOPPERS]
        chosen = {s: likelihood[s] for s in [*likely, None] if s is None or likelihood[s] > least}
        whole = math.fsum(chosen.values())
        return {s: math.log(value / whole) for s, value in chosen.items()}

    def log_seen(self, shopper: int, product: str, units: int, event: WeightEvent) -> float:
        """Log likelihood ratio of what classifiers saw of this shopper if they moved this, against anything at all."""
        name = self.shoppers.shoppers[shopper]
        log_did = _log_did(_near(self.interactions.get(name, ()), event), units, event)
        log_ratio = log_did + _log_held(_near(self.recognitions.get(name, ()), event), product, units)
        return min(max(log_ratio, -_CAP), _CAP)

    def likely(self, event: WeightEvent, shoppers: Iterable[int]) -> dict[tuple[str, bool], float]:
        """What recognisers say of what was moved by any of these: (product, whether taken) to log likelihood ratio."""
        seen: dict[tuple[str, bool], float] = {}
        for name in (self.shoppers.shoppers[s] for s in shoppers):
            near = _near(self.recognitions.get(name, ()), event)
            for product, units in {(p, u) for r in near for p in r.likelihoods for u in (1, -1)}:
                log_ratio = min(max(_log_held(near, product, units), -_CAP), _CAP)
                seen[product, units > 0] = max(seen.get((product, units > 0), -_CAP), log_ratio)
        return seen


_Seen = TypeVar("_Seen", Interaction, Recognition)


def _near(seen: Sequence[_Seen], event: WeightEvent) -> list[_Seen]:
    """What was seen about the time of an event, of each hand and way what is nearest to it."""
    start_s, end_s = event.start_s - _AROUND_S, event.end_s + _AROUND_S
    nearest: dict[tuple[int, str], _Seen] = {}
    for one in seen:
        if one.start_s <= end_s and one.end_s >= start_s:
            key = one.hand, one.moved if isinstance(one, Recognition) else one.zone
            if key not in nearest or _apart_s(one, event) < _apart_s(nearest[key], event):
                nearest[key] = one
    return list(nearest.values())


def _apart_s(seen: Interaction | Recognition, event: WeightEvent) -> float:
    return max(seen.start_s - event.time_s, event.time_s - seen.end_s, 0.0)


def _log_did(near: Sequence[Interaction], units: int, event: WeightEvent) -> float:
    """Log likelihood ratio of what hands did on this shelf: one of them moved it, and it may be either."""
    wanted, ratios = "take" if units > 0 else "return", []
    for seen in near:
        if seen.zone in ("", str(event.shelf)):
            even = 1.0 / max(len(seen.probabilities), 1)
            ratios.append(max(seen.probabilities.get(wanted, even), 1e-9) / even)
    return math.log(max(ratios, default=1.0))


def _log_held(near: Sequence[Recognition], product: str, units: int) -> float:
    """Log likelihood ratio of what hands held: it was in one of them, and nothing says which."""
    wanted = "take" if units > 0 else "return"
    ratios = [hand.likelihoods.get(product, 1.0) for hand in near if hand.moved in ("", wanted)]
    return math.log(max(math.fsum(ratios) / len(ratios), 1e-9)) if ratios else 0.0
