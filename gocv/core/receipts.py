"""What comes out: interactions, movements of a cart, receipts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Interaction:
    """A hand at a shelf.

    Attributes:
        shopper: Who.
        zone: The shelf or zone reached into.
        start_s: Seconds on the recording's clock.
        end_s: Seconds on the recording's clock.
        probabilities: Of each class: take, return, touch, none.
    """

    shopper: str
    zone: str
    start_s: float
    end_s: float
    probabilities: Mapping[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class CartEvent:
    """A product that moved into or out of a cart.

    Attributes:
        event: Id of the weight event behind it.
        time_s: Seconds on the recording's clock.
        shopper: Who; None where nobody could be named.
        product: Product id.
        quantity: Units; > 0 into the cart, < 0 out of it.
        probability: That this shopper moved exactly this.
    """

    event: str
    time_s: float
    shopper: str | None
    product: str
    quantity: int
    probability: float


@dataclasses.dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One product on a receipt.

    Attributes:
        product: Product id.
        name: What a person calls it.
        quantity: Units, at least 1.
        probability: That the shopper has exactly this many.
        events: Ids of the weight events it rests on, in order of time.
    """

    product: str
    name: str
    quantity: int
    probability: float
    events: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What one shopper left with.

    Attributes:
        shopper: Who; None collects what nobody could be named for.
        items: Lines sorted by product.
        probability: That the whole receipt is exactly right.
        needs_review: A person should look at it.
    """

    shopper: str | None
    items: tuple[ReceiptLine, ...]
    probability: float
    needs_review: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Fused:
    """What fusion found.

    Attributes:
        receipts: One for each shopper, in their order; then, if need be, one for what nobody could be named for.
        cart_events: What most probably happened, in order of time.
        report: What could not be resolved: each entry says `where` and what the `problem` is.
    """

    receipts: tuple[Receipt, ...]
    cart_events: tuple[CartEvent, ...]
    report: tuple[Mapping[str, str], ...]
