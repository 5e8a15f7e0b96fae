"""From the unrest of a shelf to a chain of rests: levels, how surely they are known, and the steps between them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.shelf.noise import SCALES, Noise
from gocv.shelf.segments import Odds, find_rests

MARGIN = SCALES[1]
"""Blocks at rest on either side of a fragment."""

_FLOOR_G2 = 0.24**2 / 2
"""Least variance of a level, g²: two of them make 0.24 g, for drift, quantisation and what leans on the plate."""

_RINGING = 0.02
"""Plates ring for a while after a change: within this share of how far they went, a plate is at rest."""

_MOST_PLATES = 6
"""Plates of a shelf by which rests are found: those that went farthest, in units of their noise."""

_SIGNIFICANT = 4.5
"""Deviations beyond which a level has changed: 1 in 150,000 by chance."""

_TOUCHED = 6.0
"""The same where nothing remains of it: there are many short rests in which noise could look like a hand."""

_EXACT_G2 = 1e-9
_UNQUIET = 2.5
"""A rest that strays by more than this factor on the variance learnt is as uncertain as it strays."""

_SECOND_DIFFERENCE = 6.0
"""Variance of the second difference of independent readings, over that of one."""

_Array = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What there is to know about one shelf around an episode.

    Attributes:
        values_g: (n, P) float64 block means, grams.
        shaking: (n,) float64 level of the noise against what it usually is, at least 1.
        real: Blocks [first, last) that were measured; the others only repeat them.
        fragments: Blocks [first, last) of each stretch of unrest, in order, at least `MARGIN` from either end.
        level_blocks: Of the longest rest that gives the level before the first and after the last of them.
        noise: Of the shelf's plates.
    """

    values_g: _Array
    shaking: _Array
    real: tuple[int, int]
    fragments: Sequence[tuple[int, int]]
    level_blocks: int
    noise: Noise


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A change from one rest to the next.

    Attributes:
        first, half, last: Where the rest before ends, half of the change has happened, the rest after begins; blocks.
        delta_g: (P,) grams after minus before.
        covariance_g2: (P, P) of `delta_g`.
        settled_g2: (P, P) of the level after.
    """

    first: float
    half: float
    last: float
    delta_g: _Array
    covariance_g2: _Array
    settled_g2: _Array

    @property
    def score(self) -> _Array:
        """(P,) the change in units of its deviation."""
        score: _Array = np.abs(self.delta_g) / np.sqrt(np.diag(self.covariance_g2))
        return score


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Rest:
    """Rows at rest, and the level there."""

    rows: NDArray[np.int64]
    level_g: _Array
    variance_g2: _Array


def find_steps(stretch: Stretch, least_g: float, odds: Odds) -> list[Step]:
    """The steps of an episode: none where all rests are at one level.

    Args:
        stretch: The episode.
        least_g: Smaller changes of every plate are none.
        odds: Prior log odds of rests and moves.
    """
    rests = [_level(stretch, rows) for rows in _rests(stretch, odds)]
    while len(rests) > 1:
        moved = [_significance(before, after, least_g) for before, after in itertools.pairwise(rests)]
        least = int(np.argmin(moved))
        if moved[least] >= 1:
            break
        joined = _level(stretch, np.concatenate([rests[least].rows, rests[least + 1].rows]))
        rests[least : least + 2] = [joined]
    return [_step(stretch, before, after) for before, after in itertools.pairwise(rests)]


def whole(steps: Sequence[Step]) -> Step:
    """The change from the first rest of a chain to the last."""
    before_g2 = steps[0].covariance_g2 - steps[0].settled_g2
    settled_g2 = steps[-1].settled_g2
    delta_g = np.sum([step.delta_g for step in steps], axis=0)
    return Step(steps[0].first, steps[0].half, steps[-1].last, delta_g, before_g2 + settled_g2, settled_g2)


def matters(steps: Sequence[Step], least_g: float, touch_g: float) -> bool:
    """Whether a chain changed a plate, or at least moved one by more than `touch_g` on the way."""
    total = whole(steps)
    return bool(
        ((np.abs(total.delta_g) > least_g) & (total.score > _SIGNIFICANT)).any()
        or any(((np.abs(s.delta_g) > touch_g) & (s.score > _TOUCHED)).any() for s in steps)
    )


def moved_plates(steps: Sequence[Step], least_g: float, beside_g: float) -> NDArray[np.int64]:
    """Columns of plates that changed in a step or in all, and the neighbours of those that changed by much."""
    moved = np.zeros(len(steps[0].delta_g), np.bool_)
    much = moved.copy()
    for step in (*steps, whole(steps)):
        size_g = np.abs(step.delta_g)
        clear = (size_g > least_g) & (step.score > _SIGNIFICANT)
        moved |= clear
        much |= clear & (size_g > beside_g)
    moved[1:] |= much[:-1]
    moved[:-1] |= much[1:]
    return np.flatnonzero(moved)


def _rests(stretch: Stretch, odds: Odds) -> list[NDArray[np.int64]]:
    """Rows of the rests: those between fragments and those found within them."""
    inner: list[list[tuple[int, int]]] = [_within(stretch, a, b, odds) for a, b in stretch.fragments]
    first_end, last_start = inner[0][0][1], inner[-1][-1][0]
    start = max(0, first_end - stretch.level_blocks)
    spans = [(start, first_end)]
    for rests, following in itertools.pairwise(inner):
        spans += [*rests[1:-1], (rests[-1][0], following[0][1])]
    spans += inner[-1][1:-1]
    spans.append((last_start, min(len(stretch.values_g), last_start + stretch.level_blocks)))
    return [np.arange(a, b) for a, b in spans]


def _within(stretch: Stretch, first: int, last: int, odds: Odds) -> list[tuple[int, int]]:
    """Rests in a fragment and in its margins: at least one before it and one after."""
    begin, end = first - MARGIN, last + MARGIN
    values = stretch.values_g[begin:end]
    away = values - values[:MARGIN].mean(axis=0)
    sd_g = stretch.noise.step_g[0] / np.sqrt(2)
    smooth = np.abs(away[:-1] + away[1:]).max(axis=0) / sd_g
    chosen = np.sort(np.argsort(-smooth)[:_MOST_PLATES])
    chosen = chosen[smooth[chosen] > min(2 * _SIGNIFICANT, smooth.max() * 0.999)]
    range_g = np.ptp(values[:, chosen], axis=0)
    unit_g = np.sqrt(sd_g[chosen] ** 2 + (_RINGING * range_g) ** 2)
    rests = find_rests(away[:, chosen] / unit_g, stretch.shaking[begin:end] ** -2.0, odds)
    if len(rests) < 2:
        rests = [(0, MARGIN), (len(values) - MARGIN, len(values))]
    return [(a + begin, b + begin) for a, b in rests]


def _level(stretch: Stretch, rows: NDArray[np.int64]) -> _Rest:
    used = _measured(stretch, rows)
    weight = stretch.shaking[used] ** -2.0
    values = stretch.values_g[used]
    level_g = weight @ values / weight.sum()
    noise, count = stretch.noise, len(used)
    variance_g2 = noise.level_g2(count) * count / weight.sum()
    if count > 2:
        strays = weight @ (values - level_g) ** 2 / (count - 1)
        usual = noise.step_g[0] ** 2 / 2
        variance_g2 = variance_g2 * np.where(strays > _UNQUIET * usual, strays / usual, 1.0)
        # A plate that got stuck repeats a single reading: the level is known no better than that.
        single_g2 = np.where(noise.alive, noise.detail_g**2 / _SECOND_DIFFERENCE, 0.0)
        variance_g2 = variance_g2 + np.where(strays < _EXACT_G2, single_g2, 0.0)
    return _Rest(rows, level_g, variance_g2 + _FLOOR_G2)


def _measured(stretch: Stretch, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that were measured; where others only repeat the first or last ones, those."""
    first, last = stretch.real
    used = rows[(rows >= first) & (rows < last)]
    if rows[-1] >= last:
        used = np.union1d(used, np.arange(max(first, last - MARGIN), last))
    if rows[0] < first:
        used = np.union1d(used, np.arange(first, min(first + MARGIN, last)))
    return used


def _significance(before: _Rest, after: _Rest, least_g: float) -> float:
    """How far the clearest plate went, 1 being just far enough."""
    delta_g = np.abs(after.level_g - before.level_g)
    needed = np.maximum(least_g, _SIGNIFICANT * np.sqrt(before.variance_g2 + after.variance_g2))
    return float((delta_g / needed).max())


def _step(stretch: Stretch, before: _Rest, after: _Rest) -> Step:
    delta_g = after.level_g - before.level_g
    was, became = (
        stretch.noise.correlation * np.sqrt(np.outer(rest.variance_g2, rest.variance_g2)) for rest in (before, after)
    )
    first, last = int(before.rows[-1]) + 1, int(after.rows[0])
    half = _half(stretch.values_g, before.level_g, delta_g, first, max(last, first))
    return Step(float(first), half, float(max(last, first)), delta_g, was + became, became)


def _half(values_g: _Array, level_g: _Array, delta_g: _Array, first: int, last: int) -> float:
    """Where half of the change has happened, in blocks from the beginning of block 0."""
    begin, end = max(first - 1, 0), min(last + 1, len(values_g))
    progress = (values_g[begin:end] - level_g) @ delta_g / (delta_g @ delta_g)
    # The last time that it comes to a half: before, a hand may have pressed.
    below = np.flatnonzero(progress < 0.5)
    row = int(below[-1]) if len(below) else 0
    if row + 1 >= len(progress):
        return float(last)
    low, high = progress[row], progress[row + 1]
    return begin + row + 0.5 + float(np.clip((0.5 - low) / max(high - low, 1e-9), 0, 1))
