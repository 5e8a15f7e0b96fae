"""Areas of the floor and boxes in space: what is inside, how far is the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.geometry._arrays import Bool, Float64, as_array, as_vectors


def points_in_polygon(points: ArrayLike, polygon: ArrayLike) -> Bool:
    """Which points are inside a polygon, by the even-odd rule.

    A point is inside if a half-line from it towards +x crosses the outline an odd number of times. On the outline:
    points of a left or lower edge are inside, those of a right or upper edge are outside, so polygons that share an
    edge and together fill an area share it out without gap or overlap.

    Args:
        points: (n, 2), any unit.
        polygon: (v, 2), v >= 3, corners in order, either way round; closing it with its first corner is allowed.

    Returns:
        (n,) bool; False for a point that holds a NaN.

    Raises:
        DataError: A shape does not fit, a corner is not finite, or there are fewer than 3.

    >>> points_in_polygon([[0.5, 0.5], [0.0, 0.5], [1.0, 0.5], [2.0, 0.5]], [[0, 0], [1, 0], [1, 1], [0, 1]])
    array([ True,  True, False, False])
    """
    points, corners = as_vectors(points, 2, "points"), _corners(polygon)
    if points.ndim != 2:
        raise DataError(f"points has shape {points.shape}", key="points", expected="(n, 2)")
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), np.bool_)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # From the lower end upwards, so that two polygons with this edge round its crossings in the same way.
        (x0, y0), (x1, y1) = (start, end) if start[1] <= end[1] else (end, start)
        if y0 < y1:
            inside ^= (y0 <= y) & (y < y1) & (x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)))
    return inside


def polygon_area(polygon: ArrayLike) -> float:
    """Area of a polygon that does not cross itself, in the square of its unit (the shoelace formula).

    Args:
        polygon: (v, 2), v >= 3, corners in order, either way round.

    Raises:
        DataError: The shape does not fit, a corner is not finite, or there are fewer than 3.

    >>> polygon_area([[0, 0], [4, 0], [4, 3]])
    6.0
    """
    corners = _corners(polygon)
    corners = corners - corners[0]
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def distance_to_box(points: ArrayLike, centre: ArrayLike, rotation: ArrayLike, size: ArrayLike) -> Float64:
    """Shortest distance from points to a box that is turned in space, such as from a wrist to what stands on a plate.

    Args:
        points: (..., 3), metres in the store's frame.
        centre: (3,), middle of the box, metres in the store's frame.
        rotation: (3, 3), store_R_box: its columns are the box's axes.
        size: (3,), full lengths along those axes, metres, not negative.

    Returns:
        (...) float64 metres; 0 inside and on the surface, NaN for a point that holds a NaN.

    Raises:
        DataError: A shape does not fit, a value of the box is not finite, or a size is negative.

    >>> distance_to_box([[0, 0, 0], [3, 4, 0], [0, 0, 2]], centre=[0, 0, 0], rotation=np.eye(3), size=[0, 0, 2])
    array([0., 5., 1.])
    """
    points = as_vectors(points, 3, "points")
    size = as_array(size, (3,), "size")
    if (size < 0).any():
        raise DataError(f"size is {size.tolist()}", key="size", expected="lengths that are not negative")
    local = (points - as_array(centre, (3,), "centre")) @ as_array(rotation, (3, 3), "rotation")
    outside = np.maximum(np.abs(local) - size / 2, 0)
    distance: Float64 = np.linalg.norm(outside, axis=-1)
    return distance


def _corners(polygon: ArrayLike) -> Float64:
    corners = as_vectors(polygon, 2, "polygon")
    if corners.ndim != 2 or len(corners) < 3:
        raise DataError(f"polygon has shape {corners.shape}", key="polygon", expected="(v, 2) with v >= 3")
    if not np.isfinite(corners).all():
        raise DataError("a corner of the polygon is not finite", key="polygon", expected="finite numbers")
    return corners
