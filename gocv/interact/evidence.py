"""From what a hand looked like to likelihoods of products, relative to any product.

Looks of one hand before or after an interaction are pooled to one vector, the mean with weights, which is shorter
where the looks differ. Looks of moments and cameras next to each other are not independent: that a hand is seen n
times counts as n^γ times. With the cosine c_p of the pooled vector and a product's prototype, products and something
unknown are weighed by a softmax with a prior that knows nothing but how many products there are,

    q_p ∝ (1 - u) / P · exp(a n^γ c_p),   q_unknown ∝ u · exp(a n^γ c_0),

and the likelihood of a product relative to any product is q_p P / (1 - u), or rather that where there is something in
the hand, and 1 where there is nothing: with the probability h that there is,

    L_p = h q_p P / (1 - u) + 1 - h.

a, γ and c_0 are those with the least log loss, h is logistic in the mean log odds of the looks (Platt 1999). All are
drawn a little to what is usual (normal priors), as events to fit them on are few.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit, logsumexp

from gocv.core import DataError, HandLooks
from gocv.data.config import Model, build
from gocv.data.files import write_json

Array = NDArray[np.float64]

SHIPPED = Path(__file__).parent / "shipped" / "hands.json"
"""What was learnt of the network that comes with gocv."""
UNKNOWN = 0.03
"""Prior share of things that are none of the products, u."""
_SURE = 1e-3
_FULL_PX = 48.0
"""Squares of so many pixels count in full, smaller ones less."""
_SHARPNESS = 3.0
"""A look counts as the probability that it holds something to the power of this."""
_USUAL = np.array([[np.log(8.0), 1.0], [logit(0.3), 1.0], [0.4, 0.3]])
"""Mean and standard deviation of log a, of the log odds of γ, and of atanh c_0."""
_USUAL_LINE = np.array([[0.0, 0.7], [0.0, 2.0]])
"""As `_USUAL`, of the logarithm of the slope and of the offset."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Looks of one hand for a while.

    Attributes:
        vector: (D,) float64, mean of their vectors; shorter than 1 where they differ, 0 where there is none.
        count: Sum of their weights.
        log_odds: Mean log odds, with the same weights, that there is something in the hand; NaN where there is no look.
    """

    vector: Array
    count: float
    log_odds: float


def pooled(looks: HandLooks) -> Pooled:
    """All rows as one: a look counts as much as it is large, and the more the surer it holds something.

    A thing is in sight for a part of the time alone: a hand that was empty at first may hold what it is about to put.
    """
    if not len(looks):
        return Pooled(np.zeros(looks.vector.shape[1]), 0.0, np.nan)
    holds = np.clip(looks.holds.astype(np.float64), _SURE, 1 - _SURE)
    weight = holds**_SHARPNESS * np.minimum(looks.side_px.astype(np.float64) / _FULL_PX, 1.0)
    vector = weight @ looks.vector.astype(np.float64) / weight.sum()
    return Pooled(vector, float(weight.sum()), float(np.average(logit(holds), weights=weight)))


class LookEvidence(Model):
    """How much looks say.

    Attributes:
        scale: a.
        power: γ.
        unknown: c_0.
        slope: Of the mean log odds, for h.
        offset: Added to it.
        made: What it was made from.
    """

    scale: float = Field(default=12.0, gt=0)
    power: float = Field(default=0.3, ge=0, le=1)
    unknown: float = Field(default=0.3, ge=-1, le=1)
    slope: float = Field(default=1.0, gt=0)
    offset: float = 0.0
    made: dict[str, Any] = Field(default_factory=dict)

    def holds(self, look: Pooled) -> float:
        """h, the probability that there was something in the hand; 0 where nobody looked."""
        return float(expit(self.slope * look.log_odds + self.offset)) if look.count > 0 else 0.0

    def shares(self, look: Pooled, prototypes: NDArray[np.float32]) -> Array:
        """(P + 1,) float64, q of each product and of something unknown, where there is something in the hand."""
        return np.asarray(np.exp(_log_shares(look, prototypes, self.scale, self.power, self.unknown)))

    def likelihoods(self, look: Pooled, prototypes: NDArray[np.float32]) -> Array:
        """(P,) float64, L of each product.

        Args:
            look: What was seen.
            prototypes: (P, D) float32 of length 1.
        """
        if not len(prototypes):
            return np.zeros(0)
        h = self.holds(look)
        return np.asarray(h * self.shares(look, prototypes)[:-1] * len(prototypes) / (1 - UNKNOWN) + 1 - h)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def shipped(cls) -> LookEvidence:
        """That of the network that comes with gocv."""
        return cls.load(SHIPPED)

    @classmethod
    def load(cls, path: str | Path) -> LookEvidence:
        """Read what `save` wrote.

        Raises:
            DataError: It cannot be read or is something else.
        """
        wanted = "what LookEvidence.save wrote"
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", file=path, expected=wanted) from error
        if not isinstance(values, dict):
            raise DataError("holds no object", file=path, expected=wanted)
        return build(cls, values, file=path, error=DataError)


def fit_evidence(
    looks: Sequence[Pooled], truth: Sequence[int | None], prototypes: Sequence[NDArray[np.float32]]
) -> LookEvidence:
    """The numbers with the least log loss.

    Each look at something known also counts, by the share of `UNKNOWN`, as one at something unknown: without its
    product among the prototypes.

    Args:
        looks: Of hands of which it is known what they held.
        truth: Row of the product in the prototypes; None where the hand was empty.
        prototypes: (P, D) float32 of the products of the store, for each look.

    Raises:
        DataError: There are no empty hands, or none that hold something, among those that were looked at.
    """
    seen = [i for i, look in enumerate(looks) if look.count > 0]
    x = np.array([looks[i].log_odds for i in seen])
    y = np.array([truth[i] is not None for i in seen])
    if not y.any() or y.all():
        raise DataError("hands all hold something, or none does", expected="some of each")

    def holds_loss(line: Array) -> float:
        found = np.exp(line[0]) * x + line[1]
        return float(-np.where(y, log_expit(found), log_expit(-found)).sum()) + _unusual(line, _USUAL_LINE)

    slope, offset = minimize(holds_loss, np.zeros(2)).x
    known = [(looks[i], int(row), prototypes[i]) for i in seen if (row := truth[i]) is not None]

    def product_loss(numbers: Array) -> float:
        scale, power, unknown = float(np.exp(numbers[0])), float(expit(numbers[1])), float(np.tanh(numbers[2]))
        total = 0.0
        for look, row, shelf in known:
            total -= (1 - UNKNOWN) * _log_shares(look, shelf, scale, power, unknown)[row]
            total -= UNKNOWN * _log_shares(look, np.delete(shelf, row, axis=0), scale, power, unknown)[-1]
        return total

    best = minimize(lambda x: product_loss(x) + _unusual(x, _USUAL), _USUAL[:, 0], method="Nelder-Mead").x
    return LookEvidence(
        scale=float(np.exp(best[0])),
        power=float(expit(best[1])),
        unknown=float(np.tanh(best[2])),
        slope=float(np.exp(slope)),
        offset=float(offset),
        made={"looks": len(seen), "of_products": len(known), "log_loss": float(product_loss(best)) / len(known)},
    )


def _unusual(numbers: Array, usual: Array) -> float:
    return 0.5 * float((((numbers - usual[:, 0]) / usual[:, 1]) ** 2).sum())


def _log_shares(look: Pooled, prototypes: NDArray[np.float32], scale: float, power: float, unknown: float) -> Array:
    alike = np.append(prototypes.astype(np.float64) @ look.vector, unknown)
    prior = np.log(np.append(np.full(len(prototypes), (1 - UNKNOWN) / max(len(prototypes), 1)), UNKNOWN))
    found = prior + scale * look.count**power * alike
    return np.asarray(found - logsumexp(found))
