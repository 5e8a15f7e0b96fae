"""Real event lists acted out again by simulated shoppers: the same products and plates, in order and at their times.

The labels of the AutoCheckout competition (CPS-IoT Week 2020) say to the second who took what from which plates, and no
more: how the hands went about it, what the shoppers looked like and the weights of the units are the simulator's own.
Who is labelled to do several things at once comes to the later ones as soon as a hurried walk allows it.
"""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field

from gocv.core import ConfigError, PlateId, Product, ShelfId, Store, nearest
from gocv.data.config import Model
from gocv.data.nanostore import LabelledEvent, read_labels
from gocv.sim.acts import Act, Kind, Programme, Stop
from gocv.sim.habits import Habits
from gocv.sim.layout import StoreLayout

_FIRST_S = 12.0
_REACH_S = 1.0
"""A shopper stands at the shelf this long before the hand is there."""
_TOGETHER_S, _TOGETHER_M = 12.0, 0.45
"""Events of one shopper this close to each other are done from one place."""
_UNKNOWN_SPACING_S = 5.0
_AT_ONCE_S = 0.2
_WALK_M_S, _ENTRY_S = 1.0, 3.0
_LEISURE_S = 12.0
"""Nobody lifts slowly who has to be elsewhere sooner than this, or was elsewhere this shortly before."""


class Replay(Model):
    """A labelled sequence to act out again.

    Attributes:
        labels: File of labels, or folder of such files.
        dataset: Name of the sequence.
    """

    labels: Path
    dataset: Annotated[str, Field(min_length=1)]

    def events(self) -> list[TimedEvent]:
        """What is labelled, in order of time.

        Raises:
            ConfigError: There is no such sequence.
            DataError: The labels cannot be read; file, row and key are named.
        """
        labels = read_labels(self.labels)
        if self.dataset not in labels.events:
            expected = nearest(self.dataset, labels.events)
            problem = f"'{self.dataset}' is not labelled"
            raise ConfigError(problem, file=self.labels, key="replay.dataset", expected=expected)
        return timed(labels.events[self.dataset])


@dataclasses.dataclass(frozen=True, slots=True)
class TimedEvent:
    """A labelled event with a time at which it can be acted out.

    Attributes:
        time_s: On the simulated recording's clock.
        event: As labelled.
    """

    time_s: float
    event: LabelledEvent


def timed(events: Sequence[LabelledEvent]) -> list[TimedEvent]:
    """The events that name products and plates, on a clock that starts a little before the first of them.

    Labels are exact to the second: events of one second follow each other at fifths of it. Where a label has no time,
    the event comes some seconds after the one before it in the list.
    """
    usable = [e for e in events if e.plates and e.shopper and _known(e)]
    known = [e.unix_s for e in usable if not math.isnan(e.unix_s)]
    origin, last = min(known, default=0.0), min(known, default=0.0)
    placed: list[tuple[float, int]] = []
    for row, event in enumerate(usable):
        last = last + _UNKNOWN_SPACING_S if math.isnan(event.unix_s) else event.unix_s
        placed.append((last, row))
    ordered: list[TimedEvent] = []
    for unix_s, row in sorted(placed):
        time_s = _FIRST_S + unix_s - origin
        if ordered:
            time_s = max(time_s, ordered[-1].time_s + _AT_ONCE_S * len(_known(ordered[-1].event)))
        ordered.append(TimedEvent(time_s, usable[row]))
    return ordered


def _known(event: LabelledEvent) -> list[Product]:
    """The products of an event whose barcodes the labellers knew, one for each unit."""
    return [product for product in event.products if product.id.isdecimal()]


def extended(store: Store, events: Sequence[TimedEvent]) -> Store:
    """The store with what the labels say stood there on that day: products taken where the planogram has them not.

    A product that was put down on some plates before is not missing there.
    """
    products, planogram = dict(store.products), dict(store.planogram)
    put_down: Counter[tuple[str, ShelfId]] = Counter()
    for event in (timed_event.event for timed_event in events):
        for product in _known(event):
            plates = frozenset(plate for plate in event.plates if plate in store.plates)
            if not plates:
                continue
            products.setdefault(product.id, product)
            place = product.id, event.plates[0].shelf_id
            there = planogram.get(product.id, frozenset())
            if event.returned:
                put_down[place] += 1
            elif put_down[place]:
                put_down[place] -= 1
            elif not there & _near(plates):
                planogram[product.id] = there | plates
    return dataclasses.replace(store, products=products, planogram=planogram)


def _near(plates: frozenset[PlateId]) -> frozenset[PlateId]:
    """The plates and those next to them: labellers are off by one now and then."""
    return frozenset(p._replace(plate=p.plate + step) for p in plates for step in (-1, 0, 1))


def plates_of(events: Sequence[TimedEvent]) -> frozenset[PlateId]:
    """All plates that the labels name."""
    return frozenset(plate for timed_event in events for plate in timed_event.event.plates)


def replayed(
    events: Sequence[TimedEvent], layout: StoreLayout, habits: Habits, rng: np.random.Generator
) -> list[Programme]:
    """Programmes that do what was labelled, in order of entry; one shopper who only looks around if that is nothing."""
    shoppers = list(dict.fromkeys(e.event.shopper for e in events))
    made = [
        _programme(shopper, [e for e in events if e.event.shopper == shopper], layout, habits, rng)
        for shopper in shoppers
    ]
    return sorted(made, key=lambda p: p.entry_s) or [Programme("shopper-1", 1.0, ())]


def _programme(
    shopper: str, events: Sequence[TimedEvent], layout: StoreLayout, habits: Habits, rng: np.random.Generator
) -> Programme:
    stops: list[Stop] = []
    acts: list[Act] = []
    begun_s = last_s = along_m = 0.0
    gondola = -1
    quick = habits.model_copy(update={"slow": 0.0})
    for row, timed_event in enumerate(events):
        shelf = timed_event.event.plates[0].shelf_id
        place_m = _along(timed_event, layout)
        near = shelf.gondola == gondola and abs(place_m - along_m) <= _TOGETHER_M
        if not (acts and near and timed_event.time_s - last_s <= _TOGETHER_S):
            if acts:
                stops.append(Stop(gondola, along_m, tuple(acts), begun_s, close=True))
            acts, gondola, along_m = [], shelf.gondola, place_m
            begun_s = last_s = timed_event.time_s - _REACH_S
        follows_s = events[row + 1].time_s if row + 1 < len(events) else math.inf
        in_haste = min(follows_s - timed_event.time_s, timed_event.time_s - last_s + _REACH_S) < _LEISURE_S
        acts += _acts(timed_event, place_m, timed_event.time_s - last_s, quick if in_haste else habits, rng)
        last_s = timed_event.time_s + _AT_ONCE_S * (len(_known(timed_event.event)) - 1)
    stops.append(Stop(gondola, along_m, tuple(acts), begun_s, close=True))
    first = stops[0]
    way_m = np.abs(layout.gondolas[first.gondola].point(first.along_m, 0.0, 0.0)[:2] - layout.door_m).sum()
    entry_s = max(0.5, first.not_before_s - float(way_m) / _WALK_M_S - _ENTRY_S)
    height_m = float(np.clip(rng.normal(1.71, 0.08), 1.5, 1.95))
    return Programme(shopper, entry_s, tuple(stops), height_m, float(rng.uniform(1.0, 1.3)))


def _acts(
    timed_event: TimedEvent, along_m: float, pause_s: float, habits: Habits, rng: np.random.Generator
) -> list[Act]:
    event = timed_event.event
    acts: list[Act] = []
    for product in _known(event):
        pause = pause_s if not acts else _AT_ONCE_S
        place = along_m + float(rng.normal(0.0, 0.02))
        kind: Kind = "put" if event.returned else "take"
        acts.append(Act(kind, product.id, 1, event.plates[0].shelf_id, place, pause, habits.manner(rng)))
    return acts


def _along(timed_event: TimedEvent, layout: StoreLayout) -> float:
    """The middle of the labelled plates."""
    plates = timed_event.event.plates
    gondola = layout.gondolas.get(plates[0].gondola)
    if gondola is None or plates[0].shelf_id not in gondola.shelf_ids() or plates[-1].plate > gondola.plates:
        problem = f"plate {plates[-1]} of the labels is not in the store"
        raise ConfigError(problem, key="replay.dataset", expected="a store that has it")
    return float(np.mean([plate.plate - 0.5 for plate in plates])) * gondola.pitch_m
