"""`gocv bench aim3s`: the table of FAIM / AIM3S, at labelled events and at events that have to be found first.

Falcão et al., Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372, score identification at labelled
events, of single units, with 1 to 12 neighbouring plates sharing a load cell (`gocv.bench.labelled`). In a store nobody
labels events, and hands take several units: the second protocol runs detectors over the samples of whole sessions,
pairs what they find with what happened, and scores product and units of the pairs.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from gocv.bench.labelled import EVENTS, METHODS, PLATES_PER_CELL, accuracies, labelled_changes, our_accuracies
from gocv.bench.labelled_limit import weight_limit
from gocv.bench.methods import FAIM, OURS
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.sessions import Session, simulate_session
from gocv.core import CartEvent, EventDetector, ScaleSamples, WeightEvent
from gocv.data.progress import with_progress
from gocv.fusion import CartFuser
from gocv.fusion.baselines import faim_carts
from gocv.metrics.events import EventCounts, TimedEvent, count_events, sum_events
from gocv.pipeline import PipelineConfig
from gocv.pipeline.parts import make_part
from gocv.shelf import FaimDetector
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import RATE_HZ
from gocv.sim.stock import Disorder
from gocv.sim.stores import read_store

PUBLISHED = {
    "P_L": (76.1, 65.3, 48.9, 39.8, 26.1, 11.9),
    "P_W": (68.2, 68.2, 68.2, 68.2, 68.2, 68.2),
    "P_W·P_L": (91.5, 91.5, 92.0, 86.5, 90.3, 79.0),
    "P_W·P_L and vision": (92.0, 92.0, 93.2, 88.6, 90.3, 80.1),
}
"""Percent of 176 labelled events of the household gondola that were identified, for 1, 2, 3, 4, 6 and 12 plates a cell:
Falcão et al., Frontiers in Built Environment 2020, doi 10.3389/fbuil.2020.568372."""

GONDOLAS = {"household": "aim3s_household.yaml", "candy": "aim3s_candy.yaml"}
"""Files of the two gondolas of the publication, by name."""

SEVERAL = 0.3
"""Share of the takes of a session to be detected that are of two or three units: a choice of this benchmark."""

_TOLERANCE_S = 1.5
_CHUNK_S = 60.0

Moves = Sequence[CartEvent]


@dataclasses.dataclass(frozen=True, slots=True)
class _Task:
    gondola: str
    layout: StoreLayout
    seed: int
    events: int
    config: PipelineConfig


@dataclasses.dataclass(frozen=True, slots=True)
class _Sessions:
    """Figures of one seed.

    Attributes:
        labelled: Percent identified for each number of plates a cell, by method.
        limit: Percent that weight alone can name: each event alone, and takes together with their returns.
        detected: Counts by part of the events, by method.
    """

    labelled: Mapping[str, Sequence[float]]
    limit: tuple[float, float]
    detected: Mapping[str, Mapping[str, EventCounts]]


def bench_aim3s(
    stores: Mapping[str, Path], *, seeds: Sequence[int], events: int = EVENTS, config: PipelineConfig | None = None
) -> BenchmarkResult:
    """Measure FAIM and gocv on simulated gondolas.

    Args:
        stores: YAML of each gondola, by its name; the one called "household" has published figures beside it.
        seeds: Of the sessions, one of each protocol for each seed.
        events: Takes and returns in a session.
        config: Settings of gocv.

    Returns:
        Rows of the labelled protocol: percent identified for each number of plates a cell, the mean over seeds, and
        `sd_N`, its standard deviation between seeds; at 12 plates a cell also the most that anybody could name who only
        knows what the shelf weighs (`gocv.bench.labelled_limit`). Then rows of the detected protocol, one plate a cell:
        precision and recall of the events, and of those paired the share whose product and units are right, also for
        one unit, for several, for takes and for returns alone.

    Raises:
        ConfigError: A file is refused.
    """
    tasks = [
        _Task(name, read_store(path), seed, events, config or PipelineConfig())
        for name, path in stores.items()
        for seed in seeds
    ]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        sessions = list(with_progress(pool.map(_measure, tasks), "sessions", len(tasks)))
    rows: list[dict[str, Any]] = []
    for name in stores:
        own = [s for t, s in zip(tasks, sessions, strict=True) if t.gondola == name]
        rows += _labelled(name, [s.labelled for s in own])
        rows += _limits(name, [s.limit for s in own])
    for name in stores:
        rows += _detected(name, [s.detected for t, s in zip(tasks, sessions, strict=True) if t.gondola == name])
    return BenchmarkResult("aim3s", rows, environment(min(seeds)), command_line())


def _measure(task: _Task) -> _Sessions:
    with threadpool_limits(1):
        changes = labelled_changes(task.layout, Disorder(), task.seed, task.events)
        labelled = accuracies(task.layout, changes)
        labelled |= our_accuracies(task.layout, changes, task.config.fusion.explain)
        session = simulate_session(task.layout, Disorder(), task.seed, task.events, SEVERAL)
        moves = {FAIM: _by_faim(session), OURS: _by_gocv(session, task.config)}
    limit = weight_limit(task.layout, changes, Disorder())
    return _Sessions(labelled, limit, {method: _counted(session, said) for method, said in moves.items()})


def _labelled(gondola: str, runs: Sequence[Mapping[str, Sequence[float]]]) -> Iterator[dict[str, Any]]:
    about = {"gondola": gondola, "protocol": "labelled", "sessions": len(runs)}
    for method in runs[0]:
        columns = list(zip(*(run[method] for run in runs), strict=True))
        row: dict[str, Any] = {"method": method, **about}
        row |= {f"cell_{cell}": statistics.mean(c) for cell, c in zip(PLATES_PER_CELL, columns, strict=True)}
        if len(runs) > 1:
            row |= {f"sd_{cell}": statistics.stdev(c) for cell, c in zip(PLATES_PER_CELL, columns, strict=True)}
        yield row
        if gondola == "household" and method in METHODS:
            yield _published(method)
    if gondola == "household":
        yield _published("P_W·P_L and vision")


def _limits(gondola: str, limits: Sequence[tuple[float, float]]) -> Iterator[dict[str, Any]]:
    about = {"gondola": gondola, "protocol": "labelled", "sessions": len(limits)}
    for way, percents in zip(("each event alone", "take and return together"), zip(*limits, strict=True), strict=True):
        yield {"method": f"limit of weight, {way}", **about, "cell_12": statistics.mean(percents)}


def _published(method: str) -> dict[str, Any]:
    figures = {f"cell_{cell}": value for cell, value in zip(PLATES_PER_CELL, PUBLISHED[method], strict=True)}
    return {"method": f"{method}, published", "gondola": "household", "protocol": "labelled", "sessions": 1, **figures}


def _detected(gondola: str, runs: Sequence[Mapping[str, Mapping[str, EventCounts]]]) -> Iterator[dict[str, Any]]:
    for method in runs[0]:
        whole = {part: sum_events(run[method][part] for run in runs) for part in runs[0][method]}
        every = whole["all"]
        yield {
            "method": method,
            "gondola": gondola,
            "protocol": "detected",
            "sessions": len(runs),
            "events": every.true,
            "precision": every.precision,
            "recall": every.recall,
            "identified": every.identification,
            **{f"identified_{part}": whole[part].identification for part in _PARTS if whole[part].named},
        }


_PARTS: dict[str, Callable[[int], bool]] = {
    "one": lambda quantity: abs(quantity) == 1,
    "several": lambda quantity: abs(quantity) > 1,
    "takes": lambda quantity: quantity > 0,
    "returns": lambda quantity: quantity < 0,
}


def _by_faim(session: Session) -> Moves:
    outcome = faim_carts(_events(session, FaimDetector), session.shoppers, session.store)
    return [CartEvent(d.event, d.time_s, d.shopper, d.product, d.quantity, float("nan")) for d in outcome.decisions]


def _by_gocv(session: Session, config: PipelineConfig) -> Moves:
    found = _events(session, lambda rate_hz: make_part("event_detectors", "shelf", config.shelf, rate_hz=rate_hz))
    return CartFuser(session.store, config.fusion).fuse(found, session.shoppers).cart_events


def _events(session: Session, detector: Callable[[float], EventDetector]) -> list[WeightEvent]:
    found: list[WeightEvent] = []
    for samples in session.samples.values():
        part = detector(RATE_HZ)
        for chunk in _chunks(samples):
            found += part.update(chunk)
        found += part.flush()
    return found


def _chunks(samples: ScaleSamples) -> Iterator[ScaleSamples]:
    rows = round(_CHUNK_S * RATE_HZ)
    return (samples[first : first + rows] for first in range(0, len(samples), rows))


def _counted(session: Session, moves: Moves) -> dict[str, EventCounts]:
    """Counts of all events, and of those alone that happened in one of `_PARTS`."""
    stated = [TimedEvent("", m.time_s, ((m.product, m.quantity),)) for m in moves]
    happened = [TimedEvent("", e.time_s, ((e.product, e.quantity),)) for e in session.events]
    quantity = [e.quantity for e in session.events]
    counts = {"all": count_events(stated, happened, tolerance_s=_TOLERANCE_S)}
    for part, wanted in _PARTS.items():
        only = [h._replace(items=h.items if wanted(q) else None) for h, q in zip(happened, quantity, strict=True)]
        counts[part] = count_events(stated, only, tolerance_s=_TOLERANCE_S)
    return counts
