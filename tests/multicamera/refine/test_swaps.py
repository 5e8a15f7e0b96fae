"""Names that two shoppers exchanged."""

from __future__ import annotations

import numpy as np

from gocv.multicamera.refine.swaps import undo_swaps


def meeting(exchanged_from: int = 10, cameras: int = 3, last: int = 20, first_name: int = 5, broken: int = 0):
    """Two own tracks in each camera; shoppers exchange names at a moment; `broken` cameras' tracks end there."""
    rows = []
    for k in range(last):
        for c in range(cameras):
            for j in (0, 1):
                name = first_name + (j if k < exchanged_from else 1 - j)
                track = 2 * c + j + (100 if c < broken and k >= exchanged_from else 0)
                rows.append((k, c, track, 0.2 * k, 0.1 * j, name))
    return rows


def people(blocks) -> list[set[int]]:
    return [set(blocks.who[blocks.own % 2 == j].tolist()) for j in (0, 1)]


def test_an_exchange_is_undone_where_own_tracks_go_on(blocks_from) -> None:
    assert people(undo_swaps(blocks_from(meeting()))) == [{5}, {6}]


def test_one_own_track_that_goes_on_is_not_enough(blocks_from) -> None:
    given = blocks_from([row for row in meeting(cameras=1) if row[2] == 0 or row[0] < 10])
    assert np.array_equal(undo_swaps(given).who, given.who)


def test_where_nothing_was_exchanged_nothing_changes(blocks_from) -> None:
    given = blocks_from(meeting(exchanged_from=99))
    assert np.array_equal(undo_swaps(given).who, given.who)


def test_own_tracks_that_stay_with_their_shopper_speak_against_it(blocks_from) -> None:
    """One camera's tracks exchange the shoppers, two cameras' tracks do not."""
    rows = [
        (k, c, 2 * c + j, 0.2 * k, 0.1 * j, 5 + (1 - j if c == 0 and k >= 10 else j))
        for k in range(20)
        for c in range(3)
        for j in (0, 1)
    ]
    given = blocks_from(rows)
    assert np.array_equal(undo_swaps(given).who, given.who)


def test_exchanges_there_and_back_are_both_undone(blocks_from) -> None:
    rows = [
        (k, c, 2 * c + j, 0.2 * k, 0.1 * j, 5 + (1 - j if 8 <= k < 14 else j))
        for k in range(20)
        for c in range(3)
        for j in (0, 1)
    ]
    assert people(undo_swaps(blocks_from(rows))) == [{5}, {6}]


def test_three_who_exchange_names_in_turn_get_them_back(blocks_from) -> None:
    turn = {0: [0, 1, 2], 1: [1, 2, 0], 2: [2, 0, 1]}
    rows = [
        (k, c, 3 * c + j, 0.2 * k, 0.1 * j, turn[min(k // 7, 2)][j])
        for k in range(21)
        for c in range(3)
        for j in range(3)
    ]
    got = undo_swaps(blocks_from(rows))
    assert all(len(set(got.who[got.own % 3 == j].tolist())) == 1 for j in range(3))


def test_nobody_is_never_given_a_name(blocks_from) -> None:
    rows = [*meeting(), *((k, 5, 50, 9.0, 9.0, -1) for k in range(20))]
    got = undo_swaps(blocks_from(rows))
    assert (got.who[got.own == 50] == -1).all()
    assert len(undo_swaps(blocks_from([]))) == 0
