"""The frame of a calibration: moved onto the store's by known places, and compared with another calibration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError, nearest
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration.poses import rigid_fit, turned

Array = NDArray[np.float64]

_REWEIGHTINGS = 10
_NEAR_M = 0.02
_LEAST_SPREAD_M = 0.2


@dataclasses.dataclass(frozen=True, slots=True)
class ReferencePoint:
    """A point of the floor that one camera sees and whose place in the store is known.

    Attributes:
        camera: Name of the camera.
        pixel: (x, y) where it sees the point.
        xy_m: (x, y) of the point in the store's frame.
    """

    camera: str
    pixel: tuple[float, float]
    xy_m: tuple[float, float]


def align_floor(
    cameras: Mapping[str, PinholeCamera],
    *,
    reference_points: Sequence[ReferencePoint] = (),
    reference_cameras: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[dict[str, PinholeCamera], Array]:
    """Turn and shift calibrated cameras into the store's frame; heights and the scale stay.

    Args:
        cameras: By name, in any frame whose floor is z = 0.
        reference_points: Points of the floor that cameras see.
        reference_cameras: Where cameras hang in the store's frame, (x, y) in metres by name.

    Returns:
        The cameras in the store's frame.
        (n,) float64, how far each reference is off after that, metres, points first; large where one is wrong.

    Raises:
        DataError: There are fewer than two references, they are all at one place, a name is not that of a camera, or a
            pixel does not look at the floor.
    """
    hung = dict(reference_cameras or {})
    for name in [*(point.camera for point in reference_points), *hung]:
        if name not in cameras:
            raise DataError(f"there is no camera '{name}'", key="camera", expected=nearest(name, cameras))
    found = [cameras[p.camera].pixels_to_floor([p.pixel])[0] for p in reference_points]
    found += [cameras[name].position_m[:2] for name in hung]
    source = np.array(found, np.float64).reshape(-1, 2)
    target = np.array([*(p.xy_m for p in reference_points), *hung.values()], np.float64).reshape(-1, 2)
    if not np.isfinite(source).all():
        raise DataError("a reference point's pixel does not look at the floor", key="pixel", expected="a floor point")
    if len(source) < 2 or np.ptp(source, axis=0).max() < _LEAST_SPREAD_M:
        raise DataError(f"{len(source)} references", expected="two or more places apart from each other")
    motion = rigid_fit(source, target)
    off = np.linalg.norm(turned(source, motion) - target, axis=1)
    return move_cameras(cameras, motion), off


def move_cameras(cameras: Mapping[str, PinholeCamera], motion: ArrayLike) -> dict[str, PinholeCamera]:
    """The same cameras in a frame that is turned and shifted on the floor.

    Args:
        cameras: By name.
        motion: (3,) angle in radians and shift in metres: x' = R(angle) x + shift.
    """
    angle, x, y = np.asarray(motion, np.float64)
    back = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    back[:2, :2] = [[c, s], [-s, c]]
    back[:2, 3] = -back[:2, :2] @ [x, y]
    return {name: dataclasses.replace(k, camera_T_world=k.camera_T_world @ back) for name, k in cameras.items()}


def floor_errors(
    found: Mapping[str, PinholeCamera], truth: Mapping[str, PinholeCamera], xy_m: ArrayLike
) -> dict[str, Array]:
    """How far off a calibration puts what cameras see of the floor, its frame brought onto the true one's once.

    The frame is brought onto the other by turning and shifting alone, all cameras together, for the least sum of
    distances.

    Args:
        found: The calibration to judge, by name.
        truth: True cameras of the same names.
        xy_m: (n, 2) places on the floor where it counts, in the truth's frame.

    Returns:
        Of each camera, (k,) float64, metres, for the places that are in its picture; `inf` where the calibration thinks
        that the pixel looks past the floor.
    """
    places = np.asarray(xy_m, np.float64).reshape(-1, 2)
    seen, back = {}, {}
    for name, camera in truth.items():
        pixels = camera.floor_to_pixels(places)
        with np.errstate(invalid="ignore"):
            inside = ((pixels >= 0) & (pixels <= [camera.width_px - 1, camera.height_px - 1])).all(axis=1)
        seen[name], back[name] = places[inside], found[name].pixels_to_floor(pixels[inside])
    source, target = np.concatenate([*back.values()]), np.concatenate([*seen.values()])
    known = np.isfinite(source).all(axis=1)
    if known.sum() < 2:
        return {name: np.full(len(own), np.inf) for name, own in seen.items()}
    motion = rigid_fit(source[known], target[known])
    for _ in range(_REWEIGHTINGS):
        off = np.linalg.norm(turned(source[known], motion) - target[known], axis=1)
        motion = rigid_fit(source[known], target[known], 1 / np.maximum(off, _NEAR_M))
    errors = {name: np.linalg.norm(turned(back[name], motion) - seen[name], axis=1) for name in truth}
    return {name: np.where(np.isnan(own), np.inf, own) for name, own in errors.items()}
