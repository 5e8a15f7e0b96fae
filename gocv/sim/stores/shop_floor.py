"""A room, a door and an entrance around gondolas of which only the place is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Zone
from gocv.sim.layout import BODY_M, STANDING_M, Gondola, StoreLayout
from gocv.sim.stores.floor_checks import outline

CEILING_M = 2.8
"""Height of a room of which nobody said how high it is."""
_WALL_M, _EDGE_M = 0.05, 0.15
_IN_FRONT_M = 2.2
_LOBBY_M = 1.2
_GRID_M = 0.1
_ROOMY_M = 1.0
_ENTRANCE_M = (0.9, 1.2)


@dataclasses.dataclass(frozen=True, slots=True)
class ShopFloor:
    """What surrounds the gondolas.

    Attributes:
        origin_m: (x, y) of the room's corner.
        size_m: Of the room, along x and y.
        door_m: (x, y) where shoppers come in and leave.
        zones: With one called "entrance".
    """

    origin_m: tuple[float, float]
    size_m: tuple[float, float]
    door_m: tuple[float, float]
    zones: tuple[Zone, ...]


def lay_floor(
    gondolas: Sequence[Gondola], zones: Sequence[Zone], cameras_m: Sequence[NDArray[np.float64]], notes: list[str]
) -> ShopFloor:
    """A room that holds the zones, the gondolas with floor in front of them, and the cameras.

    Args:
        gondolas: At least one.
        zones: Those known; the door is in the middle of the one called "entrance" if one can stand there.
        cameras_m: (3,) positions.
        notes: Gets a line for each thing assumed.

    Raises:
        DataError: There is no place in the room where a person can stand.
    """
    front_m, beside_m = (STANDING_M + BODY_M + _EDGE_M, 0.0) if zones else (_IN_FRONT_M, BODY_M + _EDGE_M)
    points = [zone.polygon_m for zone in zones] + [outline(gondola) for gondola in gondolas]
    points += [_front(gondola, front_m, beside_m) for gondola in gondolas]
    points += [camera[None, :2] for camera in cameras_m]
    every = np.concatenate(points)
    low, high = every.min(axis=0) - _WALL_M, every.max(axis=0) + _WALL_M
    if not zones:
        low = low - np.array([_LOBBY_M, 0.0])
        size = f"{high[0] - low[0]:.1f} by {high[1] - low[1]:.1f} m"
        notes.append(f"no zones are known: the room is assumed to be {size} around the gondolas")
    origin, size_m = (float(low[0]), float(low[1])), (float(high[0] - low[0]), float(high[1] - low[1]))
    door = _door(gondolas, zones, origin, size_m, notes)
    entrance = [] if any(zone.name == "entrance" for zone in zones) else [_entrance(door, low, high)]
    return ShopFloor(origin, size_m, door, (*entrance, *zones))


def _front(gondola: Gondola, front_m: float, beside_m: float) -> NDArray[np.float64]:
    """(2, 2) far corners of the floor in front of a gondola, and a little to its left and right."""
    ends_m = (-beside_m, gondola.length_m + beside_m)
    return np.stack([gondola.point(along, -front_m, 0.0)[:2] for along in ends_m])


def _door(
    gondolas: Sequence[Gondola],
    zones: Sequence[Zone],
    origin_m: tuple[float, float],
    size_m: tuple[float, float],
    notes: list[str],
) -> tuple[float, float]:
    """In the entrance where it is known; else clear of gondolas and corners, by the wall of the smallest x at best."""
    room = StoreLayout.build(gondolas, [], zones=(), size_m=size_m, door_m=origin_m, origin_m=origin_m)
    for zone in zones:
        middle = zone.polygon_m.mean(axis=0)
        if zone.name == "entrance" and room.is_free(middle[None])[0]:
            return float(middle[0]), float(middle[1])
    x, y = (
        start + np.append(np.arange(0.15, length - 0.1, _GRID_M), length / 2)
        for start, length in zip(origin_m, size_m, strict=True)
    )
    by_the_wall = np.stack([np.full_like(y, x[0]), y], axis=1)
    anywhere = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    for places in (by_the_wall, anywhere):
        free = places[room.is_free(places)]
        if len(free):
            off = np.linalg.norm(free - (np.array(origin_m) + np.array(size_m) / 2), axis=1)
            place = free[int((np.minimum(_clearance(gondolas, free), _ROOMY_M) - 1e-3 * off).argmax())]
            notes.append(f"the door is assumed to be at ({place[0]:.2f}, {place[1]:.2f}) m")
            return float(place[0]), float(place[1])
    raise DataError("there is no floor to stand on between the gondolas", key="plates", expected="a store to walk in")


def _clearance(gondolas: Sequence[Gondola], xy_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) how far each of (n, 2) places is from the nearest gondola."""
    distances = []
    for gondola in gondolas:
        along, inward = ((xy_m - np.array(gondola.corner_m)) @ gondola.rotation[:2, :2]).T
        beside = np.maximum(np.maximum(-along, along - gondola.length_m), 0.0)
        before = np.maximum(np.maximum(-inward, inward - gondola.depth_m), 0.0)
        distances.append(np.hypot(beside, before))
    return np.asarray(np.min(distances, axis=0))


def _entrance(door_m: tuple[float, float], low: NDArray[np.float64], high: NDArray[np.float64]) -> Zone:
    """A rectangle around the door, within the room."""
    half = np.array(_ENTRANCE_M) / 2
    (left, bottom), (right, top) = np.maximum(door_m - half, low), np.minimum(door_m + half, high)
    return Zone("entrance", np.array([[left, bottom], [right, bottom], [right, top], [left, top]]))
