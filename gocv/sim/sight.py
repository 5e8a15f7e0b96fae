"""Which keypoints of people a camera does not see: shelves, others, or their own trunk and head are before them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.sim.beads import TRUNK
from gocv.sim.layout import Gondola, StoreLayout
from gocv.sim.sightings import Presence, around, behind_people, behind_shelves, depths, outlined, overlapping

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_UPPER = slice(0, 11)
"""Face, shoulders and arms: the own trunk and head can hide them; hips and legs are never taken to be hidden by it."""


def hidden_keypoints(layout: StoreLayout, camera: PinholeCamera, present: Presence) -> Bool:
    """Which keypoints a camera does not see because something is in front of them.

    Bodies and shelves are those of `gocv.sim.sightings`, but for a hand in a shelf, which is seen from the front.

    Args:
        layout: The store.
        camera: Who looks.
        present: The people.

    Returns:
        (n, 17) bool; False where nothing is in front of a keypoint, also outside the picture.
    """
    hidden = np.zeros(present.keypoints_m.shape[:2], np.bool_)
    rows, beads_px, beads_m = outlined(camera, present)
    if not len(rows):
        return hidden
    points = present.keypoints_m[rows]
    pixels = camera.project(points)[0][:, :, None]
    range_m = np.linalg.norm(points - camera.position_m, axis=2)
    front_m = range_m * way_in(camera.position_m, points, layout.gondolas.values())
    blocked = behind_shelves(depths(layout, camera), pixels, front_m)
    for i, j in overlapping(present.frame[rows], around(beads_px, np.isfinite(beads_px[..., 0]))):
        blocked[i] |= behind_people(pixels[i], range_m[i], beads_px[j], beads_m[j])
    own_m = np.full_like(beads_m, np.inf)
    own_m[:, TRUNK] = beads_m[:, TRUNK]
    blocked[:, _UPPER] |= behind_people(pixels[:, _UPPER], range_m[:, _UPPER], beads_px, own_m)
    hidden[rows] = blocked[:, :, 0]
    return hidden


def way_in(camera_m: Array, points_m: Array, gondolas: Iterable[Gondola]) -> Array:
    """How much of the way from a camera to points is before the open front of the gondola that they are in.

    Args:
        camera_m: (3,) where the camera is, metres in the store's frame.
        points_m: (..., 3) the points.
        gondolas: Of the store.

    Returns:
        (...) float64, share of the way; 1 where a point is in none, or where its gondola is not looked into from the
        front, or a shelf is between.
    """
    share = np.ones(points_m.shape[:-1])
    for gondola in gondolas:
        corner, size = np.array([*gondola.corner_m, 0.0]), [gondola.length_m, gondola.depth_m, gondola.top_m]
        start = (camera_m - corner) @ gondola.rotation
        point = (points_m - corner) @ gondola.rotation
        inside = ((point >= 0) & (point <= size)).all(axis=-1)
        if start[1] >= 0 or not inside.any():
            continue
        before = start[1] / np.minimum(start[1] - point[..., 1], start[1])
        front = start + before[..., None] * (point - start)
        open_there = (front[..., 0] >= 0) & (front[..., 0] <= size[0]) & (front[..., 2] <= size[2])
        shelves = np.array(gondola.heights_m)
        low, high = (f(point[..., 2], front[..., 2])[..., None] for f in (np.minimum, np.maximum))
        through = ((shelves > low) & (shelves < high)).any(axis=-1)
        share = np.where(inside & open_there & ~through, np.minimum(share, before), share)
    return share
