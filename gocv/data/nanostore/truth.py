"""The truth of one recording, from labels that cover many."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from gocv.core import Product
from gocv.data.nanostore.labels import LabelledEvent, Labels
from gocv.data.recording import Truth, TruthEvent, TruthReceipt

_SLACK_S = 1.0  # labels are exact to the second
_Receipts = Mapping[str, Mapping[str, int]]
"""Units by product id, by shopper."""


def truth_of(
    names: tuple[str, ...],
    labels: Labels,
    products: Mapping[str, Product],
    origin_unix_s: float,
    duration_s: float,
    notes: list[str],
) -> Truth | None:
    """What the labels know of the recording called any of `names`, or None; `notes` says what could not be used.

    Receipts that were scored as right count. Where there are none they follow from the events, if all that was
    labelled could be used.
    """
    called = {_plain(name) for name in names}
    labelled = [event for name, events in labels.events.items() if _plain(name) in called for event in events]
    scored = [receipts for name, receipts in labels.receipts.items() if _plain(name) in called]
    if not labelled and not scored:
        notes.append(f"the labels know nothing of {' or '.join(names)}")
        return None
    mend = _BarcodeMender(products)
    usable = [e for e in labelled if not _rejected(e, e.unix_s - origin_unix_s, duration_s, mend, notes)]
    events = tuple(truth for event in usable for truth in _truth_events(event, event.unix_s - origin_unix_s, mend))
    happened = _net(events, notes) if labelled and len(usable) == len(labelled) else None
    right = None if not scored else _merged(scored[0], mend)
    if right is not None and happened is not None and _without_empty(right) != _without_empty(happened):
        notes.append(f"the labelled events make other receipts than those that were scored as right: {happened}")
    receipts = happened if right is None else right
    notes += mend.notes
    if not events and receipts is None:
        return None
    origin = "that were scored as right" if right is not None else "that follow from the events"
    told = "no receipts" if receipts is None else f"{len(receipts)} receipts {origin}"
    notes.append(f"truth: {len(events)} events, {told}")
    listed = None if receipts is None else tuple(TruthReceipt(s, dict(r)) for s, r in sorted(receipts.items()))
    return Truth(tuple(sorted(events, key=lambda e: e.time_s)), listed)


@dataclasses.dataclass(slots=True)
class _BarcodeMender:
    """Finds the catalogue's id for a barcode as a label spells it: some lost their leading zeros or a digit."""

    products: Mapping[str, Product]
    notes: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, barcode: str, name: str = "") -> str:
        if barcode in self.products:
            return barcode
        stripped = [p for p in self.products if p.lstrip("0") == barcode.lstrip("0")]
        named = [p.id for p in self.products.values() if name and _plain(p.name) == _plain(name)]
        mended = next((found[0] for found in (stripped, named) if len(found) == 1), barcode)
        is_now = f"is {mended}" if mended != barcode else "is not in the catalogue"
        note = f"barcode {barcode} of the labels {is_now}"
        if note not in self.notes:
            self.notes.append(note)
        return mended


def _rejected(event: LabelledEvent, time_s: float, duration_s: float, mend: _BarcodeMender, notes: list[str]) -> bool:
    """Whether the event cannot be used; `notes` says why."""
    unknown = [p.id for p in event.products if not p.id.isdecimal() and mend(p.id, p.name) not in mend.products]
    if not event.products or unknown:
        problem = f"names no product that is known {unknown or ''}".rstrip()
    elif math.isnan(time_s):
        problem = "its time cannot be read"
    elif not -_SLACK_S <= time_s <= duration_s + _SLACK_S:
        problem = f"at {time_s:.0f} s it lies outside the recording"
    elif not event.plates or min(min(plate) for plate in event.plates) < 1:
        problem = "names no plate"
    elif not event.shopper:
        problem = "names no shopper"
    else:
        return False
    notes.append(f"{event.place}: {problem}; the event was left out")
    return True


def _truth_events(event: LabelledEvent, time_s: float, mend: _BarcodeMender) -> list[TruthEvent]:
    """One for each product; units of the same product make one."""
    units = Counter(mend(product.id, product.name) for product in event.products)
    sign = -1 if event.returned else 1
    return [TruthEvent(time_s, event.shopper, p, sign * n, event.plates) for p, n in sorted(units.items())]


def _net(events: Iterable[TruthEvent], notes: list[str]) -> dict[str, dict[str, int]] | None:
    """What the shoppers were left with, or None where one put back what nobody saw them take."""
    carts: dict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        carts[event.shopper][event.product] += event.quantity
    if any(units < 0 for cart in carts.values() for units in cart.values()):
        notes.append("a shopper put back more than was seen taken: no receipts follow from the events")
        return None
    return {shopper: {p: n for p, n in cart.items() if n} for shopper, cart in carts.items()}


def _merged(receipts: _Receipts, mend: _BarcodeMender) -> dict[str, dict[str, int]]:
    merged: dict[str, dict[str, int]] = {}
    for shopper, items in receipts.items():
        units: Counter[str] = Counter()
        for barcode, quantity in items.items():
            units[mend(barcode)] += quantity
        merged[shopper] = {p: n for p, n in units.items() if n > 0}
    return merged


def _without_empty(receipts: _Receipts) -> dict[str, Mapping[str, int]]:
    return {shopper: items for shopper, items in receipts.items() if items}


def _plain(name: str) -> str:
    return name.casefold().replace("_", "-")
