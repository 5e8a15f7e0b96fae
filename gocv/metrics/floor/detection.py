"""MODA and MODP: whether people were found where they stood, whoever they are.

Kasturi et al., "Framework for Performance Evaluation of Face, Text, and Vehicle Detection and Tracking in Video", PAMI
2009, sections 3.1 and 3.2, with distances on the floor in place of overlaps as in Chavdarova et al., "WILDTRACK", CVPR
2018, section 4.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gocv.metrics.floor.sequence import FloorSequence
from gocv.metrics.mot.counts import ROUNDING, Additive
from gocv.metrics.mot.match import match_frames

_A_PAIR = 1000.0
"""What a pair is worth beside its nearness: as many pairs as can be are made, and of these matchings the nearest."""


@dataclasses.dataclass(frozen=True, slots=True)
class PositionCounts(Additive):
    """People found and not found, moment by moment.

    Attributes:
        tp: Pairs matched.
        fn: True people that were not.
        fp: Found ones that were not.
        nearness: 1 - distance / gate, summed over the pairs.
    """

    tp: int
    fn: int
    fp: int
    nearness: float


def count_positions(sequence: FloorSequence) -> PositionCounts:
    """Match true and found people at each moment: as many as possible within the gate, then the nearest."""
    people = sequence.people
    close = people.similarity >= 0.5 - ROUNDING
    row, col, similarity = people.row[close], people.col[close], people.similarity[close]
    nearness = np.maximum(2 * similarity - 1, 0)
    made = match_frames(row, col, _A_PAIR + nearness, people.truth.frame, people.found.frame)
    pairs = int(made.sum())
    return PositionCounts(
        tp=pairs, fn=len(people.truth) - pairs, fp=len(people.found) - pairs, nearness=float(nearness[made].sum())
    )
