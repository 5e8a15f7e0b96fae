"""What changes hands, or is left on the floor: no scale feels it, only a gesture says that it may have happened."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from gocv.core import UNKNOWN
from gocv.fusion.gestures import Gesture
from gocv.fusion.world import FLOOR, Cart, Done, Hypothesis, Place


def passed(gesture: Gesture, shoppers: Sequence[int], known: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
    """The hypotheses after a gesture: nothing came of it, or one unit went one way or the other.

    Args:
        gesture: What was seen; its probability is that something changed hands, or the floor.
        shoppers: Their indices, in the gesture's order.
        known: The joint hypotheses of their carts, and of the floor.
    """
    for h in known:
        log_weight = h.log_weight + math.log1p(-gesture.probability)
        yield Hypothesis(log_weight, h.state)
        ways = list(_handed(gesture, shoppers, h) if gesture.kind == "hand_over" else _floor(gesture, shoppers[0], h))
        for way in ways:
            log_weight = h.log_weight + math.log(gesture.probability / len(ways))
            yield Hypothesis(log_weight, way.state, way.done)


def _handed(gesture: Gesture, shoppers: Sequence[int], h: Hypothesis) -> Iterator[Hypothesis]:
    for giver, receiver in (tuple(shoppers), tuple(reversed(shoppers))):
        for product, rest in _without_one(h.cart(giver)):
            unit = next(u for u in h.cart(giver).units if u.product == product)
            got = h.cart(receiver)
            done = (Done(giver, product, -1, gesture.time_s), Done(receiver, product, 1, gesture.time_s))
            state = {**h.state, giver: rest, receiver: Cart.of((*got.units, unit), got.staff, got.log)}
            yield Hypothesis(h.log_weight, state, done)


def _floor(gesture: Gesture, shopper: int, h: Hypothesis) -> Iterator[Hypothesis]:
    cart, floor = h.cart(shopper), h.place(FLOOR)
    for product, rest in _without_one(cart):
        unit = next(u for u in cart.units if u.product == product)
        state = {**h.state, shopper: rest, FLOOR: Place.of((*floor.units, unit))}
        yield Hypothesis(h.log_weight, state, (Done(shopper, product, -1, gesture.time_s),))
    for product in sorted({u.product for u in floor.units}):
        unit = next(u for u in floor.units if u.product == product)
        left = list(floor.units)
        left.remove(unit)
        state = {**h.state, shopper: Cart.of((*cart.units, unit), cart.staff, cart.log), FLOOR: Place.of(left)}
        yield Hypothesis(h.log_weight, state, (Done(shopper, product, 1, gesture.time_s),))


def _without_one(cart: Cart) -> Iterator[tuple[str, Cart]]:
    """Each product of a cart, and the cart without the unit of it that came last."""
    for product in sorted({u.product for u in cart.units} - {UNKNOWN}):
        rest = list(cart.units)
        rest.remove(next(u for u in cart.units if u.product == product))
        yield product, Cart.of(rest, cart.staff, cart.log)
