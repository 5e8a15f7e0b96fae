"""What simulated cameras see, as the tables of a recording: detections, their poses, and who really is in each frame.

The table of truth is `gocv.sim.render.visit`'s without what only a picture tells: hands, what they hold, and which
keypoints are seen.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gocv.data.detections import DetectionTableWriter
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter
from gocv.data.poses import COCO17, PoseTable, PoseTableWriter
from gocv.data.recording import Camera
from gocv.sim.body import body
from gocv.sim.detector import BoxNoise
from gocv.sim.multiview import look
from gocv.sim.poses import PoseNoise
from gocv.sim.scene import Scene
from gocv.sim.sightings import Sightings, people_of

_BOX = ("left_px", "top_px", "right_px", "bottom_px")
_ROWS_A_GROUP = 5_000
_SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("time_s", pa.float64(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("staff", pa.bool_()),
        *(pa.field(name, pa.float32()) for name in _BOX),
        *(pa.field(f"visible_{name}", pa.float32()) for name in _BOX),
        pa.field("visible_fraction", pa.float32()),
        pa.field("keypoints_m", pa.list_(pa.float32(), 3 * len(COCO17))),
    ]
)

Keypoints = Mapping[tuple[int, int], tuple[str, NDArray[np.float32]]]


def write_views(
    scene: Scene,
    noise: BoxNoise,
    folder: Path,
    *,
    seed: int,
    rate_hz: float,
    dark: Mapping[str, Sequence[tuple[float, float]]],
    poses: PoseNoise | None = None,
) -> dict[str, Camera]:
    """Let all cameras look at a visit, and write what detectors find and who really is in each frame.

    Args:
        scene: The visit.
        noise: How the detector errs.
        folder: Where to.
        seed: Of the errors.
        rate_hz: Frames a second.
        dark: By camera, from when until when it is dead, and nothing is found; the truth goes on.
        poses: How estimators of poses err, if there are any.

    Returns:
        The cameras with their files.
    """
    views = look(scene, noise, seed=seed, rate_hz=rate_hz, poses=poses)
    time_s = next(iter(views.scene.labels.values())).time_s if views.scene.labels else np.zeros(0)
    inside, cameras = _inside(scene, time_s), {}
    for name, calibration in scene.layout.cameras.items():
        table = views.scene.detections[name]
        detections, truth = folder / f"{name}-detections.parquet", folder / f"{name}-truth.parquet"
        dead = np.zeros(len(table), np.bool_)
        for start, end in dark.get(name, ()):
            dead |= (table.time_s >= start) & (table.time_s < end)
        with DetectionTableWriter(detections, classes=table.classes) as writer:
            for position, time_s in enumerate(table.time_s.tolist()):
                found = table.detections(position)
                writer.write(int(table.frame[position]), time_s, found[:0] if dead[position] else found)
        with written_whole(truth) as partial:
            truths = BatchWriter(partial, _SCHEMA, _ROWS_A_GROUP)
            try:
                truths.write(_batch(views.sightings[name], table.time_s, inside, scene.staff))
            finally:
                truths.close({"gocv.camera": name, "gocv.keypoints": json.dumps(COCO17)})
        camera = Camera(name, calibration=calibration, detections=detections, truth=truth)
        if name in views.poses:
            camera = dataclasses.replace(camera, poses=folder / f"{name}-poses.parquet")
            _write_poses(folder / f"{name}-poses.parquet", views.poses[name], dead)
        cameras[name] = camera
    return cameras


def _write_poses(file: Path, table: PoseTable, dead: NDArray[np.bool_]) -> None:
    with PoseTableWriter(file, table.keypoints) as writer:
        for position, time_s in enumerate(table.time_s.tolist()):
            first, end = table.first_row[position : position + 2].tolist()
            rows = slice(first, first if dead[position] else end)
            writer.write(int(table.frame[position]), time_s, table.poses[rows], table.box[rows])


def _inside(scene: Scene, time_s: NDArray[np.float64]) -> Keypoints:
    """By frame and number of the person: the name that they go by in this visit, and (51,) their keypoints."""
    numbers = people_of(scene)
    found: dict[tuple[int, int], tuple[str, NDArray[np.float32]]] = {}
    for motion in scene.motions:
        there = np.flatnonzero((time_s >= motion.start_s) & (time_s <= motion.end_s))
        points = body(motion, time_s[there]).keypoints_m.reshape(len(there), -1).astype(np.float32)
        person = numbers[motion.person]
        found |= {(frame, person): (motion.name, own) for frame, own in zip(there.tolist(), points, strict=True)}
    return found


def _batch(seen: Sightings, time_s: NDArray[np.float64], inside: Keypoints, staff: frozenset[str]) -> pa.RecordBatch:
    people = [inside[key] for key in zip(seen.frame.tolist(), seen.person.tolist(), strict=True)]
    empty = np.setdiff1d(np.arange(len(time_s)), seen.frame)
    frame = np.concatenate([seen.frame, empty])
    order = np.argsort(frame, kind="stable")
    nobody = np.arange(len(frame)) >= len(seen)
    filler = [None] * len(empty)
    columns = {
        "frame": frame,
        "time_s": time_s[frame],
        "name": [*(name for name, _ in people), *filler],
        "staff": [*(name in staff for name, _ in people), *filler],
        "visible_fraction": _padded(seen.visible_fraction, nobody),
        "keypoints_m": [*(points for _, points in people), *filler],
    }
    for k, name in enumerate(_BOX):
        columns[name] = _padded(seen.xyxy[:, k], nobody)
        columns[f"visible_{name}"] = _padded(seen.visible_xyxy[:, k], nobody)
    arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA).take(pa.array(order))


def _padded(values: NDArray[np.float64], nobody: NDArray[np.bool_]) -> pa.Array:
    """A column that is null where nobody is, and where there is no number."""
    padded = np.full(len(nobody), np.nan, np.float32)
    padded[~nobody] = values
    return pa.array(padded, mask=np.isnan(padded))
