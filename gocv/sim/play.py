"""Acting a script out: who stands where at each moment, out of each other's way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.sim.layout import STANDING_M, StoreLayout
from gocv.sim.script import Stop, Wish
from gocv.sim.shoppers import STEP_S, Motion, Reach, Route, leg_to

Array = NDArray[np.float64]

_APART_M = 0.48
_LEAVING_S = 1.0
_TRIES = 16
_EVERY = 5  # steps from one check of the distances to the next: a tenth of a second
_DOOR_SIDE_M = 0.35
"""Shoppers come in on one side of the door and go out on the other."""
_WAITS_S = np.arange(0.0, 9.1, 0.8)
_BENDS_M = (0.0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9)
_SHIFTS_M = (0.0, 0.2, -0.2)


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """A wish that came true.

    Attributes:
        time_s: When half the weight has moved.
        shopper: Name.
        wish: What.
    """

    time_s: float
    shopper: str
    wish: Wish


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A way to the next stop: how long to wait first, then a position each step."""

    wait_s: float
    leg: Array


def play(
    layout: StoreLayout, programmes: Sequence[Sequence[Stop]], rng: np.random.Generator
) -> tuple[list[Motion], list[Action]]:
    """Walk every shopper through their stops; each one makes way for those before.

    Returns:
        The motions, in the order of `programmes`, and what was done, in order of time.
    """
    motions: list[Motion] = []
    actions: list[Action] = []
    entry_s = 1.0
    for number, stops in enumerate(programmes, start=1):
        motion, done = _rehearse(f"shopper-{number}", entry_s, layout, stops, motions, rng)
        motions.append(motion)
        actions.extend(done)
        entry_s += float(rng.uniform(2.5, 5.0))
    return motions, sorted(actions, key=lambda action: action.time_s)


def _rehearse(
    name: str,
    entry_s: float,
    layout: StoreLayout,
    stops: Sequence[Stop],
    others: Sequence[Motion],
    rng: np.random.Generator,
) -> tuple[Motion, list[Action]]:
    """Walk through the stops, in other orders and lingering, until nobody is run into; the best try if none is so."""
    height_m, speed = float(rng.uniform(1.60, 1.86)), float(rng.uniform(1.05, 1.28))
    tries = []
    for _ in range(_TRIES):
        linger_s = rng.uniform(0.0, 1.5, len(stops))
        late_s = float(rng.uniform(0.0, 3.0))
        motion, actions = _walk_through(name, height_m, speed, entry_s + late_s, layout, stops, linger_s, others)
        tries.append((_closest_m(motion, others), motion, actions))
        if tries[-1][0] >= _APART_M:
            break
        stops = _reordered(stops, rng)
    _, motion, actions = max(tries, key=lambda attempt: attempt[0])
    return motion, actions


def _reordered(stops: Sequence[Stop], rng: np.random.Generator) -> list[Stop]:
    """The same stops shuffled, but for a meeting, which comes first, and for returns, which come last."""
    meetings = [stop for stop in stops if stop.not_before_s > 0]
    returns = [stop for stop in stops if any(wish.quantity < 0 for wish in stop.wishes)]
    between = [stop for stop in stops if stop not in meetings and stop not in returns]
    return [*meetings, *(between[int(i)] for i in rng.permutation(len(between))), *returns]


def _walk_through(
    name: str,
    height_m: float,
    speed: float,
    entry_s: float,
    layout: StoreLayout,
    stops: Sequence[Stop],
    linger_s: Array,
    others: Sequence[Motion],
) -> tuple[Motion, list[Action]]:
    door, aside = np.array(layout.door_m), np.array([0.0, _DOOR_SIDE_M])
    outlook = np.array([-1.0, 0.0])  # as at a shelf: they come from there
    route = Route(entry_s, door + aside, -outlook)
    reaches: list[Reach] = []
    actions: list[Action] = []
    for stop, linger in zip(stops, linger_s, strict=True):
        gondola = layout.gondolas[stop.gondola]
        spots = [gondola.point(stop.along_m + shift, -STANDING_M, 0.0)[:2] for shift in _SHIFTS_M]
        busy_s = _LEAVING_S + linger + sum(wish.pause_s for wish in stop.wishes)
        away = np.stack([-outlook, -gondola.outlook])
        ways = _ways(layout, route, spots, away, speed)
        # Nobody waits in the door: who cannot come in at once is late instead.
        ways = ways if actions else (way for way in ways if way.wait_s == 0.0)
        _go(route, ways, outlook, stop.not_before_s, busy_s, others)
        outlook, time = gondola.outlook, max(route.now_s, stop.not_before_s)
        for wish in stop.wishes:
            time = round((time + wish.pause_s) / STEP_S) * STEP_S
            hand_m = gondola.point(wish.along_m, 0.10, gondola.heights_m[wish.shelf.shelf - 1] + 0.10)
            reaches.append(Reach(time, min(0.9, 0.48 * wish.pause_s), hand_m))
            actions.append(Action(time, name, wish))
        route.stand(time + _LEAVING_S + linger, outlook)
    away = np.stack([-outlook, [1.0, 0.0]])
    _go(route, _ways(layout, route, [door - aside], away, speed), outlook, 0.0, 0.0, others)
    return route.finish(name, height_m, reaches), actions


def _ways(layout: StoreLayout, route: Route, spots_m: Sequence[Array], away: Array, speed: float) -> Iterator[_Way]:
    """Ways to any of some spots, the most natural first: at once before later, straight before bent."""
    legs = [leg_to(route.here_m, spot, away, speed, bend) for bend in _BENDS_M for spot in spots_m]
    legs = [leg for leg in legs if layout.is_free(leg).all()] or legs[:1]
    for wait_s in _WAITS_S:
        for leg in legs:
            yield _Way(float(wait_s), leg)


def _go(
    route: Route, ways: Iterator[_Way], outlook: Array, not_before_s: float, busy_s: float, others: Sequence[Motion]
) -> None:
    """Take the first way that keeps clear of the others, or the one that comes nearest to it."""
    best, room_m = None, -1.0
    for way in ways:
        arrival_s = route.now_s + way.wait_s + len(way.leg) * STEP_S
        clear_m = _clearance_m(route, way, max(not_before_s - arrival_s, 0.0) + busy_s, others)
        if clear_m > room_m:
            best, room_m = way, clear_m
        if room_m >= _APART_M:
            break
    assert best is not None, "there is always a straight way"
    route.stand(route.now_s + best.wait_s, outlook)
    route.walk(best.leg)


def _clearance_m(route: Route, way: _Way, stay_s: float, others: Sequence[Motion]) -> float:
    """Smallest distance to anyone in the store while waiting, walking, and staying at the end."""
    waiting, staying = round(way.wait_s / STEP_S), round(stay_s / STEP_S)
    parts = (np.repeat(route.here_m[None], waiting, axis=0), way.leg, np.repeat(way.leg[-1:], staying, axis=0))
    xy = np.concatenate(parts)
    xy = xy[::_EVERY]
    return _gap_m(route.now_s + STEP_S, xy, others)


def _closest_m(motion: Motion, others: Sequence[Motion]) -> float:
    return _gap_m(motion.start_s, motion.xy_m[::_EVERY], others)


def _gap_m(start_s: float, xy: Array, others: Sequence[Motion]) -> float:
    """Smallest distance of a path to anyone who is in the store at the time; a row every `_EVERY` steps."""
    time: Array = np.asarray(start_s + np.arange(len(xy)) * (_EVERY * STEP_S))
    clear = np.inf
    for other in others:
        inside = (time >= other.start_s) & (time <= other.end_s)
        gap = np.linalg.norm(xy - other.at(time, other.xy_m), axis=1)[inside]
        clear = min(clear, float(gap.min(initial=np.inf)))
    return clear
