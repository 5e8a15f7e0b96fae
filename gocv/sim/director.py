"""Letting deeds have their effect, in order of time: on the units, on the scales, in the truth."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from gocv.core import DataError, PlateId, ShelfId
from gocv.data.recording import TruthEvent, TruthStanding
from gocv.sim.acts import Deed, Manner
from gocv.sim.articles import Article
from gocv.sim.load_changes import LoadChange
from gocv.sim.scene import Passage, Place
from gocv.sim.stock import Movement, Stock, Unit

_REACH_S = 0.4


class Director:
    """Moves the units as the deeds say. A hand that finds nothing comes back empty: only a touch is left of the deed.

    Args:
        stock: What stands where; it is changed.
        articles: By product id, of what staff may bring.
        staff: Names of those who restock.
    """

    def __init__(self, stock: Stock, articles: Mapping[str, Article], staff: frozenset[str]) -> None:
        self._stock = stock
        self._articles = articles
        self._staff = staff
        self._standing: dict[ShelfId, dict[tuple[str, PlateId], int]] = {}
        self.events: list[TruthEvent] = []
        self.changes: defaultdict[ShelfId, list[LoadChange]] = defaultdict(list)
        self.standings: list[TruthStanding] = []
        self.passages: list[Passage] = []
        self.failed: list[Deed] = []
        self.done: list[Deed] = []
        for shelf in stock.shelves():
            self._log_planogram(shelf, 0.0)

    def settle(self, deed: Deed) -> None:
        """Let a deed have its effect; each is later than the one before."""
        act = deed.act
        try:
            if act.kind in ("take", "put"):
                self._at_shelf(deed)
            elif act.kind in ("give", "drop", "pick_up"):
                self._elsewhere(deed)
            elif act.kind == "touch":
                self._touch(deed)
            self.done.append(deed)
        except DataError:
            self.failed.append(deed)
            if act.shelf is not None:
                self._touch(deed)
                self.done.append(
                    dataclasses.replace(deed, act=dataclasses.replace(act, kind="touch", product="", units=0))
                )

    def _at_shelf(self, deed: Deed) -> None:
        act, stock = deed.act, self._stock
        assert act.shelf is not None, "takes and puts are at a shelf"
        if act.kind == "take":
            movement = stock.take(deed.shopper, act.product, act.units, act.shelf, act.along_m)
        elif deed.shopper in self._staff:
            movement = stock.restock(self._articles[act.product], act.units, act.shelf, act.along_m)
        else:
            movement = stock.put(deed.shopper, act.product, act.units, act.shelf, act.along_m)
        self.changes[act.shelf].append(_change(deed.time_s, movement, act.manner))
        sign = 1 if act.kind == "take" else -1
        self.events.append(TruthEvent(deed.time_s, deed.shopper, act.product, sign * act.units, movement.plates))
        self._pass(deed, movement.units, "hand" if act.kind == "take" else "shelf")
        self._pass(dataclasses.replace(deed, shopper="", hand=0), movement.jostled, "shelf")
        self._log_planogram(act.shelf, deed.time_s)

    def _elsewhere(self, deed: Deed) -> None:
        act, stock = deed.act, self._stock
        if act.kind == "give":
            assert act.partner is not None, "somebody gets what is given"
            units = stock.hand_over(deed.shopper, act.partner, act.product, act.units)
            event = TruthEvent(deed.time_s, deed.shopper, act.product, -act.units, (), "hand_over", act.partner)
            self._pass(dataclasses.replace(deed, shopper=act.partner), units, "hand")
        else:
            move = stock.drop if act.kind == "drop" else stock.pick_up
            units = move(deed.shopper, act.product, act.units)
            sign = -1 if act.kind == "drop" else 1
            event = TruthEvent(deed.time_s, deed.shopper, act.product, sign * act.units, (), "floor")
            self._pass(deed, units, "floor" if act.kind == "drop" else "hand")
        self.events.append(event)

    def _touch(self, deed: Deed) -> None:
        shelf, manner = deed.act.shelf, deed.act.manner
        if shelf is None or not manner.press_g:
            return
        share = self._stock.under(shelf, deed.act.along_m)
        duration_s = max(manner.duration_s, _REACH_S)
        still = np.zeros(len(share))
        self.changes[shelf].append(
            LoadChange(deed.time_s, duration_s, still, manner.press_g, hold_s=manner.hold_s, press_share=share)
        )

    def _pass(self, deed: Deed, units: tuple[Unit, ...], place: Place) -> None:
        self.passages += [Passage(deed.time_s, unit, place, deed.shopper, deed.hand) for unit in units]

    def _log_planogram(self, shelf: ShelfId, time_s: float) -> None:
        """Note what stands on a shelf elsewhere, or in other numbers, than before."""
        before, now = self._standing.get(shelf, {}), self._stock.standing(shelf)
        for product, plate in sorted(before.keys() | now.keys()):
            units = now.get((product, plate), 0)
            if units != before.get((product, plate), 0):
                self.standings.append(TruthStanding(time_s, product, plate, units))
        self._standing[shelf] = now


def _change(time_s: float, movement: Movement, manner: Manner) -> LoadChange:
    return LoadChange(
        time_s=time_s,
        duration_s=manner.duration_s,
        delta_g=movement.delta_g,
        press_g=manner.press_g,
        overshoot=manner.bounce,
        hold_s=manner.hold_s,
        first_share=manner.first_share,
        pause_s=manner.step_pause_s,
    )
