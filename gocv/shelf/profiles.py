"""Profiles: which share of a thing's weight each plate under it carries.

A thing of width b (in plates) with its middle at c weighs on plate p in proportion to the overlap of [c - b/2, c + b/2]
with [p, p + 1]. Neither b nor c is known: a library holds a grid of both, and how the shares change within a cell of
the grid, so that the grid stands for all that lies between.

What leans on something that stands on the next plate gives a share u of its weight to the plates next to its own: its
profile is (1 - u) s + u·s shifted by a plate, which is about s shifted by u plates and blurred by u (1 - u) / 2 times
its second difference. So things that lean have a part of the library to themselves, of blurred profiles.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gocv.shelf.priors import ExplainSettings

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_NARROWEST, _WIDEST = 0.35, 6.5
_USUAL = (0.4, 1.25)
"""Widths of usual packs, in plates: a plate is about 10 cm wide, and packs are 4 to 12 cm."""
_FILLED = (0.75, 1.0)
"""Widths of packs that fill their place, as a share of it."""
_ODD = 0.02
"""How often a width is neither."""
_CELL_SD = 0.5
"""Standard deviation within a cell against its size: Gaussians that far apart add up to an even density."""
_OFF = 0.53
"""By how much of their width columns stand off their place: half of it, and a little."""
_REACHED = 0.01
_BLUR = (0.07, 0.04)
"""Mean and standard deviation of u (1 - u) / 2, u even from 0 to a half."""
_BLUR_OF_ALL = (0.02, 0.04)
_LEAN_PLATES = 0.5
"""How far leaning shifts a profile at most."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """The library of a run of P neighbouring plates; positions count plates from its left end.

    Attributes:
        centre: (C,) float64, middle of each cell of the grid.
        width: (C,) float64, its width in plates.
        leans: (C,) bool, whether it is of things that lean.
        row: (C,) int64, the profile of each cell: narrow things inside a plate all have the same.
        shares: (R, P) float64, rows of sum 1.
        slack: (R, 3, P) float64, how the shares change by one standard deviation of middle, width and blur.
        reach: (R, P) bool, the plates on which there may be a share worth naming.
    """

    centre: Array
    width: Array
    leans: NDArray[np.bool_]
    row: Indices
    shares: Array
    slack: Array
    reach: NDArray[np.bool_]


@lru_cache(maxsize=64)
def library(plates: int, coarse: bool = False) -> Profiles:
    """The profiles on a run of plates.

    Args:
        plates: How many.
        coarse: Fewer, for several parts at once: all a little blurred, whether they lean or not.
    """
    step, ratio = (1 / 3, 2.0) if coarse else (0.125, 1.35)
    blurs = (_BLUR_OF_ALL,) if coarse else ((0.0, 0.0), _BLUR)
    centres = (np.arange(round(plates / step)) + 0.5) * step
    widths = _NARROWEST * ratio ** np.arange(int(np.log(_WIDEST / _NARROWEST) / np.log(ratio)) + 1)
    centre, width = (grid.ravel() for grid in np.meshgrid(centres, widths))
    shares = overlap(centre, width, plates)
    along = _CELL_SD * (overlap(centre + step / 2, width, plates) - overlap(centre - step / 2, width, plates))
    wider = _CELL_SD * (overlap(centre, width * ratio**0.5, plates) - overlap(centre, width / ratio**0.5, plates))
    blur = _second_difference(plates)
    every = np.stack([shares, along, wider, 0 * shares], axis=1)
    every = np.concatenate([every + mean * every @ blur + sd * _last(shares @ blur) for mean, sd in blurs])
    flat = every.reshape(len(every), -1).round(9)
    first, row = np.unique(flat, axis=0, return_index=True, return_inverse=True)[1:]
    shares, slack = every[first, 0], every[first, 1:]
    reach = shares + 2 * np.abs(slack).sum(axis=1) > _REACHED
    leans = np.repeat(np.arange(len(blurs)) == 1, len(centre))
    centre, width = np.tile(centre, len(blurs)), np.tile(width, len(blurs))
    return Profiles(centre, width, leans, row.reshape(-1), shares, slack, reach)


def _last(values: Array) -> Array:
    """(C, 4, P) zeros but for the last of the four."""
    every = np.zeros((len(values), 4, values.shape[1]))
    every[:, 3] = values
    return every


def _second_difference(plates: int) -> Array:
    """(P, P) what of a share goes to the plates on either side; at the ends it stays."""
    blur = np.eye(plates, k=1) + np.eye(plates, k=-1)
    return np.asarray(blur - np.diag(blur.sum(axis=1)))


def overlap(centre: Array, width: Array, plates: int) -> Array:
    """(n, P) shares of things on a run of plates; what hangs over its ends weighs on what does not."""
    edge = np.arange(plates)
    right, left = (centre + width / 2)[:, None], (centre - width / 2)[:, None]
    on = np.maximum(np.minimum(right, edge + 1) - np.maximum(left, edge), 0.0)
    shares: Array = on / np.maximum(on.sum(axis=1, keepdims=True), 1e-12)
    return shares


@lru_cache(maxsize=8192)
def home_prior(
    plates: int, home: tuple[int, ...], several: bool, settings: ExplainSettings, coarse: bool = False
) -> Array:
    """(R,) prior of the profiles of a product that the planogram has on positions `home`, which need not be neighbours.

    Args:
        plates: How many there are in the run.
        home: Positions, ascending; those beyond the run's ends count for where units stand.
        several: Whether it is of several units at once.
        settings: How things stand.
        coarse: For the library of fewer profiles.
    """
    profiles = library(plates, coarse)
    prior = np.zeros(len(profiles.centre))
    runs = _runs(home)
    for first, length in runs:
        of_run = _run_prior(profiles, first, length, several, settings)
        if first >= 0 and first + length <= plates:
            of_run /= of_run.sum()  # nothing stands beyond the shelf's ends
        prior += length / len(home) * of_run
    return _by_row(profiles, prior)


@lru_cache(maxsize=8192)
def away_prior(plates: int, home: tuple[int, ...], settings: ExplainSettings, coarse: bool = False) -> Array:
    """(R,) prior of the profiles of something that stands anywhere on a run of plates, but not at home."""
    profiles = library(plates, coarse)
    size = float(np.mean([length for _, length in _runs(home)])) if home else 1.0
    prior = _width_prior(profiles, size, settings) * _lean_prior(profiles, settings)
    for first, length in _runs(home):
        prior[(profiles.centre > first) & (profiles.centre < first + length)] = 0.0
    total = prior.sum()
    return _by_row(profiles, prior / total if total > 0 else prior)


def _runs(positions: tuple[int, ...]) -> list[tuple[int, int]]:
    """(first, length) of the runs of neighbours among ascending positions."""
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and position == runs[-1][0] + runs[-1][1]:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((position, 1))
    return runs


def _run_prior(profiles: Profiles, first: int, length: int, several: bool, settings: ExplainSettings) -> Array:
    """(C,) prior of the cells for a product at home on one run of plates."""
    prior = _placed(profiles, _width_prior(profiles, length, settings), first, length, settings)
    if several:
        wide = _band(profiles.width, 0.5 * length, 1.0 * max(length, 1.0))
        in_line = _placed(profiles, wide, first, length, settings)
        prior = (1 - settings.in_line) * prior + settings.in_line * in_line
    return prior


def _width_prior(profiles: Profiles, length: float, settings: ExplainSettings) -> Array:
    """(C,) prior of a cell's width, the same for all cells of that width."""
    usual = _band(profiles.width, _USUAL[0], _USUAL[1])
    filled = _band(profiles.width, _FILLED[0] * length, _FILLED[1] * length)
    any_width = _band(profiles.width, _NARROWEST, _WIDEST)
    known = settings.narrow * usual + (1 - settings.narrow) * filled
    prior: Array = (1 - _ODD) * known + _ODD * any_width
    return prior


def _band(width: Array, least: float, most: float) -> Array:
    """(C,) even over the logarithm of the width from `least` to `most`, and at least over the nearest width."""
    widths = np.unique(width)
    clipped = np.clip((least, most), widths[0], widths[-1])
    half = np.log(widths[1] / widths[0]) / 2
    low, high = np.maximum(np.log(widths) - half, np.log(clipped[0])), np.log(widths) + half
    inside = np.maximum(np.minimum(high, np.log(clipped[1])) - low, 0.0) + 1e-9 * (np.abs(high - half - low) < half)
    inside /= inside.sum()
    return np.asarray(inside[np.searchsorted(widths, width)])


def _placed(profiles: Profiles, width_prior: Array, first: int, length: int, settings: ExplainSettings) -> Array:
    """(C,) prior of middle and width: inside the run, off it by up to half a width, or further."""
    off = _OFF * profiles.width
    far = settings.beside
    further = off + np.where(profiles.leans, _LEAN_PLATES, 0.0)
    reaches: tuple[tuple[float, Array], ...] = (
        ((1 - far) * (1 - settings.astride), further - off),
        ((1 - far) * settings.astride, further),
        (far, off + settings.beside_plates),
    )
    middle, room = first + length / 2, np.maximum((length - profiles.width) / 2, 0.0)
    step = profiles.centre[1] - profiles.centre[0] if len(profiles.centre) > 1 else 1.0
    prior = np.zeros(len(profiles.centre))
    for share, reach in reaches:
        half = room + reach + step / 2
        inside = np.clip(half + step / 2 - np.abs(profiles.centre - middle), 0.0, step)
        prior += share * inside / (2 * half)
    return prior * _lean_prior(profiles, settings) * width_prior


def _lean_prior(profiles: Profiles, settings: ExplainSettings) -> Array:
    """(C,) prior of leaning or not, where a library tells one from the other."""
    if not profiles.leans.any():
        return np.ones(len(profiles.leans))
    return np.where(profiles.leans, settings.lean, 1 - settings.lean)


def _by_row(profiles: Profiles, prior: Array) -> Array:
    summed: Array = np.bincount(profiles.row, prior, len(profiles.shares)).astype(np.float64)
    summed.flags.writeable = False
    return summed
