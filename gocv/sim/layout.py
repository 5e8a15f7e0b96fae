"""The simulated store that does not move: gondolas, plates, what stands where."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import Plate, PlateId, ShelfId, Store, Zone
from gocv.sim.assortment import Article, assortment
from gocv.sim.scales import SHAKY, ScaleNoise

PITCH_M = 0.10
DEPTH_M = 0.40
_BODY_M = 0.25
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
        noise: How its scales misbehave.
    """

    number: int
    corner_m: tuple[float, float]
    yaw_rad: float
    plates: int
    heights_m: tuple[float, ...]
    noise: ScaleNoise = ScaleNoise()

    @property
    def length_m(self) -> float:
        """Along the shelf."""
        return self.plates * PITCH_M

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
        plates: How many neighbouring plates it has.
    """

    article: Article
    shelf: ShelfId
    first_plate: int
    plates: int

    @property
    def centre_m(self) -> float:
        """Its middle along the shelf."""
        return (self.first_plate - 1 + self.plates / 2) * PITCH_M

    def plate_ids(self) -> frozenset[PlateId]:
        """The plates that are the product's own."""
        return frozenset(PlateId(*self.shelf, self.first_plate + i) for i in range(self.plates))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class StoreLayout:
    """A store that can be simulated.

    Attributes:
        store: As a recording has it.
        gondolas: By number.
        facings: Where each product stands, products in two places twice.
        size_m: Of the room, whose corner is the origin.
        door_m: (x, y) where shoppers come in and leave.
    """

    store: Store
    gondolas: Mapping[int, Gondola]
    facings: tuple[Facing, ...]
    size_m: tuple[float, float]
    door_m: tuple[float, float]

    @classmethod
    def build(
        cls,
        gondolas: Sequence[Gondola],
        facings: Sequence[Facing],
        *,
        zones: Sequence[Zone],
        size_m: tuple[float, float],
        door_m: tuple[float, float],
    ) -> StoreLayout:
        """The layout whose products, plates and planogram follow from gondolas and facings."""
        planogram: dict[str, frozenset[PlateId]] = {}
        for facing in facings:
            product = facing.article.product.id
            planogram[product] = planogram.get(product, frozenset()) | facing.plate_ids()
        store = Store(
            products={f.article.product.id: f.article.product for f in facings},
            plates={plate.id: plate for gondola in gondolas for plate in _plates(gondola)},
            planogram=planogram,
            zones=tuple(zones),
        )
        return cls(store, {g.number: g for g in gondolas}, tuple(facings), size_m, door_m)

    def is_free(self, xy_m: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(n,) whether a person can stand at each of (n, 2) places: inside the room and clear of the gondolas."""
        free = ((xy_m > 0.1) & (xy_m < np.array(self.size_m) - 0.1)).all(axis=1)
        for gondola in self.gondolas.values():
            along, inward = ((xy_m - np.array(gondola.corner_m)) @ gondola.rotation[:2, :2]).T
            beside = (along < -_BODY_M) | (along > gondola.length_m + _BODY_M)
            free &= beside | (inward < -_BODY_M) | (inward > DEPTH_M + _BODY_M)
        return np.asarray(free)


def demo_layout() -> StoreLayout:
    """A shop of 6.4 m by 4.2 m: four gondolas along its walls, 17 shelves, 172 plates, 40 products.

    >>> layout = demo_layout()
    >>> len(layout.store.plates), len(layout.store.products), len(layout.facings)
    (172, 40, 51)
    """
    five, four = (0.30, 0.62, 0.94, 1.26, 1.55), (0.35, 0.75, 1.15, 1.50)
    gondolas = (
        Gondola(1, (1.3, 3.7), 0.0, 12, five, SHAKY),
        Gondola(2, (3.6, 3.7), 0.0, 10, four),
        Gondola(3, (5.9, 2.6), -np.pi / 2, 9, four),
        Gondola(4, (4.1, 0.5), np.pi, 9, four),
    )
    floor = np.array([[0.0, 0.0], [6.4, 0.0], [6.4, 4.2], [0.0, 4.2]])
    entrance = np.array([[0.0, 1.4], [0.8, 1.4], [0.8, 2.8], [0.0, 2.8]])
    return StoreLayout.build(
        gondolas,
        _fill(gondolas, assortment()),
        zones=(Zone("entrance", entrance), Zone("shop", floor)),
        size_m=(6.4, 4.2),
        door_m=(0.15, 2.1),
    )


def _plates(gondola: Gondola) -> list[Plate]:
    size = np.array([PITCH_M, DEPTH_M])
    return [
        Plate(plate, gondola.point((plate.plate - 0.5) * PITCH_M, DEPTH_M / 2, height_m), gondola.rotation, size.copy())
        for shelf, height_m in zip(gondola.shelf_ids(), gondola.heights_m, strict=True)
        for plate in gondola.plate_ids(shelf)
    ]


def _fill(gondolas: Sequence[Gondola], articles: Sequence[Article]) -> list[Facing]:
    """Facings of three, two and four plates in turn, a plate left free after every second one.

    When every article has its place, some get a second one elsewhere, as in a real shop.
    """
    widths = (3, 2, 4)
    order = [*articles, *articles[3::7], *articles[1::7]]
    facings: list[Facing] = []
    for gondola in gondolas:
        for shelf in gondola.shelf_ids():
            first = 1
            for place, width in enumerate(widths):
                width = min(width, gondola.plates - first + 1)
                if width < 2:
                    break
                facings.append(Facing(order[len(facings)], shelf, first, width))
                first += width + place % 2
    return facings
