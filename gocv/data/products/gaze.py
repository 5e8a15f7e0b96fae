"""GTEA Gaze+ with boxes: what the wearer of a camera takes or holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.products.pictures import ProductPictures

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_gaze(root: str | Path) -> tuple[ProductPictures, NDArray[np.int64]]:
    """Boxes of the things taken or held, named as the annotation names them.

    Args:
        root: The folder with `images`, `Annotations` (Pascal VOC) and `scale.json`, by which the boxes are divided.

    Returns:
        The things, and (n,) int64 numbers of the videos that they are from.

    Raises:
        DataError: A file is missing or not right.
    """
    folder = Path(root)
    scales: Any = _scales(folder / "scale.json")
    found: list[tuple[Path, str, list[float], str]] = []
    for file in sorted((folder / "Annotations").glob("*.xml")):
        try:
            scale = float(scales[file.stem])
            tree = ElementTree.parse(file)
            video = str(tree.findtext("folder")).strip()
            for thing in tree.iter("object"):
                corners = [float(str(thing.findtext(f"bndbox/{key}"))) / scale for key in _CORNERS]
                name = str(thing.findtext("name")).strip()
                found.append((folder / "images" / f"{file.stem}.jpg", name, corners, video))
        except (ElementTree.ParseError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise DataError(
                f"cannot be read: {error!r}", file=file, expected="Pascal VOC, scaled in scale.json"
            ) from error
    if not found:
        raise DataError("there is no box", file=folder / "Annotations", expected="Pascal VOC files")
    products = tuple(sorted({name for _, name, _, _ in found}))
    number = [products.index(name) for _, name, _, _ in found]
    boxes = np.array([box for _, _, box, _ in found], np.float32)
    videos = np.unique([video for _, _, _, video in found], return_inverse=True)[1].astype(np.int64)
    return ProductPictures(tuple(file for file, _, _, _ in found), products, np.array(number), boxes), videos


def _scales(file: Path) -> Any:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="JSON of a scale for each picture") from error
    if not isinstance(said, dict):
        raise DataError("is no mapping", file=file, expected="JSON of a scale for each picture")
    return said
