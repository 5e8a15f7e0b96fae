"""Every unit in the store: what it weighs, where it stands, and which plates carry it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, PlateId, ShelfId
from gocv.sim.assortment import Article
from gocv.sim.layout import DEPTH_M, PITCH_M, Facing, Gondola, StoreLayout

_GAP_M = 0.008
_ASTRIDE = 0.12
"""Share of the columns that stand shifted by a part of a plate: restocking is never perfect."""
_CARRIES = 0.05
"""A plate counts as one of an event's when it carries at least this share of the change."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One thing on sale.

    Attributes:
        article: What it is.
        weight_g: Its own weight.
        shelf: Where it stands.
        along_m: Its middle, along the shelf.
    """

    article: Article
    weight_g: float
    shelf: ShelfId
    along_m: float


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """What a take or a return does to one shelf.

    Attributes:
        shelf: Which.
        delta_g: (P,) float64, grams that come onto each plate.
        plates: Those that carry a part of it worth naming, sorted.
    """

    shelf: ShelfId
    delta_g: NDArray[np.float64]
    plates: tuple[PlateId, ...]


class Stock:
    """The units on the shelves and in the carts of a store; what leaves one is in the other.

    Args:
        layout: The store.
        rng: Own stream of random numbers.
    """

    def __init__(self, layout: StoreLayout, rng: np.random.Generator) -> None:
        self._layout = layout
        self._rng = rng
        self._shelved = [unit for facing in layout.facings for unit in self._stand(facing)]
        self._carts: dict[str, list[Unit]] = {}

    def count(self, product: str, shelf: ShelfId | None = None) -> int:
        """Units of a product on the shelves, or on one of them."""
        return sum(u.article.product.id == product and shelf in (None, u.shelf) for u in self._shelved)

    def cart(self, shopper: str) -> dict[str, int]:
        """Units by product that a shopper holds."""
        products = [unit.article.product.id for unit in self._carts.get(shopper, [])]
        return {product: products.count(product) for product in sorted(set(products))}

    def loads_g(self, shelf: ShelfId) -> NDArray[np.float64]:
        """(P,) grams that stand on each plate of a shelf."""
        gondola = self._layout.gondolas[shelf.gondola]
        return _spread([u for u in self._shelved if u.shelf == shelf], gondola)

    def take(self, shopper: str, product: str, quantity: int, shelf: ShelfId, along_m: float) -> Movement:
        """Move the units nearest to a place into a cart.

        Raises:
            DataError: The shelf has not as many.
        """
        there = [u for u in self._shelved if u.article.product.id == product and u.shelf == shelf]
        if len(there) < quantity:
            raise DataError(f"{len(there)} units of {product} stand on shelf {shelf}", expected=f"{quantity} or more")
        units = sorted(there, key=lambda unit: abs(unit.along_m - along_m))[:quantity]
        self._shelved = [u for u in self._shelved if not any(u is taken for taken in units)]
        self._carts.setdefault(shopper, []).extend(units)
        return self._movement(units, -1.0)

    def put_back(self, shopper: str, product: str, quantity: int, shelf: ShelfId, along_m: float) -> Movement:
        """Move the units last taken out of a cart to a place, which need not be theirs.

        Raises:
            DataError: The cart has not as many.
        """
        cart = self._carts.get(shopper, [])
        units = [u for u in reversed(cart) if u.article.product.id == product][:quantity]
        if len(units) < quantity:
            raise DataError(f"the cart of {shopper} holds {len(units)} units of {product}", expected=f"{quantity}")
        self._carts[shopper] = [u for u in cart if not any(u is gone for gone in units)]
        placed = [dataclasses.replace(u, shelf=shelf, along_m=self._fit(along_m, u.article, shelf)) for u in units]
        self._shelved.extend(placed)
        return self._movement(placed, 1.0)

    def _movement(self, units: Sequence[Unit], sign: float) -> Movement:
        shelf = units[0].shelf
        gondola = self._layout.gondolas[shelf.gondola]
        carried = _spread(units, gondola)
        named = carried >= _CARRIES * carried.sum()
        plates = tuple(p for p, is_named in zip(gondola.plate_ids(shelf), named, strict=True) if is_named)
        return Movement(shelf, sign * carried, plates)

    def _stand(self, facing: Facing) -> list[Unit]:
        """A facing's units, in columns one behind the other: now and then a column astride two plates."""
        article, rng = facing.article, self._rng
        columns = max(1, int(facing.plates * PITCH_M / (article.width_m + _GAP_M)))
        deep = max(1, int(DEPTH_M / (article.depth_m + _GAP_M)))
        pitch = facing.plates * PITCH_M / columns
        middles = facing.centre_m + (np.arange(columns) - (columns - 1) / 2) * pitch
        astride = rng.random(columns) < _ASTRIDE
        middles = middles + rng.normal(0.0, 0.004, columns) + astride * rng.choice((-0.03, 0.03), columns)
        weights = rng.normal(article.product.weight_g, article.product.weight_sd_g, (columns, deep))
        return [
            Unit(article, float(weight), facing.shelf, self._fit(float(middle), article, facing.shelf))
            for middle, column in zip(middles, weights, strict=True)
            for weight in column
        ]

    def _fit(self, along_m: float, article: Article, shelf: ShelfId) -> float:
        half = article.width_m / 2
        return float(np.clip(along_m, half, self._layout.gondolas[shelf.gondola].length_m - half))


def _spread(units: Sequence[Unit], gondola: Gondola) -> NDArray[np.float64]:
    """(P,) grams: each unit weighs on the plates under it, in proportion to the overlap."""
    if not units:
        return np.zeros(gondola.plates)
    middle = np.array([u.along_m for u in units])[:, None]
    half = np.array([u.article.width_m for u in units])[:, None] / 2
    left = np.arange(gondola.plates) * PITCH_M
    overlap = np.minimum(middle + half, left + PITCH_M) - np.maximum(middle - half, left)
    shares = np.maximum(overlap, 0.0) / (2 * half)
    weights = np.array([u.weight_g for u in units])
    return np.asarray(weights @ shares)
