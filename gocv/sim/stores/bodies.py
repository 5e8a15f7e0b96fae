"""The body of a product of which only the catalogue's entry is known."""

from __future__ import annotations

from gocv.core import Product
from gocv.sim.articles import Article
from gocv.sim.stores.packs import Size, colours_of, form_of, size_of

USUAL_SPREAD = 0.006
"""Standard deviation between units as a share of their weight, where nobody weighed several."""


def make_article(product: Product, room: Size, *, weight_g: float | None = None) -> Article:
    """A product with the body that its weight and id suggest, made to fit.

    Args:
        product: As the catalogue has it.
        room: In which its units must fit.
        weight_g: Of its units, where that on file is not it.
    """
    weight = product.weight_g if weight_g is None else weight_g
    spread = product.weight_sd_g if product.weight_sd_g > 0 else round(USUAL_SPREAD * weight, 3)
    form = form_of(product.id, weight)
    size = size_of(product.id, weight, form).within(room)
    colour, accent = colours_of(product.id)
    return Article(product, weight, spread, size.width_m, size.depth_m, size.height_m, form, colour, accent)
