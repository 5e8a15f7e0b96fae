"""The store's tables: products.csv, plates.csv, planogram.csv."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gocv.core import Plate, PlateId, Product, Store
from gocv.data.recording.barcodes import restored
from gocv.data.recording.parts import Problem
from gocv.data.tables import Row, read_csv, write_csv
from gocv.geometry import rodrigues, rotation_vector

PRODUCTS = ("product", "name", "weight_g", "weight_sd_g", "price")
PLATES = (
    *("gondola", "shelf", "plate"),
    *("x_m", "y_m", "z_m", "rx_rad", "ry_rad", "rz_rad", "width_m", "depth_m"),
)
PLANOGRAM = ("product", "gondola", "shelf", "plate")

_FULL_TURN = 2 * np.pi
"""The limit tells most degrees from radians."""


def read_products(path: Path, problems: list[Problem]) -> tuple[dict[str, Product], dict[str, str]]:
    """Products by id; one without weight is kept. Barcodes that lost their leading zeros are restored, and reported.

    Returns:
        The products, and the ids that were restored, by what the file has.

    Raises:
        DataError: A row is malformed or names a product for the second time.
    """
    products: dict[str, Product] = {}
    for row in read_csv(path, PRODUCTS):
        product = Product(
            row.text("product"),
            row.text("name"),
            row.number_or_nan("weight_g", least=0),
            row.number_or_nan("weight_sd_g", least=0),
            row.number_or_nan("price"),
        )
        if product.id in products:
            raise row.error(f"'{product.id}' stands in the table twice", "product", "each product once")
        products[product.id] = product
    lost = restored(products)
    for found, whole in lost.items():
        message = f"barcode {found} lost its leading zeros: taken for {whole}"
        problems.append(Problem("warning", message, str(path), key="product"))
        products[whole] = dataclasses.replace(products.pop(found), id=whole)
    return products, lost


def read_plates(path: Path) -> dict[PlateId, Plate]:
    """Plates by id; a blank place means a plate that was not surveyed, a blank rotation none.

    Raises:
        DataError: A row is malformed or names a plate for the second time.
    """
    plates: dict[PlateId, Plate] = {}
    for row in read_csv(path, PLATES):
        plate = _plate_id(row)
        if plate in plates:
            raise row.error(f"plate {plate} stands in the table twice", "plate", "each plate once")
        centre = row.numbers_or_nan(("x_m", "y_m", "z_m"))
        turn = row.numbers_or_nan(("rx_rad", "ry_rad", "rz_rad"), least=-_FULL_TURN, most=_FULL_TURN)
        size = row.numbers_or_nan(("width_m", "depth_m"), least=0)
        plates[plate] = Plate(plate, np.array(centre), rodrigues(np.nan_to_num(turn)), np.array(size))
    return plates


def read_planogram(
    path: Path, store: Store, problems: list[Problem], restored_ids: Mapping[str, str]
) -> dict[str, frozenset[PlateId]]:
    """Plates by product; `restored_ids` are barcodes whose zeros were lost, as `read_products` gives them.

    Rows naming a plate or product that does not exist are reported and left out; a product without weight is
    reported and kept.

    Raises:
        DataError: A row is malformed.
    """
    planogram: dict[str, set[PlateId]] = defaultdict(set)
    for row in read_csv(path, PLANOGRAM):
        product, plate = row.text("product"), _plate_id(row)
        product = restored_ids.get(product, product)
        for missing, key, name in (
            (product not in store.products, "product", f"product {product} is not in the catalogue"),
            (plate not in store.plates, "plate", f"plate {plate} does not exist"),
        ):
            if missing:
                message = f"{name}: this row of the planogram is ignored"
                problems.append(Problem("warning", message, str(path), row.number, key))
                break
        else:
            if product not in planogram and not store.products[product].weight_g > 0:
                name = f"product {product} ({store.products[product].name})"
                message = f"{name} has no weight on file: the scales cannot tell how many units moved"
                problems.append(Problem("warning", message, str(path), row.number, "product"))
            planogram[product].add(plate)
    return {product: frozenset(plates) for product, plates in planogram.items()}


def write_store(folder: Path, store: Store) -> None:
    """Write the three tables into `folder`, rows sorted."""
    write_csv(
        folder / "products.csv",
        PRODUCTS,
        [(p.id, p.name, p.weight_g, p.weight_sd_g, p.price) for _, p in sorted(store.products.items())],
    )
    write_csv(
        folder / "plates.csv",
        PLATES,
        [
            (*plate.id, *map(float, (*plate.centre_m, *rotation_vector(plate.rotation), *plate.size_m)))
            for _, plate in sorted(store.plates.items())
        ],
    )
    write_csv(
        folder / "planogram.csv",
        PLANOGRAM,
        [(product, *plate) for product, plates in sorted(store.planogram.items()) for plate in sorted(plates)],
    )


def _plate_id(row: Row) -> PlateId:
    gondola, shelf, plate = (row.integer(key, least=1) for key in ("gondola", "shelf", "plate"))
    return PlateId(gondola, shelf, plate)
