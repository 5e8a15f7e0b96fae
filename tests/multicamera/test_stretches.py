"""Shoppers known again from one stretch to the next."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.multicamera.stretches import ShopperPaths, Stretch, known_again


def stretch(who: np.ndarray, first_row: int) -> Stretch:
    """A stretch of one camera's boxes from a row on; paths have a row for each box of somebody."""
    time_s, own = (first_row + np.arange(len(who))) / 10, who >= 0
    many = int(own.sum())
    paths = ShopperPaths(time_s[own], who[own], np.zeros((many, 2)), np.zeros((many, 2, 2)))
    return Stretch(np.zeros(len(who), np.int64), first_row + np.arange(len(who)), time_s, who, paths)


def test_a_shopper_of_most_of_the_same_boxes_has_the_same_name() -> None:
    before, _ = known_again(None, stretch(np.array([5, 5, 5, 9, 9, 9]), 0), 0)
    now, names = known_again(before, stretch(np.array([2, 7, 7, 7, 1]), 2), 2)
    assert before.who.tolist() == [0, 0, 0, 1, 1, 1]
    assert now.who.tolist() == [0, 1, 1, 1, 2]
    assert names == 3


@given(seed=st.integers(0, 10_000), shared=st.integers(0, 10), people=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_no_two_shoppers_get_one_name_and_no_new_name_was_given_before(seed: int, shared: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(-1, people, 12) if people else np.full(12, -1) for _ in range(2))
    before, names = known_again(None, stretch(first, 0), 0)
    given = stretch(second, 12 - shared)
    now, more = known_again(before, given, names)
    assert np.array_equal(now.who >= 0, second >= 0)
    own = second >= 0
    pairs = np.unique(np.stack([second, now.who])[:, own], axis=1)
    assert len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    assert np.array_equal(now.paths.name, now.who[own])
    assert now.who.max(initial=-1) < more
    old = np.setdiff1d(now.who[own], np.arange(names, more))
    assert np.isin(old, before.who[12 - shared :]).all()
