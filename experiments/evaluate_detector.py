"""How well detectors find people, side by side: `python experiments/evaluate_detector.py --model [NAME=]YAML…`.

AP50 after COCO's protocol (pycocotools) on COCO val2017 and on those people in it that are 100 px tall or more, on
Penn-Fudan, on the second half of PETS09 S2L1 (a camera above a crossing) and on rendered ceiling cameras of test seeds;
and, on the part of the clip of people from above that nothing was learnt from, the share of a judge's boxes that are
found and of boxes that the judge has too. The judge is there to compare by alone.
"""

from __future__ import annotations

import argparse
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread, timed
from gocv.core import Detections, Frame
from gocv.data.coco import read_coco, read_pennfudan, read_yolo
from gocv.data.mot import read_cvml
from gocv.data.pictures import read_picture
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.geometry import iou
from gocv.metrics.detection import Boxes, DetectionScores, evaluate_detections

TALL_PX, LEAST_SCORE = 100.0, 0.01
PETS_FIRST, PETS_STEP = 398, 8
ABOVE_FROM_S, ABOVE_STEP = 15.0, 4
REPEATS = 30
JUDGED, MATCHED = 0.5, 0.5
"""Least score of the judge's boxes, and the overlap that counts as found."""
Load = functools.partial[OnnxDetector]
Scene = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A picture, (n, 4) boxes, (n,) whether to ignore them."""


def of_set(dataset: Any) -> list[Scene]:
    people = dataset.of_classes(["person"])
    boxes = [people.of(row) for row in range(len(people))]
    return [(read_picture(file), b.xyxy, b.ignore) for file, b in zip(people.files, boxes, strict=True)]


def pets09(root: Path) -> list[Scene]:
    truth = read_cvml(root / "annotations" / "PETS2009-S2L1.xml")
    scenes = []
    for frame in VideoReader(root / "S2L1-view001.avi", camera="view001"):
        if frame.index >= PETS_FIRST and frame.index % PETS_STEP == 0:
            xyxy = truth.xyxy[truth.frame == frame.index + 1]
            scenes.append((frame.image, xyxy, np.zeros(len(xyxy), bool)))
    return scenes


def from_above(root: Path, judge: OnnxDetector) -> list[Scene]:
    frames = VideoReader(root / "people-detection.264", camera="above", start_s=ABOVE_FROM_S)
    scenes = []
    for number, frame in enumerate(frames):
        if number % ABOVE_STEP == 0:
            (found,) = judge.detect([frame])
            scenes.append((frame.image, found.xyxy, np.zeros(len(found), bool)))
    return scenes


def found_by(detector: OnnxDetector, scenes: list[Scene]) -> list[Detections]:
    return [detector.detect([Frame(image, "1", 0.0, i)])[0] for i, (image, _, _) in enumerate(scenes)]


def scored(scenes: list[Scene], found: list[Detections]) -> DetectionScores:
    def boxes(xyxy: list[np.ndarray], **columns: Any) -> Boxes:
        every = np.concatenate([np.asarray(x, np.float32).reshape(-1, 4) for x in xyxy])
        return Boxes(np.repeat(np.arange(len(xyxy)), list(map(len, xyxy))), every, np.zeros(len(every)), **columns)

    there = boxes([s[1] for s in scenes], ignore=np.concatenate([s[2] for s in scenes]))
    seen = boxes([one.xyxy for one in found], score=np.concatenate([one.score for one in found]))
    return evaluate_detections(there, seen, images=len(scenes), tall_px=TALL_PX)


def agreement(scenes: list[Scene], found: list[Detections], least: float) -> tuple[float, float]:
    """Share of the boxes that are found, and share of what is found that is right, from a score on."""
    right = wanted = given = 0
    for (_, xyxy, _), one in zip(scenes, found, strict=True):
        kept = one.xyxy[one.score >= least]
        overlap = iou(xyxy, kept) >= MATCHED
        right += int(overlap.any(axis=1).sum()) if len(kept) else 0
        wanted, given = wanted + len(xyxy), given + len(kept)
    return right / max(wanted, 1), right / max(given, 1)


def speeds(load: Load) -> Iterator[tuple[str, float]]:
    """Milliseconds of a frame of 640 x 360, resizing and suppression included: by the clock, and of all cores' work."""
    image = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    # A network in OpenVINO's own form is run by OpenVINO in any case.
    for runtime in ("onnxruntime", "openvino") if not str(load.keywords["weights"]).endswith(".xml") else ("openvino",):
        for threads in (1, 2):
            loaded = load(runtime=runtime, threads=threads)
            one = [Frame(image, "1", 0.0, 0)]
            loaded.detect(one)
            start = time.process_time()
            taken = timed(lambda d=loaded, f=one: d.detect(f), REPEATS)
            worked_ms = 1000 * (time.process_time() - start) / (REPEATS + 1)
            yield from spread(f"{runtime}_{threads}_threads_ms", [1000 * s for s in taken]).items()
            yield f"{runtime}_{threads}_threads_core_ms", worked_ms


def row(name: str, load: Load, sets: dict[str, list[Scene]], timing: bool) -> dict[str, Any]:
    loaded = load(min_score=LEAST_SCORE)
    found = {key: found_by(loaded, scenes) for key, scenes in sets.items()}
    out: dict[str, Any] = {"method": name}
    for key, scenes in sets.items():
        if key == "above":
            out["above_recall"], out["above_precision"] = agreement(scenes, found[key], loaded.config.min_score)
        else:
            scores = scored(scenes, found[key])
            out |= {f"{key}_ap50": scores.ap50, f"{key}_tall_ap50": scores.ap50_tall}
    return {**out, **(dict(speeds(load)) if timing else {})}


def detector(path: str, weights: str | None, **options: Any) -> OnnxDetector:
    if str(weights).endswith(".xml"):
        options["runtime"] = "openvino"
    return OnnxDetector(path, weights=weights, **options)


def described(given: str) -> tuple[str, Load]:
    name, _, rest = given.rpartition("=")
    path, _, weights = rest.partition(":")
    return name or Path(path).stem, functools.partial(detector, path, weights=weights or None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", required=True, help="[NAME=]YAML[:WEIGHTS]; again for another")
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--rendered", type=Path, help="what experiments/detector_frames.py rendered")
    parser.add_argument("--judge", help="a detector, as --model")
    parser.add_argument("--time", action="store_true", help="milliseconds too")
    parser.add_argument("--only", nargs="+", default=["coco", "pennfudan", "pets09", "rendered", "above"])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    readers: dict[str, Callable[[], list[Scene]]] = {
        "coco": lambda: of_set(read_yolo(given.root / "coco_person", "val2017")),
        "pennfudan": lambda: of_set(read_pennfudan(given.root / "pennfudan")),
        "pets09": lambda: pets09(given.root / "pets09"),
        "rendered": lambda: of_set(read_coco(given.rendered, "test")),
        "above": lambda: from_above(given.root / "clips", described(given.judge)[1](min_score=JUDGED)),
    }
    wanted = [n for n in given.only if (n != "rendered" or given.rendered) and (n != "above" or given.judge)]
    sets = {name: readers[name]() for name in wanted}
    rows = []
    for name, load in map(described, given.model):
        rows.append(row(name, load, sets, given.time))
        print({key: round(v, 3) if isinstance(v, float) else v for key, v in rows[-1].items()}, flush=True)
    counts = [f"{n}: {len(s)} pictures, {sum(len(x) for _, x, _ in s)} people" for n, s in sets.items()]
    result = BenchmarkResult("detector", rows, environment(), command_line(), counts)
    if given.json:
        result.write(given.json)


if __name__ == "__main__":
    main()
