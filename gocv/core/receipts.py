"""What comes out: interactions, movements of a cart, receipts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal


@dataclasses.dataclass(frozen=True, slots=True)
class Interaction:
    """A hand at a shelf.

    Attributes:
        shopper: Who.
        zone: The shelf or zone reached into.
        start_s: Seconds on the recording's clock.
        end_s: Seconds on the recording's clock.
        probabilities: Of each class: take, return, touch, none.
        hand: 0 the left one, 1 the right one; -1 where it is not known.
    """

    shopper: str
    zone: str
    start_s: float
    end_s: float
    probabilities: Mapping[str, float]
    hand: int = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Recognition:
    """What a product recogniser saw in a hand.

    Attributes:
        shopper: Whose hand.
        start_s: Seconds on the recording's clock.
        end_s: Seconds on the recording's clock.
        likelihoods: Of what was seen if it is this product, by product id, relative to any product; 1 where not
            listed.
        moved: "take" where the hand came from a shelf with it, so that it may have been taken there; "return" where it
            went to a shelf with it, so that it may have been put there; "" where either may be.
        hand: 0 the left one, 1 the right one; -1 where it is not known.
    """

    shopper: str
    start_s: float
    end_s: float
    likelihoods: Mapping[str, float]
    moved: Literal["", "take", "return"] = ""
    hand: int = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What a person said of one event: what is None was not asked.

    Attributes:
        event: Id of the weight event.
        shopper: Who moved it; "" for nobody who is known.
        items: (product id, units) pairs sorted by product, as `Part` has them; () for nothing at all.
    """

    event: str
    shopper: str | None = None
    items: tuple[tuple[str, int], ...] | None = None


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
class Account:
    """One way in which a shopper's visit may have gone.

    Attributes:
        cart: (product id, units) pairs sorted by product: what the shopper then left with.
        probability: Among all ways.
        moves: By id of the weight event, for every event in which the shopper may have had a part: (shopper, product
            id, units) of all that moved then, sorted, units > 0 where taken. The shopper is "" where it is not known.
    """

    cart: tuple[tuple[str, int], ...]
    probability: float
    moves: Mapping[str, tuple[tuple[str, str, int], ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """What one shopper left with.

    Attributes:
        shopper: Who; None collects what nobody could be named for.
        items: Lines sorted by product.
        probability: That the whole receipt is exactly right.
        needs_review: A person should look at it.
        accounts: The ways in which the visit may have gone, most probable first, without the least probable ones.
        left_s: When the shopper was last seen, seconds on the recording's clock; NaN where not known.
        released_s: When the receipt could be given out: nothing that was open then could still touch it.
    """

    shopper: str | None
    items: tuple[ReceiptLine, ...]
    probability: float
    needs_review: bool
    accounts: tuple[Account, ...] = ()
    left_s: float = float("nan")
    released_s: float = float("nan")


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
