"""How well profiles fit a change of weight, whatever the product.

With d the changes of the plates, C their covariance and profiles s_1 … s_k of parts whose weights T_1 … T_k moved,

    d = Σ_j T_j s_j + e,        e ~ N(0, B),        B = C + Σ_j T_j² V_j V_jᵀ,

V_j how the profile changes within its cell of the library. Seen as a function of T the density of d is a Gaussian whose
constants h = Sᵀ B⁻¹ d and G = Sᵀ B⁻¹ S do not depend on which products they are. If then T ~ N(m, Σ),

    log p(d) = log N(d; 0, B) + h'm - m'Gm / 2 + (h - Gm)' (Σ⁻¹ + G)⁻¹ (h - Gm) / 2 - log|I + ΣG| / 2.

T in B is what the plates under the profile changed by, so that B is the same for all products.

C is the covariance as measured, and what is not noise: cross-talk of a size that is not known exactly, and what a hand
leaves behind, little on most plates and more on some odd ones. Plates that an event does not list did not change by
much: they count as readings of 0 of a wide Gaussian, whose peak is set to 1, as it is a probability and not a density.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from gocv.core import WeightEvent
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.profiles import Profiles

Array = NDArray[np.float64]

_SURE = 4.0
"""Standard deviations above which a plate surely changed."""
_ODD = 3.0
"""Standard deviations."""
_MUCH = 30.0
"""As a log density."""
_LEAST_G2 = 1e-4
"""Nothing is weighed to better than 10 mg, whatever settings and events say."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One event on a run of P neighbouring plates, from the first to the last that may have to do with it.

    Attributes:
        first: Number of the first plate.
        listed: (P,) bool, the plates that the event lists with a change that is a number.
        delta_g: (P,) float64, 0 where not listed.
        sd_g: (P,) float64, what plates may be off by though nothing stood on them.
        white: (P, P) float64, W with W C Wᵀ = I.
        log_peak: log N(0; 0, C), but 1 for the plates that are not listed.
    """

    first: int
    listed: NDArray[np.bool_]
    delta_g: Array
    sd_g: Array
    white: Array
    log_peak: float

    @property
    def sure(self) -> NDArray[np.int64]:
        """Positions of the plates that surely changed."""
        return np.flatnonzero(self.listed & (np.abs(self.delta_g) > _SURE * self.sd_g))

    def odd(self, settings: ExplainSettings) -> list[int]:
        """Positions of the plates that changed by more than they should, and by little."""
        size_g = np.abs(self.delta_g)
        odd = self.listed & (size_g > _ODD * self.sd_g) & (size_g < _ODD * settings.odd_g)
        return [int(position) for position in np.flatnonzero(odd)]

    def missed(self, reach: NDArray[np.bool_]) -> Array:
        """(n,) what changes of plates outside each reach (n, P) cost at least, as a log density."""
        return np.asarray(~reach @ (self.delta_g / self.sd_g) ** 2 / 2)

    def reached(self, profiles: Profiles) -> NDArray[np.int64]:
        """Rows of the profiles that do not leave much more unexplained on plates out of their reach than others do."""
        missed = self.missed(profiles.reach)
        return np.flatnonzero(missed < missed.min() + _MUCH)

    @property
    def plates(self) -> int:
        """How many there are."""
        return len(self.delta_g)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How Q sets of k profiles fit.

    Attributes:
        log_still: (Q,) log N(d; 0, B).
        h: (Q, k) Sᵀ B⁻¹ d.
        gram: (Q, k, k) Sᵀ B⁻¹ S.
    """

    log_still: Array
    h: Array
    gram: Array


def change_of(event: WeightEvent, first: int, last: int, settings: ExplainSettings, odd: Sequence[int] = ()) -> Change:
    """An event on the plates numbered from `first` to `last` of its shelf, which include those it lists.

    Positions in `odd` are those of plates that stay off by more than others.
    """
    count = last - first + 1
    delta_g, covariance_g2 = np.zeros(count), np.eye(count) * settings.unlisted_g**2
    at = np.array([p.plate - first for p in event.plates], np.int64)
    given = np.isfinite(event.delta_g) & np.isfinite(event.covariance_g2).all(axis=1)
    rows = at[given]
    delta_g[rows] = event.delta_g[given]
    covariance_g2[np.ix_(rows, rows)] = event.covariance_g2[np.ix_(given, given)]
    listed = np.zeros(count, np.bool_)
    listed[rows] = True
    # A plate that is listed but gave no number may have changed by anything.
    covariance_g2[at[~given], at[~given]] = 1e12
    squares = np.pad(delta_g**2, 2)
    crosstalk_g2 = settings.crosstalk_sd**2 * (squares[:-4] + squares[1:-3] + squares[3:-1] + squares[4:])
    covariance_g2[np.diag_indices(count)] += crosstalk_g2 + settings.still_g**2 + _LEAST_G2
    covariance_g2[list(odd), list(odd)] += settings.odd_g**2
    lower = _cholesky(covariance_g2)
    white = solve_triangular(lower, np.eye(count), lower=True, check_finite=False)
    log_scale = np.log(2 * np.pi) / 2 + np.log(np.diag(lower))
    sd_g = np.sqrt(np.diag(covariance_g2))
    return Change(first, listed, delta_g, sd_g, white, -float(log_scale.sum()) + _log_unlisted(sd_g[~listed]))


def _log_unlisted(sd_g: Array) -> float:
    return float(np.sum(np.log(2 * np.pi) / 2 + np.log(sd_g)))


def _cholesky(covariance_g2: Array) -> Array:
    try:
        return np.asarray(np.linalg.cholesky((covariance_g2 + covariance_g2.T) / 2))
    except np.linalg.LinAlgError:  # no covariance at all: what the plates say of themselves is left
        return np.asarray(np.diag(np.sqrt(np.maximum(np.diag(covariance_g2), _LEAST_G2))))


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Profiles and a change of weight, in units in which its covariance is 1.

    Attributes:
        delta: (P,) the change.
        shares: (R, P) profiles, cross-talk included.
        slack: (R, 3, P) how they change within a cell.
        under_g: (R,) grams by which the plates under each profile changed.
        log_peak: As the change's.
    """

    delta: Array
    shares: Array
    slack: Array
    under_g: Array
    log_peak: float

    def one(self) -> Fit:
        """How each profile fits alone."""
        slack = self.slack * self.under_g[:, None, None]
        delta = np.broadcast_to(self.delta, (len(slack), 1, len(self.delta)))
        return self._fit(np.concatenate([slack, self.shares[:, None], delta], axis=1), slack.shape[1])

    def together(self, rows: NDArray[np.int64], weight_g: Array) -> Fit:
        """How sets of profiles fit together.

        Args:
            rows: (Q, k) profiles of each set.
            weight_g: (Q, k) about what moved on each.
        """
        slack = (self.slack[rows] * weight_g[:, :, None, None]).reshape(
            len(rows), rows.shape[1] * self.slack.shape[1], len(self.delta)
        )
        delta = np.broadcast_to(self.delta, (len(rows), 1, len(self.delta)))
        return self._fit(np.concatenate([slack, self.shares[rows], delta], axis=1), slack.shape[1])

    def _fit(self, every: Array, slacks: int) -> Fit:
        """The fit of rows (Q, slacks + k + 1, P): slack, profiles and the change, of which slack is taken out."""
        inner = np.einsum("rip,rjp->ijr", every, every, optimize=False)
        log_size = np.zeros(len(every))
        for k in range(slacks):  # Gaussian elimination, for all rows at once
            pivot = inner[k, k] + 1
            log_size += np.log(pivot)
            scaled = inner[k, k + 1 :] / pivot
            for i in range(k + 1, len(inner)):
                inner[i, i:] -= inner[k, i] * scaled[i - k - 1 :]
        h, gram = inner[slacks:-1, -1].T, inner[slacks:-1, slacks:-1].transpose(2, 0, 1)
        gram = np.triu(gram) + np.triu(gram, 1).transpose(0, 2, 1)
        return Fit(self.log_peak - (inner[-1, -1] + log_size) / 2, h, gram)


def evidence_of(change: Change, profiles: Profiles, rows: NDArray[np.int64], crosstalk: float) -> Evidence:
    """Some of the profiles and a change, in units in which the covariance of the change is 1."""
    spilt = _spill(change.plates, crosstalk)
    white = change.white
    turn = (white @ spilt).T
    shares = profiles.shares[rows]
    under = (shares > 1e-9).astype(np.float64) @ change.delta_g
    return Evidence(white @ change.delta_g, shares @ turn, profiles.slack[rows] @ turn, under, change.log_peak)


def _spill(plates: int, crosstalk: float) -> Array:
    """(P, P) what each plate (row) shows of a change on each plate (column)."""
    near = sum(np.eye(plates, k=k) for k in (-2, -1, 1, 2))
    return np.asarray(np.eye(plates) + crosstalk * near)


def log_sum(logs: Array) -> Array:
    """Log of the sum of exponentials over the last axis."""
    if not logs.shape[-1]:
        return np.full(logs.shape[:-1], -np.inf)
    peak = np.maximum(logs.max(axis=-1), -1e300)
    with np.errstate(divide="ignore"):
        return np.asarray(peak + np.log(np.exp(logs - peak[..., None]).sum(axis=-1)))
