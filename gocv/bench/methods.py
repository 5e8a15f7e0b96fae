"""The methods that are measured beside one another: published systems, gocv, and gocv without one of its parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from gocv.core import CartEvent, EventDetector, FloorTracks, Receipt, ShelfId, WeightEvent
from gocv.data.recording import Recording
from gocv.fusion.baselines import Outcome, faim_carts, mps_carts, team6_carts
from gocv.fusion.baselines.outcome import recorded_events
from gocv.pipeline import PipelineConfig, as_units, run
from gocv.pipeline.tables import cart_events_from, events_from, read_table
from gocv.shelf import FaimDetector
from gocv.shelf.baselines import MpsDetector, Team6Detector

FAIM = "FAIM"
WINNER = "MPS (winner)"
WITHOUT_PLANOGRAM = "MPS without dynamic planogram"
WITHOUT_SPLITTING = "MPS without event splitting"
SECOND = "Team 6 (second)"
OURS = "gocv"

_CHUNK_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What one method made of a recording.

    Attributes:
        units: Units by product, by shopper; None collects what nobody could be named for.
        moves: What moved, in order of time. The probability of what a published system says is NaN: it has none.
        places: By id of the weight event: its shelf. Moves of other events were at no shelf.
        receipts: With probabilities; empty where the method has none.
    """

    units: Mapping[str | None, Mapping[str, int]]
    moves: tuple[CartEvent, ...]
    places: Mapping[str, ShelfId]
    receipts: tuple[Receipt, ...] = ()


def published(recording: Recording, shoppers: FloorTracks, *, ablations: bool = False) -> dict[str, Found]:
    """What the published systems make of a recording.

    Args:
        recording: With scales.
        shoppers: Everybody's joints; without joints nobody is charged.
        ablations: Whether the winner's own ablations are among them.

    Raises:
        DataError: A file of the recording is broken.
    """
    store = recording.store

    def events(detector: Callable[[float], EventDetector]) -> list[WeightEvent]:
        return recorded_events(recording, detector, _CHUNK_S)

    changes = events(FaimDetector)
    found = {FAIM: _found(faim_carts(changes, shoppers, store), changes)}
    changes = events(MpsDetector)
    found[WINNER] = _found(mps_carts(changes, shoppers, store), changes)
    if ablations:
        for name, switch in ((WITHOUT_PLANOGRAM, "dynamic_planogram"), (WITHOUT_SPLITTING, "event_splitting")):
            found[name] = _found(mps_carts(changes, shoppers, store, **{switch: False}), changes)
    changes = events(Team6Detector)
    found[SECOND] = _found(team6_carts(changes, shoppers, store), changes)
    return found


def ours(recording: Recording, folder: Path, config: PipelineConfig) -> Found:
    """What gocv makes of a recording.

    Args:
        recording: What to run.
        folder: Run folder. Where an earlier run left tables there, stages whose settings are the same are not run
            again: of runs that differ in fusion alone only the first one weighs and tracks.
        config: Settings.

    Raises:
        DataError: The folder or the recording cannot be used.
    """
    receipts = run(recording, folder, config)
    moves = tuple(cart_events_from(read_table(folder / "cart_events.parquet")))
    return Found(as_units(receipts), moves, _places(events_from(read_table(folder / "events.parquet"))), receipts)


def _found(outcome: Outcome, events: Iterable[WeightEvent]) -> Found:
    moves = tuple(
        CartEvent(d.event, d.time_s, d.shopper, d.product, d.quantity, float("nan")) for d in outcome.decisions
    )
    units: dict[str | None, dict[str, int]] = {}
    units.update(outcome.carts)
    return Found(units, moves, _places(events))


def _places(events: Iterable[WeightEvent]) -> dict[str, ShelfId]:
    return {event.id: event.shelf for event in events}
