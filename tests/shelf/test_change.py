from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.shelf.change import describe_change


def rest(levels, rows=60, sd_g=1.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, sd_g, (rows, len(levels)))
    return (noise + levels).astype(np.float32)


def step(levels, to, at, rows=120, seed=2):
    reached = (np.arange(rows) >= at)[:, None]
    return (rest(np.zeros(len(levels)), rows, seed=seed) + np.where(reached, to, levels)).astype(np.float32)


def describe(was, became, sd_g=1.0, at=50, min_plate_g=5.0):
    was, became = np.asarray(was, float), np.asarray(became, float)
    return describe_change(rest(was, sd_g=sd_g), step(was, became, at), rest(became, sd_g=sd_g, seed=1), min_plate_g)


class TestWhatChanged:
    def test_plates_that_changed_by_more_than_the_least_are_part_of_it(self):
        change = describe([0, 100, 500], [0, 104, 400])
        np.testing.assert_array_equal(change.plates, [2])
        assert change.delta_g == pytest.approx([-100], abs=1)

    def test_no_plate_no_change(self):
        assert describe([0, 100], [2, 97]) is None

    def test_a_step_is_timed_where_it_happens(self):
        change = describe([500], [400], at=50)
        assert (change.first, change.half, change.last) == pytest.approx((48, 50, 52), abs=1)

    def test_a_change_that_is_never_seen_between_ends_at_the_end(self):
        change = describe_change(rest([0]), rest([0], rows=40), rest([99], seed=1), 5.0)
        assert (change.half, change.last) == (39, 39)


class TestHowSurely:
    @pytest.mark.parametrize("sd_g", [0.3, 2.0, 13.0])
    def test_the_error_stays_within_its_standard_deviation(self, sd_g):
        rng = np.random.default_rng(1)
        errors = []
        for _ in range(200):
            before, after = (rng.normal(0, sd_g, (60, 3)).astype(np.float32) + 100 * k for k in (0, 1))
            change = describe_change(before, after, after, 5.0)
            errors.append((change.delta_g - 100) / np.sqrt(np.diag(change.covariance_g2)))
        assert 0.02 < np.std(errors) < 1.05

    def test_noise_of_a_side_that_shows_one_reading_is_taken_from_the_other(self):
        held = np.full((60, 1), 7.0, np.float32)
        after = rest([100], sd_g=5.0)
        change = describe_change(held, held, after, 5.0)
        assert change.covariance_g2[0, 0] > after.var()

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**32 - 1), plates=st.integers(1, 6), held=st.booleans())
    def test_the_covariance_is_one(self, seed, plates, held):
        rng = np.random.default_rng(seed)
        mixing = rng.normal(0, 3, (plates, plates))
        before, after = (rng.normal(0, 1, (60, plates)) @ mixing for _ in range(2))
        if held:
            before[:, 0] = before[0, 0]
        change = describe_change(before.astype(np.float32), after, (after + 1000).astype(np.float32), 5.0)
        np.testing.assert_allclose(change.covariance_g2, change.covariance_g2.T)
        assert np.linalg.eigvalsh(change.covariance_g2).min() >= 0.5 - 1e-6
        assert 0 <= change.first <= change.half <= change.last < 60

    @pytest.mark.parametrize(
        ("was", "became", "sd_g", "least", "most"),
        [
            ([500], [400], 2.0, 0.999, 1.0),
            ([500, 0], [200, 285], 2.0, 0.999, 1.0),
            ([0], [5.5], 13.0, 0.0, 0.05),
            ([0, 0, 0], [5.5, 5.5, 6.0], 13.0, 0.0, 0.05),
        ],
        ids=["take", "swap that nearly cancels", "noise", "noise on all plates"],
    )
    def test_probability_that_anything_changed(self, was, became, sd_g, least, most):
        assert least <= describe(was, became, sd_g, min_plate_g=1.0).probability <= most

    def test_probability_grows_with_the_change(self):
        found = [describe([0], [g], sd_g=3.0, min_plate_g=0.1).probability for g in (3, 4, 6, 9, 14)]
        assert found == sorted(found)
        assert len(set(found)) == 5
