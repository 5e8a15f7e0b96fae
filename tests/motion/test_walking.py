"""Filters of many who stand and walk, against filterpy one person at a time."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.motion.places import inverse_2x2
from gocv.motion.walking import Gait, Walkers

_PATH = Path(__file__).parents[1] / "oracles" / "walking_person.py"
_SPEC = importlib.util.spec_from_file_location("walking_person", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
oracle = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(oracle)

GAIT = Gait(sway_m=0.12, start_m_s=0.8, turn_m_s=0.6, starts_per_s=0.5, stops_per_s=0.3)


def spreads(rng: np.random.Generator, many: int) -> np.ndarray:
    root = rng.normal(0, 0.2, (many, 2, 2))
    return root @ np.swapaxes(root, 1, 2) + 0.01 * np.eye(2)


def assert_same(walkers: Walkers, people: list) -> None:
    mean, covariance = walkers.state()
    for i, person in enumerate(people):
        for model, one in enumerate(person.imm.filters):
            np.testing.assert_allclose(walkers.mean[i, model], one.x, rtol=0, atol=1e-9)
            np.testing.assert_allclose(walkers.covariance[i, model], one.P, rtol=0, atol=1e-9)
        np.testing.assert_allclose(walkers.weight[i], person.imm.mu, rtol=0, atol=1e-9)
        own_mean, own_covariance = person.state()
        np.testing.assert_allclose(mean[i], own_mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(covariance[i], own_covariance, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_several_people_over_uneven_times_with_gaps_are_as_filterpy_has_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    many = 5
    xy, spread = rng.uniform(-5, 5, (many, 2)), spreads(rng, many)
    walkers = Walkers.appear(xy, spread, GAIT)
    people = [oracle.WalkingPerson(*one, dataclasses.asdict(GAIT)) for one in zip(xy, spread, strict=True)]
    assert_same(walkers, people)
    for _ in range(40):
        elapsed_s = float(rng.choice([0.04, 0.1, 0.5, 3.0]))
        walkers = walkers.predict(elapsed_s, GAIT)
        for person in people:
            person.predict(elapsed_s)
        assert_same(walkers, people)
        seen = rng.random(many) < 0.6
        place, spread = walkers.state()[0][:, :2] + rng.normal(0, 0.5, (many, 2)), spreads(rng, many)
        walkers = walkers.corrected(seen, place[seen], spread[seen])
        for i in np.flatnonzero(seen):
            people[i].correct(place[i], spread[i])
        assert_same(walkers, people)


@given(first=st.floats(0, 20), second=st.floats(0, 20))
def test_switching_over_two_times_is_switching_over_their_sum(first: float, second: float) -> None:
    both = GAIT.switching(first) @ GAIT.switching(second)
    np.testing.assert_allclose(both, GAIT.switching(first + second), atol=1e-12)
    np.testing.assert_allclose(both.sum(axis=1), 1.0, atol=1e-12)


@given(first=st.floats(1e-3, 5), second=st.floats(1e-3, 5))
def test_who_walks_is_as_uncertain_after_two_steps_as_after_one_long_one(first: float, second: float) -> None:
    (_, one), (_, one_noise) = GAIT.transition(first)
    (_, two), (_, two_noise) = GAIT.transition(second)
    (_, whole), (_, whole_noise) = GAIT.transition(first + second)
    np.testing.assert_allclose(two @ one, whole, atol=1e-9)
    np.testing.assert_allclose(two @ one_noise @ two.T + two_noise, whole_noise, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), sd_m=st.floats(0.02, 3.0), off_m=st.floats(0, 200))
def test_covariances_stay_symmetric_and_positive_and_weights_sum_to_one(seed: int, sd_m: float, off_m: float) -> None:
    rng = np.random.default_rng(seed)
    walkers = Walkers.appear(rng.normal(0, 3, (4, 2)), np.tile(sd_m**2 * np.eye(2), (4, 1, 1)), Gait())
    for _ in range(30):
        walkers = walkers.predict(float(rng.uniform(0.01, 5)), Gait())
        spread = np.tile(float(rng.uniform(0.02, 3)) ** 2 * np.eye(2), (4, 1, 1))
        walkers = walkers.correct(walkers.mean[:, 0, :2] + rng.normal(0, 1 + off_m, (4, 2)), spread)
        mean, covariance = walkers.state()
        assert np.isfinite(mean).all()
        np.testing.assert_allclose(walkers.weight.sum(axis=1), 1.0)
        for of in (covariance, walkers.covariance):
            np.testing.assert_allclose(of, np.swapaxes(of, -1, -2), rtol=1e-9, atol=1e-12)
            assert (np.linalg.eigvalsh(of) > 0).all()


def test_a_place_that_one_model_all_but_excludes_leaves_the_weights_finite_for_good() -> None:
    spread = np.full((1, 1, 1), 1e-6) * np.eye(2)
    walkers = Walkers.appear(np.zeros((1, 2)), spread, Gait())
    for k in range(1, 6):
        walkers = walkers.predict(0.1, Gait()).correct(np.full((1, 2), 50.0 * k), spread)
        walkers = walkers.correct(np.full((1, 2), 50.0 * k), spread)  # twice, with no time between
        assert np.isfinite(walkers.state()[0]).all()
    np.testing.assert_allclose(walkers.weight.sum(), 1.0)


def test_nobody_is_a_valid_crowd() -> None:
    nobody = Walkers.appear(np.empty((0, 2)), np.empty((0, 2, 2)), Gait())
    after = nobody.predict(1.0, Gait()).correct(np.empty((0, 2)), np.empty((0, 2, 2)))
    assert (len(after), after.state()[0].shape, after.state()[1].shape) == (0, (0, 4), (0, 4, 4))


def test_arguments_are_left_as_they_were() -> None:
    rng = np.random.default_rng(0)
    walkers = Walkers.appear(rng.normal(size=(3, 2)), spreads(rng, 3), Gait())
    before = [a.copy() for a in (walkers.mean, walkers.covariance, walkers.weight)]
    walkers.predict(1.0, Gait())
    walkers.corrected(np.array([True, False, True]), np.ones((2, 2)), spreads(rng, 2))
    for was, now in zip(before, (walkers.mean, walkers.covariance, walkers.weight), strict=True):
        assert np.array_equal(was, now)


def test_who_is_joined_and_chosen_again_is_who_they_were() -> None:
    rng = np.random.default_rng(0)
    one, other = (Walkers.appear(rng.normal(size=(n, 2)), spreads(rng, n), Gait()) for n in (3, 2))
    both = one.joined(other)
    assert np.array_equal(both[np.arange(3)].mean, one.mean)
    assert np.array_equal(both[np.arange(5) >= 3].covariance, other.covariance)


@given(a=st.floats(0.01, 9), d=st.floats(0.01, 9), share=st.floats(-0.99, 0.99))
def test_inverses_are_those_of_numpy(a: float, d: float, share: float) -> None:
    b = share * np.sqrt(a * d)
    matrix = np.array([[a, b], [b, d]])
    inverse, determinant = inverse_2x2(matrix)
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix), rtol=1e-6)
    np.testing.assert_allclose(determinant, np.linalg.det(matrix), rtol=1e-6, atol=1e-12)
