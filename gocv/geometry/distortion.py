"""Brown-Conrady lens distortion of normalised image coordinates, and its inverse.

Coefficients are in OpenCV's order: k1, k2, p1, p2, k3. Points are (..., 2) float64, x = X/Z and y = Y/Z in the
camera's frame. Formula: Brown, "Close-range camera calibration", Photogrammetric Engineering 1971, in the form of
OpenCV's calib3d:

    x_d = x (1 + k1 s + k2 s^2 + k3 s^3) + 2 p1 x y + p2 (s + 2 x^2)
    y_d = y (1 + k1 s + k2 s^2 + k3 s^3) + p1 (s + 2 y^2) + 2 p2 x y       with s = x^2 + y^2

The polynomial fits the lens only up to the radius at which it stops growing. Past it the formula folds back into the
picture and gives points that the camera cannot see a place in the image. Both directions give NaN there.
"""

from __future__ import annotations

import numpy as np

from gocv.geometry._arrays import Bool, Float64

_NEWTON_STEPS = 30
_TOLERANCE = 1e-14
_ACCEPTED = 1e-12
_TABLE_SIZE = 257


def fold_radius(coefficients: Float64) -> float:
    """Radius of the undistorted point at which the radial part stops growing; inf where it never does.

    That is r with d/dr [r (1 + k1 r^2 + k2 r^4 + k3 r^6)] = 0.

    >>> fold_radius(np.array([-1 / 3, 0.0, 0.0, 0.0, 0.0]))
    1.0
    """
    k1, k2, _, _, k3 = coefficients
    # In 1/r^2 the polynomial is monic, so a vanishing k3 or k2 needs no special case.
    roots = np.roots([1.0, 3 * k1, 5 * k2, 7 * k3])
    # A root that is double to within rounding comes out as a pair that is just off the real axis.
    real = roots.real[(np.abs(roots.imag) <= 1e-7 * np.abs(roots)) & (roots.real > 0)]
    return float(1 / np.sqrt(real.max())) if real.size else float("inf")


def distort(points: Float64, coefficients: Float64, limit: float) -> Float64:
    """Where the lens puts (..., 2) normalised points; NaN past the fold, `limit` being the `fold_radius`."""
    if not coefficients.any():
        return points.copy()
    distorted = _polynomial(points, coefficients)
    distorted[~_before_fold(points, coefficients, limit)] = np.nan
    return distorted


def undistort(points: Float64, coefficients: Float64, limit: float) -> Float64:
    """Inverse of `distort`: Newton's method from the inverse of the radial part alone.

    NaN where no point before the fold lands on the given one.
    """
    if not coefficients.any():
        return points.copy()
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        size = 1 + np.abs(points).max(axis=-1)
        guess = _radial_inverse(points, coefficients, limit)
        for _ in range(_NEWTON_STEPS):
            error = points - _polynomial(guess, coefficients)
            if not (np.abs(error).max(axis=-1) > _TOLERANCE * size).any():
                break
            guess = guess + _solve(jacobian(guess, coefficients), error)
        solved = np.abs(points - _polynomial(guess, coefficients)).max(axis=-1) <= _ACCEPTED * size
        guess[~(solved & _before_fold(guess, coefficients, limit))] = np.nan
    return guess


def jacobian(points: Float64, coefficients: Float64) -> Float64:
    """(..., 2, 2) derivative of the distorted by the undistorted point. It is symmetric."""
    k1, k2, p1, p2, k3 = coefficients
    x, y = points[..., 0], points[..., 1]
    s = x * x + y * y
    radial = 1 + s * (k1 + s * (k2 + s * k3))
    slope = 2 * (k1 + s * (2 * k2 + s * 3 * k3))
    xx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
    yy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
    xy = slope * x * y + 2 * p1 * x + 2 * p2 * y
    matrix: Float64 = np.stack([xx, xy, xy, yy], axis=-1).reshape(*points.shape, 2)
    return matrix


def _polynomial(points: Float64, coefficients: Float64) -> Float64:
    k1, k2, p1, p2, k3 = coefficients
    x, y = points[..., 0], points[..., 1]
    s = x * x + y * y
    radial = 1 + s * (k1 + s * (k2 + s * k3))
    twice_xy = 2 * x * y
    distorted = np.empty_like(points)
    distorted[..., 0] = x * radial + p1 * twice_xy + p2 * (s + 2 * x * x)
    distorted[..., 1] = y * radial + p1 * (s + 2 * y * y) + p2 * twice_xy
    return distorted


def _before_fold(points: Float64, coefficients: Float64, limit: float) -> Bool:
    # The map is the gradient of a potential; where its Jacobian is positive definite no two points share an image.
    j = jacobian(points, coefficients)
    determinant = j[..., 0, 0] * j[..., 1, 1] - j[..., 0, 1] ** 2
    trace = j[..., 0, 0] + j[..., 1, 1]
    inside: Bool = (np.hypot(points[..., 0], points[..., 1]) < limit) & (determinant > 0) & (trace > 0)
    return inside


def _radial_inverse(points: Float64, coefficients: Float64, limit: float) -> Float64:
    """Undistorted points if only the radial part acted, to the precision of a table."""
    k1, k2, _, _, k3 = coefficients
    radius = np.hypot(points[..., 0], points[..., 1])
    finite = radius[np.isfinite(radius)]
    largest = float(finite.max()) if finite.size else 0.0
    end = min(limit, 1.0)
    while end < limit and end * (1 + k1 * end**2 + k2 * end**4 + k3 * end**6) < largest:
        end = min(2 * end, limit)
    undistorted = np.linspace(0.0, end, _TABLE_SIZE)
    s = undistorted**2
    distorted = undistorted * (1 + s * (k1 + s * (k2 + s * k3)))
    # At the fold itself the Jacobian is singular, so a start that the table clamps to it is drawn back a little.
    start = np.minimum(np.interp(radius, distorted, undistorted), 0.999 * end)
    scale = np.divide(start, radius, out=np.ones_like(radius), where=radius > 0)
    inverse: Float64 = points * scale[..., None]
    return inverse


def _solve(matrix: Float64, right: Float64) -> Float64:
    """Solution of the (..., 2, 2) symmetric systems; inf or NaN where singular."""
    a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    determinant = a * d - b * b
    x = (d * right[..., 0] - b * right[..., 1]) / determinant
    y = (a * right[..., 1] - b * right[..., 0]) / determinant
    return np.stack([x, y], axis=-1)
