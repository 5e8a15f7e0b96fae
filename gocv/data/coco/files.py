"""COCO's JSON files (https://cocodataset.org/#format-data): labels read and written, results written."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gocv.core import DataError, Detections
from gocv.data.coco.dataset import DetectionSet, LabelledBoxes
from gocv.data.files import write_json
from gocv.geometry import xywh_to_xyxy, xyxy_to_xywh

_FILES = ("annotations/instances_{split}.json", "{split}/_annotations.coco.json")
_FOLDERS = ("{split}", "images/{split}", "images", "")


def read_coco(root: str | Path, split: str = "val2017", *, images: str | Path | None = None) -> DetectionSet:
    """Read a data set in COCO's format.

    Args:
        root: Its folder, with `annotations/instances_SPLIT.json` or `SPLIT/_annotations.coco.json`; or the JSON file.
        split: Which part of it; of no account where `root` is the file.
        images: Folder of the pictures. None: SPLIT, images/SPLIT or images in the root, or the root, or, where `root`
            is the file, the folder that it is in; the first that has the first picture.

    Returns:
        Crowds (`iscrowd`, and `ignore`, which some data sets write) are boxes to ignore.

    Raises:
        DataError: A file is missing, or the JSON is not right; its key is named, entries counted from 0.
    """
    root = Path(root)
    file = root if root.suffix == ".json" else _first(root, [name.format(split=split) for name in _FILES])
    content = _read(file)
    pictures = _records(content, "images", file)
    names = [str(_value(p, "file_name", str, f"images.{i}", file)) for i, p in enumerate(pictures)]
    ids = [int(_value(p, "id", int, f"images.{i}", file)) for i, p in enumerate(pictures)]
    size = [[int(_value(p, k, int, f"images.{i}", file)) for k in ("width", "height")] for i, p in enumerate(pictures)]
    classes, categories = _categories(content, file)
    folder = _folder(root, split, names) if images is None else Path(images)
    files = tuple(folder / name for name in names)
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(files)} pictures are not there", file=missing[0], expected=f"all of {file}"
        )
    row_of = {number: row for row, number in enumerate(ids)}
    if len(row_of) != len(ids):
        raise DataError("two pictures have one number", file=file, key="images.id", expected="different ones")
    boxes = _boxes(content, file, row_of, {number: label for label, number in enumerate(categories)})
    return DetectionSet(file.stem, files, np.array(size), np.array(ids), classes, categories, boxes)


def write_coco(path: str | Path, dataset: DetectionSet) -> None:
    """Write a data set's labels as one of COCO's JSON files; pictures are named by path from the file's folder.

    `read_coco` gives the same back, to a hundredth of a pixel.
    """
    path = Path(path)
    boxes = dataset.boxes
    pictures = [
        {
            "id": int(number),
            "file_name": Path(os.path.relpath(file, path.parent)).as_posix(),
            "width": int(w),
            "height": int(h),
        }
        for number, file, (w, h) in zip(dataset.image_id, dataset.files, dataset.size_px, strict=True)
    ]
    drawn = [
        {
            "id": row + 1,
            "image_id": int(dataset.image_id[boxes.image[row]]),
            "category_id": dataset.category_id[boxes.label[row]],
            "bbox": bbox,
            "area": round(float(boxes.area_px2[row]), 2),
            "iscrowd": int(boxes.ignore[row]),
        }
        for row, bbox in enumerate(_xywh(boxes.xyxy))
    ]
    named = [{"id": number, "name": name} for number, name in zip(dataset.category_id, dataset.classes, strict=True)]
    write_json(path, {"images": pictures, "annotations": drawn, "categories": named})


def write_coco_results(
    path: str | Path, dataset: DetectionSet, found: Sequence[Detections], classes: Sequence[str]
) -> None:
    """Write what a detector found in the form in which COCO's evaluation takes it.

    Args:
        path: The JSON file.
        dataset: Whose pictures were looked at.
        found: For each of them; classes that the data set lacks are left out.
        classes: The detector's, which `Detections.label` indexes.

    Raises:
        DataError: There are not as many results as pictures.
    """
    if len(found) != len(dataset):
        raise DataError(f"there are results of {len(found)} pictures", expected=f"{len(dataset)}, as in {dataset.name}")
    number = {
        label: dataset.category_id[dataset.classes.index(c)] for label, c in enumerate(classes) if c in dataset.classes
    }
    rows = [
        {"image_id": int(image), "category_id": number[label], "bbox": bbox, "score": round(score, 5)}
        for image, one in zip(dataset.image_id, found, strict=True)
        for bbox, label, score in zip(_xywh(one.xyxy), one.label.tolist(), one.score.tolist(), strict=True)
        if label in number
    ]
    write_json(Path(path), rows)


def _xywh(xyxy: Any) -> list[list[float]]:
    rounded: list[list[float]] = xyxy_to_xywh(xyxy.astype(np.float64)).round(2).tolist()
    return rounded


def _first(root: Path, names: Sequence[str]) -> Path:
    for name in names:
        if (root / name).is_file():
            return root / name
    raise DataError("there are no labels", file=root, expected=" or ".join(names))


def _folder(root: Path, split: str, names: Sequence[str]) -> Path:
    if root.suffix == ".json":
        return root.parent
    folders = [root / name.format(split=split) for name in _FOLDERS]
    return next((folder for folder in folders if names and (folder / names[0]).is_file()), folders[0])


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="JSON in COCO's format") from error
    if not isinstance(content, dict):
        raise DataError("is not in COCO's format", file=file, expected="an object with images, annotations, categories")
    return content


def _records(content: dict[str, Any], key: str, file: Path) -> list[dict[str, Any]]:
    found = content.get(key)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError("is missing or not a list of objects", file=file, key=key, expected="COCO's format")
    return found


def _value(record: dict[str, Any], key: str, kind: type, place: str, file: Path) -> Any:
    value = record.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"is {value!r}", file=file, key=f"{place}.{key}", expected=f"{kind.__name__}")
    return value


def _categories(content: dict[str, Any], file: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    records = _records(content, "categories", file)
    names = tuple(str(_value(c, "name", str, f"categories.{i}", file)) for i, c in enumerate(records))
    numbers = tuple(int(_value(c, "id", int, f"categories.{i}", file)) for i, c in enumerate(records))
    for key, values in (("name", names), ("id", numbers)):
        if len(set(values)) != len(values):
            raise DataError("stands there twice", file=file, key=f"categories.{key}", expected="each once")
    return names, numbers


def _boxes(content: dict[str, Any], file: Path, row_of: dict[int, int], label_of: dict[int, int]) -> LabelledBoxes:
    records = _records(content, "annotations", file)
    image, label, xywh = np.zeros(len(records), np.int64), np.zeros(len(records), np.int64), np.zeros((len(records), 4))
    ignore, area = np.zeros(len(records), np.bool_), np.zeros(len(records))
    for row, record in enumerate(records):
        place = f"annotations.{row}"
        for key, known, column in (("image_id", row_of, image), ("category_id", label_of, label)):
            number = _value(record, key, int, place, file)
            if number not in known:
                raise DataError(f"is {number}, which is not listed", file=file, key=f"{place}.{key}")
            column[row] = known[number]
        xywh[row] = _bbox(record, place, file)
        ignore[row] = bool(record.get("iscrowd", 0)) or bool(record.get("ignore", 0))
        area[row] = record["area"] if isinstance(record.get("area"), (int, float)) else xywh[row, 2] * xywh[row, 3]
    order = np.argsort(image, kind="stable")
    xyxy = xywh_to_xyxy(xywh).astype(np.float32)
    return LabelledBoxes(image, xyxy, label, ignore, area.astype(np.float32))[order]


def _bbox(record: dict[str, Any], place: str, file: Path) -> list[float]:
    value = record.get("bbox")
    fits = isinstance(value, list) and len(value) == 4 and all(isinstance(v, (int, float)) for v in value)
    if not fits or not np.isfinite(value).all() or min(value[2:]) < 0:  # type: ignore[arg-type,index]
        raise DataError(f"is {value!r}", file=file, key=f"{place}.bbox", expected="left, top, width, height in pixels")
    return value  # type: ignore[return-value]
