"""What the scales give: samples, weight events, what an event could have been."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core.errors import DataError
from gocv.core.rows import Rows, column
from gocv.core.store import PlateId, ShelfId


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ScaleSamples(Rows):
    """Readings of plates that are sampled together.

    Attributes:
        plates: The plates, in the order of the second axis of `weight_g`.
        time_s: (n,) float64, seconds on the recording's clock.
        weight_g: (n, P) float32, grams, not zeroed; NaN where a plate gave nothing.
    """

    plates: tuple[PlateId, ...]
    time_s: NDArray[np.float64] = column(np.float64)
    weight_g: NDArray[np.float32] = column(np.float32, None)

    def __post_init__(self) -> None:
        Rows.__post_init__(self)
        if self.weight_g.shape[1] == len(self.plates):
            return
        if len(self):
            raise DataError(
                f"ScaleSamples.weight_g has {self.weight_g.shape[1]} columns",
                expected=f"{len(self.plates)}, one a plate",
            )
        object.__setattr__(self, "weight_g", np.empty((0, len(self.plates)), np.float32))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WeightEvent:
    """A change of weight on one shelf.

    Attributes:
        id: Unique within a run.
        shelf: Where.
        start_s: Last time before the change at which the shelf was at rest, seconds on the recording's clock.
        end_s: First time after it.
        time_s: The change itself: when half of it had happened.
        plates: The plates that changed, sorted.
        delta_g: (P,) float64, grams after minus before, per plate; negative = taken.
        covariance_g2: (P, P) float64 of `delta_g`.
        probability: That anything changed at all.
    """

    id: str
    shelf: ShelfId
    start_s: float
    end_s: float
    time_s: float
    plates: tuple[PlateId, ...]
    delta_g: NDArray[np.float64]
    covariance_g2: NDArray[np.float64]
    probability: float

    @property
    def total_g(self) -> float:
        """Grams gained by all the plates together."""
        return float(self.delta_g.sum())


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """One thing that a weight event could have been.

    Attributes:
        items: (product id, units) pairs sorted by product: units > 0 taken from the shelf, < 0 put on it. Empty
            when nothing in the catalogue explains the change.
        probability: Among all explanations of the event.
    """

    items: tuple[tuple[str, int], ...]
    probability: float
