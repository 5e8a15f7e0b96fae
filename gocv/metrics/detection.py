"""Scores of detectors by COCO's rule: average precision and recall over boxes. pycocotools does the arithmetic.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; https://cocodataset.org/#detection-eval.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError
from gocv.geometry import area, xyxy_to_xywh

Array = NDArray[Any]

SIZES_PX2 = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""COCO's bounds of what is small, medium and large."""

_MOST = (1, 10, 100)
"""Detections of an image that count, for each of COCO's three kinds of recall."""


@dataclasses.dataclass(frozen=True, slots=True)
class DetectionScores:
    """Means over classes, and over IoU from 0.5 to 0.95 where none is named; NaN where nothing was to be found.

    Attributes:
        images: How many.
        boxes: To be found, of all sizes.
        ap: Average precision.
        ap50: At IoU 0.5.
        ap75: At IoU 0.75.
        ap_small: Of what is smaller than 32² px².
        ap_medium: Of what is between.
        ap_large: Of what is larger than 96² px².
        ar_1: Greatest recall with one detection an image.
        ar_10: With 10.
        ar_100: With 100.
        tall_boxes: To be found, of those at least as high as `tall_px`.
        ap50_tall: At IoU 0.5, what is less high being neither to be found nor wrong to find.
        recall_tall: Share of the same that some detection has, at IoU 0.5.
    """

    images: int
    boxes: int
    ap: float
    ap50: float
    ap75: float
    ap_small: float
    ap_medium: float
    ap_large: float
    ar_1: float
    ar_10: float
    ar_100: float
    tall_boxes: int
    ap50_tall: float
    recall_tall: float


@dataclasses.dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes over all images of a data set, as arrays of one length.

    Attributes:
        image: (n,) whole numbers, the image's position from 0.
        xyxy: (n, 4) pixels.
        label: (n,) whole numbers, the class.
        score: (n,) for what was found; None for what is true.
        ignore: (n,) bool, true boxes that are neither to be found nor wrong to find; None: none.
        area_px2: (n,) by which true boxes are small or large; None: their own.
    """

    image: ArrayLike
    xyxy: ArrayLike
    label: ArrayLike
    score: ArrayLike | None = None
    ignore: ArrayLike | None = None
    area_px2: ArrayLike | None = None


def evaluate_detections(truth: Boxes, found: Boxes, *, images: int, tall_px: float = 100.0) -> DetectionScores:
    """Score what was found against what is there.

    Args:
        truth: What is there.
        found: What was found, with scores.
        images: How many images there are; those without boxes count.
        tall_px: Least height for `ap50_tall`.

    Raises:
        DataError: Columns have different lengths, an image is none of those, or what was found has no scores.

    >>> there = Boxes([0, 1], [[0, 0, 10, 200], [0, 0, 10, 50]], [0, 0])
    >>> found = Boxes([0, 1], [[0, 0, 10, 200], [30, 0, 40, 50]], [0, 0], score=[0.9, 0.8])
    >>> scores = evaluate_detections(there, found, images=2)
    >>> round(scores.ap50, 2), round(scores.ap50_tall, 2)
    (0.5, 1.0)
    """
    if found.score is None:
        raise DataError("what was found has no scores", key="score", expected="one for each box")
    real, seen = _annotations(truth, images), _annotations(found, images)
    whole = _evaluate(real, seen, images, SIZES_PX2)
    heights = {"all": (0.0, 1e10), "tall": (tall_px, 1e10)}
    tall = _evaluate(_with_height_as_area(real), _with_height_as_area(seen), images, heights)
    precision, recall = whole.eval["precision"], whole.eval["recall"]
    wanted = [row for row in real if not row["iscrowd"]]
    return DetectionScores(
        images=images,
        boxes=len(wanted),
        ap=_mean(precision[..., 0, -1]),
        ap50=_mean(precision[0, ..., 0, -1]),
        ap75=_mean(precision[5, ..., 0, -1]),
        ap_small=_mean(precision[..., 1, -1]),
        ap_medium=_mean(precision[..., 2, -1]),
        ap_large=_mean(precision[..., 3, -1]),
        ar_1=_mean(recall[..., 0, 0]),
        ar_10=_mean(recall[..., 0, 1]),
        ar_100=_mean(recall[..., 0, 2]),
        tall_boxes=sum(row["bbox"][3] >= tall_px for row in wanted),
        ap50_tall=_mean(tall.eval["precision"][0, ..., 1, -1]),
        recall_tall=_mean(tall.eval["recall"][0, ..., 1, -1]),
    )


def _annotations(boxes: Boxes, images: int) -> list[dict[str, Any]]:
    xyxy = np.asarray(boxes.xyxy, np.float64).reshape(-1, 4)
    n = len(xyxy)
    columns: dict[str, Array] = {
        "image_id": np.asarray(boxes.image, np.int64),
        "category_id": np.asarray(boxes.label, np.int64),
        "iscrowd": np.zeros(n, np.int64) if boxes.ignore is None else np.asarray(boxes.ignore, np.int64),
        "area": area(xyxy) if boxes.area_px2 is None else np.asarray(boxes.area_px2, np.float64),
        **({} if boxes.score is None else {"score": np.asarray(boxes.score, np.float64)}),
    }
    for name, values in columns.items():
        if values.shape != (n,):
            raise DataError(f"has shape {values.shape}", key=name, expected=f"({n},), one for each box")
    image = columns["image_id"]
    if n and not 0 <= image.min() <= image.max() < images:
        raise DataError(f"goes from {image.min()} to {image.max()}", key="image", expected=f"0 to {images - 1}")
    columns["id"] = np.arange(1, n + 1)  # pycocotools takes a match with number 0 for none
    lists = {**{name: values.tolist() for name, values in columns.items()}, "bbox": xyxy_to_xywh(xyxy).tolist()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _with_height_as_area(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For a library that leaves out what has not the area asked for, whether true, or found and matched by nothing."""
    return [{**row, "area": row["bbox"][3]} for row in rows]


def _evaluate(
    truth: list[dict[str, Any]], found: list[dict[str, Any]], images: int, areas: dict[str, tuple[float, float]]
) -> Any:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    numbers = [{"id": image} for image in range(images)]
    classes = [{"id": label} for label in sorted({row["category_id"] for row in truth})]
    tables = []
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how long each step took
        for rows in (truth, found):
            table = COCO()
            table.dataset = {"images": numbers, "annotations": rows, "categories": classes}
            table.createIndex()
            tables.append(table)
        evaluation = COCOeval(*tables, "bbox")
        evaluation.params.areaRng = list(map(list, areas.values()))
        evaluation.params.areaRngLbl = list(areas)
        evaluation.params.maxDets = list(_MOST)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _mean(values: Array) -> float:
    """Mean of what is known; pycocotools puts -1 where nothing was to be found."""
    known = values[values > -1]
    return float(known.mean()) if known.size else float("nan")
