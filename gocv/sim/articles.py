"""What a simulated store sells: an article is a product and the body that a unit of it has."""

from __future__ import annotations

import dataclasses
from typing import Literal

from gocv.core import ConfigError, Product

Form = Literal["box", "bag", "bottle", "can", "jar", "carton"]
"""How a unit is drawn, and how likely it is to lean on its neighbour: bags do, cans don't."""


@dataclasses.dataclass(frozen=True, slots=True)
class Article:
    """A product, what a unit of it really weighs, and what it looks like.

    Attributes:
        product: As the catalogue has it; its weight there may be wrong.
        weight_g: Mean of the units' real weights, grams.
        weight_sd_g: Standard deviation between units, grams.
        width_m: Of one unit, along the shelf.
        depth_m: Of one unit, into the shelf.
        height_m: Of one unit, upwards.
        form: Its shape.
        colour: Main colour of the pack, red, green, blue, 0 to 255 each.
        accent: Colour of its label.

    Raises:
        ConfigError: A weight or a size is not positive, or a spread is negative.
    """

    product: Product
    weight_g: float
    weight_sd_g: float
    width_m: float
    depth_m: float
    height_m: float = 0.15
    form: Form = "box"
    colour: tuple[int, int, int] = (200, 200, 200)
    accent: tuple[int, int, int] = (60, 60, 60)

    def __post_init__(self) -> None:
        for key in ("weight_g", "width_m", "depth_m", "height_m"):
            if not getattr(self, key) > 0:
                raise ConfigError(f"{getattr(self, key)} for product {self.product.id}", key=key, expected="above 0")
        if not self.weight_sd_g >= 0:
            raise ConfigError(
                f"{self.weight_sd_g} for product {self.product.id}", key="weight_sd_g", expected="0 or more"
            )

    @property
    def id(self) -> str:
        """The product's."""
        return self.product.id
