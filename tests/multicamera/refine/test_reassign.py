"""Looks given to whom they fit: small cases whose answers are known, and all ways of telling them counted out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gocv.multicamera.paths import smooth
from gocv.multicamera.refine.blocks import Blocks
from gocv.multicamera.refine.reassign import _posterior, _Without, reassign
from gocv.multicamera.settings import LookSettings, RefineSettings

SETTINGS, LOOK = RefineSettings(), LookSettings()
STEP_S = 0.5


def blocks(rows: list[tuple[int, int, int, float, float, int]], overlooked: float = 0.0, vectors=None) -> Blocks:
    """Looks of moment, camera, own track, x, y and shopper."""
    table = np.array(rows, np.float64).reshape(-1, 6)
    return Blocks(
        np.arange(int(table[:, 0].max(initial=0)) + 1) * STEP_S,
        vectors,
        moment=table[:, 0].astype(np.int64),
        camera=table[:, 1].astype(np.int64),
        own=table[:, 2].astype(np.int64),
        xy_m=table[:, 3:5],
        covariance_m2=np.tile(0.02 * np.eye(2), (len(table), 1, 1)),
        overlooked=np.full(len(table), overlooked),
        who=table[:, 5].astype(np.int64),
    )


def two_people(last: int = 12, apart_m: float = 3.0) -> list[tuple[int, int, int, float, float, int]]:
    """Shoppers 7 and 9 side by side, each with an own track in cameras 0 and 1."""
    return [(k, c, 2 * c + j, 0.3 * k, apart_m * j, 7 + 2 * j) for k in range(last) for c in (0, 1) for j in (0, 1)]


def test_looks_that_are_right_stay_where_they_are() -> None:
    given = blocks(two_people())
    assert np.array_equal(reassign(given, SETTINGS, LOOK).who, given.who)


def test_an_own_track_that_went_to_the_wrong_shopper_comes_back() -> None:
    rows = [(k, c, 2 * c + j, 0.3 * k, 0.6 * j, 7 + 2 * j) for k in range(12) for c in range(4) for j in (0, 1)]
    wrong = [(*row[:5], 16 - row[5]) if row[2] in (0, 1) and row[0] >= 8 else row for row in rows]
    assert np.array_equal(reassign(blocks(wrong), SETTINGS, LOOK).who, blocks(rows).who)


def test_a_look_far_from_everybody_is_of_nobody() -> None:
    rows = [*two_people(), *((k, 2, 4, 20.0, 20.0, 7) for k in range(4, 7))]
    assert (reassign(blocks(rows), SETTINGS, LOOK).who[-3:] == -1).all()


def test_two_boxes_of_one_picture_are_never_of_one_shopper() -> None:
    rows = [*two_people(), *((k, 0, 4, 0.3 * k, 0.05, 7) for k in range(12))]
    got = reassign(blocks(rows), SETTINGS, LOOK)
    known = got.who >= 0
    pictures = np.stack([got.moment, got.camera, got.who])[:, known]
    assert np.unique(pictures, axis=1).shape[1] == known.sum()


def test_who_is_seen_by_one_own_track_alone_is_kept_where_no_other_camera_looks() -> None:
    alone = blocks([(k, 0, 0, 0.3 * k, 0.0, 3) for k in range(10)])
    assert (reassign(alone, SETTINGS, LOOK).who == 3).all()


def test_who_is_seen_by_one_own_track_alone_is_nobody_where_several_others_should_see_them() -> None:
    ghost = blocks([(k, 0, 0, 0.3 * k, 0.0, 3) for k in range(10)], overlooked=3 * np.log(0.3))
    assert (reassign(ghost, SETTINGS, LOOK).who == -1).all()


def test_a_shopper_whom_only_one_camera_sees_for_a_while_is_kept_then_too() -> None:
    rows = [(k, 0, 0, 0.3 * k, 0.0, 3) for k in range(60)]
    rows += [(k, 1, 1, 0.3 * k, 0.0, 3) for k in (*range(8), *range(52, 60))]
    assert (reassign(blocks(rows), SETTINGS, LOOK).who == 3).all()


@pytest.mark.parametrize("apart_m", [0.0, 3.0])
def test_appearance_tells_where_places_cannot(apart_m: float) -> None:
    """Camera 2's own track lies in the middle between two shoppers and looks like one of them."""
    rows = [*two_people(apart_m=0.4), *((k, 2, 4, 0.3 * k, 0.2, -1) for k in range(12))]
    looks = np.eye(2, dtype=np.float32)
    for like in (0, 1):
        vectors = looks[[0, 1, 0, 1, like]]
        got = reassign(blocks(rows, vectors=vectors), SETTINGS, LOOK, lambda cosine: 8 * cosine - 4)
        assert (got.who[-12:] == 7 + 2 * like).all()


def test_nobody_and_no_shoppers_are_left_alone() -> None:
    assert len(reassign(blocks([]), SETTINGS, LOOK)) == 0
    strangers = blocks([(k, 0, 0, 0.0, 0.0, -1) for k in range(3)])
    assert (reassign(strangers, SETTINGS, LOOK).who == -1).all()


@pytest.mark.parametrize("seed", range(4))
def test_probabilities_are_those_of_counting_out_all_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = two_people(last=5, apart_m=0.8)
    rows += [(k, 2, 4, 0.3 * k + rng.normal(0, 0.3), rng.uniform(0, 0.8), -1) for k in range(5)]
    given = blocks(rows)
    drawn = given.who >= 0
    owner = np.where(given.who == 7, 0, 1)
    paths = smooth(
        given.time_s, given.moment[drawn], owner[drawn], given.xy_m[drawn], given.covariance_m2[drawn], people=2
    )
    group = np.flatnonzero(given.own == 4)
    without = _Without({4: {}}, paths)
    look, shopper, odds = _posterior(given, group, paths, without, 4, SETTINGS, None)

    density = np.full((5, 3), SETTINGS.strangers_per_m2)
    for k, j in itertools.product(range(5), range(2)):
        row = paths.rows(np.array([j]), np.array([k]))[0]
        off = given.xy_m[group[k]] - paths.mean[row, :2]
        spread = paths.covariance[row, :2, :2] + given.covariance_m2[group[k]]
        density[k, j] = max(
            np.exp(-0.5 * off @ np.linalg.solve(spread, off)) / (2 * np.pi * np.sqrt(np.linalg.det(spread))),
            np.exp(-50.0),
        )
    stay = np.full((3, 3), SETTINGS.switch / 3) + (1 - SETTINGS.switch) * np.eye(3)
    total = np.zeros((5, 3))
    for way in itertools.product(range(3), repeat=5):
        weight = np.prod([density[k, s] for k, s in enumerate(way)])
        weight *= np.prod([stay[a, b] for a, b in itertools.pairwise(way)])
        total[np.arange(5), way] += weight
    wanted = np.log(total[:, :2] / total[:, 2:])
    assert {(int(i), int(j)) for i, j in zip(look - group[0], shopper, strict=True)} == {
        (int(i), int(j)) for i, j in np.argwhere(wanted > 0)
    }
    np.testing.assert_allclose(odds, wanted[look - group[0], shopper], atol=1e-8)
