"""Whether gondolas, door and shoppers have room on the floor of a store."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError
from gocv.sim.layout import STANDING_M, Gondola, StoreLayout

_TOUCH_M = 0.005
"""By so much two gondolas may seem to overlap: coordinates are rounded."""


def check_gondolas_apart(
    gondolas: tuple[Gondola, ...], origin_m: tuple[float, float], size_m: tuple[float, float]
) -> None:
    """Refuse gondolas that reach through a wall or into each other.

    Raises:
        ConfigError: The key is `gondolas.N.corner_m`, N counting from 0.
    """
    low = np.array(origin_m) - _TOUCH_M
    high = low + np.array(size_m) + 2 * _TOUCH_M
    outlines = [outline(gondola) for gondola in gondolas]
    for i, corners in enumerate(outlines):
        if (corners < low).any() or (corners > high).any():
            room = f"inside the room of {size_m[0]:g} by {size_m[1]:g} m"
            raise ConfigError(
                f"gondola {gondolas[i].number} reaches through a wall", key=f"gondolas.{i}.corner_m", expected=room
            )
    for i, k in itertools.combinations(range(len(gondolas)), 2):
        if overlap(gondolas[i], gondolas[k]):
            raise ConfigError(
                f"gondolas {gondolas[i].number} and {gondolas[k].number} stand in each other",
                key=f"gondolas.{k}.corner_m",
                expected="gondolas side by side, back to back or apart",
            )


def check_reachable(layout: StoreLayout) -> None:
    """Refuse a door that is outside or blocked, and gondolas that nobody can stand in front of.

    Raises:
        ConfigError: The key is `door_m`, or `gondolas.N.yaw_deg`, N counting from 0.
    """
    x, y = layout.door_m
    inside = np.array(layout.door_m) - np.array(layout.origin_m)
    if (inside < 0).any() or (inside > np.array(layout.size_m)).any():
        raise ConfigError(f"the door at ({x:g}, {y:g}) m is outside", key="door_m", expected="a place in the room")
    if not layout.is_free(np.array([[x, y]]))[0]:
        free = "a place 0.1 m from the walls and a step from the gondolas"
        raise ConfigError(f"the door at ({x:g}, {y:g}) m is blocked", key="door_m", expected=free)
    for i, gondola in enumerate(layout.gondolas.values()):
        if not layout.is_free(standing_places(gondola)).any():
            problem = f"nobody can stand in front of gondola {gondola.number}"
            raise ConfigError(problem, key=f"gondolas.{i}.yaw_deg", expected=f"{STANDING_M:g} m of floor in front")


def standing_places(gondola: Gondola) -> NDArray[np.float64]:
    """(n, 2) places on the floor in front of it, in the store's frame: one each plate."""
    along = (np.arange(gondola.plates) + 0.5) * gondola.pitch_m
    return np.stack([gondola.point(float(a), -STANDING_M, 0.0)[:2] for a in along])


def outline(gondola: Gondola) -> NDArray[np.float64]:
    """(4, 2) corners on the floor, in the store's frame: left front, right front, right back, left back."""
    length, depth = gondola.length_m, gondola.depth_m
    return np.stack([gondola.point(a, d, 0.0)[:2] for a, d in ((0, 0), (length, 0), (length, depth), (0, depth))])


def overlap(one: Gondola, other: Gondola) -> bool:
    """Whether two gondolas cover the same floor: no side of either has the other on its far side.

    The separating axis theorem for rectangles; Gottschalk, Lin and Manocha, OBBTree, SIGGRAPH 1996, section 5.
    """
    corners = outline(one), outline(other)
    for axis in np.concatenate([one.rotation[:2, :2].T, other.rotation[:2, :2].T]):
        (low, high), (least, most) = ((c.min(), c.max()) for c in (corner @ axis for corner in corners))
        if low > most - _TOUCH_M or least > high - _TOUCH_M:
            return False
    return True
