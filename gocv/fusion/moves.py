"""What one hypothesis makes of one thing that moved: how probable it is there, and what the world is like after it.

The weight of a shopper's moving a part is a product of how often such things happen and of what the hypothesis knows:

- taken from home: `take` / (products of the shelf), by staff · `staff_takes`;
- taken from a wrong place u where the hypothesis has such a unit: `take_away` / (units there) · overlap of the plates
  with those that carried it · R; where it has none, `strayed` or `astray` / (products that it could be);
- put back by somebody who has it: `put` / (products in the cart) · `put_home` or its complement · R;
- put down by somebody who does not have it: staff, who have taken nothing until then and whose receipt stays empty, or
  `foreign`.

R = (r N(g; g', s² + s'²) + (1 - r) p(g)) / p(g), g' what the very unit weighed when it was moved last, p its density
by the catalogue and r = `same_unit`: two weighings of one unit agree better than two units do.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

from gocv.core import UNKNOWN, Part, PlateId, ShelfId, Store
from gocv.fusion.settings import Priors
from gocv.fusion.world import EMPTY_CART, Cart, Done, Hypothesis, Place, Unit, Variable
from gocv.shelf import UnitWeights

_Changed = dict[Variable, Cart | Place]
_Way = tuple[float, _Changed] | tuple[float, _Changed, tuple[Unit, ...]]
"""Log weight, what changes, and what was put down where the part itself does not say it."""

Mover = tuple[int | None, Part]
"""Who moved what; None for nobody known."""

Memory = dict[tuple[int, int, int | None, int], list[tuple[float, _Changed, tuple[Done, ...]]]]
"""Ways in which a part may have moved, by identity of cart, place and part: hypotheses share most of these."""

_LEAST_OVERLAP = 0.02
_MOST_RATIO = 40.0
_MOST_IN_HANDS = 8
_TOGETHER = 0.3
"""Of what is put down in a wrong place, how often another thing goes with it."""
_REWEIGHED_G2 = 2.0
"""What two weighings of one thing differ by besides noise, g²: it never stands quite the same."""


@dataclasses.dataclass(frozen=True, slots=True)
class Where:
    """The shelf of an event as the planogram has it.

    Attributes:
        shelf: Which.
        episode: Id of the episode at hand.
        plates: Of the event.
        here: Products whose home is on this shelf.
        products: How many the planogram has.
    """

    shelf: ShelfId
    episode: str
    plates: tuple[PlateId, ...]
    here: frozenset[str]
    products: int


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What holds in every hypothesis."""

    store: Store
    priors: Priors
    weights: UnitWeights
    dynamic_planogram: bool

    def moved(
        self, known: Hypothesis, where: Where, movers: Sequence[Mover], time_s: float, memory: Memory
    ) -> Iterator[Hypothesis]:
        """The hypotheses that come of `known` if this moved, weighed; none where it is impossible there.

        Args:
            known: A hypothesis.
            where: The shelf.
            movers: What moved.
            time_s: When.
            memory: Of one event; the parts and hypotheses that it was filled for must outlive it.
        """
        ways: list[tuple[float, _Changed, tuple[Done, ...]]] = [(known.log_weight, {}, known.done)]
        for shopper, part in movers:
            more = []
            for log_weight, changed, done in ways:
                cart = EMPTY_CART if shopper is None else changed.get(shopper) or known.cart(shopper)
                place = changed.get(where.shelf) or known.place(where.shelf)
                key = id(cart), id(place), shopper, id(part)
                found = memory.get(key)
                if found is None:
                    assert isinstance(cart, Cart)
                    assert isinstance(place, Place)
                    found = memory[key] = list(self._ways(cart, place, where, shopper, part, time_s))
                more += [(log_weight + log, {**changed, **then}, done + said) for log, then, said in found]
            ways = more
        for log_weight, changed, done in ways:
            yield Hypothesis(log_weight, {**known.state, **changed} if changed else known.state, done)

    def _ways(
        self, cart: Cart, place: Place, where: Where, shopper: int | None, part: Part, time_s: float
    ) -> Iterator[tuple[float, _Changed, tuple[Done, ...]]]:
        """What may come of one part, with what was done."""
        done = (Done(shopper, part.product, part.units, time_s, part.grams, part.sd_g),)
        move = self._taken if part.units > 0 else self._put
        for log_weight, changed, *other in move(cart, place, where, shopper, part):
            log_weight += (abs(part.units) - 1) * math.log(self.priors.more_units)
            said = tuple(Done(shopper, unit.product, -1, time_s) for unit in other[0]) if other else done
            yield log_weight, changed, said

    def most(self, cart: Cart, place: Place, where: Where, part: Part) -> float:
        """At most the log weight of a part's moving, from or to a cart that holds the same products as this."""
        priors, units = self.priors, abs(part.units)
        home = priors.take / max(len(where.here), 1)
        if part.product == UNKNOWN:
            bound = priors.unknown if part.units > 0 else priors.put * priors.leaning
        elif part.units < 0:
            bound = priors.put * _MOST_RATIO
            if cart.count(part.product) < units:
                restocked = part.at_home and (cart.staff or not cart.units)
                bound = max(priors.put / max(where.products, 1), priors.foreign, home if restocked else 0.0)
        elif part.at_home:
            bound = home
        elif any(u.product == part.product for u in place.units):
            bound = priors.take_away * len(where.plates) * _MOST_RATIO
        else:
            bound = max(priors.strayed, priors.astray)
        return math.log(bound) + (units - 1) * math.log(priors.more_units)

    def _taken(self, cart: Cart, place: Place, where: Where, shopper: int | None, part: Part) -> Iterator[_Way]:
        priors, changed = self.priors, _Changed()
        if shopper is not None:
            changed[shopper] = Cart.of((*cart.units, *_new(part, where)), cart.staff, cart.log)
        if part.product == UNKNOWN:
            yield math.log(priors.unknown), changed
        elif part.at_home:
            rare = priors.staff_takes if cart.staff else 1.0
            yield math.log(rare * priors.take / max(len(where.here), 1)), changed
        else:
            stray = priors.strayed / len(where.here) if part.product in where.here else priors.astray / where.products
            yield math.log(stray), changed
            there = [u for u in place.units if u.product == part.product]
            if len(there) >= part.units:
                near = sorted(there, key=lambda u: -_overlap(u, part, where))[: part.units]
                overlap = max(_overlap(near[0], part, where), _LEAST_OVERLAP) * len(where.plates)
                left = Place.of(u for u in place.units if u not in near)
                log_ratio = self._same_unit(near, part)
                log_prior = math.log(priors.take_away * overlap / len({u.product for u in place.units}))
                yield log_prior + log_ratio, {**changed, where.shelf: left}

    def _put(self, cart: Cart, place: Place, where: Where, shopper: int | None, part: Part) -> Iterator[_Way]:
        priors, count = self.priors, -part.units
        log_place = math.log(priors.put_home if part.at_home else 1 - priors.put_home)
        if shopper is None:
            yield math.log(priors.put / max(where.products, 1)) + log_place, self._standing(place, where, part, ())
            return
        held = [u for u in cart.units if u.product == part.product]
        if len(held) >= count:
            chosen = sorted(held, key=lambda u: abs(u.grams - part.grams / count) if u.grams == u.grams else 1e9)[
                :count
            ]
            left = list(cart.units)
            for unit in chosen:
                left.remove(unit)
            ratio = self._same_unit(chosen, part)
            changed = {shopper: Cart.of(left, cart.staff, cart.log), **self._standing(place, where, part, chosen)}
            distinct = len({u.product for u in cart.units})
            yield math.log(priors.put / distinct) + log_place + ratio, changed
        elif part.product == UNKNOWN:
            yield math.log(priors.foreign), {}
            yield from self._leaning(cart, place, where, shopper, part)
        else:
            restocked = math.log(priors.take / max(len(where.here), 1))
            if part.at_home and (cart.staff or not cart.units):
                log_staff = 0.0 if cart.staff else math.log(priors.staff)
                staff: _Changed = {shopper: Cart.of(cart.units, True, cart.log)}
                yield log_staff + restocked, staff
            if not cart.staff:
                changed = self._standing(place, where, part, ())
                yield math.log(priors.foreign / max(where.products, 1)) + log_place, changed

    def _leaning(self, cart: Cart, place: Place, where: Where, shopper: int, part: Part) -> Iterator[_Way]:
        """Of what nothing explains: some of the cart, put down at once, of which the frame carries a part."""
        weighed = {u: u.grams if u.grams > 0 else self._catalogue_g(u.product) for u in cart.units}
        units = [u for u in cart.units if weighed[u] > 0][-_MOST_IN_HANDS:]
        for count in (1, 2, 3):
            for some in itertools.combinations(units, count):
                grams = [weighed[u] for u in some]
                missing = 1 - part.grams / sum(grams)
                if not -0.02 < missing < 0.6 * max(grams) / sum(grams):
                    continue
                left = list(cart.units)
                for unit in some:
                    left.remove(unit)
                stood = dataclasses.replace(part, at_home=False, units=-count, product=some[0].product)
                changed = {shopper: Cart.of(left, cart.staff, cart.log), **self._standing(place, where, stood, some)}
                choices = math.comb(len(units), count)
                log_prior = math.log(self.priors.put * self.priors.leaning / choices)
                yield log_prior + (count - 1) * math.log(_TOGETHER), changed, some

    def _catalogue_g(self, product: str) -> float:
        """What a unit should weigh; 0 for what is in no catalogue."""
        return 0.0 if product == UNKNOWN else self.weights.of(product).mean_g

    def _standing(self, place: Place, where: Where, part: Part, units: Sequence[Unit]) -> _Changed:
        """The shelf after something was put in a wrong place on it."""
        if part.at_home or not self.dynamic_planogram or part.product == UNKNOWN:
            return {}
        return {where.shelf: Place.of((*place.units, *_units(part, where, units)))}

    def _same_unit(self, units: list[Unit], part: Part) -> float:
        """Log R for these units, all together, against their measured weight now."""
        grams, variance_g2 = sum(u.grams for u in units), sum(u.sd_g**2 for u in units)
        if not math.isfinite(grams + variance_g2) or part.product == UNKNOWN:
            return 0.0
        weight, count = self.weights.of(part.product), len(units)
        spread_g2 = count * weight.spread_g**2 + (count * weight.sd_g) ** 2
        by_catalogue = _normal(part.grams - count * weight.mean_g, spread_g2 + part.sd_g**2 + _REWEIGHED_G2)
        same = _normal(part.grams - grams, variance_g2 + part.sd_g**2 + _REWEIGHED_G2)
        if not math.isfinite(by_catalogue):
            return 0.0
        # Where neither fits, as with what leans on the frame, the one says as little as the other.
        by_catalogue = max(by_catalogue, 1e-12)
        ratio = (self.priors.same_unit * same + (1 - self.priors.same_unit) * by_catalogue) / by_catalogue
        return math.log(min(ratio, _MOST_RATIO))


@functools.lru_cache(maxsize=4096)
def _new(part: Part, where: Where) -> tuple[Unit, ...]:
    """The units of a part, each as heavy as the others."""
    count = abs(part.units)
    unit = Unit(part.product, where.episode, part.grams / count, part.sd_g / count, where.plates, part.shares)
    return (unit,) * count


def _units(part: Part, where: Where, known: Sequence[Unit]) -> Sequence[Unit]:
    """The units of a part that was put down. Of several products weighed together none has a weight of its own."""
    if all(unit.product == part.product for unit in known):
        return _new(part, where)
    return [Unit(unit.product, where.episode, plates=where.plates, shares=part.shares) for unit in known]


def _overlap(unit: Unit, part: Part, where: Where) -> float:
    """The share of weight on common plates: 1 where a unit is taken from just where it was put."""
    stood = dict(zip(unit.plates, unit.shares, strict=True))
    return sum(min(share, stood.get(plate, 0.0)) for plate, share in zip(where.plates, part.shares, strict=True))


def _normal(x: float, variance: float) -> float:
    return math.exp(-0.5 * x * x / variance) / math.sqrt(2 * math.pi * variance)
