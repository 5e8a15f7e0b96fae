from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gocv.core import PlateId, ShelfId, WeightEvent
from gocv.shelf.evidence import change_of, evidence_of
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.profiles import away_prior, home_prior, library, overlap

SETTINGS = ExplainSettings()


@settings(max_examples=100, deadline=None)
@given(st.floats(0.1, 7.9), st.floats(0.2, 6.0))
def test_overlap_is_what_a_fine_comb_says(centre, width):
    teeth = centre + width * ((np.arange(20_000) + 0.5) / 20_000 - 0.5)
    on = np.histogram(teeth, bins=np.arange(9))[0].astype(float)
    assert overlap(np.array([centre]), np.array([width]), 8)[0] == pytest.approx(on / on.sum(), abs=2e-3)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("plates", [1, 2, 5, 12])
def test_shares_sum_to_one_and_slack_to_nothing(plates, coarse):
    profiles = library(plates, coarse)
    assert profiles.shares.sum(axis=1) == pytest.approx(1)
    assert profiles.slack.sum(axis=2) == pytest.approx(0, abs=1e-9)
    assert len(profiles.row) == len(profiles.centre) == len(profiles.width)


def test_the_library_holds_what_may_stand_there():
    """Anything is near a profile, within its slack: also what leans on its neighbour."""
    profiles, rng = library(8), np.random.default_rng(0)
    for _ in range(100):
        shares = overlap(rng.uniform(2, 6, 1), rng.uniform(0.4, 3, 1), 8)[0]
        lean = rng.uniform(0, 0.5) * rng.integers(2)
        shares = (1 - lean) * shares + lean * np.roll(shares, 1)
        nearest = np.inf
        for row in np.argsort(np.abs(profiles.shares - shares).sum(axis=1))[:40]:
            slack = profiles.slack[row]
            off = shares - profiles.shares[row]
            taken = np.linalg.lstsq(np.concatenate([slack.T, 0.01 * np.eye(3)]), np.append(off, [0, 0, 0]), rcond=None)[
                0
            ]
            nearest = min(nearest, float(np.abs(off - taken @ slack).max()) + 0.02 * (np.abs(taken).max() > 4))
        assert nearest < 0.04


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("home", [(0,), (3,), (3, 4), (2, 3, 4, 5), (0, 1, 7), (11,)])
def test_a_prior_at_home_is_one_and_where_it_should_be(home, several, coarse):
    prior = home_prior(12, home, several, SETTINGS, coarse)
    assert prior.sum() == pytest.approx(1)
    carried = prior @ library(12, coarse).shares
    assert carried[list(home)].sum() > 0.75
    far = [p for p in range(12) if min(abs(p - h) for h in home) > 3]
    assert carried[far].sum() < 0.01


def test_what_is_at_home_is_not_away():
    prior = away_prior(12, (3, 4), SETTINGS)
    assert prior.sum() == pytest.approx(1)
    assert (prior @ library(12).shares)[[3, 4]].sum() < 0.12
    assert away_prior(2, (0, 1), SETTINGS).sum() == pytest.approx(0)


def event(delta_g, covariance_g2):
    plates = tuple(PlateId(1, 1, n + 1) for n in range(len(delta_g)))
    return WeightEvent("", ShelfId(1, 1), 0, 1, 0.5, plates, np.array(delta_g), covariance_g2, 1.0)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_a_fit_is_the_gaussian_written_out(parts):
    """log p(d | T, s) of the docstring against scipy's dense Gaussian."""
    rng = np.random.default_rng(parts)
    root = rng.normal(0, 1, (6, 6))
    noise = root @ root.T + np.eye(6)
    delta_g = rng.normal(0, 200, 6)
    plain = ExplainSettings(crosstalk=0, crosstalk_sd=0, still_g=0)
    change, profiles = change_of(event(delta_g, noise), 1, 6, plain), library(6)
    evidence = evidence_of(change, profiles, np.arange(len(profiles.shares)), 0.0)
    rows = rng.integers(len(profiles.shares), size=(5, parts))
    about_g = rng.normal(0, 300, (5, parts))
    fit = evidence.together(rows, about_g)
    for q in range(5):
        wide = noise + 1e-4 * np.eye(6)
        for row, grams in zip(rows[q], about_g[q], strict=True):
            slack = profiles.slack[row] * grams
            wide = wide + slack.T @ slack
        for weight in (np.zeros(parts), rng.normal(0, 300, parts)):
            mean = weight @ profiles.shares[rows[q]]
            log = fit.log_still[q] + fit.h[q] @ weight - weight @ fit.gram[q] @ weight / 2
            assert log == pytest.approx(stats.multivariate_normal.logpdf(delta_g, mean, wide), rel=1e-6)
    if parts == 1:
        one, same = (
            evidence.one(),
            evidence.together(np.arange(len(profiles.shares))[:, None], evidence.under_g[:, None]),
        )
        for a, b in ((one.log_still, same.log_still), (one.h, same.h), (one.gram, same.gram)):
            assert a == pytest.approx(b)
