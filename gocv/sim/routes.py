"""The floor of a store as something to walk on: where a person fits, and the shortest way around the gondolas."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path

from gocv.core import ConfigError
from gocv.sim.layout import BODY_M, Gondola, StoreLayout

Array = NDArray[np.float64]

_MARGIN_M = BODY_M + 0.005
_TURNING_M = (0.36, 0.29)
"""How far from a gondola's corner ways turn; the second where the first is not free."""
_WALL_M = 0.11
_SAME_M = 0.01
_RINGS_M = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2)


class Floor:
    """Where people can walk in a store. All places are (x, y) in the store's frame, metres.

    Ways turn at the corners of gondolas, or of rows of them: the shortest ways between all corners are worked out
    once, so that a query only has to find the corners that its two ends see.

    Args:
        layout: The store.

    Attributes:
        low_m: (2,) corner of the room with the smallest x and y.
        high_m: (2,) corner opposite to it.
    """

    def __init__(self, layout: StoreLayout) -> None:
        self.low_m = np.array(layout.origin_m)
        self.high_m = self.low_m + np.array(layout.size_m)
        blocks = _merged(layout.gondolas.values())
        yaw = np.array([b[0] for b in blocks])
        axes = np.stack([np.stack([np.cos(yaw), np.sin(yaw)], 1), np.stack([-np.sin(yaw), np.cos(yaw)], 1)], 1)
        self._into = np.asarray(axes.reshape(-1, 2).T)  # (2, 2B): x, y to along and across of every block
        self._low = np.array([b[1] for b in blocks]).reshape(-1, 2)
        self._high = np.array([b[2] for b in blocks]).reshape(-1, 2)
        self._nodes = self._corners(axes)
        self._length_m, self._before = self._all_ways()
        # Corners of the shop's main part: others are in pockets between gondolas that nobody gets into.
        seen = np.isfinite(self._length_m)
        self._main = self._nodes[seen[seen.sum(axis=1).argmax()]] if len(self._nodes) else self._nodes

    def free(self, xy_m: Array, room_m: float = 0.0) -> NDArray[np.bool_]:
        """(n,) whether a person can stand at each of (n, 2) places, with some room to spare between gondolas."""
        local, margin_m = self._local(xy_m), _MARGIN_M + room_m
        taken = ((local >= self._low - margin_m) & (local <= self._high + margin_m)).all(axis=2)
        return np.asarray(self._inside(xy_m) & ~np.asarray(taken).any(axis=1))

    def clear(self, start_m: Array, end_m: Array) -> NDArray[np.bool_]:
        """(n,) whether a person can go straight from each of (n, 2) places to each of (n, 2) others."""
        first, last = self._local(start_m), self._local(end_m)
        step = last - first
        step = np.where(np.abs(step) < 1e-12, 1e-12, step)
        one, other = (self._low - _MARGIN_M - first) / step, (self._high + _MARGIN_M - first) / step
        enter = np.minimum(one, other).max(axis=2)
        leave = np.maximum(one, other).min(axis=2)
        blocked = (np.maximum(enter, 0.0) < np.minimum(leave, 1.0)).any(axis=1)
        return np.asarray(~blocked & self._inside(start_m) & self._inside(end_m))

    def path(self, start_m: Array, end_m: Array) -> Array:
        """(k, 2) corners of the shortest way between two free places, both of them included.

        Raises:
            ConfigError: There is no way.
        """
        if self.clear(start_m[None], end_m[None])[0]:
            return np.stack([start_m, end_m])
        ends = np.repeat(np.stack([start_m, end_m]), len(self._nodes), axis=0)
        seen = self.clear(ends, np.tile(self._nodes, (2, 1))).reshape(2, -1)
        first, last = np.flatnonzero(seen[0]), np.flatnonzero(seen[1])
        total = (
            np.linalg.norm(self._nodes[first] - start_m, axis=1)[:, None]
            + self._length_m[np.ix_(first, last)]
            + np.linalg.norm(self._nodes[last] - end_m, axis=1)
        )
        if not np.isfinite(total).any():
            here, there = (f"({x:.2f}, {y:.2f})" for x, y in (start_m, end_m))
            raise ConfigError(f"no way leads from {here} m to {there} m", key="gondolas", expected="aisles to walk in")
        row, column = np.unravel_index(int(total.argmin()), total.shape)
        node, begin = int(last[column]), int(first[row])
        way = [end_m, self._nodes[node]]
        while node != begin:
            node = int(self._before[begin, node])
            way.append(self._nodes[node])
        return np.stack([*way, start_m][::-1])

    def nearest_free(self, xy_m: Array) -> Array:
        """(2,) the place itself where one can stand and get to, otherwise one nearby.

        Raises:
            ConfigError: There is none.
        """
        if self.free(xy_m[None])[0] and self._is_reached(xy_m):
            return xy_m
        angle = np.arange(16) * (np.pi / 8)
        rings = np.array(_RINGS_M)[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        places = (xy_m + rings).reshape(-1, 2)
        for place in places[self.free(places)]:
            if self._is_reached(place):
                return np.asarray(place)
        raise ConfigError(
            f"nobody can stand near ({xy_m[0]:.2f}, {xy_m[1]:.2f}) m", key="gondolas", expected="room to stand"
        )

    def _is_reached(self, place_m: Array) -> bool:
        """Whether a way leads to a free place: it sees a corner of the main part, or there are no corners at all."""
        if not len(self._main):
            return True
        return bool(self.clear(np.repeat(place_m[None], len(self._main), axis=0), self._main).any())

    def _inside(self, xy_m: Array) -> NDArray[np.bool_]:
        return np.asarray(((xy_m >= self.low_m + _WALL_M) & (xy_m <= self.high_m - _WALL_M)).all(axis=1))

    def _local(self, xy_m: Array) -> Array:
        return np.asarray((xy_m @ self._into).reshape(len(xy_m), len(self._low), 2))

    def _corners(self, axes: Array) -> Array:
        """(n, 2) free places around the corners of the blocks."""
        corners = []
        for turning_m in _TURNING_M:
            low, high = self._low - turning_m, self._high + turning_m
            local = np.stack([low, np.stack([high[:, 0], low[:, 1]], 1), high, np.stack([low[:, 0], high[:, 1]], 1)], 1)
            corners.append(np.einsum("bck,bkj->bcj", local, axes).reshape(-1, 2))
        wide, tight = corners
        chosen = np.where(self.free(wide)[:, None], wide, tight)
        return np.asarray(np.unique(np.round(chosen[self.free(chosen)], 6), axis=0).reshape(-1, 2))

    def _all_ways(self) -> tuple[Array, NDArray[np.int32]]:
        """(n, n) lengths of the shortest ways between corners, and the corner before the last on each."""
        n = len(self._nodes)
        length = np.full((n, n), np.inf)
        for row, node in enumerate(self._nodes):
            seen = self.clear(np.repeat(node[None], n, axis=0), self._nodes)
            length[row, seen] = np.linalg.norm(self._nodes[seen] - node, axis=1)
        if n == 0:
            return length, np.zeros((0, 0), dtype=np.int32)
        ways, before = shortest_path(
            csgraph_from_dense(length, null_value=np.inf), directed=False, return_predecessors=True
        )
        return ways, before


def _merged(gondolas: Iterable[Gondola]) -> list[tuple[float, Array, Array]]:
    """(yaw, low, high) of blocks: gondolas side by side or back to back, too close to pass between, become one.

    Low and high are the block's corners along the axes that are turned by yaw, about the store's origin.
    """
    turned: dict[float, list[Array]] = {}
    for gondola in gondolas:
        yaw = round((gondola.yaw_rad + np.pi / 4) % (np.pi / 2) - np.pi / 4, 6) + 0.0
        c, s = np.cos(yaw), np.sin(yaw)
        corners = np.stack(
            [gondola.point(a, d, 0.0)[:2] for a in (0.0, gondola.length_m) for d in (0.0, gondola.depth_m)]
        )
        local = corners @ np.array([[c, -s], [s, c]])
        turned.setdefault(yaw, []).append(np.stack([local.min(axis=0), local.max(axis=0)]))
    blocks = []
    for yaw, boxes in turned.items():
        count = 0
        while count != len(boxes):
            count = len(boxes)
            boxes = _joined(_joined(boxes, 0), 1)
        blocks += [(yaw, box[0], box[1]) for box in boxes]
    return blocks


def _joined(boxes: list[Array], axis: int) -> list[Array]:
    """Join those (2, 2) boxes that follow one another along an axis and are equally far across it."""
    across = 1 - axis
    joined: list[Array] = []
    for box in sorted(boxes, key=lambda b: (*np.round(b[:, across] / _SAME_M), b[0, axis])):
        last = joined[-1] if joined else None
        if (
            last is not None
            and np.abs(last[:, across] - box[:, across]).max() < 2 * _SAME_M
            and box[0, axis] - last[1, axis] < 2 * BODY_M - _SAME_M
        ):
            joined[-1] = np.stack([np.minimum(last[0], box[0]), np.maximum(last[1], box[1])])
        else:
            joined.append(box)
    return joined
