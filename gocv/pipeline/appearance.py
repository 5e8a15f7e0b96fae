"""Appearance for the trackers that look at it: vectors made where the pictures are, handed over with the boxes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gocv.core import DataError, Detections, Embeddings, Encoder, Frame, Tracker, Tracks
from gocv.data.detections import DetectionTable
from gocv.data.embeddings import EmbeddingTableWriter
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.parts import make_part

_APART_S = 0.1
"""How far apart the times of a recorded frame and of its picture may be before that is said."""


def looks_at_appearance(tracker: Tracker) -> bool:
    """Whether the tracker must be given embeddings."""
    return "embeddings" in tracker.needs


def needs_appearance(config: PipelineConfig) -> bool:
    """Whether something that comes after detection looks at appearance: the tracker, or who joins the cameras."""
    joined = config.multicamera.appearance and config.multicamera.method != "distance"
    return joined or looks_at_appearance(make_part("trackers", "track", config.track))


def make_encoder(config: PipelineConfig) -> Encoder:
    """The encoder of the settings.

    Raises:
        ConfigError: There is no such encoder, or a setting is wrong.
        DataError: Its weights are missing or do not fit.
    """
    encoder: Encoder = make_part("encoders", "encode", config.encode)
    return encoder


def encode_boxes(encoder: Encoder, frame: Frame, detections: Detections) -> Embeddings:
    """A vector for each box that is finite and has an area: no tracker looks at the others.

    Raises:
        DataError: The encoder gave other than a vector for each.
    """
    xyxy = detections.xyxy
    real = np.flatnonzero(np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
    if not len(real):
        return Embeddings.empty()
    found = encoder.encode(frame, detections[real])
    if sorted(found.row.tolist()) != list(range(len(real))):
        raise DataError(f"an encoder gave {len(found)} vectors for {len(real)} boxes", key="encode")
    return Embeddings(found.vector, real[found.row])


def update_tracker(tracker: Tracker, detections: Detections, time_s: float, embeddings: Embeddings | None) -> Tracks:
    """Update a tracker; boxes that lack the vector it needs take no part and have no identity.

    Args:
        tracker: The tracker.
        detections: Of one frame.
        time_s: Of the frame.
        embeddings: Of those boxes that have one; None where the tracker needs none.

    Returns:
        A row for every row of `detections`, in order.

    Raises:
        DataError: As the tracker's `update`, or a vector belongs to no box.
    """
    if embeddings is None:
        return tracker.update(detections, time_s=time_s)
    if len(embeddings) and not 0 <= embeddings.row.min() <= embeddings.row.max() < len(detections):
        raise DataError(f"a vector belongs to none of {len(detections)} boxes", key="row")
    known = np.unique(embeddings.row)
    if len(known) == len(detections):
        return tracker.update(detections, time_s=time_s, embeddings=embeddings)
    own = Embeddings(embeddings.vector, np.searchsorted(known, embeddings.row))
    found = tracker.update(detections[known], time_s=time_s, embeddings=own)
    xyxy, track_id = np.array(detections.xyxy), np.full(len(detections), -1)
    xyxy[known], track_id[known] = found.xyxy, found.track_id
    return Tracks(xyxy, detections.score, track_id, np.arange(len(detections)))


def encode_recorded(
    encoder: Encoder, found: DetectionTable, frames: Iterable[Frame], writer: EmbeddingTableWriter
) -> list[str]:
    """Write the appearance of recorded boxes, cut from the footage's frames of the same position.

    Args:
        encoder: Makes the vectors.
        found: The boxes.
        frames: The footage.
        writer: Of the table.

    Returns:
        What is wrong: boxes whose frame the footage lacks, times that do not agree.

    Raises:
        DataError: The recorded frames do not ascend, or as `encode_boxes`.
    """
    if (np.diff(found.frame) <= 0).any():
        row = int(np.argmax(np.diff(found.frame) <= 0)) + 1
        raise DataError(f"frame {found.frame[row]} follows frame {found.frame[row - 1]}", key="frame")
    unseen, apart_s = {frame: i for i, frame in enumerate(found.frame.tolist())}, 0.0
    for frame in frames:
        at = unseen.pop(frame.index, None)
        if at is None:
            continue
        apart_s = max(apart_s, abs(frame.time_s - float(found.time_s[at])))
        writer.write(frame.index, encode_boxes(encoder, frame, found.detections(at)))
    boxes = sum(len(found.detections(at)) for at in unseen.values())
    notes = []
    if boxes:
        notes.append(f"{boxes} recorded boxes lie in frames that the footage lacks: they have no appearance")
    if apart_s > _APART_S:
        notes.append(f"recorded boxes and the footage's frames of the same number lie up to {apart_s:.2f} s apart")
    return notes
