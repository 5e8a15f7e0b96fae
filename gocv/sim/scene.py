"""Everything that there is to see of a visit: the store, its people, and where each unit is at each moment."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.sim.acts import Deed
from gocv.sim.articles import Article
from gocv.sim.layout import StoreLayout
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Unit

Place = Literal["shelf", "hand", "floor"]

_SHOWN_S, _FETCHED_S = 3.5, 1.0
"""How long a unit stays in the hand that took it, and how long before it is put down it comes out of the bag."""
_FLOOR_M = 0.40
"""How far before a shopper lies what they drop."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """Where one unit is for a while: at a place, in a hand, or put away (in a bag, where nobody sees it).

    Attributes:
        unit: Its number, the same all its life.
        article: What it is.
        from_s: Since when.
        until_s: Until when.
        position_m: (3,) middle of its base in the store's frame, where it stands or lies; else None.
        yaw_rad: Turn about the vertical against the store's x axis, where it stands.
        lies: Whether it lies on its side.
        holder: Name of the shopper who has it; None where it stands.
        hand: In which of their hands, 0 left, 1 right; None where it is put away.
    """

    unit: int
    article: Article
    from_s: float
    until_s: float
    position_m: NDArray[np.float64] | None
    yaw_rad: float = 0.0
    lies: bool = False
    holder: str | None = None
    hand: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A visit that can be looked at.

    Attributes:
        layout: The store.
        motions: Of all the people.
        staff: Names of those who work here.
        stays: Of all the units, in any order.
        duration_s: How long it lasts.
        deeds: What hands did, in order of time; of one that found nothing where it reached, a touch.
    """

    layout: StoreLayout
    motions: tuple[Motion, ...]
    staff: frozenset[str]
    stays: tuple[Stay, ...]
    duration_s: float
    deeds: tuple[Deed, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """A unit that goes from one place to another.

    Attributes:
        time_s: When.
        unit: As it stands afterwards, or stood before it was taken.
        place: Where it is from now on.
        person: Who has it, or put it there; empty where it was knocked.
        hand: With which hand, 0 left, 1 right.
    """

    time_s: float
    unit: Unit
    place: Place
    person: str
    hand: int


def stays_of(
    layout: StoreLayout,
    motions: Mapping[str, Motion],
    units: Iterable[Unit],
    passages: Sequence[Passage],
    duration_s: float,
) -> tuple[Stay, ...]:
    """Where each unit is from beginning to end.

    Args:
        layout: The store.
        motions: Of the people, by name.
        units: As they stand at the beginning.
        passages: Of all units, in order of time.
        duration_s: When the visit ends.
    """
    ways: defaultdict[int, list[Passage]] = defaultdict(list)
    for unit in units:
        ways[unit.number].append(Passage(0.0, unit, "shelf", "", 0))
    for passage in passages:
        ways[passage.unit.number].append(passage)
    stays: list[Stay] = []
    for way in ways.values():
        for i, passage in enumerate(way):
            following = way[i + 1] if i + 1 < len(way) else None
            stays += _stays(layout, motions, passage, following, duration_s)
    return tuple(stays)


def _stays(
    layout: StoreLayout,
    motions: Mapping[str, Motion],
    passage: Passage,
    following: Passage | None,
    duration_s: float,
) -> list[Stay]:
    """What becomes of a unit after a passage, up to the one that follows or to the end."""
    unit, start, end = passage.unit, passage.time_s, duration_s if following is None else following.time_s
    stay = Stay(unit.number, unit.article, start, end, None)
    if passage.place == "shelf":
        gondola = layout.gondolas[unit.shelf.gondola]
        height_m = gondola.heights_m[unit.shelf.shelf - 1]
        place = gondola.point(unit.along_m, unit.inward_m, height_m)
        return [dataclasses.replace(stay, position_m=place, yaw_rad=gondola.yaw_rad)]
    if passage.place == "floor":
        motion, now = motions[passage.person], np.array([start])
        xy = motion.at(now, motion.xy_m)[0] + _FLOOR_M * motion.at(now, motion.outlook)[0]
        return [dataclasses.replace(stay, position_m=np.array([*xy, 0.0]), yaw_rad=start % 3.0, lies=True)]
    held = dataclasses.replace(stay, holder=passage.person, hand=passage.hand)
    if following is None:
        away_s, fetched_s = min(start + _SHOWN_S, end), end
    elif end - start < _SHOWN_S + _FETCHED_S:
        return [held]
    else:
        away_s, fetched_s = start + _SHOWN_S, end - _FETCHED_S
    parts = [
        dataclasses.replace(held, until_s=away_s),
        dataclasses.replace(held, from_s=away_s, until_s=fetched_s, hand=None),
        dataclasses.replace(held, from_s=fetched_s, hand=None if following is None else following.hand),
    ]
    return [part for part in parts if part.until_s > part.from_s]
