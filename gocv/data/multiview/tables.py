"""Tables of labelled boxes and of detections, made from rows in any order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import Detections
from gocv.data.detections import DetectionTable

PERSON = ("person",)


def table_of_people(
    frame: ArrayLike,
    time_s: ArrayLike,
    *,
    position: ArrayLike,
    xyxy: ArrayLike,
    person: ArrayLike | None = None,
    score: ArrayLike | None = None,
) -> DetectionTable:
    """Boxes of people as a table, in order of frame and, within one, of person.

    Args:
        frame: (F,) the numbers of all the frames that were looked at, in order.
        time_s: (F,) seconds on the scene's clock, strictly ascending.
        position: (n,) of each box, the position of its frame in `frame`.
        xyxy: (n, 4) pixels.
        person: (n,) who it is; -1 throughout where None.
        score: (n,) in [0, 1]; 1 throughout where None.
    """
    at = np.asarray(position, np.int64)
    who = np.full(len(at), -1) if person is None else np.asarray(person, np.int64)
    order = np.lexsort((who, at))
    scores = np.ones(len(at), np.float32) if score is None else np.asarray(score, np.float32)
    boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
    count = len(np.asarray(frame))
    return DetectionTable(
        classes=PERSON,
        frame=np.asarray(frame, np.int64),
        time_s=np.asarray(time_s, np.float64),
        first_row=np.searchsorted(at[order], np.arange(count + 1)),
        boxes=Detections(boxes[order], scores[order], np.zeros(len(at), np.int64)),
        track_id=who[order],
    )
