"""GTEA Gaze+ with boxes: what the wearer of a camera takes or holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from gocv.core import DataError
from gocv.data.products.pictures import ProductPictures


def read_gaze(root: str | Path) -> ProductPictures:
    """Boxes of the things taken or held, named as the annotation names them.

    Args:
        root: The folder with `images`, `Annotations` (Pascal VOC) and `scale.json`, by which the boxes are divided.

    Raises:
        DataError: A file is missing or not right.
    """
    folder = Path(root)
    scales: Any = _scales(folder / "scale.json")
    found: list[tuple[Path, str, list[float]]] = []
    for file in sorted((folder / "Annotations").glob("*.xml")):
        try:
            scale = float(scales[file.stem])
            for thing in ElementTree.parse(file).iter("object"):
                corners = [float(str(thing.findtext(f"bndbox/{key}"))) / scale for key in ("xmin", "ymin", "xmax", "ymax")]
                found.append((folder / "images" / f"{file.stem}.jpg", str(thing.findtext("name")).strip(), corners))
        except (ElementTree.ParseError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise DataError(f"cannot be read: {error!r}", file=file, expected="Pascal VOC, scaled in scale.json") from error
    if not found:
        raise DataError("there is no box", file=folder / "Annotations", expected="Pascal VOC files")
    products = tuple(sorted({name for _, name, _ in found}))
    number = [products.index(name) for _, name, _ in found]
    boxes = np.array([box for _, _, box in found], np.float32)
    return ProductPictures(tuple(file for file, _, _ in found), products, np.array(number), boxes)


def _scales(file: Path) -> Any:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="JSON of a scale for each picture") from error
    if not isinstance(said, dict):
        raise DataError("is no mapping", file=file, expected="JSON of a scale for each picture")
    return said
