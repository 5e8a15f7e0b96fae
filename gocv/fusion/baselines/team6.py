"""Team 6, second in the AutoCheckout competition (CPS-IoT Week 2020), from weight events to carts, as published.

For each product i of a shelf, with ΔW_i the sum of the plates that it stands on,

    n_i = round(|ΔW_i| / μ_i),   score(i) = φ((|ΔW_i| / n_i - μ_i) / σ_i) × 1[i stands on a plate that changed],

φ the standard normal density; the best product moved n times. The shopper is whoever's wrist was inside the product's
box, inflated 1.7 times.

One event is one product, and what is put down is looked for among what stands there. That is the published method, and
it stays. Where the publication is silent:

- n_i = 0 rules a product out. Where no product has a score over 0, nothing happened.
- σ_i is what is on file; where none is (NanoStore has none) it is 10 g, as MPS has it.
- A product's plates are those on the shelf of the event; those that the event does not list did not change.
- ΔW_i < 0 is a take, the rest is a return. A return is taken out of the shopper's cart as far as the cart holds it.
- The box stands on the product's plates on that shelf, 0.25 m high, and is inflated about its middle along all three
  axes. It needs at least one surveyed plate.
- Wrists count with any score over 0, from the event's start to its end; whoever's wrist was inside in the most rows
  did it, the first listed of several. Where no wrist was inside, nobody did.
- Of products with the same score the first in planogram order counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, FloorTracks, Plate, Store, WeightEvent
from gocv.data.recording import Recording
from gocv.fusion.baselines.outcome import (
    Decision,
    Outcome,
    between,
    by_time,
    carts_of,
    in_order,
    recorded_events,
    recorded_shoppers,
)
from gocv.geometry import distance_to_box
from gocv.shelf.baselines import Team6Detector

_INFLATED = 1.7
_BOX_HEIGHT_M = 0.25
_SD_G = 10.0
_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]


def team6_carts(events: Sequence[WeightEvent], shoppers: FloorTracks, store: Store) -> Outcome:
    """Decide who moved what.

    Args:
        events: Weight events, any order.
        shoppers: Joints around the events, metres in the store's frame; everybody listed gets a cart.
        store: Products with their weights, plates, planogram.
    """
    seen, decisions = by_time(shoppers), []
    for event in in_order(events):
        best = _best(event, store)
        if best is None:
            continue
        product, units, score = best
        during = between(seen, event.start_s, event.end_s)
        shopper = _reaching(during, [p for p in _plates(product, event, store) if _surveyed(p)])
        decisions.append(Decision(event.id, event.time_s, shopper, product, units, score))
    return Outcome(carts_of(decisions, shoppers.shoppers), tuple(decisions))


def team6_outcome(recording: Recording, *, shoppers: FloorTracks | None = None, chunk_s: float = 60.0) -> Outcome:
    """Run the whole system on a recording.

    Args:
        recording: A recording with scales and joints.
        shoppers: Joints to use in place of those recorded.
        chunk_s: Seconds of samples that are looked at together.

    Raises:
        DataError: A file of the recording is broken.
    """
    events = recorded_events(recording, Team6Detector, chunk_s)
    seen = recorded_shoppers(recording, events) if shoppers is None else shoppers
    return team6_carts(events, seen, recording.store)


def team6_receipts(recording: Recording, *, shoppers: FloorTracks | None = None) -> dict[str, dict[str, int]]:
    """The receipts of `team6_outcome`: units by product by shopper."""
    return team6_outcome(recording, shoppers=shoppers).carts


def _best(event: WeightEvent, store: Store) -> tuple[str, int, float] | None:
    """The product of highest score, units into the cart and the score; None where nothing fits."""
    change = dict(zip(event.plates, event.delta_g.tolist(), strict=True))
    best: tuple[str, int, float] | None = None
    for product, on in store.planogram.items():
        if on.isdisjoint(change):
            continue
        total_g = sum(grams for plate, grams in change.items() if plate in on)
        weight_g, sd_g = store.products[product].weight_g, store.products[product].weight_sd_g
        units = round(abs(total_g) / weight_g) if weight_g > 0 else 0
        if units == 0:
            continue
        off = (abs(total_g) / units - weight_g) / (sd_g if sd_g > 0 else _SD_G)
        score = float(np.exp(-0.5 * off**2) / np.sqrt(2 * np.pi))
        if score > (best[2] if best else 0.0):
            best = product, units if total_g < 0 else -units, score
    return best


def _plates(product: str, event: WeightEvent, store: Store) -> list[Plate]:
    """The product's plates on the shelf of the event, sorted."""
    own = sorted(plate for plate in store.planogram[product] if plate.shelf_id == event.shelf)
    return [store.plates[plate] for plate in own if plate in store.plates]


def _surveyed(plate: Plate) -> bool:
    return bool(np.isfinite(plate.centre_m).all() and np.isfinite(plate.size_m).all())


def _reaching(shoppers: FloorTracks, plates: Sequence[Plate]) -> str | None:
    """Whose wrist was inside the box over `plates` in the most rows."""
    if not plates:
        return None
    centre_m, rotation, size_m = _box(plates)
    wrists_m = shoppers.joints_m[:, _WRISTS]
    inside = (shoppers.joint_score[:, _WRISTS] > 0) & (distance_to_box(wrists_m, centre_m, rotation, size_m) == 0)
    count = np.bincount(shoppers.shopper[inside.any(axis=1)], minlength=len(shoppers.shoppers))
    return shoppers.shoppers[int(np.argmax(count))] if count.any() else None


def _box(plates: Sequence[Plate]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The inflated box over `plates` of one shelf: centre (3,), rotation (3, 3), size (3,), metres, store's frame."""
    rotation = plates[0].rotation
    middles_m = np.stack([plate.centre_m for plate in plates]) @ rotation
    halves_m = np.stack([np.append(plate.size_m / 2, 0.0) for plate in plates])
    low, high = (middles_m - halves_m).min(axis=0), (middles_m + halves_m).max(axis=0)
    high[2] += _BOX_HEIGHT_M
    return rotation @ ((low + high) / 2), rotation, _INFLATED * (high - low)
