"""Looks of a short while put together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.multicamera.refine.blocks import Blocks, blocks_of


def made(time_s, camera, own, xy_m, who, velocity=(0.0, 0.0), vector=None, block_s=0.5) -> tuple[Blocks, np.ndarray]:
    n = len(time_s)
    return blocks_of(
        np.array(time_s, np.float64),
        np.array(camera, np.int64),
        np.array(own, np.int64),
        np.array(xy_m, np.float64).reshape(-1, 2),
        np.tile(0.04 * np.eye(2), (n, 1, 1)),
        np.tile(np.array(velocity), (n, 1)),
        np.zeros(n),
        np.array(who, np.int64),
        vector,
        block_s,
    )


def test_looks_of_one_own_track_in_one_block_are_one_look() -> None:
    blocks, block = made([0.0, 0.1, 0.2, 0.6], [0] * 4, [7] * 4, [[0, 0], [1, 0], [2, 0], [5, 0]], [3, 3, 3, 3])
    assert block.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(blocks.xy_m, [[1, 0], [5, 0]])
    np.testing.assert_allclose(blocks.time_s, [0.1, 0.6])
    assert blocks.who.tolist() == [3, 3]


def test_several_looks_of_one_track_count_as_the_root_of_their_number() -> None:
    blocks, _ = made([0.0, 0.1, 0.2, 0.3], [0] * 4, [7] * 4, np.zeros((4, 2)), [3] * 4)
    np.testing.assert_allclose(blocks.covariance_m2, [0.04 / 2 * np.eye(2)])


def test_who_walks_is_put_where_they_were_in_the_middle_of_the_block() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 0.3])
    xy = np.stack([2 * time_s, -time_s], axis=1)
    # Another camera looks later in the block, so that its middle is not that of the first two looks.
    blocks, _ = made(time_s, [0, 0, 1, 1], [7, 7, 8, 8], xy, [3] * 4, velocity=(2.0, -1.0))
    np.testing.assert_allclose(blocks.xy_m, [[0.3, -0.15]] * 2)


def test_a_block_is_of_whom_most_of_its_looks_are_of() -> None:
    blocks, _ = made([0.0, 0.1, 0.2], [0] * 3, [7] * 3, np.zeros((3, 2)), [3, 4, 4])
    assert blocks.who.tolist() == [4]
    blocks, _ = made([0.0, 0.1, 0.2], [0] * 3, [7] * 3, np.zeros((3, 2)), [3, -1, -1])
    assert blocks.who.tolist() == [-1]


def test_without_own_tracks_what_one_camera_saw_of_one_shopper_without_a_break_is_one() -> None:
    time_s = [0.0, 0.0, 0.6, 0.6, 1.2, 4.0]
    blocks, block = made(time_s, [0, 1, 0, 1, 0, 0], [-1] * 6, np.zeros((6, 2)), [3] * 6)
    track = blocks.own[block]
    assert track[0] == track[2] == track[4]
    assert track[1] == track[3] != track[0]
    assert track[5] not in track[:5]


def test_looks_of_nobody_without_own_tracks_stay_apart() -> None:
    blocks, _ = made([0.0, 0.1, 0.2], [0] * 3, [-1] * 3, np.zeros((3, 2)), [-1] * 3)
    assert len(blocks) == 3
    assert len(np.unique(blocks.own)) == 3


def test_windows_as_far_apart_as_blocks_are_one_each_whatever_the_start() -> None:
    for start in (0.0, 0.1, 1e5 + 0.3, -7.7):
        time_s = start + 0.5 * np.arange(500)
        blocks, _ = made(time_s, [0] * 500, [1] * 500, np.zeros((500, 2)), [0] * 500)
        assert len(blocks) == 500


def test_appearance_of_an_own_track_is_the_mean_of_what_is_known() -> None:
    vector = np.array([[1, 0], [0, 1], [np.nan, np.nan], [np.nan, np.nan]], np.float32)
    blocks, block = made([0.0, 0.1, 0.2, 0.2], [0] * 4, [7, 7, 7, 9], np.zeros((4, 2)), [3] * 4, vector=vector)
    np.testing.assert_allclose(blocks.vectors[blocks.own[block]], [[0.5**0.5] * 2] * 3 + [[0, 0]], atol=1e-6)


@given(seed=st.integers(0, 10_000), many=st.integers(0, 60), block_s=st.sampled_from([0.1, 0.5, 2.0]))
@settings(max_examples=50, deadline=None)
def test_every_look_is_in_one_block_of_its_camera_and_own_track(seed: int, many: int, block_s: float) -> None:
    rng = np.random.default_rng(seed)
    time_s, camera = np.sort(rng.uniform(0, 5, many)), rng.integers(3, size=many)
    own = np.where(rng.random(many) < 0.3, -1, camera * 10 + rng.integers(3, size=many))
    who = rng.integers(-1, 3, many)
    blocks, block = made(time_s, camera, own, rng.normal(size=(many, 2)), who, block_s=block_s)
    assert np.array_equal(np.unique(block), np.arange(len(blocks)))
    assert np.array_equal(blocks.camera[block], camera)
    assert (np.abs(blocks.time_s[blocks.moment[block]] - time_s) <= block_s).all()
    assert (np.diff(blocks.moment) >= 0).all()
    named = own >= 0
    same = own[named][:, None] == own[named][None]
    assert np.array_equal(same, blocks.own[block][named][:, None] == blocks.own[block][named][None])
    assert np.isfinite(blocks.xy_m).all()
    assert not set(blocks.own[block][named].tolist()) & set(blocks.own[block][~named].tolist())


@pytest.mark.parametrize("vector", [None, np.empty((0, 4), np.float32)])
def test_no_looks_are_no_blocks(vector) -> None:
    blocks, block = made([], [], [], [], [], vector=vector)
    assert (len(blocks), len(block), len(blocks.time_s)) == (0, 0, 0)
