"""Points in space from what several calibrated cameras saw of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry._arrays import Bool, Float64, as_vectors
from gocv.geometry.camera import PinholeCamera

_REWEIGHTINGS = 2
_PARALLEL = 1e-12


def triangulate(cameras: Sequence[PinholeCamera], pixels: ArrayLike) -> tuple[Float64, Float64]:
    """Points that project nearest to where cameras saw them.

    The inhomogeneous direct linear transform on undistorted pixels, its rows weighted by focal length over the
    depth found before so that what is minimised tends to squared pixels: Hartley and Sturm, "Triangulation", CVIU
    1997, section 4.2 (Iterative-LS). It does not depend on where the store's origin is.

    Args:
        cameras: C cameras.
        pixels: (C, n, 2), where each camera saw each point; NaN where it did not. A view whose lens model has no
            inverse there (`PinholeCamera.undistort`) counts as none.

    Returns:
        (n, 3) float64, metres in the store's frame; NaN with fewer than two views, with rays that are parallel to
        within rounding, and where the rays meet behind a camera that saw the point.
        (n,) float64, root mean square over those views of the distance in pixels between the point's projection and
        where it was seen; NaN where the point is.

    Raises:
        DataError: `pixels` does not have a row per camera, or is not (C, n, 2).

    >>> size = {"width_px": 640, "height_px": 480, "focal_px": 500}
    >>> here = PinholeCamera.look_at([3, 0, 2], [0, 0, 1], **size)
    >>> there = PinholeCamera.look_at([0, 3, 2], [0, 0, 1], **size)
    >>> wrist_m = np.array([[0.2, -0.1, 1.3]])
    >>> pixels = np.stack([here.project(wrist_m)[0], there.project(wrist_m)[0]])
    >>> triangulate([here, there], pixels)[0].round(6)
    array([[ 0.2, -0.1,  1.3]])
    """
    seen = as_vectors(pixels, 2, "pixels")
    if seen.ndim != 3 or len(seen) != len(cameras):
        raise DataError(f"pixels has shape {seen.shape}", key="pixels", expected=f"({len(cameras)}, n, 2)")
    if not cameras:
        return np.full((seen.shape[1], 3), np.nan), np.full(seen.shape[1], np.nan)
    rows, right, focal = _equations(cameras, seen)
    used = np.isfinite(right[..., 0]) & np.isfinite(right[..., 1])
    rows[~used], right[~used] = 0, 0
    weight = np.where(used, focal[:, None], 0.0)
    optical_axis = np.stack([camera.camera_T_world[2] for camera in cameras])
    points = _least_squares(rows, right, weight)
    for _ in range(_REWEIGHTINGS):
        depth = optical_axis[:, :3] @ points.T + optical_axis[:, 3:]
        with np.errstate(invalid="ignore"):
            weight = np.where(used & (depth > 0), focal[:, None] / np.where(depth > 0, depth, 1.0), 0.0)
        points = _least_squares(rows, right, weight)
    points[used.sum(axis=0) < 2] = np.nan
    return _with_residual(cameras, seen, used, points)


def _equations(cameras: Sequence[PinholeCamera], seen: Float64) -> tuple[Float64, Float64, Float64]:
    """Rows (C, n, 2, 3) and right sides (C, n, 2) of `rows @ point = right`, and focal lengths (C,)."""
    pose = np.stack([camera.camera_T_world for camera in cameras])
    rotation, shift = pose[:, None, :3, :3], pose[:, None, :3, 3]
    ray = np.stack([camera.undistort(p) for camera, p in zip(cameras, seen, strict=True)])
    rows = rotation[:, :, :2] - ray[..., None] * rotation[:, :, 2:]
    right = ray * shift[..., 2:] - shift[..., :2]
    focal = np.array([np.sqrt(camera.matrix[0, 0] * camera.matrix[1, 1]) for camera in cameras])
    return rows, right, focal


def _least_squares(rows: Float64, right: Float64, weight: Float64) -> Float64:
    """(n, 3) solutions of the weighted equations; NaN where they do not fix a point."""
    squared = np.square(weight)
    normal = np.einsum("cn,cnij,cnik->njk", squared, rows, rows)
    values, vectors = np.linalg.eigh(normal)
    values[values[:, 0] <= _PARALLEL * values[:, 2]] = np.nan
    projected = np.einsum("cn,cnij,cni,njk->nk", squared, rows, right, vectors, optimize=True)
    solution: Float64 = np.einsum("njk,nk->nj", vectors, projected / values)
    return solution


def _with_residual(
    cameras: Sequence[PinholeCamera], seen: Float64, used: Bool, points: Float64
) -> tuple[Float64, Float64]:
    error = np.stack([camera.project(points)[0] for camera in cameras]) - seen
    # A view that the point is behind leaves NaN in the sum, and that makes the point NaN too.
    squared = np.where(used, np.square(error).sum(axis=-1), 0.0).sum(axis=0)
    rms = np.sqrt(squared / np.where(used.any(axis=0), used.sum(axis=0), 1))
    rms[np.isnan(points).any(axis=1)] = np.nan
    points[np.isnan(rms)] = np.nan
    return points, rms
