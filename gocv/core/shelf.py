"""What the scales give: samples, weight events, what an event could have been."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core.errors import DataError
from gocv.core.rows import Rows, column
from gocv.core.store import PlateId, ShelfId

UNKNOWN = "?"
"""Stands for a product that is not in the catalogue."""


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
        episode: Common to events that follow one another on a shelf with no more than a short rest between them, and
            then list the same plates; empty where the event stands alone.
        settled_g2: (P, P) float64, the part of `covariance_g2` that is the level after the event, which the next event
            of the episode shares; (0, 0) where the event stands alone.
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
    episode: str = ""
    settled_g2: NDArray[np.float64] = dataclasses.field(default_factory=lambda: np.empty((0, 0)))

    @property
    def total_g(self) -> float:
        """Grams gained by all the plates together."""
        return float(self.delta_g.sum())


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Units of one product that moved in a weight event.

    Attributes:
        product: Product id, or `UNKNOWN`.
        units: > 0 taken from the shelf, < 0 put on it.
        at_home: Whether from, or onto, the plates on which the planogram has the product.
        grams: How much weight moved, > 0: the mean of what it can be.
        sd_g: Its standard deviation, as measured: without the spread between units.
        shares: (P,) what part of it each plate of the event carried, > 0, in their order.
    """

    product: str
    units: int
    at_home: bool
    grams: float
    sd_g: float
    shares: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """One thing that a weight event could have been.

    Attributes:
        parts: What moved, sorted by product; empty where nothing did and somebody only touched the shelf.
        log_density: Logarithm of the density of the measured changes (per gram, for every plate) if this is what
            happened. How often such things happen is not in it.
        probability: Among all explanations of the event, with how often such things happen at any shelf.
    """

    parts: tuple[Part, ...]
    log_density: float
    probability: float

    @property
    def items(self) -> tuple[tuple[str, int], ...]:
        """(product id, units) pairs, as `Part` has them."""
        return tuple((part.product, part.units) for part in self.parts)
