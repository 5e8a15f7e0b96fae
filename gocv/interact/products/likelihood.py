"""What a cosine with the pictures of a product says, learnt from products that the encoder did not learn from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_softmax

from gocv.core import DataError
from gocv.data.config import Model, build

Float64 = NDArray[np.float64]

SHIPPED = Path(__file__).parents[1] / "shipped" / "products.json"
"""Fitted to the encoder that comes with gocv."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProductLikelihood:
    """The log-likelihood ratio of a picture, in nats: a product against none of the gallery's.

        λ(s, n) = slope · s + offset + by_count · log n,

    where s is the greatest cosine with the n pictures of the product. More pictures make a high cosine likelier by
    chance, at most n times so: `by_count` is between -1 and 0.

    Attributes:
        slope: Above 0.
        offset: In nats.
        by_count: In nats.
        encoder: `ProductEncoder.name` of the encoder that it was fitted to; "" for none.
    """

    slope: float
    offset: float
    by_count: float
    encoder: str = ""

    def __call__(self, cosine: ArrayLike, count: ArrayLike) -> Float64:
        """λ of greatest cosines, any shape, and numbers of pictures, at least 1, of a shape that fits."""
        s, n = np.asarray(cosine, np.float64), np.asarray(count, np.float64)
        found: Float64 = self.slope * s + self.offset + self.by_count * np.log(n)
        return found

    @classmethod
    def shipped(cls) -> ProductLikelihood:
        """That of the encoder that comes with gocv."""
        return cls.load(SHIPPED)

    @classmethod
    def load(cls, path: str | Path) -> ProductLikelihood:
        """Read a JSON file.

        Raises:
            DataError: It cannot be read, or is no such file.
        """
        file = Path(path)
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", file=file, expected="a fitted ProductLikelihood") from error
        if not isinstance(said, dict):
            raise DataError("holds no object", file=file, expected="a fitted ProductLikelihood")
        return likelihood_from(said, file)


class _Said(Model):
    slope: float
    offset: float
    by_count: float
    encoder: str = ""
    made: dict[str, Any] | None = None


def likelihood_from(said: dict[str, Any], file: Path) -> ProductLikelihood:
    """From what a file says.

    Raises:
        DataError: A key is missing or wrong.
    """
    values = build(_Said, said, file=file, error=DataError)
    if not (np.isfinite([values.slope, values.offset, values.by_count]).all() and values.slope > 0):
        raise DataError("is out of range", file=file, key="slope, offset, by_count", expected="numbers, slope above 0")
    return ProductLikelihood(values.slope, values.offset, values.by_count, values.encoder)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Pictures looked up in a gallery of which it is known what they show.

    Attributes:
        cosine: (q, p) float, the greatest with the pictures of each product.
        count: (p,) pictures of each product.
        answer: (q,) int64, the column of the product that is shown; -1 where it is none of them.
    """

    cosine: NDArray[np.floating[Any]]
    count: NDArray[np.int64]
    answer: NDArray[np.int64]


def fit_likelihood(trials: Sequence[Trial], *, prior_unknown: float = 0.5, encoder: str = "") -> ProductLikelihood:
    """The likelihood under which the answers are most probable: a conditional logit (McFadden 1974) of three numbers.

    Trials count alike, and so do within one, with a weight of `prior_unknown`, those whose product is missing.

    Args:
        trials: With products that are there and, in some trials, missing.
        prior_unknown: Probability that none of the gallery's products is shown, in (0, 1).
        encoder: Name of the encoder that the cosines are from.

    Raises:
        DataError: In no trial is a product there, or in none is one missing.
    """
    if not any((t.answer >= 0).any() for t in trials) or not any((t.answer < 0).any() for t in trials):
        raise DataError("trials lack products that are there, or missing ones", expected="some of each")

    def loss(given: Float64) -> float:
        found = _made(given)
        total = 0.0
        for trial in trials:
            log_p = log_posterior(found(trial.cosine, trial.count), prior_unknown=prior_unknown)
            own = log_p[np.arange(len(trial.answer)), trial.answer]  # the last column, -1, is that of none of them
            for part, weight in ((trial.answer >= 0, 1 - prior_unknown), (trial.answer < 0, prior_unknown)):
                if part.any():
                    total -= weight * float(own[part].mean())
        return total / len(trials)

    best = minimize(loss, np.array([np.log(10.0), -5.0, -1.0]), method="Nelder-Mead", options={"maxiter": 4000})
    return dataclasses.replace(_made(best.x), encoder=encoder)


def _made(given: Float64) -> ProductLikelihood:
    return ProductLikelihood(float(np.exp(given[0])), float(given[1]), -float(expit(given[2])))


def log_posterior(evidence: Float64, prior: Float64 | None = None, *, prior_unknown: float) -> Float64:
    """Bayes' rule over products and none of them.

    Args:
        evidence: (q, p) log-likelihood ratios.
        prior: (p,) of the products, summing to 1; None for all alike.
        prior_unknown: That it is none of them, in (0, 1).

    Returns:
        (q, p + 1) log-probabilities, the last of none of them.
    """
    share = np.full(evidence.shape[1], 1 / max(evidence.shape[1], 1)) if prior is None else prior
    with np.errstate(divide="ignore"):
        known = evidence + np.log(share) + np.log1p(-prior_unknown)
    nobody = np.full((len(evidence), 1), np.log(prior_unknown))
    found: Float64 = log_softmax(np.concatenate([known, nobody], axis=1), axis=1)
    return found
