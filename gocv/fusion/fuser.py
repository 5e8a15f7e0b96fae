"""From weight events, explanations and shoppers to receipts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gocv.core import CartEvent, DataError, Explanation, FloorTracks, Fused, Receipt, ReceiptLine, Store, WeightEvent
from gocv.data.config import Model
from gocv.fusion.carts import UNKNOWN, Accounts, Evidence, Move, infer_carts
from gocv.fusion.nearness import NearnessSettings, nearness


class FusionSettings(Model):
    """How carts are inferred.

    Attributes:
        nearness: How nearness becomes a likelihood.
        foreign: Cost of putting something on a shelf that is not in the cart.
        beam: Most states of the carts kept after each event.
        least_share: Shoppers whose share of an event is smaller are taken to have had no part in it.
        review_below: Receipts less probable than this should be looked at by a person.
    """

    nearness: NearnessSettings = NearnessSettings()
    foreign: float = Field(default=0.01, gt=0, le=1)
    beam: int = Field(default=256, ge=1)
    least_share: float = Field(default=1e-4, ge=0, lt=1)
    review_below: float = Field(default=0.95, ge=0, le=1)


class NearestHandFuser:
    """Gives each weight event to whoever's hand or body was nearest, over all carts jointly (`gocv.fusion.carts`).

    Shoppers who never compete for an event are inferred apart, so cost grows with crowding, not with the day.

    Args:
        store: Products, and where the plates are.
        settings: How carts are inferred.
    """

    def __init__(self, store: Store, settings: FusionSettings | None = None) -> None:
        self.store = store
        self.settings = settings or FusionSettings()

    def fuse(
        self, events: Sequence[WeightEvent], explanations: Mapping[str, Sequence[Explanation]], shoppers: FloorTracks
    ) -> Fused:
        """Infer carts and write receipts.

        Args:
            events: Weight events with unique ids, any order.
            explanations: What each event could have been, by event id.
            shoppers: Where everybody was around the events; every shopper listed gets a receipt.

        Returns:
            Receipts and cart events of the most probable account of what happened, so that the one always follows
            from the other; each probability is over all accounts.

        Raises:
            DataError: An event has no explanation.
        """
        ordered = sorted(events, key=lambda e: (e.time_s, e.id))
        who = self._who(ordered, shoppers)
        receipts: list[Receipt | None] = [None] * len(shoppers.shoppers)
        moves: list[tuple[WeightEvent, Move, float]] = []
        for members, rows in _groups(len(receipts), who):
            evidence = [Evidence(ordered[r], who[r], _explanations(ordered[r], explanations)) for r in rows]
            accounts = infer_carts(evidence, foreign=self.settings.foreign, beam=self.settings.beam)
            found = zip(evidence, accounts.moves, accounts.move_probability, strict=True)
            moved = [(known.event, move, probability[move]) for known, move, probability in found]
            moves += moved
            for shopper in members:
                receipts[shopper] = self._receipt(shopper, shoppers.shoppers[shopper], accounts, moved)
        moves.sort(key=lambda m: (m[0].time_s, m[0].id))
        named = [
            CartEvent(event.id, event.time_s, _name(move, shoppers), product, units, probability)
            for event, move, probability in moves
            for product, units in move.items
            if product != UNKNOWN
        ]
        report = [
            {"where": f"event {event.id}", "problem": _unexplained(event, _name(move, shoppers))}
            for event, move, _ in moves
            if any(product == UNKNOWN for product, _ in move.items)
        ]
        listed = [receipt for receipt in receipts if receipt is not None]
        return Fused((*listed, *self._unclaimed(named)), tuple(named), tuple(report))

    def _who(self, events: Sequence[WeightEvent], shoppers: FloorTracks) -> list[dict[int | None, float]]:
        """Who may have done each event: likelihoods by index of the shopper, None for nobody."""
        settings = self.settings.nearness
        shoppers = shoppers[np.argsort(shoppers.time_s, kind="stable")]
        index = {name: i for i, name in enumerate(shoppers.shoppers)}
        who = []
        for event in events:
            first = np.searchsorted(shoppers.time_s, event.start_s - settings.present_s, "left")
            stop = np.searchsorted(shoppers.time_s, event.end_s + settings.present_s, "right")
            around = shoppers[first:stop]
            found = nearness(event, self.store, around if len(around) else shoppers, settings)
            all_of: dict[int | None, float] = {None: settings.nobody, **{index[n.shopper]: n.likelihood for n in found}}
            least = self.settings.least_share * math.fsum(all_of.values())
            who.append({shopper: likelihood for shopper, likelihood in all_of.items() if likelihood > least})
        return who

    def _receipt(
        self, shopper: int, name: str, accounts: Accounts, moved: Sequence[tuple[WeightEvent, Move, float]]
    ) -> Receipt:
        """What the most probable account leaves in the cart, and how probable that is over all accounts."""
        carts = accounts.cart_probability.get(shopper, {(): 1.0})
        cart = dict(accounts.carts.get(shopper, ()))
        unknown = cart.pop(UNKNOWN, 0)
        lines = []
        for product, quantity in cart.items():
            exactly = math.fsum(p for c, p in carts.items() if dict(c).get(product) == quantity)
            rests_on = tuple(e.id for e, move, _ in moved if move.shopper == shopper and product in dict(move.items))
            lines.append(ReceiptLine(product, self.store.products[product].name, quantity, exactly, rests_on))
        probability = carts.get(tuple(cart.items()), 0.0)
        return Receipt(name, tuple(lines), probability, unknown > 0 or probability < self.settings.review_below)

    def _unclaimed(self, cart_events: Sequence[CartEvent]) -> Iterator[Receipt]:
        """A receipt of what nobody who could be named took and did not put back, if there is any."""
        units: dict[str, list[CartEvent]] = {}
        for moved in cart_events:
            if moved.shopper is None:
                units.setdefault(moved.product, []).append(moved)
        lines = tuple(
            ReceiptLine(
                product,
                self.store.products[product].name,
                sum(m.quantity for m in moves),
                math.prod(m.probability for m in moves),
                tuple(m.event for m in moves),
            )
            for product, moves in sorted(units.items())
            if sum(m.quantity for m in moves) > 0
        )
        if lines:
            yield Receipt(None, lines, math.prod(line.probability for line in lines), True)


def _explanations(event: WeightEvent, explanations: Mapping[str, Sequence[Explanation]]) -> Sequence[Explanation]:
    found = explanations.get(event.id)
    if not found:
        raise DataError(f"event {event.id} has no explanations", expected="at least one for each event")
    return found


def _name(move: Move, shoppers: FloorTracks) -> str | None:
    return None if move.shopper is None else shoppers.shoppers[move.shopper]


def _unexplained(event: WeightEvent, shopper: str | None) -> str:
    what = f"nothing in the catalogue explains {event.total_g:+.1f} g at {event.time_s:.2f} s"
    return f"{what} (shopper {shopper or 'unknown'})"


def _groups(shoppers: int, who: Sequence[Mapping[int | None, float]]) -> Iterator[tuple[list[int], list[int]]]:
    """Shoppers and events that hang together: (shoppers, event rows), nobody's events last with no shoppers."""
    claims = [(s, row) for row, likelihoods in enumerate(who) for s in likelihoods if s is not None]
    ends = np.array(claims, np.int64).reshape(-1, 2)
    size = shoppers + len(who)
    links = coo_array((np.ones(len(ends)), (ends[:, 0], shoppers + ends[:, 1])), shape=(size, size))
    labels = connected_components(links, directed=False)[1]
    for label in dict.fromkeys(labels.tolist()):
        inside = np.flatnonzero(labels == label)
        yield inside[inside < shoppers].tolist(), (inside[inside >= shoppers] - shoppers).tolist()
