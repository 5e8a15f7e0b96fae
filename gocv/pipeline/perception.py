"""The stages that look at pictures: detect, track, multicamera."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import numpy as np

from gocv.core import DataError, Detector, Embeddings, Encoder, Frame, GocvError, PoseEstimator
from gocv.data.detections import DetectionTable, DetectionTableWriter, read_detections
from gocv.data.embeddings import EmbeddingTableWriter, read_embeddings
from gocv.data.floor_tracks import write_floor_tracks
from gocv.data.poses import PoseTableWriter
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, Recording, frame_times
from gocv.data.video import VideoReader
from gocv.multicamera import mend
from gocv.pipeline.appearance import (
    encode_boxes,
    encode_recorded,
    looks_at_appearance,
    make_encoder,
    needs_appearance,
    update_tracker,
)
from gocv.pipeline.config import DetectorSettings, PipelineConfig
from gocv.pipeline.detecting import make_detector, paced
from gocv.pipeline.estimating import estimate_recorded, make_pose_estimator, write_estimated
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.joining import PERSON, join_cameras
from gocv.pipeline.parts import make_part

_BATCH = 8


def detect(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `detections-CAMERA.parquet` for each camera that has footage or recorded detections.

    With a tracker that needs appearance also `embeddings-CAMERA.parquet`, for each of those that have footage; with an
    estimator of poses `poses-CAMERA.parquet`, for each of those that have footage and no recorded poses.
    """
    report: Report = []
    filmed = [c for c in recording.cameras if c.video and not c.detections]
    if filmed and config.detect is None:
        names = ", ".join(c.name for c in filmed)
        problem = "no detector is configured: this footage is not looked at (set detect.part=default, or another)"
        report.append({"where": f"cameras {names}", "problem": problem})
    detector = make_detector(config.detect) if filmed and config.detect else None
    appearance = needs_appearance(config)
    seen = any(c.video and (c.detections or detector) for c in recording.cameras)
    encoder = make_encoder(config) if appearance and seen else None
    estimator = make_pose_estimator(recording, config)
    for kind in ("embeddings", "poses"):
        for left_by_an_earlier_run in folder.path.glob(f"{kind}-*.parquet"):
            left_by_an_earlier_run.unlink()
    for camera in recording.cameras:
        folder.table(f"detections-{camera.name}").unlink(missing_ok=True)
        posing = estimator if camera.poses is None else None
        try:
            if camera.detections:
                found = _copy_recorded(camera, folder)
                report += _encode_recorded(camera, found, encoder, folder) if appearance else []
                report += _estimate_recorded(camera, found, posing, folder) if posing and camera.video else []
            elif camera.video and detector:
                assert config.detect is not None
                report += _detect_in_video(camera, detector, config.detect, encoder, posing, folder)
        except GocvError as error:
            report.append({"where": f"camera {camera.name}", "problem": f"left out: {error}"})
    return report


def track(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `tracks-CAMERA.parquet` for each camera that has detections and, where the tracker needs it, appearance."""
    report: Report = []
    for camera in recording.cameras:
        folder.table(f"tracks-{camera.name}").unlink(missing_ok=True)
        if not folder.table(f"detections-{camera.name}").is_file():
            continue
        try:
            _track_camera(camera.name, config, folder)
        except DataError as error:
            report.append({"where": f"camera {camera.name}", "problem": f"left out: {error}"})
    return report


def multicamera(recording: Recording, config: PipelineConfig, folder: RunFolder) -> Report:
    """Write `shoppers.parquet`: the recorded joints where there are any, else who the cameras saw.

    In the latter case also `shoppers-CAMERA.parquet`: each camera's boxes, `track_id` being the shopper's number.
    """
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
    shoppers, notes = join_cameras(recording, config, folder)
    write_floor_tracks(folder.table("shoppers"), shoppers)
    if not shoppers.shoppers:
        report.append(
            {"where": "shoppers", "problem": "nobody was found: what was taken is on a receipt without a name"}
        )
    return [*report, *notes]


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


def _copy_recorded(camera: Camera, folder: RunFolder) -> DetectionTable:
    assert camera.detections is not None
    found = read_detections(camera.detections, PERSON)
    with DetectionTableWriter(folder.table(f"detections-{camera.name}"), classes=found.classes) as writer:
        for position in range(len(found)):
            writer.write(int(found.frame[position]), float(found.time_s[position]), found.detections(position))
    return found


def _encode_recorded(camera: Camera, found: DetectionTable, encoder: Encoder | None, folder: RunFolder) -> Report:
    """Make the appearance of recorded boxes from the footage; where that fails they are kept without."""
    where = f"camera {camera.name}"
    try:
        if encoder is None or camera.video is None:
            raise DataError("there is no footage to take it from")
        frames = footage(camera)
        with EmbeddingTableWriter(folder.table(f"embeddings-{camera.name}")) as writer:
            seen = with_progress(frames, f"encode {camera.name}")
            notes = encode_recorded(encoder, found, seen, writer)
    except GocvError as error:
        return [{"where": where, "problem": f"its recorded boxes have no appearance: {error}"}]
    return [{"where": where, "problem": note} for note in [*frames.report.notes, *notes]]


def _estimate_recorded(camera: Camera, found: DetectionTable, estimator: PoseEstimator, folder: RunFolder) -> Report:
    """Find the poses of recorded boxes in the footage; where that fails they are kept without."""
    where = f"camera {camera.name}"
    try:
        frames = footage(camera)
        with PoseTableWriter(folder.table(f"poses-{camera.name}"), estimator.keypoints) as writer:
            notes = estimate_recorded(estimator, found, with_progress(frames, f"poses {camera.name}"), writer)
    except GocvError as error:
        return [{"where": where, "problem": f"its recorded boxes have no poses: {error}"}]
    return [{"where": where, "problem": note} for note in notes]


def _detect_in_video(
    camera: Camera,
    detector: Detector,
    settings: DetectorSettings,
    encoder: Encoder | None,
    estimator: PoseEstimator | None,
    folder: RunFolder,
) -> Report:
    frames = footage(camera)
    shown = paced(with_progress(frames, f"detect {camera.name}"), settings, camera.name)
    person = detector.classes.index(PERSON[0]) if PERSON[0] in detector.classes else -1
    with ExitStack() as tables:
        place = folder.table(f"detections-{camera.name}")
        boxes = tables.enter_context(DetectionTableWriter(place, classes=detector.classes))
        place = folder.table(f"embeddings-{camera.name}")
        looks = None if encoder is None else tables.enter_context(EmbeddingTableWriter(place))
        posed = None
        if estimator is not None:
            place = folder.table(f"poses-{camera.name}")
            posed = tables.enter_context(PoseTableWriter(place, estimator.keypoints))
        for batch in _batches(shown):
            found = detector.detect(batch)
            people = [detections[detections.label == person] for detections in found]
            for frame, detections, those in zip(batch, found, people, strict=True):
                boxes.write(frame.index, frame.time_s, detections)
                if encoder is not None and looks is not None:
                    looks.write(frame.index, encode_boxes(encoder, frame, those))
            if estimator is not None and posed is not None:
                write_estimated(posed, estimator, batch, people)
    return [{"where": f"camera {camera.name}", "problem": note} for note in frames.report.notes]


def _track_camera(camera: str, config: PipelineConfig, folder: RunFolder) -> None:
    found = read_detections(folder.table(f"detections-{camera}"), PERSON)
    rate_hz = 1 / float(np.median(np.diff(found.time_s))) if len(found) > 1 else 10.0
    tracker = make_part("trackers", "track", config.track, rate_hz=rate_hz)
    looks = _appearance(camera, found, folder) if looks_at_appearance(tracker) else itertools.repeat(None)
    with DetectionTableWriter(folder.table(f"tracks-{camera}"), classes=found.classes, tracks=True) as writer:
        steps = with_progress(zip(looks, range(len(found)), strict=False), f"track {camera}", len(found))
        for embeddings, position in steps:
            detections, time_s = found.detections(position), float(found.time_s[position])
            tracks = update_tracker(tracker, detections, time_s, embeddings)
            writer.write(int(found.frame[position]), time_s, detections, tracks.track_id)


def _appearance(camera: str, found: DetectionTable, folder: RunFolder) -> Iterator[Embeddings]:
    table = folder.table(f"embeddings-{camera}")
    if not table.is_file():
        expected = "footage, and the stage 'detect' done again, or a tracker that needs boxes alone"
        raise DataError("the tracker needs appearance, and there is none", key="track.part", expected=expected)
    return read_embeddings(table, found.frame.tolist())


def _batches(frames: Iterable[Frame]) -> Iterator[list[Frame]]:
    remaining = iter(frames)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch
