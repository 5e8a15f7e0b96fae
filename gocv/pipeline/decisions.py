"""The stages that weigh and decide: shelf, fusion."""

from __future__ import annotations

from pathlib import Path

from gocv.core import EventDetector, GocvError, WeightEvent
from gocv.data.files import write_json
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Problem, Recording, ScaleGroup
from gocv.fusion import NearestHandFuser
from gocv.pipeline.config import STAGES, PipelineConfig
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.parts import make_part
from gocv.pipeline.receipts import receipts_json
from gocv.pipeline.tables import (
    CART_EVENTS,
    EVENTS,
    EXPLANATIONS,
    cart_event_rows,
    event_rows,
    events_from,
    explanation_rows,
    explanations_from,
    read_table,
    write_table,
)
from gocv.shelf import explain


def shelf(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `events.parquet` and `explanations.parquet`."""
    events: list[WeightEvent] = []
    report: Report = []
    for group in recording.scales:
        detector = make_part("event_detectors", "shelf", config.shelf, rate_hz=group.rate_hz)
        found, problem = _detect(recording, group, detector, config.chunk_s)
        events += found
        report += [*problem, *detector.report()]
    events.sort(key=lambda e: (e.time_s, e.id))
    explanations = {e.id: explain(e, recording.store, config.explain) for e in events}
    write_table(folder.table("events"), event_rows(events), EVENTS)
    write_table(folder.table("explanations"), explanation_rows(explanations), EXPLANATIONS)
    return report


def _detect(
    recording: Recording, group: ScaleGroup, detector: EventDetector, chunk_s: float
) -> tuple[list[WeightEvent], Report]:
    """Events of one group of plates; if its file breaks off, those before the break."""
    events: list[WeightEvent] = []
    report: Report = []
    try:
        chunks = recording.scale_chunks(group, chunk_s)
        for samples in with_progress(chunks, f"weigh {group.name}", recording.duration_s / chunk_s):
            events += detector.update(samples)
    except GocvError as error:
        report.append({"where": f"scale group {group.name}", "problem": f"ends early: {error}"})
    return events + detector.flush(), report


def fusion(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `cart_events.parquet` and `receipts.json`, which gathers what every stage reported."""
    events = events_from(read_table(folder.table("events")))
    explanations = explanations_from(read_table(folder.table("explanations")))
    around_s = config.fusion.nearness.present_s
    windows = [(e.start_s - around_s, e.end_s + around_s) for e in events]
    shoppers = read_floor_tracks(folder.table("shoppers"), windows)
    fused = NearestHandFuser(recording.store, config.fusion).fuse(events, explanations, shoppers)
    write_table(folder.table("cart_events"), cart_event_rows(fused.cart_events), CART_EVENTS)
    report = {
        "recording": [_entry(problem, recording.path) for problem in recording.problems],
        **{stage: folder.report_of(stage) for stage in STAGES[:-1]},
        "fusion": list(fused.report),
    }
    write_json(folder.path / "receipts.json", receipts_json(recording.name, fused.receipts, report))
    return list(fused.report)


def _entry(problem: Problem, folder: Path) -> dict[str, str]:
    file = problem.file
    if file is not None and Path(file).is_relative_to(folder):
        file = str(Path(file).relative_to(folder))
    row = None if problem.row is None else f"row {problem.row}"
    where = ", ".join(part for part in (file, row, problem.key) if part is not None)
    return {"where": where, "problem": problem.message}
