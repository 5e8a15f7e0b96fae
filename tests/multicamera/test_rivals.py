"""Two that are followed and may be one."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.multicamera.rivals import together

NEAR, FAR = np.array([[0.0, 0.0], [0.3, 0.0]]), np.array([[0.0, 0.0], [1.5, 0.0]])


def looks(xy_m: np.ndarray, seen_by: list[list[bool]], found: float = 0.7, times: int = 1) -> float:
    odds = np.zeros((2, 2))
    by = np.array(seen_by)
    for _ in range(times):
        odds = together(odds, xy_m, np.full(by.shape, found), by)
    assert odds[1, 0] == odds[0, 0] == odds[1, 1] == 0
    return float(odds[0, 1])


def test_a_camera_that_sees_both_says_they_are_two() -> None:
    assert looks(NEAR, [[True, True]]) < -2


def test_cameras_that_share_them_out_say_they_are_one() -> None:
    assert looks(NEAR, [[True, False], [False, True]]) > 0.5


def test_what_is_told_is_the_likelihood_ratio_of_the_text() -> None:
    q = 0.7
    assert looks(NEAR, [[True, False]], q) == pytest.approx(np.log(q / (2 * q * (1 - q))))
    assert looks(NEAR, [[False, False]], q) == pytest.approx(np.log((1 - q) / (1 - q) ** 2))
    assert looks(NEAR, [[True, True]], q) == pytest.approx(np.log(0.03 / q**2))


def test_cameras_that_can_see_neither_say_nothing() -> None:
    assert looks(NEAR, [[False, False]], found=0.0) == 0


def test_who_is_far_apart_is_two_and_starts_again() -> None:
    assert looks(FAR, [[True, False], [False, True]], times=5) == 0


def test_certainty_is_bounded_both_ways() -> None:
    assert np.isfinite(looks(NEAR, [[True, False], [False, True]], times=500))
    one, two = looks(NEAR, [[True, False]], times=500), looks(NEAR, [[True, True]], times=500)
    assert (one, two) == (looks(NEAR, [[True, False]], times=501), looks(NEAR, [[True, True]], times=501))
    assert two < 0 < one


@pytest.mark.parametrize(("cameras", "people"), [(0, 0), (0, 2), (2, 0), (2, 1)])
def test_nobody_and_no_cameras_are_valid(cameras: int, people: int) -> None:
    none = np.zeros((cameras, people))
    got = together(np.zeros((people, people)), np.zeros((people, 2)), none, none > 0)
    assert got.shape == (people, people)
    assert (got == 0).all()
