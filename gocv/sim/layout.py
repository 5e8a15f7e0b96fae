"""The simulated store that does not move: the room, its gondolas, plates and cameras, what stands where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, Plate, PlateId, ShelfId, Store, Zone
from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article
from gocv.sim.scales import ScaleNoise

BODY_M = 0.25
"""How much room a person needs around them."""
STANDING_M = 0.50
"""How far in front of a gondola its shoppers stand."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gondola:
    """A row of shelves that is reached from one side. Along counts from the left as the shopper sees it.

    Attributes:
        number: From 1.
        corner_m: (x, y) of its left front corner, in the store's frame.
        yaw_rad: Turn of its axes against the store's: x along the shelf, y away from the shopper.
        plates: On each shelf.
        heights_m: Of the shelves above the floor, the lowest first, which is shelf 1.
        pitch_m: From the middle of a plate to that of the next one.
        depth_m: Of its shelves.
        noise: How its scales misbehave.
    """

    number: int
    corner_m: tuple[float, float]
    yaw_rad: float
    plates: int
    heights_m: tuple[float, ...]
    pitch_m: float = 0.10
    depth_m: float = 0.40
    noise: ScaleNoise = ScaleNoise()

    @property
    def length_m(self) -> float:
        """Along the shelf."""
        return self.plates * self.pitch_m

    @property
    def top_m(self) -> float:
        """Height of the whole gondola: its highest shelf and what stands on that."""
        return max(self.heights_m) + 0.30

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3) store_R_gondola."""
        c, s = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    @property
    def outlook(self) -> NDArray[np.float64]:
        """(2,) unit vector in which a shopper at this gondola looks."""
        return self.rotation[:2, 1]

    def point(self, along_m: float, inward_m: float, height_m: float) -> NDArray[np.float64]:
        """(3,) in the store's frame of a place on the gondola; negative `inward_m` is in front of it."""
        corner = np.array([*self.corner_m, 0.0])
        return np.asarray(corner + self.rotation @ np.array([along_m, inward_m, height_m]))

    def covers(self, xy_m: NDArray[np.float64], margin_m: float) -> NDArray[np.bool_]:
        """(n,) whether each of (n, 2) places on the floor is under the gondola or within a margin of it."""
        along, inward = ((xy_m - np.array(self.corner_m)) @ self.rotation[:2, :2]).T
        beside = (along < -margin_m) | (along > self.length_m + margin_m)
        return np.asarray(~(beside | (inward < -margin_m) | (inward > self.depth_m + margin_m)))

    def shelf_ids(self) -> list[ShelfId]:
        """The lowest first."""
        return [ShelfId(self.number, shelf + 1) for shelf in range(len(self.heights_m))]

    def plate_ids(self, shelf: ShelfId) -> list[PlateId]:
        """Those of one shelf, from the left."""
        return [PlateId(*shelf, plate + 1) for plate in range(self.plates)]


@dataclasses.dataclass(frozen=True, slots=True)
class Facing:
    """A product's place on a shelf.

    Attributes:
        article: What.
        shelf: Where.
        first_plate: From 1.
        plates: How many neighbouring plates the planogram gives it; the first and the last may be its neighbours' too.
        left_m: Where its room really begins, along the shelf.
        right_m: Where it ends.
        display: Whether its units stand on the plates or hang from pegs over them.
        units: How many stand there when it is full; as many as fit where None.
    """

    article: Article
    shelf: ShelfId
    first_plate: int
    plates: int
    left_m: float
    right_m: float
    display: Literal["shelf", "peg"] = "shelf"
    units: int | None = None

    @property
    def centre_m(self) -> float:
        """Its middle along the shelf."""
        return (self.left_m + self.right_m) / 2

    def plate_ids(self) -> frozenset[PlateId]:
        """The plates that the planogram gives it."""
        return frozenset(PlateId(*self.shelf, self.first_plate + i) for i in range(self.plates))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class StoreLayout:
    """A store that can be simulated. Its room is a rectangle along the axes of the store's frame.

    Attributes:
        store: As a recording has it.
        gondolas: By number.
        facings: Where each product stands, products in two places twice.
        size_m: Of the room, along x and y.
        door_m: (x, y) where shoppers come in and leave, close to the wall of the smallest x.
        cameras: By name.
        ceiling_m: Height of the room.
        origin_m: (x, y) of the room's corner with the smallest x and y: (0, 0) but for stores that were surveyed in
            a frame of their own.
        notes: What was assumed of a real store, left out, or made to fit.
    """

    store: Store
    gondolas: Mapping[int, Gondola]
    facings: tuple[Facing, ...]
    size_m: tuple[float, float]
    door_m: tuple[float, float]
    cameras: Mapping[str, PinholeCamera]
    ceiling_m: float
    origin_m: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()

    @classmethod
    def build(
        cls,
        gondolas: Sequence[Gondola],
        facings: Sequence[Facing],
        *,
        zones: Sequence[Zone],
        size_m: tuple[float, float],
        door_m: tuple[float, float],
        cameras: Mapping[str, PinholeCamera] | None = None,
        ceiling_m: float = 2.8,
        origin_m: tuple[float, float] = (0.0, 0.0),
    ) -> StoreLayout:
        """The layout whose products, plates and planogram follow from gondolas and facings.

        Raises:
            ConfigError: A facing is on no plate of the store, or a camera is in a wall or a gondola; the message names
                which.
        """
        by_number = {g.number: g for g in gondolas}
        planogram: dict[str, frozenset[PlateId]] = {}
        plates = {plate.id: plate for gondola in gondolas for plate in _plates(gondola)}
        for facing in facings:
            missing = sorted(facing.plate_ids() - plates.keys())
            if missing or not facing.plates:
                where = f"plate {missing[0]}, which is not there" if missing else "no plate"
                raise ConfigError(f"product {facing.article.id} stands on {where}", key="facings", expected="a plate")
            planogram[facing.article.id] = planogram.get(facing.article.id, frozenset()) | facing.plate_ids()
        for name, camera in (cameras or {}).items():
            _check_camera(name, camera, gondolas, (origin_m, size_m, ceiling_m))
        store = Store(
            products={f.article.id: f.article.product for f in facings},
            plates=plates,
            planogram=planogram,
            zones=tuple(zones),
        )
        return cls(store, by_number, tuple(facings), size_m, door_m, dict(cameras or {}), ceiling_m, origin_m)

    def is_free(self, xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) whether a person can stand at each of (n, 2) places: inside the room and clear of the gondolas."""
        inside_m = xy_m - np.array(self.origin_m)
        free = ((inside_m > 0.1) & (inside_m < np.array(self.size_m) - 0.1)).all(axis=1)
        for gondola in self.gondolas.values():
            free &= ~gondola.covers(xy_m, BODY_M)
        return np.asarray(free)


def _check_camera(
    name: str,
    camera: PinholeCamera,
    gondolas: Sequence[Gondola],
    room: tuple[tuple[float, float], tuple[float, float], float],
) -> None:
    (left, low), size_m, ceiling_m = room
    right, high = left + size_m[0], low + size_m[1]
    x, y, z = camera.position_m
    key = f"cameras.{name}.position_m"
    place = f"camera {name} at ({x:g}, {y:g}, {z:g}) m"
    if not (left < x < right and low < y < high and 0 < z <= ceiling_m):
        inside = f"inside the room, {left:g} to {right:g} by {low:g} to {high:g} by 0 to {ceiling_m:g} m"
        raise ConfigError(f"{place} is in a wall", key=key, expected=inside)
    for gondola in gondolas:
        if z < gondola.top_m and gondola.covers(np.array([[x, y]]), 0.0)[0]:
            raise ConfigError(f"{place} is inside gondola {gondola.number}", key=key, expected="a place outside it")


def _plates(gondola: Gondola) -> list[Plate]:
    size = np.array([gondola.pitch_m, gondola.depth_m])
    return [
        Plate(
            plate,
            gondola.point((plate.plate - 0.5) * gondola.pitch_m, gondola.depth_m / 2, height_m),
            gondola.rotation,
            size.copy(),
        )
        for shelf, height_m in zip(gondola.shelf_ids(), gondola.heights_m, strict=True)
        for plate in gondola.plate_ids(shelf)
    ]
