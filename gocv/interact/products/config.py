"""What a network for products is made of."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model


class ProductModelConfig(Model):
    """From a picture to a vector.

    Attributes:
        size_px: Pictures are squeezed into squares of this side.
        share: Share of the height and width of a whole picture, in its middle, that is looked at where nobody says
            where the product is.
        vector: Length of the vector.
    """

    size_px: int = Field(default=160, ge=32)
    share: float = Field(default=0.75, gt=0, le=1)
    vector: int = Field(default=256, ge=1)
