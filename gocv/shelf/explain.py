"""What a weight event could have been: a likelihood over products, units, directions and places.

An explanation is a set of parts, each some units of one product that were taken from, or put on, one place. Part j adds
T_j s_j to the changes d of the plates: s_j is its profile (`gocv.shelf.profiles`), T_j its weight, < 0 if taken,

    p(d | parts) = Σ_s Π_j π_j(s_j) · ∫ p(d | T, s) Π_j p_j(T_j) dT.

- p(d | T, s) is Gaussian (`gocv.shelf.evidence`); parts may share plates, and their signs may differ.
- π_j is the prior of the profile: near the plates where the planogram has the product, or anywhere else on the shelf.
  Several units come from one column or from columns side by side.
- p_j(T_j) is a mixture of Gaussians: n units of a product whose mean weight is itself a mixture (`UnitWeights`), all
  upright or one leaning on the frame. What has no weight on file is log-normal, one unit at a time.

Noise is Gaussian, or the same with all plates odd that look so: off by a few grams for no reason that anybody sees.

Beside these, nothing may have moved (noise, and weight that a touch pushes from a plate to the next one), or something
that no candidate explains: a thing of any weight anywhere, or changes of any size of any plates.

Parts are first sought alone, on a fine library of profiles; sets of two and three (`gocv.shelf.several`) on a coarse
one. Profiles that fit too badly to reach a millionth of the best explanation with any product are left out, and sets of
them that cannot reach a ten-thousandth.
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
        All explanations that are at least a millionth as probable as the best, and in any case that nothing moved (no
        parts) and that something unknown did (one part of `UNKNOWN`). A product that may have stood at home or in a
        wrong place has an explanation for each.
    """
    settings = settings or ExplainSettings()
    weights = weights or UnitWeights(store, settings)
    if not event.plates:
        return [
            Explanation((), 0.0, 1 - settings.unknown),
            Explanation((_nothing_known(event),), 0.0, settings.unknown),
        ]
    span = span_of(event.plates, store)
    change = change_of(event, *span, settings)
    options = options_of(change, event.shelf, store, candidates or Candidates(), weights, settings)
    loads = loads_of(options, weights, settings)
    columns = np.array([plate.plate - change.first for plate in event.plates], np.int64)
    odd = change.odd(settings)
    found = _found(change, options, loads, columns, settings, -math.inf)
    if odd:
        # Either nothing is odd, or all that looks so is.
        best = max(log_prior + e.log_density for log_prior, e in found)
        loose = change_of(event, *span, settings, odd)
        log_odd = len(odd) * math.log(settings.odd)
        less = _found(loose, options, loads, columns, settings, best - log_odd)
        found = _merged(found, len(odd) * math.log1p(-settings.odd), less, log_odd)
    return _ranked(found)


_Scored = list[tuple[float, Explanation]]
"""(log prior, explanation): first that nothing moved, then that something unknown did, then all others."""


def _found(
    change: Change, options: Options, loads: Loads, columns: Indices, settings: ExplainSettings, best: float
) -> _Scored:
    """Explanations of a change; those of several parts are sought if they may come near the best, or to `best`."""
    profiles = library(change.plates)
    near = change.reached(profiles)
    fit = evidence_of(change, profiles, near, settings.crosstalk).one()
    unknown, log_unknown = _unknown(change, fit, near, columns, settings)
    found = [
        (math.log(settings.nothing), Explanation((), _log_nothing(change, settings), 0.0)),
        (math.log(settings.unknown), Explanation((unknown,), log_unknown, 0.0)),
    ]
    if options.product:
        singles = _singles(change, fit, near, profiles, options, loads, columns, settings)
        best_single = max((log_prior + e.log_density for log_prior, e in singles), default=-math.inf)
        found += singles
        best = max(best, *(log_prior + e.log_density for log_prior, e in found))
        several = find_several(change, options, loads, settings, best_single, best)
        found += [_several(parts, options, columns, settings) for parts in several]
    return found


def _merged(one: _Scored, log_one: float, other: _Scored, log_other: float) -> _Scored:
    """Explanations by two models of the noise, of which the first holds with log probability `log_one`."""
    merged: dict[tuple[tuple[str, int, bool], ...], tuple[float, Explanation]] = {}
    for found, log in ((one, log_one), (other, log_other)):
        for log_prior, explanation in found:
            unknown = any(part.product == UNKNOWN for part in explanation.parts)
            parts = tuple((p.product, 0 if unknown else p.units, p.at_home) for p in explanation.parts)
            log_density = explanation.log_density + log
            before = merged.get(parts)
            better = explanation if before is None or before[1].log_density < log_density else before[1]
            if before is not None:
                log_density = float(np.logaddexp(before[1].log_density, log_density))
            merged[parts] = (log_prior, dataclasses.replace(better, log_density=log_density))
    return list(merged.values())


def _ranked(found: _Scored) -> list[Explanation]:
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
    change: Change, fit: Fit, near: Indices, columns: Indices, settings: ExplainSettings
) -> tuple[Part, float]:
    """The part of something unknown, and its log density: one thing anywhere, or any change of any plates."""
    with np.errstate(divide="ignore"):
        log_place = np.log(away_prior(change.plates, (), settings)[near])
    logs = log_place + _log_free(fit, settings) - math.log(2)
    log_one = float(log_sum(logs))
    delta_g, sd_g = change.delta_g[change.listed], change.sd_g[change.listed]
    still = -((delta_g / sd_g) ** 2) / 2 - np.log(sd_g) - math.log(2 * math.pi) / 2
    either = np.logaddexp(still, _log_any(delta_g, settings) - math.log(2)) - math.log(2)
    total_g, total_sd_g = _weighed(fit, np.exp(logs - log_one))
    units = -1 if total_g > 0 else 1
    part = _part(UNKNOWN, units, False, total_g, total_sd_g, change.delta_g * np.sign(total_g), columns)
    return part, float(np.logaddexp(math.log1p(-_ANY_PLATES) + log_one, math.log(_ANY_PLATES) + either.sum()))


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
) -> _Scored:
    """(log prior, explanation) of one part each."""
    log_best = fit.log_still + fit.h[:, 0] ** 2 / fit.gram[:, 0, 0] / 2
    rows = np.flatnonzero(log_best > log_best.max() + 1.5 * _LEAST_LOG)
    fit, near = Fit(fit.log_still[rows], fit.h[rows], fit.gram[rows]), near[rows]
    log_place, place = options.log_place(change.plates, settings, coarse=False)
    logs, option = _single_logs(fit, log_place[:, near], place, options, loads, settings)
    score = np.full(len(options.product), -np.inf)
    np.logaddexp.at(score, option, log_sum(logs))
    ranked = score + options.log_prior
    found = []
    for o in np.flatnonzero(ranked > ranked.max() + _LEAST_LOG).tolist():
        share = np.exp(logs[option == o] - score[o]).sum(axis=0)
        grams, sd_g = _weighed(fit, share / share.sum())
        # The measured changes say where on its plates it was, better than the library.
        on = profiles.shares[near].T @ share > 1e-3
        carried = np.where(on, change.delta_g * np.sign(grams), 0.0)
        part = _part(options.product[o], int(options.units[o]), bool(options.at_home[o]), grams, sd_g, carried, columns)
        found.append((float(options.log_prior[o]), Explanation((part,), float(score[o]), 0.0)))
    return found


def _single_logs(
    fit: Fit, log_place: Array, place: Indices, options: Options, loads: Loads, settings: ExplainSettings
) -> tuple[Array, Indices]:
    """(N, R) log densities on each profile, for each (N,) option and each component of its weight that may fit."""
    gram = fit.gram[:, 0, 0]
    load_g = fit.h[:, 0] / gram
    # Of all profiles, the least and the greatest weight that they can stand for; what is far from both is left out.
    reach, sd_g = 6 / np.sqrt(gram), np.sqrt(loads.variance_g2)
    able = (loads.mean_g + 6 * sd_g > (load_g - reach).min()) & (loads.mean_g - 6 * sd_g < (load_g + reach).max())
    able &= np.isfinite(loads.log_share) & loads.known[:, None]
    option, component = np.nonzero(able)
    mean, variance, log_share = (
        values[option, component][:, None] for values in (loads.mean_g, loads.variance_g2, loads.log_share)
    )
    size = 1 + gram * variance
    logs = fit.log_still + load_g**2 * gram / 2 - ((load_g - mean) ** 2 * gram / size + np.log(size)) / 2 + log_share
    free = np.flatnonzero(~loads.known)
    right_way = np.sign(load_g) == -np.sign(options.units[free])[:, None]
    log_free = np.where(right_way, _log_free(fit, settings), -np.inf)
    option = np.concatenate([option, free])
    return np.concatenate([logs, log_free]) + log_place[place[option]], option


def _weighed(fit: Fit, share: Array) -> tuple[float, float]:
    """Mean and standard deviation of what moved, as measured, with (R,) shares of the profiles."""
    gram = fit.gram[:, 0, 0]
    load_g = fit.h[:, 0] / gram
    grams = float(share @ load_g)
    return grams, math.sqrt(float(share @ (1 / gram + (load_g - grams) ** 2)))


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
