"""A scene of many cameras in one file: numpy's archive of plain arrays, without pickles."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Detections
from gocv.data.detections import DetectionTable
from gocv.data.files import written_whole
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.geometry import PinholeCamera

Arrays = dict[str, NDArray[Any]]

_TABLES = ("labels", "detections")


def write_scene(path: str | Path, scene: MultiviewScene) -> None:
    """Write a scene as .npz, whole or not at all; `read_scene` gives the same back."""
    tables = {kind: getattr(scene, kind) for kind in _TABLES}
    head: dict[str, Any] = {
        "name": scene.name,
        "notes": list(scene.notes),
        "cameras": {name: camera is not None for name, camera in scene.cameras.items()},
        **{kind: {name: list(found.classes) for name, found in tables[kind].items()} for kind in _TABLES},
    }
    arrays: Arrays = {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}
    for row, camera in enumerate(scene.cameras.values()):
        if camera is not None:
            arrays |= {
                f"cameras/{row}/size_px": np.array([camera.width_px, camera.height_px]),
                f"cameras/{row}/matrix": camera.matrix,
                f"cameras/{row}/distortion": camera.distortion,
                f"cameras/{row}/camera_T_world": camera.camera_T_world,
            }
    for kind in _TABLES:
        for row, found in enumerate(tables[kind].values()):
            arrays |= {f"{kind}/{row}/{name}": array for name, array in _columns(found).items()}
    truth = scene.truth
    arrays |= {"truth/time_s": truth.time_s, "truth/person": truth.person, "truth/xy_m": truth.xy_m}
    if scene.area_m is not None:
        arrays["area_m"] = scene.area_m
    with written_whole(Path(path)) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_scene(path: str | Path) -> MultiviewScene:
    """Read what `write_scene` wrote.

    Raises:
        DataError: The file is missing, or is not one of those.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(arrays["head"].tobytes().decode())
        cameras = {
            name: _camera(arrays, i) if known else None for i, (name, known) in enumerate(head["cameras"].items())
        }
        labels, detections = (_tables(arrays, kind, head[kind]) for kind in _TABLES)
        truth = FloorTruth(arrays["truth/time_s"], arrays["truth/person"], arrays["truth/xy_m"])
        area_m, notes = arrays.get("area_m"), tuple(head["notes"])
        return MultiviewScene(head["name"], cameras, labels, detections, truth, area_m, notes)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, EOFError) as error:
        raise DataError(f"is no scene: {error}", file=path, expected="what write_scene wrote") from error


def _columns(found: DetectionTable) -> Arrays:
    return {
        "frame": found.frame,
        "time_s": found.time_s,
        "first_row": found.first_row,
        "xyxy": found.boxes.xyxy,
        "score": found.boxes.score,
        "label": found.boxes.label,
        "track_id": found.track_id,
    }


def _tables(arrays: Arrays, kind: str, classes: Mapping[str, list[str]]) -> dict[str, DetectionTable]:
    tables = {}
    for row, (name, known) in enumerate(classes.items()):
        part = {key: arrays[f"{kind}/{row}/{key}"] for key in ("frame", "time_s", "first_row", "track_id")}
        boxes = Detections(*(arrays[f"{kind}/{row}/{key}"] for key in ("xyxy", "score", "label")))
        tables[name] = DetectionTable(tuple(known), boxes=boxes, **part)
    return tables


def _camera(arrays: Arrays, row: int) -> PinholeCamera:
    size, *rest = (arrays[f"cameras/{row}/{key}"] for key in ("size_px", "matrix", "distortion", "camera_T_world"))
    return PinholeCamera(int(size[0]), int(size[1]), *rest)
