"""`gocv bench interaction`: classifiers of what hands did at shelves, and detections in MERL Shopping."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ConfigError, DataError
from gocv.data.merl import MERL_ACTIONS, MerlVideo, merl_split, read_merl
from gocv.data.tables import read_csv
from gocv.interact.clips import CHANNELS, blind
from gocv.interact.features import FEATURES
from gocv.interact.hand_network import HandNetwork
from gocv.interact.labelled import LabelledClips, read_clips
from gocv.interact.model import SHIPPED_NETWORK, SHIPPED_TREES, ClipClassifier
from gocv.interact.trees import read_forest
from gocv.metrics.calibration import calibration_error
from gocv.metrics.classes import confusion, f1_of_classes, macro_f1
from gocv.metrics.segments import (
    Segments,
    average_precision,
    count_segments,
    edit_score,
    frame_accuracy,
    mean_average_precision,
    segments_of,
    sum_segments,
)

OVERLAPS = (0.1, 0.25, 0.5)
"""k of F1@k."""


def make_classifier(model: str) -> ClipClassifier:
    """A classifier by what names it: "network" or "trees" that come with gocv, an `.onnx` or a `.safetensors` file.

    Raises:
        ConfigError: It is none of these.
        DataError: The file is missing or not right.
    """
    path = {"network": SHIPPED_NETWORK, "trees": SHIPPED_TREES}.get(model, Path(model))
    if path.suffix == ".onnx":
        return HandNetwork(path)
    if path.suffix == ".safetensors":
        return read_forest(path)
    raise ConfigError(
        f"'{model}' is no classifier", key="model", expected="network, trees, an .onnx or .safetensors file"
    )


def bench_interaction(files: Sequence[Path], models: Sequence[str]) -> BenchmarkResult:
    """Score classifiers on labelled clips, with what hands looked like and without.

    Args:
        files: As `gocv.interact.labelled.write_clips` writes them; clips without any row stand for acts of which there
            is no episode, and count as taken for "none".
        models: As for `make_classifier`.

    Returns:
        Rows with `method`, `clips` (the file), `looks`, `visits`, `episodes`, `macro_f1`, `accuracy`, F1 of each class
        as `f1_take` …, the expected calibration error `ece` of the class that is thought likeliest, and `confusion`,
        a list for each true class.

    Raises:
        ConfigError: There is no such classifier.
        DataError: A file is not right, or the classifier is for other clips.
    """
    rows = []
    for file in files:
        clips = read_clips(file)
        for model in models:
            classifier = make_classifier(model)
            if (classifier.classes, classifier.numbers) != (clips.classes, clips.numbers):
                raise DataError(f"'{model}' is for clips of another kind", file=file)
            ours = (clips.channels, clips.numbers) == (CHANNELS, FEATURES)
            for looks in (True, False) if ours else (True,):
                scored = clips if looks else unseen(clips)
                figures = score_clips(scored, classifier.probabilities(scored))
                about = {"method": Path(model).stem, "clips": file.stem, "looks": looks}
                rows.append({**about, "visits": len(np.unique(clips.visit)), **figures})
    return BenchmarkResult("interaction", rows, environment(), command_line())


def unseen(clips: LabelledClips) -> LabelledClips:
    """The same, if nobody had looked at the hands."""
    frames, features = blind(clips.frames, clips.features)
    return dataclasses.replace(clips, frames=frames, features=features)


def score_clips(clips: LabelledClips, probabilities: NDArray[np.float64]) -> dict[str, Any]:
    """Figures of one classifier: see `bench_interaction`.

    Args:
        clips: n of them, of known classes.
        probabilities: (n, C) of each class.
    """
    true, count = clips.target.argmax(axis=1), len(clips.classes)
    seen = clips.inside.any(axis=1)
    nothing = clips.classes.index("none") if "none" in clips.classes else count - 1
    found = np.where(seen, probabilities.argmax(axis=1), nothing)
    table = confusion(true, found, count)
    right, sure = (found == true)[seen], probabilities.max(axis=1)[seen]
    return {
        "episodes": len(clips),
        "missed": int((~seen).sum()),
        "macro_f1": _figure(macro_f1(table)),
        "accuracy": _figure(float((found == true).mean())),
        **{f"f1_{name}": _figure(f1) for name, f1 in zip(clips.classes, f1_of_classes(table), strict=True)},
        "ece": _figure(calibration_error(sure, right).error),
        "confusion": table.tolist(),
    }


def bench_merl(root: Path, predictions: Path | None, part: str = "test") -> BenchmarkResult:
    """Score detections in MERL Shopping by the rules of Lea et al. 2017 and Singh et al. 2016.

    Args:
        root: Folder of the labels.
        predictions: CSV with `video` ("27_1"), `action` (its name), `first` and `last` frame (from 1, inclusive, as in
            the labels) and `score`; the labels themselves where None.
        part: "train", "val" or "test".

    Returns:
        A row of the whole part, scored as one long video as was published, with `f1_10`, `f1_25`, `f1_50`, `edit`,
        `accuracy` of frames up to the last action, `map_midpoint` and `map_iou_50`; then one for each action. Where
        predictions of different actions overlap, segments are those of the frames, of which each has the surest one.

    Raises:
        ConfigError: There is no such part.
        DataError: A file is not right.
    """
    if part not in ("train", "val", "test"):
        raise ConfigError(f"there is no part '{part}'", key="part", expected="train, val or test")
    videos = merl_split(read_merl(root), part)
    found = _labels(videos) if predictions is None else read_predictions(predictions, videos)
    name = "labels" if predictions is None else predictions.stem
    labelled = _labels(videos)
    lengths = [int(max([*v.stop, *f.end, 0])) for v, f in zip(videos, found, strict=True)]
    true_frames = [v.frames(n) for v, n in zip(videos, lengths, strict=True)]
    found_frames = true_frames if predictions is None else [painted(f, n) for f, n in zip(found, lengths, strict=True)]
    true, runs = ([segments_of(f, background=-1) for f in all_of] for all_of in (true_frames, found_frames))
    both = [frame_accuracy(t, f) for t, f in zip(true_frames, found_frames, strict=True)]
    whole = {
        "method": name,
        "action": "all",
        "videos": len(videos),
        "segments": sum(map(len, labelled)),
        **_f1(true, runs),
        "edit": _figure(edit_score(joined(true), joined(runs))),
        "accuracy": _figure(sum(right for right, _ in both) / max(sum(n for _, n in both), 1)),
        "map_midpoint": _figure(mean_average_precision(labelled, found)),
        "map_iou_50": _figure(mean_average_precision(labelled, found, criterion="iou")),
    }
    rows = [whole]
    for label, action in enumerate(MERL_ACTIONS):
        of = [[s[s.label == label] for s in all_of] for all_of in (true, runs)]
        rows.append(
            {
                "method": name,
                "action": action,
                "videos": len(videos),
                "segments": sum(int((v.label == label).sum()) for v in videos),
                **_f1(*of),
                "map_midpoint": _figure(average_precision(labelled, found, label)),
                "map_iou_50": _figure(average_precision(labelled, found, label, criterion="iou")),
            }
        )
    return BenchmarkResult(f"interaction, MERL Shopping {part}", rows, environment(), command_line())


def read_predictions(path: Path, videos: Sequence[MerlVideo]) -> list[Segments]:
    """Predictions of `bench_merl`, for each of `videos` in their order; others are left out.

    Raises:
        DataError: The file is not right; the row is named.
    """
    rows: defaultdict[str, list[tuple[int, int, int, float]]] = defaultdict(list)
    for row in read_csv(path, ("video", "action", "first", "last", "score")):
        action = row.text("action").lower()
        if action not in MERL_ACTIONS:
            raise row.error(f"'{action}' is no action", "action", ", ".join(MERL_ACTIONS))
        first, last = row.integer("first", least=1), row.integer("last", least=1)
        if last < first:
            raise row.error("ends before it begins", "last", "a frame from `first` on")
        rows[row.text("video")].append((MERL_ACTIONS.index(action), first - 1, last, row.finite("score")))
    return [Segments(*np.array(rows[v.name], np.float64).reshape(-1, 4).T) for v in videos]


def painted(segments: Segments, frames: int) -> NDArray[np.int64]:
    """(frames,) class of each frame, -1 for none: the surest of the segments that cover it."""
    labels = np.full(frames, -1)
    for row in np.argsort(segments.score, kind="stable"):
        labels[int(segments.start[row]) : int(segments.end[row])] = segments.label[row]
    return labels


def joined(videos: Sequence[Segments]) -> Segments:
    """Segments of videos one after the other, as if they were one."""
    starts = np.cumsum([0.0, *(float(v.end.max(initial=0.0)) + 1.0 for v in videos)])
    moved = [Segments.of(v.label, v.start + at, v.end + at, v.score) for v, at in zip(videos, starts[:-1], strict=True)]
    return Segments.concatenate(moved or [Segments.empty()])


def _figure(value: float) -> float | None:
    """As it is stated; None where there is none."""
    return None if np.isnan(value) else round(float(value), 4)


def _labels(videos: Sequence[MerlVideo]) -> list[Segments]:
    return [Segments.of(v.label, v.first, v.stop) for v in videos]


def _f1(true: Sequence[Segments], found: Sequence[Segments]) -> dict[str, float | None]:
    counts = {
        k: sum_segments(count_segments(t, f, overlap=k) for t, f in zip(true, found, strict=True)) for k in OVERLAPS
    }
    return {f"f1_{round(100 * k)}": _figure(count.f1) for k, count in counts.items()}
