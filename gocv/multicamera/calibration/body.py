"""The box around a person as a camera draws it: a body of a few spheroids instead of a stick.

From under a ceiling the lower edge of a box is the nearer foot and the upper one the far side of the head, so a stick
from the lower to the upper edge puts people in the wrong place and gives cameras a wrong tilt. The outline of a
spheroid has a closed form, by its dual quadric (Hartley and Zisserman, Multiple View Geometry, 2nd ed., equation
8.5): with centre C in the camera's frame and S its squared half-axes, A = C C^T - S, the lines x = t that touch the
outline have t = (A_xz +- sqrt(A_xz^2 - A_xx A_zz)) / A_zz, and so for y.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.calibration.poses import X, normalised_to_pixels, rotations

Array = NDArray[np.float64]
BodyName = Literal["person", "rectangle"]

_NEAREST_M = 0.1


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class BodyShape:
    """Spheroids one above the other, all in shares of the person's height.

    Were a part of a size of its own, it and not people's heights would tell how large the store is.

    Attributes:
        level: (k,) float64, of each part's centre.
        half_height: (k,) float64.
        radius: (k,) float64.
        free: (k,) int64, which unknown scales the part's radius; -1 for none.
        flat: Whether the parts are wide across the picture alone, like a figure of cardboard that faces every camera.
    """

    level: Array
    half_height: Array
    radius: Array
    free: NDArray[np.int64]
    flat: bool = False

    @property
    def scales(self) -> int:
        """How many unknown scales of radii there are."""
        return int(self.free.max()) + 1


PERSON = BodyShape(
    level=np.array([0.018, 0.62, 0.925]),
    half_height=np.array([0.018, 0.175, 0.075]),
    radius=np.array([0.115, 0.145, 0.058]),
    free=np.array([0, 1, -1]),
)
"""Feet in a stride, trunk with arms, head. The radii of the first two are only where the adjustment starts."""
RECTANGLE = BodyShape(
    level=np.array([0.0, 1.0]),
    half_height=np.zeros(2),
    radius=np.array([0.14, 0.14]),
    free=np.array([0, 0]),
    flat=True,
)
"""The upright rectangle over a place on the floor that data sets label people with (WILDTRACK, MultiviewX)."""
SHAPES: dict[BodyName, BodyShape] = {"person": PERSON, "rectangle": RECTANGLE}
"""By name."""


def boxes_of(
    shape: BodyShape, parameters: Array, constants: Array, xy_m: Array, height_m: Array, log_scale: Array
) -> Array:
    """The boxes that cameras draw around people.

    Args:
        shape: Of the body.
        parameters: (n, 8) float64, of the camera of each box, see `gocv.multicamera.calibration.poses`.
        constants: (n, 8) float64, of its lens.
        xy_m: (n, 2) float64, where each person stands.
        height_m: (n,) float64.
        log_scale: (shape.scales,) float64, logarithms of the factors of the free radii.

    Returns:
        (n, 4) float64: left, top, right and bottom edge in pixels, where the middles of the edges of the undistorted
        box come to lie.
    """
    r = rotations(parameters)
    up = r[:, :, 2]
    foot = np.einsum("nij,nj->ni", r, np.concatenate([xy_m, np.zeros((len(xy_m), 1))], axis=1) - parameters[:, X:])
    tall = height_m[:, None]
    centre = foot[:, None] + (tall * shape.level)[:, :, None] * up[:, None]
    centre[..., 2] = np.maximum(centre[..., 2], _NEAREST_M + (tall * shape.radius).max(axis=1, keepdims=True))
    factor = np.where(shape.free >= 0, np.exp(np.append(log_scale, 0.0)[shape.free]), 1.0)
    across, along = np.square(tall * shape.radius * factor), np.square(tall * shape.half_height)
    x = _touching(centre, up, across, along, 0)
    y = _touching(centre, up, np.zeros_like(across) if shape.flat else across, along, 1)
    left, right = x[0].min(axis=1), x[1].max(axis=1)
    top, bottom = y[0].min(axis=1), y[1].max(axis=1)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    points = np.stack([left, middle_y, middle_x, top, right, middle_y, middle_x, bottom], axis=1).reshape(-1, 4, 2)
    pixels = normalised_to_pixels(points, parameters[:, None], constants[:, None])
    return np.stack([pixels[:, 0, 0], pixels[:, 1, 1], pixels[:, 2, 0], pixels[:, 3, 1]], axis=1)


def _touching(centre: Array, up: Array, wide: Array, tall: Array, axis: int) -> tuple[Array, Array]:
    """(n, k) lowest and highest x (axis 0) or y (axis 1) of the outline of each part."""
    c, z = centre[..., axis], centre[..., 2]
    u, w = up[:, axis, None], up[:, 2, None]
    more = tall - wide
    a = c * c - wide - more * u * u
    b = c * z - more * u * w
    d = np.maximum(z * z - wide - more * w * w, _NEAREST_M**2)
    root = np.sqrt(np.maximum(b * b - a * d, 1e-12))
    return (b - root) / d, (b + root) / d
