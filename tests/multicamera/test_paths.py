"""Paths of many at once against those of one at a time."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.motion.walking import Gait
from gocv.multicamera.paths import Paths, smooth

_PATH = Path(__file__).parents[1] / "oracles" / "walking_person.py"
_SPEC = importlib.util.spec_from_file_location("walking_person", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
oracle = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(oracle)


@dataclasses.dataclass
class Looks:
    time_s: np.ndarray
    moment: np.ndarray
    person: np.ndarray
    xy_m: np.ndarray
    covariance_m2: np.ndarray
    people: int

    def smooth(self, order: np.ndarray | None = None, **more) -> Paths:
        at = np.arange(len(self.moment)) if order is None else order
        return smooth(
            self.time_s,
            self.moment[at],
            self.person[at],
            self.xy_m[at],
            self.covariance_m2[at],
            people=self.people,
            **more,
        )


def looks(seed: int, moments: int = 25, people: int = 4, many: int = 80) -> Looks:
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.choice([0.1, 0.2, 1.0], moments))
    moment, person = rng.integers(moments, size=many), rng.integers(people, size=many)
    xy = np.stack([time_s[moment] * 0.5, person * 1.0], axis=1) + rng.normal(0, 0.2, (many, 2))
    root = rng.normal(0, 0.2, (many, 2, 2))
    return Looks(time_s, moment, person, xy, root @ np.swapaxes(root, 1, 2) + 0.01 * np.eye(2), people)


@pytest.mark.parametrize("reach_s", [0.0, 0.7])
@pytest.mark.parametrize("seed", range(3))
def test_paths_are_those_of_one_person_at_a_time(seed: int, reach_s: float) -> None:
    given = looks(seed)
    got = given.smooth(reach_s=reach_s)
    for person in range(given.people):
        own = np.flatnonzero(given.person == person)
        seen: dict[int, list] = {}
        for row in own.tolist():
            seen.setdefault(int(given.moment[row]), []).append((given.xy_m[row], given.covariance_m2[row]))
        first = min(k for k in range(len(given.time_s)) if given.time_s[k] >= given.time_s[min(seen)] - reach_s)
        last = max(k for k in range(len(given.time_s)) if given.time_s[k] <= given.time_s[max(seen)] + reach_s)
        assert (got.first[person], got.last[person]) == (first, last)
        assert (got.seen_first[person], got.seen_last[person]) == (min(seen), max(seen))
        mean, covariance = oracle.path(given.time_s, seen, first, last, dataclasses.asdict(Gait()))
        rows = got.rows(np.full(last - first + 1, person), np.arange(first, last + 1))
        np.testing.assert_allclose(got.mean[rows], mean, atol=1e-8)
        np.testing.assert_allclose(got.covariance[rows], covariance, atol=1e-8)


@given(seed=st.integers(0, 1000), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_looks_changes_nothing(seed: int, shuffle) -> None:
    given = looks(seed, moments=10, many=25)
    order = list(range(25))
    shuffle.shuffle(order)
    one, other = given.smooth(), given.smooth(np.array(order))
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, atol=1e-9)


def test_who_is_added_changes_nobody_elses_path() -> None:
    given = looks(0)
    without = dataclasses.replace(
        given, **{k: getattr(given, k)[given.person < 3] for k in ("moment", "person", "xy_m", "covariance_m2")}
    )
    whole, part = given.smooth(), without.smooth()
    assert part.last[3] < part.first[3]
    many = int(whole.begin[3])
    np.testing.assert_allclose(whole.mean[:many], part.mean, atol=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_covariances_are_positive_and_no_larger_for_being_seen_again(seed: int) -> None:
    given = looks(seed)
    got = given.smooth(reach_s=0.5)
    assert np.isfinite(got.mean).all()
    assert (np.linalg.eigvalsh((got.covariance + np.swapaxes(got.covariance, 1, 2)) / 2) > 0).all()
    np.testing.assert_allclose(got.covariance, np.swapaxes(got.covariance, 1, 2), atol=1e-9)


def test_paths_smoothed_are_nearer_the_truth_than_what_was_seen() -> None:
    rng = np.random.default_rng(0)
    time_s = np.arange(100) / 10
    truth = np.stack([time_s, np.sin(time_s)], axis=1)
    seen = truth + rng.normal(0, 0.2, truth.shape)
    got = smooth(time_s, np.arange(100), np.zeros(100, int), seen, np.tile(0.04 * np.eye(2), (100, 1, 1)), people=1)
    assert np.linalg.norm(got.mean[:, :2] - truth, axis=1).mean() < 0.5 * np.linalg.norm(seen - truth, axis=1).mean()
    squared = np.einsum(
        "ni,nij,nj->n", got.mean[:, :2] - truth, np.linalg.inv(got.covariance[:, :2, :2]), got.mean[:, :2] - truth
    )
    assert 0.3 < squared.mean() < 4


def test_rows_outside_a_path_are_none() -> None:
    got = looks(0).smooth()
    assert got.rows(np.array([0, 0]), np.array([got.first[0] - 1, got.last[0] + 1])).tolist() == [-1, -1]


@pytest.mark.parametrize("people", [0, 2])
@pytest.mark.parametrize("moments", [0, 3])
def test_nobody_seen_is_no_path(people: int, moments: int) -> None:
    none = np.empty(0, np.int64)
    got = smooth(np.arange(float(moments)), none, none, np.empty((0, 2)), np.empty((0, 2, 2)), people=people)
    assert (got.mean.shape, got.covariance.shape, len(got.first)) == ((0, 4), (0, 4, 4), people)
    assert (got.last < got.first).all()
