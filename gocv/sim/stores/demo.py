"""The store that comes with gocv: a small shop of made-up products with the weights and sizes of real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gocv.core import Product, Zone
from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article, Form
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.scales import SHAKY
from gocv.sim.stores.barcodes import in_store_barcode

# Name, mean weight of a unit (g), spread between units (share of the weight), width, depth and height (m), price, form,
# colours of the pack and of its label.
_TABLE: tuple[tuple[str, float, float, tuple[float, float, float], float, Form, str, str], ...] = (
    ("Hazel Oat Bar", 42.0, 0.008, (0.060, 0.100, 0.030), 1.20, "bag", "8a5a2b", "f2e3c2"),
    ("Salted Cashews", 154.0, 0.007, (0.085, 0.085, 0.150), 3.40, "bag", "2f5d9b", "f4d35e"),
    ("Dark Cocoa Wafer", 88.0, 0.006, (0.070, 0.120, 0.045), 1.90, "box", "3b2314", "d9a441"),
    ("Sea Salt Crisps", 61.0, 0.010, (0.110, 0.090, 0.200), 1.60, "bag", "1d70b8", "ffffff"),
    ("Paprika Crisps", 63.5, 0.010, (0.110, 0.090, 0.200), 1.60, "bag", "c8102e", "ffd100"),
    ("Rye Crackers", 176.0, 0.006, (0.075, 0.110, 0.190), 2.30, "box", "b5651d", "fff3d6"),
    ("Mint Pastilles", 40.0, 0.006, (0.055, 0.090, 0.110), 1.10, "box", "2a9d8f", "ffffff"),
    ("Almond Nougat", 102.0, 0.008, (0.060, 0.110, 0.035), 2.20, "box", "e9c46a", "6b3e26"),
    ("Trail Mix Berry", 134.0, 0.009, (0.090, 0.090, 0.180), 3.10, "bag", "6a1b4d", "f4a6c6"),
    ("Sesame Sticks", 118.0, 0.008, (0.080, 0.090, 0.170), 2.00, "bag", "d4a017", "3d2b1f"),
    ("Milk Chocolate 100", 107.0, 0.005, (0.080, 0.130, 0.020), 1.80, "box", "5b2c83", "f5e6ca"),
    ("Fruit Gums", 97.0, 0.009, (0.080, 0.090, 0.140), 1.30, "bag", "7cb518", "ffdd00"),
    ("Peanut Caramel Bar", 54.5, 0.007, (0.060, 0.100, 0.030), 1.20, "bag", "a0522d", "1e3a8a"),
    ("Coconut Bites", 72.0, 0.010, (0.075, 0.090, 0.130), 1.90, "bag", "e0f2f1", "00695c"),
    ("Popcorn Sweet", 81.0, 0.010, (0.110, 0.090, 0.210), 1.70, "bag", "ffd166", "d62828"),
    ("Still Water 0.5 L", 523.0, 0.005, (0.066, 0.066, 0.215), 0.90, "bottle", "bfe3f5", "0057a8"),
    ("Sparkling Water 0.5 L", 527.5, 0.005, (0.066, 0.066, 0.215), 0.90, "bottle", "a8dcc8", "00703c"),
    ("Orange Juice 0.33 L", 372.0, 0.006, (0.062, 0.062, 0.165), 2.10, "bottle", "ff8c1a", "ffffff"),
    ("Apple Spritz 0.5 L", 548.0, 0.006, (0.066, 0.066, 0.215), 1.70, "bottle", "d9c24a", "4c7a1f"),
    ("Cold Brew Coffee", 268.0, 0.006, (0.058, 0.058, 0.150), 2.60, "can", "2b1b12", "e6d3b3"),
    ("Iced Green Tea", 536.0, 0.005, (0.066, 0.066, 0.215), 1.90, "bottle", "9ac36b", "205e2f"),
    ("Cola 0.33 L", 349.0, 0.005, (0.066, 0.066, 0.115), 1.40, "can", "b00020", "f5f5f5"),
    ("Ginger Beer", 355.0, 0.005, (0.066, 0.066, 0.115), 1.80, "can", "c98b2b", "20160b"),
    ("Oat Drink Cacao", 262.0, 0.007, (0.060, 0.060, 0.140), 1.60, "carton", "6f4e37", "f0e1c6"),
    ("Energy Tonic", 276.5, 0.005, (0.054, 0.054, 0.145), 1.90, "can", "1b1b3a", "39ff88"),
    ("Tomato Juice 0.7 L", 788.0, 0.006, (0.078, 0.078, 0.230), 2.40, "bottle", "b22222", "e8f0d8"),
    ("Coconut Water", 344.0, 0.006, (0.062, 0.062, 0.160), 2.20, "carton", "f2f5ee", "2e8b57"),
    ("Instant Noodles", 86.0, 0.009, (0.100, 0.100, 0.110), 1.50, "box", "e63946", "ffe066"),
    ("Lentil Soup Cup", 312.0, 0.007, (0.095, 0.095, 0.120), 2.70, "can", "c26a1b", "f7ead0"),
    ("Strawberry Jam", 458.0, 0.007, (0.075, 0.075, 0.120), 2.50, "jar", "9d0f25", "f8d7da"),
    ("Clover Honey", 671.0, 0.006, (0.080, 0.080, 0.130), 4.90, "jar", "d99a1c", "fff0b8"),
    ("Tuna Tin", 203.0, 0.006, (0.085, 0.085, 0.045), 2.20, "can", "24567f", "d8e6ef"),
    ("Chickpea Tin", 431.0, 0.006, (0.075, 0.075, 0.110), 1.20, "can", "e0b05c", "4a3b1a"),
    ("Basil Pesto", 322.0, 0.007, (0.068, 0.068, 0.110), 2.90, "jar", "3f6b2a", "f3f0d0"),
    ("Ground Coffee 250", 259.0, 0.005, (0.080, 0.060, 0.170), 4.20, "bag", "4a2c1a", "c9302c"),
    ("Spaghetti 500", 508.0, 0.005, (0.075, 0.050, 0.270), 1.30, "bag", "f2d37c", "1b4f91"),
    ("Shower Gel", 281.0, 0.006, (0.070, 0.045, 0.200), 2.30, "bottle", "4cb0c9", "ffffff"),
    ("Toothpaste Mint", 129.0, 0.006, (0.055, 0.045, 0.190), 1.90, "box", "ffffff", "119a8e"),
    ("Hand Soap", 346.0, 0.006, (0.075, 0.060, 0.180), 1.80, "bottle", "e8b7cf", "8a2253"),
    ("Pocket Tissues", 163.0, 0.009, (0.090, 0.055, 0.110), 1.40, "bag", "dfe9f5", "3a6ea5"),
)

_HANG = frozenset(
    {
        "Hazel Oat Bar",
        "Salted Cashews",
        "Mint Pastilles",
        "Trail Mix Berry",
        "Sesame Sticks",
        "Fruit Gums",
        "Peanut Caramel Bar",
        "Coconut Bites",
    }
)
"""Light packs with a hole to hang them by."""


# Where each camera hangs and what it looks at: two see any place on the floor and on the fronts of the gondolas.
_CAMERAS = (
    ((0.6, 1.4, 2.7), (3.2, 2.7, 1.1)),
    ((5.0, 0.6, 2.7), (2.8, 2.3, 0.7)),
    ((4.3, 3.3, 2.7), (1.8, 1.6, 0.8)),
    ((2.9, 1.6, 2.7), (5.6, 1.9, 0.2)),
)
_DISTORTION = (-0.10, 0.015, 0.0003, -0.0002, 0.0)
"""A little barrel, as cheap wide lenses have it."""


def demo_layout() -> StoreLayout:
    """A shop of 6.4 m by 4.2 m: four gondolas along its walls, 17 shelves, 172 plates, 40 products, 4 cameras.

    >>> layout = demo_layout()
    >>> len(layout.store.plates), len(layout.store.products), len(layout.facings)
    (172, 40, 51)
    """
    five, four = (0.30, 0.62, 0.94, 1.26, 1.55), (0.35, 0.75, 1.15, 1.50)
    gondolas = (
        Gondola(1, (1.3, 3.7), 0.0, 12, five, noise=SHAKY),
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
        cameras={f"camera-{i + 1}": _camera(*views) for i, views in enumerate(_CAMERAS)},
    )


def _camera(position_m: tuple[float, float, float], target_m: tuple[float, float, float]) -> PinholeCamera:
    return PinholeCamera.look_at(
        position_m, target_m, focal_px=330.0, width_px=640, height_px=360, distortion=_DISTORTION
    )


def assortment() -> tuple[Article, ...]:
    """The articles of the demonstration store, in the order in which its shelves are filled.

    Barcodes carry a right check digit and lie in the ranges that GS1 reserves for use inside a shop (02 and 20),
    so that none is that of a product somewhere. Those of range 02 begin with a zero: text, never a number.

    >>> [article.id for article in assortment()[:2]]
    ['0204310000013', '2004310000147']
    """
    articles = []
    for row, (name, weight_g, spread, size_m, price, form, colour, accent) in enumerate(_TABLE):
        sd_g = round(weight_g * spread, 2)
        product = Product(in_store_barcode(row), name, weight_g, sd_g, price)
        articles.append(Article(product, weight_g, sd_g, *size_m, form, _rgb(colour), _rgb(accent)))
    return tuple(articles)


def _rgb(digits: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


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
                left_m = (first - 1) * gondola.pitch_m
                right_m = left_m + width * gondola.pitch_m
                article = order[len(facings)]
                display: Literal["shelf", "peg"] = "peg" if article.product.name in _HANG else "shelf"
                facings.append(Facing(article, shelf, first, width, left_m, right_m, display))
                first += width + place % 2
    return facings
