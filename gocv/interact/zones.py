"""Where hands do what matters: the room over each shelf, and areas of the floor that stand for shelves."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, Plate, ShelfId, Store, nearest
from gocv.geometry import points_in_polygon

Array = NDArray[np.float64]
_Named = tuple[str, Array, Array, Array, "Array | None"]

_ROOM_M, _LEAST_ROOM_M = 0.35, 0.10
"""Height over a shelf that counts as its own: up to the shelf above it, but no more than the one, no less than the
other."""
_TALL_M = 2.2
"""An area of the floor counts up to this height."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HandZones:
    """Boxes in space that hands are in or near. An area of the floor is the box around it, less what is outside.

    Attributes:
        names: "gondola/shelf", as `str(ShelfId)`, or the name of an area.
        front_m: (Z, 3) float64, middle of the lower front edge in the store's frame; of an area, of its box.
        rotation: (Z, 3, 3) float64, store_R_zone: x along the shelf, y away from the shopper, z up.
        size_m: (Z, 3) float64, along these.
        polygons: Corners (v, 2) of an area, metres in the store's frame; None for a shelf.
    """

    names: tuple[str, ...]
    front_m: Array
    rotation: Array
    size_m: Array
    polygons: tuple[Array | None, ...]

    def __len__(self) -> int:
        return len(self.names)

    def local(self, points_m: Array, zone: int) -> Array:
        """(..., 3) points of the store's frame in that of a zone: along from its middle, in from its front, up."""
        inside: Array = (points_m - self.front_m[zone]) @ self.rotation[zone]
        return inside

    def distance_m(self, points_m: Array) -> Array:
        """(n, Z) from points (n, 3) of the store's frame to the zones; 0 inside, NaN for a point that holds a NaN."""
        local = np.einsum("nzi,zij->nzj", points_m[:, None] - self.front_m, self.rotation)
        half = self.size_m / 2
        middle = np.stack([np.zeros(len(self)), half[:, 1], half[:, 2]], axis=1)
        away: Array = np.linalg.norm(np.maximum(np.abs(local - middle) - half, 0.0), axis=2)
        for zone, polygon in enumerate(self.polygons):
            if polygon is not None:
                out = np.isfinite(away[:, zone]) & ~points_in_polygon(points_m[:, :2], polygon)
                away[out, zone] = np.inf
        return away


def hand_zones(store: Store, areas: Sequence[str] = ()) -> HandZones:
    """The zones of a store: of each shelf with plates whose place is known, then the areas.

    Args:
        store: Its plates that were not surveyed are left out.
        areas: Names of the store's floor zones that count as well, for places where nothing is weighed.

    Raises:
        ConfigError: The store has no such zone.
    """
    shelves: defaultdict[ShelfId, list[Plate]] = defaultdict(list)
    for plate in store.plates.values():
        if np.isfinite(plate.centre_m).all() and np.isfinite(plate.size_m).all():
            shelves[plate.id.shelf_id].append(plate)
    boxes = _with_height([(str(shelf), *_box(plates)) for shelf, plates in sorted(shelves.items())])
    known = {zone.name: zone for zone in store.zones}
    for name in areas:
        if name not in known:
            raise ConfigError(f"the store has no zone '{name}'", key="areas", expected=nearest(name, known))
        corners = np.asarray(known[name].polygon_m, np.float64)
        low, high = corners.min(axis=0), corners.max(axis=0)
        front = np.array([(low[0] + high[0]) / 2, low[1], 0.0])
        boxes.append((name, front, np.eye(3), np.array([*(high - low), _TALL_M]), corners))
    return HandZones(
        tuple(box[0] for box in boxes),
        np.array([box[1] for box in boxes], np.float64).reshape(-1, 3),
        np.array([box[2] for box in boxes], np.float64).reshape(-1, 3, 3),
        np.array([box[3] for box in boxes], np.float64).reshape(-1, 3),
        tuple(box[4] for box in boxes),
    )


def _box(plates: Sequence[Plate]) -> tuple[Array, Array, Array]:
    """Front, rotation and size of what the plates of one shelf take up together, without a height yet."""
    rotation = plates[0].rotation
    centre = np.array([plate.centre_m for plate in plates]) @ rotation
    half = np.array([plate.size_m for plate in plates]) / 2
    low, high = (centre[:, :2] - half).min(axis=0), (centre[:, :2] + half).max(axis=0)
    front = rotation @ np.array([(low[0] + high[0]) / 2, low[1], centre[:, 2].mean()])
    return front, rotation, np.array([*(high - low), np.nan])


def _with_height(boxes: Sequence[tuple[str, Array, Array, Array]]) -> list[_Named]:
    """Each shelf reaches up to the next one over it."""
    filled: list[_Named] = []
    for name, front, rotation, size in boxes:
        over = [
            float(other[2] - front[2])
            for other_name, other, _, _ in boxes
            if other_name.split("/")[0] == name.split("/")[0] and other[2] > front[2] + 1e-6
        ]
        height_m = max(_LEAST_ROOM_M, min([_ROOM_M, *over]))
        filled.append((name, front, rotation, np.array([size[0], size[1], height_m]), None))
    return filled
