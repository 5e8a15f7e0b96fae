"""Cameras under the ceiling of any room, for stores that have none of their own or too few."""

from __future__ import annotations

import dataclasses

import numpy as np

from gocv.geometry import PinholeCamera
from gocv.sim.layout import StoreLayout

_BELOW_M, _INSET_M = 0.10, 0.40
_AHEAD_M, _EYE_M = 3.0, 0.9
_FOCAL_PX, _WIDTH_PX, _HEIGHT_PX = 330.0, 640, 360
_DISTORTION = (-0.10, 0.015, 0.0, 0.0, 0.0)


def with_cameras(layout: StoreLayout, count: int) -> StoreLayout:
    """The store with `count` cameras in place of its own.

    They hang at equal distances along the walls, beginning in a corner, and look up to 3 m ahead towards the middle of
    the room.
    """
    low = np.array(layout.origin_m) + _INSET_M
    high = np.array(layout.origin_m) + np.array(layout.size_m) - _INSET_M
    corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]], low])
    walked = np.concatenate([[0.0], np.linalg.norm(np.diff(corners, axis=0), axis=1).cumsum()])
    at = np.arange(count) * walked[-1] / count
    places = np.stack([np.interp(at, walked, corners[:, k]) for k in (0, 1)], axis=1)
    cameras = {f"camera-{i + 1}": _camera(place, (low + high) / 2, layout.ceiling_m) for i, place in enumerate(places)}
    return dataclasses.replace(layout, cameras=cameras)


def _camera(place: np.ndarray, middle: np.ndarray, ceiling_m: float) -> PinholeCamera:
    way = middle - place
    distance_m = float(np.linalg.norm(way))
    target = place + way * min(1.0, _AHEAD_M / max(distance_m, 1e-9))
    return PinholeCamera.look_at(
        [*place, ceiling_m - _BELOW_M],
        [*target, _EYE_M],
        width_px=_WIDTH_PX,
        height_px=_HEIGHT_PX,
        focal_px=_FOCAL_PX,
        distortion=_DISTORTION,
    )
