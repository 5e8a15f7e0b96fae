"""Shoppers of a recording out of what its cameras saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gocv.core import ConfigError, FloorTracks
from gocv.data.detections import DetectionTableWriter, read_detections
from gocv.data.embeddings import read_vectors
from gocv.data.recording import Camera, Recording
from gocv.multicamera import Association, CameraTracks, CameraView, associate, associate_checked, merge_cameras
from gocv.multicamera.likeness import Likeness
from gocv.multicamera.links import entrances
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.estimating import with_estimated
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.poses import add_joints, recorded_poses

PERSON = ("person",)
"""The class of boxes that shoppers are made of."""


def join_cameras(recording: Recording, config: PipelineConfig, folder: RunFolder) -> tuple[FloorTracks, Report]:
    """The shoppers that the cameras of a recording saw, with joints where there are poses; and what was broken.

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
        "entrances": entrances(recording.store.zones),
        "likeness": _likeness(config) if any(view.vector is not None for view in views) else None,
    }
    if settings.check:
        found = associate_checked(views, settings.association, health=settings.health, **how)
    else:
        found = associate(views, settings.association, **how)
    _write_boxes(views, found, folder)
    recorded, notes = recorded_poses(recording)
    poses, broken = with_estimated(recorded, recording, folder)
    return add_joints(views, found, poses) if poses else found.shoppers, [*found.report, *notes, *broken]


def _view(camera: Camera, appearance: bool, folder: RunFolder) -> CameraView:
    seen = read_detections(folder.table(f"tracks-{camera.name}"), PERSON)
    table = folder.table(f"embeddings-{camera.name}")
    known = appearance and table.is_file()
    vector = read_vectors(table, seen.frame.tolist(), seen.first_row) if known else None
    return CameraView(camera.name, camera.calibration, seen, vector)


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
