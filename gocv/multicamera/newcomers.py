"""People nobody followed so far: boxes of several cameras that are of nobody known, put together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.motion.places import fused, inverse_2x2
from gocv.multicamera.looks import Looks

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_GATE2 = 9.0


class Newcomers(NamedTuple):
    """New people.

    Attributes:
        of: (n,) int64, which of them each look is of; -1 for the place that a box turned out not to have.
        xy_m: (m, 2) float64, where they stand.
        covariance_m2: (m, 2, 2) float64.
        cameras: (m,) int64, how many cameras saw each.
    """

    of: Int64
    xy_m: Float64
    covariance_m2: Float64
    cameras: Int64


def newcomers(looks: Looks) -> Newcomers:
    """Make people of looks: where most cameras agree first, and there the surest.

    Args:
        looks: Of one window; a box's two places among them.
    """
    of = np.full(len(looks), -1, np.int64)
    if not len(looks):
        return Newcomers(of, np.empty((0, 2)), np.empty((0, 2, 2)), np.empty(0, np.int64))
    squared, near = _near(looks)
    free = np.ones(len(looks), np.bool_)
    spread = looks.covariance_m2[:, 0, 0] + looks.covariance_m2[:, 1, 1]
    groups: list[Int64] = []
    while free.any():
        open_ = near & free & free[:, None]
        agreed = _cameras(open_, looks.camera) + looks.prior / 5
        order = np.lexsort((spread, -agreed))
        seed = int(order[free[order]][0])
        others = np.flatnonzero(open_[seed])
        others = others[np.argsort(squared[seed, others], kind="stable")]
        _, first = np.unique(looks.camera[others], return_index=True)
        group = np.append(seed, others[first])
        of[group] = len(groups)
        groups.append(group)
        free &= ~np.isin(looks.box, looks.box[group])
    of_one = of >= 0
    _, places, spreads = fused(of[of_one], looks.xy_m[of_one], looks.covariance_m2[of_one])
    return Newcomers(of, places, spreads, np.array([len(own) for own in groups], np.int64))


def _near(looks: Looks) -> tuple[Float64, NDArray[np.bool_]]:
    """(n, n) squared distances in standard deviations, and whether looks of two cameras may be of one person."""
    off = looks.xy_m[:, None] - looks.xy_m[None]
    inverse, determinant = inverse_2x2(looks.covariance_m2[:, None] + looks.covariance_m2[None])
    squared = (off * (inverse @ off[..., None])[..., 0]).sum(axis=2)
    return squared + np.log(determinant), (squared < _GATE2) & (looks.camera[:, None] != looks.camera[None])


def _cameras(near: NDArray[np.bool_], camera: Int64) -> Float64:
    """(n,) how many cameras have a look near each."""
    seen = np.zeros((len(camera), int(camera.max()) + 1), np.bool_)
    look, other = np.nonzero(near)
    seen[look, camera[other]] = True
    cameras: Float64 = seen.sum(axis=1).astype(np.float64)
    return cameras
