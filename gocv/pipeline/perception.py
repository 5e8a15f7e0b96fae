"""The stages that look at pictures: detect, track, multicamera."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np

from gocv.core import DataError, Detector, Frame, GocvError
from gocv.data.detections import DetectionTableWriter, read_detections
from gocv.data.floor_tracks import write_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, Recording, frame_times
from gocv.data.video import VideoReader
from gocv.multicamera import CameraTracks, mend, merge_cameras
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.parts import make_part

PERSON = ("person",)
_BATCH = 8


def detect(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `detections-CAMERA.parquet` for each camera that has footage or recorded detections."""
    report: Report = []
    filmed = [c for c in recording.cameras if c.video and not c.detections]
    if filmed and config.detect is None:
        names = ", ".join(c.name for c in filmed)
        problem = "no detector is configured: this footage is not looked at (set detect.model)"
        report.append({"where": f"cameras {names}", "problem": problem})
    detector = make_part("detectors", "detect", config.detect) if filmed and config.detect else None
    for camera in recording.cameras:
        table = folder.table(f"detections-{camera.name}")
        table.unlink(missing_ok=True)
        try:
            if camera.detections:
                _copy_recorded(camera, folder)
            elif camera.video and detector:
                report += _detect_in_video(camera, detector, folder)
        except GocvError as error:
            report.append({"where": f"camera {camera.name}", "problem": f"left out: {error}"})
    return report


def track(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `tracks-CAMERA.parquet` for each camera that has detections."""
    for camera in recording.cameras:
        table = folder.table(f"tracks-{camera.name}")
        table.unlink(missing_ok=True)
        if not folder.table(f"detections-{camera.name}").is_file():
            continue
        found = read_detections(folder.table(f"detections-{camera.name}"), PERSON)
        rate_hz = 1 / float(np.median(np.diff(found.time_s))) if len(found) > 1 else 10.0
        tracker = make_part("trackers", "track", config.track, rate_hz=rate_hz)
        with DetectionTableWriter(table, classes=found.classes, tracks=True) as writer:
            for position in with_progress(range(len(found)), f"track {camera.name}", len(found)):
                detections, time_s = found.detections(position), float(found.time_s[position])
                tracks = tracker.update(detections, time_s=time_s)
                writer.write(int(found.frame[position]), time_s, detections, tracks.track_id)
    return []


def multicamera(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `shoppers.parquet`: the recorded joints where there are any, else the tracks of all cameras joined."""
    report: Report = []
    if recording.joints is not None:
        try:
            if not config.multicamera.mend:
                write_floor_tracks(folder.table("shoppers"), recording.floor_track_chunks())
                return report
            mended = mend(recording.floor_tracks(), recording.store.zones)
            write_floor_tracks(folder.table("shoppers"), mended.tracks)
            return list(mended.report)
        except DataError as error:
            report.append({"where": "joints", "problem": f"left out: {error}"})
    tracked = [c for c in recording.cameras if folder.table(f"tracks-{c.name}").is_file()]
    merged = merge_cameras([_camera_tracks(camera, folder) for camera in tracked], config.multicamera)
    write_floor_tracks(folder.table("shoppers"), merged.shoppers)
    if not merged.shoppers.shoppers:
        report.append(
            {"where": "shoppers", "problem": "nobody was found: what was taken is on a receipt without a name"}
        )
    return [*report, *merged.report]


def footage(camera: Camera) -> VideoReader:
    """The frames of a camera on the recording's clock.

    Raises:
        DataError: The camera has no video, or it cannot be opened, or its timestamps are malformed.
    """
    if camera.video is None:
        raise DataError(f"camera {camera.name} has no video")
    timestamps = frame_times(camera)
    offset_s = camera.time_offset_s if timestamps is None else 0.0
    return VideoReader(camera.video, camera=camera.name, time_offset_s=offset_s, timestamps=timestamps)


def _copy_recorded(camera: Camera, folder: RunFolder) -> None:
    assert camera.detections is not None
    found = read_detections(camera.detections, PERSON)
    with DetectionTableWriter(folder.table(f"detections-{camera.name}"), classes=found.classes) as writer:
        for position in range(len(found)):
            writer.write(int(found.frame[position]), float(found.time_s[position]), found.detections(position))


def _detect_in_video(camera: Camera, detector: Detector, folder: RunFolder) -> Report:
    frames = footage(camera)
    with DetectionTableWriter(folder.table(f"detections-{camera.name}"), classes=detector.classes) as writer:
        for batch in _batches(with_progress(frames, f"detect {camera.name}")):
            for frame, detections in zip(batch, detector.detect(batch), strict=True):
                writer.write(frame.index, frame.time_s, detections)
    return [{"where": f"camera {camera.name}", "problem": note} for note in frames.report.notes]


def _batches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    remaining = iter(frames)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _camera_tracks(camera: Camera, folder: RunFolder) -> CameraTracks:
    table = read_detections(folder.table(f"tracks-{camera.name}"), PERSON)
    time_s = np.repeat(table.time_s, np.diff(table.first_row))
    confirmed = table.track_id > 0
    return CameraTracks(
        camera.name, camera.calibration, time_s[confirmed], table.track_id[confirmed], table.boxes.xyxy[confirmed]
    )
