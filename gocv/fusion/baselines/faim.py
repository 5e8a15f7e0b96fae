"""FAIM (AIM3S) as a whole system, from weight events to carts.

Falcão et al., "FAIM: Vision and Weight Sensing Fusion Framework for Autonomous Inventory Monitoring in Convenience
Stores", Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372. Events are those of its detector with the
published thresholds (`gocv.shelf.FaimDetector`: v_s > 500 g²), and each is one unit of the product

    argmax_i P_W(i)·P_L(i)          (`gocv.shelf.baselines.identify`),

taken where the shelf lost weight and put back where it gained some. One unit an event, only what the planogram has on
the plates that changed: that is the published method, and it stays.

Published are the detector, P_W, P_L and their product. The third part of its fusion, P_V, needs boxes of products in
the pictures; without them it says the same of every product, and argmax is that of P_W·P_L. FAIM monitors the stock of
one gondola before which one shopper stands: it has no carts. Where the publication is silent:

- The shopper is whoever's head or wrist was nearest when half of the weight had moved, as MPS has it
  (`gocv.fusion.baselines.hands`).
- ΔW is the sum over the plates that contribute, as the detector here has it; those of an event are all on one shelf.
- Where P_W·P_L is 0 for all products, nothing happened.
- A unit that is put back leaves the shopper's cart if it is there; else nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from gocv.core import FloorTracks, Store, WeightEvent
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
from gocv.shelf import FaimDetector
from gocv.shelf.baselines import identify


def faim_carts(events: Sequence[WeightEvent], shoppers: FloorTracks, store: Store) -> Outcome:
    """Decide who moved what.

    Args:
        events: Weight events, any order; `time_s` is when half of the change had happened.
        shoppers: Joints around the events, metres in the store's frame; everybody listed gets a cart.
        store: Products with their weights, plates, planogram.
    """
    seen, decisions = by_time(shoppers), []
    for event in in_order(events):
        said = identify(event.delta_g, event.plates, store)
        if said.by_both is None:
            continue
        change = dict(zip(event.plates, event.delta_g.tolist(), strict=True))
        shopper = nearest_hand(event.time_s, change, store, seen)
        units = 1 if event.total_g < 0 else -1
        score = float(said.both.max())
        decisions.append(Decision(event.id, event.time_s, shopper, said.by_both, units, score))
    return Outcome(carts_of(decisions, shoppers.shoppers), tuple(decisions))


def faim_outcome(recording: Recording, *, shoppers: FloorTracks | None = None, chunk_s: float = 60.0) -> Outcome:
    """Run the whole system on a recording.

    Args:
        recording: A recording with scales and joints.
        shoppers: Joints to use in place of those recorded.
        chunk_s: Seconds of samples that are looked at together.

    Raises:
        DataError: A file of the recording is broken.
    """
    events = recorded_events(recording, FaimDetector, chunk_s)
    seen = recorded_shoppers(recording, events) if shoppers is None else shoppers
    return faim_carts(events, seen, recording.store)


def faim_receipts(recording: Recording, *, shoppers: FloorTracks | None = None) -> dict[str, dict[str, int]]:
    """The receipts of `faim_outcome`: units by product by shopper."""
    return faim_outcome(recording, shoppers=shoppers).carts
