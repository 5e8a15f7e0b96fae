"""True and found people on the floor at the labelled moments: what all floor scores are computed from."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError
from gocv.geometry import points_in_polygon
from gocv.metrics.floor.moments import half_interval_s, positions_at
from gocv.metrics.mot import MotSequence

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Bool = NDArray[np.bool_]

GATE_M = 0.5
"""Distance up to which a found person may be a true one: that of WILDTRACK (Chavdarova et al. 2018, section 4)."""


@dataclasses.dataclass(frozen=True, slots=True)
class FloorSequence:
    """True and found people at the labelled moments.

    Attributes:
        people: Both sides, with similarity 1 - distance / (2 gate): the gate is at similarity 0.5, which is what CLEAR
            and Identity ask for. A frame is a moment.
        gate_m: The gate.
        moment_s: (k,) float64, the labelled moments.
        interval_s: The time that a labelled row stands for: the usual one between two moments.
    """

    people: MotSequence
    gate_m: float
    moment_s: Array
    interval_s: float

    @classmethod
    def of(
        cls,
        truth_time_s: ArrayLike,
        person: ArrayLike,
        truth_xy_m: ArrayLike,
        found_time_s: ArrayLike,
        shopper: ArrayLike,
        found_xy_m: ArrayLike,
        *,
        gate_m: float = GATE_M,
        moment_s: ArrayLike | None = None,
        area_m: ArrayLike | None = None,
    ) -> FloorSequence:
        """Take found people at the labelled moments, and leave out who does not count.

        Found places are those of `positions_at`. With an area, inside which everybody is labelled: whoever has a true
        person within the gate counts if the nearest of these does, and everybody else if they stand inside. So nobody
        is an error for standing outside, and nobody for standing across the line from where they were labelled.

        Args:
            truth_time_s: (n,) s.
            person: (n,) whole numbers, each at most once at a time.
            truth_xy_m: (n, 2) metres.
            found_time_s: (m,) s, on the same clock.
            shopper: (m,) whole numbers.
            found_xy_m: (m, 2) metres in the same frame.
            gate_m: Distance up to which a found person may be a true one.
            moment_s: (k,) the labelled moments in order, those at which nobody was there included; by default those
                of the truth's rows.
            area_m: (v, 2) corners of the area.

        Raises:
            DataError: Shapes do not fit, a person is at two places at once, a true row is at no moment, or the gate
                is not above 0.
        """
        if not 0 < gate_m < np.inf:
            raise DataError(f"gate_m is {gate_m}", key="gate_m", expected="above 0 m")
        true_s, people = np.asarray(truth_time_s, np.float64), np.asarray(person, np.int64)
        true_m = np.asarray(truth_xy_m, np.float64).reshape(-1, 2)
        moments = np.unique(true_s) if moment_s is None else np.asarray(moment_s, np.float64)
        within_s = half_interval_s(moments)
        found_at, found_id, found_m = positions_at(found_time_s, shopper, found_xy_m, moments, within_s=within_s)
        lost = ~np.isin(true_s, moments)
        if lost.any():
            row = int(np.argmax(lost))
            raise DataError(f"truth row {row} is at {true_s[row]} s", key="moment_s", expected="all labelled moments")
        true_at = np.searchsorted(moments, true_s)
        if area_m is not None:
            true_in, found_in = _who_counts(true_at, true_m, found_at, found_m, gate_m, np.asarray(area_m, np.float64))
            true_at, people, true_m = true_at[true_in], people[true_in], true_m[true_in]
            found_at, found_id, found_m = found_at[found_in], found_id[found_in], found_m[found_in]
        both = MotSequence.from_points(true_at, people, true_m, found_at, found_id, found_m, zero_at_m=2 * gate_m)
        return cls(both, gate_m, moments, 2 * within_s)


def _who_counts(
    true_at: Index, true_m: Array, found_at: Index, found_m: Array, gate_m: float, area_m: Array
) -> tuple[Bool, Bool]:
    true_in, found_in = points_in_polygon(true_m, area_m), points_in_polygon(found_m, area_m)
    order = np.argsort(true_at, kind="stable")  # found rows are in order
    one_each = MotSequence.from_points(
        true_at, np.arange(len(true_at)), true_m, found_at, np.arange(len(found_at)), found_m, zero_at_m=2 * gate_m
    )
    close = one_each.similarity >= 0.5
    row, col, similarity = order[one_each.row[close]], one_each.col[close], one_each.similarity[close]
    farthest_first = np.argsort(similarity, kind="stable")
    found_in[col[farthest_first]] = true_in[row[farthest_first]]
    return true_in, found_in
