"""Scores of what happened when: segments of a video found again, their order, their frames, and ranked detections.

- **F1@k** (Lea, Flynn, Vidal, Reiter & Hager 2017, "Temporal Convolutional Networks for Action Segmentation and
  Detection", arXiv:1611.05267, §4): each predicted segment, in order of time, takes the true one of its class with
  which its intersection over union is largest; it is right if that is at least k and no earlier one took it.
- **Edit score** (the same): 1 minus the Levenshtein distance of the orders of segments over the longer of them.
- **mAP** of detections by the midpoint hit criterion (Rohrbach, Amin, Andriluka & Schiele 2012, §4.1), as Singh, Marks,
  Jones, Tuzel & Shao 2016 score MERL Shopping, or by intersection over union.

Counts are of one video and add up. MERL is scored as one long video: pooled counts give what was published, but for
segments that touch where two videos meet.

>>> true, found = segments_of([0, 0, 1, 1, 1, 0], background=0), segments_of([0, 1, 1, 1, 0, 0], background=0)
>>> count_segments(true, found, overlap=0.5).f1, count_segments(true, found, overlap=0.51).f1
(1.0, 0.0)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError, Rows, column

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Segments(Rows):
    """Stretches of one video.

    Attributes:
        label: (n,) int64, class of each.
        start: (n,) float64, where each begins: a frame, or seconds.
        end: (n,) float64, where each ends, exclusive.
        score: (n,) float64, the surer the larger.
    """

    label: Int64 = column(np.int64)
    start: Float64 = column(np.float64)
    end: Float64 = column(np.float64)
    score: Float64 = column(np.float64)

    @classmethod
    def of(cls, label: ArrayLike, start: ArrayLike, end: ArrayLike, score: ArrayLike | None = None) -> Segments:
        """Segments, all equally sure where no scores are given."""
        scores = np.ones(len(np.atleast_1d(label))) if score is None else np.asarray(score, np.float64)
        return cls(np.asarray(label), np.asarray(start, np.float64), np.asarray(end, np.float64), scores)


@dataclasses.dataclass(frozen=True, slots=True)
class SegmentCounts:
    """Additive counts, and what follows from them. A share of nothing is NaN.

    Attributes:
        right: Predicted segments that are right.
        predicted: All that were predicted.
        true: All that there are.
    """

    right: int = 0
    predicted: int = 0
    true: int = 0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where nothing is there and nothing was predicted."""
        either = self.predicted + self.true
        return 2 * self.right / either if either else float("nan")

    def __add__(self, other: SegmentCounts) -> SegmentCounts:
        return SegmentCounts(self.right + other.right, self.predicted + other.predicted, self.true + other.true)


def segments_of(labels: ArrayLike, *, background: int | None = None) -> Segments:
    """The runs of equal labels of a video's frames.

    Args:
        labels: (t,) class of each frame.
        background: Class whose runs are left out.
    """
    frames = np.asarray(labels, np.int64).reshape(-1)
    first = np.flatnonzero(np.diff(frames, prepend=frames[:1] - 1))
    runs = Segments.of(frames[first], first, np.append(first[1:], len(frames)))
    return runs if background is None else runs[runs.label != background]


def count_segments(true: Segments, predicted: Segments, *, overlap: float) -> SegmentCounts:
    """How many predicted segments are right, by the rule of F1@k.

    Args:
        true: Of a video.
        predicted: Of the same video.
        overlap: k, the least intersection over union, such as 0.1.
    """
    iou = _iou(predicted, true) * (predicted.label[:, None] == true.label)
    used, right = np.zeros(len(true), np.bool_), 0
    for row in np.argsort(predicted.start, kind="stable") if len(true) else ():
        best = int(iou[row].argmax())
        if iou[row, best] >= overlap and not used[best]:
            used[best] = True
            right += 1
    return SegmentCounts(right, len(predicted), len(true))


def edit_score(true: Segments, predicted: Segments) -> float:
    """How alike the orders of the segments are, in [0, 1]; NaN where there are none of either."""
    one, other = (s.label[np.argsort(s.start, kind="stable")] for s in (true, predicted))
    longer = max(len(one), len(other))
    return 1 - _levenshtein(one, other) / longer if longer else float("nan")


def frame_accuracy(true: ArrayLike, predicted: ArrayLike) -> tuple[int, int]:
    """Frames whose class is right, and all frames: additive counts.

    Raises:
        DataError: The two are not as many.
    """
    one, other = np.asarray(true), np.asarray(predicted)
    if one.shape != other.shape:
        raise DataError(
            f"{len(one)} true and {len(other)} predicted frames", expected="as many of the one as of the other"
        )
    return int((one == other).sum()), one.size


def average_precision(
    true: Sequence[Segments],
    predicted: Sequence[Segments],
    label: int,
    *,
    criterion: Literal["midpoint", "iou"] = "midpoint",
    overlap: float = 0.5,
) -> float:
    """Mean precision at the detections of one class that are right, over all that there are.

    Each true segment, in order, takes of the detections that are left the one that fits best, the surest among equals:
    one whose middle lies in it, or whose intersection over union with it is more than `overlap`.

    Args:
        true: Of each video.
        predicted: Of each video, in the same order.
        label: The class.
        criterion: What fits.
        overlap: For "iou".

    Returns:
        NaN where the class is in no video.
    """
    scores, hits, total = [np.empty(0)], [np.empty(0, np.bool_)], 0
    for there, found in zip(true, predicted, strict=True):
        there, found = there[there.label == label], found[found.label == label]
        found = found[np.argsort(-found.score, kind="stable")]
        fit = _midpoint(there, found) if criterion == "midpoint" else _iou(there, found)
        free = np.ones(len(found), np.bool_)
        for row in fit if len(found) else ():
            fits = np.where(free, row, -1.0)
            best = int(fits.argmax())
            if fits[best] > (overlap if criterion == "iou" else 0.0):
                free[best] = False
        scores.append(found.score)
        hits.append(~free)
        total += len(there)
    if not total:
        return float("nan")
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit = np.concatenate(hits)[order]
    precision = hit.cumsum() / np.arange(1, len(hit) + 1)
    return float(precision[hit].sum() / total)


def mean_average_precision(
    true: Sequence[Segments],
    predicted: Sequence[Segments],
    *,
    criterion: Literal["midpoint", "iou"] = "midpoint",
    overlap: float = 0.5,
) -> float:
    """Mean of `average_precision` over the classes that are there; NaN where there is none."""
    labels = sorted({int(label) for video in true for label in np.unique(video.label)})
    each = [average_precision(true, predicted, label, criterion=criterion, overlap=overlap) for label in labels]
    return float(np.mean(each)) if each else float("nan")


def sum_segments(counts: Iterable[SegmentCounts]) -> SegmentCounts:
    """Counts of several videos together."""
    return sum(counts, SegmentCounts())


def _iou(one: Segments, other: Segments) -> Float64:
    start, end = np.maximum.outer(one.start, other.start), np.minimum.outer(one.end, other.end)
    both = np.maximum(end - start, 0.0)
    either = (one.end - one.start)[:, None] + (other.end - other.start) - both
    return np.asarray(both / np.maximum(either, 1e-12))


def _midpoint(true: Segments, found: Segments) -> Float64:
    middle = (found.start + found.end) / 2
    return ((middle >= true.start[:, None]) & (middle < true.end[:, None])).astype(np.float64)


def _levenshtein(one: Int64, other: Int64) -> int:
    before = np.arange(len(other) + 1)
    for i, label in enumerate(one):
        changed = before[:-1] + (other != label)
        now = np.append(i + 1, np.minimum(changed, before[1:] + 1))
        # What was dropped from `other`: each step to the right costs one.
        before = np.minimum.accumulate(now - np.arange(len(now))) + np.arange(len(now))
    return int(before[-1])
