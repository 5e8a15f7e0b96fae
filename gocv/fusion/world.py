"""The state of the store in one hypothesis: carts, what stands in wrong places, what lies on the floor.

States are values: nothing in here is changed in place. Two states count as the same where they hold the same products;
which unit is which is remembered from the more probable one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gocv.core import PlateId, ShelfId

FLOOR = "floor"
"""The variable of what lies on the floor."""

Variable = int | ShelfId | str
"""A shopper's index for a cart, a shelf for what stands wrongly on it, or `FLOOR`."""


class Unit(NamedTuple):
    """One thing that was moved.

    Attributes:
        product: Product id.
        episode: Where it was moved last.
        grams: What it weighed then; NaN where it was not weighed alone.
        sd_g: Of that.
        plates: That carried it, where it was put.
        shares: How much of it each.
    """

    product: str
    episode: str
    grams: float = math.nan
    sd_g: float = math.nan
    plates: tuple[PlateId, ...] = ()
    shares: tuple[float, ...] = ()


class Done(NamedTuple):
    """What moved in one episode: shopper None for nobody known; units > 0 taken from a shelf, or received."""

    shopper: int | None
    product: str
    units: int
    time_s: float
    grams: float = math.nan
    sd_g: float = math.nan


class Log(NamedTuple):
    """What happened in the episodes in which a shopper may have had a part, the latest first."""

    episode: str
    done: tuple[Done, ...]
    before: Log | None


class Cart(NamedTuple):
    """What a shopper holds, whether they are staff, and how it came about."""

    key: Hashable
    units: tuple[Unit, ...]
    staff: bool
    log: Log | None

    @classmethod
    def of(cls, units: Iterable[Unit], staff: bool = False, log: Log | None = None) -> Cart:
        """A cart of these units."""
        units = tuple(units)
        return cls((tuple(sorted(u.product for u in units)), staff), units, staff, log)

    def count(self, product: str) -> int:
        """Units of a product."""
        return sum(u.product == product for u in self.units)

    @property
    def items(self) -> tuple[tuple[str, int], ...]:
        """(product, units) pairs sorted by product; none for staff."""
        products = [] if self.staff else sorted(u.product for u in self.units)
        return tuple((p, products.count(p)) for p in dict.fromkeys(products))


class Place(NamedTuple):
    """Units that stand where they do not belong, or lie on the floor."""

    key: Hashable
    units: tuple[Unit, ...]

    @classmethod
    def of(cls, units: Iterable[Unit]) -> Place:
        """A place with these units."""
        units = tuple(units)
        return cls(tuple(sorted((u.product, u.episode) for u in units)), units)


EMPTY_CART, EMPTY_PLACE = Cart.of(()), Place.of(())

State = Mapping[Variable, Cart | Place]

_LEAST, _NEGLIGIBLE = 1 / 3000, 16.0
"""Hypotheses against the best: such a share is left out, and such log odds are not even counted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hypothesis:
    """One account of some variables: `done` is what it says of the episode at hand."""

    log_weight: float
    state: State
    done: tuple[Done, ...] = ()

    def cart(self, shopper: int) -> Cart:
        """Of a shopper."""
        found = self.state.get(shopper, EMPTY_CART)
        assert isinstance(found, Cart)
        return found

    def place(self, variable: ShelfId | str) -> Place:
        """What stands wrongly on a shelf, or lies on the floor."""
        found = self.state.get(variable, EMPTY_PLACE)
        assert isinstance(found, Place)
        return found


def merged(hypotheses: Iterable[Hypothesis], beam: int, *, with_done: bool = False) -> list[Hypothesis]:
    """Hypotheses of the same state as one, the most probable ones, weights normalised; at least one.

    Args:
        hypotheses: Of the same variables.
        beam: Most that are kept; those three thousand times less probable than the best are left out in any case.
        with_done: Keep apart those that differ in what was done in the episode.
    """
    hypotheses = list(hypotheses)
    best: dict[Hashable, Hypothesis] = {}
    weight: dict[Hashable, float] = {}
    codes: dict[Hashable, int] = {}
    code: dict[int, int] = {}  # by identity of a value: hypotheses share most of theirs, and keys are long
    top = max(h.log_weight for h in hypotheses)
    for h in hypotheses:
        if h.log_weight < top - _NEGLIGIBLE:
            continue
        for value in h.state.values():
            if id(value) not in code:
                code[id(value)] = codes.setdefault(value.key, len(codes))
        state = tuple([code[id(value)] for value in h.state.values()])
        key = (state, tuple([d[:3] for d in h.done])) if with_done else state
        kept = best.get(key)
        weight[key] = weight.get(key, 0.0) + math.exp(h.log_weight - top)
        if kept is None or h.log_weight > kept.log_weight:
            best[key] = h
    order = sorted(best, key=lambda key: -weight[key])[:beam]
    order = [key for key in order if weight[key] >= _LEAST * weight[order[0]]]
    whole = math.fsum(weight[key] for key in order)
    return [dataclasses.replace(best[key], log_weight=math.log(weight[key] / whole)) for key in order]


class World:
    """All variables of the store, in clusters that are independent of one another.

    A variable that has one value in all hypotheses is kept by itself. What happens to several variables joins their
    clusters (Reid, "An algorithm for tracking multiple targets", IEEE TAC 1979, section IV).

    Args:
        beam: Most hypotheses of a cluster.
    """

    def __init__(self, beam: int) -> None:
        self.beam = beam
        self._sure: dict[Variable, Cart | Place] = {}
        self._cluster: dict[Variable, list[Hypothesis]] = {}

    def gather(self, variables: Iterable[Variable]) -> list[Hypothesis]:
        """The joint hypotheses of the clusters that hold `variables`, those variables all among them."""
        joint, seen = [Hypothesis(0.0, {})], set()
        for variable in dict.fromkeys(variables):
            cluster = self._cluster.get(variable)
            if cluster is None:
                empty = EMPTY_CART if isinstance(variable, int) else EMPTY_PLACE
                value = self._sure.get(variable, empty)
                joint = [dataclasses.replace(h, state={**h.state, variable: value}) for h in joint]
            elif id(cluster) not in seen:
                seen.add(id(cluster))
                pairs = ((h, g) for h in joint for g in cluster)
                both = [Hypothesis(h.log_weight + g.log_weight, {**h.state, **g.state}) for h, g in pairs]
                joint = sorted(both, key=lambda h: -h.log_weight)[: 4 * self.beam]
        return joint

    def scatter(self, hypotheses: Sequence[Hypothesis]) -> None:
        """Put back what `gather` gave, or what became of it: `merged` hypotheses, all of the same variables."""
        best = hypotheses[0]
        unsure = {
            variable: None
            for variable, value in best.state.items()
            if any(h.state[variable].key != value.key for h in hypotheses[1:])
        }
        for variable, value in best.state.items():
            if variable not in unsure:
                self._cluster.pop(variable, None)
                self._sure[variable] = value
        if unsure:
            cluster = [dataclasses.replace(h, state={v: h.state[v] for v in unsure}, done=()) for h in hypotheses]
            for variable in unsure:
                self._sure.pop(variable, None)
                self._cluster[variable] = cluster

    def release(self, shopper: int) -> list[tuple[Cart, float]]:
        """The carts that a shopper may have, most probable first, and forget the shopper."""
        cluster = self._cluster.pop(shopper, None)
        if cluster is None:
            value = self._sure.pop(shopper, EMPTY_CART)
            assert isinstance(value, Cart)
            return [(value, 1.0)]
        found: dict[tuple[Hashable, tuple[tuple[str, tuple[Done, ...]], ...]], tuple[Cart, float]] = {}
        for h in cluster:
            cart = h.cart(shopper)
            key = cart.key, tuple(entries(cart.log))
            first, sum_ = found.get(key, (cart, 0.0))
            found[key] = first, sum_ + math.exp(h.log_weight)
        without = [dataclasses.replace(h, state={v: x for v, x in h.state.items() if v != shopper}) for h in cluster]
        for variable in without[0].state:
            self._cluster.pop(variable)
        if without[0].state:
            self.scatter(merged(without, self.beam))
        return sorted(found.values(), key=lambda pair: -pair[1])


def entries(log: Log | None) -> list[tuple[str, tuple[Done, ...]]]:
    """Episodes and what was done in them, in order of time."""
    found = []
    while log is not None:
        found.append((log.episode, log.done))
        log = log.before
    return found[::-1]
