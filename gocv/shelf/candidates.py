"""What may have moved in a weight event: products, units, direction, place; and what that would weigh."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gocv.core import PlateId, ShelfId, Store
from gocv.shelf.evidence import Change
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.profiles import away_prior, home_prior
from gocv.shelf.weights import UnitWeights

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAN_CELLS = 5
"""Gaussians that stand for what the frame may carry: the last ones of `Loads`."""
_REACH = 2
"""Plates on either side of those that an event lists that a thing which moved may also have stood on."""


@dataclasses.dataclass(frozen=True, slots=True)
class Candidates:
    """What may have moved, as the caller knows it.

    Attributes:
        home: Products that may be taken from, or put at, their home plates; None: all of the planogram.
        away: Products that may stand in a wrong place on this shelf, and be taken from anywhere on it.
        put: Products that may be put anywhere, such as those in somebody's cart; None: any of the planogram.
        log_seen: By product and whether it is taken, log odds of its having moved by what is known besides weight: what
            is sought first. Explanations' densities are without it, their probabilities with it.
    """

    home: frozenset[str] | None = None
    away: frozenset[str] = frozenset()
    put: frozenset[str] | None = None
    log_seen: Mapping[tuple[str, bool], float] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Options:
    """Units of a product that may have moved one way at one kind of place; O of them.

    Attributes:
        product: (O,) ids.
        units: (O,) int64, > 0 taken.
        at_home: (O,) bool.
        home: (O,) int64, index into `homes`.
        homes: Where products are at home: positions on the change's plates.
        log_prior: (O,) how often such a thing happens.
    """

    product: tuple[str, ...]
    units: Indices
    at_home: NDArray[np.bool_]
    home: Indices
    homes: tuple[tuple[int, ...], ...]
    log_prior: Array

    def log_place(self, plates: int, settings: ExplainSettings, coarse: bool) -> tuple[Array, Indices]:
        """(N, R) log priors of the profiles of a library, and (O,) the row of each option."""
        keys = [
            (self.homes[home], at_home, at_home and units > 1)
            for home, at_home, units in zip(
                self.home.tolist(), self.at_home.tolist(), np.abs(self.units).tolist(), strict=True
            )
        ]
        index = {key: row for row, key in enumerate(dict.fromkeys(keys))}
        priors = [
            home_prior(plates, home, several, settings, coarse)
            if at_home
            else away_prior(plates, home, settings, coarse)
            for home, at_home, several in index
        ]
        with np.errstate(divide="ignore"):
            return np.log(np.array(priors)), np.array([index[key] for key in keys], np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """What options weigh: K Gaussians each.

    Attributes:
        log_share: (O, K) log share of each.
        mean_g: (O, K) change of weight, < 0 for takes.
        variance_g2: (O, K).
        known: (O,) whether a weight is known; where not, the rest is of no use.
    """

    log_share: Array
    mean_g: Array
    variance_g2: Array
    known: NDArray[np.bool_]


class _Same:
    """Something by its identity, so that it can be a key; holding it keeps the identity its own."""

    __slots__ = ("thing",)

    def __init__(self, thing: object) -> None:
        self.thing = thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.thing is self.thing


@lru_cache(maxsize=16)
def _by_shelf(planogram: _Same) -> dict[ShelfId, dict[str, tuple[int, ...]]]:
    """Numbers of the plates on which products are at home, by shelf and product."""
    found: dict[ShelfId, dict[str, list[int]]] = {}
    assert isinstance(planogram.thing, Mapping)
    for product, plates in planogram.thing.items():
        for plate in sorted(plates):
            found.setdefault(plate.shelf_id, {}).setdefault(product, []).append(plate.plate)
    return {shelf: {product: tuple(at) for product, at in of.items()} for shelf, of in found.items()}


def span_of(plates: tuple[PlateId, ...], store: Store) -> tuple[int, int]:
    """Numbers of the first and the last plate that may have to do with an event on `plates` of a shelf."""
    shelf = plates[0].shelf_id
    there = {number for home in _by_shelf(_Same(store.planogram)).get(shelf, {}).values() for number in home}
    surveyed = any(PlateId(*shelf, p.plate) in store.plates for p in plates)

    def exists(number: int) -> bool:
        return PlateId(*shelf, number) in store.plates if surveyed else number in there

    first, last = min(p.plate for p in plates), max(p.plate for p in plates)
    before = next((k for k in range(_REACH) if not exists(first - k - 1)), _REACH) if first > 1 else 0
    after = next((k for k in range(_REACH) if not exists(last + k + 1)), _REACH)
    return first - min(before, first - 1), last + after


def options_of(
    change: Change,
    shelf: ShelfId,
    store: Store,
    candidates: Candidates,
    weights: UnitWeights,
    settings: ExplainSettings,
) -> Options:
    """Everything that may have moved, with as many units as the change has weight for."""
    homes = _by_shelf(_Same(store.planogram)).get(shelf, {})
    touched = set(range(change.first - 1, change.first + change.plates + 1))
    at_home = [
        product
        for product, at in homes.items()
        if (candidates.home is None or product in candidates.home) and not touched.isdisjoint(at)
    ]
    put = store.planogram if candidates.put is None else candidates.put
    slack_g = 4 * float(np.sqrt(np.sum(change.sd_g[change.listed] ** 2)))
    down_g = float(-change.delta_g[change.delta_g < 0].sum()) + slack_g
    up_g = float(change.delta_g[change.delta_g > 0].sum()) + slack_g
    found: list[tuple[str, int, bool, float]] = []
    log_put, log_away = math.log(settings.put), math.log(settings.away)
    elsewhere = log_put + math.log(settings.put_away) - math.log(max(len(put), 1))
    groups: Iterable[tuple[Iterable[str], int, bool, float]] = (
        (at_home, 1, True, 0.0),
        (at_home, -1, True, log_put),
        (sorted(candidates.away), 1, False, log_away - math.log(max(len(candidates.away), 1))),
        (sorted(put), -1, False, elsewhere),
    )
    for products, sign, is_home, log_prior in groups:
        most_g = down_g if sign > 0 else up_g
        for product in products:
            if product in store.products:
                log_first = log_prior + candidates.log_seen.get((product, sign > 0), 0.0)
                for units in range(1, _most_units(product, most_g, weights, settings) + 1):
                    found.append((product, sign * units, is_home, log_first + (units - 1) * math.log(settings.repeat)))
    names = tuple(entry[0] for entry in found)
    positions = {product: tuple(number - change.first for number in homes.get(product, ())) for product in set(names)}
    index = {home: row for row, home in enumerate(dict.fromkeys(positions.values()))}
    return Options(
        product=names,
        units=np.array([entry[1] for entry in found], np.int64),
        at_home=np.array([entry[2] for entry in found], np.bool_),
        home=np.array([index[positions[product]] for product in names], np.int64),
        homes=tuple(index),
        log_prior=np.array([entry[3] for entry in found], np.float64),
    )


def _most_units(product: str, most_g: float, weights: UnitWeights, settings: ExplainSettings) -> int:
    known = weights.mixture(product)
    if not known.known:
        return 1
    least_g = float(known.mean_g.min()) * 0.9
    return max(1, min(settings.max_units, int((most_g + settings.frame_share * least_g) / least_g)))


def loads_of(options: Options, weights: UnitWeights, settings: ExplainSettings) -> Loads:
    """What the options weigh: upright, by each component of their unit weight, or one of them on the frame."""
    mixtures = [weights.mixture(product) for product in options.product]
    most = max((len(m.probability) for m in mixtures), default=1)
    share, unit_g, sd_g = (np.zeros((len(mixtures), most)) for _ in range(3))
    for row, m in enumerate(mixtures):
        size = len(m.probability)
        share[row, :size], unit_g[row, :size], sd_g[row, :size] = m.probability, m.mean_g, m.sd_g
        unit_g[row, size:], sd_g[row, size:] = m.mean_g[0], 1.0
    spread_g2 = np.array([m.spread_g**2 for m in mixtures])
    count = np.abs(options.units).astype(np.float64)
    sign = -np.sign(options.units)[:, None]
    upright_g2 = (count[:, None] * sd_g) ** 2 + (count * spread_g2)[:, None]
    leans = np.minimum(count * settings.frame_lean, 0.5)[:, None]
    rows, main = np.arange(len(mixtures)), np.argmax(share, axis=1)
    one_g, cell = unit_g[rows, main][:, None], settings.frame_share / LEAN_CELLS
    lean_g = one_g * (count[:, None] - (np.arange(LEAN_CELLS) + 0.5) * cell)
    lean_g2 = np.repeat(upright_g2[rows, main][:, None] + (one_g * cell / 2) ** 2, LEAN_CELLS, axis=1)
    shares = np.concatenate([share * (1 - leans), np.repeat(leans / LEAN_CELLS, LEAN_CELLS, axis=1)], axis=1)
    with np.errstate(divide="ignore"):
        log_share = np.log(shares)
    mean_g = sign * np.concatenate([count[:, None] * unit_g, lean_g], axis=1)
    known = np.array([m.known for m in mixtures], np.bool_)
    return Loads(log_share, mean_g, np.concatenate([upright_g2, lean_g2], axis=1), known)
