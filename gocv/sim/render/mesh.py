"""Triangle meshes with a colour and a normal at each vertex, and the few shapes that everything is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles.

    Attributes:
        vertices: (n, 3) float64, metres.
        normals: (n, 3) float64, unit vectors outwards.
        colours: (n, 3) float64 in [0, 1], display-encoded red, green, blue of the unlit surface.
        faces: (m, 3) int64, vertices of each triangle.
    """

    vertices: Array
    normals: Array
    colours: Array
    faces: Indices

    def placed(self, rotation: Array, origin_m: ArrayLike) -> Mesh:
        """The mesh turned by a (3, 3) rotation, its own origin moved to a (3,) place."""
        turned = self.vertices @ rotation.T + np.asarray(origin_m)
        return Mesh(turned, self.normals @ rotation.T, self.colours, self.faces)

    def tinted(self, factor: ArrayLike) -> Mesh:
        """The mesh with its colours times a factor that broadcasts to (n, 3)."""
        return dataclasses.replace(self, colours=self.colours * np.asarray(factor))


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All of them as one, in order; an empty mesh of none."""
    if not meshes:
        return Mesh(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3), np.int64))
    first = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.colours for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, first[:-1], strict=True)]),
    )


def turn(yaw_rad: float) -> Array:
    """(3, 3) rotation about the vertical."""
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def patch(origin: ArrayLike, u: ArrayLike, v: ArrayLike, colours: ArrayLike, cell_m: float | None = None) -> Mesh:
    """A parallelogram of cells of one colour each.

    Args:
        origin: (3,) its first corner.
        u: (3,) edge along its columns; its normal is u × v.
        v: (3,) edge along its rows.
        colours: (3,) of all cells, or (rows, columns, 3).
        cell_m: For a single colour: largest edge of a cell. Large cells are lit and bent by the lens only at corners.
    """
    origin, u, v = (np.asarray(x, np.float64) for x in (origin, u, v))
    colours = np.asarray(colours, np.float64)
    if colours.ndim == 1:
        rows, columns = (1 if cell_m is None else max(1, int(np.ceil(np.linalg.norm(e) / cell_m))) for e in (v, u))
        colours = np.broadcast_to(colours, (rows, columns, 3))
    rows, columns = colours.shape[:2]
    a, b = np.arange(columns + 1) / columns, np.arange(rows + 1) / rows
    grid = origin + a[None, :, None] * u + b[:, None, None] * v
    normal = np.cross(u, v)
    normals = np.broadcast_to(normal / np.linalg.norm(normal), grid.shape)
    return cells(grid, normals, colours)


def cells(grid: Array, normals: Array, colours: Array) -> Mesh:
    """A mesh of quadrilaterals from a net of points, each with a colour of its own.

    Args:
        grid: (r + 1, c + 1, 3) points.
        normals: (r + 1, c + 1, 3).
        colours: (r, c, 3).
    """

    def corners(x: Array) -> Array:
        return np.stack([x[:-1, :-1], x[:-1, 1:], x[1:, 1:], x[1:, :-1]], axis=2).reshape(-1, 3)

    first = 4 * np.arange(colours.shape[0] * colours.shape[1])[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])])
    return Mesh(corners(grid), corners(normals), np.repeat(colours.reshape(-1, 3), 4, axis=0), faces)


def box(low: ArrayLike, high: ArrayLike, colour: ArrayLike, cell_m: float | None = None) -> Mesh:
    """An upright box between two (3,) corners, in one (3,) colour."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    x, y, z = np.diag(high - low)
    sides = [(low, x, z), (low + x, y, z), (low + x + y, -x, z), (low + y, -y, z), (low + z, x, y), (low + y, x, -y)]
    return join([patch(origin, u, v, colour, cell_m) for origin, u, v in sides])


def turned(heights: ArrayLike, widths: ArrayLike, depths: ArrayLike, colours: Array) -> Mesh:
    """A body of elliptic rings, as on a lathe; the first column of `colours` is at the front, -y.

    Args:
        heights: (r + 1,) of the rings, ascending.
        widths: (r + 1,) half axes along x.
        depths: (r + 1,) half axes along y.
        colours: (r, c, 3).
    """
    z, a, b = (np.asarray(x, np.float64)[:, None] for x in (heights, widths, depths))
    columns = colours.shape[1]
    angle = 2 * np.pi * (np.arange(columns + 1) - 0.5) / columns - np.pi / 2
    c, s = np.cos(angle)[None], np.sin(angle)[None]
    grid = np.stack([a * c, b * s, np.broadcast_to(z, (len(z), columns + 1))], axis=2)
    slope = -np.gradient((a[:, 0] + b[:, 0]) / 2, z[:, 0] + 1e-6 * np.arange(len(z)))[:, None]
    up = np.broadcast_to(np.clip(slope, -3.0, 3.0), grid.shape[:2])
    normals = np.stack([np.broadcast_to(c, up.shape), np.broadcast_to(s, up.shape), up], axis=2)
    return cells(grid, normals / np.linalg.norm(normals, axis=2, keepdims=True), colours)
