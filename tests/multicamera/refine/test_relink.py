"""Shoppers cut into pieces, and the pieces linked."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import Zone
from gocv.multicamera.refine.relink import relink
from gocv.multicamera.settings import AssociationSettings

SETTINGS = AssociationSettings()
DOOR = Zone("door", np.array([[9.0, -1.0], [11.0, -1.0], [11.0, 1.0], [9.0, 1.0]]))


def standing(first: int, last: int, who: int, x: float = 0.0, y: float = 0.0, track: int = 0):
    return walking(first, last, who, x, y, 0.0, track)


def walking(first: int, last: int, who: int, x: float, y: float, vx: float, track: int = 0):
    """Seen by two cameras, others for each track: own tracks then say nothing of who goes on as whom."""
    return [
        (k, 2 * track + c, 10 * track + c, x + 0.5 * vx * (k - first), y, who)
        for k in range(first, last)
        for c in (0, 1)
    ]


def by_track(blocks) -> dict[int, set[int]]:
    return {t: set(blocks.who[blocks.own // 10 == t].tolist()) for t in np.unique(blocks.own // 10).tolist()}


def test_two_pieces_of_a_way_are_one_shopper(blocks_from) -> None:
    rows = [*walking(0, 10, 1, 0, 0, 1.0, track=0), *walking(12, 22, 2, 6.0, 0, 1.0, track=1)]
    got = by_track(relink(blocks_from(rows), (), SETTINGS))
    assert got[0] == got[1]
    assert len(got[0]) == 1


def test_pieces_far_apart_are_two(blocks_from) -> None:
    rows = [*standing(0, 10, 1, track=0), *standing(12, 22, 2, x=5.0, track=1)]
    got = by_track(relink(blocks_from(rows), (), SETTINGS))
    assert got[0] != got[1]


def test_two_at_once_are_never_one(blocks_from) -> None:
    rows = [*standing(0, 20, 1, track=0), *standing(0, 20, 2, y=0.1, track=1)]
    got = by_track(relink(blocks_from(rows), (), SETTINGS))
    assert got[0] != got[1]


def test_names_that_crossing_shoppers_exchanged_are_put_right(blocks_from) -> None:
    """Their own tracks end where they meet, and the ways cross."""
    rows = []
    for track, (y, vy, before, after) in enumerate([(-2.0, 0.4, 1, 2), (2.0, -0.4, 2, 1)]):
        for k in range(21):
            later = 2 if k > 10 else 0
            place = 0.3 * k, y + 0.5 * vy * k
            rows += [(k, c + later, 10 * (track + later) + c, *place, after if later else before) for c in (0, 1)]
    got = by_track(relink(blocks_from(rows), (), SETTINGS))
    assert got[0] == got[2]
    assert got[1] == got[3]
    assert got[0] != got[1]


def test_a_long_gap_is_bridged_where_nobody_can_have_left(blocks_from) -> None:
    rows = [*standing(0, 20, 1, track=0), *standing(28, 60, 2, x=0.1, track=1)]
    inside = by_track(relink(blocks_from(rows), (DOOR,), SETTINGS))
    assert inside[0] == inside[1]
    moved = [(*row[:3], row[3] + 10, *row[4:]) for row in rows]
    at_door = by_track(relink(blocks_from(moved), (DOOR,), SETTINGS))
    assert at_door[0] != at_door[1]


def test_nobody_is_found_again_after_the_longest_time(blocks_from) -> None:
    rows = [*standing(0, 20, 1, track=0), *standing(28, 60, 2, x=0.1, track=1)]
    short = AssociationSettings.model_validate({"link": {"longest_s": 3.0}})
    got = by_track(relink(blocks_from(rows), (DOOR,), short))
    assert got[0] != got[1]


@pytest.mark.parametrize("like", [1, 2])
def test_appearance_chooses_between_two_who_went_on(blocks_from, like: int) -> None:
    rows = [
        *standing(0, 12, 1, track=0),
        *standing(16, 30, 2, x=0.25, track=1),
        *standing(16, 30, 3, x=-0.25, track=2),
    ]
    vectors = np.zeros((22, 2), np.float32)
    vectors[[0, 1], 0] = 1
    for track in (1, 2):
        vectors[[10 * track, 10 * track + 1], 0 if track == like else 1] = 1
    got = by_track(relink(blocks_from(rows, vectors=vectors), (), SETTINGS, lambda cosine: 8 * cosine - 4))
    assert got[0] == got[like]
    assert got[0] != got[3 - like]


def test_every_look_of_somebody_stays_somebodys_and_nobody_stays_nobody(blocks_from) -> None:
    rng = np.random.default_rng(0)
    rows = [
        (int(k), int(c), int(c * 10 + rng.integers(5)), *rng.uniform(0, 4, 2).tolist(), int(rng.integers(-1, 5)))
        for k in range(40)
        for c in range(3)
        for _ in range(2)
    ]
    given = blocks_from(rows)
    got = relink(given, (), SETTINGS)
    assert np.array_equal(got.who >= 0, given.who >= 0)
    assert len(relink(blocks_from([]), (), SETTINGS)) == 0
