"""Mending the names of recorded shoppers: names that break off, and names that two shoppers exchange.

**Exchanges.** From one row to the next two names jump, each to where the other one was. With r the distance between
where a name is and where its own motion before would have brought it, σ² = σ_0² + (σ_v·Δt)², and r' the same if the
two had gone on under each other's names, the exchange has log odds

    log(p / (1 - p)) = log(odds of an exchange) + Σ_both (r² - r'²) / 2σ².

An exchange is undone from there on; a later one is found in the same way.

**Breaks.** A name that begins may be somebody whose name ended a little before; less likely so in the entrance.
Shoppers stand or walk. Who stands is Δt later where they were, but for a step; who came with velocity v and walks is
about v·τ·(1 - e^(-Δt/τ)) further, as velocities are forgotten in a time τ, with variance σ_0² + (σ_v·Δt)² per
coordinate. Against a new shopper who appears anywhere in the shop, the density of that mixture, times the one of the
gap's length, makes the odds ψ of each pair. How probable a pair is follows from the sum over all ways of pairing names
one to one, each as probable as the product of the odds of its pairs. What nobody can be sure of stays as it is.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gocv.core import FloorTracks, Zone
from gocv.data.config import Model
from gocv.geometry import points_in_polygon, polygon_area
from gocv.multicamera.links import entrances

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_LEAST_AREA_M2 = 10.0
_LEAST_ODDS, _MOST_NAMES = 1e-3, 10


class MendSettings(Model):
    """What is taken for a broken or an exchanged name.

    Attributes:
        place_sd_m: Of where a shopper is seen, each coordinate.
        speed_sd_m_s: Of a shopper's velocity about what it was.
        relax_s: In which a shopper's velocity is forgotten to 1/e.
        stand: Share of the shoppers who are lost that stand.
        step_sd_m: How far who stands moves, each coordinate.
        gap_s: Mean length of the gaps in which a shopper is lost.
        longest_gap_s: Names further apart in time are not joined.
        swap_within_m: Only shoppers who are this close exchange names.
        swap_gap_s: The rows before and after an exchange are no further apart.
        swap_odds: Prior odds that two who jump have exchanged names.
        break_odds: Prior odds that of a name that ends and one that begins inside the shop, each about a
            mean gap from the other, one shopper is meant, against two who came and went unseen.
        leave_odds: The same factor where the name ends in the entrance, as those of who leaves do.
        enter_odds: The same factor where the name begins in the entrance, as those of who comes in do.
        least_probability: Nothing less probable than this is mended.
    """

    place_sd_m: float = Field(default=0.05, gt=0)
    speed_sd_m_s: float = Field(default=0.6, gt=0)
    relax_s: float = Field(default=1.0, gt=0)
    stand: float = Field(default=0.4, gt=0, lt=1)
    step_sd_m: float = Field(default=0.15, gt=0)
    gap_s: float = Field(default=2.0, gt=0)
    longest_gap_s: float = Field(default=10.0, gt=0)
    swap_within_m: float = Field(default=0.9, gt=0)
    swap_gap_s: float = Field(default=3.0, gt=0)
    swap_odds: float = Field(default=0.02, gt=0)
    break_odds: float = Field(default=300.0, gt=0)
    leave_odds: float = Field(default=0.03, gt=0)
    enter_odds: float = Field(default=0.03, gt=0)
    least_probability: float = Field(default=0.9, gt=0.5, lt=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """Shoppers under names that hold, and what was done.

    Attributes:
        tracks: The rows handed in, in their order; the very same table where nothing was broken. Names that were
            joined to others are no longer listed.
        report: What was mended: `where`, what the `problem` was, and how `probable` it is, in order of time.
    """

    tracks: FloorTracks
    report: tuple[Mapping[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Sorted:
    """The rows with a known place, by name and then by time; a run is a name's rows.

    Attributes:
        row: (n,) where each came from.
        name, time_s, xy_m: Of each, as in `FloorTracks`.
    """

    row: Index
    name: Index
    time_s: Array
    xy_m: Array

    def ends(self) -> tuple[Index, Index]:
        """The first and the last row of each run."""
        change = np.flatnonzero(np.diff(self.name))
        return np.concatenate([[0], change + 1]), np.concatenate([change, [len(self.name) - 1]])


def mend(shoppers: FloorTracks, zones: Sequence[Zone], settings: MendSettings | None = None) -> Mended:
    """Undo exchanges of names, and join names that broke.

    Args:
        shoppers: Rows of a whole recording, in any order.
        zones: Of the store. A name that begins in the one called "entrance" is most often somebody who came in;
            without such a zone nobody knows who is new, and no names are joined.
        settings: What is taken for broken.
    """
    settings = settings or MendSettings()
    place_m = _places(shoppers)
    known = np.flatnonzero(np.isfinite(place_m).all(axis=1))
    order = known[np.lexsort((shoppers.time_s[known], shoppers.shopper[known]))]
    if not len(order):
        return Mended(shoppers, ())
    rows = _Sorted(order, shoppers.shopper[order], shoppers.time_s[order], place_m[order])
    owner, found = shoppers.shopper, list(_exchanges(rows, settings))
    entries = [_exchanged(shoppers.shoppers, *exchange) for exchange in found]
    if found:
        owner = _undone(shoppers, found)
        renamed = owner[order]
        again = np.lexsort((rows.time_s, renamed))
        rows = _Sorted(order[again], renamed[again], rows.time_s[again], rows.xy_m[again])
    target = np.arange(len(shoppers.shoppers))
    for time_s, old, new, probability in sorted(_breaks(rows, zones, settings)):
        target[new] = target[old]
        entries.append(_joined(shoppers.shoppers, time_s, int(target[old]), new, probability))
    if not entries:
        return Mended(shoppers, ())
    entries.sort(key=lambda entry: float(entry["time_s"]))
    return Mended(_under_new_names(shoppers, target[owner], target), tuple(entries))


def _places(shoppers: FloorTracks) -> Array:
    """(n, 2) where each row has its shopper: on the floor, or where that is not known under the joints."""
    place_m = shoppers.xy_m
    unknown = np.isnan(place_m).any(axis=1)
    if unknown.any():
        place_m = place_m.copy()
        joints_m = shoppers.joints_m[unknown][:, :4, :2]  # head, neck and shoulders: they don't reach far
        seen: NDArray[np.bool_] = np.asarray(np.isfinite(joints_m).all(axis=2))
        total_m = np.where(seen[..., None], joints_m, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            place_m[unknown] = total_m / seen.sum(axis=1)[:, None]
    return place_m


def _velocities(rows: _Sorted) -> Array:
    """(n, 2) m/s with which a name came to each row: over about half a second of its own rows before."""
    at = np.arange(len(rows.name))
    first, _ = rows.ends()
    begin = np.maximum(at - 4, first[np.searchsorted(first, at, "right") - 1])
    spent_s = rows.time_s - rows.time_s[begin]
    moved_m = rows.xy_m - rows.xy_m[begin]
    usable = (spent_s > 0.05) & (spent_s < 2.0)
    velocity: Array = np.where(usable[:, None], moved_m / np.where(usable, spent_s, 1.0)[:, None], 0.0)
    return velocity


def _exchanges(rows: _Sorted, settings: MendSettings) -> Iterator[tuple[float, int, int, float]]:
    """(time, one name, the other, probability) of each exchange, in order of time."""
    velocity = _velocities(rows)
    gap_s = np.diff(rows.time_s)
    step = np.flatnonzero((np.diff(rows.name) == 0) & (gap_s > 0) & (gap_s <= settings.swap_gap_s))
    gap_s = gap_s[step]
    ahead_m = rows.xy_m[step] + velocity[step] * _reach_s(gap_s, settings)[:, None]
    variance = _variance(gap_s, settings)
    off2 = ((rows.xy_m[step + 1] - ahead_m) ** 2).sum(axis=1)
    jumps = np.flatnonzero(off2 > 9 * variance)
    jumps = jumps[np.argsort(rows.time_s[step[jumps] + 1], kind="stable")]
    after_s, before_s = rows.time_s[step + 1], rows.time_s[step]
    taken: set[int] = set()
    for place, a in enumerate(jumps.tolist()):
        best: tuple[float, int] | None = None
        for b in jumps[place + 1 :].tolist():
            if after_s[b] > after_s[a] + settings.swap_gap_s:
                break
            together = before_s[b] < after_s[a] and rows.name[step[a]] != rows.name[step[b]]
            if not together or a in taken or b in taken:
                continue
            if math.dist(rows.xy_m[step[a]], rows.xy_m[step[b]]) > settings.swap_within_m:
                continue
            crossed = [_astray(rows, step, velocity, settings, i, j) for i, j in ((a, b), (b, a))]
            log_odds = math.log(settings.swap_odds) + off2[a] / (2 * variance[a]) + off2[b] / (2 * variance[b])
            log_odds -= sum(crossed)
            if best is None or log_odds > best[0]:
                best = (float(log_odds), b)
        if best is not None and _probability(best[0]) >= settings.least_probability:
            b = best[1]
            taken |= {a, b}
            time_s = float(max(after_s[a], after_s[b]) if before_s[b] >= before_s[a] else after_s[a])
            one, other = sorted((int(rows.name[step[a]]), int(rows.name[step[b]])))
            yield time_s, one, other, _probability(best[0])


def _astray(rows: _Sorted, step: Index, velocity: Array, settings: MendSettings, old: int, new: int) -> float:
    """Squared distance over twice its variance of where `new` is after its jump from where `old` was going."""
    start, end = step[old], step[new] + 1
    gap_s = max(float(rows.time_s[end] - rows.time_s[start]), 0.0)
    ahead_m = rows.xy_m[start] + velocity[start] * float(_reach_s(np.array([gap_s]), settings)[0])
    variance = float(_variance(np.array([gap_s]), settings)[0])
    return float(((rows.xy_m[end] - ahead_m) ** 2).sum()) / (2 * variance)


def _breaks(rows: _Sorted, zones: Sequence[Zone], settings: MendSettings) -> Iterator[tuple[float, int, int, float]]:
    """(time, name that ended, name that began, probability) of each name that broke."""
    entrance = entrances(zones)
    if not entrance:
        return
    first, last = rows.ends()
    velocity = _velocities(rows)
    gap_s = rows.time_s[first] - rows.time_s[last][:, None]
    able = (gap_s > 0) & (gap_s <= settings.longest_gap_s)
    candidates = able.any(axis=1)
    old, gap_s, able = last[candidates], np.where(able, gap_s, 1.0)[candidates], able[candidates]
    away_m = rows.xy_m[first] - rows.xy_m[old][:, None]
    walked_m = away_m - velocity[old][:, None] * _reach_s(gap_s, settings)[..., None]
    stood = math.log(settings.stand) + _log_normal(away_m, 2 * settings.place_sd_m**2 + settings.step_sd_m**2)
    walked = math.log(1 - settings.stand) + _log_normal(walked_m, _variance(gap_s, settings))
    log_odds = np.logaddexp(stood, walked) - gap_s / settings.gap_s + math.log(_area_m2(rows, zones))
    log_odds += math.log(settings.break_odds)
    log_odds += np.where(_inside(rows.xy_m[old], entrance), math.log(settings.leave_odds), 0.0)[:, None]
    log_odds += np.where(_inside(rows.xy_m[first], entrance), math.log(settings.enter_odds), 0.0)
    log_odds = np.where(able, log_odds, -np.inf)
    probability = _marginals(np.exp(np.minimum(log_odds, 300.0)))
    for i, j in np.argwhere(probability >= settings.least_probability).tolist():
        yield float(rows.time_s[first[j]]), int(rows.name[old[i]]), int(rows.name[first[j]]), float(probability[i, j])


def _marginals(odds: Array, least: float = _LEAST_ODDS) -> Array:
    """(n, m) probabilities of pairs, from their odds against both being left alone, when each is in one pair at most.

    Pairs of lower odds than `least` are left out, so that most names have nothing to do with each other; where too
    many still do, more are.
    """
    probability = np.zeros_like(odds)
    row, col = np.nonzero(odds > least)
    n, size = len(odds), sum(odds.shape)
    graph = coo_array((np.ones(len(row), np.int8), (row, n + col)), shape=(size, size))
    group = connected_components(graph, directed=False)[1]
    for number in np.unique(group[row]):
        rows, cols = np.flatnonzero(group[:n] == number), np.flatnonzero(group[n:] == number)
        own = odds[np.ix_(rows, cols)]
        if min(own.shape) > _MOST_NAMES:
            own = _marginals(own, 10 * least)
        else:
            own = np.where(own > least, own, 0.0)
            own = _paired(own) if len(rows) >= len(cols) else _paired(own.T).T
        probability[np.ix_(rows, cols)] = own
    return probability


def _paired(odds: Array) -> Array:
    """The same exactly: row after row, every set of columns that may be taken by then is a state."""
    whole = 1 + odds.sum(axis=1)
    alone, odds = 1 / whole, odds / whole[:, None]  # or products of many would overflow
    n, m = odds.shape
    states = np.arange(2**m)
    free = [states[states >> j & 1 == 0] for j in range(m)]
    forward, backward = np.zeros((n + 1, 2**m)), np.zeros((n + 1, 2**m))
    forward[0, 0], backward[n] = 1.0, 1.0
    for k in range(n):
        forward[k + 1], backward[n - k - 1] = alone[k] * forward[k], alone[n - k - 1] * backward[n - k]
        for j in range(m):
            forward[k + 1, free[j] | 1 << j] += odds[k, j] * forward[k, free[j]]
            backward[n - k - 1, free[j]] += odds[n - k - 1, j] * backward[n - k, free[j] | 1 << j]
    ways = [[forward[k, free[j]] @ backward[k + 1, free[j] | 1 << j] for j in range(m)] for k in range(n)]
    probability: Array = odds * np.array(ways) / backward[0, 0]
    return probability


def _reach_s(gap_s: Array, settings: MendSettings) -> Array:
    reach: Array = settings.relax_s * -np.expm1(-gap_s / settings.relax_s)
    return reach


def _variance(gap_s: Array, settings: MendSettings) -> Array:
    """Per coordinate, m²: of a walk and of the two sightings."""
    variance: Array = 2 * settings.place_sd_m**2 + (settings.speed_sd_m_s * gap_s) ** 2
    return variance


def _log_normal(off_m: Array, variance: Array | float) -> Array:
    """Log density per m² of (..., 2) distances whose coordinates have that variance."""
    log_density: Array = -(off_m**2).sum(axis=-1) / (2 * variance) - np.log(2 * np.pi * variance)
    return log_density


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(float(log_odds), -700.0), 700.0)))


def _inside(xy_m: Array, zones: Sequence[Zone]) -> NDArray[np.bool_]:
    return np.asarray(np.any([points_in_polygon(xy_m, zone.polygon_m) for zone in zones], axis=0))


def _area_m2(rows: _Sorted, zones: Sequence[Zone]) -> float:
    """Of the floor: what zones and shoppers cover."""
    return max(float(np.prod(np.ptp(rows.xy_m, axis=0))), *(polygon_area(z.polygon_m) for z in zones), _LEAST_AREA_M2)


def _undone(shoppers: FloorTracks, exchanges: Sequence[tuple[float, int, int, float]]) -> Index:
    """(n,) whose each row is, exchanges undone in order of time."""
    owner = shoppers.shopper.copy()
    meant = np.arange(len(shoppers.shoppers))
    for time_s, one, other, _ in exchanges:
        meant[[one, other]] = meant[[other, one]]
        later = np.flatnonzero(shoppers.time_s >= time_s)
        for name in (one, other):
            owner[later[shoppers.shopper[later] == name]] = meant[name]
    return owner


def _under_new_names(shoppers: FloorTracks, owner: Index, target: Index) -> FloorTracks:
    """The same rows, each of its owner; the names that are left, in their order."""
    left = np.flatnonzero(target == np.arange(len(target)))
    names = tuple(shoppers.shoppers[name] for name in left)
    return dataclasses.replace(shoppers, shoppers=names, shopper=np.searchsorted(left, owner))


def _exchanged(names: Sequence[str], time_s: float, one: int, other: int, probability: float) -> dict[str, str]:
    where = f"shoppers {names[one]} and {names[other]} at {time_s:.2f} s"
    return _entry(time_s, where, "exchanged names: undone from there on", probability)


def _joined(names: Sequence[str], time_s: float, old: int, new: int, probability: float) -> dict[str, str]:
    where = f"shopper {names[new]} at {time_s:.2f} s"
    return _entry(time_s, where, f"is {names[old]}, whose name broke off: joined", probability)


def _entry(time_s: float, where: str, problem: str, probability: float) -> dict[str, str]:
    return {"time_s": f"{time_s:.3f}", "where": where, "problem": problem, "probability": f"{probability:.4f}"}
