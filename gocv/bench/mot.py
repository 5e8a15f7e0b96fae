"""`gocv bench mot`: trackers on the sequences of MOTChallenge, with their public detections or others."""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.mot_eval import scored_sequence
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ConfigError, DataError, Detections, Embeddings, Encoder, Tracker
from gocv.data.mot import MotFolder, MotRows, as_detections, mot_folders, read_mot
from gocv.data.mot.folder import DEFAULT_RATE_HZ
from gocv.data.progress import with_progress
from gocv.metrics.mot import MotResult, MotSequence
from gocv.pipeline import PipelineConfig
from gocv.pipeline.appearance import encode_boxes, looks_at_appearance, make_encoder, update_tracker
from gocv.pipeline.detecting import make_detector
from gocv.pipeline.parts import PartSettings, make_part

PUBLIC = "public"
DETECTOR = "detector"

_FEW = 0.05
"""Of a sequence's frames that may lack their pictures."""

_Runs = dict[str, tuple[MotSequence, int, float]]
"""By name of the sequence: its scored part, its frames, and the seconds that they took."""


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A sequence with what a detector found in it.

    Attributes:
        name: Of the sequence.
        rate_hz: Frames a second.
        truth: True tracks.
        frames: Detections of each frame, the first that of frame 1.
        rules: Whose rules say what is scored.
        folder: Where it lies.
        embeddings: Appearance of the detections of each frame, of those that have a picture; None where it has not been
            made.
    """

    name: str
    rate_hz: float
    truth: MotRows
    frames: Sequence[Detections]
    rules: str
    folder: MotFolder
    embeddings: Sequence[Embeddings] | None = None


def read_cases(root: Path, detections: str, config: PipelineConfig) -> list[Case]:
    """The sequences below `root`, with detections.

    Args:
        root: Folder of sequences with annotations.
        detections: "public": those that a sequence comes with; "detector": what the detector of `config` finds in its
            pictures; else a text file, or a folder with NAME.txt for each sequence. Sequences without are left out.
        config: Names the detector.

    Raises:
        DataError: There is no sequence with detections, or a file is not right.
        ConfigError: The detector is wanted and not configured.
    """
    cases = []
    for folder in mot_folders(root):
        found = _detections(folder, detections, config)
        if found is None:
            continue
        truth = folder.truth()
        length = folder.length or int(max(truth.frame.max(initial=0), 1))
        frames = as_detections(found, length) if isinstance(found, MotRows) else found
        rules = "mot15" if (truth.label == 1).all() else "mot17"
        inside = truth[truth.frame <= length]
        cases.append(Case(folder.name, folder.rate_hz, inside, frames, rules, folder))
    if not cases:
        raise DataError("no sequence has detections", file=root, expected=f"{detections} detections")
    return cases


def _detections(folder: MotFolder, source: str, config: PipelineConfig) -> MotRows | list[Detections] | None:
    if source == PUBLIC:
        return folder.detections() if folder.has_detections else None
    if source == DETECTOR:
        if config.detect is None:
            raise ConfigError("names no detector", key="detect.model", expected="a detector's YAML, or -c FILE")
        return _detected(folder, config) if folder.images.is_dir() else None
    path = Path(source)
    if not path.exists():
        raise DataError("is neither a file nor a folder", file=path, expected="public, detector, a file or a folder")
    file = path / f"{folder.name}.txt" if path.is_dir() else path
    return read_mot(file) if file.is_file() else None


def _detected(folder: MotFolder, config: PipelineConfig) -> list[Detections]:
    """What the detector finds; a picture that is broken or missing has nothing."""
    assert config.detect is not None
    detector = make_detector(config.detect)
    pictures = folder.frames()
    found = [Detections.empty()] * (folder.length or len(pictures))
    for frame in with_progress(pictures, f"detect {folder.name}", len(pictures)):
        if frame.index < len(found):
            (found[frame.index],) = detector.detect([frame])
    return found


def with_embeddings(case: Case, encoder: Encoder) -> tuple[Case, list[str]]:
    """A sequence with the appearance of its detections, and what is to be said of it.

    Boxes of a frame whose picture is broken or missing have none. Where that goes for more than a twentieth of the
    frames with boxes, the sequence is as it was, without: a tracker that sees less than others is not compared.
    """
    try:
        pictures = case.folder.frames()
        made = [Embeddings.empty()] * len(case.frames)
        waiting = {i for i, found in enumerate(case.frames) if len(found)}
        for frame in with_progress(pictures, f"encode {case.name}", len(pictures)):
            if frame.index in waiting:
                waiting.remove(frame.index)
                made[frame.index] = encode_boxes(encoder, frame, case.frames[frame.index])
    except DataError as error:
        return case, [f"{case.name} is left out for trackers that need appearance: {error}"]
    looked_for = sum(len(found) > 0 for found in case.frames)
    lacking = f"{len(waiting)} of {looked_for} frames with boxes have no picture"
    if len(waiting) > _FEW * looked_for:
        return case, [f"{case.name} is left out for trackers that need appearance: {lacking}"]
    notes = [f"{case.name}: {lacking}: their boxes have no appearance"] if waiting else []
    return dataclasses.replace(case, embeddings=made), notes


def run_tracker(tracker: Tracker, case: Case) -> tuple[MotSequence, float]:
    """A sequence's scored part, and the seconds that the tracker took for it.

    Raises:
        DataError: The tracker needs appearance, and that of the sequence has not been made.
    """
    looks: Iterable[Embeddings | None] = itertools.repeat(None)
    if looks_at_appearance(tracker):
        if case.embeddings is None:
            raise DataError(f"the appearance of {case.name} has not been made", expected="with_embeddings before")
        looks = case.embeddings
    tables, spent = [], 0.0
    for i, (detections, embeddings) in enumerate(zip(case.frames, looks, strict=False)):
        start = time.perf_counter()
        tracks = update_tracker(tracker, detections, i / case.rate_hz, embeddings)
        spent += time.perf_counter() - start
        known = tracks[tracks.track_id > 0]
        tables.append((np.full(len(known), i + 1), known.track_id, known.xyxy))
    frame, track_id, xyxy = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    ones = np.ones(len(frame))
    rows = MotRows(frame, track_id, xyxy.astype(np.float64), ones, ones.astype(np.int64), ones)
    return scored_sequence(case.truth, rows, case.rules), spent  # type: ignore[arg-type]


def make_tracker(name: str, rate_hz: float, settings: Mapping[str, Any] | None = None) -> Tracker:
    """A registered tracker.

    Raises:
        ConfigError: There is none of that name, or a setting is wrong.
    """
    tracker: Tracker = make_part("trackers", "tracker", PartSettings(part=name, **(settings or {})), rate_hz=rate_hz)
    return tracker


def boxes_alone() -> list[str]:
    """Names of the registered trackers that need no more than detections, in order."""
    found = sorted(entry_points(group="gocv.trackers"), key=lambda entry: entry.name)
    return [entry.name for entry in found if not entry.load().needs]


def bench_mot(
    root: Path, trackers: Sequence[str], detections: str = PUBLIC, config: PipelineConfig | None = None
) -> BenchmarkResult:
    """Score trackers with their default settings on all sequences.

    Trackers that need appearance share the vectors that the encoder of `config` makes of a sequence's detections; they
    are not scored on sequences without pictures, which the result's notes name.

    Returns:
        A row for each tracker and sequence, and one for each tracker with all sequences together: the scores of
        `MotScores` and `frames_per_s`, of the update calls alone.

    Raises:
        DataError: As `read_cases`; the encoder's weights are missing; or no sequence is left for a tracker.
        ConfigError: As `make_tracker`, or the encoder's settings are wrong.
    """
    config = config or PipelineConfig()
    needing = {name for name in trackers if looks_at_appearance(make_tracker(name, DEFAULT_RATE_HZ))}
    encoder = make_encoder(config) if needing else None
    cases = read_cases(root, detections, config)
    found: dict[str, _Runs] = {name: {} for name in trackers}
    notes: list[str] = []
    for bare in with_progress(cases, "track", len(cases)):
        case, said = (bare, []) if encoder is None else with_embeddings(bare, encoder)
        notes += said
        for name in trackers:
            if name not in needing or case.embeddings is not None:
                sequence, spent_s = run_tracker(make_tracker(name, case.rate_hz), case)
                found[name][case.name] = sequence, len(case.frames), spent_s
    rows = [row for name in trackers for row in _rows(name, found[name], root)]
    return BenchmarkResult("mot", rows, environment(), command_line(), notes)


def _rows(name: str, runs: _Runs, root: Path) -> Iterator[dict[str, Any]]:
    if not runs:
        raise DataError(f"no sequence has pictures, and {name} needs appearance", file=root, expected="NAME/img1")
    speed = {sequence: frames / max(spent_s, 1e-9) for sequence, (_, frames, spent_s) in runs.items()}
    speed["combined"] = sum(run[1] for run in runs.values()) / max(sum(run[2] for run in runs.values()), 1e-9)
    for row in MotResult.of({sequence: run[0] for sequence, run in runs.items()}).table():
        yield {"method": name, **row, "frames_per_s": speed[row["sequence"]]}
