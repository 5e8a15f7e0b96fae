"""`gocv bench multicamera`: who is whom across cameras, on the floor and in the pictures.

Where a scene has no recorded detections, its labels are spoilt (`gocv.sim.views`). Found people are scored on the floor
(`gocv.metrics.floor`) where it is known who stood where, and in the pictures of each camera and of all together.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.multicamera_methods import TRUE_IDENTITIES, Method, chosen, true_identities, views_of
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import ConfigError, DataError, nearest
from gocv.data.detections import DetectionTable
from gocv.data.multiview import MultiviewScene, read_multiviewx, read_wildtrack
from gocv.data.progress import with_progress
from gocv.geometry import PinholeCamera
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
from gocv.pipeline import PipelineConfig
from gocv.sim.camera_faults import knock_camera, lose_camera, seen_through, skew_clock
from gocv.sim.views import ViewNoise, noisy_view

FORMATS: Mapping[str, Callable[[Path], MultiviewScene]] = {"wildtrack": read_wildtrack, "multiviewx": read_multiviewx}
"""What a data set may be, and how it is read."""
CLOCK_OFF_S, KNOCKED_DEGREES = 0.3, 5.0
RECORDED = "recorded"
MEDIAN = "median"


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """What a method is given.

    Attributes:
        views: Of each camera, with the calibration that is believed.
        of: What it is: `ids`, `seed`, and `missed`, the share of labelled boxes that no detection comes from.
        person: (n,) who each box really is, by camera; None where nobody knows.
        fault: What is wrong with a camera, or "".
        faulty: The camera that faults happen to, also where there is none yet; "" if there is to be none.
    """

    views: Sequence[CameraView]
    of: Mapping[str, Any]
    person: Mapping[str, np.ndarray] | None = None
    fault: str = ""
    faulty: str = ""


def bench_multicamera(
    root: Path,
    kind: str,
    names: Sequence[str] = (),
    *,
    noise: ViewNoise | None = None,
    ids: Sequence[str] = ("broken", "none"),
    seeds: Sequence[int] = (1, 2, 3),
    faults: bool = False,
    gate_m: float = GATE_M,
    config: PipelineConfig | None = None,
) -> BenchmarkResult:
    """Score methods on one scene.

    Args:
        root: Folder of the data set.
        kind: Its format, one of `FORMATS`.
        names: Of the methods; all where there are none.
        noise: How labels are spoilt where the scene has no recorded detections.
        ids: Whether the cameras' own identities are "broken" or there are "none": each is measured.
        seeds: Of the noise.
        faults: Also measure with one camera lost, one whose clock is off, one knocked.
        gate_m: Distance up to which a found person may be a true one.
        config: The tracker of the baseline, and how it joins tracks.

    Returns:
        A row for each method, fault, kind of ids and seed, one with the medians over seeds, and for each of these one
        for each camera.

    Raises:
        ConfigError: There is no such format or method.
        DataError: The data set cannot be read, or nothing of it is labelled.
    """
    config, noise = config or PipelineConfig(), noise or ViewNoise()
    if kind not in FORMATS:
        raise ConfigError(f"there is no format '{kind}'", key="format", expected=nearest(kind, FORMATS))
    scene, made = FORMATS[kind](root), chosen(names, config)
    if not scene.labels:
        raise DataError("nothing is labelled", file=root, expected="boxes with identities")
    cases = [case for sound in _cases(scene, noise, ids, seeds) for case in _with_faults(scene, sound, faults)]
    rows: list[dict[str, Any]] = []
    for case in with_progress(cases, "associate", len(cases)):
        for name, method in (*made.items(), *_marks(case)):
            rows += [{"method": name, **row} for row in measure(scene, case, method, gate_m)]
    rows = _beside_sound([*rows, *_medians(rows)])
    said = [] if scene.detections else [f"labels spoilt by {noise.model_dump_json(exclude={'ids'})}"]
    said.append(f"gate {gate_m:g} m; {json.dumps(config.track.model_dump())}, {config.multicamera.model_dump_json()}")
    return BenchmarkResult(
        f"multicamera {scene.name}", rows, environment(seeds[0]), command_line(), [*said, *scene.notes]
    )


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
    rest = {name: table for name, table in scene.labels.items() if name != case.faulty}
    scored = rest if case.fault else scene.labels
    scores = score_pictures(scored, case.views, found)
    calibrated = {name: table for name, table in scored.items() if scene.cameras.get(name) is not None}
    pooled = score_pictures(calibrated, case.views, found).pooled if calibrated else scores.pooled
    head = {**case.of, "fault": case.fault, "faulty": case.faulty if case.fault else ""}
    floor = score_floor(scene, found, gate_m)
    yield {
        **head,
        "camera": "all",
        **({} if floor is None else floor.json()),
        "calibrated_idf1": pooled.idf1,
        "pictures_idf1": scores.pooled.idf1,
        "pictures_hota": scores.pooled.hota,
        "pictures_mota": scores.pooled.mota,
        **({"rest_idf1": score_pictures(rest, case.views, found).pooled.idf1} if case.faulty and rest else {}),
        "shoppers": len(found.shoppers.shoppers),
        "compute_s_per_s": spent_s / max(_length_s(case.views), 1e-9),
        "named": bool(case.fault) and any(case.faulty in entry["where"] for entry in found.report),
        "report": "; ".join(f"{entry['where']}: {entry['problem']}" for entry in found.report),
    }
    for name, one in scores.cameras.items():
        shown = {key: getattr(one, key) for key in ("idf1", "idp", "idr", "mota", "hota")}
        yield {**head, "camera": name, **shown, "switches": one.idsw}


def score_floor(scene: MultiviewScene, found: Association, gate_m: float = GATE_M) -> FloorScores | None:
    """Scores on the floor; None where nobody knows who stood where.

    Moments are the times of the labels in all cameras; where the truth has times of its own, those.
    """
    truth, shoppers = scene.truth, found.shoppers
    if not len(truth):
        return None
    looked_at = np.unique(np.concatenate([table.time_s for table in scene.labels.values()]))
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


def _cases(scene: MultiviewScene, noise: ViewNoise, ids: Sequence[str], seeds: Sequence[int]) -> Iterator[Case]:
    if scene.detections:
        yield Case(views_of(scene.detections, scene.cameras), {"ids": "none", "seed": RECORDED})
        return
    labelled = sum(len(table.boxes) for table in scene.labels.values())
    for kind in ids:
        own = ViewNoise(**{**noise.model_dump(), "ids": kind})
        for seed in seeds:
            made = {n: noisy_view(t, n, scene.cameras.get(n), own, seed=seed) for n, t in scene.labels.items()}
            found = sum(int((view.person >= 0).sum()) for view in made.values())
            of = {"ids": kind, "seed": seed, "missed": 1 - found / max(labelled, 1)}
            person = {name: view.person for name, view in made.items()}
            yield Case(views_of({name: view.seen for name, view in made.items()}, scene.cameras), of, person)


def _with_faults(scene: MultiviewScene, sound: Case, faults: bool) -> Iterator[Case]:
    """The case as it is, and with the calibrated camera that sees most lost, late and knocked in turn."""
    able = [view for view in sound.views if view.calibration is not None]
    if not faults or not able:
        yield sound
        return
    best = max(able, key=lambda view: len(view.seen.boxes))
    yield dataclasses.replace(sound, faulty=best.camera)
    camera, seen = best.calibration, best.seen
    assert isinstance(camera, PinholeCamera)
    third_s, half_s = (float(np.quantile(seen.time_s, share)) for share in (1 / 3, 1 / 2))
    seed = sound.of["seed"] if isinstance(sound.of["seed"], int) else 0
    moved = knock_camera(camera, KNOCKED_DEGREES, seed=seed)
    for fault, table in {
        "lost after a third": lose_camera(seen, third_s),
        f"clock {1000 * CLOCK_OFF_S:.0f} ms ahead": skew_clock(seen, CLOCK_OFF_S),
        f"knocked by {KNOCKED_DEGREES:g}° half way": seen_through(seen, camera, moved, from_s=half_s),
    }.items():
        views = [dataclasses.replace(view, seen=table) if view is best else view for view in sound.views]
        yield Case(views, sound.of, None, fault, best.camera)


def _marks(case: Case) -> Iterator[tuple[str, Method]]:
    """What methods are measured against where it is known who each box is."""
    if case.person is not None:
        person = case.person
        yield TRUE_IDENTITIES, lambda views: true_identities(views, person)


def _length_s(views: Sequence[CameraView]) -> float:
    times = np.unique(np.concatenate([view.seen.time_s for view in views]))
    return float(times[-1] - times[0] + np.median(np.diff(times))) if len(times) > 1 else 0.0


_KEYS = ("method", "ids", "fault", "faulty", "camera")
_COMPARED = ("idf1", "rest_idf1")


def _medians(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of each figure over the seeds."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in _KEYS), []).append(row)
    for key, own in groups.items():
        if own[0]["seed"] == RECORDED:
            continue
        figures = [name for name, value in own[0].items() if isinstance(value, (int, float)) and name not in _KEYS]
        middle = {name: float(statistics.median(row[name] for row in own)) for name in figures if name != "seed"}
        yield {**dict(zip(_KEYS, key, strict=True)), "seed": MEDIAN, "seeds": len(own), **middle}


def _beside_sound(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, those of a fault with the scores that there were without it."""

    def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return row["method"], row["ids"], row["seed"], row["camera"]

    sound = {key(row): row for row in rows if not row["fault"]}
    return [
        {**row, **{f"sound_{name}": sound[key(row)][name] for name in _COMPARED if name in row}}
        if row["fault"]
        else row
        for row in rows
    ]


def shown(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What of the rows a person is shown: the medians, and the columns that matter most."""
    columns = ("method", "ids", "fault", "idf1", "mota", "moda", "modp", "hota", "switches_per_shopper_hour")
    columns += ("kept", "calibrated_idf1", "pictures_idf1", "rest_idf1", "sound_rest_idf1", "named", "compute_s_per_s")
    kept = [row for row in rows if row["camera"] == "all" and row["seed"] in (MEDIAN, RECORDED)]
    there = [name for name in columns if any(name in row for row in kept)]
    return [{name: row.get(name) for name in there} for row in kept]
