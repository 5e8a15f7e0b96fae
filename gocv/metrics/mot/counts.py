"""What is counted in one sequence; sums over sequences give the scores of all."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

ALPHAS: Float64 = np.arange(0.05, 0.99, 0.05)
"""The 19 localisation thresholds of HOTA."""
ROUNDING = float(np.finfo(np.float64).eps)
"""Similarities reach a threshold if they miss it by no more than this."""

Self = TypeVar("Self", bound="Additive")


class Additive:
    """Base of frozen dataclasses of counts: `a + b` is both together."""

    __slots__ = ()

    def __add__(self: Self, other: Self) -> Self:
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclasses.dataclass(frozen=True, slots=True)
class HotaCounts(Additive):
    """At each threshold of `ALPHAS`.

    Attributes:
        tp: (19,) float64, pairs matched.
        fn: (19,) float64, true objects that were not.
        fp: (19,) float64, found ones that were not.
        association: (19,) float64, A(c) of Luiten et al. 2021 eq. 5 summed over the matched pairs c.
        association_recall: (19,) float64, TPA / (TPA + FNA) summed likewise.
        association_precision: (19,) float64, TPA / (TPA + FPA) summed likewise.
        location: (19,) float64, similarity summed likewise.
    """

    tp: Float64
    fn: Float64
    fp: Float64
    association: Float64
    association_recall: Float64
    association_precision: Float64
    location: Float64


@dataclasses.dataclass(frozen=True, slots=True)
class ClearCounts(Additive):
    """At one threshold, frame after frame.

    Attributes:
        tp: Pairs matched.
        fn: True objects that were not.
        fp: Found ones that were not.
        idsw: Identity switches.
        frag: Times that a true track was found again after it was lost.
        mt: True tracks found in more than 80 % of their frames.
        pt: Those found in 20 to 80 %.
        ml: Those found in less than 20 %.
        similarity: Of the matched pairs, summed.
    """

    tp: int
    fn: int
    fp: int
    idsw: int
    frag: int
    mt: int
    pt: int
    ml: int
    similarity: float


@dataclasses.dataclass(frozen=True, slots=True)
class IdentityCounts(Additive):
    """By the best one-to-one assignment of whole tracks.

    Attributes:
        tp: Pairs of objects that agree.
        fn: True objects without one.
        fp: Found ones without one.
    """

    tp: int
    fn: int
    fp: int


@dataclasses.dataclass(frozen=True, slots=True)
class MotCounts(Additive):
    """All counts of a sequence, or of several.

    Attributes:
        hota: Of HOTA.
        clear: Of CLEAR MOT.
        identity: Of the identity scores.
    """

    hota: HotaCounts
    clear: ClearCounts
    identity: IdentityCounts
