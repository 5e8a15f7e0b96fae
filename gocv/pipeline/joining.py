"""Shoppers of a recording out of what its cameras saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, FloorTracks
from gocv.data.detections import DetectionTableWriter, read_detections
from gocv.data.embeddings import read_embeddings
from gocv.data.recording import Camera, Recording
from gocv.multicamera import Association, CameraTracks, CameraView, associate, associate_checked, merge_cameras
from gocv.multicamera.follow import Likeness
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.poses import add_joints, recorded_poses

PERSON = ("person",)
_ENTRANCE = "entrance"


def join_cameras(recording: Recording, config: PipelineConfig, folder: RunFolder) -> tuple[FloorTracks, Report]:
    """The shoppers that the cameras of a recording saw, with joints where poses were recorded; and what was broken.

    Writes each camera's boxes with the numbers of their shoppers: `shoppers-CAMERA.parquet`.

    Raises:
        ConfigError: Appearance is to be looked at, and nothing says what a likeness means.
        DataError: A table of the run is broken.
    """
    settings = config.multicamera
    tracked = [camera for camera in recording.cameras if folder.table(f"tracks-{camera.name}").is_file()]
    views = [_view(camera, settings.appearance, folder) for camera in tracked]
    for view in views:
        folder.table(f"shoppers-{view.camera}").unlink(missing_ok=True)
    seeing = any(view.calibration is not None and len(view.seen.boxes) for view in views)
    if settings.method == "distance" or not seeing:
        merged = merge_cameras([_tracks(view) for view in views], settings.merge)
        return merged.shoppers, list(merged.report)
    how: dict[str, Any] = {
        "method": settings.method,
        "entrances": [zone for zone in recording.store.zones if zone.name == _ENTRANCE],
        "likeness": _likeness(config) if any(view.vector is not None for view in views) else None,
    }
    if settings.check:
        found = associate_checked(views, settings.association, health=settings.health, **how)
    else:
        found = associate(views, settings.association, **how)
    _write_boxes(views, found, folder)
    poses, notes = recorded_poses(recording)
    return add_joints(views, found, poses) if poses else found.shoppers, [*found.report, *notes]


def _view(camera: Camera, appearance: bool, folder: RunFolder) -> CameraView:
    seen = read_detections(folder.table(f"tracks-{camera.name}"), PERSON)
    table = folder.table(f"embeddings-{camera.name}")
    vector = _vectors(seen.first_row, seen.frame.tolist(), table) if appearance and table.is_file() else None
    return CameraView(camera.name, camera.calibration, seen, vector)


def _vectors(first_row: NDArray[np.int64], frames: Sequence[int], table: Path) -> NDArray[np.float32] | None:
    """(n, D) a vector for each box, NaN for those that have none."""
    vectors: NDArray[np.float32] | None = None
    for first, part in zip(first_row[:-1].tolist(), read_embeddings(table, frames), strict=True):
        if len(part) and vectors is None:
            vectors = np.full((int(first_row[-1]), part.vector.shape[1]), np.nan, np.float32)
        if len(part) and vectors is not None:
            vectors[first + part.row] = part.vector
    return vectors


def _likeness(config: PipelineConfig) -> Likeness:
    from gocv.reid.same_person import SamePerson  # loads what encoders need, which not every run does

    file = config.multicamera.same_person
    if file is not None:
        return SamePerson.load(file).log_likelihood_ratio
    if config.encode != PipelineConfig().encode:
        expected = "a file of SamePerson.save for this encoder, or encode.part=default"
        raise ConfigError("nothing says what a likeness means", key="multicamera.same_person", expected=expected)
    return SamePerson.shipped().log_likelihood_ratio


def _tracks(view: CameraView) -> CameraTracks:
    seen = view.seen
    time_s = np.repeat(seen.time_s, np.diff(seen.first_row))
    own = seen.track_id > 0
    return CameraTracks(view.camera, view.calibration, time_s[own], seen.track_id[own], seen.boxes.xyxy[own])


def _write_boxes(views: Sequence[CameraView], found: Association, folder: RunFolder) -> None:
    for view in views:
        seen, who = view.seen, found.who[view.camera]
        number = np.where(who >= 0, who + 1, -1)
        with DetectionTableWriter(folder.table(f"shoppers-{view.camera}"), classes=seen.classes, tracks=True) as writer:
            for at, (frame, time_s) in enumerate(zip(seen.frame.tolist(), seen.time_s.tolist(), strict=True)):
                rows = slice(int(seen.first_row[at]), int(seen.first_row[at + 1]))
                writer.write(frame, time_s, seen.detections(at), number[rows])
