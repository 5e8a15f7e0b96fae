"""People who walk about a floor and the boxes that a detector and a tracker make of them, without a shop around it.

What is needed where only walking counts: cameras calibrated from people, identities carried from camera to camera.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Detections
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera
from gocv.sim.body import Body, body
from gocv.sim.gait import ROW_S, curve_between, walked
from gocv.sim.routes import Floor
from gocv.sim.shoppers import Motion, Route

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_SPEED_M_S, _SPEED_SD_M_S = 1.1, 0.2
_STAND_S, _LONGEST_S = 2.0, 10.0
_SHORTEST_M = 1.5
_RADII = np.array([0.03] * 5 + [0.07] * 2 + [0.05] * 2 + [0.04] * 2 + [0.13] * 2 + [0.07] * 2 + [0.05] * 2)
_HEAD_M, _TRUNK_M, _HAND_M, _TOE_M = 0.10, 0.13, 0.05, 0.03
_SHOWN = 0.25
_FEWEST_PX = 16.0


@dataclasses.dataclass(frozen=True, slots=True)
class BoxFaults:
    """How a detector and a tracker err.

    Attributes:
        jitter_share: Standard deviation of each edge, as a share of the box's height.
        jitter_lasts_s: After so long the error of an edge has mostly become another one.
        missed: Share of boxes that are not found.
        hidden_feet: Share of the time in which something stands before somebody's feet.
        hidden_s: How long that lasts.
        lost_s: A track that is not seen for so long comes back with another number.
    """

    jitter_share: float = 0.03
    jitter_lasts_s: float = 0.2
    missed: float = 0.10
    hidden_feet: float = 0.03
    hidden_s: float = 1.5
    lost_s: float = 1.0


def stroll(floor: Floor, name: str, height_m: float, seconds: float, rng: np.random.Generator) -> Motion:
    """Somebody who walks from one free place to another, stands there for a while, and goes on.

    Args:
        floor: Where there is room.
        name: Of the person.
        height_m: From the floor to the top of the head.
        seconds: How long, from time 0.
        rng: Where they go.

    Raises:
        DataError: There is no free place.
    """
    here = _place(floor, rng, None)
    angle = rng.uniform(0, 2 * np.pi)
    route = Route(0, here, np.array([np.cos(angle), np.sin(angle)]))
    speed = max(0.5, rng.normal(_SPEED_M_S, _SPEED_SD_M_S))
    while route.row * ROW_S < seconds:
        here = route.here_m
        curve = curve_between(floor, here, _place(floor, rng, here), np.zeros((2, 2)))
        route.walk(walked(curve, speed))
        angle = rng.uniform(0, 2 * np.pi)
        stand_s = min(rng.exponential(_STAND_S), _LONGEST_S)
        route.stand(route.row + round(stand_s / ROW_S), np.array([np.cos(angle), np.sin(angle)]))
    return route.finish(name, height_m, ())


def boxes_seen(
    camera: PinholeCamera,
    people: Sequence[Motion],
    time_s: Array,
    faults: BoxFaults,
    rng: np.random.Generator,
    moved: tuple[float, PinholeCamera] | None = None,
) -> tuple[DetectionTable, Int64]:
    """What a detector and a tracker find of people in the frames of a camera.

    Args:
        camera: The camera.
        people: Who walks about.
        time_s: (F,) float64, of the frames, ascending.
        faults: How they err.
        rng: Of the errors.
        moved: From when on the camera is another one: somebody knocked it.

    Returns:
        The boxes, cut off at the picture's edges, with the camera's own track numbers.
        (n,) int64, whose each box is: index into `people`.
    """
    edges = np.stack([_outlines(camera, moved, body(m, time_s), time_s) for m in people], axis=1)
    frames, count = edges.shape[:2]
    size = np.array([camera.width_px - 1, camera.height_px - 1] * 2, np.float64)
    with np.errstate(invalid="ignore"):
        cut = np.clip(edges, 0.0, size)
        shown = _area(cut) >= _SHOWN * _area(edges)
    period_s = float(np.median(np.diff(time_s))) if frames > 1 else 1.0
    tall = edges[..., 3] - edges[..., 1]
    feet = _episodes(rng, frames, count, faults.hidden_feet, faults.hidden_s / period_s)
    edges[..., 3] -= np.where(feet, rng.uniform(0.15, 0.4, count), 0.0) * tall
    noise = _noise(rng, edges.shape, float(np.exp(-period_s / faults.jitter_lasts_s)))
    edges = np.clip(edges + faults.jitter_share * tall[..., None] * noise, 0.0, size)
    found = shown & (rng.random((frames, count)) >= faults.missed)
    with np.errstate(invalid="ignore"):
        found &= (edges[..., 3] - edges[..., 1] >= _FEWEST_PX) & (edges[..., 2] > edges[..., 0])
    track = _track_numbers(found, time_s, faults.lost_s)
    frame, person = np.nonzero(found)
    score = np.full(len(frame), 0.9, np.float32)
    table = DetectionTable(
        classes=("person",),
        frame=np.arange(frames),
        time_s=np.asarray(time_s, np.float64),
        first_row=np.concatenate([[0], np.cumsum(found.sum(axis=1))]),
        boxes=Detections(edges[found].astype(np.float32), score, np.zeros(len(frame), np.int64)),
        track_id=track[found],
    )
    return table, person


def _place(floor: Floor, rng: np.random.Generator, here: Array | None) -> Array:
    for _ in range(1000):
        place = rng.uniform(floor.low_m, floor.high_m)
        far = here is None or np.linalg.norm(place - here) >= min(_SHORTEST_M, np.ptp([floor.low_m, floor.high_m]) / 4)
        if far and floor.free(place[None], 0.1)[0]:
            return np.asarray(place)
    raise DataError("nobody can walk about here", key="floor", expected="free places")


def _outlines(
    camera: PinholeCamera, moved: tuple[float, PinholeCamera] | None, figure: Body, time_s: Array
) -> NDArray[np.float64]:
    """(F, 4) boxes around a body; NaN where a part of it is behind the camera."""
    if moved is not None:
        before, after = (_outlines(c, None, figure, time_s) for c in (camera, moved[1]))
        return np.where((time_s < moved[0])[:, None], before, after)
    trunk = (figure.neck_m + figure.keypoints_m[:, 11:13].mean(axis=1)) / 2
    top = figure.head_m.copy()
    top[:, 2] = np.maximum(top[:, 2], figure.height_m - _HEAD_M)
    parts = [figure.keypoints_m, top[:, None], trunk[:, None], figure.hands_m, figure.toes_m]
    points = np.concatenate(parts, axis=1)
    radii = np.concatenate([_RADII, [_HEAD_M, _TRUNK_M], [_HAND_M] * 2, [_TOE_M] * 2])
    pixels, depth = camera.project(points)
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = (camera.matrix[1, 1] * radii / np.where(depth > 0.3, depth, np.nan))[..., None]
    return np.concatenate([(pixels - reach).min(axis=1), (pixels + reach).max(axis=1)], axis=1)


def _area(edges: Array) -> Array:
    return np.asarray((edges[..., 2] - edges[..., 0]) * (edges[..., 3] - edges[..., 1]))


def _noise(rng: np.random.Generator, shape: tuple[int, ...], kept: float) -> Array:
    """Normal, and so is what stays of it from frame to frame."""
    fresh = rng.normal(size=shape)
    for row in range(1, len(fresh)):
        fresh[row] = kept * fresh[row - 1] + np.sqrt(1 - kept**2) * fresh[row]
    return fresh


def _episodes(rng: np.random.Generator, frames: int, count: int, share: float, length: float) -> NDArray[np.bool_]:
    begins = rng.random((frames, count)) < share / max(length, 1.0)
    seen = np.cumsum(begins, axis=0)
    before = np.concatenate([np.zeros((max(1, round(length)), count), seen.dtype), seen])[:frames]
    return np.asarray(seen > before)


def _track_numbers(found: NDArray[np.bool_], time_s: Array, lost_s: float) -> Int64:
    """(F, P) a number for each person that changes whenever they were not found for long."""
    numbers = np.full(found.shape, -1, np.int64)
    last, own, following = np.full(found.shape[1], -np.inf), np.full(found.shape[1], -1, np.int64), 1
    for row, now in enumerate(found):
        for person in np.flatnonzero(now):
            if time_s[row] - last[person] > lost_s:
                own[person], following = following, following + 1
            last[person] = time_s[row]
        numbers[row, now] = own[now]
    return numbers
