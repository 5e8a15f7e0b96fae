"""Stores to simulate, and visits played through without scales, cameras or files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from gocv.core import ShelfId
from gocv.data.recording import Truth, TruthReceipt
from gocv.sim import Scenario, StoreLayout, demo_layout
from gocv.sim.acts import Deed, Programme
from gocv.sim.casting import programmes
from gocv.sim.director import Director
from gocv.sim.play import Stage
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Stock, Unit
from gocv.sim.stores.parametric import ParametricStore


@dataclasses.dataclass(frozen=True)
class Played:
    """A visit that was played through.

    Attributes:
        layout: The store.
        programmes: Of everybody, in order of entry.
        motions: By name.
        deeds: Of everybody, in order of time.
        director: As it is at the end.
        stock: As it is at the end.
        units: As they stood at the beginning.
        loads_g: On each shelf's plates at the beginning.
    """

    layout: StoreLayout
    programmes: list[Programme]
    motions: dict[str, Motion]
    deeds: list[Deed]
    director: Director
    stock: Stock
    units: list[Unit]
    loads_g: dict[ShelfId, np.ndarray]

    @property
    def truth(self) -> Truth:
        """What happened."""
        shoppers = [p.name for p in self.programmes if p.role == "shopper"]
        receipts = tuple(TruthReceipt(name, self.stock.cart(name)) for name in shoppers)
        return Truth(tuple(self.director.events), receipts, tuple(self.director.standings))


def _play(scenario: Scenario, layout: StoreLayout, seed: int) -> Played:
    stocking, planning, acting = np.random.SeedSequence(seed).spawn(3)
    stock = Stock(layout, np.random.default_rng(stocking), scenario.disorder, scenario.fill)
    units, loads = stock.units(), {shelf: stock.loads_g(shelf) for shelf in stock.shelves()}
    planned = programmes(scenario, layout, stock, np.random.default_rng(planning))
    stage = Stage(layout, np.random.default_rng(acting))
    staff = frozenset(programme.name for programme in planned if programme.role == "staff")
    director = Director(stock, {facing.article.id: facing.article for facing in layout.facings}, staff)
    motions, deeds = {}, []
    for programme in planned:
        motions[programme.name], done = stage.perform(programme)
        deeds += done
    deeds.sort(key=lambda deed: deed.time_s)
    for deed in deeds:
        director.settle(deed)
    return Played(layout, planned, motions, deeds, director, stock, units, loads)


@pytest.fixture(scope="session")
def stores() -> dict[str, StoreLayout]:
    """The store that comes with gocv, and one of two gondolas of 80 cm."""
    small = ParametricStore(aisles=1, gondolas_per_row=1, shelves=3, plates_per_shelf=8, products=20, seed=1)
    return {"demo": demo_layout(), "small": small.layout()}


@pytest.fixture(scope="session")
def play() -> Callable[[Scenario, StoreLayout, int], Played]:
    """Plays a scenario in a store with a seed."""
    return _play
