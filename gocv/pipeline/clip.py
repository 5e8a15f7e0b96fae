"""One clip, tracked: boxes and ids as text and table, and drawn."""

from __future__ import annotations

import dataclasses
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, Detections, Frame, Tracker
from gocv.data.detections import DetectionTableWriter
from gocv.data.mot import ImageFolder, MotRows, as_detections, read_mot, write_mot
from gocv.data.progress import with_progress
from gocv.data.video import VideoReader, write_video
from gocv.pipeline.appearance import encode_boxes, looks_at_appearance, make_encoder, update_tracker
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.detecting import make_detector, paced
from gocv.pipeline.joining import PERSON
from gocv.pipeline.parts import make_part
from gocv.viz import annotate, shopper_colours

_TRAIL_FRAMES = 20
_NO_RATE_HZ = 25.0


@dataclasses.dataclass(frozen=True, slots=True)
class ClipTracks:
    """What became of a clip.

    Attributes:
        frames: How many were looked at.
        tracks: How many got an id.
        files: What was written.
        notes: What was broken and passed over.
    """

    frames: int
    tracks: int
    files: Sequence[Path]
    notes: Sequence[str]


def track_clip(
    source: Path, output: Path, config: PipelineConfig, *, detections: Path | None = None, draw: bool = True
) -> ClipTracks:
    """Track a video, or a folder of pictures, into `output`: `tracks.txt`, `tracks.parquet` and `tracks.mp4`.

    Args:
        source: The video, or the folder.
        output: Folder to write to; what it has under these names is replaced.
        config: Names the detector, the tracker and, for a tracker that needs appearance, the encoder, whose vectors
            are not kept.
        detections: A text file of MOTChallenge in place of a detector.
        draw: Whether to draw the video: boxes, ids and trails, heads blurred.

    Raises:
        DataError: The clip, the detections or the weights of a network cannot be read.
        ConfigError: No detector is named and no detections are given, or a part's settings are wrong.
    """
    if detections is None and config.detect is None:
        raise ConfigError("names no detector", key="detect.model", expected="a detector's YAML, or --detections FILE")
    frames = _open(source)
    rate_hz = frames.rate_hz or _NO_RATE_HZ
    tracker: Tracker = make_part("trackers", "track", config.track, rate_hz=rate_hz)
    encoder = make_encoder(config) if looks_at_appearance(tracker) else None
    numbers, found_tracks = [], []
    table = output / "tracks.parquet"
    with DetectionTableWriter(table, classes=PERSON, tracks=True) as writer:
        for frame, found in with_progress(_detected(frames, config, detections), f"track {source.name}"):
            embeddings = None if encoder is None else encode_boxes(encoder, frame, found)
            tracks = update_tracker(tracker, found, frame.time_s, embeddings)
            people = Detections(tracks.xyxy, found.score, np.zeros(len(found), np.int64))
            writer.write(frame.index, frame.time_s, people, tracks.track_id)
            known = tracks[tracks.track_id > 0]
            numbers.append(np.full(len(known), frame.index + 1))
            found_tracks.append(known)
    kept = MotRows(
        frame=np.concatenate([np.empty(0, np.int64), *numbers]),
        track_id=np.concatenate([np.empty(0, np.int64), *(one.track_id for one in found_tracks)]),
        xyxy=np.concatenate([np.empty((0, 4)), *(one.xyxy for one in found_tracks)]),
        score=np.concatenate([np.empty(0), *(one.score for one in found_tracks)]),
        label=np.concatenate([np.empty(0, np.int64), *(np.ones(len(one), np.int64) for one in found_tracks)]),
        visibility=np.concatenate([np.empty(0), *(np.ones(len(one)) for one in found_tracks)]),
    )
    write_mot(output / "tracks.txt", kept)
    files = [output / "tracks.txt", table]
    if draw:
        write_video(output / "tracks.mp4", with_progress(_drawn(_open(source), kept), "draw"), rate_hz)
        files.append(output / "tracks.mp4")
    return ClipTracks(len(numbers), len(np.unique(kept.track_id)), files, _notes(frames))


def _open(source: Path) -> VideoReader | ImageFolder:
    if source.is_dir():
        return ImageFolder(source, camera=source.name, rate_hz=_NO_RATE_HZ)
    return VideoReader(source, camera=source.stem)


def _notes(frames: VideoReader | ImageFolder) -> list[str]:
    if isinstance(frames, VideoReader):
        return list(frames.report.notes)
    return [f"{file.name} is left out: {reason}" for file, reason in frames.broken.items()]


def _detected(
    frames: VideoReader | ImageFolder, config: PipelineConfig, detections: Path | None
) -> Iterator[tuple[Frame, Detections]]:
    if detections is not None:
        given = read_mot(detections)
        found = as_detections(given, int(given.frame.max(initial=0)))
        for frame in frames:
            yield frame, found[frame.index] if frame.index < len(found) else Detections.empty()
        return
    assert config.detect is not None
    detector = make_detector(config.detect)
    person = detector.classes.index(PERSON[0]) if PERSON[0] in detector.classes else 0
    for frame in paced(frames, config.detect, ""):
        (everything,) = detector.detect([frame])
        yield frame, everything[everything.label == person]


def _drawn(frames: VideoReader | ImageFolder, rows: MotRows) -> Iterator[NDArray[np.uint8]]:
    trails: Mapping[int, deque[NDArray[np.float64]]] = defaultdict(lambda: deque(maxlen=_TRAIL_FRAMES))
    colours = shopper_colours(str(track) for track in np.unique(rows.track_id))
    for frame in frames:
        here = rows[rows.frame == frame.index + 1]
        for track, box in zip(here.track_id.tolist(), here.xyxy, strict=True):
            trails[track].append(np.array([(box[0] + box[2]) / 2, box[3]]))
        names = [str(track) for track in here.track_id.tolist()]
        yield annotate(
            frame.image,
            here.xyxy,
            names,
            [colours[name] for name in names],
            trails=[np.array(trails[track]) for track in here.track_id.tolist()],
            blur=here.xyxy,
        )
