"""`gocv bench multicamera`: who is whom across cameras, on the floor and in the pictures.

Where a scene has no recorded detections, its labels are spoilt (`gocv.sim.views`). Found people are scored on the floor
(`gocv.metrics.floor`) where it is known who stood where, and in the pictures of each camera and of all together.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gocv.bench.multicamera_cases import RECORDED, Case, sound_cases, with_faults
from gocv.bench.multicamera_methods import TRUE_IDENTITIES, Method, chosen, true_identities
from gocv.bench.multicamera_scores import measure
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import DataError
from gocv.data.multiview import MultiviewScene, read_multiview
from gocv.data.progress import with_progress
from gocv.metrics.floor import GATE_M
from gocv.pipeline import PipelineConfig
from gocv.sim.views import ViewNoise

MEDIAN = "median"


def bench_multicamera(
    root: Path, kind: str, names: Sequence[str] = (), *, config: PipelineConfig | None = None, **settings: Any
) -> BenchmarkResult:
    """Score methods on one data set.

    Args:
        root: Its folder.
        kind: Its format, one of `MULTIVIEW_KINDS`.
        names: Of the methods; all where there are none.
        config: The tracker of the baseline, and how it joins tracks.
        **settings: Those of `bench_scene`.

    Raises:
        ConfigError: There is no such method.
        DataError: There is no such format, the data set cannot be read, or nothing of it is labelled.
    """
    config = config or PipelineConfig()
    made, scene = chosen(names, config), read_multiview(root, kind)
    try:
        result = bench_scene(scene, made, **settings)
    except DataError as error:
        raise error.within(file=root) from error
    said = f"floor distance: {json.dumps(config.track.model_dump())}, {config.multicamera.model_dump_json()}"
    return dataclasses.replace(result, notes=[*result.notes, said])


def bench_scene(
    scene: MultiviewScene,
    made: Mapping[str, Method],
    *,
    noises: Sequence[ViewNoise] = (ViewNoise(), ViewNoise(ids="none")),
    seeds: Sequence[int] = (1, 2, 3),
    faults: bool = False,
    gate_m: float = GATE_M,
) -> BenchmarkResult:
    """Score methods on one scene.

    Args:
        scene: With labels or with detections.
        made: The methods by name.
        noises: Ways in which labels are spoilt where the scene has no recorded detections, of different `ids`.
        seeds: Of the noise.
        faults: Also measure with one camera lost, one whose clock is off, one knocked.
        gate_m: Distance up to which a found person may be a true one.

    Returns:
        A row for each method, fault, kind of ids and seed, and one with the medians over seeds; for each of the latter,
        or where detections are recorded, also one for each camera.

    Raises:
        DataError: Nothing is labelled.
    """
    if not scene.labels and not (len(scene.truth) and scene.detections):
        raise DataError("nothing is labelled", expected="people's boxes, or detections and who stood where")
    cases = [case for sound in sound_cases(scene, noises, seeds) for case in with_faults(sound, faults)]
    rows: list[dict[str, Any]] = []
    for case in with_progress(cases, "associate", len(cases)):
        for name, method in (*made.items(), *_marks(case)):
            rows += [{"method": name, **row} for row in measure(scene, case, method, gate_m)]
    rows = [row for row in [*rows, *_medians(rows)] if row["camera"] == "all" or row["seed"] in (MEDIAN, RECORDED)]
    said = [] if scene.detections else [f"labels spoilt: {noise.model_dump_json()}" for noise in noises]
    notes = [f"gate {gate_m:g} m", *said, *scene.notes]
    return BenchmarkResult(
        f"multicamera {scene.name}", _beside_sound(rows), environment(seeds[0]), command_line(), notes
    )


def _marks(case: Case) -> Iterator[tuple[str, Method]]:
    """What methods are measured against where it is known who each box is."""
    if case.person is not None:
        person = case.person
        yield TRUE_IDENTITIES, lambda views: true_identities(views, person)


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
