"""Rotation vectors and matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry._arrays import Float64, as_vectors


def rodrigues(vector: ArrayLike) -> Float64:
    """Rotation matrices of rotation vectors (axis times angle).

    Rodrigues' formula, R = I + sin(t)/t [v] + (1 - cos(t))/t^2 [v]^2 with t = |v| and [v] the cross product matrix,
    written with sinc so that it loses nothing near t = 0.

    Args:
        vector: (..., 3), radians.

    Returns:
        (..., 3, 3) float64.

    Raises:
        DataError: The last axis does not have length 3.

    >>> rodrigues([0.0, 0.0, np.pi / 2]).round(6) @ [1.0, 0.0, 0.0]
    array([0., 1., 0.])
    """
    vector = as_vectors(vector, 3, "vector")
    angle = np.linalg.norm(vector, axis=-1)[..., None, None]
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*vector.shape, 3)
    sine = np.sinc(angle / np.pi)
    versine = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    rotation: Float64 = np.eye(3) + sine * cross + versine * (cross @ cross)
    return rotation


def rotation_vector(matrix: ArrayLike) -> Float64:
    """Rotation vectors (axis times angle) of rotation matrices, the inverse of `rodrigues` on angles up to pi.

    Goes through the unit quaternion read from its largest component (Shepperd, "Quaternion from rotation matrix",
    J. Guidance and Control 1978), which is accurate both near 0 and near pi. Of the two vectors of a half-turn it
    gives the one whose first component that is not zero is positive.

    Args:
        matrix: (..., 3, 3) rotations; that they are orthonormal is not checked.

    Returns:
        (..., 3) float64, radians, of length 0 to pi.

    Raises:
        DataError: The last two axes are not 3 by 3.

    >>> rotation_vector([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).round(6)
    array([0.      , 0.      , 1.570796])
    """
    m = as_vectors(matrix, 3, "matrix")
    if m.ndim < 2 or m.shape[-2] != 3:
        raise DataError(f"matrix has shape {m.shape}", expected="(..., 3, 3)")
    quaternion = _quaternion(m)
    axis, cosine = quaternion[..., 1:], quaternion[..., 0]
    first = np.take_along_axis(axis, np.argmax(axis != 0, axis=-1)[..., None], axis=-1)[..., 0]
    flip = np.where(cosine == 0, first < 0, cosine < 0)
    axis, cosine = np.where(flip[..., None], -axis, axis), np.abs(cosine)
    sine = np.linalg.norm(axis, axis=-1)
    angle = 2 * np.arctan2(sine, cosine)
    scale = np.divide(angle, sine, out=np.full_like(angle, 2.0), where=sine > 0)
    vector: Float64 = axis * scale[..., None]
    return vector


def _quaternion(m: Float64) -> Float64:
    """(..., 4) unit quaternions w, x, y, z of (..., 3, 3) rotations, of either sign."""
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    # Row i is 4 q_i (w, x, y, z): each is the quaternion up to its length; the row of the largest q_i is the safe one.
    rows = np.stack(
        [
            np.stack([1 + xx + yy + zz, wx, wy, wz], axis=-1),
            np.stack([wx, 1 + xx - yy - zz, xy, xz], axis=-1),
            np.stack([wy, xy, 1 - xx + yy - zz, yz], axis=-1),
            np.stack([wz, xz, yz, 1 - xx - yy + zz], axis=-1),
        ],
        axis=-2,
    )
    largest = np.argmax(np.diagonal(rows, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :]
    unit: Float64 = row / np.linalg.norm(row, axis=-1, keepdims=True)
    return unit
