"""From cosine similarity to the probability that two crops show the same person.

What is learnt is the log-likelihood ratio λ(s) = log p(s | same) / p(s | different), a rising function of the
similarity s. The pairs it is learnt from are not the pairs met in a store, where hardly two in a hundred may be of one
person. By Bayes' rule this moves the log-odds by a constant, so the probability with a prior π of one person is

    P(same | s) = 1 / (1 + exp(-(λ(s) + log(π / (1 - π))))).

Two shapes of λ are fitted. A straight line is logistic regression with smoothed targets (Platt, "Probabilistic Outputs
for Support Vector Machines and Comparisons to Regularized Likelihood Methods", 1999). Where similarities of one kind of
pairs spread more than those of the other, λ is no line; then isotonic regression follows it (log-odds of its pools less
those of the prior are log-likelihood ratios: Brümmer and du Preez, "Application-independent evaluation of speaker
detection", Computer Speech and Language 2006), at the price of more variance, and of tails that stay flat beyond what
was seen. The line is taken unless isotonic regression does better on pairs held out.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.optimize import isotonic_regression, minimize
from scipy.special import expit, logit

from gocv.core import ConfigError, DataError
from gocv.data.config import Model, build
from gocv.data.files import write_json

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Method = Literal["held out", "platt", "isotonic"]

CALIBRATION = Path(__file__).parent / "shipped" / "same_person.json"
"""What was learnt of the encoder that comes with gocv."""

_SLACK = 1e-3
"""Cosines of rounded vectors lie beyond 1 by less than this."""

_END = 1 + _SLACK
"""Where the curve starts (below 0) and ends."""

_TILT = 1e-3
"""By how much isotonic log-likelihood ratios rise beyond the outer pools: enough to keep the more alike pair ahead."""

_ROUNDING = 1e-9
"""Means that differ by less are equal."""

_FOLDS = 5

_FEWEST = 100
"""Pairs of either kind below which isotonic regression is not tried."""


class _Document(Model):
    """What a file holds."""

    version: Literal[1]
    similarity: tuple[float, ...] = Field(min_length=2)
    log_ratio: tuple[float, ...] = Field(min_length=2)
    prior: float = Field(gt=0, lt=1)
    made: dict[str, Any]

    @model_validator(mode="after")
    def _rising(self) -> _Document:
        if len(self.similarity) != len(self.log_ratio):
            raise DataError("has another length than similarity", key="log_ratio", expected="as many values")
        for key, least in (("similarity", np.nextafter(0, 1)), ("log_ratio", 0.0)):
            values = np.array(getattr(self, key))
            if not np.isfinite(values).all() or (np.diff(values) < least).any():
                raise DataError("does not rise", key=key, expected="finite numbers in rising order")
        return self


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SamePerson:
    """How probably two crops show the same person, given the cosine of their vectors; it rises with the cosine.

    Attributes:
        similarity: (k,) float64, rising: where the curve has its corners.
        log_ratio: (k,) float64, rising: the log-likelihood ratio there; straight lines between.
        prior: Probability of one person before looking, in (0, 1), where none is named.
        made: What it was made from.
    """

    similarity: Float64
    log_ratio: Float64
    prior: float
    made: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def fit(
        cls, similarity: ArrayLike, same: ArrayLike, *, prior: float | None = None, method: Method = "held out"
    ) -> SamePerson:
        """Learn from pairs of which it is known whether they show one person.

        "held out" takes isotonic regression if, over 5 folds of the pairs, its cost is below that of the line by more
        than its standard error. The cost is C_llr, half the mean of log2(1 + exp(-λ)) over pairs of one person plus
        half the mean of log2(1 + exp(λ)) over the others (Brümmer and du Preez 2006), which knows no prior.

        Args:
            similarity: (n,) cosines, of an encoder on people that it was not trained on. Pairs should be of the kind
                that will be met: across cameras, if those are to be joined.
            same: (n,) whether each pair is of one person.
            prior: Probability of one person that `probability` takes where none is named; None is the share among
                these pairs.
            method: "held out", "platt" or "isotonic".

        Raises:
            DataError: The arrays do not fit one another, a similarity is no cosine, a kind of pair is missing, or
                pairs of one person are no more alike than others.
            ConfigError: The prior is not inside (0, 1), or there is no such method.
        """
        s, hit = _pairs(similarity, same)
        if method not in ("held out", *_CURVES):
            raise ConfigError(f"is {method!r}", key="method", expected="held out, platt or isotonic")
        chosen = float(hit.mean() if prior is None else _checked_prior(prior))
        costs = _held_out(s, hit) if method == "held out" and min(hit.sum(), (~hit).sum()) >= _FEWEST else {}
        name = method if method != "held out" else _better(costs)
        made = {"pairs": len(s), "same": int(hit.sum()), "method": name}
        held_out = {key: value for key, value in costs.items() if key in _CURVES}
        return cls(*_CURVES[name](s, hit), chosen, {**made, "held_out_bits": held_out} if held_out else made)

    def log_likelihood_ratio(self, similarity: ArrayLike) -> Float64:
        """λ(s): evidence that knows no prior, in nats; above 0 speaks for one person.

        Args:
            similarity: Cosines, of any shape.

        Returns:
            float64 of that shape.

        Raises:
            DataError: A similarity is no cosine.
        """
        return np.asarray(np.interp(_cosines(similarity), self.similarity, self.log_ratio))

    def probability(self, similarity: ArrayLike, *, prior: ArrayLike | None = None) -> Float64:
        """P(same | s).

        Args:
            similarity: Cosines, of any shape.
            prior: Probability of one person before looking, in (0, 1): a number, or an array that broadcasts against
                the similarity. None: that of the fit.

        Returns:
            float64.

        Raises:
            DataError: A similarity is no cosine.
            ConfigError: A prior is not inside (0, 1).
        """
        before = self.prior if prior is None else _checked_prior(prior)
        return np.asarray(expit(self.log_likelihood_ratio(similarity) + logit(before)))

    def to_dict(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        columns = {"similarity": self.similarity.tolist(), "log_ratio": self.log_ratio.tolist()}
        return {"version": 1, **columns, "prior": self.prior, "made": dict(self.made)}

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, file: str | Path | None = None) -> SamePerson:
        """What `to_dict` gave.

        Raises:
            DataError: It is something else; the message names the file, if one is given, and the key.
        """
        found = build(_Document, values, file=file, error=DataError)
        return cls(np.array(found.similarity), np.array(found.log_ratio), found.prior, found.made)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_json(path, self.to_dict())

    @classmethod
    def shipped(cls) -> SamePerson:
        """That of the encoder that comes with gocv."""
        return cls.load(CALIBRATION)

    @classmethod
    def load(cls, path: Path) -> SamePerson:
        """Read what `save` wrote.

        Raises:
            DataError: It cannot be read or is something else; the message names the file and the key.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise DataError(f"cannot be read: {problem}", file=path, expected="what SamePerson.save wrote") from problem
        if not isinstance(values, dict):
            raise DataError("holds no object", file=path, expected="what SamePerson.save wrote")
        return cls.from_dict(values, file=path)


def _cosines(similarity: ArrayLike) -> Float64:
    s = np.asarray(similarity, np.float64)
    wrong = np.flatnonzero(~(np.abs(s.ravel()) <= _END))
    if len(wrong):
        value, row = s.ravel()[wrong[0]], int(wrong[0]) + 1
        raise DataError(f"{value} is no cosine", row=row, key="similarity", expected="a number from -1 to 1")
    return s


def _checked_prior(prior: ArrayLike) -> Float64:
    given = np.asarray(prior, np.float64)
    wrong = np.flatnonzero(~((given.ravel() > 0) & (given.ravel() < 1)))
    if len(wrong):
        raise ConfigError(f"is {given.ravel()[wrong[0]]}", key="prior", expected="a probability above 0 and below 1")
    return given


def _pairs(similarity: ArrayLike, same: ArrayLike) -> tuple[Float64, Bool]:
    s, hit = _cosines(similarity), np.asarray(same)
    if s.ndim != 1 or hit.shape != s.shape:
        raise DataError(f"similarity and same have shapes {s.shape} and {hit.shape}", expected="(n,) both")
    if not np.isin(hit, (0, 1)).all():
        raise DataError("holds what is neither true nor false", key="same", expected="true or false for each pair")
    hit = hit.astype(bool)
    if hit.all() or not hit.any():
        raise DataError(f"{hit.sum()} of {len(hit)} pairs show one person", key="same", expected="pairs of both kinds")
    alike, others = float(s[hit].mean()), float(s[~hit].mean())
    if alike - others <= _ROUNDING:
        raise DataError(
            f"pairs of one person are no more alike than others, {alike:.3f} against {others:.3f} on average",
            key="similarity",
            expected="cosines that are higher for one person",
        )
    return s, hit


def _platt(s: Float64, hit: Bool) -> tuple[Float64, Float64]:
    """The line: log-odds a + b·s of the greatest likelihood, less those of the prior that the targets have.

    Targets are (n₊ + 1) / (n₊ + 2) for one person and 1 / (n₋ + 2) for others (Platt 1999), which keeps the slope
    finite where the two kinds do not overlap.
    """
    count = int(hit.sum())
    target = np.where(hit, (count + 1) / (count + 2), 1 / (len(hit) - count + 2))
    middle, spread = s.mean(), s.std()
    x = np.stack([np.ones(len(s)), (s - middle) / spread])

    def cost(weights: Float64) -> tuple[float, Float64]:
        z = weights @ x
        return float(np.mean(np.logaddexp(0, z) - target * z)), np.asarray(x @ (expit(z) - target)) / len(s)

    def curvature(weights: Float64) -> Float64:
        p = expit(weights @ x)
        return np.asarray((x * (p * (1 - p))) @ x.T) / len(s)

    found = minimize(cost, np.zeros(2), jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9})
    ends = np.array([-_END, _END])
    return ends, found.x[0] + found.x[1] * (ends - middle) / spread - logit(target.mean())


def _isotonic(s: Float64, hit: Bool) -> tuple[Float64, Float64]:
    """The curve through the middle of each pool of pairs, rising by `_TILT` beyond the outer ones.

    A pool of n pairs, k of one person, stands at (k + π) / (n + 1), with the share π of such pairs among all: one pair
    that says nothing is added to each pool, so that none is certain. Between pools the ratio is interpolated (centred
    isotonic regression: Oron and Flournoy, Statistics in Biopharmaceutical Research 2017).
    """
    share = hit.mean()
    values, inverse = np.unique(np.clip(s, -1, 1), return_inverse=True)
    count, same = np.bincount(inverse), np.bincount(inverse, hit)
    pool = _pools(same / count, count)
    count, same, total = (np.bincount(pool, column) for column in (count, same, count * values))
    smoothed = (same + share) / (count + 1)
    pool = _pools(smoothed, count)  # small pools may have been drawn past their neighbours
    n, total = np.bincount(pool, count), np.bincount(pool, total)
    ratio = logit(np.bincount(pool, smoothed * count) / n) - logit(share)
    ends = np.array([-_END, _END])
    ratio = np.concatenate([[ratio[0] - _TILT], ratio, [ratio[-1] + _TILT]])
    return np.concatenate([ends[:1], total / n, ends[1:]]), np.maximum.accumulate(ratio)


def _pools(rate: Float64, count: NDArray[Any]) -> NDArray[np.int64]:
    """The pool of each value, from 0: neighbours that contradict the order share one."""
    fitted = isotonic_regression(rate, weights=count).x
    pool: NDArray[np.int64] = np.unique(fitted, return_inverse=True)[1]
    return pool


_CURVES: dict[str, Callable[[Float64, Bool], tuple[Float64, Float64]]] = {"platt": _platt, "isotonic": _isotonic}


def _held_out(s: Float64, hit: Bool) -> dict[str, float]:
    """C_llr in bits of each curve on pairs that it was not fitted to, and the "error" of their difference."""
    rng = np.random.default_rng(0)
    fold = np.empty(len(s), np.int64)
    for kind in (hit, ~hit):
        fold[kind] = rng.permutation(int(kind.sum())) % _FOLDS
    bits = {name: np.empty(len(s)) for name in _CURVES}
    for number in range(_FOLDS):
        out = fold == number
        for name, curve in _CURVES.items():
            ratio = np.interp(s[out], *curve(s[~out], hit[~out]))
            bits[name][out] = np.logaddexp(0, np.where(hit[out], -ratio, ratio)) / np.log(2)
    costs = {name: float((cost[hit].mean() + cost[~hit].mean()) / 2) for name, cost in bits.items()}
    apart = bits["platt"] - bits["isotonic"]
    error = np.sqrt(apart[hit].var() / hit.sum() + apart[~hit].var() / (~hit).sum()) / 2
    return {**costs, "error": float(error)}


def _better(costs: Mapping[str, float]) -> str:
    return "isotonic" if costs and costs["isotonic"] < costs["platt"] - costs["error"] else "platt"
