"""A table of boxes with identities, as tracking data sets have them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from gocv.core import Detections, Rows, column


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class MotRows(Rows):
    """Boxes of many frames, in the order of their file.

    Attributes:
        frame: (n,) int64, from 1.
        track_id: (n,) int64, -1 where a box has no identity, as detections have none.
        xyxy: (n, 4) float64, pixels as the file counts them.
        score: (n,) float64: of a detection, its score; of an annotation, 0 where it is not to be considered.
        label: (n,) int64, MOTChallenge's class: 1 is a pedestrian; 1 where a file has no classes.
        visibility: (n,) float64 in [0, 1], 1 where a file does not say.
    """

    frame: NDArray[np.int64] = column(np.int64)
    track_id: NDArray[np.int64] = column(np.int64)
    xyxy: NDArray[np.float64] = column(np.float64, 4)
    score: NDArray[np.float64] = column(np.float64)
    label: NDArray[np.int64] = column(np.int64)
    visibility: NDArray[np.float64] = column(np.float64)


def as_detections(rows: MotRows, frames: int) -> list[Detections]:
    """Detections frame by frame, for trackers.

    Scores that lie in [0, 1] stay as they are. Where some lie outside, as those of deformable part models do, all are
    brought there by the logistic function 1 / (1 + exp(-s)), which keeps their order and puts 0 at a half.

    Args:
        rows: Detections of a sequence.
        frames: How many frames it has.

    Returns:
        `frames` tables, the first that of frame 1; label 0 throughout. Rows of later frames are left out.
    """
    score = rows.score
    if len(score) and not (score.min() >= 0 and score.max() <= 1):
        score = 1 / (1 + np.exp(-score))
    order = np.argsort(rows.frame, kind="stable")
    bounds = np.searchsorted(rows.frame[order], np.arange(1, frames + 2))
    parts = (order[start:end] for start, end in itertools.pairwise(bounds))
    xyxy, scores = rows.xyxy.astype(np.float32), score.astype(np.float32)
    return [Detections(xyxy[part], scores[part], np.zeros(len(part), np.int64)) for part in parts]
