"""Linking and filling of finished tracks."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.track import fill_gaps, link_tracks


def walk(times: np.ndarray, left: float, speed: float, top: float = 0.0) -> np.ndarray:
    lefts = left + speed * times
    return np.stack([lefts, np.full_like(lefts, top), lefts + 40, np.full_like(lefts, top + 100)], axis=1)


TIMES = np.arange(40) / 10


def test_a_walker_who_was_hidden_is_one_again_and_others_stay_themselves() -> None:
    hidden = (TIMES > 1.5) & (TIMES < 2.4)
    one, other = walk(TIMES, 0.0, 100.0), walk(TIMES, 500.0, -100.0, top=300.0)
    ids = np.where(TIMES <= 1.5, 4, 9)
    time = np.concatenate([TIMES[~hidden], TIMES])
    track = np.concatenate([ids[~hidden], np.full(40, 6)])
    boxes = np.concatenate([one[~hidden], other])
    shuffle = np.random.default_rng(0).permutation(len(time))
    joined = link_tracks(time[shuffle], track[shuffle], boxes[shuffle])
    assert joined.tolist() == np.where(track == 9, 4, track)[shuffle].tolist()
    assert set(link_tracks(time, track, boxes, max_gap_s=0.5).tolist()) == {4, 6, 9}
    # Without velocities the two ends are 90 px apart and overlap nowhere.
    assert set(link_tracks(time, track, boxes, look_back_s=0.0).tolist()) == {4, 6, 9}


def test_a_chain_of_pieces_has_the_first_id() -> None:
    keep = ((TIMES * 10).round() % 10) < 8
    pieces = (TIMES + 0.001).astype(int) + 20
    joined = link_tracks(TIMES[keep], pieces[keep], walk(TIMES, 0.0, 50.0)[keep])
    assert set(joined.tolist()) == {20}


def test_tracks_that_overlap_in_time_are_two() -> None:
    time, track = np.concatenate([TIMES, TIMES]), np.repeat([1, 2], 40)
    boxes = np.concatenate([walk(TIMES, 0.0, 0.0)] * 2)
    assert link_tracks(time, track, boxes).tolist() == track.tolist()


def test_gaps_are_filled_on_the_straight_line() -> None:
    boxes, keep = walk(TIMES, 0.0, 100.0), (TIMES < 1.0) | (TIMES > 1.45)
    filled = fill_gaps(TIMES[keep], np.full(keep.sum(), 3), boxes[keep], TIMES)
    np.testing.assert_allclose(filled.time_s, TIMES)
    np.testing.assert_allclose(filled.xyxy, boxes)
    assert filled.observed.tolist() == keep.tolist()
    assert set(filled.track_id.tolist()) == {3}
    short = fill_gaps(TIMES[keep], np.full(keep.sum(), 3), boxes[keep], TIMES, max_gap_s=0.3)
    assert len(short.time_s) == keep.sum()


def test_nothing_is_filled_between_two_tracks() -> None:
    filled = fill_gaps([0.0, 1.0], [1, 2], np.zeros((2, 4)), TIMES, max_gap_s=9.0)
    assert filled.time_s.tolist() == [0.0, 1.0]


def test_no_tracks() -> None:
    assert len(link_tracks([], [], [])) == 0
    assert len(fill_gaps([], [], [], TIMES).time_s) == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(DataError, match="track 1 is twice"):
        link_tracks([0.0, 0.0], [1, 1], np.zeros((2, 4)))
    with pytest.raises(DataError, match="shapes"):
        fill_gaps([0.0, 1.0], [1, 1], np.zeros((3, 4)), [])
