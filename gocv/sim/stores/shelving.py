"""Products on shelves: how many plates each gets, which plates two share, what hangs from pegs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from gocv.core import ShelfId
from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola
from gocv.sim.stores.clearance import room_of
from gocv.sim.stores.packs import Size

MOST_PLATES = 5
"""That a facing is given."""
_AIR_M = 0.01
_BARE = 0.03
"""Chance, after each plate given to a facing, that the rest of its shelf stays bare."""


@dataclasses.dataclass(slots=True)
class _Room:
    """A facing in the making: its room, and what a unit needs of it, in half plates from the shelf's left end."""

    article: Article
    shelf: ShelfId
    left: int
    right: int
    needs: int

    @property
    def plates(self) -> int:
        """How many the room touches."""
        return -(-self.right // 2) - self.left // 2


def fill_shelves(
    gondolas: Sequence[Gondola],
    articles: Sequence[Article],
    *,
    shared: float,
    pegs: float,
    rng: np.random.Generator,
) -> list[Facing] | None:
    """Facings of the articles in their order, gondola by gondola, or None where there are too few plates.

    Args:
        gondolas: To fill, all of one pitch and depth.
        articles: One for each facing; sizes that do not fit the lowest gap between shelves are made to.
        shared: Share of the boundaries between touching facings that lie on a plate which both have.
        pegs: Share of the light bags and small boxes that hang.
        rng: Stream of random numbers.
    """
    shelves = [(gondola, shelf) for gondola in gondolas for shelf in gondola.shelf_ids()]
    articles = _fitted(articles, shelves)
    needs = [_needs(article, gondolas[0].pitch_m) for article in articles]
    rows = _allot([gondola.plates for gondola, _ in shelves], needs)
    if rows is None:
        return None
    rooms = [
        room
        for (gondola, shelf), (first, last) in zip(shelves, rows, strict=True)
        for room in _row(gondola, shelf, articles[first:last], rng)
    ]
    _share(rooms, shared, rng)
    hung = {article.id for article in articles if _is_small(article) and rng.random() < pegs}
    half_m = gondolas[0].pitch_m / 2
    return [_facing(room, half_m, "peg" if room.article.id in hung else "shelf") for room in rooms]


def _fitted(articles: Sequence[Article], shelves: Sequence[tuple[Gondola, ShelfId]]) -> list[Article]:
    """The articles, with bodies that fit any shelf: those of a family stay alike wherever they come to stand."""
    gondola, shelf = min(shelves, key=lambda place: room_of(place[0], place[1], 1.0).height_m)
    space = room_of(gondola, shelf, MOST_PLATES * gondola.pitch_m - _AIR_M)
    sizes = [Size(article.width_m, article.depth_m, article.height_m).within(space) for article in articles]
    return [
        dataclasses.replace(article, **dataclasses.asdict(size)) for article, size in zip(articles, sizes, strict=True)
    ]


def _needs(article: Article, pitch_m: float) -> int:
    """Half plates that hold a unit with a little air."""
    return math.ceil((article.width_m + _AIR_M) / (pitch_m / 2) - 1e-9)


def _allot(plates: Sequence[int], needs: Sequence[int]) -> list[tuple[int, int]] | None:
    """First and last + 1 of the articles on each shelf: evenly where they fit, and as many as fit where not.

    Args:
        plates: On each shelf.
        needs: Of each article, in half plates; a facing begins and ends with a whole one.
    """
    whole = [-(-need // 2) for need in needs]
    for dense in (False, True):
        rows, first = [], 0
        for shelf, length in enumerate(plates):
            quota = len(needs) if dense else math.ceil((len(needs) - first) / (len(plates) - shelf))
            last, used = first, 0
            while last < len(needs) and last - first < quota and used + whole[last] <= length:
                used += whole[last]
                last += 1
            rows.append((first, last))
            first = last
        if first == len(needs):
            return rows
    return None


def _row(gondola: Gondola, shelf: ShelfId, articles: Sequence[Article], rng: np.random.Generator) -> list[_Room]:
    """Facings of one shelf: what plates are left over go to some of them, and the rest stay bare between them."""
    needs = [_needs(article, gondola.pitch_m) for article in articles]
    widths = [-(-need // 2) for need in needs]
    spare = gondola.plates - sum(widths)
    while spare and (open_ := [i for i, width in enumerate(widths) if width < MOST_PLATES]):
        if rng.random() < _BARE:
            break
        widths[int(rng.choice(open_))] += 1
        spare -= 1
    gaps = rng.multinomial(spare, np.full(len(widths) + 1, 1 / (len(widths) + 1)))
    rooms, edge = [], 0
    for article, need, width, gap in zip(articles, needs, widths, gaps, strict=False):
        edge += int(gap)
        rooms.append(_Room(article, shelf, 2 * edge, 2 * (edge + width), need))
        edge += width
    return rooms


def _share(rooms: Sequence[_Room], share: float, rng: np.random.Generator) -> None:
    """Move boundaries between touching facings by half a plate (in place), where both keep room for a unit."""
    touching = [i for i in range(len(rooms) - 1) if _touch(rooms[i], rooms[i + 1])]
    wanted = round(share * len(touching))
    for i in rng.permutation(touching) if touching else ():
        if not wanted:
            return
        one, other = rooms[i], rooms[i + 1]
        ways = [(one, other, 1), (other, one, -1)]
        for grows, shrinks, step in ways if rng.random() < 0.5 else ways[::-1]:
            if grows.plates < MOST_PLATES and shrinks.right - shrinks.left > shrinks.needs:
                one.right += step
                other.left += step
                wanted -= 1
                break


def _touch(one: _Room, other: _Room) -> bool:
    return one.shelf == other.shelf and one.right == other.left


def _is_small(article: Article) -> bool:
    return (article.form == "bag" and article.weight_g < 120) or (article.form == "box" and article.weight_g < 60)


def _facing(room: _Room, half_m: float, display: Literal["shelf", "peg"]) -> Facing:
    ends_m = (room.left * half_m, room.right * half_m)
    return Facing(room.article, room.shelf, room.left // 2 + 1, room.plates, *ends_m, display)
