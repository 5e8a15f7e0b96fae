"""Batches of P people with K pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.train import PeopleSampler


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Persons, with gaps in their numbers, cameras, and what the sampler is told."""
    counts = draw(st.lists(st.integers(1, 9), min_size=2, max_size=9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    others = draw(st.integers(0, 5))
    person = np.concatenate([np.repeat(3 * np.arange(len(counts)), counts), np.full(others, -1)])
    rng.shuffle(person)
    camera = rng.integers(0, draw(st.integers(1, 4)), len(person)) * 5
    told = {
        "people": draw(st.integers(1, len(counts))),
        "pictures": draw(st.integers(1, 6)),
        "unlabelled": draw(st.integers(0, 4)) if others else 0,
        "seed": draw(st.integers(0, 9)),
        "processes": draw(st.integers(1, 3)),
    }
    return person, camera, told


@settings(deadline=None)
@given(cases())
def test_batches_are_of_people_and_pictures(case: tuple[np.ndarray, np.ndarray, dict[str, int]]) -> None:
    person, camera, told = case
    sampler = PeopleSampler(person, camera, **told)
    batches = list(sampler)
    pictures = told["people"] * told["pictures"]
    assert len(batches) == len(sampler) == max(1, (person >= 0).sum() // (pictures * told["processes"]))
    for batch in batches:
        rows = np.array([row for row, _ in batch])
        assert len(rows) == pictures + told["unlabelled"]
        assert (person[rows[pictures:]] == -1).all()
        of = rows[:pictures].reshape(told["people"], told["pictures"])
        who = person[of]
        assert (who == who[:, :1]).all()
        assert len(set(who[:, 0].tolist())) == told["people"]
        for mine in of:
            check_pictures(mine, np.flatnonzero(person == person[mine[0]]), camera)


def check_pictures(shown: np.ndarray, own: np.ndarray, camera: np.ndarray) -> None:
    """All different while there are any, then evenly repeated; from cameras in turn until one has no more."""
    different, times = np.unique(shown, return_counts=True)
    assert len(different) == min(len(shown), len(own))
    assert times.max() - times.min() <= 1
    cameras = np.unique(camera[own])
    taken = {c: (camera[different] == c).sum() for c in cameras}
    for one in cameras:
        if taken[one] < max(taken.values()) - 1:
            assert taken[one] == (camera[own] == one).sum()


@settings(deadline=None)
@given(cases())
def test_everyone_is_seen_before_anyone_is_seen_again(case: tuple[np.ndarray, np.ndarray, dict[str, int]]) -> None:
    person, camera, told = case
    sampler = PeopleSampler(person, camera, **told)
    pictures = told["people"] * told["pictures"]
    shown = np.array([[person[row] for row, _ in batch[: pictures : told["pictures"]]] for batch in sampler]).ravel()
    known = np.unique(person[person >= 0])
    assert set(shown[: len(known)]) == set(known) or len(shown) < len(known)
    assert len(set(shown[: len(known)])) == min(len(shown), len(known))


PERSON, CAMERA = np.append(np.arange(48) // 6, [-1] * 10), np.arange(58) % 3


def batches(epoch: int = 0, **settings: Any) -> list[list[tuple[int, int]]]:
    told = {"people": 4, "pictures": 3, "unlabelled": 2, "seed": 5, **settings}
    sampler = PeopleSampler(PERSON, CAMERA, **told)
    sampler.set_epoch(epoch)
    return list(sampler)


def test_an_epoch_is_the_same_again_and_whatever_came_before() -> None:
    assert batches() == batches()
    assert batches(2) == batches(2)
    sampler = PeopleSampler(PERSON, CAMERA, people=4, pictures=3, unlabelled=2, seed=5)
    first = list(sampler)
    sampler.set_epoch(2)
    next(iter(sampler))
    assert list(sampler) == batches(2)
    sampler.set_epoch(0)
    assert list(sampler) == first == batches()


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 6}, {"rank": 1}])
def test_other_epochs_seeds_and_ranks_have_other_batches(other: dict[str, int]) -> None:
    one, two = batches(), batches(**other)
    assert len(one) == len(two)
    for first, second in zip(one, two, strict=True):
        assert {row for row, _ in first} != {row for row, _ in second}
        assert not {seed for _, seed in first} & {seed for _, seed in second}


def test_every_row_has_a_seed_of_its_own() -> None:
    """Also the same row twice in a batch."""
    sampler = PeopleSampler(np.array([0, 1]), np.array([0, 0]), people=2, pictures=8)
    ((*rows,),) = sampler
    assert len({seed for _, seed in rows}) == 16
    assert all(type(row) is int and type(seed) is int for row, seed in rows)


def test_every_picture_has_its_turn() -> None:
    sampler = PeopleSampler(PERSON, CAMERA, people=4, pictures=3, unlabelled=2)
    seen = set()
    for epoch in range(12):
        sampler.set_epoch(epoch)
        seen |= {row for batch in sampler for row, _ in batch}
    assert seen == set(range(58))


def test_cameras_take_turns_at_being_first() -> None:
    """Where one picture of a person is shown at a time, and most are of one camera."""
    sampler = PeopleSampler(np.zeros(60, int), np.repeat([4, 6, 9], [50, 5, 5]), people=1, pictures=1)
    shown = np.array([row for ((row, _),) in sampler])
    assert (np.histogram(shown, [0, 50, 55, 60])[0] > 10).all()


@pytest.mark.parametrize(
    ("person", "settings", "message"),
    [
        ([0, 0, 1], {"people": 3}, "there are 2 people.*at least 3"),
        ([-1, -1], {"people": 1}, "there are 0 people"),
        ([0, 1], {"people": 2, "unlabelled": 1}, "no unlabelled picture"),
    ],
)
def test_what_cannot_be_is_refused(person: list[int], settings: dict[str, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        PeopleSampler(np.array(person), np.zeros(len(person), int), pictures=2, **settings)
