"""The way through a crowd: a search in space and time, for where no simple way is clear."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gocv.sim.crowd import Others
from gocv.sim.routes import Floor

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CELL_M = 0.3
_ROWS = 3
"""Rows of a motion in which a walker gets from one cell to the next: a metre a second."""
_SMOOTH_ROWS = (11, 5)
_AROUND_M = 2.5
_ROOM_M = 0.66
_NEAR_ENDS_M = 0.45
_CORNER_M = 0.15
"""Room left at corners, which a way that is made smooth cuts."""
_MOVES = np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])
_TROUBLE = np.array([0.0, 0.2, 0.2, 0.2, 0.2, 0.3, 0.3, 0.3, 0.3])
"""Of a move, in time steps: who can as well wait does not walk about."""


def detour(floor: Floor, others: Others, curve: Array, arrive: Flags, apart_m: float) -> Array | None:
    """(n, 2) rows of a walk, with waits on the way, that keeps clear of everybody; None where none is found.

    Args:
        floor: Where there is room.
        others: Where the others are, from the walk's first row on.
        curve: (k, 2) the way that one would go if nobody were there.
        arrive: (t,) whether one may arrive in each row.
        apart_m: How near to the others one may be at either end of the way.
    """
    grid, shape = _grid(floor, curve)
    start, goal = (int(((grid - end) ** 2).sum(axis=1).argmin()) for end in (curve[0], curve[-1]))
    ahead = _SMOOTH_ROWS[0] // 2
    others = others.around(grid, _ROOM_M)
    seen = others.xy_m[:, :, ahead::_ROWS]
    limit = np.full(len(grid), _ROOM_M)
    free = floor.free(grid, _CORNER_M)
    for end in (curve[0], curve[-1]):
        near = ((grid - end) ** 2).sum(axis=1) < _NEAR_ENDS_M**2
        limit[near] = apart_m
        free[near] = floor.free(grid[near])
    cells = _cheapest(
        shape, start, goal, lambda step: free & _unoccupied(grid, seen[:, :, step], others.slack_m, limit), arrive
    )
    if cells is None:
        return None
    places = np.concatenate([curve[:1], grid[cells[1:-1]], curve[-1:]])
    rows = np.arange((len(places) - 1) * _ROWS + 1) / _ROWS
    walk = np.stack([np.interp(rows, np.arange(len(places)), places[:, k]) for k in (0, 1)], axis=1)
    for width in _SMOOTH_ROWS:
        smooth = _smoothed(walk, width)
        if floor.clear(smooth[:-1], smooth[1:]).all():
            return np.concatenate([np.repeat(smooth[:1], ahead - width // 2, axis=0), smooth])[1:]
    return None


def _grid(floor: Floor, curve: Array) -> tuple[Array, tuple[int, int]]:
    """(c, 2) middles of the cells around a curve, row by row, and how many rows and columns they have."""
    low = np.maximum(curve.min(axis=0) - _AROUND_M, floor.low_m)
    high = np.minimum(curve.max(axis=0) + _AROUND_M, floor.high_m)
    axes = [np.arange(a + _CELL_M / 2, b, _CELL_M) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return grid.reshape(-1, 2), (len(axes[0]), len(axes[1]))


def _unoccupied(grid: Array, others: Array, slack: Array, limit_m: Array) -> Flags:
    """(c,) whether nobody of (2, p) is nearer to each cell than its limit."""
    x, y = grid[:, :1] - others[0], grid[:, 1:] - others[1]
    return np.asarray((np.sqrt(x * x + y * y) + slack).min(axis=1, initial=np.inf) >= limit_m)


def _cheapest(
    shape: tuple[int, int], start: int, goal: int, may_enter: Callable[[int], Flags], arrive: Flags
) -> list[int] | None:
    """Cells in each time step of the first way to the goal, waiting allowed, by dynamic programming over time."""
    cost = np.full((shape[0] + 2, shape[1] + 2), np.inf)
    inner = cost[1:-1, 1:-1]
    inner[np.unravel_index(start, shape)] = 0.0
    taken: list[NDArray[np.intp]] = []
    views = [cost[1 - dx : shape[0] + 1 - dx, 1 - dy : shape[1] + 1 - dy] for dx, dy in _MOVES]
    for step in range(1, len(arrive) // _ROWS - _SMOOTH_ROWS[0] // _ROWS):
        choices = np.stack(views) + _TROUBLE[:, None, None]
        taken.append(choices.argmin(axis=0).ravel())
        reached = choices.min(axis=0)
        reached[~may_enter(step).reshape(shape)] = np.inf
        inner[:] = reached
        if arrive[step * _ROWS + _SMOOTH_ROWS[0] // 2] and np.isfinite(inner[np.unravel_index(goal, shape)]):
            return _traced(taken, shape, goal)
        if not np.isfinite(inner).any():
            return None
    return None


def _traced(taken: list[NDArray[np.intp]], shape: tuple[int, int], goal: int) -> list[int]:
    cells = [goal]
    for move in reversed(taken):
        dx, dy = _MOVES[move[cells[-1]]]
        cells.append(cells[-1] - int(dx) * shape[1] - int(dy))
    return cells[::-1]


def _smoothed(walk: Array, width: int) -> Array:
    """Moving average that begins and ends where the walk does, by waiting there for half its width."""
    still = np.concatenate([np.repeat(walk[:1], width - 1, axis=0), walk, np.repeat(walk[-1:], width - 1, axis=0)])
    total = np.cumsum(np.concatenate([np.zeros((1, 2)), still]), axis=0)
    smooth = (total[width:] - total[:-width]) / width
    smooth[0], smooth[-1] = walk[0], walk[-1]
    return np.asarray(smooth)
