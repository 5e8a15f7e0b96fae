"""All rounds of refinement together."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.multicamera.refine import refine
from gocv.multicamera.settings import AssociationSettings

SETTINGS = AssociationSettings()


def crossing(cameras: int = 3):
    """Two who cross and whose names were exchanged where they met."""
    return [
        (k, c, 2 * c + j, 0.3 * k, (1 - 2 * j) * (0.2 * k - 2), 5 + (j if k < 10 else 1 - j))
        for k in range(21)
        for c in range(cameras)
        for j in (0, 1)
    ]


def test_exchanged_names_come_back(blocks_from) -> None:
    got = refine(blocks_from(crossing()), (), SETTINGS)
    names = [set(got.who[got.own % 2 == j].tolist()) for j in (0, 1)]
    assert len(names[0]) == len(names[1]) == 1
    assert names[0] != names[1]


def test_what_is_right_stays_so(blocks_from) -> None:
    rows = [(*row[:5], 5 + row[2] % 2) for row in crossing()]
    once = refine(blocks_from(rows), (), SETTINGS)
    again = refine(once, (), SETTINGS)
    assert np.array_equal(once.who == once.who[0], once.own % 2 == once.own[0] % 2)
    assert np.array_equal(again.who == again.who[0], once.who == once.who[0])


def test_who_was_hardly_seen_is_nobody(blocks_from) -> None:
    least = SETTINGS.refine.least_looks
    rows = [*crossing(), *((k, 0, 50, 8.0, 8.0, 9) for k in range(least - 1))]
    got = refine(blocks_from(rows), (), SETTINGS)
    assert (got.who[got.own == 50] == -1).all()


@pytest.mark.parametrize("rounds", [0, 1, 4])
def test_nothing_to_refine_is_left_alone(blocks_from, rounds: int) -> None:
    settings = AssociationSettings.model_validate({"refine": {"rounds": rounds}})
    assert len(refine(blocks_from([]), (), settings)) == 0
    strangers = refine(blocks_from([(k, 0, k, 0.0, 0.0, -1) for k in range(9)]), (), settings)
    assert (strangers.who == -1).all()


def test_the_numbers_of_own_tracks_and_shoppers_change_nothing(blocks_from) -> None:
    rows = crossing()
    one = refine(blocks_from(rows), (), SETTINGS)
    renamed = refine(blocks_from([(*row[:5], 700 - 30 * row[5]) for row in rows]), (), SETTINGS)
    same = one.who[:, None] == one.who[None]
    assert np.array_equal(same, renamed.who[:, None] == renamed.who[None])
