"""Where the plates are: Gondolas.json, Shelves.json and Plates.json, poses nested in that order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Plate, PlateId
from gocv.data.nanostore.document import Document
from gocv.geometry import rodrigues

_FILES = {"gondolas": "Gondolas.json", "shelves": "Shelves.json", "plates": "Plates.json"}
_WIDEST_M = 10.0


def is_layout(folder: Path) -> bool:
    """Whether the folder holds a layout's three files."""
    return all((folder / name).is_file() for name in _FILES.values())


def read_layout(folder: Path) -> dict[PlateId, Plate]:
    """The surveyed plates, in the store's frame.

    Each pose is a translation (metres) and a rotation vector in the frame of what it belongs to, a plate's origin
    the front left corner of its surface, x along the shelf and y away from the shopper.

    Raises:
        DataError: A file is missing or malformed, names something twice, or is in inches; file, entry and key are
            named.
    """
    gondolas = {(e.integer("id.id"),): e for e in _entries(folder, "gondolas")}
    shelves = {(e.integer("id.gondola_id.id"), e.integer("id.shelf_index")): e for e in _entries(folder, "shelves")}
    plates: dict[PlateId, Plate] = {}
    for entry in _entries(folder, "plates"):
        shelf = entry.integer("id.shelf_id.gondola_id.id"), entry.integer("id.shelf_id.shelf_index")
        plate = PlateId(*shelf, entry.integer("id.plate_index"))
        if min(plate) < 1 or plate in plates:
            raise entry.error(f"{plate} is no plate, or stands here twice", "id", "each plate once, from 1/1/1")
        for owner, known, kind in ((shelf[:1], gondolas, "gondolas"), (shelf, shelves, "shelves")):
            if owner not in known:
                raise entry.error(f"{'/'.join(map(str, owner))} is not among the {kind}", "id", _FILES[kind])
        store_t_plate = _pose(gondolas[shelf[:1]]) @ _pose(shelves[shelf]) @ _pose(entry)
        size_m = np.array([entry.number("coordinates.dim_x"), entry.number("coordinates.dim_y")])
        centre_m = store_t_plate @ [*(size_m / 2), 0.0, 1.0]
        plates[plate] = Plate(plate, centre_m[:3], store_t_plate[:3, :3], size_m)
    return plates


def _entries(folder: Path, kind: str) -> list[Document]:
    file = folder / _FILES[kind]
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"cannot be read: {problem}", file=file, expected="JSON") from problem
    if not isinstance(content, dict) or kind not in content:
        raise DataError("is missing", file=file, key=kind, expected="a list of documents")
    entries = [
        Document(file, row, part.fields) for row, part in enumerate(Document(file, 1, content).parts(kind), start=1)
    ]
    for entry in entries:
        width = entry.number("coordinates.dim_x")
        if not 0 < width < _WIDEST_M:
            raise entry.error(f"{width:g} cannot be a width in metres", "coordinates.dim_x", f"less than {_WIDEST_M:g}")
    return entries


def _pose(entry: Document) -> NDArray[np.float64]:
    """(4, 4) outer_T_inner."""
    pose = np.eye(4)
    where = "coordinates.transform"
    pose[:3, :3] = rodrigues([entry.number(f"{where}.rotation.{axis}") for axis in "xyz"])
    pose[:3, 3] = [entry.number(f"{where}.translation.{axis}") for axis in "xyz"]
    if not np.isfinite(pose).all():
        raise entry.error("is not finite", where, "metres and radians")
    return pose
