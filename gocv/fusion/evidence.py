"""What was seen of an event besides its weight: who was near, what a hand did, what was in it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

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
        start_s, end_s = event.start_s - _AROUND_S, event.end_s + _AROUND_S
        log_ratio = 0.0
        wanted = "take" if units > 0 else "return"
        for seen in self.interactions.get(name, ()):
            if seen.start_s <= end_s and seen.end_s >= start_s and seen.zone in ("", str(event.shelf)):
                even = 1.0 / max(len(seen.probabilities), 1)
                log_ratio += math.log(max(seen.probabilities.get(wanted, even), 1e-9) / even)
        for hand in self.recognitions.get(name, ()):
            if hand.start_s <= end_s and hand.end_s >= start_s:
                log_ratio += math.log(max(hand.likelihoods.get(product, 1.0), 1e-9))
        return min(max(log_ratio, -_CAP), _CAP)
