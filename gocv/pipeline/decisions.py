"""The stages that weigh and decide: shelf, fusion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gocv.core import (
    Answer,
    EventDetector,
    FloorTracks,
    Fused,
    GocvError,
    Interaction,
    PlateId,
    Recognition,
    WeightEvent,
)
from gocv.data.files import write_json
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Problem, Recording, ScaleGroup
from gocv.fusion import CartFuser
from gocv.fusion.answers import read_labels
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.clocks import ClockOffset, apply_clock, estimate_clock
from gocv.fusion.review import ReviewPolicy, judged
from gocv.fusion.shipped import CALIBRATOR, POLICY
from gocv.fusion.unseen import reached, strangers
from gocv.pipeline.config import STAGES, PipelineConfig
from gocv.pipeline.evidence import evidence
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.hands import seen_again
from gocv.pipeline.parts import make_part
from gocv.pipeline.receipts import receipts_json
from gocv.pipeline.tables import (
    CART_EVENTS,
    EVENTS,
    cart_event_rows,
    event_rows,
    events_from,
    interactions_from,
    read_table,
    recognitions_from,
    write_table,
)


class Seen(NamedTuple):
    """What was seen of hands: what they did, and what was in them."""

    interactions: Sequence[Interaction] = ()
    recognitions: Sequence[Recognition] = ()


def shelf(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `events.parquet`."""
    events, report = weigh(recording, config)
    write_table(folder.table("events"), event_rows(events), EVENTS)
    return report


def weigh(recording: Recording, config: PipelineConfig) -> tuple[list[WeightEvent], Report]:
    """All weight events of a recording in order of time, and what was wrong with its scales."""
    events: list[WeightEvent] = []
    report: Report = []
    for group in recording.scales:
        detector = make_part("event_detectors", "shelf", config.shelf, rate_hz=group.rate_hz)
        found, problem = _detect(recording, group, detector, config.chunk_s)
        events += found
        report += [*problem, *detector.report()]
    return sorted(events, key=lambda e: (e.time_s, e.id)), report


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
    """Write `cart_events.parquet` and `receipts.json`, which gathers what every stage reported.

    What people said of earlier receipts of this run (`labels.jsonl`) counts.
    """
    found = events_from(read_table(folder.table("events")))
    shoppers = read_floor_tracks(folder.table("shoppers"))
    answers = read_labels(folder.path / "labels.jsonl")
    seen = Seen(
        interactions_from(read_table(folder.table("interactions"))),
        recognitions_from(read_table(folder.table("recognitions"))),
    )
    scales = folder.report_of("shelf") or []
    fused, events, report = decide(recording, config, found, shoppers, scales, answers, seen)
    if config.interact is not None and config.interact.learning and config.fusion.recognitions:
        again = seen_again(recording, config.interact, folder, fused.cart_events)
        if again is not None:
            seen = seen._replace(recognitions=again)
            fused, events, report = decide(recording, config, found, shoppers, scales, answers, seen)
    calibrator = Calibrator.load(config.fusion.calibrator or CALIBRATOR)
    policy = ReviewPolicy.load(config.fusion.policy or POLICY)
    receipts = [judged(r, calibrator=calibrator, policy=policy, report=report) for r in fused.receipts]
    calibrator.save(folder.path / "calibrator.json")
    policy.save(folder.path / "review.json")
    write_table(folder.table("cart_events"), cart_event_rows(fused.cart_events), CART_EVENTS)
    reports = {
        "recording": [_entry(problem, recording.path) for problem in recording.problems],
        **{stage: folder.report_of(stage) for stage in STAGES[:-1]},
        "fusion": report,
    }
    names = {product.id: product.name for product in recording.store.products.values()}
    content = receipts_json(recording.name, receipts, reports, evidence(recording, events), names)
    write_json(folder.path / "receipts.json", content)
    return report


def decide(
    recording: Recording,
    config: PipelineConfig,
    events: Sequence[WeightEvent],
    shoppers: FloorTracks,
    scales: Report,
    answers: Sequence[Answer] = (),
    seen: Seen = Seen(),  # noqa: B008 - a value
) -> tuple[Fused, list[WeightEvent], Report]:
    """What fusion finds before it is calibrated, the events on the cameras' clock, and what was wrong.

    `scales` is what `weigh` reported: whoever reached for a plate in trouble may have taken what nobody weighed.
    """
    offsets = estimate_clock(events, shoppers, recording.store) if config.fusion.clock else []
    skews = {skew["where"]: skew for skew in (_skew(offset) for offset in offsets if offset.significant)}
    timed = apply_clock(events, offsets)
    fuser = CartFuser(recording.store, config.fusion)
    fused = fuser.fuse(timed, shoppers, interactions=seen.interactions, recognitions=seen.recognitions, answers=answers)
    troubled = [PlateId.parse(entry["where"][6:]) for entry in scales if entry["where"].startswith("plate ")]
    blind = reached(troubled, shoppers, recording.store)
    return fused, timed, [*skews.values(), *fused.report, *blind, *strangers(shoppers, recording.store.zones)]


def _skew(offset: ClockOffset) -> dict[str, str]:
    which = "all scales" if offset.shared else f"scales of gondola {offset.gondola}"
    problem = f"their clock is {-offset.offset_s:+.2f} ± {offset.sd_s:.2f} s from the cameras': corrected"
    return {"where": which, "problem": problem}


def _entry(problem: Problem, folder: Path) -> dict[str, str]:
    file = problem.file
    if file is not None and Path(file).is_relative_to(folder):
        file = str(Path(file).relative_to(folder))
    row = None if problem.row is None else f"row {problem.row}"
    where = ", ".join(part for part in (file, row, problem.key) if part is not None)
    return {"where": where, "problem": problem.message}
