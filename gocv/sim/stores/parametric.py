"""A store made up from numbers: as large as wanted, with products that are as hard to tell apart as wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from gocv.core import ConfigError
from gocv.data.config import Model
from gocv.sim.articles import Article
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import SHAKY, ScaleNoise
from gocv.sim.stores.aisles import Aisles
from gocv.sim.stores.families import Family, make_families
from gocv.sim.stores.shelving import fill_shelves

MOST_PLATES = 5000
"""In one store."""
_LOWEST_M, _HIGHEST_M = 0.20, 1.65
"""Of the shelves: under the lowest ceiling there is room for what stands on the highest one."""

Share = Annotated[float, Field(ge=0, le=1)]


class ParametricStore(Model):
    """Numbers from which a store follows; the same ones always give the same store.

    Attributes:
        seed: Of the products and their places; nothing else depends on it.
        aisles: Each between two rows of gondolas.
        gondolas_per_row: One beside the other.
        shelves: On each gondola.
        plates_per_shelf: On each shelf; 5,000 in the whole store at most.
        pitch_m: From the middle of a plate to that of the next one.
        depth_m: Of the shelves.
        aisle_m: Between the fronts of two rows.
        same_weight: Share of the products in families of one pack and weight and several colours.
        near_weight: Share of those in families whose weights lie 2 to 5 g apart.
        second_facings: Share of the products that stand in two places.
        products: How many.
        shared_boundaries: Share of the boundaries between touching facings that lie on a plate which both have.
        pegs: Share of the light bags and small boxes that hang from pegs.
        shaky: Share of the gondolas whose scales are shaken.
        ceiling_m: Height of the room.
        width_px: Of the cameras' pictures.
        height_px: Of the cameras' pictures.
        fov_deg: Of the cameras, horizontally.
        seen_to_m: What is lower than this is in the picture of some camera, all over the floor.
    """

    seed: Annotated[int, Field(ge=0)] = 0
    aisles: Annotated[int, Field(ge=1, le=30)] = 2
    gondolas_per_row: Annotated[int, Field(ge=1, le=30)] = 2
    shelves: Annotated[int, Field(ge=1, le=8)] = 5
    plates_per_shelf: Annotated[int, Field(ge=2, le=60)] = 12
    pitch_m: Annotated[float, Field(ge=0.05, le=0.5)] = 0.10
    depth_m: Annotated[float, Field(ge=0.2, le=1.0)] = 0.40
    aisle_m: Annotated[float, Field(ge=1.2, le=6.0)] = 1.8
    same_weight: Share = 0.2
    near_weight: Share = 0.3
    second_facings: Share = 0.1
    products: Annotated[int, Field(ge=1, le=2000)] = 120
    shared_boundaries: Share = 0.2
    pegs: Share = 0.3
    shaky: Share = 0.0
    ceiling_m: Annotated[float, Field(ge=2.4, le=8.0)] = 3.0
    width_px: Annotated[int, Field(ge=64, le=4096)] = 640
    height_px: Annotated[int, Field(ge=64, le=4096)] = 360
    fov_deg: Annotated[float, Field(ge=40, le=130)] = 105.0
    seen_to_m: Annotated[float, Field(ge=0, le=1.5)] = 1.0

    @property
    def gondolas(self) -> int:
        """How many there are: a row on each side of every aisle."""
        return 2 * self.aisles * self.gondolas_per_row

    @property
    def plates(self) -> int:
        """How many there are."""
        return self.gondolas * self.shelves * self.plates_per_shelf

    @property
    def facings(self) -> int:
        """How many there are: one for each product, and the second ones."""
        return _facings(self.products, self.second_facings)

    @field_validator("plates_per_shelf")
    @classmethod
    def _not_too_many_plates(cls, plates: int, info: ValidationInfo) -> int:
        total = _plates({**info.data, "plates_per_shelf": plates})
        if total is not None and total > MOST_PLATES:
            raise ValueError(f"{total} plates in all are more than {MOST_PLATES}")
        return plates

    @field_validator("near_weight")
    @classmethod
    def _leaves_a_share(cls, near_weight: float, info: ValidationInfo) -> float:
        same_weight = info.data.get("same_weight", 0.0)
        if same_weight + near_weight > 1:
            raise ValueError(f"same_weight {same_weight:g} and near_weight {near_weight:g} are more than 1 together")
        return near_weight

    @field_validator("products")
    @classmethod
    def _each_has_a_plate(cls, products: int, info: ValidationInfo) -> int:
        plates, again = _plates(info.data), info.data.get("second_facings", 0.0)
        if plates is not None and _facings(products, again) > plates:
            problem = f"{products} products in {_facings(products, again)} places do not fit on {plates} plates"
            raise ValueError(f"{problem}: at most {int(plates / (1 + again))} would")
        return products

    def layout(self) -> StoreLayout:
        """The store.

        Raises:
            ConfigError: Its products are too wide for its shelves; the key is `products`.
        """
        making, placing, shaking = (np.random.default_rng(s) for s in np.random.SeedSequence(self.seed).spawn(3))
        families = make_families(self.products, self.same_weight, self.near_weight, making)
        floor = self._floor()
        shaky = set(shaking.permutation(self.gondolas)[: round(self.shaky * self.gondolas)].tolist())
        gondolas = floor.gondolas([SHAKY if i in shaky else ScaleNoise() for i in range(self.gondolas)])
        facings = fill_shelves(
            gondolas,
            self._order(families, placing),
            shared=self.shared_boundaries,
            pegs=self.pegs,
            rng=placing,
        )
        if facings is None:
            problem = f"{self.products} products in {self.facings} places do not fit on {self.plates} plates"
            raise ConfigError(problem, key="products", expected="fewer, or more plates: many need two or more")
        return StoreLayout.build(
            gondolas,
            facings,
            zones=floor.zones(),
            size_m=floor.size_m,
            door_m=floor.door_m,
            cameras=floor.cameras(self.ceiling_m, self.seen_to_m, (self.width_px, self.height_px), self.fov_deg),
            ceiling_m=self.ceiling_m,
        )

    def _floor(self) -> Aisles:
        heights = np.linspace(_LOWEST_M, _HIGHEST_M, self.shelves) if self.shelves > 1 else np.array([0.9])
        return Aisles(
            self.aisles,
            self.gondolas_per_row,
            self.plates_per_shelf,
            self.pitch_m,
            self.depth_m,
            self.aisle_m,
            tuple(float(height) for height in heights.round(3)),
        )

    def _order(self, families: tuple[Family, ...], rng: np.random.Generator) -> list[Article]:
        """Articles in the order in which shelves are filled: families together, second facings at the end."""
        first = [article for family in families for article in family.articles]
        again = rng.choice(len(first), self.facings - self.products, replace=False)
        return first + [first[i] for i in sorted(again.tolist())]


def _facings(products: int, again: float) -> int:
    """Places that products need, a share of them two."""
    return products + round(again * products)


def _plates(data: Mapping[str, int]) -> int | None:
    """Of the whole store, unless one of the numbers they follow from was refused itself."""
    keys = ("aisles", "gondolas_per_row", "shelves", "plates_per_shelf")
    return 2 * math.prod(data[key] for key in keys) if data.keys() >= set(keys) else None
