"""How likely somebody who was lost is somebody who appeared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from gocv.core import Zone
from gocv.multicamera.links import Ends, log_odds
from gocv.multicamera.settings import LinkSettings

SETTINGS = LinkSettings()
DOOR = Zone("door", np.array([[9.0, -1.0], [11.0, -1.0], [11.0, 1.0], [9.0, 1.0]]))


def end(time_s: float, *mean: float, sd: float = 0.1) -> Ends:
    return Ends(np.array([time_s]), np.array([mean], np.float64), sd**2 * np.eye(4)[None])


def odds(lost: Ends, found: Ends, entrances=(), settings: LinkSettings = SETTINGS) -> float:
    return float(log_odds(lost, found, entrances, settings)[0])


def test_who_goes_on_as_they_went_is_likelier_than_who_goes_back() -> None:
    lost = end(0, 0, 0, 1, 0)
    assert odds(lost, end(0.5, 0.5, 0, 1, 0)) > 0 > odds(lost, end(0.5, -2, 0, -1, 0))


@given(gap_s=st.floats(0.1, 5), more_s=st.floats(0.5, 20))
def test_who_stands_is_less_likely_the_longer_they_were_lost(gap_s: float, more_s: float) -> None:
    lost = end(0, 0, 0, 0, 0)
    assert odds(lost, end(gap_s, 0, 0, 0, 0)) > odds(lost, end(gap_s + more_s, 0, 0, 0, 0))


@given(off_m=st.floats(0, 5), more_m=st.floats(0.1, 5), turn=st.floats(0, 6.28))
def test_who_stands_is_less_likely_the_further_they_are(off_m: float, more_m: float, turn: float) -> None:
    lost, way = end(0, 0, 0, 0, 0), np.array([np.cos(turn), np.sin(turn)])
    near, far = (odds(lost, end(1.0, *(way * r), 0, 0)) for r in (off_m, off_m + more_m))
    assert near > far


@given(x=st.floats(-50, 50), y=st.floats(-50, 50), late=st.floats(0, 1e5))
def test_where_the_floor_begins_and_when_the_clock_does_changes_nothing(x: float, y: float, late: float) -> None:
    here = odds(end(0, 0, 0, 1, 0), end(1, 0.9, 0.1, 0.8, 0))
    there = odds(end(late, x, y, 1, 0), end(late + 1, x + 0.9, y + 0.1, 0.8, 0))
    assert there == pytest.approx(here, abs=1e-6)


def test_at_once_the_odds_are_those_of_the_text() -> None:
    lost, found = end(3, 0, 0, 1, 0), end(3, 0.1, 0, 0.9, 0.1)
    spread = 0.02 * np.eye(4) + np.diag([SETTINGS.step_m**2] * 2 + [0, 0])
    walked = multivariate_normal.pdf([0.1, 0, -0.1, 0.1], np.zeros(4), spread)
    stood = multivariate_normal.pdf([0.1, 0, 0.9, 0.1], np.zeros(4), spread + np.diag([0, 0, 0.2**2, 0.2**2]))
    same = np.log(SETTINGS.stands * stood + (1 - SETTINGS.stands) * walked)
    new = multivariate_normal.logpdf([0.9, 0.1], np.zeros(2), (0.01 + 0.7**2) * np.eye(2))
    wanted = same - np.log(SETTINGS.gap_s) - np.log(SETTINGS.newcomers_per_m2_s) - new
    assert odds(lost, found) == pytest.approx(wanted)


def test_nobody_new_comes_anywhere_but_at_an_entrance() -> None:
    settings = LinkSettings(gap_s=2.0, blind_gap_s=2.0)
    inside = odds(end(0, 0, 0, 0, 0), end(1, 0, 0, 0, 0), [DOOR], settings)
    at_door = odds(end(0, 10, 0, 0, 0), end(1, 10, 0, 0, 0), [DOOR], settings)
    unknown = odds(end(0, 0, 0, 0, 0), end(1, 0, 0, 0, 0), [], settings)
    assert at_door == pytest.approx(unknown)
    assert inside == pytest.approx(unknown - np.log(settings.inside))


def test_who_cannot_have_left_is_waited_for_longer() -> None:
    gap_s = 15.0
    lost, found = end(0, 0, 0, 0, 0), end(gap_s, 0.2, 0, 0, 0)
    by_door = end(0, 10, 0, 0, 0), end(gap_s, 10.2, 0, 0, 0)
    assert odds(lost, found, [DOOR]) > odds(*by_door, [DOOR]) + 5


def test_pairs_do_not_know_of_one_another() -> None:
    rng = np.random.default_rng(0)
    many = [(end(0, *rng.normal(size=4)), end(rng.uniform(0, 5), *rng.normal(size=4))) for _ in range(7)]
    both = [
        Ends(*(np.concatenate([getattr(pair[k], name) for pair in many]) for name in ("time_s", "mean", "covariance")))
        for k in (0, 1)
    ]
    np.testing.assert_allclose(log_odds(*both, [DOOR], SETTINGS), [odds(*pair, [DOOR]) for pair in many])


@pytest.mark.parametrize("entrances", [(), (DOOR,)])
def test_no_pairs_are_no_odds(entrances) -> None:
    none = Ends(np.empty(0), np.empty((0, 4)), np.empty((0, 4, 4)))
    assert log_odds(none, none, entrances, SETTINGS).shape == (0,)
