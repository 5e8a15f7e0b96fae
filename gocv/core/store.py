"""The store that does not move: products, plates, what stands where."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_PLATE = re.compile(r"[1-9][0-9]{0,8}(/[1-9][0-9]{0,8}){2}")


class ShelfId(NamedTuple):
    """A shelf of a gondola. Both count from 1."""

    gondola: int
    shelf: int

    def __str__(self) -> str:
        return f"{self.gondola}/{self.shelf}"


class PlateId(NamedTuple):
    """A plate (one weighing surface) of a shelf. All count from 1.

    >>> str(PlateId(1, 5, 11)), PlateId.parse("1/5/11").shelf_id
    ('1/5/11', ShelfId(gondola=1, shelf=5))
    """

    gondola: int
    shelf: int
    plate: int

    def __str__(self) -> str:
        return f"{self.gondola}/{self.shelf}/{self.plate}"

    @property
    def shelf_id(self) -> ShelfId:
        """The shelf it is on."""
        return ShelfId(self.gondola, self.shelf)

    @classmethod
    def parse(cls, text: str) -> PlateId:
        """Read "gondola/shelf/plate".

        Raises:
            ValueError: The text is not three positive whole numbers joined by slashes, without leading zeros: it
                could not be told from another spelling of the same plate.
        """
        if not _PLATE.fullmatch(text):
            raise ValueError(f"'{text}' is not gondola/shelf/plate")
        return cls(*map(int, text.split("/")))


@dataclasses.dataclass(frozen=True, slots=True)
class Product:
    """A product as the catalogue has it.

    Attributes:
        id: Barcode or other identity: text, leading zeros kept.
        name: What a person calls it.
        weight_g: Mean weight of one unit in grams; NaN where unknown.
        weight_sd_g: Standard deviation between units in grams; NaN where unknown.
        price: Of one unit, in the store's currency; NaN where unknown.
    """

    id: str
    name: str
    weight_g: float = float("nan")
    weight_sd_g: float = float("nan")
    price: float = float("nan")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A plate and where it is, in the store's frame (metres, z up).

    Attributes:
        id: Which plate.
        centre_m: (3,) float64, middle of its upper surface; NaN where not surveyed.
        rotation: (3, 3) float64, store_R_plate: x along the shelf, y away from the shopper, z up.
        size_m: (2,) float64, along x and along y; NaN where not surveyed.
    """

    id: PlateId
    centre_m: NDArray[np.float64]
    rotation: NDArray[np.float64]
    size_m: NDArray[np.float64]

    @classmethod
    def unsurveyed(cls, plate: PlateId) -> Plate:
        """A plate that is known to exist and nothing more."""
        return cls(plate, np.full(3, np.nan), np.eye(3), np.full(2, np.nan))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Zone:
    """A named area of the floor.

    Attributes:
        name: Such as "entrance".
        polygon_m: (v, 2) float64, corners in order, metres in the store's frame.
    """

    name: str
    polygon_m: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """Products, plates, planogram and zones of a store.

    Attributes:
        products: By id.
        plates: By id; in the planogram or not.
        planogram: The plates that each product stands on.
        zones: Named floor areas; the one called "entrance" is where shoppers come in and leave.
    """

    products: Mapping[str, Product]
    plates: Mapping[PlateId, Plate]
    planogram: Mapping[str, frozenset[PlateId]]
    zones: tuple[Zone, ...] = ()

    def products_on(self, plates: frozenset[PlateId]) -> list[str]:
        """Ids of the products that stand on any of `plates`, sorted."""
        return sorted(p for p, on in self.planogram.items() if on & plates)
