"""What a weight event could have been: a likelihood over products, units, directions and places.

An explanation is a set of parts, each some units of one product that were taken from, or put on, one place. Part j adds
T_j s_j to the changes d of the plates: s_j is its profile (`gocv.shelf.profiles`), T_j its weight, < 0 if taken,

    p(d | parts) = Σ_s Π_j π_j(s_j) · ∫ p(d | T, s) Π_j p_j(T_j) dT.

- p(d | T, s) is Gaussian (`gocv.shelf.evidence`); parts may share plates, and their signs may differ.
- π_j is the prior of the profile: near the plates where the planogram has the product, or anywhere else on the shelf.
  Several units come from one column or from columns side by side.
- p_j(T_j) is a mixture of Gaussians: n units of a product whose mean weight is itself a mixture (`UnitWeights`), all
  upright or one leaning on the frame. What has no weight on file is log-normal, one unit at a time.

Beside these, nothing may have moved (noise, and weight that a touch pushes from a plate to the next one), or something
that no candidate explains: a thing of any weight anywhere, or changes of any size of any plates.

Parts are first sought alone, on a fine library of profiles; sets of two and three on a coarse one. Profiles, and sets
of them, that fit too badly to reach a millionth of the best explanation with any product are left out.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from gocv.core import UNKNOWN, Explanation, Part, Store, WeightEvent
from gocv.shelf.candidates import Candidates, Loads, Options, loads_of, options_of, span_of
from gocv.shelf.evidence import Array, Change, Fit, change_of, evidence_of, log_sum
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.profiles import Indices, Profiles, away_prior, library
from gocv.shelf.several import Found, find_several
from gocv.shelf.weights import UnitWeights

_LEAST_LOG = math.log(1e-6)
_ANY_PLATES = 0.2
"""How often what no candidate explains is no one thing at one place."""


def explain(
    event: WeightEvent,
    store: Store,
    settings: ExplainSettings | None = None,
    *,
    candidates: Candidates | None = None,
    weights: UnitWeights | None = None,
) -> list[Explanation]:
    """What `event` could have been, most probable first; the probabilities sum to 1.

    Args:
        event: A change of weight.
        store: Products and planogram. Plates that it names and that do not exist are ignored.
        settings: The model.
        candidates: What may have moved; None: anything that the planogram has, from and to its place, and any product
            put anywhere.
        weights: What units weigh; from the store's catalogue where None.

    Returns:
        All explanations that are not a millionth as probable as the best, and in any case that nothing moved (no
        parts) and that something unknown did (one part of `UNKNOWN`).
    """
    settings = settings or ExplainSettings()
    weights = weights or UnitWeights(store, settings)
    if not event.plates:
        return [
            Explanation((), 0.0, 1 - settings.unknown),
            Explanation((_nothing_known(event),), 0.0, settings.unknown),
        ]
    change = change_of(event, *span_of(event.plates, store), settings)
    columns = np.array([plate.plate - change.first for plate in event.plates], np.int64)
    profiles = library(change.plates)
    near = change.reached(profiles)
    fit = evidence_of(change, profiles, near, settings.crosstalk).one()
    options = options_of(change, event.shelf, store, candidates or Candidates(), weights, settings)
    loads = loads_of(options, weights, settings)
    log_nothing = _log_nothing(change, settings)
    unknown, log_unknown = _unknown(change, fit, near, columns, settings)
    found = [
        (math.log(settings.nothing), Explanation((), log_nothing, 0.0)),
        (math.log(settings.unknown), Explanation((unknown,), log_unknown, 0.0)),
    ]
    if options.product:
        singles = _singles(change, fit, near, profiles, options, loads, columns, settings)
        best_single = max((log_prior + e.log_density for log_prior, e in singles), default=-math.inf)
        found += singles
        best = max(log_prior + e.log_density for log_prior, e in found)
        for several in find_several(change, options, loads, settings, best_single, best):
            log_prior, explanation = _several(several, options, columns, settings)
            found.append((log_prior, explanation))
    return _ranked(found)


def _ranked(found: list[tuple[float, Explanation]]) -> list[Explanation]:
    score = np.array([log_prior + e.log_density for log_prior, e in found])
    weight = np.exp(score - score.max())
    kept = [row for row in range(len(found)) if row < 2 or weight[row] >= 1e-6]
    probability = weight[kept] / weight[kept].sum()
    listed = [
        dataclasses.replace(found[row][1], probability=float(p)) for row, p in zip(kept, probability, strict=True)
    ]
    return sorted(listed, key=lambda e: (-e.probability, e.items))


def _log_nothing(change: Change, settings: ExplainSettings) -> float:
    """Log density if nothing moved: noise alone, or with weight that was pushed from one plate to the next."""
    delta = change.white @ change.delta_g
    square = float(delta @ delta)
    steps = np.diff(np.eye(change.plates), axis=0) @ change.white.T * settings.pushed_g
    logs = [math.log1p(-settings.pushed) - square / 2]
    if len(steps):
        size = 1 + np.einsum("np,np->n", steps, steps)
        pushed = ((steps @ delta) ** 2 / size - np.log(size) - square) / 2
        logs.append(math.log(settings.pushed / len(steps)) + float(log_sum(pushed)))
    return change.log_peak + float(np.logaddexp.reduce(logs))


def _unknown(
    change: Change,
    fit: Fit,
    near: Indices,
    columns: Indices,
    settings: ExplainSettings,
) -> tuple[Part, float]:
    """The part of something unknown, and its log density: one thing anywhere, or any change of any plates."""
    gram = fit.gram[:, 0, 0]
    load_g = fit.h[:, 0] / gram
    with np.errstate(divide="ignore"):
        log_place = np.log(away_prior(change.plates, (), settings)[near])
    logs = log_place + _log_free(fit, settings) - math.log(2)
    z = change.delta_g[change.listed] / change.sd_g[change.listed]
    still = -(z**2) / 2 - np.log(change.sd_g[change.listed]) - math.log(2 * math.pi) / 2
    anything = _log_any(change.delta_g[change.listed], settings) - math.log(2)
    log_plates = float(np.logaddexp(still, anything).sum()) - change.listed.sum() * math.log(2)
    log_one = math.log1p(-_ANY_PLATES) + float(log_sum(logs))
    share = np.exp(logs - log_sum(logs))
    total_g = float(share @ load_g) if np.isfinite(share).all() else float(change.delta_g.sum())
    sd_g = math.sqrt(float(share @ (1 / gram + (load_g - total_g) ** 2))) if np.isfinite(share).all() else math.nan
    part = _part(UNKNOWN, -1 if total_g > 0 else 1, False, total_g, sd_g, change.delta_g * np.sign(total_g), columns)
    return part, float(np.logaddexp(log_one, math.log(_ANY_PLATES) + log_plates))


def _nothing_known(event: WeightEvent) -> Part:
    return Part(UNKNOWN, 1, False, 0.0, 0.0, ())


def _log_any(grams: Array, settings: ExplainSettings) -> Array:
    """Log density of a weight of which nothing is known: log-normal."""
    size, ratio = np.maximum(np.abs(grams), 0.1), settings.unknown_weight_ratio
    z = np.log(size / settings.unknown_weight_g) / ratio
    return np.asarray(-(z**2) / 2 - np.log(size * ratio * math.sqrt(2 * math.pi)))


def _log_free(fit: Fit, settings: ExplainSettings) -> Array:
    """(R,) log density on each profile if a thing of unknown weight moved, either way."""
    h, gram = fit.h[:, 0], fit.gram[:, 0, 0]
    log_density: Array = fit.log_still + h**2 / gram / 2 + np.log(2 * np.pi / gram) / 2 + _log_any(h / gram, settings)
    return log_density


def _singles(
    change: Change,
    fit: Fit,
    near: Indices,
    profiles: Profiles,
    options: Options,
    loads: Loads,
    columns: Indices,
    settings: ExplainSettings,
) -> list[tuple[float, Explanation]]:
    """(log prior, explanation) of one part each."""
    h, gram = fit.h[:, 0], fit.gram[:, 0, 0]
    log_best = fit.log_still + h**2 / gram / 2
    rows = np.flatnonzero(log_best > log_best.max() + 1.5 * _LEAST_LOG)
    h, gram, log_still, log_best = h[rows], gram[rows], fit.log_still[rows], log_best[rows]
    log_place, place = options.log_place(change.plates, settings, coarse=False)
    load_g = h / gram
    # Of all profiles, the least and the greatest weight that they can stand for; what is far from both is left out.
    reach = 6 / np.sqrt(gram)
    sd_g = np.sqrt(loads.variance_g2)
    able = (loads.mean_g + 6 * sd_g > (load_g - reach).min()) & (loads.mean_g - 6 * sd_g < (load_g + reach).max())
    able &= np.isfinite(loads.log_share)
    able &= loads.known[:, None]
    option, component = np.nonzero(able)
    mean, variance, log_share = (
        values[option, component][:, None] for values in (loads.mean_g, loads.variance_g2, loads.log_share)
    )
    size = 1 + gram * variance
    logs = log_best - ((load_g - mean) ** 2 * gram / size + np.log(size)) / 2 + log_share
    logs += log_place[place[option]][:, near[rows]]
    free = np.flatnonzero(~loads.known)
    log_free = (
        _log_free(Fit(log_still, h[:, None], gram[:, None, None]), settings) + log_place[place[free]][:, near[rows]]
    )
    log_free = np.where(np.sign(load_g) == -np.sign(options.units[free])[:, None], log_free, -np.inf)
    logs, option = np.concatenate([logs, log_free]), np.concatenate([option, free])
    whole = log_sum(logs)
    score = np.full(len(options.product), -np.inf)
    np.logaddexp.at(score, option, whole)
    ranked = score + options.log_prior
    kept = np.flatnonzero(ranked > ranked.max() + _LEAST_LOG)
    found = []
    for o in kept.tolist():
        mine = logs[option == o]
        share = np.exp(mine - score[o]).sum(axis=0)
        share /= share.sum()
        grams = float(share @ load_g)
        sd = math.sqrt(float(share @ (1 / gram + (load_g - grams) ** 2)))
        carried = profiles.shares[near[rows]].T @ share
        # The measured changes say where on these plates it was, better than the library.
        carried = np.where(carried > 1e-3, change.delta_g * np.sign(grams), 0.0)
        part = _part(options.product[o], int(options.units[o]), bool(options.at_home[o]), grams, sd, carried, columns)
        found.append((float(options.log_prior[o]), Explanation((part,), float(score[o]), 0.0)))
    return found


def _several(found: Found, options: Options, columns: Indices, settings: ExplainSettings) -> tuple[float, Explanation]:
    """(log prior, explanation) of a set of parts."""
    parts = [
        _part(options.product[o], int(options.units[o]), bool(options.at_home[o]), grams, sd, shares, columns)
        for o, grams, sd, shares in zip(found.options, found.grams, found.sd_g, found.shares, strict=True)
    ]
    log_prior = float(options.log_prior[list(found.options)].sum()) + (len(parts) - 1) * math.log(settings.another)
    return log_prior, Explanation(tuple(sorted(parts, key=lambda p: p.product)), found.log_density, 0.0)


def _part(product: str, units: int, at_home: bool, grams: float, sd_g: float, carried: Array, columns: Indices) -> Part:
    share = np.maximum(carried[columns], 0.0)
    share = share / share.sum() if share.sum() > 0 else np.full(len(columns), 1 / len(columns))
    return Part(product, units, at_home, abs(grams), sd_g, tuple(share.tolist()))
