"""Sessions of FAIM / AIM3S, simulated as they go on: one shopper at one gondola, all samples of all its shelves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from gocv.core import FloorTracks, ScaleSamples, ShelfId, Store
from gocv.data.recording import TruthEvent
from gocv.sim.acts import Act, Deed
from gocv.sim.director import Director
from gocv.sim.habits import Habits
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import RATE_HZ, ShelfScales
from gocv.sim.stock import Disorder, Stock

SHOPPER = "shopper"
_SPACING_S = 6.0
_SEEN_HZ = 2.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What happened at a gondola, and what its scales saw of it.

    Attributes:
        store: Products, plates, planogram.
        samples: By shelf, all of the session.
        events: What happened, in order of time.
        shoppers: One, who was there all the time; where exactly is not known.
    """

    store: Store
    samples: dict[ShelfId, ScaleSamples]
    events: tuple[TruthEvent, ...]
    shoppers: FloorTracks


def simulate_session(layout: StoreLayout, disorder: Disorder, seed: int, events: int, several: float = 0.0) -> Session:
    """Simulate one session: things are taken, and each is put back about where it was before the next is taken.

    What is taken is drawn in proportion to the units there are.

    Args:
        layout: The gondola.
        disorder: Of its shelves.
        seed: Of everything random.
        events: How many takes and returns.
        several: Chance that a take is of two or three units, if there are so many, and so is its return.
    """
    stocking, acting, weighing = np.random.SeedSequence(seed).spawn(3)
    stock = Stock(layout, np.random.default_rng(stocking), disorder)
    loads_g = {shelf: stock.loads_g(shelf) for shelf in stock.shelves()}
    director = Director(stock, {}, frozenset())
    for row, act in enumerate(_acts(stock, np.random.default_rng(acting), events, several)):
        director.settle(Deed((row + 1) * _SPACING_S, SHOPPER, act, 1))
    duration_s = (events + 2) * _SPACING_S
    time_s = np.arange(0.0, duration_s, 1.0 / RATE_HZ)
    samples = {}
    for (shelf, load_g), stream in zip(loads_g.items(), weighing.spawn(len(loads_g)), strict=True):
        gondola = layout.gondolas[shelf.gondola]
        weight_g = ShelfScales(load_g, director.changes[shelf], gondola.noise, stream).read(time_s)
        samples[shelf] = ScaleSamples(tuple(gondola.plate_ids(shelf)), time_s=time_s, weight_g=weight_g)
    seen_s = np.arange(0.0, duration_s, 1.0 / _SEEN_HZ)
    shoppers = FloorTracks.sightings((SHOPPER,), seen_s, np.zeros(len(seen_s), np.int64))
    return Session(layout.store, samples, tuple(director.events), shoppers)


def _acts(stock: Stock, rng: np.random.Generator, events: int, several: float) -> Iterator[Act]:
    habits = Habits(slow=0.0, two_steps=0.0)
    units = stock.units()
    for _ in range((events + 1) // 2):
        unit = units[int(rng.integers(len(units)))]
        wanted = int(rng.integers(2, 4)) if rng.random() < several else 1
        count = min(wanted, stock.count(unit.article.id, unit.shelf))
        for kind in ("take", "put"):
            along_m = unit.along_m + float(rng.normal(0.0, 0.01))
            yield Act(kind, unit.article.id, count, unit.shelf, along_m, 0.0, habits.manner(rng))
