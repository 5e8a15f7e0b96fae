"""`gocv bench mot`: trackers on the sequences of MOTChallenge, with their public detections or others."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.mot_eval import scored_sequence
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ConfigError, DataError, Detections, Tracker
from gocv.data.mot import MotFolder, MotRows, as_detections, mot_folders, read_mot
from gocv.data.progress import with_progress
from gocv.metrics.mot import MotResult, MotSequence
from gocv.pipeline import PipelineConfig
from gocv.pipeline.parts import PartSettings, make_part

PUBLIC = "public"
DETECTOR = "detector"


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A sequence with what a detector found in it.

    Attributes:
        name: Of the sequence.
        rate_hz: Frames a second.
        truth: True tracks.
        frames: Detections of each frame, the first that of frame 1.
        rules: Whose rules say what is scored.
    """

    name: str
    rate_hz: float
    truth: MotRows
    frames: Sequence[Detections]
    rules: str


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
        cases.append(Case(folder.name, folder.rate_hz, inside, frames, rules))
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
    detector = make_part("detectors", "detect", config.detect)
    pictures = folder.frames()
    found = [Detections.empty()] * (folder.length or len(pictures))
    for frame in with_progress(pictures, f"detect {folder.name}", len(pictures)):
        if frame.index < len(found):
            (found[frame.index],) = detector.detect([frame])
    return found


def run_tracker(tracker: Tracker, case: Case) -> tuple[MotSequence, float]:
    """A sequence's scored part, and the seconds that the tracker took for it."""
    tables, spent = [], 0.0
    for i, detections in enumerate(case.frames):
        start = time.perf_counter()
        tracks = tracker.update(detections, time_s=i / case.rate_hz)
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
        ConfigError: There is none of that name, a setting is wrong, or it needs more than detections.
    """
    tracker: Tracker = make_part("trackers", "tracker", PartSettings(part=name, **(settings or {})), rate_hz=rate_hz)
    if tracker.needs:
        needs = ", ".join(tracker.needs)
        raise ConfigError(f"{name} needs {needs}", key="tracker", expected="one that needs boxes alone")
    return tracker


def boxes_alone() -> list[str]:
    """Names of the registered trackers that need no more than detections, in order."""
    found = sorted(entry_points(group="gocv.trackers"), key=lambda entry: entry.name)
    return [entry.name for entry in found if not entry.load().needs]


def bench_mot(
    root: Path, trackers: Sequence[str], detections: str = PUBLIC, config: PipelineConfig | None = None
) -> BenchmarkResult:
    """Score trackers with their default settings on all sequences.

    Returns:
        A row for each tracker and sequence, and one for each tracker with all sequences together: the scores of
        `MotScores` and `frames_per_s`, of the update calls alone.

    Raises:
        DataError: As `read_cases`.
        ConfigError: As `make_tracker`.
    """
    cases = read_cases(root, detections, config or PipelineConfig())
    rows: list[dict[str, Any]] = []
    for name in trackers:
        sequences, spent = {}, {}
        for case in with_progress(cases, name, len(cases)):
            sequences[case.name], spent[case.name] = run_tracker(make_tracker(name, case.rate_hz), case)
        frames = {case.name: len(case.frames) for case in cases}
        frames["combined"], spent["combined"] = sum(frames.values()), sum(spent.values())
        for row in MotResult.of(sequences).table():
            speed = frames[row["sequence"]] / max(spent[row["sequence"]], 1e-9)
            rows.append({"method": name, **row, "frames_per_s": speed})
    return BenchmarkResult("mot", rows, environment(), command_line())
