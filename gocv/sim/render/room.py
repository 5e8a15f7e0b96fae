"""What does not move: floor, walls, ceiling, door, and the gondolas' boards, uprights, backs and price rails."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.render.light import Lighting
from gocv.sim.render.mesh import Mesh, box, cells, join, patch

Array = NDArray[np.float64]

_CELL_M = 0.12
_TILE_M, _JOINT_M, _SKIRTING_M = 0.45, 0.006, 0.09
_WALL, _CEILING, _SKIRT = np.array([0.86, 0.85, 0.82]), np.array([0.88, 0.88, 0.87]), np.array([0.36, 0.36, 0.38])
_STEEL, _BACK, _BOARD = np.array([0.17, 0.17, 0.19]), np.array([0.30, 0.30, 0.32]), np.array([0.56, 0.56, 0.57])
_RAIL, _TAG, _INK = np.array([0.78, 0.79, 0.80]), np.array([0.97, 0.96, 0.90]), np.array([0.72, 0.12, 0.12])
_LAMP_M = np.array([0.55, 0.28, 0.06])
_BOARD_M, _RAIL_M, _POST_M = 0.022, 0.040, 0.030


def room(layout: StoreLayout, lighting: Lighting, seed: int) -> Mesh:
    """Floor, walls, ceiling and door, in the store's frame."""
    (length, width), top = layout.size_m, layout.ceiling_m
    x, y, z = np.diag([length, width, top])
    rng = np.random.default_rng([seed, 1])
    walls = [
        *_wall([0, 0, 0], y, z, _WALL),
        *_wall(x, -x, z, _WALL * [0.98, 0.98, 1.0]),
        *_wall(x + y, -y, z, _WALL),
        *_wall(y, x, z, _WALL * [0.98, 0.98, 1.0]),
        patch(z, y, x, _CEILING, _CELL_M),
    ]
    lamps = [box(p - _LAMP_M, p + _LAMP_M * [1, 1, -0.5], np.full(3, 1.6), _CELL_M) for p in lighting.panels_m]
    shell = join([_floor(layout.size_m, rng), *walls, *_door(layout)])
    return join([shell.placed(np.eye(3), [*layout.origin_m, 0.0]), *lamps])


def _wall(origin: ArrayLike, along: Array, up: Array, colour: Array) -> list[Mesh]:
    """A wall over its skirting, which is a part of it.

    The lens bends depths a little inside a cell: of two planes closer than that now the one, now the other is seen.
    """
    height = _SKIRTING_M / float(np.linalg.norm(up)) * up
    return [
        patch(origin, along, height, _SKIRT, _CELL_M),
        patch(np.asarray(origin) + height, along, up - height, colour, _CELL_M),
    ]


def _floor(size_m: tuple[float, float], rng: np.random.Generator) -> Mesh:
    """Tiles, none quite like its neighbour, with joints between."""
    x, y = (_tile_lines(size) for size in size_m)
    middle = [(lines[1:] + lines[:-1]) / 2 for lines in (x, y)]
    column, row = ((m // _TILE_M).astype(int) for m in middle)
    of_tile = rng.normal(1.0, 0.03, (row.max() + 1, column.max() + 1, 1)) * [0.66, 0.62, 0.56]
    of_tile = of_tile + rng.normal(0.0, 0.006, of_tile.shape)
    colours = of_tile[row][:, column] * rng.normal(1.0, 0.012, (len(row), len(column), 1))
    joint = [np.abs((m + _TILE_M / 2) % _TILE_M - _TILE_M / 2) < _JOINT_M for m in middle]
    colours[joint[1][:, None] | joint[0]] = (0.42, 0.40, 0.37)
    grid = np.stack([*np.meshgrid(x, y), np.zeros((len(y), len(x)))], axis=2)
    return cells(grid, np.broadcast_to(np.array([0.0, 0.0, 1.0]), grid.shape), np.clip(colours, 0, 1))


def _tile_lines(length_m: float) -> Array:
    """Where the cells of the floor meet along one axis: four to a tile, and one for the joint."""
    first = np.arange(0.0, length_m, _TILE_M)
    inner = np.array([0.0, *np.linspace(_JOINT_M, _TILE_M - _JOINT_M, 5)])
    lines = (first[:, None] + inner).ravel()
    return np.array([*lines[lines < length_m - 1e-6], length_m])


def _door(layout: StoreLayout) -> list[Mesh]:
    """A glazed door before the wall of the smallest x, and a mat; from the room's corner."""
    y, width = layout.door_m[1] - layout.origin_m[1], layout.size_m[1]
    low, high = max(y - 0.75, 0.05), min(y + 0.75, width - 0.05)
    glass = patch([0.045, low, 0.05], [0, high - low, 0], [0, 0, 2.05], [0.70, 0.80, 0.86], _CELL_M)
    frame = [box([0, a, 0], [0.09, a + 0.06, 2.16], _STEEL, _CELL_M) for a in (low - 0.06, y - 0.03, high)]
    lintel = box([0, low, 2.10], [0.09, high, 2.16], _STEEL, _CELL_M)
    mat = box([0.12, low, 0.0], [0.80, high, 0.012], [0.20, 0.21, 0.23], _CELL_M)
    return [glass, *frame, lintel, mat]


def gondola_mesh(layout: StoreLayout, gondola: Gondola) -> Mesh:
    """A gondola without its wares, in the store's frame."""
    length, depth, top = gondola.length_m, gondola.depth_m, gondola.top_m
    parts = [
        box([0, depth - 0.02, 0.03], [length, depth, top], _BACK, _CELL_M),
        box([0, 0.05, 0.0], [length, depth, 0.12], _STEEL, _CELL_M),
    ]
    for x in (-_POST_M, length):
        parts.append(box([x, depth - 0.08, 0], [x + _POST_M, depth, top], _STEEL, _CELL_M))
        parts.append(box([x, 0.0, 0.0], [x + _POST_M, depth, 0.12], _STEEL, _CELL_M))
    for shelf, height in zip(gondola.shelf_ids(), gondola.heights_m, strict=True):
        parts.append(box([0, 0.004, height - _BOARD_M], [length, depth, height], _BOARD, 0.10))
        for x in (-_POST_M / 2, length - _POST_M / 2):
            parts.append(box([x, 0.04, height - 0.07], [x + _POST_M, depth, height], _STEEL, _CELL_M))
        low = np.array([0.0, -0.004, height - _RAIL_M])
        parts.append(box(low, low + np.array([length, 0.008, _RAIL_M]), _RAIL, 0.05))
        facings = [f for f in layout.facings if f.shelf == shelf]
        parts += [part for facing in facings for part in _ticket(facing, height)]
        parts += [_peg(facing, height, depth) for facing in facings if facing.display == "peg"]
    mesh = join(parts)
    shaded = mesh.tinted(shelter(gondola, mesh.vertices)[:, None])
    return shaded.placed(gondola.rotation, [*gondola.corner_m, 0.0])


def shelter(gondola: Gondola, points_m: Array) -> Array:
    """(n,) factor on colours at (n, 3) points of the gondola's frame: boards keep the light from what is under them."""
    height = points_m[:, 2]
    above = np.searchsorted(np.array(gondola.heights_m) - _BOARD_M - 1e-6, height + 1e-9)
    boards = np.array([*gondola.heights_m, np.inf])[above]
    room_m = np.maximum(boards - height, 0.05)
    inward = np.clip(points_m[:, 1], 0.0, gondola.depth_m)
    light = 1.0 / (1.0 + 1.3 * inward / np.where(np.isinf(room_m), 10.0, room_m + 0.05))
    return np.asarray(np.maximum(light, 0.16) ** (1 / 2.2))


def _ticket(facing: Facing, height: float) -> list[Mesh]:
    """A price on the rail, in the middle of the facing."""
    low = np.array([facing.centre_m - 0.028, -0.010, height - _RAIL_M + 0.004])
    return [
        patch(low, [0.056, 0, 0], [0, 0, 0.032], _TAG),
        patch(low + np.array([0.006, -0.004, 0.010]), [0.026, 0, 0], [0, 0, 0.014], _INK),
    ]


def _peg(facing: Facing, height: float, depth: float) -> Mesh:
    """The bar from which a facing's units hang."""
    at = np.array([facing.centre_m - 0.004, 0.02, height + facing.article.height_m + 0.01])
    return box(at, at + np.array([0.008, depth - 0.03, 0.008]), _RAIL)
