"""Calibrations in JSON: the NanoStore's, and those of the Shelf and Campus sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.calibrations.files import numbers, of_file, read_json
from gocv.geometry import PinholeCamera

SHELF_PX, CAMPUS_PX, NANOSTORE_PX = (1032, 776), (360, 288), (640, 360)
"""Width and height of the pictures of Shelf, of Campus, and of the NanoStore's clips and boxes; no file says them."""

_INCH_M = 0.0254
_MILLIMETRE_M = 0.001


def read_shelf_cameras(path: str | Path, picture_px: tuple[int, int] = SHELF_PX) -> dict[str, PinholeCamera]:
    """Read the cameras of Shelf or Campus (Belagiannis et al., CVPR 2014) as the JSON that pose estimators pass on.

    Per camera `R` (world to camera), `T`, which is where the camera stands (millimetres), so that a point is at
    R (x - T), and `fx`, `fy`, `cx`, `cy`, `k` (k1, k2, k3) and `p` (p1, p2).

    Args:
        path: `calibration_shelf.json` or `calibration_campus.json`.
        picture_px: Width and height of the pictures, which the file does not say: `SHELF_PX`, or `CAMPUS_PX`.

    Returns:
        The cameras by name ("0", "1", …), metres, z up, floor at z = 0.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    cameras = {}
    for name, entry in _entries(file, read_json(file)):
        focal_x, focal_y, x, y = (
            numbers(_at(entry, k), (), file=file, key=f"{name}.{k}") for k in ("fx", "fy", "cx", "cy")
        )
        radial, tangential = (
            numbers(_at(entry, k), (n,), file=file, key=f"{name}.{k}") for k, n in (("k", 3), ("p", 2))
        )
        rotation = numbers(_at(entry, "R"), (3, 3), file=file, key=f"{name}.R")
        position_m = _MILLIMETRE_M * numbers(_at(entry, "T"), (3,), file=file, key=f"{name}.T")
        matrix = np.array([[focal_x, 0.0, x], [0.0, focal_y, y], [0.0, 0.0, 1.0]])
        distortion = np.array([*radial[:2], *tangential, radial[2]])
        with of_file(file, name):
            cameras[name] = PinholeCamera(*picture_px, matrix, distortion, _pose(rotation, position_m))
    return cameras


def read_nanostore_cameras(path: str | Path, picture_px: tuple[int, int] = NANOSTORE_PX) -> dict[str, PinholeCamera]:
    """Read the ceiling cameras of the NanoStore (AutoCheckout, CPS-IoT Week 2020).

    `K` is in parts of the picture's width (first row) and height (second row), `Tw` is camera to world in inches,
    `dist_coeffs` is in OpenCV's order.

    Args:
        path: `calibration.json`, or the folder `layout`, which holds it.
        picture_px: Width and height of the pictures that the cameras are wanted for.

    Returns:
        The cameras by name ("1" … "12"), metres, z up, floor at z = 0.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    file = file / "calibration.json" if file.is_dir() else file
    content = read_json(file)
    cameras = {}
    for name, entry in _entries(file, _at(content, "cameras"), "cameras."):
        key = f"cameras.{name}"
        matrix = numbers(_at(entry, "K"), (3, 3), file=file, key=f"{key}.K")
        distortion = numbers(_at(entry, "dist_coeffs"), (5,), file=file, key=f"{key}.dist_coeffs")
        world_t_camera = numbers(_at(entry, "Tw"), (4, 4), file=file, key=f"{key}.Tw")
        pose = _pose(world_t_camera[:3, :3].T, _INCH_M * world_t_camera[:3, 3])
        with of_file(file, key):
            cameras[name] = PinholeCamera(*picture_px, np.diag([*picture_px, 1.0]) @ matrix, distortion, pose)
    return cameras


def _entries(file: Path, content: Any, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The cameras of a mapping by name."""
    if not isinstance(content, dict) or not content:
        key = prefix.rstrip(".") or None
        raise DataError("holds no cameras", file=file, key=key, expected="a mapping of names to cameras")
    for name, entry in content.items():
        if not isinstance(entry, dict):
            raise DataError("is not a camera", file=file, key=prefix + name, expected="a mapping")
        yield name, entry


def _at(entry: Any, key: str) -> Any:
    """The value at `key`, or text that is no number where it is missing."""
    return entry.get(key, "missing") if isinstance(entry, dict) else "missing"


def _pose(rotation: NDArray[np.float64], position_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) camera_T_world."""
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ position_m
    return pose
