"""Planning a visit: who wants what, where and in which order, never more than there is."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from gocv.core import ConfigError, ShelfId
from gocv.sim.acts import Act, Manner, Programme, Stop
from gocv.sim.habits import Habits
from gocv.sim.layout import Facing, StoreLayout
from gocv.sim.stock import Stock

ARM_SPAN_M = 0.40
_RESTOCK_BELOW, _RESTOCK_STOPS = 0.4, 6
_BACK_AFTER_S = 240.0
"""Shoppers who come in this long after staff, or somebody who puts something back, may count on what they brought."""


@dataclasses.dataclass(slots=True)
class Draft:
    """A programme under construction.

    Attributes:
        programme: So far.
        stops: So far.
        cart: Facing of each unit that the shopper will have then.
    """

    programme: Programme
    stops: list[Stop] = dataclasses.field(default_factory=list)
    cart: list[Facing] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the shopper."""
        return self.programme.name

    def finished(self) -> Programme:
        """The programme with its stops."""
        return dataclasses.replace(self.programme, stops=tuple(self.stops))


class Planner:
    """Plans programmes against what the store has.

    Args:
        layout: The store.
        stock: What stands in it; not changed.
        habits: Of its shoppers.
        rng: Own stream of random numbers.
    """

    def __init__(self, layout: StoreLayout, stock: Stock, habits: Habits, rng: np.random.Generator) -> None:
        self.layout = layout
        self.habits = habits
        self.rng = rng
        count = Counter((unit.article.id, unit.shelf) for unit in stock.units())
        sharing = Counter((facing.article.id, facing.shelf) for facing in layout.facings)
        self.full = {f: count[place] // sharing[place] for f in layout.facings for place in [(f.article.id, f.shelf)]}
        self.left = dict(self.full)
        self._of_gondola: defaultdict[int, list[Facing]] = defaultdict(list)
        for facing in layout.facings:
            self._of_gondola[facing.shelf.gondola].append(facing)
        self._gondolas = [number for number in layout.gondolas if number in self._of_gondola]  # some may be bare
        self._size = np.array([len(self._of_gondola[number]) for number in self._gondolas], dtype=float)
        self._to_come: list[tuple[float, Facing, int]] = []

    def draft(self, name: str, entry_s: float) -> Draft:
        """A shopper who does nothing yet."""
        rng = self.rng
        height_m = float(np.clip(rng.normal(1.71, 0.08), 1.50, 1.95))
        return Draft(Programme(name, entry_s, (), height_m, float(rng.uniform(1.0, 1.3))))

    def shop(self, draft: Draft) -> None:
        """Add what an ordinary shopper does."""
        rng, habits = self.rng, self.habits
        self._stock_up(draft.programme.entry_s)
        stops = int(rng.integers(habits.stops[0], habits.stops[1] + 1))
        series = int(rng.integers(max(stops, 1))) if rng.random() < habits.series else None
        for turn in range(stops):
            self.shopping_stop(draft, series=turn == series)
        if draft.cart and rng.random() < habits.returned:
            self.put_back(draft, int(rng.integers(len(draft.cart))))
        if draft.cart and rng.random() < habits.misplaced:
            self.leave_elsewhere(draft, int(rng.integers(len(draft.cart))))

    def shopping_stop(self, draft: Draft, *, series: bool = False) -> None:
        """Stop at some facing and take it, and maybe others within reach."""
        rng, habits = self.rng, self.habits
        first = self.facing()
        along = first.centre_m
        acts: list[Act] = []
        if rng.random() < habits.touched:
            acts.append(self.touch(self.facing_near(first.shelf.gondola, along)))
        takes = int(rng.integers(habits.takes[0], habits.takes[1] + 1))
        for turn in range(takes):
            facing = first if turn == 0 else self.facing_near(first.shelf.gondola, along)
            units = 2 if rng.random() < habits.two_at_once and self.left[facing] >= 2 else 1
            acts.append(self.take(draft, facing, units))
            if rng.random() < habits.both_hands:
                acts += self.beside(draft, facing, float(rng.uniform(0.0, 0.4)))
            if units == 1 and rng.random() < habits.looked_at:
                acts.append(Act("look", facing.article.id, 1, None, along, float(rng.uniform(1.2, 2.5))))
        if series:
            acts += self.series(draft, first)
        if acts:
            draft.stops.append(self.stop(first, along, acts))

    def beside(self, draft: Draft, facing: Facing, pause_s: float) -> list[Act]:
        """A take of another product of the same shelf within an arm's reach, or nothing where there is none."""
        near = self._stocked(facing.shelf.gondola, 1, facing)
        near = [f for f in near if f.shelf == facing.shelf and abs(f.centre_m - facing.centre_m) <= ARM_SPAN_M]
        return [self.take(draft, near[int(self.rng.integers(len(near)))], pause_s=pause_s)] if near else []

    def series(self, draft: Draft, facing: Facing, pause_s: tuple[float, float] = (0.6, 1.1)) -> list[Act]:
        """Units of a facing one after the other, fast: as many as there are, up to four."""
        many = min(self.left[facing], int(self.rng.integers(2, 5)))
        pauses = [float(self.rng.uniform(*pause_s)) for _ in range(many)]
        return [self.take(draft, facing, 1, pause_s=pause if i else pause + 1.0) for i, pause in enumerate(pauses)]

    def stop(self, facing: Facing, along_m: float, acts: Sequence[Act]) -> Stop:
        """In front of a facing's gondola, lingering afterwards."""
        return Stop(facing.shelf.gondola, along_m, tuple(acts), linger_s=float(self.rng.uniform(*self.habits.dwell_s)))

    def take(
        self,
        draft: Draft,
        facing: Facing,
        units: int = 1,
        *,
        pause_s: float | None = None,
        manner: Manner | None = None,
        along_m: float | None = None,
    ) -> Act:
        """Reserve units and take them; where on the facing is drawn if it is not given."""
        rng = self.rng
        self.left[facing] -= units
        draft.cart.extend([facing] * units)
        half = 0.4 * (facing.right_m - facing.left_m)
        along = facing.centre_m + float(rng.uniform(-half, half)) if along_m is None else along_m
        pause = float(rng.uniform(1.6, 3.2)) if pause_s is None else pause_s
        return Act("take", facing.article.id, units, facing.shelf, along, pause, manner or self.habits.manner(rng))

    def touch(self, facing: Facing) -> Act:
        """Reach in, feel, take nothing."""
        hold_s = float(self.rng.uniform(0.2, 1.5))
        manner = dataclasses.replace(self.habits.manner(self.rng), hold_s=hold_s)
        return Act("touch", "", 0, facing.shelf, facing.centre_m, float(self.rng.uniform(1.4, 2.4)), manner)

    def put(
        self, draft: Draft, row: int, shelf: ShelfId, along_m: float, pause_s: float, manner: Manner | None = None
    ) -> Act:
        """Put a unit of the cart somewhere."""
        facing = draft.cart.pop(row)
        manner = manner or self.habits.manner(self.rng)
        return Act("put", facing.article.id, 1, shelf, along_m, pause_s, manner)

    def put_back(self, draft: Draft, row: int) -> None:
        """Walk back and return a unit of the cart to where it belongs."""
        facing = draft.cart[row]
        half = 0.4 * (facing.right_m - facing.left_m)
        along = facing.centre_m + float(self.rng.uniform(-half, half))
        act = self.put(draft, row, facing.shelf, along, float(self.rng.uniform(1.6, 2.6)))
        draft.stops.append(self.stop(facing, facing.centre_m, [act]))
        self._to_come.append((draft.programme.entry_s + _BACK_AFTER_S, facing, 1))

    def leave_elsewhere(self, draft: Draft, row: int) -> None:
        """Leave a unit of the cart at another product's place, maybe on another gondola."""
        other = self.facing(unlike=draft.cart[row])
        half = 0.4 * (other.right_m - other.left_m)
        along = other.centre_m + float(self.rng.uniform(-half, half))
        left = draft.cart[row]
        act = self.put(draft, row, other.shelf, along, float(self.rng.uniform(1.6, 2.6)))
        draft.stops.append(self.stop(other, other.centre_m, [act]))
        if self.rng.random() < self.habits.taken_again:
            pause_s, manner = float(self.rng.uniform(2.0, 6.0)), self.habits.manner(self.rng)
            again = Act("take", left.article.id, 1, other.shelf, along, pause_s, manner)
            draft.cart.append(left)
            draft.stops.append(self.stop(other, other.centre_m, [again]))

    def facing(self, units: int = 1, unlike: Facing | None = None) -> Facing:
        """Any that still has units for us.

        Raises:
            ConfigError: There is none.
        """
        many, share = len(self._gondolas), self._size / max(self._size.sum(), 1.0)
        for g in self.rng.choice(many, many, replace=False, p=share) if many else ():
            stocked = self._stocked(self._gondolas[int(g)], units, unlike)
            if stocked:
                return stocked[int(self.rng.integers(len(stocked)))]
        raise ConfigError(
            "more is to be taken than is stocked", key="shoppers", expected="fewer shoppers or stops, or restocking"
        )

    def facing_near(self, gondola: int, along_m: float, units: int = 1, unlike: Facing | None = None) -> Facing:
        """One within an arm's reach that still has units, any other if there is none."""
        near = [f for f in self._stocked(gondola, units, unlike) if abs(f.centre_m - along_m) <= ARM_SPAN_M]
        return near[int(self.rng.integers(len(near)))] if near else self.facing(units, unlike)

    def _stocked(self, gondola: int, units: int, unlike: Facing | None) -> list[Facing]:
        there = [f for f in self._of_gondola[gondola] if self.left[f] >= units]
        if unlike is None:
            return there
        own = self.layout.store.planogram[unlike.article.id]
        return [f for f in there if f.article.id != unlike.article.id and not f.plate_ids() & own]

    def restock(self, name: str, entry_s: float) -> Draft | None:
        """Staff who fill up the emptiest facings, or None while nothing is low."""
        coming = [facing for _, facing, units in self._to_come if units > 1]
        low = [f for f in self.full if self.left[f] < _RESTOCK_BELOW * self.full[f] and f not in coming]
        low.sort(key=lambda facing: self.left[facing] / self.full[facing])
        if not low:
            return None
        draft = self.draft(name, entry_s)
        draft.programme = dataclasses.replace(draft.programme, role="staff")
        for facing in low[:_RESTOCK_STOPS]:
            acts, missing = [], self.full[facing] - self.left[facing]
            for units in (missing - missing // 2, missing // 2):
                if units:
                    pause = float(self.rng.uniform(2.0, 4.0))
                    manner = self.habits.manner(self.rng)
                    acts.append(Act("put", facing.article.id, units, facing.shelf, facing.centre_m, pause, manner))
            draft.stops.append(self.stop(facing, facing.centre_m, acts))
            self._to_come.append((entry_s + _BACK_AFTER_S, facing, missing))
        return draft

    def _stock_up(self, time_s: float) -> None:
        """Count in what staff have brought by now."""
        for entry in [entry for entry in self._to_come if entry[0] <= time_s]:
            self.left[entry[1]] += entry[2]
            self._to_come.remove(entry)
