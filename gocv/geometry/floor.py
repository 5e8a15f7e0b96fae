"""The floor seen by a camera that has no full calibration: a homography from pairs of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry._arrays import Float64, as_array, as_vectors

_DEGENERATE = 1e-7


def fit_homography(pixels: ArrayLike, floor_m: ArrayLike) -> Float64:
    """The homography that takes pixels to the floor, by the normalised direct linear transform.

    Hartley and Zisserman, Multiple View Geometry, 2nd ed., Algorithm 4.2: both sides moved and scaled to mean 0 and
    mean distance sqrt(2), then the right singular vector of the smallest singular value. Lens distortion is not
    modelled. The inverse (`np.linalg.inv`) takes the floor to pixels.

    Args:
        pixels: (n, 2), n >= 4.
        floor_m: (n, 2), where on the floor each of them is, metres in the store's frame.

    Returns:
        (3, 3) float64 of norm 1, signed so that the third homogeneous coordinate is positive at the points given.

    Raises:
        DataError: There are fewer than 4 pairs, a value is not finite, or the points do not fix a homography (three
            of four on a line, points repeated).

    >>> corners = [[100.0, 400.0], [540.0, 400.0], [400.0, 100.0], [240.0, 100.0]]
    >>> matrix = fit_homography(corners, [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0], [0.0, 5.0]])
    >>> apply_homography(matrix, [[320.0, 400.0], [320.0, -200.0]]).round(6) + 0.0  # no processor's -0
    array([[ 1.,  0.],
           [nan, nan]])
    """
    n = len(np.atleast_1d(np.asarray(pixels)))
    source, target = as_array(pixels, (n, 2), "pixels"), as_array(floor_m, (n, 2), "floor_m")
    if n < 4:
        raise DataError(f"{n} pairs of points do not fix a homography", expected="at least 4")
    from_source, from_target = _normaliser(source), _normaliser(target)
    p, q = _homogeneous(source) @ from_source.T, _homogeneous(target) @ from_target.T
    zero = np.zeros_like(p)
    rows = np.concatenate([np.hstack([p, zero, -q[:, :1] * p]), np.hstack([zero, p, -q[:, 1:2] * p])])
    _, singular, right = np.linalg.svd(rows)
    if singular[7] <= _DEGENERATE * singular[0]:
        raise DataError("the points do not fix a homography", expected="4 points of which no 3 lie on a line")
    matrix = np.linalg.inv(from_target) @ right[-1].reshape(3, 3) @ from_source
    matrix /= np.linalg.norm(matrix) * np.sign(np.median(_homogeneous(source) @ matrix[2]))
    fitted: Float64 = matrix
    return fitted


def apply_homography(matrix: ArrayLike, points: ArrayLike) -> Float64:
    """Points taken through a homography.

    Args:
        matrix: (3, 3), as `fit_homography` gives it, or its inverse. One from elsewhere has to be signed as that is:
            positive third coordinate on the side that the camera sees.
        points: (..., 2).

    Returns:
        (..., 2) float64; NaN for points on the horizon or past it, which no place on the plane appears at.

    Raises:
        DataError: A shape does not fit.
    """
    matrix = as_array(matrix, (3, 3), "matrix")
    mapped = _homogeneous(as_vectors(points, 2, "points")) @ matrix.T
    scale = mapped[..., 2:]
    return mapped[..., :2] / np.where(scale > 0, scale, np.nan)


def _homogeneous(points: Float64) -> Float64:
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)


def _normaliser(points: Float64) -> Float64:
    centre = points.mean(axis=0)
    spread = float(np.linalg.norm(points - centre, axis=1).mean())
    scale = np.sqrt(2) / spread if spread > 0 else 1.0
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])
