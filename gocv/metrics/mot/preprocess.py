"""What MOTChallenge leaves out before it scores."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import ConfigError
from gocv.metrics.mot.counts import ROUNDING
from gocv.metrics.mot.match import match_frames
from gocv.metrics.mot.sequence import MotSequence

Bool = NDArray[np.bool_]
Benchmark = Literal["mot15", "mot16", "mot17", "mot20", "none"]

PEDESTRIAN = 1
DISTRACTORS: dict[str, tuple[int, ...]] = {
    "mot15": (),
    "mot16": (2, 7, 8, 12),
    "mot17": (2, 7, 8, 12),
    "mot20": (2, 6, 7, 8, 12),
}
"""Classes whose finding is neither right nor wrong: person on vehicle (2), static person (7), distractor (8),
reflection (12); in MOT20 also non-motorised vehicle (6)."""


def leave_out(
    benchmark: Benchmark,
    truth_frame: ArrayLike,
    truth_id: ArrayLike,
    truth_xyxy: ArrayLike,
    truth_considered: ArrayLike,
    truth_class: ArrayLike,
    found_frame: ArrayLike,
    found_id: ArrayLike,
    found_xyxy: ArrayLike,
) -> tuple[Bool, Bool]:
    """Which rows of a sequence are scored.

    As MOTChallenge's own evaluation (Milan et al., "MOT16", 2016, §4.1.2; Dendorfer et al., "MOTChallenge", IJCV 2021):
    in MOT16, 17 and 20, found boxes are matched with all annotated ones by IoU of at least 0.5, and those matched with
    a distractor are left out; then true rows remain that are pedestrians and marked to be considered. In MOT15, whose
    annotations have no classes, true rows marked to be considered remain, and all found ones. Visibility leaves
    nothing out: MOTChallenge scores pedestrians however much of them is hidden.

    Args:
        benchmark: Whose rules; "none" keeps all rows.
        truth_frame: (n,) whole numbers.
        truth_id: (n,) whole numbers.
        truth_xyxy: (n, 4) pixels.
        truth_considered: (n,) numbers, 0 where the row is marked to be ignored.
        truth_class: (n,) whole numbers, MOTChallenge's classes.
        found_frame: (m,) whole numbers.
        found_id: (m,) whole numbers.
        found_xyxy: (m, 4) pixels.

    Returns:
        (n,) and (m,) masks of true and found rows to keep.

    Raises:
        ConfigError: There is no such benchmark.
        DataError: As in `MotSequence.from_boxes`.
    """
    considered, classes = np.asarray(truth_considered) != 0, np.asarray(truth_class)
    keep_found = np.ones(len(np.asarray(found_frame)), np.bool_)
    if benchmark == "none":
        return np.ones(len(considered), np.bool_), keep_found
    if benchmark not in DISTRACTORS:
        raise ConfigError(f"is {benchmark!r}", key="preprocess", expected=", ".join([*DISTRACTORS, "none"]))
    if benchmark == "mot15":
        return considered, keep_found
    sequence = MotSequence.from_boxes(truth_frame, truth_id, truth_xyxy, found_frame, found_id, found_xyxy)
    true_order = np.argsort(np.asarray(truth_frame), kind="stable")
    found_order = np.argsort(np.asarray(found_frame), kind="stable")
    distracts = np.isin(classes, DISTRACTORS[benchmark])
    with_distractor = np.isin(sequence.truth.frame, np.asarray(truth_frame)[distracts])  # others lose nothing
    matters = (sequence.similarity >= 0.5 - ROUNDING) & with_distractor[sequence.row]
    row, col = sequence.row[matters], sequence.col[matters]
    made = match_frames(row, col, sequence.similarity[matters], sequence.truth.frame, sequence.found.frame)
    of_distractor = made & distracts[true_order[row]]
    keep_found[found_order[col[of_distractor]]] = False
    return considered & (classes == PEDESTRIAN), keep_found
