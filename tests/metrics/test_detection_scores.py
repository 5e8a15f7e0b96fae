"""COCO's scores of boxes, beside the same rule in a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.geometry import iou
from gocv.metrics.detection import Boxes, evaluate_detections

Array = NDArray[Any]


def average_precision(truth: list[Array], found: list[Array], score: list[Array], at_iou: float) -> float:
    """Of one class: the best detections choose first, each the truth that it overlaps most of those left.

    Precision is made to fall only, and its mean is taken over recalls of 0, 0.01, ..., 1.
    """
    hits: list[tuple[float, bool]] = []
    for real, boxes, sure in zip(truth, found, score, strict=True):
        overlap, free = iou(boxes, real), np.ones(len(real), bool)
        for row in np.argsort(-sure, kind="stable"):
            best = max((j for j in range(len(real)) if free[j]), key=lambda j: overlap[row, j], default=None)
            hit = best is not None and bool(overlap[row, best] >= at_iou)
            if hit:
                free[best] = False
            hits.append((float(sure[row]), hit))
    hits.sort(key=lambda pair: -pair[0])
    right = np.cumsum([hit for _, hit in hits])
    recall, precision = right / sum(map(len, truth)), right / np.arange(1, len(hits) + 1)
    steps = [precision[recall >= r].max(initial=0.0) for r in np.linspace(0, 1, 101)]
    return float(np.mean(steps))


def scene(seed: int, images: int = 12) -> tuple[list[Array], list[Array], list[Array]]:
    """Boxes, what a detector might make of them, and how sure it is."""
    rng = np.random.default_rng(seed)
    truth, found, score = [], [], []
    for _ in range(images):
        corner, size = rng.uniform(0, 400, (rng.integers(1, 6), 2)), rng.uniform(20, 200, 2)
        real = np.hstack([corner, corner + size])
        moved = real[rng.random(len(real)) > 0.2] + rng.normal(0, 12, 4)
        wrong = rng.uniform(0, 300, (rng.integers(0, 4), 2))
        truth.append(real)
        found.append(np.vstack([moved, np.hstack([wrong, wrong + size])]))
        score.append(rng.permutation(np.linspace(0.1, 0.9, len(found[-1]))) + rng.uniform(0, 0.01))
    return truth, found, score


def joined(boxes: list[Array], **columns: Any) -> Boxes:
    image = np.repeat(np.arange(len(boxes)), [len(b) for b in boxes])
    return Boxes(image, np.concatenate(boxes), np.zeros(len(image)), **columns)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_a_loop(seed: int) -> None:
    truth, found, score = scene(seed)
    scores = evaluate_detections(joined(truth), joined(found, score=np.concatenate(score)), images=len(truth))
    steps = [average_precision(truth, found, score, at) for at in np.arange(0.5, 1, 0.05)]
    assert 0.1 < steps[0] < 0.95
    assert scores.ap50 == pytest.approx(steps[0], abs=1e-9)
    assert scores.ap75 == pytest.approx(steps[5], abs=1e-9)
    assert scores.ap == pytest.approx(np.mean(steps), abs=1e-9)


def test_what_is_perfect_has_1_and_sizes_that_there_are_none_of_are_unknown() -> None:
    there = Boxes([0, 2], [[0, 0, 50, 60], [10, 10, 70, 80]], [0, 1])
    found = Boxes([0, 2], [[0, 0, 50, 60], [10, 10, 70, 80]], [0, 1], score=[0.9, 0.2])
    scores = evaluate_detections(there, found, images=3)
    assert (scores.images, scores.boxes, scores.tall_boxes) == (3, 2, 0)
    assert [scores.ap, scores.ap50, scores.ap75, scores.ap_medium] == pytest.approx([1] * 4)
    assert [scores.ar_1, scores.ar_10, scores.ar_100] == pytest.approx([1] * 3)
    assert np.isnan([scores.ap_small, scores.ap_large, scores.ap50_tall, scores.recall_tall]).all()


def test_what_is_to_be_ignored_costs_nothing() -> None:
    """A crowd takes any number of detections that lie in it."""
    real, crowd = [0.0, 0.0, 40.0, 60.0], [100.0, 0.0, 300.0, 100.0]
    found = Boxes([0] * 3, [real, [110, 0, 150, 90], [200, 0, 240, 90]], [0] * 3, score=[0.5, 0.9, 0.8])
    crowded = evaluate_detections(Boxes([0, 0], [real, crowd], [0, 0], ignore=[False, True]), found, images=1)
    alone = evaluate_detections(Boxes([0], [real], [0]), found, images=1)
    assert crowded.ap50 == pytest.approx(1)
    assert crowded.boxes == alone.boxes == 1
    assert alone.ap50 == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("found", "score", "ap50_tall"),
    [
        ([[0, 0, 40, 120]], [0.5], 1.0),
        ([[0, 0, 40, 120], [60, 0, 90, 90]], [0.5, 0.9], 1.0),  # a person that is less high
        ([[0, 0, 40, 120], [200, 0, 230, 90]], [0.5, 0.9], 1.0),  # nobody, and less high
        ([[0, 0, 40, 120], [200, 0, 230, 110]], [0.5, 0.9], 0.5),  # nobody, and as high
    ],
)
def test_the_tall_are_scored_as_if_there_were_no_others(found: Any, score: Any, ap50_tall: float) -> None:
    there = Boxes([0, 0], [[0, 0, 40, 120], [60, 0, 90, 90]], [0, 0])
    scores = evaluate_detections(there, Boxes([0] * len(found), found, [0] * len(found), score=score), images=1)
    assert scores.tall_boxes == 1
    assert scores.ap50_tall == pytest.approx(ap50_tall)
    assert scores.recall_tall == 1


def test_the_area_that_is_known_says_what_is_small() -> None:
    there = Boxes([0], [[0, 0, 50, 60]], [0], area_px2=[900.0])
    scores = evaluate_detections(there, Boxes([0], [[0, 0, 50, 60]], [0], score=[1.0]), images=1)
    assert scores.ap_small == pytest.approx(1)
    assert np.isnan(scores.ap_medium)


def test_nothing_found_and_nothing_there() -> None:
    nothing = Boxes([], [], [], score=[])
    there = Boxes([0], [[0, 0, 50, 60]], [0])
    assert evaluate_detections(there, nothing, images=1).ap50 == 0
    assert np.isnan(evaluate_detections(Boxes([], [], []), nothing, images=1).ap50)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Boxes([0], [[0, 0, 1, 1]], [0]), "'score'.*has no scores"),
        (Boxes([0, 1], [[0, 0, 1, 1]], [0], score=[1]), "'image_id'.*shape"),
        (Boxes([5], [[0, 0, 1, 1]], [0], score=[1]), r"'image'.*5.*expected 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(found: Boxes, told: str) -> None:
    with pytest.raises(DataError, match=told):
        evaluate_detections(Boxes([0], [[0, 0, 1, 1]], [0]), found, images=2)
