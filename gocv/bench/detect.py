"""`gocv bench detect`: detectors on data sets with boxes, scored by COCO's rule."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import Detections, Detector, Frame
from gocv.data.coco import DetectionSet, read_detection_set
from gocv.data.config import build, load_yaml
from gocv.data.pictures import read_picture
from gocv.data.progress import with_progress
from gocv.detect.config import DetectorConfig
from gocv.metrics.detection import Boxes, evaluate_detections
from gocv.pipeline.parts import PartSettings, make_part

MIN_SCORE = 0.01
"""Least score of a detection that is asked for: average precision wants the doubtful ones as well."""

_BATCH = 8


def make_detector(
    detector: str,
    weights: Sequence[Path] = (),
    *,
    classes: Sequence[str] = ("person",),
    min_score: float | None = None,
    runtime: str = "onnxruntime",
    threads: int | None = None,
) -> Detector:
    """A detector by what names it on the command line.

    Args:
        detector: A registered name such as "default"; a YAML file that describes a network, as in `configs/detectors`;
            or one with `part` and its settings.
        weights: Folders in which the weights may be that a description names; first its own folder.
        classes: The classes wanted.
        min_score: Least score of a detection; None leaves it to the detector.
        runtime: For detectors that have one; weights in OpenVINO's own form (.xml) are run by OpenVINO in any case.
        threads: That it may use; None leaves it to the detector.

    Raises:
        ConfigError: There is no such detector, or a setting is wrong.
        DataError: A file is missing or not right.
    """
    path = Path(detector)
    if path.suffix not in (".yaml", ".yml"):
        settings = PartSettings(part=detector)
    elif "part" in (values := load_yaml(path)):
        settings = build(PartSettings, values, file=path)
    else:
        named = build(DetectorConfig, values, file=path).weights
        file = next((f for f in (folder / named for folder in (path.parent, *weights)) if f.is_file()), None)
        place = {} if file is None else {"weights": str(file)}
        settings = build(PartSettings, {"part": "onnx", "model": str(path), **place}, file=path)
        runtime = "openvino" if file is not None and file.suffix == ".xml" else runtime
    wanted = {"min_score": min_score, "threads": threads}
    given = {key: value for key, value in wanted.items() if value is not None}
    made: Detector = make_part("detectors", "detector", settings, classes=tuple(classes), runtime=runtime, **given)
    return made


def detect_pictures(detector: Detector, dataset: DetectionSet, what: str) -> tuple[list[Detections], float]:
    """What a detector finds in all pictures of a data set.

    Returns:
        Detections of each picture, and the seconds that the detector took, the first batch and decoding left out.

    Raises:
        DataError: A picture cannot be decoded.
    """
    found: list[Detections] = []
    spent: list[float] = []
    for first in with_progress(range(0, len(dataset), _BATCH), what):
        files = dataset.files[first : first + _BATCH]
        frames = [Frame(read_picture(file), "", float(i), i) for i, file in enumerate(files, first)]
        start = time.perf_counter()
        found += detector.detect(frames)
        spent.append(time.perf_counter() - start)
    return found, sum(spent[1:]) * len(dataset) / max(1, len(dataset) - _BATCH)


def score_detections(dataset: DetectionSet, found: Sequence[Detections], classes: Sequence[str]) -> dict[str, Any]:
    """Figures of `gocv.metrics.detection.DetectionScores`; None where nothing was to be found.

    Args:
        dataset: Whose classes are those scored.
        found: For each of its pictures.
        classes: The detector's, which `Detections.label` indexes; those that the data set lacks do not count.
    """
    number = np.array([dataset.classes.index(c) if c in dataset.classes else -1 for c in classes], np.int64)
    rows = Detections.concatenate([Detections.empty(), *found])
    image = np.repeat(np.arange(len(found)), [len(one) for one in found])
    label = number[rows.label]
    kept = label >= 0
    truth = dataset.boxes
    scores = evaluate_detections(
        Boxes(truth.image, truth.xyxy, truth.label, ignore=truth.ignore, area_px2=truth.area_px2),
        Boxes(image[kept], rows.xyxy[kept], label[kept], rows.score[kept]),
        images=len(dataset),
    )
    figures = dataclasses.asdict(scores)
    return {name: None if math.isnan(value) else value for name, value in figures.items()}


def bench_detect(
    sets: Sequence[tuple[str, Path, str]],
    detectors: Sequence[str],
    *,
    classes: Sequence[str] = ("person",),
    weights: Sequence[Path] = (),
    runtime: str = "onnxruntime",
) -> BenchmarkResult:
    """Score detectors side by side.

    Args:
        sets: Format, folder and part of each data set, as for `gocv.data.coco.read_detection_set`.
        detectors: As for `make_detector`.
        classes: The classes scored; figures are means over them.
        weights: As for `make_detector`.
        runtime: As for `make_detector`.

    Returns:
        Rows with `method`, `dataset`, the figures of `gocv.metrics.detection.DetectionScores`, `ms_per_image` and the
        `licence` of the weights where it is known. Notes tell what was odd in the data.

    Raises:
        ConfigError: As `make_detector` and `read_detection_set`.
        DataError: As `make_detector` and `read_detection_set`, a data set lacks a class, or a picture is broken.
    """
    datasets = [read_detection_set(kind, root, split).of_classes(classes) for kind, root, split in sets]
    rows = []
    for name in detectors:
        detector = make_detector(name, weights, classes=classes, min_score=MIN_SCORE, runtime=runtime)
        for dataset in datasets:
            method = Path(name).stem
            found, seconds = detect_pictures(detector, dataset, f"{method}: {dataset.name}")
            figures = score_detections(dataset, found, detector.classes)
            config = getattr(detector, "config", None)
            about = {"ms_per_image": 1000 * seconds / len(dataset), "licence": getattr(config, "licence", None)}
            rows.append({"method": method, "dataset": dataset.name, **figures, **about})
    notes = [f"{dataset.name}: {note}" for dataset in datasets for note in dataset.notes]
    return BenchmarkResult("detect", rows, environment(), command_line(), notes)
