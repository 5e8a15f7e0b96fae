"""Products that never existed, in families that a scale or a camera alone cannot tell apart."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from gocv.core import Product
from gocv.sim.articles import Article, Form
from gocv.sim.stores.barcodes import in_store_barcode
from gocv.sim.stores.packs import colours_of, size_of

Kind = Literal["same_weight", "near_weight", "unique"]
"""Same pack and weight in other colours; weights 2 to 5 g apart; nothing of the sort."""

LIGHTEST_G, HEAVIEST_G = 15.0, 2000.0
"""Of a unit's mean weight."""


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """Products that stand beside each other because they are alike.

    Attributes:
        kind: In which way.
        department: What they are.
        articles: At least two, but for a unique product.
    """

    kind: Kind
    department: str
    articles: tuple[Article, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Department:
    """What a department sells.

    Attributes:
        name: Of one of its products.
        share: Of all families.
        form: Of its packs.
        median_g: Of the families' weights, which are log-normal.
        log_sd: Standard deviation of their logarithm.
        range_g: The lightest and the heaviest.
        near: How much more often its families are of near weights.
    """

    name: str
    share: float
    form: Form
    median_g: float
    log_sd: float
    range_g: tuple[float, float]
    near: float = 1.0


_DEPARTMENTS = (
    _Department("Candy", 0.22, "box", 62.0, 0.30, (40.0, 110.0), near=3.0),
    _Department("Crisps", 0.14, "bag", 70.0, 0.45, (25.0, 250.0)),
    _Department("Nuts", 0.06, "bag", 140.0, 0.40, (40.0, 500.0)),
    _Department("Sachet", 0.06, "box", 35.0, 0.50, (LIGHTEST_G, 120.0)),
    _Department("Cereal", 0.10, "box", 360.0, 0.45, (120.0, 1000.0)),
    _Department("Drink", 0.20, "bottle", 560.0, 0.50, (200.0, HEAVIEST_G)),
    _Department("Soup", 0.10, "can", 330.0, 0.35, (140.0, 900.0)),
    _Department("Spread", 0.06, "jar", 420.0, 0.35, (150.0, 900.0)),
    _Department("Milk", 0.06, "carton", 620.0, 0.50, (200.0, 1600.0)),
)
_FLAVOURS = ("Classic", "Cherry", "Lemon", "Mint", "Paprika", "Vanilla", "Sea Salt", "Cocoa", "Berry", "Ginger")


def make_families(
    products: int, same_weight: float, near_weight: float, rng: np.random.Generator
) -> tuple[Family, ...]:
    """Families of that many products, department by department.

    Args:
        products: How many in all.
        same_weight: Share of the products that are in families of one weight; as near as whole families come to it.
        near_weight: Share of those in families of near weights.
        rng: Stream of random numbers.
    """
    families: list[Family] = []
    for kind, size in _sizes(products, same_weight, near_weight, rng):
        weights = [d.share * (d.near if kind == "near_weight" else 1.0) for d in _DEPARTMENTS]
        department = _DEPARTMENTS[int(rng.choice(len(_DEPARTMENTS), p=np.array(weights) / sum(weights)))]
        first = sum(len(family.articles) for family in families)
        families.append(_family(kind, size, department, first, rng))
    order = {department.name: place for place, department in enumerate(_DEPARTMENTS)}
    return tuple(sorted(families, key=lambda family: order[family.department]))


def _sizes(products: int, same_weight: float, near_weight: float, rng: np.random.Generator) -> list[tuple[Kind, int]]:
    """Kind and number of products of each family."""
    found: list[tuple[Kind, int]] = []
    shares: tuple[tuple[Kind, float, int], ...] = (("same_weight", same_weight, 6), ("near_weight", near_weight, 5))
    for kind, share, most in shares:
        left = round(products * share)
        while left >= 2:
            size = min(int(rng.integers(2, most + 1)), left)
            size -= size == left - 1 and size > 2  # no member is left over alone
            found.append((kind, size))
            left -= size
    rest = products - sum(size for _, size in found)
    return found + [("unique", 1)] * rest


def _family(kind: Kind, size: int, department: _Department, first: int, rng: np.random.Generator) -> Family:
    low, high = department.range_g
    steps = rng.uniform(2.0, 5.0, size) if kind == "near_weight" else np.zeros(size)
    steps[0] = 0.0
    room_g = high - float(steps.sum())
    # The log-normal distribution between its bounds, by its inverse: cutting it off would heap products at the ends.
    ends = ndtr(np.log(np.array([low, room_g]) / department.median_g) / department.log_sd)
    base_g = float(department.median_g * np.exp(department.log_sd * ndtri(rng.uniform(*ends))))
    weights = np.round(base_g + np.cumsum(steps), 1)
    spread, brand = float(rng.uniform(0.004, 0.010)), f"{department.name} {first + 1}"
    price = round(0.6 + 0.006 * base_g * float(rng.uniform(0.6, 1.6)), 2)
    flavours = rng.permutation(_FLAVOURS)
    shape = size_of(brand, base_g, department.form)
    articles = []
    for member, weight_g in enumerate(weights):
        barcode = in_store_barcode(first + member)
        name = brand if kind == "unique" else f"{brand} {flavours[member]}"
        sd_g = round(float(weight_g) * spread, 2)
        product = Product(barcode, name, float(weight_g), sd_g, price)
        sides = (shape.width_m, shape.depth_m, shape.height_m)
        articles.append(Article(product, float(weight_g), sd_g, *sides, department.form, *colours_of(barcode)))
    return Family(kind, department.name, tuple(articles))
