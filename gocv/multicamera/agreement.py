"""Points on which several views agree, and which views those are: what `gocv.multicamera.joints` is made of."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera, triangulate
from gocv.geometry.distortion import jacobian

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_STEPS = 4
_SINGULAR = 1e-12


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Sightings:
    """What C cameras saw of N points.

    Attributes:
        rotation, shift: (C, 3, 3) and (C, 3), world to camera.
        ray: (C, N, 2) undistorted points; 0 where there is none.
        whiten: (C, N, 2, 2) turns a difference of those into standard deviations.
        seen: (C, N) bool.
    """

    rotation: Array
    shift: Array
    ray: Array
    whiten: Array
    seen: Bool

    def at(self, points: Bool) -> _Sightings:
        return dataclasses.replace(
            self, ray=self.ray[:, points], whiten=self.whiten[:, points], seen=self.seen[:, points]
        )

    def residuals(self, point: Array) -> tuple[Array, Array]:
        """(C, N, 2) in standard deviations, NaN behind the camera, and (C, N, 3) the points in the cameras' frames."""
        inside: Array = np.einsum("cij,nj->cni", self.rotation, point) + self.shift[:, None]
        depth = np.where(inside[..., 2:] > 0, inside[..., 2:], np.nan)
        away: Array = (self.whiten @ (self.ray - inside[..., :2] / depth)[..., None])[..., 0]
        return away, inside

    def squares(self, point: Array) -> Array:
        """(C, N) squared residuals; inf where a view did not see the point or has it behind it."""
        away = np.square(self.residuals(point)[0]).sum(axis=2)
        return np.where(self.seen & np.isfinite(away), away, np.inf)

    def refined(self, point: Array, used: Bool) -> Array:
        """(N, 3) Gauss-Newton on the views that are used."""
        for _ in range(_STEPS):
            normal, gradient = self._normal(point, used)
            point = point + (_inverse(normal) @ gradient[..., None])[..., 0]
        return point

    def information(self, point: Array, used: Bool) -> Array:
        """(N, 3, 3) Jᵀ J."""
        return self._normal(point, used)[0]

    def _normal(self, point: Array, used: Bool) -> tuple[Array, Array]:
        away, inside = self.residuals(point)
        depth = inside[..., 2]
        by_camera = np.zeros((*depth.shape, 2, 3))
        with np.errstate(divide="ignore", invalid="ignore"):
            by_camera[..., 0, 0] = by_camera[..., 1, 1] = 1 / depth
            by_camera[..., 2] = -inside[..., :2] / np.square(depth)[..., None]
        slope = self.whiten @ by_camera @ self.rotation[:, None]
        slope[~used], away[~used] = 0.0, 0.0
        normal: Array = np.einsum("cnki,cnkj->nij", slope, slope)
        gradient: Array = np.einsum("cnki,cnk->ni", slope, away)
        return normal, gradient


def agreed(
    cameras: Sequence[PinholeCamera], seen: Array, sd_px: Array, gate: float, trust: Array | None = None
) -> tuple[Array, Array, Array, Bool]:
    """Points on which the most views agree; see `gocv.multicamera.joints`.

    Args:
        cameras: C cameras.
        seen: (C, N, 2) pixels, NaN where there is none.
        sd_px: (C, N) standard deviation of each coordinate.
        gate: Views that are more of those off do not agree.
        trust: (C, N) how far each view is believed, from 0 to 1: views that do not agree cost gate² times that. All
            are believed alike where None.

    Returns:
        (N, 3) metres; NaN where fewer than two views agree.
        (N, 3, 3) square metres, (Jᵀ J)⁻¹.
        (N,) sums of the squared residuals, in standard deviations.
        (C, N) bool, the views that agree.
    """
    if len(cameras) < 2 or not seen.size:
        n = seen.shape[1]
        return np.full((n, 3), np.nan), np.full((n, 3, 3), np.nan), np.zeros(n), np.zeros(seen.shape[:2], bool)
    views = _sightings(cameras, seen, sd_px)
    point = triangulate(cameras, seen)[0]
    used = views.seen.copy()
    point = views.refined(point, used)
    gate2 = gate**2
    at_odds = ~(np.where(views.seen, views.squares(point), 0.0) <= gate2).all(axis=0) & (views.seen.sum(axis=0) >= 2)
    if at_odds.any():
        some = views.at(at_odds)
        better = _supported(cameras, some, gate2 * (np.ones_like(sd_px) if trust is None else trust)[:, at_odds])
        for _ in range(2):
            agreeing = some.squares(better) <= gate2
            better = some.refined(better, agreeing)
        point[at_odds], used[:, at_odds] = better, some.squares(better) <= gate2
    squares = np.where(used, views.squares(point), 0.0)
    inverse = _inverse(views.information(point, used))
    known = (used.sum(axis=0) >= 2) & np.isfinite(squares.sum(axis=0)) & np.isfinite(inverse).all(axis=(1, 2))
    point[~known], inverse[~known], used[:, ~known] = np.nan, np.nan, False
    return point, inverse, np.where(known, squares.sum(axis=0), 0.0), used


def _sightings(cameras: Sequence[PinholeCamera], seen: Array, sd_px: Array) -> _Sightings:
    pose = np.stack([camera.camera_T_world for camera in cameras])
    ray = np.stack([camera.undistort(pixels) for camera, pixels in zip(cameras, seen, strict=True)])
    known: Bool = np.asarray(np.isfinite(ray).all(axis=2))
    ray = np.where(known[..., None], ray, 0.0)
    lens = np.stack([c.matrix[:2, :2] @ jacobian(r, c.distortion) for c, r in zip(cameras, ray, strict=True)])
    whiten = lens / np.where(known, sd_px, 1.0)[..., None, None]
    return _Sightings(pose[:, :3, :3], pose[:, :3, 3], ray, whiten, known)


def _supported(cameras: Sequence[PinholeCamera], views: _Sightings, most: Array) -> Array:
    """(N, 3) of the middles of the rays of two views the one that all views together like best; NaN without any.

    `most` is (C, N), what a view adds at most to the cost of a point.
    """
    start = np.stack([camera.position_m for camera in cameras])
    towards = np.concatenate([views.ray, np.ones((*views.ray.shape[:2], 1))], axis=2) @ views.rotation
    towards /= np.linalg.norm(towards, axis=2, keepdims=True)
    best, least = np.full((views.ray.shape[1], 3), np.nan), np.full(views.ray.shape[1], np.inf)
    for i, j in itertools.combinations(range(len(cameras)), 2):
        both = views.seen[i] & views.seen[j]
        if not both.any():
            continue
        middle = ray_middles(start[i], towards[i, both], start[j], towards[j, both])[0]
        some = views.at(both)
        off = np.where(some.seen, np.minimum(some.squares(middle), most[:, both]), 0.0).sum(axis=0)
        off[~np.isfinite(middle).all(axis=1)] = np.inf
        better = off < least[both]
        rows = np.flatnonzero(both)[better]
        best[rows], least[rows] = middle[better], off[better]
    return best


def ray_middles(start: Array, way: Array, other_start: Array, other_way: Array) -> tuple[Array, Array, Array, Array]:
    """The shortest lines between rays.

    Args:
        start: (..., 3) metres, where the one begins.
        way: (..., 3) its direction, a unit vector.
        other_start: (..., 3), of the other.
        other_way: (..., 3).

    Returns:
        (..., 3) metres, the middle of that line; NaN for rays that are parallel.
        (...) metres, its length.
        (...) metres, how far it is along the one ray, negative behind its beginning.
        (...) the same along the other.
    """
    between = other_start - start
    cosine = (way * other_way).sum(axis=-1)
    along, across = (way * between).sum(axis=-1), (other_way * between).sum(axis=-1)
    sine2 = 1 - cosine**2
    sine2 = np.where(sine2 > _SINGULAR, sine2, np.nan)
    here, there = (along - cosine * across) / sine2, (cosine * along - across) / sine2
    end, other_end = start + here[..., None] * way, other_start + there[..., None] * other_way
    return (end + other_end) / 2, np.linalg.norm(other_end - end, axis=-1), here, there


def _inverse(matrix: Array) -> Array:
    """Inverses of (N, 3, 3) symmetric positive matrices; NaN where they are singular."""
    a, b, c = matrix[:, 0], matrix[:, 1], matrix[:, 2]
    adjugate = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        determinant = (a * adjugate[:, :, 0]).sum(axis=1)
        size = np.trace(matrix, axis1=1, axis2=2) / 3
        determinant = np.where(determinant > _SINGULAR * size**3, determinant, np.nan)
        inverse: Array = adjugate / determinant[:, None, None]
    return inverse
