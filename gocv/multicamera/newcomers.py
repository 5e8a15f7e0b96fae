"""People nobody followed so far: boxes of several cameras that are of nobody known, put together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.motion.walking import inverse_2x2

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_GATE2 = 9.0


class Newcomers(NamedTuple):
    """New people.

    Attributes:
        of: (n,) int64, which of them each look is of.
        xy_m: (m, 2) float64, where they stand.
        covariance_m2: (m, 2, 2) float64.
        cameras: (m,) int64, how many cameras saw each.
    """

    of: Int64
    xy_m: Float64
    covariance_m2: Float64
    cameras: Int64


def newcomers(camera: Int64, xy_m: Float64, covariance_m2: Float64) -> Newcomers:
    """Make people of looks: the surest first, each joined by the nearest look of every other camera.

    Args:
        camera: (n,) of each look.
        xy_m: (n, 2) metres.
        covariance_m2: (n, 2, 2).
    """
    n = len(camera)
    of = np.full(n, -1, np.int64)
    places, spreads, counts = [], [], []
    for seed in np.argsort(covariance_m2[:, 0, 0] + covariance_m2[:, 1, 1], kind="stable").tolist():
        if of[seed] >= 0:
            continue
        free = np.flatnonzero((of < 0) & (camera != camera[seed]))
        inverse, determinant = inverse_2x2(covariance_m2[free] + covariance_m2[seed])
        off = xy_m[free] - xy_m[seed]
        squared = np.einsum("ni,nij,nj->n", off, inverse, off)
        near = np.flatnonzero(squared < _GATE2)
        near = near[np.argsort(squared[near] + np.log(determinant[near]), kind="stable")]
        _, first = np.unique(camera[free[near]], return_index=True)
        group = np.append(seed, free[near[first]])
        of[group] = len(places)
        place, spread = _together(xy_m[group], covariance_m2[group])
        places.append(place)
        spreads.append(spread)
        counts.append(len(group))
    return Newcomers(
        of, np.array(places).reshape(-1, 2), np.array(spreads).reshape(-1, 2, 2), np.array(counts, np.int64)
    )


def _together(xy_m: Float64, covariance_m2: Float64) -> tuple[Float64, Float64]:
    """The place that several looks agree on, each with the weight of its information."""
    information, _ = inverse_2x2(covariance_m2)
    covariance, _ = inverse_2x2(information.sum(axis=0))
    return covariance @ (information @ xy_m[..., None]).sum(axis=0)[:, 0], covariance
