"""Shoppers who are one."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.multicamera.refine.same import join_same
from gocv.multicamera.settings import RefineSettings

SETTINGS = RefineSettings()


def names(blocks) -> list[int]:
    return np.unique(blocks.who[blocks.who >= 0]).tolist()


def pair(seen: list[tuple[int, int]], apart_m: float = 0.3, last: int = 12):
    """Shoppers 3 and 8 side by side; `seen` are cameras and whom each sees, 3 or 8."""
    return [(k, c, 10 * c + who, 0.2 * k, apart_m * (who == 8), who) for k in range(last) for c, who in seen]


def test_two_who_share_out_the_cameras_are_one(blocks_from) -> None:
    assert len(names(join_same(blocks_from(pair([(0, 3), (1, 8)])), SETTINGS))) == 1


def test_two_whom_a_camera_sees_at_once_are_two(blocks_from) -> None:
    assert names(join_same(blocks_from(pair([(0, 3), (0, 8), (1, 8)])), SETTINGS)) == [3, 8]


def test_two_who_are_apart_are_two(blocks_from) -> None:
    assert names(join_same(blocks_from(pair([(0, 3), (1, 8)], apart_m=3.0)), SETTINGS)) == [3, 8]


@pytest.mark.parametrize("last", [1, 2])
def test_a_short_while_says_too_little(blocks_from, last: int) -> None:
    assert names(join_same(blocks_from(pair([(0, 3), (1, 8)], last=last)), SETTINGS)) == [3, 8]


def test_two_whom_a_camera_sees_at_once_are_two_though_a_third_is_like_both(blocks_from) -> None:
    """Cameras 0 sees 3 and 8 at once; 5, whom only camera 1 sees, may be either, but not both."""
    seen = ((0, 3, 0.0), (0, 8, 0.8), (1, 5, 0.4))
    rows = [(k, c, 10 * c + who, 0.2 * k, y, who) for k in range(12) for c, who, y in seen]
    got = names(join_same(blocks_from(rows), SETTINGS))
    assert len(got) == 2


def test_nobody_and_one_are_left_alone(blocks_from) -> None:
    assert len(join_same(blocks_from([]), SETTINGS)) == 0
    alone = blocks_from([(k, 0, 1, 0.0, 0.0, 4 if k else -1) for k in range(5)])
    assert np.array_equal(join_same(alone, SETTINGS).who, alone.who)
