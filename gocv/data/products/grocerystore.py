"""GroceryStoreDataset: products in natural store pictures, with a catalogue picture of each."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.pictures import SUFFIXES
from gocv.data.products.pictures import ProductDataset, ProductPictures

_NAME, _KIND, _ICONIC = "Class Name (str)", "Coarse Class Name (str)", "Iconic Image Path (str)"


def read_grocerystore(root: str | Path) -> ProductDataset:
    """GroceryStoreDataset, or the part of it that is there, such as the packages alone.

    (Klasson, Zhang and Kjellström, "A Hierarchical Grocery Store Image Dataset with Visual and Semantic Labels", WACV
    2019.) A product counts as there where its catalogue picture is. The pictures of a class lie in a folder of its
    name, at any depth below `train` and `val`; `val` need not have all of them.

    Args:
        root: The folder with `classes.csv`, `train`, `val` and `iconic-images-and-descriptions`.

    Returns:
        Products in the order of `classes.csv`; `kinds` are its coarse classes.

    Raises:
        DataError: A file or folder is missing, the table is not right, or a picture lies in a folder of no product.
    """
    folder = Path(root)
    listed = [row for row in _classes(folder / "classes.csv") if (folder / row[2]).is_file()]
    if not listed:
        raise DataError(
            "none of the catalogue pictures is there",
            file=folder,
            key=_ICONIC,
            expected="iconic-images-and-descriptions/… below it",
        )
    products = tuple(name for name, _, _ in listed)
    catalogue = ProductPictures(tuple(folder / path for _, _, path in listed), products, np.arange(len(listed)))
    train, val = (_part(folder / part, products) for part in ("train", "val"))
    return ProductDataset("grocerystore", tuple(kind for _, kind, _ in listed), catalogue, train, val)


def _classes(file: Path) -> list[tuple[str, str, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="the table of GroceryStoreDataset") from error
    found = []
    for number, row in enumerate(rows, 2):
        for key in (_NAME, _KIND, _ICONIC):
            if not row.get(key):
                raise DataError("is missing", file=file, row=number, key=key, expected="a name or path")
        found.append((row[_NAME].strip(), row[_KIND].strip(), row[_ICONIC].strip().lstrip("/")))
    names = [name for name, _, _ in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"'{twice}' stands there twice", file=file, key=_NAME, expected="a row for each class")
    return found


def _part(folder: Path, products: tuple[str, ...]) -> ProductPictures:
    if not folder.is_dir():
        raise DataError("there is no such folder", file=folder, expected="train/ and val/ with a folder for each class")
    numbers = {name: number for number, name in enumerate(products)}
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    for file in files:
        if file.parent.name not in numbers:
            raise DataError("lies in a folder of no product", file=file, expected="a class of classes.csv")
    return ProductPictures(tuple(files), products, np.array([numbers[f.parent.name] for f in files], np.int64))
