"""Whom each own track means, look by look, given the paths of all shoppers: expectation and maximisation in turns.

For each own track u, the shoppers on whose paths its looks may lie, and nobody, are the states of a hidden Markov
chain; forward and backward it gives the probability of each look to be of each of them (Rabiner, Proc. IEEE 77 (1989),
eq. 27). A path that u itself helped to draw would speak for itself, so the shopper who has u is drawn again without it.
Then looks and shoppers are paired one to one in each picture, so that the sum of these log-odds is greatest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.motion.places import inverse_2x2
from gocv.multicamera.likeness import Likeness, log_ratio
from gocv.multicamera.paths import Paths, smooth
from gocv.multicamera.refine.blocks import Blocks
from gocv.multicamera.settings import LookSettings, RefineSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_AROUND_S = 4.0
"""Looks this long before and after an own track are enough to draw the path without it."""
_FAR = -50.0
_HELD = 1.0
"""Where nobody but an own track says where its shopper is, log-odds that it stays with them: they exist, after all."""
_SHARE = 0.25
"""Own tracks of which less than this is a shopper's do not draw that path."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Without:
    """Paths of shoppers drawn without one own track each: `of[u]` has numbers of paths for some, -1 for none."""

    of: dict[int, dict[int, int]]
    paths: Paths


def reassign(blocks: Blocks, settings: RefineSettings, look: LookSettings, likeness: Likeness | None = None) -> Blocks:
    """Give every look to whom it fits best.

    Args:
        blocks: Looks with the shoppers they are of so far.
        settings: How.
        look: How far appearance is believed.
        likeness: What appearance tells, or None.
    """
    names, who = np.unique(blocks.who[blocks.who >= 0], return_inverse=True)
    if not len(names):
        return blocks
    owner = np.full(len(blocks), -1)
    owner[blocks.who >= 0] = who
    drawn = owner >= 0
    paths = smooth(
        blocks.time_s,
        blocks.moment[drawn],
        owner[drawn],
        blocks.xy_m[drawn],
        blocks.covariance_m2[drawn],
        people=len(names),
        reach_s=settings.reach_s,
    )
    order = np.lexsort((blocks.moment, blocks.own))
    groups = np.split(order, np.flatnonzero(np.diff(blocks.own[order])) + 1)
    without = _drawn_without(blocks, owner, groups, settings)
    alike = _alike(blocks, owner, len(names), look, likeness)
    rows, cols, odds = [], [], []
    for u, group in enumerate(groups):
        row, shopper, log_odds = _posterior(blocks, group, paths, without, u, settings, alike)
        rows.append(row)
        cols.append(shopper)
        odds.append(log_odds)
    row, col, gain = np.concatenate(rows), np.concatenate(cols), np.concatenate(odds)
    picture = blocks.moment[row] * (int(blocks.camera.max()) + 1) + blocks.camera[row]
    seats, seat = np.unique(picture * len(names) + col, return_inverse=True)
    made, seat = best_pairs(row, seat, gain, (len(blocks), len(seats)))
    new = np.full(len(blocks), -1, np.int64)
    new[made] = names[seats[seat] % len(names)]
    return blocks.owned(new)


def _drawn_without(blocks: Blocks, owner: Int64, groups: Sequence[Int64], settings: RefineSettings) -> _Without:
    """Draw each shopper's path without each of their own tracks."""
    of: dict[int, dict[int, int]] = {}
    rows_of = {j: np.flatnonzero(owner == j) for j in range(int(owner.max()) + 1)}
    rows, number = [], []
    made = 0
    for u, group in enumerate(groups):
        moments = blocks.time_s[blocks.moment[group]]
        shoppers, count = np.unique(owner[group][owner[group] >= 0], return_counts=True)
        of[u] = {}
        for j in shoppers[count >= _SHARE * count.sum()].tolist():
            others = rows_of[j]
            others = others[blocks.own[others] != blocks.own[group[0]]]
            times = blocks.time_s[blocks.moment[others]]
            others = others[(times >= moments[0] - _AROUND_S) & (times <= moments[-1] + _AROUND_S)]
            of[u][j] = made if len(others) else -1
            if len(others):
                rows.append(others)
                number.append(np.full(len(others), made))
                made += 1
    row = np.concatenate(rows) if rows else np.empty(0, np.int64)
    paths = smooth(
        blocks.time_s,
        blocks.moment[row],
        np.concatenate(number) if number else row,
        blocks.xy_m[row],
        blocks.covariance_m2[row],
        people=made,
        reach_s=settings.reach_s,
    )
    return _Without(of, paths)


def _alike(
    blocks: Blocks, owner: Int64, shoppers: int, look: LookSettings, likeness: Likeness | None
) -> Callable[[int, Int64], Float64] | None:
    """Log-likelihood ratio of an own track's appearance and those of shoppers, each without that own track."""
    vectors = blocks.vectors
    if vectors is None or likeness is None:
        return None
    pairs, count = np.unique(np.stack([owner, blocks.own])[:, owner >= 0], axis=1, return_counts=True)
    total = np.zeros((shoppers, vectors.shape[1]), np.float64)
    np.add.at(total, pairs[0], vectors[pairs[1]] * count[:, None])
    counts = {(int(j), int(u)): int(c) for (j, u), c in zip(pairs.T, count, strict=True)}

    def ratio(own: int, of: Int64) -> Float64:
        own_count = np.array([counts.get((int(j), own), 0) for j in of])
        others = total[of] - own_count[:, None] * vectors[own]
        return log_ratio(others, np.broadcast_to(vectors[own], others.shape), likeness, look.cap)

    return ratio


def _posterior(
    blocks: Blocks,
    group: Int64,
    paths: Paths,
    without: _Without,
    u: int,
    settings: RefineSettings,
    alike: Callable[[int, Int64], Float64] | None,
) -> tuple[Int64, Int64, Float64]:
    """Of one own track: looks, shoppers, and the log-odds of the pairs that are likelier than nobody."""
    alone = blocks.overlooked[group] + np.log(settings.strangers_per_m2) + _HELD
    density, shoppers = _densities(blocks, group, paths, without, u, alone)
    none = np.empty(0, np.int64)
    if not len(shoppers):
        return none, none, np.empty(0)
    density = np.append(density, np.full((len(group), 1), np.log(settings.strangers_per_m2)), axis=1)
    states = density.shape[1]
    first = np.zeros(states)
    if alike is not None:
        ratio = alike(int(blocks.own[group[0]]), shoppers)
        first[:-1] = ratio - ratio.max()  # it tells shoppers from each other, not somebody from nobody
    stay = np.full((states, states), settings.switch / states) + np.eye(states) * (1 - settings.switch)
    seen = np.exp(density - density.max(axis=1, keepdims=True))
    ahead, back = np.empty_like(seen), np.ones_like(seen)
    belief = np.exp(first - first.max())
    for i in range(len(group)):
        belief = (belief @ stay if i else belief) * seen[i]
        belief = belief / belief.sum()
        ahead[i] = belief
    for i in range(len(group) - 2, -1, -1):
        belief = stay @ (seen[i + 1] * back[i + 1])
        back[i] = belief / belief.sum()
    log = np.log(ahead * back + 1e-300)
    odds = log[:, :-1] - log[:, -1:]
    look, state = np.nonzero(odds > 0)
    return group[look], shoppers[state], odds[look, state]


def _densities(
    blocks: Blocks, group: Int64, paths: Paths, without: _Without, u: int, alone: Float64
) -> tuple[Float64, Int64]:
    """(T, s) log density of each look on each path that it may lie on, and (s,) the shoppers whose paths they are.

    `alone` (T,) is that of looks where a shopper's path without this own track is not known, and of the middle of one
    that is so uncertain that it would be less.
    """
    moment = blocks.moment[group]
    place, spread = blocks.xy_m[group], blocks.covariance_m2[group]
    able = np.flatnonzero((paths.first <= moment[-1]) & (paths.last >= moment[0]))
    row = paths.rows(able[None, :], moment[:, None])
    off = paths.mean[row, :2] - place[:, None]
    reach = 16 * (spread[:, 0, 0] + spread[:, 1, 1])[:, None] + 1.0
    near = ((row >= 0) & ((off**2).sum(axis=2) < reach)).any(axis=0)
    shoppers, row = able[near], row[:, near]
    mean, covariance = paths.mean[row, :2], paths.covariance[row, :2, :2] + spread[:, None]
    least, told = np.full(row.shape, -np.inf), np.ones(row.shape, np.bool_)
    for s, j in enumerate(shoppers.tolist()):
        path = without.of[u].get(j)
        if path is None:
            continue
        least[:, s] = alone
        again = np.full(len(moment), -1) if path < 0 else without.paths.rows(np.full(len(moment), path), moment)
        told[:, s] = again >= 0
        if path >= 0:
            mean[:, s] = without.paths.mean[again, :2]
            covariance[:, s] = without.paths.covariance[again, :2, :2] + spread
    off = mean - place[:, None]
    inverse, determinant = inverse_2x2(covariance)
    squared = np.where(told, (off * (inverse @ off[..., None])[..., 0]).sum(axis=2), 0.0)
    middle = np.where(told, -0.5 * np.log(determinant) - np.log(2 * np.pi), -np.inf)
    density = np.maximum(middle, least) - 0.5 * squared
    return np.where(row >= 0, np.maximum(density, _FAR), _FAR), shoppers
