"""Photos of store shelves with boxes around products, and the catalogue of such products (Supervisely's format)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gocv.core import DataError
from gocv.data.pictures import SUFFIXES
from gocv.data.products.pictures import UNKNOWN, ProductPictures


def read_shelves(root: str | Path, products: tuple[str, ...] = ()) -> ProductPictures:
    """Every box of the photos in `img`, in the order of the photos' names and of the boxes in their files.

    Boxes are of pictures of the `size` in their file; they are brought to the pixels of the photo. Which product is in
    a box is not said there; see `read_shelf_labels`.

    Args:
        root: The folder with `img/NAME.jpg` and `ann/NAME.jpg.json`.
        products: Names for the table.

    Raises:
        DataError: There is no photo, a photo has no boxes' file or cannot be opened, or the file is not right.
    """
    folder = Path(root)
    photos = _photos(folder / "img")
    files, boxes = [], []
    for photo in photos:
        ann = folder / "ann" / f"{photo.name}.json"
        found = _boxes(ann, photo)
        files += [photo] * len(found)
        boxes += found
    table = np.array(boxes, np.float32).reshape(-1, 4)
    return ProductPictures(tuple(files), products, np.full(len(files), UNKNOWN), table)


def read_catalogue(root: str | Path) -> ProductPictures:
    """A folder of pictures, or one with them in `img`: each is a product, named as its file.

    Raises:
        DataError: There is no picture.
    """
    folder = Path(root)
    files = _photos(folder / "img" if (folder / "img").is_dir() else folder)
    return ProductPictures(tuple(files), tuple(file.stem for file in files), np.arange(len(files)))


def read_shelf_labels(file: str | Path, boxes: ProductPictures, catalogue: ProductPictures) -> ProductPictures:
    """The boxes that a table says the product of.

    Args:
        file: CSV with the columns `photo` (its name), `box` (its number in the photo, from 0) and `product` (of the
            catalogue; "none" for one that the catalogue has not).
        boxes: What `read_shelves` gave.
        catalogue: What `read_catalogue` gave.

    Returns:
        Those rows, in the table's order; -1 for products that the catalogue has not.

    Raises:
        DataError: The table is not right, or names a photo, box or product that is not there.
    """
    path, rows, products = Path(file), [], []
    number = {name: i for i, name in enumerate(catalogue.products)} | {"none": UNKNOWN}
    at: dict[str, list[int]] = {}
    for row, photo in enumerate(boxes.files):
        at.setdefault(photo.name, []).append(row)
    try:
        with path.open(newline="", encoding="utf-8") as opened:
            lines = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="CSV of photo, box, product") from error
    for line, said in enumerate(lines, 2):
        box = str(said.get("box"))
        theirs = at.get(str(said.get("photo")), [])
        if not (box.isdecimal() and int(box) < len(theirs)):
            wanted = f"0 to {len(theirs) - 1}" if theirs else "a box of a photo that is there"
            raise DataError(f"there is no box {box}", file=path, row=line, key="box", expected=wanted)
        if said.get("product") not in number:
            raise DataError(
                f"'{said.get('product')}' is not in the catalogue",
                file=path,
                row=line,
                key="product",
                expected="a product of it, or none",
            )
        rows.append(theirs[int(box)])
        products.append(number[str(said["product"])])
    chosen = boxes[np.array(rows, np.int64)]
    return ProductPictures(chosen.files, catalogue.products, np.array(products, np.int64), chosen.xyxy)


def _photos(folder: Path) -> list[Path]:
    found = sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not found:
        raise DataError("there is no picture", file=folder, expected="a folder of pictures")
    return found


def _boxes(file: Path, photo: Path) -> list[list[float]]:
    try:
        said: Any = json.loads(file.read_text(encoding="utf-8"))
        size = float(said["size"]["width"]), float(said["size"]["height"])
        corners = [box["points"]["exterior"] for box in said["objects"]]
        points = np.array(corners, np.float64).reshape(len(corners), 2, 2)
    except (OSError, KeyError, TypeError, ValueError) as error:
        expected = "JSON with size and objects, each with points.exterior of two corners"
        raise DataError(f"cannot be read: {error!r}", file=file, expected=expected) from error
    if min(size) <= 0 or not np.isfinite(points).all():
        raise DataError("has a size or corner that is no number of pixels", file=file, expected="numbers above 0")
    try:
        with Image.open(photo) as opened:
            scale = np.array(opened.size) / size
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be opened: {error}", file=photo, expected="a picture") from error
    points *= scale
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).tolist()  # type: ignore[no-any-return]
