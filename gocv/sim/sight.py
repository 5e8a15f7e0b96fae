"""What stands between a camera and a point: gondolas, other people, and the person's own body.

Gondolas are boxes that are open to their shoppers' side. People are two capsules, hips to head and hips to feet, with
radii as shares of their height.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gocv.sim.body import KEYPOINTS, Body
from gocv.sim.layout import Gondola

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_TRUNK, _LEGS = 0.085, 0.07
_OWN_TRUNK, _OWN_HEAD = 0.07, 0.04
_FACE = slice(0, 5)
_TURNED = slice(5, 11)
"""Shoulders, elbows and wrists: the own trunk can hide them; hips and legs are never taken to be hidden by it."""
_HIPS, _ANKLES = [KEYPOINTS.index(f"{side}_hip") for side in "lr"], [KEYPOINTS.index(f"{side}_ankle") for side in "lr"]


def behind_gondolas(camera_m: Array, points_m: Array, gondolas: Iterable[Gondola]) -> Bool:
    """Which points a camera does not see because of a gondola.

    Args:
        camera_m: (3,) where the camera is, metres in the store's frame.
        points_m: (..., 3) the points.
        gondolas: Of the store. A hand in a shelf is seen from the front.

    Returns:
        (...) bool.
    """
    hidden = np.zeros(points_m.shape[:-1], np.bool_)
    for gondola in gondolas:
        corner, size = np.array([*gondola.corner_m, 0.0]), [gondola.length_m, gondola.depth_m, gondola.top_m]
        start = (camera_m - corner) @ gondola.rotation
        way = (points_m - corner) @ gondola.rotation - start
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = -start / way, (size - start) / way
        enters, leaves = np.fmin(low, high), np.fmax(low, high)
        first = enters.max(axis=-1)
        crossed = (first < np.minimum(leaves.min(axis=-1), 1.0)) & (first > 0)
        inside = leaves.min(axis=-1) >= 1.0
        from_front = (enters.argmax(axis=-1) == 1) & (way[..., 1] > 0)
        hidden |= crossed & ~(inside & from_front)
    return hidden


def behind_body(camera_m: Array, points_m: Array, body: Body) -> Bool:
    """Which of (m, p, 3) points at m times a camera does not see because of somebody else's body.

    Returns:
        (m, p) bool.
    """
    hips = body.keypoints_m[:, _HIPS].mean(axis=1)
    feet = body.keypoints_m[:, _ANKLES].mean(axis=1)
    trunk = _apart(camera_m, points_m, hips[:, None], body.head_m[:, None]) < _TRUNK * body.height_m
    legs = _apart(camera_m, points_m, hips[:, None], feet[:, None]) < _LEGS * body.height_m
    return np.asarray(trunk | legs)


def behind_oneself(camera_m: Array, body: Body) -> Bool:
    """(m, 17) which of a person's own keypoints at m times their trunk or head hides from a camera."""
    hidden = np.zeros(body.keypoints_m.shape[:2], np.bool_)
    hips = body.keypoints_m[:, _HIPS].mean(axis=1)[:, None]
    turned, face = body.keypoints_m[:, _TURNED], body.keypoints_m[:, _FACE]
    hidden[:, _TURNED] = _apart(camera_m, turned, hips, body.neck_m[:, None]) < _OWN_TRUNK * body.height_m
    head = body.head_m[:, None]
    hidden[:, _FACE] = _apart(camera_m, face, head, head) < _OWN_HEAD * body.height_m
    return hidden


def _apart(camera_m: Array, points_m: Array, one_m: Array, other_m: Array) -> Array:
    """Least distances of the lines of sight to (..., 3) points from the bones between (..., 3) points.

    After Ericson, "Real-Time Collision Detection" (2005), section 5.1.9.
    """
    sight, bone, off = points_m - camera_m, other_m - one_m, camera_m - one_m
    a, e = (sight * sight).sum(-1), np.maximum((bone * bone).sum(-1), 1e-12)
    b, c, f = (sight * bone).sum(-1), (sight * off).sum(-1), (bone * off).sum(-1)
    determinant = a * e - b * b
    s = np.where(determinant > 1e-12, np.clip((b * f - c * e) / np.maximum(determinant, 1e-12), 0, 1), 0.0)
    t = np.clip((b * s + f) / e, 0, 1)
    s = np.clip((b * t - c) / np.maximum(a, 1e-12), 0, 1)
    gap = off + s[..., None] * sight - t[..., None] * bone
    return np.asarray(np.linalg.norm(gap, axis=-1))
