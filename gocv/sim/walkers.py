"""A bare floor with people who walk about and cameras around it: for speed and for tests, not for scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.data.detections import DetectionTable
from gocv.data.multiview import FloorTruth, MultiviewScene
from gocv.data.multiview.tables import table_of_people
from gocv.geometry import PinholeCamera, area, clip_to_image

Array = NDArray[np.float64]

FLOOR_M = (20.0, 15.0)
PICTURE_PX, FOCAL_PX, CAMERA_HEIGHT_M = (1280, 720), 800.0, 3.5
_HEIGHT_M, _RADIUS_M = 1.7, 0.25
_LEAST_VISIBLE = 0.3
"""Share of a box that has to lie in the picture for somebody to be labelled there."""


def walking_scene(
    people: int,
    cameras: int,
    *,
    seconds: float,
    rate_hz: float = 10.0,
    floor_m: tuple[float, float] = FLOOR_M,
    seed: int,
) -> MultiviewScene:
    """People on a floor without shelves, labelled in every picture.

    They walk from one place drawn at random to the next, each at a pace of their own near 1 m/s, through one another if
    it comes to that. Cameras hang around the floor at even steps and look to its middle. Boxes are those of cylinders.

    Args:
        people: How many.
        cameras: How many.
        seconds: How long.
        rate_hz: Frames a second, at the same times in all cameras.
        floor_m: Length and width of the floor, which begins at (0, 0).
        seed: Of where people go.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    xy_m = np.stack([_walk(time_s, np.asarray(floor_m), rng) for _ in range(people)], axis=1).reshape(-1, 2)
    person = np.tile(np.arange(people), len(time_s))
    position = np.repeat(np.arange(len(time_s)), people)
    around = {f"camera-{k + 1}": _camera(k / cameras, np.asarray(floor_m)) for k in range(cameras)}
    labels = {name: _labels(camera, time_s, position, person, xy_m) for name, camera in around.items()}
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]) * floor_m
    truth = FloorTruth(time_s[position], person, xy_m)
    return MultiviewScene(f"{people} walkers, {cameras} cameras", around, labels, {}, truth, corners)


def _walk(time_s: Array, floor_m: Array, rng: np.random.Generator) -> Array:
    """(n, 2) where one person is at each time."""
    pace_m_s = rng.uniform(0.6, 1.4)
    length_m = pace_m_s * (time_s[-1] if len(time_s) else 0.0)
    places = rng.uniform(0.3, floor_m - 0.3, (2, 2))
    while np.linalg.norm(np.diff(places, axis=0), axis=1).sum() <= length_m:
        places = np.concatenate([places, rng.uniform(0.3, floor_m - 0.3, (1, 2))])
    walked_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    return np.stack([np.interp(pace_m_s * time_s, walked_m, places[:, axis]) for axis in (0, 1)], axis=1)


def _camera(share: float, floor_m: Array) -> PinholeCamera:
    """The camera that hangs where `share` of the way around the floor is behind one."""
    angle, middle = 2 * np.pi * share, floor_m / 2
    place = middle * (1 + np.clip(np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)]), -1, 1))
    width, height = PICTURE_PX
    position, target = [*place, CAMERA_HEIGHT_M], [*(middle + 0.1 * (middle - place)), 0.0]
    return PinholeCamera.look_at(position, target, width_px=width, height_px=height, focal_px=FOCAL_PX)


def _labels(
    camera: PinholeCamera, time_s: Array, position: NDArray[np.int64], person: NDArray[np.int64], xy_m: Array
) -> DetectionTable:
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = xy_m[:, None] + _RADIUS_M * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    levels = [np.concatenate([ring, np.full((*ring.shape[:2], 1), z)], axis=2) for z in (0.0, _HEIGHT_M)]
    pixels, _ = camera.project(np.concatenate(levels, axis=1))
    boxes = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)
    whole = np.isfinite(boxes).all(axis=1)
    shown = np.zeros(len(boxes), np.bool_)
    inside = np.asarray(area(clip_to_image(boxes[whole], camera.width_px, camera.height_px)), np.float64)
    shown[whole] = inside >= _LEAST_VISIBLE * np.asarray(area(boxes[whole]), np.float64)
    frames = np.arange(len(time_s))
    return table_of_people(frames, time_s, position=position[shown], xyxy=boxes[shown], person=person[shown])
