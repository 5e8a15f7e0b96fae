"""MPS, winner of the AutoCheckout competition (CPS-IoT Week 2020), from weight events to carts, as published.

A shelf's event is split by the planogram: plates that changed by at least a third of the lightest unit weight belong
together where they are connected by products that stand on both. Of each part, with ΔW the sum of its plates,

    score(i) = 0.8 · arrangement(i) + 0.2 · overlap of N(n μ_i, (10 g)²) and N(|ΔW|, (10 g)²),
    n = max(1, round(|ΔW| / μ_i)),   ignored if |ΔW| < 0.4 μ_i,

and the best product moved n times. Something put down is matched against the shopper's cart alone, and then stands,
in a dynamic planogram, also on the plates that gained at least 20 % of ΔW. The shopper is whoever's head or wrist,
with a score over 0.8, was nearest where the variance peaked. The published gains are 6.7 points of F1 for the dynamic
planogram and 5.6 for splitting.

Two products of one part, a swap within one part, items handed over: the method has no word for them, and this port has
none. Where the publication is silent:

- Arrangement is P_L of FAIM before it is normalised: the share of the part's change, Σ |Δ_p|, that is on plates where
  the product stands. A product that covers all plates that changed has 1.
- The lightest unit weight is that of the products standing on the shelf. Plates that changed less are left out of
  every part. Without splitting the event is one part of all its plates.
- What may have been taken is what stands on a plate of the part (in the planogram as it is by then); what stands
  elsewhere, and products without a weight on file, are no candidates. Weight is compared for n units.
- Too small a change is ignored after the best product is found; the next best does not take its place.
- What is put back is at most what the cart holds. Nothing ever leaves the dynamic planogram, nor the planogram.
- Nearness is from the mean of the centres of the part's surveyed plates, weighted by |Δ_p|, to the joints in each
  shopper's row nearest in time to the peak, at most half a second away. There is no limit to the distance.
- Of products with the same score the first in planogram order counts, in a cart the one it has held longest; of
  shoppers who are as near, the first listed. Parts are seen from the first plate to the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gocv.core import FloorTracks, PlateId, Store, WeightEvent
from gocv.data.recording import Recording
from gocv.fusion.baselines.hands import nearest_hand
from gocv.fusion.baselines.outcome import (
    Decision,
    Outcome,
    by_time,
    carts_of,
    in_order,
    recorded_events,
    recorded_shoppers,
)
from gocv.shelf.baselines import MpsDetector, normal_overlap

_ARRANGEMENT, _WEIGHT = 0.8, 0.2
_SD_G = 10.0
_LEAST_UNITS = 0.4
_LEAST_OF_LIGHTEST = 1 / 3
_LEAST_OF_RETURN = 0.2

_Change = dict[PlateId, float]
"""Grams gained, by plate."""


def mps_carts(
    events: Sequence[WeightEvent],
    shoppers: FloorTracks,
    store: Store,
    *,
    dynamic_planogram: bool = True,
    event_splitting: bool = True,
) -> Outcome:
    """Decide who moved what.

    Args:
        events: Weight events, any order; `time_s` is where the variance peaked, as `MpsDetector` has it.
        shoppers: Joints around the events, metres in the store's frame; everybody listed gets a cart.
        store: Products with their weights, plates, planogram.
        dynamic_planogram: Remember where things were put down.
        event_splitting: Split events by the planogram.
    """
    state = _State(by_time(shoppers), store, dynamic_planogram)
    for event in in_order(events):
        change = dict(zip(event.plates, event.delta_g.tolist(), strict=True))
        for part in _split(change, state.standing, store) if event_splitting else [change]:
            state.decide(event, part)
    return Outcome(carts_of(state.decisions, shoppers.shoppers), tuple(state.decisions))


def mps_outcome(
    recording: Recording,
    *,
    shoppers: FloorTracks | None = None,
    dynamic_planogram: bool = True,
    event_splitting: bool = True,
    chunk_s: float = 60.0,
) -> Outcome:
    """Run the whole system on a recording.

    Args:
        recording: A recording with scales and joints.
        shoppers: Joints to use in place of those recorded.
        dynamic_planogram: Remember where things were put down.
        event_splitting: Split events by the planogram.
        chunk_s: Seconds of samples that are looked at together.

    Raises:
        DataError: A file of the recording is broken.
    """
    events = recorded_events(recording, MpsDetector, chunk_s)
    seen = recorded_shoppers(recording, events) if shoppers is None else shoppers
    return mps_carts(
        events, seen, recording.store, dynamic_planogram=dynamic_planogram, event_splitting=event_splitting
    )


def mps_receipts(
    recording: Recording,
    *,
    shoppers: FloorTracks | None = None,
    dynamic_planogram: bool = True,
    event_splitting: bool = True,
) -> dict[str, dict[str, int]]:
    """The receipts of `mps_outcome`: units by product by shopper."""
    return mps_outcome(
        recording, shoppers=shoppers, dynamic_planogram=dynamic_planogram, event_splitting=event_splitting
    ).carts


class _State:
    """What is known after some events."""

    def __init__(self, shoppers: FloorTracks, store: Store, dynamic_planogram: bool) -> None:
        self.standing = {product: set(on) for product, on in store.planogram.items()}
        self.decisions: list[Decision] = []
        self._store = store
        self._shoppers = shoppers
        self._dynamic = dynamic_planogram

    def decide(self, event: WeightEvent, change: _Change) -> None:
        """Take one part of an event for something, or ignore it."""
        total_g = sum(change.values())
        shopper = nearest_hand(event.time_s, change, self._store, self._shoppers)
        if total_g < 0:
            held = None
            candidates = [product for product, on in self.standing.items() if not on.isdisjoint(change)]
        else:
            held = carts_of(self.decisions, self._shoppers.shoppers)[shopper] if shopper is not None else {}
            candidates = list(held)
        best = self._best(candidates, change)
        if best is None:
            return
        product, units, score = best
        if held is not None:
            units = -min(units, held[product])
            if self._dynamic:
                gained = {plate for plate, grams in change.items() if grams >= _LEAST_OF_RETURN * total_g}
                self.standing.setdefault(product, set()).update(gained)
        self.decisions.append(Decision(event.id, event.time_s, shopper, product, units, score))

    def _best(self, candidates: Sequence[str], change: _Change) -> tuple[str, int, float] | None:
        """The product of highest score, how many and the score; None where nothing fits."""
        total_g, moved_g = abs(sum(change.values())), sum(map(abs, change.values()))
        weight_g = {p: self._store.products[p].weight_g for p in candidates if self._store.products[p].weight_g > 0}
        if not weight_g or not moved_g:
            return None
        units = {product: max(1, round(total_g / grams)) for product, grams in weight_g.items()}
        names = list(weight_g)
        overlap = normal_overlap([units[p] * weight_g[p] for p in names], _SD_G, total_g, _SD_G)
        on = [self.standing.get(product, set()) for product in names]
        arrangement = [sum(abs(grams) for plate, grams in change.items() if plate in own) / moved_g for own in on]
        score = _ARRANGEMENT * np.array(arrangement) + _WEIGHT * overlap
        first = int(np.argmax(score))
        if total_g < _LEAST_UNITS * weight_g[names[first]]:
            return None
        return names[first], units[names[first]], float(score[first])


def _split(change: _Change, standing: Mapping[str, set[PlateId]], store: Store) -> list[_Change]:
    """The parts of a shelf's change that the planogram does not connect, from the first plate to the last."""
    shelf = {plate.shelf_id for plate in change}
    on_shelf = [product for product, on in standing.items() if any(plate.shelf_id in shelf for plate in on)]
    weights_g = [store.products[product].weight_g for product in on_shelf]
    least_g = _LEAST_OF_LIGHTEST * min((grams for grams in weights_g if grams > 0), default=0.0)
    parts = [{plate} for plate, grams in sorted(change.items()) if abs(grams) >= least_g]
    for product in on_shelf:
        joined = [part for part in parts if not part.isdisjoint(standing[product])]
        if len(joined) > 1:
            parts = [part for part in parts if part not in joined] + [set().union(*joined)]
    return [{plate: change[plate] for plate in sorted(part)} for part in sorted(parts, key=min)]
