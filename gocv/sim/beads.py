"""A body as a string of ellipsoids: enough to say which pixels it covers and which of them something hides.

The sizes are shares of the person's height, read off the rings of `gocv.sim.render.figure`, so that boxes made here and
pictures drawn there agree.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.sim.body import Body

Array = NDArray[np.float64]

# Of the trunk: place along the spine (0 the hips, 1 the neck), half width, half depth.
_TRUNK = ((-0.02, 0.100, 0.077), (0.22, 0.094, 0.072), (0.45, 0.092, 0.070), (0.68, 0.103, 0.073), (0.86, 0.104, 0.062))
_TRUNK_UP, _NECK_AT, _NECK = 0.050, 1.08, 0.032
_HEAD = (0.048, 0.054, 0.068)
# Of a limb: its upper (0) or lower (1) bone, place along that, radius.
_ARM = ((0, 0.05, 0.031), (0, 0.40, 0.033), (0, 0.80, 0.030), (1, 0.15, 0.027), (1, 0.50, 0.025), (1, 0.90, 0.020))
_HAND = 0.035
_LEG = (
    *((0, 0.05, 0.055), (0, 0.35, 0.052), (0, 0.65, 0.047), (0, 0.95, 0.041)),
    *((1, 0.25, 0.040), (1, 0.50, 0.036), (1, 0.75, 0.031), (1, 0.95, 0.028)),
)
_SHOE = (0.028, 0.075, 0.026)
_SHOE_UP = 0.026

COUNT = 1 + len(_TRUNK) + 1 + 2 * (len(_ARM) + 1) + 2 * (len(_LEG) + 1)
FEET = (COUNT - 1, COUNT - 2 - len(_LEG))
"""Which of the beads are shoes."""
HEAD = 0
TRUNK = slice(0, 2 + len(_TRUNK))
"""With head and neck."""
POINTS = 5
"""Of each bead: its middle, and where its outline is furthest left, right, up and down."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Beads:
    """People at n moments, each person at a moment a row.

    Attributes:
        middle_m: (n, COUNT, 3) float64, in the store's frame; the head first.
        axes: (n, 3, 3) float64, unit vectors to the person's left, forward and up, the axes of the ellipsoids.
        half_m: (n, COUNT, 3) float64, half axes along them.
    """

    middle_m: Array
    axes: Array
    half_m: Array

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> Beads:
        return Beads(self.middle_m[rows], self.axes[rows], self.half_m[rows])


def beads_of(body: Body) -> Beads:
    """The beads of one person at the m moments of their body."""
    h, k = body.height_m, body.keypoints_m
    hips, up = k[:, 11:13].mean(axis=1), np.array([0.0, 0.0, 1.0])
    left = np.cross(np.broadcast_to(up, body.forward.shape), body.forward)
    middle, half = [body.head_m], [_HEAD]
    for at, wide, deep in _TRUNK:
        middle.append(hips + at * (body.neck_m - hips))
        half.append((wide, deep, _TRUNK_UP))
    middle.append(hips + _NECK_AT * (body.neck_m - hips))
    half.append((_NECK,) * 3)
    for side in (0, 1):
        middle += [*_along(k[:, 5 + side], k[:, 7 + side], k[:, 9 + side], _ARM), body.hands_m[:, side]]
        half += [*((r,) * 3 for _, _, r in _ARM), (_HAND,) * 3]
    for side in (0, 1):
        ankle, toes = k[:, 15 + side], body.toes_m[:, side]
        shoe = 0.5 * (ankle + toes)
        shoe[:, 2] = toes[:, 2] + (_SHOE_UP - 0.02) * h
        middle += [*_along(k[:, 11 + side], k[:, 13 + side], ankle, _LEG), shoe]
        half += [*((r,) * 3 for _, _, r in _LEG), _SHOE]
    axes = np.stack([left, body.forward, np.broadcast_to(up, left.shape)], axis=1)
    sizes = np.broadcast_to(h * np.array(half), (len(axes), COUNT, 3))
    return Beads(np.stack(middle, axis=1), axes, sizes)


def outlines(beads: Beads, camera: PinholeCamera) -> tuple[Array, Array]:
    """Where the beads appear.

    The outline's points are the ellipsoid's furthest ones across the line of sight: for an ellipsoid M u, |u| = 1, the
    furthest along d is M M^T d / |M^T d|.

    Returns:
        (n, COUNT, POINTS, 2) float64 px: middle, left, right, top and bottom of each; NaN as `project`.
        (n, COUNT) float64 metres from the camera to the middle of each.
    """
    across, down = camera.camera_T_world[:2, :3]
    sight = beads.middle_m - camera.position_m
    range_m = np.linalg.norm(sight, axis=2)
    sight = sight / np.maximum(range_m, 1e-9)[..., None]
    points = np.empty((*range_m.shape, POINTS, 3))
    points[:, :, 0] = beads.middle_m
    for row, direction in ((1, across), (3, down)):
        aside = direction - (sight @ direction)[..., None] * sight
        own = (aside @ beads.axes.swapaxes(1, 2)) * beads.half_m
        furthest = (own / np.maximum(np.linalg.norm(own, axis=2), 1e-12)[..., None] * beads.half_m) @ beads.axes
        points[:, :, row] = beads.middle_m - furthest
        points[:, :, row + 1] = beads.middle_m + furthest
    return camera.project(points)[0], range_m


def _along(first: Array, bend: Array, last: Array, places: tuple[tuple[int, float, float], ...]) -> list[Array]:
    ends = ((first, bend), (bend, last))
    return [ends[bone][0] + at * (ends[bone][1] - ends[bone][0]) for bone, at, _ in places]
