"""What happens to cameras: one is lost, its clock is off, somebody knocks against it."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera, clip_to_image, rodrigues

_SMALLEST_PX = 4.0
"""Narrower or lower boxes are not found."""


def lose_camera(table: DetectionTable, from_s: float, until_s: float = np.inf) -> DetectionTable:
    """The table without the frames of [from_s, until_s): nobody looked, which is not the same as nobody there.

    Args:
        table: Of the camera.
        from_s: When it is lost, seconds on the recording's clock.
        until_s: When it is back.
    """
    return _of_frames(table, (table.time_s < from_s) | (table.time_s >= until_s))


def skew_clock(table: DetectionTable, offset_s: float) -> DetectionTable:
    """The table as a clock that is `offset_s` ahead stamps it; behind where that is negative."""
    return dataclasses.replace(table, time_s=table.time_s + offset_s)


def knock_camera(
    camera: PinholeCamera, degrees: float, *, axis: ArrayLike | None = None, seed: int = 0
) -> PinholeCamera:
    """The camera turned about its own centre: what really sees, while everybody believes in the one handed over.

    Args:
        camera: As it was calibrated.
        degrees: By how much it is turned.
        axis: (3,) about which, in the camera's frame (x right, y down, z forwards), of any length above 0; drawn at
            random where None.
        seed: Of that draw.
    """
    drawn = np.random.default_rng(seed).normal(size=3) if axis is None else np.asarray(axis, np.float64)
    turn = np.eye(4)
    turn[:3, :3] = rodrigues(np.deg2rad(degrees) * drawn / np.linalg.norm(drawn))
    return dataclasses.replace(camera, camera_T_world=turn @ camera.camera_T_world)


def seen_through(
    table: DetectionTable, camera: PinholeCamera, moved: PinholeCamera, *, from_s: float = -np.inf
) -> DetectionTable:
    """What the camera sees from a moment on when it is turned: for a pure rotation the picture alone says it.

    A ray that met a pixel meets the one that `moved` projects it to (for lenses without distortion the homography
    K R K⁻¹: Hartley and Zisserman, Multiple View Geometry, 2nd ed., section 8.4.2). A box becomes the one around where
    the middles of its four edges go. What leaves the picture is gone; who would come into it was never detected, and
    is missing.

    Args:
        table: Boxes as the camera saw them before.
        camera: As it was.
        moved: As it is from then on, at the same place.
        from_s: When, seconds on the recording's clock.
    """
    time_s = np.repeat(table.time_s, np.diff(table.first_row))
    later = np.flatnonzero(time_s >= from_s)
    left, top, right, bottom = table.boxes.xyxy[later].astype(np.float64).T
    x, y = (left + right) / 2, (top + bottom) / 2
    middles = np.stack([np.stack(pair, axis=1) for pair in ((left, y), (right, y), (x, top), (x, bottom))], axis=1)
    origin, direction = camera.rays(middles)
    pixels, _ = moved.project(origin + direction)
    boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
    boxes = np.asarray(clip_to_image(boxes, moved.width_px, moved.height_px), np.float64)
    with np.errstate(invalid="ignore"):
        remains = (boxes[:, 2:] - boxes[:, :2] >= _SMALLEST_PX).all(axis=1)
    xyxy, kept = table.boxes.xyxy.copy(), np.ones(len(time_s), np.bool_)
    xyxy[later] = np.where(remains[:, None], boxes, 0.0)
    kept[later] = remains
    return _of_boxes(dataclasses.replace(table, boxes=dataclasses.replace(table.boxes, xyxy=xyxy)), kept)


def _of_frames(table: DetectionTable, frames: NDArray[np.bool_]) -> DetectionTable:
    count = np.diff(table.first_row)
    rows = np.repeat(frames, count)
    return DetectionTable(
        table.classes,
        table.frame[frames],
        table.time_s[frames],
        np.concatenate([[0], np.cumsum(count[frames])]).astype(np.int64),
        table.boxes[rows],
        table.track_id[rows],
    )


def _of_boxes(table: DetectionTable, kept: NDArray[np.bool_]) -> DetectionTable:
    first_row = np.concatenate([[0], np.cumsum(kept)])[table.first_row]
    return dataclasses.replace(table, first_row=first_row, boxes=table.boxes[kept], track_id=table.track_id[kept])
