"""Every unit in the store: what it weighs, where it stands, and which plates carry it.

A unit weighs on the plates under it in proportion to the overlap. Real shelves are not as tidy as their planogram:
columns stand astride two plates, units lean on a neighbour (whose plate then carries a part of them) or on the frame
(which no plate feels), some stand in a neighbour's room, and whoever takes one may jostle those beside it. `Disorder`
says how much of each there is. Its defaults were set by hand so that published methods score what they scored in
reality, which `experiments/calibrate_simulator.py` checks on other seeds.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import DataError, PlateId, ShelfId
from gocv.data.config import Model
from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola, StoreLayout

_GAP_M = 0.008
_CARRIES = 0.05
"""A plate counts as one of an event's when it carries at least this share of the change."""
_LIMP = {"bag": 1.6, "box": 1.0, "carton": 0.8, "bottle": 0.6, "jar": 0.4, "can": 0.4}
"""How much more or less than others a unit leans, by its form."""


Share = Annotated[float, Field(ge=0, le=1)]
Metres = Annotated[float, Field(ge=0, le=10)]


class Disorder(Model):
    """How far the shelves are from what the planogram says.

    Attributes:
        astride: Share of the columns that stand off their place.
        shift: The most by which they do, as a share of their width.
        misplaced: Share of the units that stand in a neighbouring product's room.
        leaning: Share of the units that lean on a neighbour or on the frame, for a box; bags lean more, cans less.
        lean_share: The most of its weight that a leaning unit gives away.
        jostled: Chance of each unit beside one that is taken or put down to be moved a little.
        jostle_m: Standard deviation of how far it is moved.
    """

    astride: Share = 0.65
    shift: Share = 0.53
    misplaced: Share = 0.01
    leaning: Share = 0.22
    lean_share: Share = 0.5
    jostled: Share = 0.0
    jostle_m: Metres = 0.01


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One thing on sale, at one place.

    Attributes:
        number: The same all its life.
        article: What it is.
        weight_g: Its own weight.
        shelf: Where it stands, or stood last.
        along_m: Its middle, along the shelf.
        inward_m: Its middle, from the front edge.
        lean: Share of its weight that its left neighbour plate, its right one and the frame carry: (3,).
    """

    number: int
    article: Article
    weight_g: float
    shelf: ShelfId
    along_m: float
    inward_m: float
    lean: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What a take, a put-down or a knock does to one shelf.

    Attributes:
        shelf: Which.
        units: Those that were moved, as they stand after a put-down or stood before a take.
        delta_g: (P,) float64, grams that come onto each plate.
        plates: Those that carry a part of it worth naming, sorted.
        jostled: Units beside them that were moved a little, as they stand now.
    """

    shelf: ShelfId
    units: tuple[Unit, ...]
    delta_g: NDArray[np.float64]
    plates: tuple[PlateId, ...]
    jostled: tuple[Unit, ...]


class Stock:
    """The units on the shelves, in the carts and on the floor of a store; what leaves one is in another.

    Args:
        layout: The store.
        rng: Own stream of random numbers.
        disorder: How the units stand; as usual where None.
        fill: Share of each facing's places that are filled at the start.
    """

    def __init__(
        self, layout: StoreLayout, rng: np.random.Generator, disorder: Disorder | None = None, fill: float = 1.0
    ) -> None:
        self._layout = layout
        self._rng = rng
        self._disorder = disorder or Disorder()
        self._shelved: dict[ShelfId, dict[int, Unit]] = {
            shelf: {} for gondola in layout.gondolas.values() for shelf in gondola.shelf_ids()
        }
        self._held: defaultdict[str, list[Unit]] = defaultdict(list)
        self._floor: list[Unit] = []
        self._made = 0
        self._places = {facing: self._columns(facing) for facing in layout.facings}
        neighbours = _neighbours(layout.facings)
        for facing in layout.facings:
            self._stand(facing, neighbours[facing], fill)

    def units(self, shelf: ShelfId | None = None) -> list[Unit]:
        """Those on one shelf, or on all of them, in order of their numbers."""
        shelves = self._shelved if shelf is None else (shelf,)
        return sorted((u for s in shelves for u in self._shelved[s].values()), key=lambda unit: unit.number)

    def count(self, product: str, shelf: ShelfId | None = None) -> int:
        """Units of a product on the shelves, or on one of them."""
        return sum(u.article.id == product for u in self.units(shelf))

    def cart(self, shopper: str) -> dict[str, int]:
        """Units by product that a shopper holds."""
        products = [unit.article.id for unit in self._held.get(shopper, ())]
        return {product: products.count(product) for product in sorted(set(products))}

    def loads_g(self, shelf: ShelfId) -> NDArray[np.float64]:
        """(P,) grams that stand on each plate of a shelf."""
        return self._spread(self._shelved[shelf].values(), shelf)

    def take(self, shopper: str, product: str, units: int, shelf: ShelfId, along_m: float) -> Movement:
        """Move the units nearest to a place, the front ones first, into a cart.

        Raises:
            DataError: The shelf has not as many.
        """
        there = [u for u in self._shelved[shelf].values() if u.article.id == product]
        if len(there) < units:
            raise DataError(f"{len(there)} units of {product} stand on shelf {shelf}", expected=f"{units} or more")
        taken = sorted(there, key=lambda u: (abs(u.along_m - along_m) // 0.02, u.inward_m, u.number))[:units]
        for unit in taken:
            del self._shelved[shelf][unit.number]
        self._held[shopper].extend(taken)
        return self._movement(taken, shelf, -1.0)

    def put(self, shopper: str, product: str, units: int, shelf: ShelfId, along_m: float) -> Movement:
        """Move the units last taken out of a cart to a place, which need not be theirs.

        Raises:
            DataError: The cart has not as many.
        """
        return self._place(self._give_up(shopper, product, units), shelf, along_m)

    def restock(self, article: Article, units: int, shelf: ShelfId, along_m: float) -> Movement:
        """Put new units from the back room where the product has free places, and on top of others where it has none.

        Raises:
            DataError: The product has no place on the shelf.
        """
        own = [f for f in self._places if f.shelf == shelf and f.article.id == article.id]
        if not own:
            raise DataError(f"{article.id} has no place on shelf {shelf}", expected="one of the products there")
        facing = min(own, key=lambda f: abs(f.centre_m - along_m))
        there = [(u.along_m, u.inward_m) for u in self._shelved[shelf].values() if u.article.id == article.id]
        near = article.width_m / 2, article.depth_m / 2
        free = [
            (along, inward)
            for along, inward in reversed(self._places[facing])  # from the back
            if not any(abs(along - a) < near[0] and abs(inward - i) < near[1] for a, i in there)
        ]
        taken = itertools.islice(itertools.chain(free, itertools.cycle(self._places[facing])), units)
        placed = [self._make(article, shelf, *place, peg=facing.display == "peg") for place in taken]
        self._shelved[shelf].update({unit.number: unit for unit in placed})
        return self._movement(placed, shelf, 1.0)

    def hand_over(self, giver: str, receiver: str, product: str, units: int) -> tuple[Unit, ...]:
        """Move units from one cart to another.

        Raises:
            DataError: The giver has not as many.
        """
        moved = self._give_up(giver, product, units)
        self._held[receiver].extend(moved)
        return tuple(moved)

    def drop(self, shopper: str, product: str, units: int) -> tuple[Unit, ...]:
        """Leave units from a cart on the floor.

        Raises:
            DataError: The cart has not as many.
        """
        moved = self._give_up(shopper, product, units)
        self._floor.extend(moved)
        return tuple(moved)

    def pick_up(self, shopper: str, product: str, units: int) -> tuple[Unit, ...]:
        """Take units from the floor.

        Raises:
            DataError: There are not as many.
        """
        lying = [unit for unit in self._floor if unit.article.id == product][:units]
        if len(lying) < units:
            raise DataError(f"{len(lying)} units of {product} lie on the floor", expected=f"{units} or more")
        self._floor = [unit for unit in self._floor if unit not in lying]
        self._held[shopper].extend(lying)
        return tuple(lying)

    def shelves(self) -> list[ShelfId]:
        """All of the store's."""
        return list(self._shelved)

    def standing(self, shelf: ShelfId) -> dict[tuple[str, PlateId], int]:
        """Units by product and plate on a shelf; a unit stands on the plate under its middle."""
        gondola = self._layout.gondolas[shelf.gondola]
        plates = gondola.plate_ids(shelf)
        standing: dict[tuple[str, PlateId], int] = {}
        for unit in self._shelved[shelf].values():
            place = unit.article.id, plates[min(int(unit.along_m / gondola.pitch_m), len(plates) - 1)]
            standing[place] = standing.get(place, 0) + 1
        return standing

    def under(self, shelf: ShelfId, along_m: float) -> NDArray[np.float64]:
        """(P,) shares in which a hand at a place weighs on the plates of a shelf: the two nearest carry it."""
        gondola = self._layout.gondolas[shelf.gondola]
        middles = (np.arange(gondola.plates) + 0.5) * gondola.pitch_m
        share = np.maximum(1.0 - np.abs(middles - along_m) / gondola.pitch_m, 0.0)
        share[np.abs(middles - along_m).argmin()] += 1e-9
        return np.asarray(share / share.sum())

    def _give_up(self, shopper: str, product: str, units: int) -> list[Unit]:
        held = self._held[shopper]
        moved = [u for u in reversed(held) if u.article.id == product][:units]
        if len(moved) < units:
            raise DataError(f"the cart of {shopper} holds {len(moved)} units of {product}", expected=f"{units}")
        self._held[shopper] = [u for u in held if u not in moved]
        return moved

    def _place(self, units: Sequence[Unit], shelf: ShelfId, along_m: float) -> Movement:
        placed = []
        for row, unit in enumerate(units):
            along = along_m + float(self._rng.normal(0.0, 0.01))
            inward = 0.06 + row * (unit.article.depth_m + _GAP_M)
            deepest = self._layout.gondolas[shelf.gondola].depth_m - unit.article.depth_m / 2
            placed.append(self._stood(unit, shelf, along, max(min(inward, deepest), 0.0)))
        self._shelved[shelf].update({unit.number: unit for unit in placed})
        return self._movement(placed, shelf, 1.0)

    def _movement(self, units: Sequence[Unit], shelf: ShelfId, sign: float) -> Movement:
        carried = self._spread(units, shelf)
        named = carried >= _CARRIES * carried.sum()
        ids = self._layout.gondolas[shelf.gondola].plate_ids(shelf)
        plates = tuple(p for p, is_named in zip(ids, named, strict=True) if is_named)
        before, after = self._jostle(units, shelf)
        delta = sign * carried + self._spread(after, shelf) - self._spread(before, shelf)
        return Movement(shelf, tuple(units), delta, plates, tuple(after))

    def _jostle(self, units: Sequence[Unit], shelf: ShelfId) -> tuple[list[Unit], list[Unit]]:
        """Units beside those that were moved, before and after they were knocked."""
        rate, numbers = self._disorder.jostled, {unit.number for unit in units}
        if not rate:
            return [], []
        gondola = self._layout.gondolas[shelf.gondola]
        reach = np.mean([u.article.width_m for u in units]) / 2 + gondola.pitch_m
        middle = float(np.mean([u.along_m for u in units]))
        beside = [u for u in self.units(shelf) if abs(u.along_m - middle) < reach and u.number not in numbers]
        before = [u for u, hit in zip(beside, self._rng.random(len(beside)) < rate, strict=True) if hit]
        shift = self._rng.normal(0.0, self._disorder.jostle_m, len(before))
        after = [self._stood(u, shelf, u.along_m + d, u.inward_m) for u, d in zip(before, shift, strict=True)]
        self._shelved[shelf].update({unit.number: unit for unit in after})
        return before, after

    def _columns(self, facing: Facing) -> list[tuple[float, float]]:
        """Places of a facing's units, along and inward: columns one behind the other; none hangs beside its peg."""
        article, rng, disorder = facing.article, self._rng, self._disorder
        gondola = self._layout.gondolas[facing.shelf.gondola]
        room_m = facing.right_m - facing.left_m
        columns = max(1, int(room_m / (article.width_m + _GAP_M)))
        deep = max(1, int(gondola.depth_m / (article.depth_m + _GAP_M)))
        if facing.units is not None:
            columns = min(columns, facing.units)
            deep = -(-facing.units // columns)
        pitch = room_m / columns
        middles = facing.centre_m + (np.arange(columns) - (columns - 1) / 2) * pitch
        if facing.display == "shelf":
            astride = rng.random(columns) < disorder.astride
            shift = article.width_m * rng.uniform(-disorder.shift, disorder.shift, columns)
            spare_m = max(pitch - article.width_m, 0.0) / 2
            middles = middles + np.clip(rng.normal(0.0, 0.004, columns), -spare_m, spare_m) + astride * shift
        inwards = 0.02 + article.depth_m / 2 + np.arange(deep) * (article.depth_m + _GAP_M)
        places = [(along, inward) for inward in inwards for along in middles]
        return [(float(along), float(inward)) for along, inward in places[: facing.units]]

    def _stand(self, facing: Facing, neighbours: Sequence[Facing], fill: float) -> None:
        """Fill a facing, or a part of it, a few units among its neighbours'."""
        article, rng, disorder, places = facing.article, self._rng, self._disorder, self._places[facing]
        for along, inward in places[: max(1, round(fill * len(places)))]:
            if neighbours and rng.random() < disorder.misplaced:
                other = neighbours[int(rng.integers(len(neighbours)))]
                along = float(rng.uniform(other.left_m, other.right_m))
            unit = self._make(article, facing.shelf, along, inward, peg=facing.display == "peg")
            self._shelved[facing.shelf][unit.number] = unit

    def _make(self, article: Article, shelf: ShelfId, along_m: float, inward_m: float, peg: bool = False) -> Unit:
        weight = max(float(self._rng.normal(article.weight_g, article.weight_sd_g)), 0.3 * article.weight_g)
        self._made += 1
        unit = Unit(self._made, article, weight, shelf, along_m, inward_m)
        return unit if peg else self._stood(unit, shelf, along_m, inward_m)

    def _stood(self, unit: Unit, shelf: ShelfId, along_m: float, inward_m: float) -> Unit:
        """The unit at a new place, on the shelf's length, upright or leaning on what is beside it."""
        half = unit.article.width_m / 2
        along_m = float(np.clip(along_m, half, max(self._layout.gondolas[shelf.gondola].length_m - half, half)))
        lean = np.zeros(3)
        if self._rng.random() < self._disorder.leaning * _LIMP[unit.article.form]:
            lean[self._rng.integers(3)] = self._rng.uniform(0.0, self._disorder.lean_share)
        left, right, frame = map(float, lean)
        return dataclasses.replace(unit, shelf=shelf, along_m=along_m, inward_m=inward_m, lean=(left, right, frame))

    def _spread(self, units: Iterable[Unit], shelf: ShelfId) -> NDArray[np.float64]:
        """(P,) grams that units put on the plates of a shelf."""
        return spread(list(units), self._layout.gondolas[shelf.gondola])


def spread(units: Sequence[Unit], gondola: Gondola) -> NDArray[np.float64]:
    """(P,) float64 grams on each plate: by overlap, less what neighbours and the frame carry."""
    if not units:
        return np.zeros(gondola.plates)
    middle = np.array([u.along_m for u in units])[:, None]
    half = np.array([u.article.width_m for u in units])[:, None] / 2
    edge = np.arange(gondola.plates) * gondola.pitch_m
    overlap = np.minimum(middle + half, edge + gondola.pitch_m) - np.maximum(middle - half, edge)
    shares = np.maximum(overlap, 0.0)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    left, right, frame = np.array([u.lean for u in units]).T[:, :, None]
    leant = shares * (1 - left - right - frame)
    leant[:, :-1] += left * shares[:, 1:]
    leant[:, 0:1] += left * shares[:, 0:1]
    leant[:, 1:] += right * shares[:, :-1]
    leant[:, -1:] += right * shares[:, -1:]
    return np.asarray(np.array([u.weight_g for u in units]) @ leant)


def _neighbours(facings: Sequence[Facing]) -> dict[Facing, list[Facing]]:
    """The facings to the left and to the right of each, on its own shelf."""
    beside: dict[Facing, list[Facing]] = {}
    shelves: defaultdict[ShelfId, list[Facing]] = defaultdict(list)
    for facing in facings:
        shelves[facing.shelf].append(facing)
    for row in shelves.values():
        row.sort(key=lambda facing: facing.left_m)
        for i, facing in enumerate(row):
            beside[facing] = row[max(i - 1, 0) : i] + row[i + 1 : i + 2]
    return beside
