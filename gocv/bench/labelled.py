"""The labelled-event protocol of FAIM / AIM3S on a simulated gondola: what was taken, asked at the labelled times only.

Falcão et al., Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372: one shopper takes and returns single
items of a gondola of 33 products, 176 events in all; identification is scored at each labelled event, with 1 to 12
neighbouring plates sharing a load cell.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.core import UNKNOWN, Explanation, PlateId, ShelfId, Store, WeightEvent
from gocv.shelf import Candidates, ExplainSettings, UnitWeights, explain, measure_crosstalk
from gocv.shelf.baselines import identify, labelled_change
from gocv.shelf.baselines.aim3s import PlatesPerCell
from gocv.sim.acts import Act, Deed
from gocv.sim.director import Director
from gocv.sim.habits import Habits
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import RATE_HZ, ShelfScales
from gocv.sim.stock import Disorder, Stock

EVENTS = 176
PLATES_PER_CELL: tuple[PlatesPerCell, ...] = (1, 2, 3, 4, 6, 12)
METHODS = ("P_L", "P_W", "P_W·P_L")
OURS = ("ours, each event alone", "ours, with the cart", "ours, take and return together")
_SPACING_S = 6.0
_RARE = 14.0
"""What `explain` leaves out is at least that much less probable than the best, as a logarithm."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LabelledChange:
    """One labelled event, as the scales saw it.

    Attributes:
        product: Id of what was moved.
        plates: The P plates of the shelf.
        delta_g: (P,) float64, grams after minus before, measured as FAIM does.
        covariance_g2: (P, P) float64 of `delta_g`: diagonal, as measured on the shelf while others were used.
        put: Whether it is a return: of what the event before took.
    """

    product: str
    plates: tuple[PlateId, ...]
    delta_g: NDArray[np.float64]
    covariance_g2: NDArray[np.float64]
    put: bool


class Said(NamedTuple):
    """What an event says of a product, one unit of which may have moved.

    Attributes:
        log: Logarithm of its probability, up to a constant of the event.
        grams: What moved then.
        sd_g: Standard deviation of that, as measured.
    """

    log: float
    grams: float
    sd_g: float


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
    spans = [(change.start_s, change.settled_s) for changes in director.changes.values() for change in changes]
    found: list[tuple[float, LabelledChange]] = []
    for (shelf, load_g), stream in zip(loads.items(), streams, strict=True):
        gondola = layout.gondolas[shelf.gondola]
        plates = tuple(gondola.plate_ids(shelf))
        changes = director.changes[shelf]
        weight_g = ShelfScales(load_g, changes, gondola.noise, stream).read(time_s)
        own = {(change.start_s, change.settled_s) for change in changes}
        still_g = [_measured(weight_g, time_s, *span) for span in spans if span not in own]
        covariance_g2 = np.diag(_robust_variance_g2(still_g, len(plates)))
        for change in changes:
            label, act = labels[round(change.time_s / _SPACING_S) - 1]
            delta_g = _measured(weight_g, time_s, change.start_s, change.settled_s)
            put = act.kind == "put"
            found.append((change.time_s, LabelledChange(label, plates, delta_g, covariance_g2, put)))
    return [change for _, change in sorted(found, key=lambda entry: entry[0])]


def _measured(
    weight_g: NDArray[np.float32], time_s: NDArray[np.float64], start_s: float, end_s: float
) -> NDArray[np.float64]:
    begin, end = np.searchsorted(time_s, (start_s, end_s))
    return labelled_change(weight_g, int(begin), int(end))


def _robust_variance_g2(still_g: Sequence[NDArray[np.float64]], plates: int) -> NDArray[np.float64]:
    """(P,) variance of changes that are noise alone, from their median; 1 g² where there is none."""
    if not still_g:
        return np.ones(plates)
    return np.asarray((1.4826 * np.median(np.abs(np.array(still_g)), axis=0)) ** 2)


def accuracies(layout: StoreLayout, changes: Sequence[LabelledChange]) -> dict[str, list[float]]:
    """Percent of the events whose product each of `METHODS` names, for each of `PLATES_PER_CELL`."""
    right = {method: [0.0] * len(PLATES_PER_CELL) for method in METHODS}
    for change in changes:
        for column, cell in enumerate(PLATES_PER_CELL):
            said = identify(change.delta_g, change.plates, layout.store, plates_per_cell=cell)
            for method, product in zip(METHODS, (said.by_location, said.by_weight, said.by_both), strict=True):
                right[method][column] += 100.0 * (product == change.product) / len(changes)
    return right


def our_accuracies(
    layout: StoreLayout, changes: Sequence[LabelledChange], settings: ExplainSettings | None = None
) -> dict[str, list[float]]:
    """Percent of the events whose product each of `OURS` names, for each of `PLATES_PER_CELL`.

    There is one shopper, who puts back what was taken last before anything else is taken. Known without that: what
    the event alone says, the planogram, the direction, and how stiff the scales are (measured from all events,
    whatever they were). With the cart, a return is of the product that the take
    before it was said to be of. Together, take and return are both of the product that explains both best.
    """
    right = {method: [0.0] * len(PLATES_PER_CELL) for method in OURS}
    for column, cell in enumerate(PLATES_PER_CELL):
        store = folded_store(layout.store, cell)
        measured = protocol_settings(changes, cell, settings)
        weights = UnitWeights(store, measured)
        said = [products_of(change, store, cell, weights, measured) for change in changes]
        for change, names in zip(changes, _named(changes, said, weights), strict=True):
            for method, name in zip(OURS, names, strict=True):
                right[method][column] += 100.0 * (name == change.product) / len(changes)
    return right


def protocol_settings(
    changes: Sequence[LabelledChange], plates_per_cell: int, settings: ExplainSettings | None
) -> ExplainSettings:
    """The settings with the cross-talk of the session's scales. What is returned goes to where it was."""
    measured = measure_crosstalk((folded_event(change, plates_per_cell) for change in changes), settings)
    return measured.model_copy(update={"put_away": measured.away})


def _named(
    changes: Sequence[LabelledChange], said: Sequence[dict[str, Said]], weights: UnitWeights
) -> Iterator[tuple[str, str, str]]:
    """What each event is said to be of: by itself, with the cart, and together with its return or take."""
    taken = {row + 1: row for row, change in enumerate(changes[1:]) if change.put and not changes[row].put}
    partner = {**taken, **{take: put for put, take in taken.items()}}
    for row, alone in enumerate(said):
        other = said[partner[row]] if row in partner else {}
        yield _likeliest(alone), _likeliest(other if row in taken else alone), _likeliest(_joint(alone, other, weights))


def _joint(one: dict[str, Said], other: dict[str, Said], weights: UnitWeights) -> dict[str, Said]:
    """What both of two events say of each product, if the very same unit moved in both."""
    if not one or not other:
        return one or other
    both = {}
    for product in {*one, *other}:
        logs = [said[product].log if product in said else _least(said) for said in (one, other)]
        log = sum(logs)
        if product in one and product in other:
            a, b = one[product], other[product]
            # Where it stood counts once, for it goes back to about where it was; what it weighs, as one unit does.
            weighed = weights.log_weighed(product, a.grams, a.sd_g) + weights.log_weighed(product, b.grams, b.sd_g)
            log = (log + weighed) / 2 + weights.log_agreement(product, (a.grams, a.sd_g), (b.grams, b.sd_g))
        both[product] = Said(log, 0.0, 0.0)
    return both


def _least(said: dict[str, Said]) -> float:
    return min(s.log for s in said.values()) - _RARE


def _likeliest(said: dict[str, Said]) -> str:
    return max(sorted(said), key=lambda product: said[product].log, default=UNKNOWN)


def products_of(
    change: LabelledChange,
    store: Store,
    plates_per_cell: int,
    weights: UnitWeights | None = None,
    settings: ExplainSettings | None = None,
) -> dict[str, Said]:
    """What a labelled event says of the products of which one unit may have moved.

    Any product of the shelf may also have stood in a wrong place on it, or be put there.

    Args:
        change: The event.
        store: Already folded.
        plates_per_cell: How many neighbouring plates share a load cell.
        weights: Of the store's products.
        settings: The model.
    """
    event = folded_event(change, plates_per_cell)
    on_shelf = frozenset(p for p, plates in store.planogram.items() if any(q.shelf_id == event.shelf for q in plates))
    found = explain(event, store, settings, candidates=Candidates(away=on_shelf, put=on_shelf), weights=weights)
    said: dict[str, Said] = {}
    for explanation in found:  # the most probable first
        if not _is_one_unit(explanation, change.put):
            continue
        (part,) = explanation.parts
        log = math.log(max(explanation.probability, 1e-300))
        first = said.get(part.product, Said(-math.inf, part.grams, part.sd_g))
        said[part.product] = first._replace(log=float(np.logaddexp(first.log, log)))
    return said


def _is_one_unit(explanation: Explanation, put: bool) -> bool:
    return [part.units for part in explanation.parts] == [-1 if put else 1] and explanation.parts[0].product != UNKNOWN


def folded_store(store: Store, plates_per_cell: int) -> Store:
    """The store whose plates are cells of as many neighbouring plates, counted from the first of the shelf."""
    planogram = {
        product: frozenset(_cell(plate, plates_per_cell) for plate in plates)
        for product, plates in store.planogram.items()
    }
    plates = {}
    for plate in store.plates.values():
        cell = _cell(plate.id, plates_per_cell)
        plates[cell] = dataclasses.replace(plate, id=cell)
    return dataclasses.replace(store, planogram=planogram, plates=plates)


def folded_event(change: LabelledChange, plates_per_cell: int) -> WeightEvent:
    """A labelled event as cells of as many neighbouring plates measure it."""
    of = [_cell(plate, plates_per_cell) for plate in change.plates]
    cells = tuple(sorted(set(of)))
    sums = np.array([[float(cell == one) for one in of] for cell in cells])
    covariance_g2 = sums @ change.covariance_g2 @ sums.T
    return WeightEvent("", _shelf(change), 0.0, 0.0, 0.0, cells, sums @ change.delta_g, covariance_g2, 1.0)


def _cell(plate: PlateId, plates_per_cell: int) -> PlateId:
    return plate._replace(plate=(plate.plate - 1) // plates_per_cell + 1)


def _shelf(change: LabelledChange) -> ShelfId:
    return change.plates[0].shelf_id


def _acts(layout: StoreLayout, stock: Stock, rng: np.random.Generator, events: int) -> Iterator[Act]:
    habits = Habits(slow=0.0, two_steps=0.0)
    units = stock.units()
    for _ in range((events + 1) // 2):
        unit = units[int(rng.integers(len(units)))]
        for kind in ("take", "put"):
            along = unit.along_m + float(rng.normal(0.0, 0.01))
            yield Act(kind, unit.article.id, 1, unit.shelf, along, 0.0, habits.manner(rng))
