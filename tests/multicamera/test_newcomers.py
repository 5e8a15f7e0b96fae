"""People nobody followed so far."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.multicamera.looks import Looks
from gocv.multicamera.newcomers import newcomers


def people(camera, xy_m, sd_m=0.2):
    n = len(camera)
    spread = np.broadcast_to(np.asarray(sd_m, np.float64) ** 2, n)[:, None, None] * np.eye(2)
    looks = Looks(
        window=np.zeros(n, np.int64),
        camera=np.array(camera, np.int64),
        row=np.arange(n),
        box=np.arange(n),
        prior=np.zeros(n),
        late_s=np.zeros(n),
        xy_m=np.array(xy_m, np.float64).reshape(-1, 2),
        covariance_m2=spread,
        own=np.full(n, -1),
    )
    return newcomers(looks)


def test_one_look_of_each_camera_at_a_place_is_one_person() -> None:
    got = people([0, 1, 2], [[0, 0], [0.1, 0], [0, 0.1]])
    assert got.of.tolist() == [0, 0, 0]
    assert got.cameras.tolist() == [3]
    np.testing.assert_allclose(got.xy_m, [[0.1 / 3, 0.1 / 3]])
    np.testing.assert_allclose(got.covariance_m2, [0.2**2 / 3 * np.eye(2)])


def test_two_looks_of_one_camera_are_two_people_however_near() -> None:
    got = people([0, 0, 1], [[0, 0], [0.05, 0], [0.06, 0]])
    assert got.of[0] != got.of[1]
    assert sorted(got.cameras.tolist()) == [1, 2]


def test_looks_far_apart_are_several_people() -> None:
    got = people([0, 1, 2], [[0, 0], [5, 0], [0, 5]])
    assert len(set(got.of.tolist())) == 3
    assert got.cameras.tolist() == [1, 1, 1]


def test_a_look_joins_the_nearest_and_not_the_first() -> None:
    got = people([0, 0, 1], [[0, 0], [0.6, 0], [0.5, 0]], [0.3, 0.3, 0.1])
    assert got.of[2] == got.of[1] != got.of[0]


@given(seed=st.integers(0, 10_000), many=st.integers(0, 25))
@settings(max_examples=50, deadline=None)
def test_every_look_is_of_one_person_and_no_person_has_two_looks_of_a_camera(seed: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    camera, xy = rng.integers(4, size=many), rng.uniform(0, 3, (many, 2))
    got = people(camera, xy, rng.uniform(0.05, 0.5, many))
    assert np.array_equal(np.unique(got.of), np.arange(len(got.xy_m)))
    assert np.unique(np.stack([got.of, camera]), axis=1).shape[1] == many
    assert np.array_equal(np.bincount(got.of, minlength=len(got.xy_m)), got.cameras)
    assert (np.linalg.eigvalsh(got.covariance_m2) > 0).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_looks_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    camera, xy, sd = rng.integers(4, size=12), rng.uniform(0, 3, (12, 2)), rng.uniform(0.05, 0.5, 12)
    order = rng.permutation(12)
    one, other = people(camera, xy, sd), people(camera[order], xy[order], sd[order])
    same = one.of[order][:, None] == one.of[order][None]
    assert np.array_equal(same, other.of[:, None] == other.of[None])
