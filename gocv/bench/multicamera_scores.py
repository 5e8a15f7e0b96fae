"""One method in one case: scores on the floor, in the pictures, and what it took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gocv.bench.multicamera_cases import Case
from gocv.bench.multicamera_methods import Method
from gocv.data.detections import DetectionTable
from gocv.data.multiview import MultiviewScene
from gocv.metrics.floor import (
    GATE_M,
    CameraBoxes,
    CameraScores,
    FloorScores,
    FloorSequence,
    count_floor,
    score_cameras,
)
from gocv.multicamera.views import Association, CameraView


def measure(scene: MultiviewScene, case: Case, method: Method, gate_m: float = GATE_M) -> Iterator[dict[str, Any]]:
    """Rows of one method in one case: all cameras together (`camera` is "all"), then each.

    Where one is faulty, its own boxes are not scored: what they should be is not known where it was knocked, and the
    question is what becomes of the rest. `rest_idf1` is that of the rest also where nothing is wrong yet.

    Args:
        scene: With the truth.
        case: What the method is given.
        method: It.
        gate_m: Distance up to which a found person may be a true one.
    """
    start = time.perf_counter()
    found = method(case.views)
    spent_s = time.perf_counter() - start
    scored = {name: table for name, table in scene.labels.items() if not case.fault or name != case.faulty}
    pictures = score_pictures(scored, case.views, found) if scored else None
    floor = score_floor(scene, found, gate_m)
    head = {**case.of, "fault": case.fault, "faulty": case.faulty if case.fault else ""}
    yield {
        **head,
        "camera": "all",
        **({} if floor is None else floor.json()),
        **({} if pictures is None else _pooled(scene, case, found, pictures)),
        "shoppers": len(found.shoppers.shoppers),
        "compute_s_per_s": spent_s / max(_length_s(case.views), 1e-9),
        "named": bool(case.fault) and any(case.faulty in entry["where"] for entry in found.report),
        "report": "; ".join(f"{entry['where']}: {entry['problem']}" for entry in found.report),
    }
    for name, one in ({} if pictures is None else pictures.cameras).items():
        shown = {key: getattr(one, key) for key in ("idf1", "idp", "idr", "mota", "hota")}
        yield {**head, "camera": name, **shown, "switches": one.idsw}


def _pooled(scene: MultiviewScene, case: Case, found: Association, pictures: CameraScores) -> dict[str, float]:
    """Scores of all pictures together, of those of calibrated cameras, and of these but for the one with faults."""
    of_all = pictures.pooled
    calibrated = [name for name in pictures.cameras if scene.cameras.get(name) is not None]
    rest = [name for name in calibrated if case.faulty and name != case.faulty]
    parts = {"calibrated_idf1": calibrated, "rest_idf1": rest}
    labels = {part: {name: scene.labels[name] for name in own} for part, own in parts.items() if own}
    return {
        "pictures_idf1": of_all.idf1,
        "pictures_hota": of_all.hota,
        "pictures_mota": of_all.mota,
        **{part: score_pictures(own, case.views, found).pooled.idf1 for part, own in labels.items()},
    }


def score_floor(scene: MultiviewScene, found: Association, gate_m: float = GATE_M) -> FloorScores | None:
    """Scores on the floor; None where nobody knows who stood where.

    Moments are the times of the labels in all cameras; where the truth has times of its own, those.
    """
    truth, shoppers = scene.truth, found.shoppers
    if not len(truth):
        return None
    looked_at = np.unique(np.concatenate([np.empty(0), *(table.time_s for table in scene.labels.values())]))
    moments = looked_at if np.isin(truth.time_s, looked_at).all() else np.unique(truth.time_s)
    both = (truth.time_s, truth.person, truth.xy_m, shoppers.time_s, shoppers.shopper, shoppers.xy_m)
    sequence = FloorSequence.of(*both, gate_m=gate_m, moment_s=moments, area_m=scene.area_m)
    return FloorScores.of(count_floor(sequence))


def score_pictures(
    labels: Mapping[str, DetectionTable], views: Sequence[CameraView], found: Association
) -> CameraScores:
    """Scores in the pictures, of the frames that are labelled; a frame is known by its number."""
    truth = {name: _boxes(table, table.track_id, table.frame) for name, table in labels.items()}
    seen = {view.camera: view.seen for view in views if view.camera in labels and view.camera in found.who}
    own = {name: _boxes(table, found.who[name], labels[name].frame) for name, table in seen.items()}
    return score_cameras(truth, own)


def _boxes(table: DetectionTable, identity: np.ndarray, frames: np.ndarray) -> CameraBoxes:
    frame = np.repeat(table.frame, np.diff(table.first_row))
    kept = (identity >= 0) & np.isin(frame, frames)
    return CameraBoxes(frame[kept], identity[kept], table.boxes.xyxy[kept].astype(np.float64))


def _length_s(views: Sequence[CameraView]) -> float:
    times = np.unique(np.concatenate([view.seen.time_s for view in views]))
    return float(times[-1] - times[0] + np.median(np.diff(times))) if len(times) > 1 else 0.0
