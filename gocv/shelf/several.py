"""Explanations of several parts: sets of profiles that fit a change together, and what may have moved on each.

First come the profiles, whatever the product: a set must reach every plate that surely changed, and its best fit with
any weights bounds what it can be worth. Then each part of a set is given what weighs about as much as it should, and
the set is weighed exactly.
"""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from gocv.shelf.candidates import LEAN_CELLS, Loads, Options
from gocv.shelf.evidence import Array, Change, Evidence, Fit, evidence_of
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.profiles import library

Indices = NDArray[np.int64]

_ON_SURE = 0.5
"""Share of a profile that must be on such plates."""
_MOST_PROFILES = {2: 120, 3: 40}
_MOST_SETS = {2: 240, 3: 120}
_MOST_ELSEWHERE = 16
"""If more products than that may have been taken from anywhere, or put anywhere, sets of parts have them at home."""
_RIDGE = 1e-6
"""Of weights: they are known to within a kilogram."""
_LEAST_LOG = math.log(1e-4)
"""What cannot come that near to the best explanation is left out."""
_FITS_WELL = 24.0
"""By how much less than the peak of the density, and half for each plate, a good fit of two parts usually is."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One set of parts.

    Attributes:
        options: Rows of the options.
        log_density: Of the change.
        grams: What moved of each.
        sd_g: Standard deviation of that.
        shares: (k, P) what of the change each plate owes to each.
    """

    options: tuple[int, ...]
    log_density: float
    grams: tuple[float, ...]
    sd_g: tuple[float, ...]
    shares: Array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Atoms:
    """Options with one Gaussian of their weight each."""

    option: Indices
    product: Indices
    log_share: Array
    mean_g: Array
    variance_g2: Array


def find_several(
    change: Change, options: Options, loads: Loads, settings: ExplainSettings, best_single: float, best: float
) -> list[Found]:
    """Sets of two and three parts.

    Args:
        change: What to explain.
        options: What may have moved.
        loads: What that weighs.
        settings: The model.
        best_single: Log density and prior of the best explanation of one part.
        best: The same of the best explanation of all; sets that cannot reach a ten-thousandth of it are left out.
    """
    profiles = library(change.plates, coarse=True)
    sure = change.sure
    usable = options.at_home.copy()
    for way in (~options.at_home & (options.units > 0), ~options.at_home & (options.units < 0)):
        if len(set(itertools.compress(options.product, way))) <= _MOST_ELSEWHERE:
            usable |= way
    if settings.max_parts < 2 or not len(sure) or len(set(itertools.compress(options.product, usable))) < 2:
        return []
    atoms = _atoms(options, loads, np.flatnonzero(usable))
    evidence = evidence_of(change, profiles, np.arange(len(profiles.shares)), settings.crosstalk)
    log_place, place = options.log_place(change.plates, settings, coarse=True)
    log_place = log_place[place]
    likeliest = (log_place + options.log_prior[:, None])[usable].max(axis=0)
    reach = profiles.reach[:, sure]
    able = np.flatnonzero((profiles.shares[:, sure].sum(axis=1) > _ON_SURE) & (likeliest > -16))
    found: list[Found] = []
    for parts in range(2, settings.max_parts + 1):
        log_another = (parts - 1) * math.log(settings.another)
        best_single = max([best_single, *(_score(f, options, settings) for f in found)])
        if parts > 2 and best_single > change.log_peak - change.plates / 2 - _FITS_WELL:
            break
        least = max(best, best_single) + _LEAST_LOG - log_another
        rows = _covering(able, reach, parts)
        rows = rows[
            change.log_peak - change.missed(np.asarray(profiles.reach[rows].any(axis=1))) + likeliest[rows].sum(axis=1)
            > least
        ]
        fit, rows = _fitting(evidence, rows, likeliest, least)
        if len(rows):
            found += _assigned(change, fit, rows, profiles.shares, atoms, log_place, options, least)
    return found


def _score(found: Found, options: Options, settings: ExplainSettings) -> float:
    log_prior = float(options.log_prior[list(found.options)].sum())
    return found.log_density + log_prior + (len(found.options) - 1) * math.log(settings.another)


def _atoms(options: Options, loads: Loads, usable: Indices) -> _Atoms:
    """One Gaussian for each component of the unit weight, and one for all ways to lean on the frame."""
    index = {product: row for row, product in enumerate(dict.fromkeys(options.product))}
    product = np.array([index[name] for name in options.product], np.int64)
    lean = loads.mean_g[:, -LEAN_CELLS:]
    upright = loads.mean_g.shape[1] - LEAN_CELLS
    mean_g = np.concatenate([loads.mean_g[:, :upright], lean.mean(axis=1, keepdims=True)], axis=1)[usable]
    lean_g2 = loads.variance_g2[:, -LEAN_CELLS:].mean(axis=1, keepdims=True) + lean.var(axis=1, keepdims=True)
    variance_g2 = np.concatenate([loads.variance_g2[:, :upright], lean_g2], axis=1)[usable]
    log_lean = loads.log_share[:, -1:] + math.log(LEAN_CELLS)
    log_share = np.concatenate([loads.log_share[:, :upright], log_lean], axis=1)[usable]
    row, column = np.nonzero(np.isfinite(log_share))
    option = usable[row]
    return _Atoms(option, product[option], log_share[row, column], mean_g[row, column], variance_g2[row, column])


def _covering(able: Indices, reach: NDArray[np.bool_], parts: int) -> Indices:
    """(Q, k) sets of profiles that together reach every plate that surely changed, ascending."""
    if parts == 2:
        able = able[np.argsort(-reach[able].sum(axis=1), kind="stable")][: _MOST_PROFILES[2]]
        able = np.sort(able)
        one, other = np.triu_indices(len(able))
        covers = (reach[able[one]] | reach[able[other]]).all(axis=1)
        return np.stack([able[one], able[other]], axis=1)[covers]
    able = able[np.linspace(0, len(able) - 1, min(len(able), _MOST_PROFILES[3])).astype(np.int64)]
    one, other = np.triu_indices(len(able), 1)
    pairs = reach[able[one]] | reach[able[other]]
    sets, third = np.nonzero((pairs[:, None] | reach[able][None]).all(axis=2) & (np.arange(len(able)) > other[:, None]))
    return np.stack([able[one[sets]], able[other[sets]], able[third]], axis=1)


def _fitting(evidence: Evidence, rows: Indices, likeliest: Array, least_log: float) -> tuple[Fit, Indices]:
    """Those sets of profiles that fit well enough with some weights and the likeliest products, and how they fit."""
    if not len(rows):
        return evidence.together(rows, np.empty(rows.shape)), rows
    shares = evidence.shares[rows]
    gram = shares @ shares.transpose(0, 2, 1)
    # What none of these profiles can show, with all the room that they have, bounds the fit from above.
    about_g = np.linalg.solve(gram + 1e-4 * np.eye(rows.shape[1]), (shares @ evidence.delta)[:, :, None])[:, :, 0]
    fit = evidence.together(rows, np.asarray(about_g))
    load_g, _ = _loads(fit)
    best = fit.log_still + (fit.h * load_g).sum(axis=1) / 2 + likeliest[rows].sum(axis=1)
    kept = np.flatnonzero(best > least_log)
    kept = kept[np.argsort(-best[kept], kind="stable")][: _MOST_SETS[rows.shape[1]]]
    return Fit(fit.log_still[kept], fit.h[kept], fit.gram[kept]), rows[kept]


def _loads(fit: Fit) -> tuple[Array, Array]:
    """(Q, k) best weights, and (Q, k, k) their covariance."""
    covariance_g2 = np.linalg.inv(fit.gram + _RIDGE * np.eye(fit.gram.shape[1]))
    return np.asarray((covariance_g2 @ fit.h[:, :, None])[:, :, 0]), np.asarray(covariance_g2)


def _assigned(
    change: Change,
    fit: Fit,
    rows: Indices,
    shares: Array,
    atoms: _Atoms,
    log_place: Array,
    options: Options,
    least_log: float,
) -> list[Found]:
    """What may have moved on the profiles of each set, summed over sets."""
    parts = rows.shape[1]
    sets, chosen = _combinations(fit, rows, atoms, log_place, options.log_prior, least_log)
    if not len(sets):
        return []
    h, gram = fit.h[sets], fit.gram[sets]
    mean, variance = atoms.mean_g[chosen], atoms.variance_g2[chosen]
    pull = h - np.einsum("nij,nj->ni", gram, mean)
    inner = gram + np.eye(parts) / variance[:, :, None]
    moved = np.linalg.solve(inner, pull[:, :, None])[:, :, 0]
    log_size = np.linalg.slogdet(inner)[1] + np.log(variance).sum(axis=1)
    logs = fit.log_still[sets] + ((h + pull) * mean).sum(axis=1) / 2 + (pull * moved).sum(axis=1) / 2 - log_size / 2
    option = atoms.option[chosen]
    logs += atoms.log_share[chosen].sum(axis=1) + log_place[option, rows[sets]].sum(axis=1)
    order = np.argsort(option, axis=1, kind="stable")
    base = len(options.product) ** np.arange(parts)  # one number for each set of options: rows are slow to compare
    codes, group = np.unique(np.take_along_axis(option, order, axis=1) @ base, return_inverse=True)
    keys = codes[:, None] // base % len(options.product)
    score = np.full(len(keys), -np.inf)
    np.logaddexp.at(score, group, logs)
    found = []
    for k in np.flatnonzero(score + options.log_prior[keys].sum(axis=1) > least_log).tolist():
        n = int(np.flatnonzero(group == k)[np.argmax(logs[group == k])])
        by_option = order[n]
        load_g = (mean[n] + moved[n])[by_option]
        sd_g = np.sqrt(np.diag(np.linalg.inv(inner[n])))[by_option]
        carried = shares[rows[sets[n]]][by_option] * np.abs(load_g)[:, None]
        carried *= np.abs(change.delta_g) / np.maximum(carried.sum(axis=0), 1e-9)
        pair = (tuple(np.abs(load_g).tolist()), tuple(sd_g.tolist()))
        found.append(Found(tuple(keys[k].tolist()), float(score[k]), *pair, carried))
    return found


def _combinations(
    fit: Fit, rows: Indices, atoms: _Atoms, log_place: Array, log_prior: Array, least_log: float
) -> tuple[Indices, Indices]:
    """(N,) sets and (N, k) atoms for their parts, of k products: those that may reach `least_log`.

    Of a part's weight alone, with the other parts free, the density is a Gaussian: so each part in turn bounds it.
    """
    load_g, covariance_g2 = _loads(fit)
    peak = fit.log_still + (fit.h * load_g).sum(axis=1) / 2
    own_g2 = np.diagonal(covariance_g2, axis1=1, axis2=2)[:, :, None]
    size = own_g2 + atoms.variance_g2
    off = ((atoms.mean_g - load_g[:, :, None]) ** 2 / size + np.log(size / own_g2)) / 2
    prior = log_place[atoms.option].T[rows] + (atoms.log_share + log_prior[atoms.option])
    highest = prior.max(axis=2)
    bound = peak[:, None, None] + prior - off + (highest.sum(axis=1, keepdims=True) - highest)[:, :, None]
    able = bound > least_log
    able &= able.any(axis=2).all(axis=1)[:, None, None]
    sets, chosen = _crossed(able)
    product = atoms.product[chosen]
    good = np.ones(len(sets), np.bool_)
    for j, k in itertools.combinations(range(rows.shape[1]), 2):
        good &= product[:, j] != product[:, k]
        good &= (chosen[:, j] < chosen[:, k]) | (rows[sets, j] != rows[sets, k])
    sets, chosen = sets[good], chosen[good]
    parts = np.arange(rows.shape[1])
    worst = off[sets[:, None], parts, chosen].max(axis=1)
    good = peak[sets] + prior[sets[:, None], parts, chosen].sum(axis=1) - worst > least_log
    return sets[good], chosen[good]


def _crossed(able: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """(N,) q and (N, k) columns: for each q of (Q, k, A), all ways to take a true column from each of the k rows."""
    sets = np.arange(len(able))
    chosen = np.empty((len(able), 0), np.int64)
    for k in range(able.shape[1]):
        count = able[:, k].sum(axis=1)[sets]
        column = np.nonzero(able[:, k])[1]
        first = np.concatenate([[0], np.cumsum(able[:, k].sum(axis=1))])[sets]
        which = np.repeat(np.arange(len(sets)), count)
        nth = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        chosen = np.concatenate([chosen[which], column[first[which] + nth][:, None]], axis=1)
        sets = sets[which]
    return sets, chosen
