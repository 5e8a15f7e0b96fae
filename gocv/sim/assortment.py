"""What the simulated store sells: made-up products with the weights and sizes of real ones."""

from __future__ import annotations

from typing import NamedTuple

from gocv.core import Product


class Article(NamedTuple):
    """A product and the room it takes.

    Attributes:
        product: As the catalogue has it.
        width_m: Of one unit, along the shelf.
        depth_m: Of one unit, into the shelf.
    """

    product: Product
    width_m: float
    depth_m: float


# Name, mean weight of a unit (g), spread between units (share of the weight), width and depth (m), price.
_TABLE: tuple[tuple[str, float, float, float, float, float], ...] = (
    ("Hazel Oat Bar", 42.0, 0.008, 0.060, 0.100, 1.20),
    ("Salted Cashews", 154.0, 0.007, 0.085, 0.085, 3.40),
    ("Dark Cocoa Wafer", 88.0, 0.006, 0.070, 0.120, 1.90),
    ("Sea Salt Crisps", 61.0, 0.010, 0.110, 0.090, 1.60),
    ("Paprika Crisps", 63.5, 0.010, 0.110, 0.090, 1.60),
    ("Rye Crackers", 176.0, 0.006, 0.075, 0.110, 2.30),
    ("Mint Pastilles", 40.0, 0.006, 0.055, 0.090, 1.10),
    ("Almond Nougat", 102.0, 0.008, 0.060, 0.110, 2.20),
    ("Trail Mix Berry", 134.0, 0.009, 0.090, 0.090, 3.10),
    ("Sesame Sticks", 118.0, 0.008, 0.080, 0.090, 2.00),
    ("Milk Chocolate 100", 107.0, 0.005, 0.080, 0.130, 1.80),
    ("Fruit Gums", 97.0, 0.009, 0.080, 0.090, 1.30),
    ("Peanut Caramel Bar", 54.5, 0.007, 0.060, 0.100, 1.20),
    ("Coconut Bites", 72.0, 0.010, 0.075, 0.090, 1.90),
    ("Popcorn Sweet", 81.0, 0.010, 0.110, 0.090, 1.70),
    ("Still Water 0.5 L", 523.0, 0.005, 0.066, 0.066, 0.90),
    ("Sparkling Water 0.5 L", 527.5, 0.005, 0.066, 0.066, 0.90),
    ("Orange Juice 0.33 L", 372.0, 0.006, 0.062, 0.062, 2.10),
    ("Apple Spritz 0.5 L", 548.0, 0.006, 0.066, 0.066, 1.70),
    ("Cold Brew Coffee", 268.0, 0.006, 0.058, 0.058, 2.60),
    ("Iced Green Tea", 536.0, 0.005, 0.066, 0.066, 1.90),
    ("Cola 0.33 L", 349.0, 0.005, 0.066, 0.066, 1.40),
    ("Ginger Beer", 355.0, 0.005, 0.066, 0.066, 1.80),
    ("Oat Drink Cacao", 262.0, 0.007, 0.060, 0.060, 1.60),
    ("Energy Tonic", 276.5, 0.005, 0.054, 0.054, 1.90),
    ("Tomato Juice 0.7 L", 788.0, 0.006, 0.078, 0.078, 2.40),
    ("Coconut Water", 344.0, 0.006, 0.062, 0.062, 2.20),
    ("Instant Noodles", 86.0, 0.009, 0.100, 0.100, 1.50),
    ("Lentil Soup Cup", 312.0, 0.007, 0.095, 0.095, 2.70),
    ("Strawberry Jam", 458.0, 0.007, 0.075, 0.075, 2.50),
    ("Clover Honey", 671.0, 0.006, 0.080, 0.080, 4.90),
    ("Tuna Tin", 203.0, 0.006, 0.085, 0.085, 2.20),
    ("Chickpea Tin", 431.0, 0.006, 0.075, 0.075, 1.20),
    ("Basil Pesto", 322.0, 0.007, 0.068, 0.068, 2.90),
    ("Ground Coffee 250", 259.0, 0.005, 0.080, 0.060, 4.20),
    ("Spaghetti 500", 508.0, 0.005, 0.075, 0.050, 1.30),
    ("Shower Gel", 281.0, 0.006, 0.070, 0.045, 2.30),
    ("Toothpaste Mint", 129.0, 0.006, 0.055, 0.045, 1.90),
    ("Hand Soap", 346.0, 0.006, 0.075, 0.060, 1.80),
    ("Pocket Tissues", 163.0, 0.009, 0.090, 0.055, 1.40),
)


def assortment() -> tuple[Article, ...]:
    """The articles of the demonstration store, in the order in which its shelves are filled.

    Barcodes carry a right check digit and lie in the ranges that GS1 reserves for use inside a shop (02 and 20),
    so that none is that of a product somewhere. Those of range 02 begin with a zero: text, never a number.

    >>> [article.product.id for article in assortment()[:2]]
    ['0204310000013', '2004310000147']
    """
    articles = []
    for row, (name, weight_g, spread, width_m, depth_m, price) in enumerate(_TABLE):
        prefix = "02" if row % 2 == 0 else "20"
        barcode = _with_check_digit(f"{prefix}0431{row * 13 + 1:06d}")
        articles.append(Article(Product(barcode, name, weight_g, round(weight_g * spread, 2), price), width_m, depth_m))
    return tuple(articles)


def _with_check_digit(digits: str) -> str:
    """GS1 General Specifications, section 7.9: weights 3 and 1 from the right, sum to a multiple of ten."""
    total = sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)
