"""Data sets in the tree of YOLO: a text file for each picture, a line for each box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.coco.dataset import DetectionSet, LabelledBoxes, labelled, picture_size
from gocv.data.coco.names import COCO_CLASSES
from gocv.data.config import load_yaml
from gocv.data.pictures import SUFFIXES
from gocv.geometry import cxcywh_to_xyxy

_SHOWN = 3


def read_yolo(root: str | Path, split: str = "val2017", *, classes: Sequence[str] | None = None) -> DetectionSet:
    """Read `images/SPLIT` with `labels/SPLIT`, whose lines are class, centre x and y, width, height as shares.

    A picture without a file of labels shows nothing; labels without a picture are passed over, and a note says so.

    Args:
        root: The folder.
        split: Which part of it.
        classes: Their names by number; None takes `names` of `data.yaml`, and COCO's 80 where there is no such file.

    Raises:
        DataError: A folder is missing, a picture cannot be read, or a line is not right; it is named.
    """
    root = Path(root)
    images, labels = root / "images" / split, root / "labels" / split
    for folder in (images, labels):
        if not folder.is_dir():
            raise DataError("there is no such folder", file=folder, expected="images/SPLIT and labels/SPLIT")
    names = _names(root) if classes is None else tuple(classes)
    files = tuple(sorted(f for f in images.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith(".")))
    size = np.array([picture_size(file) for file in files], np.int64).reshape(-1, 2)
    boxes = [_boxes(row, labels / f"{file.stem}.txt", size[row], len(names)) for row, file in enumerate(files)]
    stray = sorted({f.stem for f in labels.glob("*.txt")} - {f.stem for f in files})
    shown = ", ".join(stray[:_SHOWN]) + (" and others" if len(stray) > _SHOWN else "")
    notes = (f"{len(stray)} files of labels have no picture: {shown}",) if stray else ()
    return DetectionSet(
        f"{root.resolve().name} {split}",
        files,
        size,
        np.arange(1, len(files) + 1),
        names,
        tuple(range(1, len(names) + 1)),
        LabelledBoxes.concatenate([labelled([], [], []), *boxes]),
        notes,
    )


def _names(root: Path) -> tuple[str, ...]:
    file = root / "data.yaml"
    if not file.is_file():
        return COCO_CLASSES
    names = load_yaml(file, DataError).get("names")
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError("is not right", file=file, key="names", expected="a list of names, or names by number from 0")
    return tuple(names)


def _boxes(row: int, file: Path, size_px: np.ndarray[tuple[int], np.dtype[np.int64]], classes: int) -> LabelledBoxes:
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="lines of text") from error
    found = [_line(line, file, number, classes) for number, line in enumerate(lines, 1) if line.strip()]
    values = np.array(found).reshape(-1, 5)
    xyxy = cxcywh_to_xyxy(values[:, 1:]) * np.tile(size_px, 2)
    return labelled(np.full(len(values), row), xyxy, values[:, 0].astype(np.int64))


def _line(line: str, file: Path, number: int, classes: int) -> list[float]:
    try:
        values = [float(v) for v in line.split()]
    except ValueError:
        values = []
    expected = "class, centre x, centre y, width, height; the last four as shares of the picture"
    if len(values) != 5 or not all(0 <= v <= 1 for v in values[1:]):
        raise DataError(f"is '{line}'", file=file, row=number, expected=expected)
    if values[0] not in range(classes):
        raise DataError(f"class {values[0]:g} is not known", file=file, row=number, expected=f"0 to {classes - 1}")
    return values
