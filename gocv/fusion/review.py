"""Which receipts a person must look at, so that few of the others are wrong.

Receipts are given out unseen where their probability is at least a threshold λ. The risk R(λ) is the share of those
that is wrong. Learn-then-Test (Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then test: calibrating predictive
algorithms to achieve risk control", 2021) chooses λ on receipts whose truth is known:

- Of the n(λ) receipts from λ up k(λ) are wrong. Given n, k is binomial with rate R(λ), and

      p(λ) = P(Binomial(n(λ), α) <= k(λ))

  tests the hypothesis R(λ) > α: it is rejected at level δ exactly where the Clopper–Pearson upper bound of R at
  confidence 1 - δ is at most α.
- Thresholds are tried in a sequence fixed beforehand (`GRID`), from the strictest to the most lenient, each at the full
  level δ, until one is not rejected; the last that was rejected is chosen. The first test that ought to fail is passed
  with a probability of at most δ, and no test after a failed one counts, so nothing is paid for trying many.
- Thresholds from which there are too few receipts for any rejection, (1 - α)^n > δ, are passed over, and so are those
  from which there are fewer than three times as many, or than a quarter of all: there one wrong receipt would end the
  sequence before it began. That keeps the guarantee where the risk does not grow with the probability stated: passing
  over λ for want of receipts then makes those below it look worse, not better.

The guarantee: with a probability of at least 1 - δ over the receipts that λ was chosen on, of all receipts that come
about in the same way and are not looked at, a share of at most α is wrong. It holds for receipts that are independent
of one another and like those to come. Receipts of one visit that go wrong together make it optimistic, so that many
short recordings serve better than a few long ones.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field
from scipy.stats import beta, binom

from gocv.core import UNKNOWN, ConfigError, DataError, Receipt
from gocv.data.config import Model, build
from gocv.data.files import write_json
from gocv.fusion.answers import best_cart
from gocv.fusion.calibrate import Calibrator, read_document
from gocv.metrics.calibration import checked

GRID = 1 - np.logspace(-8, math.log10(0.5), 124)
"""Thresholds in the order in which they are tried: 16 to each factor of ten in the probability of an error."""

_VERSION = 1

_POWER = 3
"""The first set that is tried has so many times the fewest receipts that could pass, or a quarter of all: one wrong one
among the surest would otherwise end the sequence before it began."""

Report = Sequence[Mapping[str, str]]


class _Document(Model):
    """A policy's file."""

    version: Literal[1]
    threshold: float | None = Field(ge=0, le=1)
    max_error: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    receipts: int = Field(ge=0)
    unreviewed: int = Field(ge=0)
    wrong: int = Field(ge=0)
    made: dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class ReviewPolicy:
    """When a person has to look at a receipt.

    Attributes:
        threshold: Receipts at least this probable need not be looked at; infinite where none can be let pass.
        max_error: The share of wrong ones among those, at most.
        confidence: How sure that is.
        receipts: How many it was chosen on.
        unreviewed: How many of those it lets pass.
        wrong: How many of these are wrong.
        made: How it was made.
    """

    threshold: float
    max_error: float
    confidence: float
    receipts: int
    unreviewed: int
    wrong: int
    made: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def error_bound(self) -> float:
        """Clopper–Pearson upper bound of the share of wrong ones among those that pass; 1 where none does."""
        if not self.unreviewed or self.wrong == self.unreviewed:
            return 1.0
        return float(beta.ppf(self.confidence, self.wrong + 1, self.unreviewed - self.wrong))

    def reasons(self, receipt: Receipt, report: Report = ()) -> tuple[str, ...]:
        """Why a person has to look at a receipt, in words; nothing where nobody has to.

        Some receipts are never let pass, however probable: the probability does not know of what went wrong there.

        Args:
            receipt: With its probability as it is stated: calibrated, if the policy was chosen on calibrated ones.
            report: What could not be resolved, as fusion reports it. An entry concerns a receipt where it says
                `where` as "shopper NAME", or as "event ID" of an event in which the shopper had a part with a
                probability above `max_error`.
        """
        found = [] if receipt.probability >= self.threshold else [self._too_unsure(receipt)]
        if receipt.shopper is None:
            found.append("nobody is named")
        elif math.isnan(receipt.left_s):
            found.append("the shopper was not seen leaving")
        if UNKNOWN in dict(best_cart(receipt)):
            found.append("something is not in the catalogue")
        for entry in report:
            kind, _, name = entry["where"].partition(" ")
            if (kind == "shopper" and name == receipt.shopper) or (
                kind == "event" and part_in(receipt, name) > self.max_error
            ):
                found.append(f"{entry['where']}: {entry['problem']}")
        return tuple(found)

    def needs_review(self, receipt: Receipt, report: Report = ()) -> bool:
        """Whether a person has to look at a receipt; see `reasons`."""
        return bool(self.reasons(receipt, report))

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        value = dataclasses.asdict(self) | {"threshold": self.threshold if math.isfinite(self.threshold) else None}
        write_json(path, {"version": _VERSION, **value})

    @classmethod
    def load(cls, path: Path) -> ReviewPolicy:
        """Read what `save` wrote.

        Raises:
            DataError: It cannot be read or is not one; the message names the file and the key.
        """
        found = build(_Document, read_document(path, "a review policy's file"), file=path, error=DataError)
        values = found.model_dump(exclude={"version"})
        return cls(**values | {"threshold": math.inf if found.threshold is None else found.threshold})

    def _too_unsure(self, receipt: Receipt) -> str:
        if math.isinf(self.threshold):
            return "no receipt is sure enough to pass unseen"
        return f"{receipt.probability:.4f} is less sure than {self.threshold:.4f}"


def choose_threshold(
    probability: ArrayLike,
    right: ArrayLike,
    *,
    max_error: float = 0.005,
    confidence: float = 0.95,
    made: Mapping[str, Any] | None = None,
) -> ReviewPolicy:
    """Choose from which probability on receipts may be given out unseen; see the module for the guarantee.

    At the defaults nothing can pass on fewer than 598 receipts, since (1 - 0.005)^597 > 0.05, and near the bound it
    takes thousands to tell.

    Args:
        probability: (n,) what receipts state, as those to come will. Receipts that are never let pass (see
            `ReviewPolicy.reasons`) are to be left out. A calibrator must have been fitted on other receipts.
        right: (n,) whether each was exactly right.
        max_error: α, the share of wrong ones among the unseen that a store can bear.
        confidence: 1 - δ.
        made: How these receipts came about: kept in the file.

    Raises:
        ConfigError: `max_error` or `confidence` is not between 0 and 1.
        DataError: The arrays do not fit one another or hold what is no probability or no truth value.
    """
    for key, value in (("max_error", max_error), ("confidence", confidence)):
        if not 0 < value < 1:
            raise ConfigError(f"{value} will not do", key=key, expected="a number between 0 and 1")
    p, hit = checked(probability, right)
    order = np.argsort(-p)
    passing = np.searchsorted(-p[order], -GRID, side="right")
    wrong = np.concatenate([[0], np.cumsum(~hit[order])])[passing]
    least = math.ceil(math.log(1 - confidence) / math.log(1 - max_error))
    least = max(least, min(_POWER * least, len(p) // 4))
    rejected = binom.cdf(wrong, passing, max_error) <= 1 - confidence
    tried = np.flatnonzero(passing >= least)
    failed = np.flatnonzero(~rejected[tried])
    certified = tried[: failed[0]] if len(failed) else tried
    last = certified[-1] if len(certified) else None
    return ReviewPolicy(
        threshold=math.inf if last is None else float(GRID[last]),
        max_error=max_error,
        confidence=confidence,
        receipts=len(p),
        unreviewed=0 if last is None else int(passing[last]),
        wrong=0 if last is None else int(wrong[last]),
        made=dict(made or {}),
    )


def judged(
    receipt: Receipt,
    *,
    calibrator: Calibrator | None = None,
    policy: ReviewPolicy | None = None,
    report: Report = (),
) -> Receipt:
    """A receipt as fusion gives it, with its probability calibrated and then held against the policy.

    Without a calibrator the probability stays; without a policy `needs_review` does.
    """
    if calibrator is not None:
        receipt = dataclasses.replace(receipt, probability=float(calibrator.apply(receipt.probability)))
    if policy is not None:
        receipt = dataclasses.replace(receipt, needs_review=policy.needs_review(receipt, report))
    return receipt


def part_in(receipt: Receipt, event: str) -> float:
    """The probability that the shopper of a receipt moved something in an event; of nobody's receipt, somebody did."""
    name = receipt.shopper or ""
    listed = any(event in line.events for line in receipt.items)
    if not receipt.accounts:
        return float(listed)
    return math.fsum(
        account.probability for account in receipt.accounts if any(m[0] == name for m in account.moves.get(event, ()))
    )
