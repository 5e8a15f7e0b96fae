"""The labelled-event protocol of FAIM / AIM3S on a simulated gondola: what was taken, asked at the labelled times only.

Falcão et al., Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372: one shopper takes and returns single
items of a gondola of 33 products, 176 events in all; identification is scored at each labelled event, with 1 to 12
neighbouring plates sharing a load cell.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import PlateId
from gocv.shelf.baselines import identify, labelled_change
from gocv.sim.acts import Act, Deed
from gocv.sim.director import Director
from gocv.sim.habits import Habits
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import RATE_HZ, ShelfScales
from gocv.sim.stock import Disorder, Stock

EVENTS = 176
PLATES_PER_CELL = (1, 2, 3, 4, 6, 12)
METHODS = ("P_L", "P_W", "P_W·P_L")
_SPACING_S = 6.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LabelledChange:
    """One labelled event, as the scales saw it.

    Attributes:
        product: Id of what was moved.
        plates: The P plates of the shelf.
        delta_g: (P,) float64, grams after minus before, measured as FAIM does.
    """

    product: str
    plates: tuple[PlateId, ...]
    delta_g: NDArray[np.float64]


def labelled_changes(layout: StoreLayout, disorder: Disorder, seed: int, events: int = EVENTS) -> list[LabelledChange]:
    """Simulate one session: items of a gondola are taken one by one, and each is put back before the next.

    What is taken is drawn in proportion to the units there are; it goes back to about where it was.
    """
    stocking, acting, weighing = np.random.SeedSequence(seed).spawn(3)
    stock = Stock(layout, np.random.default_rng(stocking), disorder)
    loads = {shelf: stock.loads_g(shelf) for shelf in stock.shelves()}
    director = Director(stock, {}, frozenset())
    labels: list[tuple[str, Act]] = []
    for row, act in enumerate(_acts(layout, stock, np.random.default_rng(acting), events)):
        director.settle(Deed((row + 1) * _SPACING_S, "shopper", act, 1))
        labels.append((act.product, act))
    duration_s = (events + 2) * _SPACING_S
    time_s = np.arange(0.0, duration_s, 1.0 / RATE_HZ)
    streams = weighing.spawn(len(loads))
    found: list[tuple[float, LabelledChange]] = []
    for (shelf, load_g), stream in zip(loads.items(), streams, strict=True):
        gondola = layout.gondolas[shelf.gondola]
        plates = tuple(gondola.plate_ids(shelf))
        changes = director.changes[shelf]
        weight_g = ShelfScales(load_g, changes, gondola.noise, stream).read(time_s)
        for change in changes:
            begin, end = np.searchsorted(time_s, (change.start_s, change.settled_s))
            product = labels[round(change.time_s / _SPACING_S) - 1][0]
            delta_g = labelled_change(weight_g, int(begin), int(end))
            found.append((change.time_s, LabelledChange(product, plates, delta_g)))
    return [change for _, change in sorted(found, key=lambda entry: entry[0])]


def accuracies(layout: StoreLayout, changes: Sequence[LabelledChange]) -> dict[str, list[float]]:
    """Percent of the events whose product each of `METHODS` names, for each of `PLATES_PER_CELL`."""
    right = {method: [0.0] * len(PLATES_PER_CELL) for method in METHODS}
    for change in changes:
        for column, cell in enumerate(PLATES_PER_CELL):
            said = identify(change.delta_g, change.plates, layout.store, plates_per_cell=cell)
            for method, product in zip(METHODS, (said.by_location, said.by_weight, said.by_both), strict=True):
                right[method][column] += 100.0 * (product == change.product) / len(changes)
    return right


def _acts(layout: StoreLayout, stock: Stock, rng: np.random.Generator, events: int) -> Iterator[Act]:
    habits = Habits(slow=0.0, two_steps=0.0)
    units = stock.units()
    for _ in range((events + 1) // 2):
        unit = units[int(rng.integers(len(units)))]
        for kind in ("take", "put"):
            along = unit.along_m + float(rng.normal(0.0, 0.01))
            yield Act(kind, unit.article.id, 1, unit.shelf, along, 0.0, habits.manner(rng))
