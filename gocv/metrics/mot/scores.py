"""From sequences to scores: HOTA, CLEAR and Identity of each and of all together."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.metrics.mot.clear import count_clear
from gocv.metrics.mot.counts import MotCounts
from gocv.metrics.mot.hota import count_hota
from gocv.metrics.mot.identity import count_identity
from gocv.metrics.mot.sequence import MotSequence

Float64 = NDArray[np.float64]

_NOTHING = 1e-10
"""Location accuracy is 1 where there is nothing to locate."""


def count_mot(sequence: MotSequence) -> MotCounts:
    """All counts of one sequence; add them up over sequences."""
    return MotCounts(count_hota(sequence), count_clear(sequence), count_identity(sequence))


@dataclasses.dataclass(frozen=True, slots=True)
class MotScores:
    """Scores of a sequence, or of several together.

    Attributes:
        hota: Mean of `hota_alpha` over the 19 thresholds (Luiten et al. 2021, eq. 7 and 8).
        det_a: Detection accuracy TP / (TP + FN + FP), likewise.
        ass_a: Association accuracy, the mean of A(c) over matches, likewise.
        loc_a: Mean similarity of matches, likewise.
        det_re: Detection recall, likewise.
        det_pr: Detection precision, likewise.
        ass_re: Association recall, likewise.
        ass_pr: Association precision, likewise.
        mota: 1 - (FN + FP + IDSW) / (TP + FN) (Bernardin and Stiefelhagen 2008, eq. 2); it may be negative, and is 0
            where there is nothing true.
        motp: Mean similarity of CLEAR's matches.
        idsw: Identity switches.
        frag: Fragments.
        mt: Tracks mostly tracked, over 80 %.
        pt: Tracks partly tracked.
        ml: Tracks mostly lost, under 20 %.
        idf1: IDTP / (IDTP + IDFN / 2 + IDFP / 2) (Ristani et al. 2016, eq. 11).
        idp: IDTP / (IDTP + IDFP).
        idr: IDTP / (IDTP + IDFN).
        hota_alpha: (19,) float64, sqrt(DetA · AssA) at each threshold.
    """

    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    det_re: float
    det_pr: float
    ass_re: float
    ass_pr: float
    mota: float
    motp: float
    idsw: int
    frag: int
    mt: int
    pt: int
    ml: int
    idf1: float
    idp: float
    idr: float
    hota_alpha: Float64

    @classmethod
    def of(cls, counts: MotCounts) -> MotScores:
        """The scores that these counts give."""
        hota, clear, identity = counts.hota, counts.clear, counts.identity
        tp, fn, fp = hota.tp, hota.fn, hota.fp
        detection = tp / np.maximum(1, tp + fn + fp)
        association = hota.association / np.maximum(1, tp)
        alpha = np.sqrt(detection * association)
        true = clear.tp + clear.fn
        return cls(
            hota=float(alpha.mean()),
            det_a=float(detection.mean()),
            ass_a=float(association.mean()),
            loc_a=float((np.maximum(_NOTHING, hota.location) / np.maximum(_NOTHING, tp)).mean()),
            det_re=float((tp / np.maximum(1, tp + fn)).mean()),
            det_pr=float((tp / np.maximum(1, tp + fp)).mean()),
            ass_re=float((hota.association_recall / np.maximum(1, tp)).mean()),
            ass_pr=float((hota.association_precision / np.maximum(1, tp)).mean()),
            mota=(clear.tp - clear.fp - clear.idsw) / true if true else 0.0,
            motp=clear.similarity / max(1, clear.tp),
            idsw=clear.idsw,
            frag=clear.frag,
            mt=clear.mt,
            pt=clear.pt,
            ml=clear.ml,
            idf1=identity.tp / max(1, identity.tp + 0.5 * identity.fn + 0.5 * identity.fp),
            idp=identity.tp / max(1, identity.tp + identity.fp),
            idr=identity.tp / max(1, identity.tp + identity.fn),
            hota_alpha=alpha,
        )

    def json(self) -> dict[str, float | int]:
        """All single numbers, by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "hota_alpha"}


@dataclasses.dataclass(frozen=True, slots=True)
class MotResult:
    """Scores of several sequences.

    Attributes:
        sequences: Counts by name of the sequence.
    """

    sequences: Mapping[str, MotCounts]

    @classmethod
    def of(cls, sequences: Mapping[str, MotSequence]) -> MotResult:
        """Count every sequence.

        Raises:
            DataError: There is none.
        """
        if not sequences:
            raise DataError("there is no sequence to score", expected="at least one")
        return cls({name: count_mot(sequence) for name, sequence in sequences.items()})

    @property
    def combined(self) -> MotScores:
        """Scores of all sequences together: counts are added, not scores averaged.

        Where none of them has any truth, MOTA is minus the number of found objects, as in TrackEval.
        """
        counts = functools.reduce(operator.add, self.sequences.values())
        scores, clear = MotScores.of(counts), counts.clear
        return scores if clear.tp + clear.fn else dataclasses.replace(scores, mota=float(-clear.fp))

    def table(self) -> list[dict[str, Any]]:
        """A row for each sequence and one for all, `sequence` first."""
        rows = [{"sequence": name, **MotScores.of(counts).json()} for name, counts in self.sequences.items()]
        return [*rows, {"sequence": "combined", **self.combined.json()}]

    def json(self) -> dict[str, Any]:
        """{"sequences": {name: scores}, "combined": scores}."""
        each = {name: MotScores.of(counts).json() for name, counts in self.sequences.items()}
        return {"sequences": each, "combined": self.combined.json()}
