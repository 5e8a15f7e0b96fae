"""Who wants what, where and in which order: the script of a visit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from gocv.core import ShelfId
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.stock import Stock

_MEETING_S = 14.0
_ARM_SPAN_M = 0.40
_NEIGHBOURS_M = 0.30


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """One hand movement that a shopper intends.

    Attributes:
        product: Product id.
        quantity: Units, > 0 taken, < 0 put back.
        shelf: Where.
        along_m: Where along it.
        pause_s: Time since the one before, or since the shopper came to stand here.
    """

    product: str
    quantity: int
    shelf: ShelfId
    along_m: float
    pause_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """A place to stand at, and what to do there.

    Attributes:
        gondola: Number.
        along_m: Where along it to stand.
        wishes: In order.
        not_before_s: Wait until then for the first one.
    """

    gondola: int
    along_m: float
    wishes: tuple[Wish, ...]
    not_before_s: float = 0.0


class Script:
    """Draws up what every shopper of a visit does, never promising more units than there are.

    Among the shoppers are spread: two who stand side by side at one gondola, one who takes two units at once, one
    who takes three in quick succession, one who walks back to return a product where it belongs, and one who
    leaves a product at another gondola.

    Args:
        layout: The store.
        stock: What stands in it; not changed.
        rng: Own stream of random numbers.
    """

    def __init__(self, layout: StoreLayout, stock: Stock, rng: np.random.Generator) -> None:
        self._layout = layout
        self._rng = rng
        self._left = {f: stock.count(f.article.product.id, f.shelf) for f in layout.facings}

    def stops(self, shoppers: int) -> list[list[Stop]]:
        """The stops of each shopper."""
        parts = [int(part) for part in self._rng.permutation(shoppers)]
        meeting = int(self._rng.choice(list(self._layout.gondolas)))
        programmes = []
        for shopper in range(shoppers):
            part = parts[shopper]
            specials = [special for special in range(3) if special % shoppers == part]
            programmes.append(self._programme(specials, meeting, part if shoppers > 1 and part < 2 else None))
        return programmes

    def _programme(self, specials: Sequence[int], meeting: int, side: int | None) -> list[Stop]:
        """A shopper's stops; those who meet do so first, to the left (side 0) or right of the gondola's middle."""
        others = [g for g in self._rng.permutation(list(self._layout.gondolas)) if g != meeting][:3]
        stops = [self._shopping(int(g), double=0 in specials and i == 0) for i, g in enumerate(others)]
        if side is not None:
            spot = (2 * side - 1) * _NEIGHBOURS_M
            stops.insert(0, self._shopping(meeting, spot=spot, not_before_s=_MEETING_S))
        if 2 in specials:
            stops[-1] = self._series(stops[-1])
        if 1 in specials:
            stops.append(self._return_to_its_place(stops))
        if 0 in specials:
            stops.append(self._return_elsewhere(stops))
        return stops

    def _shopping(
        self, number: int, *, spot: float | None = None, double: bool = False, not_before_s: float = 0.0
    ) -> Stop:
        """One or two takes within arm's reach of a spot, given from the middle of the gondola or drawn."""
        gondola, rng = self._layout.gondolas[number], self._rng
        along = self._facing(gondola, None).centre_m if spot is None else gondola.length_m / 2 + spot
        wishes = []
        for turn in range(1 if double else int(rng.integers(1, 3))):
            facing = self._facing(gondola, along)
            wishes.append(self._take(facing, 2 if double else 1, 1.4 if turn == 0 else 2.4))
        return Stop(number, along, tuple(wishes), not_before_s)

    def _series(self, stop: Stop) -> Stop:
        """The stop with three units of one product taken one after the other, fast."""
        facing = self._facing(self._layout.gondolas[stop.gondola], stop.along_m, units=3)
        series = [self._take(facing, 1, pause) for pause in (2.2, 0.9, 0.9)]
        return dataclasses.replace(stop, wishes=(*stop.wishes, *series))

    def _return_to_its_place(self, stops: Sequence[Stop]) -> Stop:
        stop = stops[int(self._rng.integers(len(stops) - 1))]
        taken = stop.wishes[int(self._rng.integers(len(stop.wishes)))]
        wish = dataclasses.replace(taken, quantity=-1, pause_s=1.8, along_m=self._near(taken.along_m))
        return Stop(stop.gondola, stop.along_m, (wish,))

    def _return_elsewhere(self, stops: Sequence[Stop]) -> Stop:
        """Another gondola than the product's own, the last one not to be walked to twice running."""
        taken = stops[0].wishes[0]
        homes = {f.shelf.gondola for f in self._layout.facings if f.article.product.id == taken.product}
        numbers = [g for g in self._layout.gondolas if g not in homes]
        gondola = self._layout.gondolas[int(self._rng.choice(numbers))]
        shelves = gondola.shelf_ids()[1:]
        shelf = shelves[int(self._rng.integers(len(shelves)))]
        along = float(self._rng.uniform(0.15, gondola.length_m - 0.15))
        return Stop(gondola.number, along, (Wish(taken.product, -1, shelf, self._near(along), 2.0),))

    def _take(self, facing: Facing, quantity: int, pause_s: float) -> Wish:
        self._left[facing] -= quantity
        half = facing.plates * 0.04
        along = facing.centre_m + float(self._rng.uniform(-half, half))
        pause = pause_s + float(self._rng.uniform(0.0, 0.3 * pause_s))
        return Wish(facing.article.product.id, quantity, facing.shelf, along, pause)

    def _facing(self, gondola: Gondola, along_m: float | None, units: int = 2) -> Facing:
        """One that still has units for us, the nearest one if none is in reach."""
        stocked = [f for f, left in self._left.items() if f.shelf.gondola == gondola.number and left >= units]
        if along_m is not None:
            near = [f for f in stocked if abs(f.centre_m - along_m) <= _ARM_SPAN_M]
            stocked = near or sorted(stocked, key=lambda f: abs(f.centre_m - along_m))[:1]
        return stocked[int(self._rng.integers(len(stocked)))]

    def _near(self, along_m: float) -> float:
        return along_m + float(self._rng.uniform(-0.02, 0.02))
