"""Whether a stated probability can be believed: calibration, and risk against coverage.

A receipt states the probability p that it is exactly right. It is calibrated where, of all receipts that state p, a
share p is right; and it is useful where sending the least sure ones to a person leaves few errors among the rest.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_LEAST = 1e-12
"""A probability of 0 that came true costs this one's logarithm, not infinity."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """The reliability table: a row per bin that is not empty, in order of probability.

    Attributes:
        count: (b,) int64, how many fell into the bin.
        stated: (b,) float64, mean of their probabilities.
        right: (b,) float64, share of them that was right.
    """

    count: NDArray[np.int64]
    stated: Float64
    right: Float64

    @property
    def error(self) -> float:
        """Expected calibration error: the mean of |right - stated| over all that was binned; NaN of nothing."""
        return _mean(np.abs(self.right - self.stated), self.count)

    @property
    def largest(self) -> float:
        """Maximum calibration error: the largest |right - stated|; NaN of nothing."""
        return float(np.abs(self.right - self.stated).max()) if len(self.count) else float("nan")

    @property
    def debiased_square(self) -> float:
        """Mean square of the calibration error without what chance adds to it; may be below 0, NaN of nothing.

        Σ_b (n_b / n)·[(right_b - stated_b)² - right_b·(1 - right_b) / (n_b - 1)]: the plug-in estimate less the
        variance of right_b (Kumar, Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019, section 5).
        Bins of one are left out: their variance cannot be estimated.
        """
        several = self.count > 1
        count, stated, right = self.count[several], self.stated[several], self.right[several]
        return _mean((right - stated) ** 2 - right * (1 - right) / (count - 1), count)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CalibrationError:
    """How far stated probabilities are from what came true.

    Attributes:
        count: How many were compared.
        accuracy: Share that was right.
        equal_mass: The table whose bins hold about as many each (the adaptive one, which sparse regions do not rule).
        equal_width: The table whose bins are as wide each (Guo et al., "On calibration of modern neural networks",
            ICML 2017, equation 3).
        interval: 95 % bootstrap interval of `error`, percentile method; NaN where it was not asked for.
        brier: Mean of (p - right)².
        log_loss: Mean of -log of the probability given to what happened, in nats.
    """

    count: int
    accuracy: float
    equal_mass: Reliability
    equal_width: Reliability
    interval: tuple[float, float]
    brier: float
    log_loss: float

    @property
    def error(self) -> float:
        """Expected calibration error over bins of equal mass: the figure to quote. Chance alone makes it positive."""
        return self.equal_mass.error

    @property
    def error_equal_width(self) -> float:
        """Expected calibration error over bins of equal width."""
        return self.equal_width.error

    @property
    def root_mean_square(self) -> float:
        """Root of the debiased mean square over bins of equal mass, 0 where that is negative."""
        square = self.equal_mass.debiased_square
        return float(np.sqrt(np.maximum(square, 0.0)))


def calibration_error(
    probability: ArrayLike, right: ArrayLike, bins: int = 15, *, resamples: int = 0, seed: int = 0
) -> CalibrationError:
    """Compare stated probabilities with what came true.

    Args:
        probability: (n,) what was stated, in [0, 1].
        right: (n,) whether it came true.
        bins: At least 1, of each kind; equal values share a bin, so that there may be fewer.
        resamples: Bootstrap draws for the interval; 0 for none. It is of receipts as if they were independent.
        seed: Of the bootstrap.

    Raises:
        DataError: The arrays do not fit one another or hold what is no probability or no truth value.

    >>> found = calibration_error([0.9, 0.9, 0.9, 0.9], [True, True, True, False])
    >>> round(found.error, 3), round(found.brier, 3)
    (0.15, 0.21)
    """
    p, hit = checked(probability, right)
    if bins < 1:
        raise DataError(f"{bins} bins", expected="at least 1")
    interval = (float("nan"), float("nan"))
    if resamples and len(p):
        rng = np.random.default_rng(seed)
        rows = (rng.integers(len(p), size=len(p)) for _ in range(resamples))
        errors = [_table(p[r], hit[r], _equal_mass(p[r], bins)).error for r in rows]
        low, high = np.quantile(errors, [0.025, 0.975])
        interval = (float(low), float(high))
    happened = np.where(hit, p, 1 - p)
    return CalibrationError(
        count=len(p),
        accuracy=_mean(hit),
        equal_mass=_table(p, hit, _equal_mass(p, bins)),
        equal_width=_table(p, hit, np.linspace(0, 1, bins + 1)[1:-1]),
        interval=interval,
        brier=_mean((p - hit) ** 2),
        log_loss=_mean(-np.log(np.maximum(happened, _LEAST))),
    )


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class RiskCoverage:
    """What accepting all scores from a threshold up would give: a row per threshold, from the highest down.

    Attributes:
        threshold: (t,) float64, the distinct scores.
        accepted: (t,) int64, how many have that score or a higher one.
        wrong: (t,) int64, how many of those are wrong.
    """

    threshold: Float64
    accepted: NDArray[np.int64]
    wrong: NDArray[np.int64]

    @property
    def count(self) -> int:
        """All that there were."""
        return int(self.accepted[-1]) if len(self.accepted) else 0

    @property
    def coverage(self) -> Float64:
        """(t,) share accepted."""
        return self.accepted / max(self.count, 1)

    @property
    def risk(self) -> Float64:
        """(t,) share of the accepted that is wrong.

        Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017.
        """
        return self.wrong / self.accepted

    @property
    def aurc(self) -> float:
        """Area under risk over coverage: the mean of the risk at everybody's own threshold; NaN of nothing."""
        return _mean(self.risk, np.diff(self.accepted, prepend=0))

    @property
    def augrc(self) -> float:
        """Area under the generalised risk, the share both accepted and wrong, over coverage; NaN of nothing.

        Unlike `aurc` it does not weigh the errors of the surest few without bound (Traub et al., "Overcoming common
        flaws in the evaluation of selective classification systems", NeurIPS 2024).
        """
        if not self.count:
            return float("nan")
        joint = np.concatenate([[0], self.wrong / self.count])
        covered = np.concatenate([[0.0], self.coverage])
        return float(np.sum(np.diff(covered) * (joint[1:] + joint[:-1]) / 2))

    def threshold_at(self, bound: float) -> float:
        """The threshold that accepts most with a risk of at most `bound`; infinite where none does."""
        within = np.flatnonzero(self.wrong <= bound * self.accepted)
        return float(self.threshold[within[-1]]) if len(within) else float("inf")

    def review_rate_at(self, bound: float) -> float:
        """The smallest share sent to review with which the error among the rest is at most `bound`.

        It is found with the truth at hand: what is chosen without it is `gocv.fusion.review.choose_threshold`'s.

        >>> risk_coverage([0.9, 0.8, 0.7, 0.6], [True, True, False, True]).review_rate_at(0.1)
        0.5
        """
        accepted = self.accepted[self.threshold >= self.threshold_at(bound)]
        return 1 - int(accepted[-1]) / self.count if len(accepted) else 1.0

    def reviews_per_1000_at(self, bound: float) -> float:
        """Of every 1,000, how many are sent to review so that the error among the rest is at most `bound`."""
        return 1000 * self.review_rate_at(bound)

    def errors_per_1000_at(self, threshold: float) -> float:
        """Of every 1,000 accepted from `threshold` up, how many are wrong; 0 where none is accepted."""
        from_there = np.flatnonzero(self.threshold >= threshold)
        return 1000 * float(self.risk[from_there[-1]]) if len(from_there) else 0.0


def risk_coverage(score: ArrayLike, right: ArrayLike) -> RiskCoverage:
    """Risk and coverage at each threshold; whatever has the same score is accepted together.

    Args:
        score: (n,) finite, higher is surer.
        right: (n,) whether it was right.

    Raises:
        DataError: The arrays do not fit one another, or a score is not finite.
    """
    s, hit = _pair(score, right)
    if not np.isfinite(s).all():
        raise DataError("a score is not finite")
    threshold, inverse = np.unique(-s, return_inverse=True)
    accepted = np.cumsum(np.bincount(inverse, minlength=len(threshold)))
    wrong = np.cumsum(np.bincount(inverse[~hit], minlength=len(threshold)))
    return RiskCoverage(-threshold, accepted.astype(np.int64), wrong.astype(np.int64))


def checked(probability: ArrayLike, right: ArrayLike) -> tuple[Float64, Bool]:
    """Probabilities (n,) float64 and whether each came true, (n,) bool.

    Raises:
        DataError: The arrays do not fit one another or hold what is no probability or no truth value.
    """
    p, hit = _pair(probability, right)
    wrong = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if len(wrong):
        raise DataError(f"{p[wrong[0]]} is no probability", row=int(wrong[0]) + 1, expected="a number from 0 to 1")
    return p, hit


def _pair(value: ArrayLike, right: ArrayLike) -> tuple[Float64, Bool]:
    v, r = np.asarray(value, np.float64), np.asarray(right)
    if v.ndim != 1 or r.shape != v.shape:
        raise DataError(f"shapes {v.shape} and {r.shape}", expected="(n,) both")
    if not np.isin(r, (0, 1)).all():
        raise DataError("what says whether it was right holds something else", expected="true or false for each")
    return v, r.astype(bool)


def _equal_mass(p: Float64, bins: int) -> Float64:
    """Edges between bins that hold about as many of `p` each; equal values are never parted."""
    if not len(p):
        return np.empty(0)
    edges: Float64 = np.unique(np.quantile(p, np.arange(1, bins) / bins, method="higher"))
    return edges


def _table(p: Float64, hit: Bool, edges: Float64) -> Reliability:
    """The table of bins that start at `edges`."""
    index = np.searchsorted(edges, p, side="right")
    count, stated, right = (np.bincount(index, weights, len(edges) + 1) for weights in (None, p, hit))
    some = count > 0
    return Reliability(count[some].astype(np.int64), stated[some] / count[some], right[some] / count[some])


def _mean(values: NDArray[np.float64] | Bool, weights: NDArray[np.int64] | None = None) -> float:
    """Mean, NaN of nothing."""
    return float(np.average(values, weights=weights)) if values.size else float("nan")
