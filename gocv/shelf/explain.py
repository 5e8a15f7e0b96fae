"""What a weight event could have been: a likelihood over products and counts from the planogram.

The data are the changes d_p of the plates of one event. An explanation is a set of one or two parts; part k moves n_k
units of product i_k (n_k > 0 taken) on a set of plates of its own, L_k. With T_k the sum of d_p over L_k,

    p(d | n, i) = Σ_L  Π_k P(L_k) · p(T_k) · p(d on L_k | T_k)  ·  Π_{p in no L_k} p_0(d_p),

- L_k holds plates that changed in the right direction: at least one where the planogram has the product (own), and any
  of the plates next to those (beside: things stand astride and lean). A set is half as probable for each plate more;
  all sets of as many own plates and as many beside are equally probable.
- T_k ~ N(-n_k·w_i, |n_k|·σ_i² + (n_k·c·w_i)² + noise), w_i the weight on file, σ_i the spread between units, c the
  relative error of the file itself, noise the variance of the sum as measured. Where no weight is on file |T_k| is
  exponential with mean 1 kg.
- Of T_k a share F ~ Beta(8, 1/2) falls on the own plates if there are any beside, and within each of the two kinds the
  fractions are Dirichlet(0.6): a unit stands on one plate more often than on many.
- p_0 is cross-talk, N(0, noise + (2 g)² + (0.02·Σ|d|)²).

A put-down may also be of something in the wrong place: then every plate of the event is an own one. Beside all this
stands the explanation that nothing in the catalogue did it: each plate, at even odds, by cross-talk or by something of
any weight. Beta, Dirichlet and priors are judgements, not fits. All sums are exact, but for two limits: a part is on
the eight plates of its reach that changed most, and pairs that cannot reach a millionth of the best are left out.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import betaln, comb, gammaln

from gocv.core import Explanation, PlateId, Product, Store, WeightEvent
from gocv.data.config import Model

_OWN, _SPILL = (8.0, 0.5)
_SPREAD = 0.6
_ANYTHING_G = 1_000.0
_MOST_PLATES = 8
_LEAST_G2 = 1e-4
"""Nothing is weighed to better than 10 mg, whatever settings and events say."""

_LEAST_LOG = math.log(1e-6)

_Items = tuple[tuple[str, int], ...]


class ExplainSettings(Model):
    """Priors and spreads.

    Attributes:
        unit_spread: σ_i / w_i where the spread between units is not on file.
        catalogue_error: c, the relative error of the weight on file.
        max_units: Most units of one product in one event.
        repeat: Prior factor for each unit after the first.
        second_product: Prior factor for a second product in the same event.
        displaced: Prior that a put-down is in the wrong place.
        unknown: Prior that nothing in the catalogue did it.
    """

    unit_spread: float = Field(default=0.01, ge=0)
    catalogue_error: float = Field(default=0.03, ge=0)
    max_units: int = Field(default=5, ge=1)
    repeat: float = Field(default=0.2, gt=0, le=1)
    second_product: float = Field(default=0.05, gt=0, le=1)
    displaced: float = Field(default=0.1, gt=0, le=1)
    unknown: float = Field(default=0.01, gt=0, le=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """The changes of one event; plate p is bit p of a set of plates."""

    plates: tuple[PlateId, ...]
    delta_g: NDArray[np.float64]
    covariance_g2: NDArray[np.float64]
    log_crosstalk: NDArray[np.float64]

    def rows(self, plates: frozenset[PlateId]) -> NDArray[np.bool_]:
        return np.array([p in plates for p in self.plates], np.bool_)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Sets:
    """The sets of plates that a part may be on.

    Attributes:
        members: (L,) int64, bits of the plates.
        total_g: (L,) sum of |d|.
        noise_g2: (L,) variance of that sum.
        log_odds: (L,) log P(L)·p(d on L | T) against cross-talk on the same plates.
    """

    members: NDArray[np.int64]
    total_g: NDArray[np.float64]
    noise_g2: NDArray[np.float64]
    log_odds: NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Units of one product that moved: log odds against cross-talk, prior included, over sets and in all."""

    product: str
    units: int
    sets: _Sets
    log_odds: NDArray[np.float64]
    log_sum: float


def explain(event: WeightEvent, store: Store, settings: ExplainSettings | None = None) -> list[Explanation]:
    """What `event` could have been, most probable first; the probabilities sum to 1.

    Args:
        event: A change of weight.
        store: Products and planogram. A product without weight on file is a candidate for one unit of any weight.
        settings: Priors and spreads.
    """
    settings = settings or ExplainSettings()
    data = _data(event)
    parts = list(_parts(data, store, settings))
    scores: dict[_Items, float] = {(): math.log(settings.unknown) + _log_unknown(data)}
    for part in parts:
        _add(scores, ((part.product, part.units),), part.log_sum)
    _add_pairs(scores, parts, math.log(settings.second_product))
    log_total = float(_log_sum(np.array(list(scores.values()))))
    kept = {items: score for items, score in scores.items() if score >= log_total + _LEAST_LOG}
    weights = {items: math.exp(score - log_total) for items, score in kept.items()}
    whole = math.fsum(weights.values())
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Explanation(items, weight / whole) for items, weight in ranked]


def _data(event: WeightEvent) -> _Data:
    order = sorted(range(len(event.plates)), key=lambda row: event.plates[row])
    delta_g, covariance_g2 = event.delta_g[order], event.covariance_g2[np.ix_(order, order)]
    variance_g2 = np.diag(covariance_g2) + 2.0**2 + (0.02 * np.abs(delta_g).sum()) ** 2
    plates = tuple(event.plates[row] for row in order)
    return _Data(plates, delta_g, covariance_g2, _log_normal(delta_g, variance_g2))


def _parts(data: _Data, store: Store, settings: ExplainSettings) -> Iterator[_Part]:
    touched = frozenset(data.plates)
    for sign in (1, -1):
        for product_id in store.products_on(touched):
            product, own = store.products[product_id], store.planogram[product_id]
            units = np.arange(1, settings.max_units + 1 if product.weight_g > 0 else 2)
            sets = _sets(data, data.rows(own), data.rows(_beside(own) - own), sign)
            log_prior = math.log(settings.repeat) * (units - 1.0)
            yield from _weighed(sets, [product] * len(units), sign * units, log_prior, settings)
    placed = [store.products[i] for i, on in sorted(store.planogram.items()) if not on & touched]
    products = [p for p in placed if p.weight_g > 0]
    anywhere = np.ones(len(data.plates), np.bool_)
    log_prior = np.full(len(products), math.log(settings.displaced / max(1, len(store.planogram))))
    sets = _sets(data, anywhere, ~anywhere, -1)
    yield from _weighed(sets, products, np.full(len(products), -1), log_prior, settings)


def _beside(plates: frozenset[PlateId]) -> frozenset[PlateId]:
    return frozenset(p._replace(plate=p.plate + step) for p in plates for step in (-1, 1))


def _sets(data: _Data, own: NDArray[np.bool_], beside: NDArray[np.bool_], sign: int) -> _Sets:
    """Sets of plates with at least one own one; `sign` > 0: that lost weight."""
    able = np.flatnonzero((own | beside) & (sign * data.delta_g < 0))
    able = np.sort(able[np.argsort(-np.abs(data.delta_g[able]), kind="stable")][:_MOST_PLATES])
    chosen: NDArray[np.bool_] = (np.arange(1, 2 ** len(able))[:, None] >> np.arange(len(able)) & 1) > 0
    chosen = chosen[chosen[:, own[able]].any(axis=1)]
    size_g = np.abs(data.delta_g[able])
    total_g = _sums(chosen, size_g)
    of_own, of_beside = chosen & own[able], chosen & beside[able]
    log_density = _log_dirichlet(of_own, size_g) + _log_dirichlet(of_beside, size_g)
    astride = of_beside.any(axis=1)
    share = _sums(of_own[astride], size_g) / total_g[astride]
    log_beta = (_OWN - 1) * np.log(share) + (_SPILL - 1) * np.log1p(-share) - betaln(_OWN, _SPILL)
    # From the share to the grams that it stands for.
    log_density[astride] += log_beta - np.log(total_g[astride])
    log_prior = _log_choice(of_own, int(own.sum()), 1) + _log_choice(of_beside, int(beside.sum()), 0)
    return _Sets(
        members=(chosen << able).sum(axis=1),
        total_g=total_g,
        noise_g2=np.einsum("li,ij,lj->l", chosen, data.covariance_g2[np.ix_(able, able)], chosen),
        log_odds=log_prior + log_density - _sums(chosen, data.log_crosstalk[able]),
    )


def _sums(chosen: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the chosen values in each row."""
    sums: NDArray[np.float64] = np.where(chosen, values, 0.0).sum(axis=1)
    return sums


def _log_dirichlet(chosen: NDArray[np.bool_], size_g: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log density of grams on the chosen plates given their sum, over the simplex of that size; 0 for no plates."""
    count, total_g = np.count_nonzero(chosen, axis=1), _sums(chosen, size_g)
    log_total = np.log(np.where(count > 0, total_g, 1))
    log_norm = np.where(count > 0, gammaln(np.maximum(count, 1) * _SPREAD), 0) - count * gammaln(_SPREAD)
    log_shares = _sums(chosen, np.log(size_g)) - count * log_total
    log_density: NDArray[np.float64] = log_norm + (_SPREAD - 1) * log_shares - np.maximum(count - 1, 0) * log_total
    return log_density


def _log_choice(chosen: NDArray[np.bool_], of: int, least: int) -> NDArray[np.float64]:
    """Log prior of a set: half as probable for each plate more, from `least` on; alike for all sets of a size."""
    sizes = np.arange(least, of + 1)
    count = np.count_nonzero(chosen, axis=1)
    log_prior: NDArray[np.float64] = -count * math.log(2) - np.log(np.sum(0.5**sizes) * comb(of, count))
    return log_prior


def _weighed(
    sets: _Sets,
    products: Sequence[Product],
    units: NDArray[np.int64],
    log_prior: NDArray[np.floating],
    settings: ExplainSettings,
) -> Iterator[_Part]:
    """A part for each product and its units, all on the same sets of plates."""
    if not len(sets.members) or not products:
        return
    weight_g = np.array([p.weight_g if p.weight_g > 0 else math.nan for p in products])
    spread_g = np.array([p.weight_sd_g if p.weight_sd_g >= 0 else settings.unit_spread * p.weight_g for p in products])
    count = np.abs(units)
    variance_g2 = count * spread_g**2 + (settings.catalogue_error * count * weight_g) ** 2
    known = _log_normal(sets.total_g - (count * weight_g)[:, None], sets.noise_g2 + variance_g2[:, None])
    log_total = np.where(weight_g[:, None] > 0, known, _log_anything(sets.total_g))
    log_odds = log_prior[:, None] + log_total + sets.log_odds
    for k, log_sum in enumerate(_log_sum(log_odds).tolist()):
        yield _Part(products[k].id, int(units[k]), sets, log_odds[k], log_sum)


def _add_pairs(scores: dict[_Items, float], parts: Sequence[_Part], log_prior: float) -> None:
    """Add the scores of pairs of parts of different products, which share no plate."""
    best = max(scores.values())
    highest = max((part.log_sum for part in parts), default=-math.inf)
    able = [part for part in parts if part.log_sum + highest + log_prior > best + _LEAST_LOG]
    bounds = _pair_bounds(able) + log_prior
    one, other = np.nonzero(np.triu(bounds > best + _LEAST_LOG, 1))
    for k in np.argsort(-bounds[one, other], kind="stable"):
        a, b = able[one[k]], able[other[k]]
        if bounds[one[k], other[k]] < best + _LEAST_LOG:
            break
        if a.product != b.product:
            # What is left out could not reach the least with all that the other part may be, summed over all sets.
            least = best + _LEAST_LOG - log_prior - 2 * _MOST_PLATES * math.log(2)
            of_a, of_b = a.log_odds > least - b.log_sum, b.log_odds > least - a.log_sum
            apart = a.sets.members[of_a, None] & b.sets.members[of_b] == 0
            both = np.where(apart, a.log_odds[of_a, None] + b.log_odds[of_b], -np.inf)
            score = log_prior + float(_log_sum(both.ravel()))
            first, second = sorted([(a.product, a.units), (b.product, b.units)])
            _add(scores, (first, second), score)
            best = max(best, score)


def _pair_bounds(parts: Sequence[_Part]) -> NDArray[np.float64]:
    """(K, K) upper bounds of the log odds of pairs: of any plate, one part or the other has to do without."""
    if not parts:
        return np.empty((0, 0))
    plates = np.arange(max(int(part.sets.members.max()) for part in parts).bit_length())[:, None]
    whole = np.array([part.log_sum for part in parts])
    without = np.stack(
        [_log_sum(np.where(part.sets.members >> plates & 1, -np.inf, part.log_odds)) for part in parts]
    ).T
    either = np.maximum(without[:, :, None] + whole, without[:, None] + whole[:, None])
    bounds: NDArray[np.float64] = either.min(axis=0) + math.log(2)
    return bounds


def _log_unknown(data: _Data) -> float:
    """Log odds of each plate having changed by cross-talk or by anything, against all by cross-talk."""
    either_way = _log_anything(np.abs(data.delta_g)) - math.log(2) - data.log_crosstalk
    return float(np.sum(np.logaddexp(0, either_way) - math.log(2)))


def _log_anything(size_g: NDArray[np.float64]) -> NDArray[np.float64]:
    return -size_g / _ANYTHING_G - math.log(_ANYTHING_G)


def _log_normal(x: NDArray[np.float64], variance: NDArray[np.float64]) -> NDArray[np.float64]:
    variance = np.maximum(variance, _LEAST_G2)
    log_density: NDArray[np.float64] = -0.5 * (x**2 / variance + np.log(2 * np.pi * variance))
    return log_density


def _log_sum(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log of the sum of exponentials over the last axis."""
    peak = np.maximum(logs.max(axis=-1), -1e300)
    total: NDArray[np.float64] = peak + np.log(np.maximum(np.exp(logs - peak[..., None]).sum(axis=-1), 1e-300))
    return total


def _add(scores: dict[_Items, float], items: _Items, score: float) -> None:
    scores[items] = float(np.logaddexp(scores.get(items, -math.inf), score))
