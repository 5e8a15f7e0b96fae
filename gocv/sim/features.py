"""The scenes in which real systems failed, as the AutoCheckout competition (CPS-IoT Week 2020) recorded them.

Each takes the planner and the shoppers of a visit and adds its scene to the programmes of some of them. Scenes of two
are meetings: they come first in both programmes, at a time at which both can be there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gocv.core import ConfigError
from gocv.sim.acts import Act, Stop
from gocv.sim.habits import slow_lift, two_steps
from gocv.sim.layout import Facing
from gocv.sim.plan import ARM_SPAN_M, Draft, Planner

Scene = Callable[[Planner, Sequence[Draft]], None]

_SLACK_S, _CAREFUL_M_S = 4.0, 0.8
_FOUND_AFTER_S, _MET_S = 60.0, 12.0
_BESIDE_M, _CLOSE_M = 0.65, 0.32
_SAME = 0.01


def same_weight_swap(planner: Planner, cast: Sequence[Draft]) -> None:
    """Take one of two products that weigh the same, then put it at the other's place and take that instead."""
    one, other = _alike(planner, 0.0, slack=_SAME)
    draft = cast[0]
    draft.stops.append(planner.stop(one, one.centre_m, [planner.take(draft, one)]))
    swap = planner.put(draft, len(draft.cart) - 1, other.shelf, other.centre_m, 2.0)
    draft.stops.append(planner.stop(other, other.centre_m, [swap, planner.take(draft, other)]))


def misplaced_close_weight(planner: Planner, cast: Sequence[Draft]) -> None:
    """Leave a product among others of nearly its weight; somebody else takes it from there."""
    one, other = _alike(planner, 3.0, 2.0)
    draft, finder = _first_and_last(cast)
    along = other.centre_m
    taken = planner.stop(one, one.centre_m, [planner.take(draft, one)])
    left = planner.put(draft, len(draft.cart) - 1, other.shelf, along, 2.0)
    _at_first(draft, [taken, planner.stop(other, along, [left])])
    found = Act("take", one.article.id, 1, other.shelf, along, 2.0, planner.habits.manner(planner.rng))
    wait_s = 0.0 if finder is draft else _free_s(draft) + _FOUND_AFTER_S
    finder.cart.append(one)
    finder.stops.append(dataclasses.replace(planner.stop(other, along, [found]), not_before_s=wait_s))


def very_close(planner: Planner, cast: Sequence[Draft]) -> None:
    """Two shoppers shoulder to shoulder take at the same moment, each what is before them."""
    _side_by_side(planner, cast, crossed=False)


def crossing_arms(planner: Planner, cast: Sequence[Draft]) -> None:
    """Two shoppers shoulder to shoulder take at the same moment what is before the other."""
    _side_by_side(planner, cast, crossed=True)


def simultaneous_takes(planner: Planner, cast: Sequence[Draft]) -> None:
    """Two shoppers take the same product from the same place within a quarter of a second."""
    facing = planner.facing(units=2)
    start_s = _meeting_s(planner, cast[:2], facing)
    for draft, side in zip(cast[:2], (-0.5, 0.5), strict=True):
        pause = 2.0 + float(planner.rng.uniform(0.0, 0.25))
        act = planner.take(draft, facing, pause_s=pause, along_m=facing.centre_m)
        _meet(draft, facing, side * 0.5, start_s, [act])


def hand_over(planner: Planner, cast: Sequence[Draft]) -> None:
    """One shopper takes something and gives it to another, who may put it back."""
    giver, receiver = cast[:2]
    facing = planner.facing()
    start_s = _meeting_s(planner, cast[:2], facing)
    take, give_s = planner.take(giver, facing, pause_s=2.0), float(planner.rng.uniform(1.8, 3.5))
    product = facing.article.id
    give = Act("give", product, 1, None, facing.centre_m, give_s, partner=receiver.name)
    receive = Act("receive", product, 1, None, facing.centre_m, 2.0 + give_s, partner=giver.name)
    receiver.cart.append(giver.cart.pop())
    _meet(giver, facing, -0.5 * _BESIDE_M, start_s, [take, give])
    _meet(receiver, facing, 0.5 * _BESIDE_M, start_s, [receive])
    if planner.rng.random() < 0.3:
        planner.put_back(receiver, len(receiver.cart) - 1)


def wrong_returns(planner: Planner, cast: Sequence[Draft]) -> None:
    """Everybody takes three things and leaves two of them elsewhere."""
    for draft in cast:
        for _ in range(3):
            facing = planner.facing()
            draft.stops.append(planner.stop(facing, facing.centre_m, [planner.take(draft, facing)]))
        for _ in range(2):
            planner.leave_elsewhere(draft, int(planner.rng.integers(len(draft.cart))))


def slow_lifts(planner: Planner, cast: Sequence[Draft]) -> None:
    """Everybody holds a unit, or leans on the shelf, for seconds and then lifts slowly or in two steps."""
    for draft in cast:
        for lift in (slow_lift, two_steps):
            facing = planner.facing()
            manner = lift(planner.habits.manner(planner.rng), planner.rng)
            act = planner.take(draft, facing, pause_s=9.0, manner=manner)
            draft.stops.append(planner.stop(facing, facing.centre_m, [act]))


def mixed_return(planner: Planner, cast: Sequence[Draft]) -> None:
    """Two or three products are put on one shelf at once, with both hands."""
    draft, many = cast[0], int(planner.rng.integers(2, 4))
    for facing in _different(planner, many):
        draft.stops.append(planner.stop(facing, facing.centre_m, [planner.take(draft, facing)]))
    place = planner.facing()
    acts = []
    for turn in range(many):
        along = place.centre_m + (0.0, 0.15, -0.15)[turn]
        pause_s = float(planner.rng.uniform(0.05, 0.3)) if turn else 2.2
        acts.append(planner.put(draft, len(draft.cart) - 1, place.shelf, along, pause_s))
    draft.stops.append(planner.stop(place, place.centre_m, acts))


def fast_series(planner: Planner, cast: Sequence[Draft]) -> None:
    """Everybody takes up to six units from neighbouring places of one shelf, two a second."""
    for draft in cast:
        first = planner.facing(units=4)
        acts = [planner.take(draft, first, pause_s=2.0)]
        for _ in range(int(planner.rng.integers(3, 6))):
            pause_s = float(planner.rng.uniform(0.45, 0.7))
            beside = planner.beside(draft, first, pause_s)
            if not beside and planner.left[first]:
                beside = [planner.take(draft, first, pause_s=pause_s)]
            acts += beside
        draft.stops.append(planner.stop(first, first.centre_m, acts))


def left_on_floor(planner: Planner, cast: Sequence[Draft]) -> None:
    """Something is taken and left on the floor; in one of three visits somebody picks it up."""
    draft, finder = _first_and_last(cast)
    facing, other = planner.facing(), planner.facing()
    taken = planner.stop(facing, facing.centre_m, [planner.take(draft, facing)])
    drop = Act("drop", facing.article.id, 1, None, other.centre_m, 2.0)
    draft.cart.pop()
    _at_first(draft, [taken, planner.stop(other, other.centre_m, [drop])])
    if planner.rng.random() < 1 / 3 and finder is not draft:
        pick_up = Act("pick_up", facing.article.id, 1, None, other.centre_m, 2.0)
        finder.cart.append(facing)
        stop = planner.stop(other, other.centre_m, [pick_up])
        finder.stops.append(dataclasses.replace(stop, not_before_s=_free_s(draft) + _FOUND_AFTER_S))


SCENES: Mapping[str, tuple[Scene, int]] = {
    "same_weight_swap": (same_weight_swap, 1),
    "misplaced_close_weight": (misplaced_close_weight, 1),
    "very_close": (very_close, 2),
    "crossing_arms": (crossing_arms, 2),
    "simultaneous_takes": (simultaneous_takes, 2),
    "hand_over": (hand_over, 2),
    "wrong_returns": (wrong_returns, 1),
    "slow_lifts": (slow_lifts, 1),
    "mixed_return": (mixed_return, 1),
    "fast_series": (fast_series, 1),
    "left_on_floor": (left_on_floor, 1),
}
"""Each scene and how many shoppers it needs."""


def _side_by_side(planner: Planner, cast: Sequence[Draft], crossed: bool) -> None:
    left, right = _neighbouring(planner)
    middle = (left.centre_m + right.centre_m) / 2
    start_s = _meeting_s(planner, cast[:2], left)
    for draft, side, facing in zip(cast[:2], (-0.5, 0.5), (right, left) if crossed else (left, right), strict=True):
        pause = 2.0 + float(planner.rng.uniform(0.0, 0.4))
        stop_at = dataclasses.replace(facing, left_m=middle, right_m=middle)
        along = facing.centre_m + float(planner.rng.uniform(-0.02, 0.02))
        _meet(draft, stop_at, side * _CLOSE_M, start_s, [planner.take(draft, facing, pause_s=pause, along_m=along)])


def _neighbouring(planner: Planner) -> tuple[Facing, Facing]:
    """Two facings of one gondola within an arm's reach, the left one first."""
    for _ in range(50):
        one = planner.facing()
        other = planner.facing_near(one.shelf.gondola, one.centre_m, unlike=one)
        if other.shelf.gondola == one.shelf.gondola and 0.1 < abs(other.centre_m - one.centre_m) < 2 * ARM_SPAN_M:
            return (one, other) if one.centre_m < other.centre_m else (other, one)
    raise ConfigError("no two products stand within an arm's reach", key="features", expected="a store with shelves")


def _alike(planner: Planner, apart_g: float, slack_g: float = 0.0, slack: float = 0.0) -> tuple[Facing, Facing]:
    """Two products on plates of their own whose weights differ by `apart_g`, or as nearly as there are.

    `slack_g` and `slack`, a share of the weight, say how nearly is as good as exactly.
    """
    stocked = [f for f, left in planner.left.items() if left >= 1]
    weight = np.array([f.article.weight_g for f in stocked])
    off = np.abs(np.abs(weight[:, None] - weight) - apart_g) - slack_g - slack * np.minimum(weight[:, None], weight)
    plates = [planner.layout.store.planogram[f.article.id] for f in stocked]
    off[np.array([[bool(one & other) for other in plates] for one in plates], dtype=bool).reshape(off.shape)] = np.inf
    if not np.isfinite(off).any():
        raise ConfigError("no two products stand apart", key="features", expected="a store with several")
    pairs = np.flatnonzero(off <= max(float(off.min()), 0.0))
    one, other = np.unravel_index(int(planner.rng.choice(pairs)), off.shape)
    return stocked[int(one)], stocked[int(other)]


def _different(planner: Planner, many: int) -> list[Facing]:
    """Facings of as many products."""
    chosen: dict[str, Facing] = {}
    for _ in range(50):
        facing = planner.facing()
        chosen.setdefault(facing.article.id, facing)
        if len(chosen) == many:
            return list(chosen.values())
    raise ConfigError(f"there are no {many} products", key="features", expected="a store with several")


def _meeting_s(planner: Planner, cast: Sequence[Draft], facing: Facing) -> float:
    """A time at which everybody can be there."""
    gondola = planner.layout.gondolas[facing.shelf.gondola]
    way_m = np.abs(gondola.point(facing.centre_m, 0.0, 0.0)[:2] - planner.layout.door_m).sum()
    return max(map(_free_s, cast)) + float(way_m) / _CAREFUL_M_S + _SLACK_S


def _free_s(draft: Draft) -> float:
    """From when on somebody can go where they like: inside, and done with the meetings that are agreed already."""
    return max([draft.programme.entry_s, *(stop.not_before_s + _MET_S for stop in draft.stops if stop.close)])


def _first_and_last(cast: Sequence[Draft]) -> tuple[Draft, Draft]:
    """Who comes in first, in nobody's way, and who comes in last: one and the same where there is but one."""
    by_entry = sorted(cast, key=lambda draft: draft.programme.entry_s)
    return by_entry[0], by_entry[-1]


def _meet(draft: Draft, facing: Facing, aside_m: float, start_s: float, acts: Sequence[Act]) -> None:
    along_m = facing.centre_m + aside_m
    _at_first(draft, [Stop(facing.shelf.gondola, along_m, tuple(acts), start_s, linger_s=0.5, close=True)])


def _at_first(draft: Draft, stops: Sequence[Stop]) -> None:
    """Before everything but the meetings that are agreed already."""
    met = sum(stop.close for stop in draft.stops)
    draft.stops[met:met] = stops
