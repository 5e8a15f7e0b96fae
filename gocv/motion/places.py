"""Places on a plane that are normally distributed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


def fused(key: Int64, xy_m: Float64, covariance_m2: Float64) -> tuple[Int64, Float64, Float64]:
    """Independent measurements of one place as one, each with the weight of its information, the inverse covariance.

    Args:
        key: (n,) measurements with one key are of one place.
        xy_m: (n, 2).
        covariance_m2: (n, 2, 2).

    Returns:
        (m,) int64 the keys, ascending; (m, 2) float64 the places; (m, 2, 2) float64 their covariances.
    """
    keys, at = np.unique(key, return_inverse=True)
    information, _ = inverse_2x2(covariance_m2)
    total, weighted = np.zeros((len(keys), 2, 2)), np.zeros((len(keys), 2))
    np.add.at(total, at, information)
    np.add.at(weighted, at, (information @ xy_m[..., None])[..., 0])
    covariance, _ = inverse_2x2(total)
    return keys, (covariance @ weighted[..., None])[..., 0], covariance


def inverse_2x2(matrix: Float64) -> tuple[Float64, Float64]:
    """Inverses and determinants of symmetric (..., 2, 2) matrices."""
    a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    determinant = a * d - b * b
    inverse = np.empty_like(matrix)
    inverse[..., 0, 0], inverse[..., 1, 1] = d / determinant, a / determinant
    inverse[..., 0, 1] = inverse[..., 1, 0] = -b / determinant
    return inverse, determinant
