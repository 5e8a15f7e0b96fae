"""The score of the AutoCheckout competition (CPS-IoT Week 2020): F1 over units on receipts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment

Carts = Mapping[str, Mapping[str, int]]
"""Units by product, by shopper."""

Receipts = Mapping[str | None, Mapping[str, int]]
"""The same as found, where None stands for what nobody could be named for."""


@dataclasses.dataclass(frozen=True, slots=True)
class ReceiptScore:
    """Units of one recording; scores of several recordings are averaged, not their counts.

    Attributes:
        true_positives: Units that the right shopper was charged for.
        predicted: Units charged.
        true: Units really taken.
    """

    true_positives: int
    predicted: int
    true: int

    @property
    def f1(self) -> float:
        """2·TP / (predicted + true); 1 where nothing was taken and nothing charged."""
        units = self.predicted + self.true
        return 2 * self.true_positives / units if units else 1.0


def score_receipts(predicted: Receipts, true: Carts) -> ReceiptScore:
    """Compare receipts unit by unit; entries of no units, or fewer, count for nothing.

    Shoppers are compared by name. Predicted shoppers whose names the truth does not know (found in footage, say) are
    matched to those left over, one to one, so that the most units agree; the nameless receipt matches nobody.

    >>> score_receipts({"a": {"milk": 2}}, {"a": {"milk": 1, "tea": 1}}).f1
    0.5
    """
    partner = match_shoppers(predicted, true)
    right = sum(_agree(predicted[shopper], true[other]) for shopper, other in partner.items())
    return ReceiptScore(right, _units(predicted), _units(true))


def match_shoppers(predicted: Receipts, true: Carts) -> dict[str, str]:
    """Which true shopper each predicted one is compared with: of the same name, else as `score_receipts` says.

    >>> match_shoppers({"shopper-1": {"tea": 1}}, {"a": {"milk": 1}, "b": {"tea": 1}})
    {'shopper-1': 'b'}
    """
    partner = {s: s for s in predicted if s in true and s is not None}
    strangers = sorted(s for s in predicted if s not in true and s is not None)
    left_over = sorted(s for s in true if s not in predicted)
    agree = np.array([[_agree(predicted[s], true[t]) for t in left_over] for s in strangers])
    if agree.size:
        rows, columns = linear_sum_assignment(agree, maximize=True)
        partner |= {strangers[i]: left_over[j] for i, j in zip(rows, columns, strict=True)}
    return partner


def _agree(predicted: Mapping[str, int], true: Mapping[str, int]) -> int:
    return sum(max(0, min(units, true.get(product, 0))) for product, units in predicted.items())


def _units(receipts: Receipts | Carts) -> int:
    return sum(max(0, units) for cart in receipts.values() for units in cart.values())
