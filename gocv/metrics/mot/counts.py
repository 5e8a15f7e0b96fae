"""What is counted in one sequence; sums over sequences give the scores of all."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

ALPHAS: Float64 = np.arange(0.05, 0.99, 0.05)
"""The 19 localisation thresholds of HOTA."""
ROUNDING = float(np.finfo(np.float64).eps)
"""Similarities reach a threshold if they miss it by no more than this."""


@dataclasses.dataclass(frozen=True, slots=True)
class MotCounts:
    """Additive counts of a sequence, or of several: `a + b` is both together.

    Attributes:
        hota_tp: (19,) float64, pairs matched at each threshold of `ALPHAS`.
        hota_fn: (19,) float64, true objects that were not.
        hota_fp: (19,) float64, found ones that were not.
        association: (19,) float64, A(c) of Luiten et al. 2021 eq. 5 summed over the matched pairs c.
        association_recall: (19,) float64, TPA / (TPA + FNA) summed likewise.
        association_precision: (19,) float64, TPA / (TPA + FPA) summed likewise.
        location: (19,) float64, similarity summed likewise.
        tp: Pairs matched by CLEAR.
        fn: True objects that were not.
        fp: Found ones that were not.
        idsw: Identity switches.
        frag: Times that a true track was found again after it was lost.
        mt: True tracks found in more than 80 % of their frames.
        pt: Those found in 20 to 80 %.
        ml: Those found in less than 20 %.
        motp_sum: Similarity of the pairs matched by CLEAR.
        idtp: Pairs of the best one-to-one assignment of whole tracks.
        idfn: True objects without one.
        idfp: Found ones without one.
    """

    hota_tp: Float64
    hota_fn: Float64
    hota_fp: Float64
    association: Float64
    association_recall: Float64
    association_precision: Float64
    location: Float64
    tp: int
    fn: int
    fp: int
    idsw: int
    frag: int
    mt: int
    pt: int
    ml: int
    motp_sum: float
    idtp: int
    idfn: int
    idfp: int

    def __add__(self, other: MotCounts) -> MotCounts:
        return MotCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)))
