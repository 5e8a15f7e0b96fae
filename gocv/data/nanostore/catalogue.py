"""Products and planogram: from the documents, and from cps-test-01's table of names."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from gocv.core import PlateId, Product
from gocv.data.nanostore.document import Document
from gocv.data.tables import read_csv

_TABLE = ("Name", "Gondola", "Shelf", "Plate", "Weight", "Price")
_SAME_WEIGHT_G = 0.5
Planogram = dict[str, frozenset[PlateId]]


def read_products(documents: Iterable[Document], notes: list[str]) -> dict[str, Product]:
    """Products by barcode, of `products`; one that is listed again is taken as it stood first.

    Raises:
        DataError: A document is malformed; file, row and key are named.
    """
    products: dict[str, Product] = {}
    repeated, contradicted = 0, set()
    for document in documents:
        barcode = document.text("product_id.id")
        if not barcode:
            notes.append(f"{document.file.name}, row {document.row}: a product without barcode was left out")
            continue
        product = Product(
            barcode,
            document.text("metadata.name") or barcode,
            _weight(document.number("metadata.weight")),
            price=document.number("metadata.price", math.nan),
        )
        repeated += barcode in products
        first = products.setdefault(barcode, product)
        if repr(first) != repr(product):  # repr, because NaN differs from itself
            contradicted.add(barcode)
    if repeated:
        notes.append(f"{repeated} products are listed more than once; the first entry counts")
    if contradicted:
        notes.append(f"the entries of these products contradict each other: {_listed(contradicted)}")
    return products


def read_planogram(documents: Iterable[Document], products: Mapping[str, Product], notes: list[str]) -> Planogram:
    """Plates by barcode, of `planogram`.

    Entries without barcode are left out; barcodes that are not among `products` are kept; `notes` tells of both.

    Raises:
        DataError: A document is malformed; file, row and key are named.
    """
    planogram: dict[str, set[PlateId]] = defaultdict(set)
    for document in documents:
        plates = {_plate(part) for part in document.parts("plate_ids")}
        barcode = document.text("planogram_product_id.id")
        if barcode:
            planogram[barcode] |= plates
        else:
            notes.append(
                f"{document.file.name}, row {document.row}: the entry of plates {_listed(plates)} names no product"
                " and was left out"
            )
    unknown = sorted(set(planogram) - set(products))
    if unknown:
        notes.append(f"the planogram holds products that are not in the catalogue: {_listed(unknown)}")
    return {barcode: frozenset(plates) for barcode, plates in planogram.items() if plates}


def _plate(part: Document) -> PlateId:
    keys = ("shelf_id.gondola_id.id", "shelf_id.shelf_index", "plate_index")
    plate = PlateId(*(part.integer(key) for key in keys))
    if min(plate) < 1:
        raise part.error(f"{plate} is not a plate", keys[min(range(3), key=plate.__getitem__)], "a number from 1")
    return plate


class Barcodes:
    """Finds the barcode that a name stands for.

    Args:
        catalogue: Known products; they come first.
        more: Further ones, such as those of the labels, for names that the catalogue lacks.
    """

    def __init__(self, catalogue: Iterable[Product], more: Iterable[Product] = ()) -> None:
        self._products: dict[str, dict[str, Product]] = defaultdict(dict)
        for product in catalogue:
            self._products[_plain(product.name)].setdefault(product.id, product)
        named = set(self._products)
        for product in more:
            if _plain(product.name) not in named:
                self._products[_plain(product.name)].setdefault(product.id, product)

    def find(self, name: str, weight_g: float) -> tuple[str | None, list[str]]:
        """The barcode, or None; and all that the name could stand for.

        Names agree when they do but for case and blanks. Among several of one name the weight decides.
        """
        found = self._products.get(_plain(name), {})
        fits = [b for b, p in found.items() if abs(p.weight_g - weight_g) <= _SAME_WEIGHT_G]
        candidates = list(found) if len(found) == 1 else fits
        return (candidates[0] if len(candidates) == 1 else None), sorted(found)


def read_product_table(path: Path, barcodes: Barcodes, notes: list[str]) -> tuple[dict[str, Product], Planogram]:
    """Products and planogram of a table that knows names but no barcodes, a row for each plate (-1: not placed).

    A product whose barcode is not found is called "name:" and its name.

    Raises:
        DataError: The table is malformed; file, row and column are named.
    """
    prices: dict[tuple[str, float], float] = {}
    places: dict[tuple[str, float], set[PlateId]] = defaultdict(set)
    for row in read_csv(path, _TABLE):
        entry = (row.text("Name"), max(row.number_or_nan("Weight"), 0.0))
        prices.setdefault(entry, row.number_or_nan("Price"))
        plate = PlateId(row.integer("Gondola"), row.integer("Shelf"), row.integer("Plate"))
        places[entry] |= {plate} if min(plate) > 0 else set()
    products: dict[str, Product] = {}
    planogram: dict[str, frozenset[PlateId]] = {}
    counted: Counter[tuple[str, bool]] = Counter()
    # of entries that turn out to be one product, the one that is placed and weighed counts
    for name, weight_g in sorted(places, key=lambda entry: (not places[entry], not entry[1] > 0)):
        barcode, candidates = barcodes.find(name, weight_g)
        plates = places[name, weight_g]
        counted["placed" if plates else "not placed", barcode is not None] += 1
        if barcode is None and candidates:
            notes.append(f"'{name}' ({weight_g:g} g) could be any of {_listed(candidates)}: none was chosen")
        product = barcode or f"name:{name}"
        if product in products:
            notes.append(f"'{name}' stands in {path.name} more than once; its entry of {weight_g:g} g was left out")
        else:
            products[product] = Product(product, name, _weight(weight_g), price=prices[name, weight_g])
        if plates:
            planogram[product] = planogram.get(product, frozenset()) | plates
    for kind in ("placed", "not placed"):
        found, lacking = counted[kind, True], counted[kind, False]
        lost = f"; {lacking} are called by their name" if lacking else ""
        notes.append(f"a barcode was found for {found} of {found + lacking} products that are {kind}{lost}")
    return products, planogram


def _weight(grams: float) -> float:
    """Grams, NaN where the data set has none; it writes 0 for that."""
    return grams if math.isfinite(grams) and grams > 0 else math.nan


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _listed(things: Iterable[str] | Iterable[PlateId], most: int = 12) -> str:
    names = [str(thing) for thing in sorted(things)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
