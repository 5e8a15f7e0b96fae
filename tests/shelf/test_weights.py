from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from gocv.core import Product, Store
from gocv.shelf import ExplainSettings, UnitWeights

SETTINGS = ExplainSettings()


def weights_of(weight_g, spread_g=math.nan, settings=SETTINGS):
    return UnitWeights(Store({"a": Product("a", "A", weight_g, spread_g)}, {}, {}), settings)


class TestFiled:
    def test_a_weight_on_file_is_believed_within_its_errors(self):
        found = weights_of(200.0, 3.0).of("a")
        errors = np.array(SETTINGS.file_errors)
        assert found.mean_g == pytest.approx(200)
        assert found.sd_g == pytest.approx(200 * math.sqrt(errors[:, 0] ** 2 @ errors[:, 1]))
        assert found.spread_g == 3.0

    def test_a_spread_that_is_not_on_file_is_a_share_of_the_weight(self):
        assert weights_of(200.0).of("a").spread_g == pytest.approx(200 * SETTINGS.unit_spread)

    @pytest.mark.parametrize("weight_g", [math.nan, 0.0, -5.0])
    def test_no_weight_on_file(self, weight_g):
        found = weights_of(weight_g).of("a")
        assert math.isnan(found.mean_g)
        assert found.sd_g == math.inf
        assert UnitWeights(Store({}, {}, {})).of("nobody's").sd_g == math.inf


class TestLearning:
    def test_confident_events_narrow_it_down(self):
        weights, rng = weights_of(200.0, 2.0), np.random.default_rng(0)
        for _ in range(30):
            weights.learn("a", 1, float(rng.normal(206, 2)), 1.0, 0.99)
        found = weights.of("a")
        assert found.mean_g == pytest.approx(206, abs=1.5)
        assert found.sd_g < 1.5

    def test_a_wrong_weight_on_file_is_given_up(self):
        weights, rng = weights_of(200.0, 2.0), np.random.default_rng(0)
        for _ in range(8):
            weights.learn("a", 1, float(rng.normal(250, 2)), 1.0, 0.95)
        assert weights.of("a").mean_g == pytest.approx(250, abs=4)
        assert weights.of("a").sd_g < 10

    @pytest.mark.parametrize("odd_g", [130.0, 150.0, 320.0])
    def test_one_odd_event_changes_little(self, odd_g):
        weights, rng = weights_of(200.0, 2.0), np.random.default_rng(0)
        for _ in range(10):
            weights.learn("a", 1, float(rng.normal(200, 2)), 1.0, 0.99)
        before = weights.of("a")
        weights.learn("a", 1, odd_g, 1.0, 0.9)
        assert weights.of("a").mean_g == pytest.approx(before.mean_g, abs=1.0)

    def test_the_less_probable_the_less_is_learnt(self):
        moved = []
        for probability in (0.05, 0.3, 0.7, 1.0):
            weights = weights_of(200.0, 2.0)
            weights.learn("a", 1, 210.0, 1.0, probability)
            moved.append(weights.of("a").mean_g)
        assert moved == sorted(moved)
        assert moved[0] < 201 < 204 < moved[-1] <= 210

    @pytest.mark.parametrize("units", [3, -3])
    def test_of_several_units_the_mean_counts(self, units):
        weights = weights_of(200.0, 2.0)
        for _ in range(10):
            weights.learn("a", units, 630.0, 1.0, 0.99)
        assert weights.of("a").mean_g == pytest.approx(210, abs=1.5)

    def test_a_weight_that_nobody_knew(self):
        weights, rng = weights_of(math.nan), np.random.default_rng(0)
        weights.learn("a", 1, 333.0, 1.0, 0.9)
        assert weights.mixture("a").known
        for _ in range(6):
            weights.learn("a", 1, float(rng.normal(333, 2)), 1.0, 0.9)
        assert weights.of("a").mean_g == pytest.approx(333, abs=4)

    @pytest.mark.parametrize(
        ("units", "grams", "sd_g", "probability"),
        [
            (0, 200, 1, 1),
            (1, math.nan, 1, 1),
            (1, 200, math.inf, 1),
            (1, -3, 1, 1),
            (1, 210, 1, 0),
            (1, 210, 1, math.nan),
        ],
    )
    def test_what_says_nothing_changes_nothing(self, units, grams, sd_g, probability):
        weights = weights_of(200.0)
        before = weights.of("a")
        weights.learn("a", units, grams, sd_g, probability)
        assert weights.of("a") == before


class TestAgreement:
    @pytest.mark.parametrize(("one", "other"), [(203.0, 203.5), (203.0, 196.0), (200.0, 150.0), (140.0, 130.0)])
    def test_it_is_the_integral_over_the_unit(self, one, other):
        exact = ExplainSettings(file_errors=((0.01, 0.7), (0.05, 0.3)))
        found = weights_of(200.0, 3.0, exact).log_agreement("a", (one, 1.0), (other, 1.5))
        unit = np.linspace(120, 280, 8001)
        prior = sum(p * stats.norm.pdf(unit, 200, math.hypot(3, 200 * e)) for e, p in exact.file_errors)
        prior /= prior.sum()

        def shown(grams, sd_g):
            lost = (np.arange(400) + 0.5) / 400 * exact.frame_share
            leaning = np.mean([stats.norm.pdf(grams, unit * (1 - u), sd_g) for u in lost], axis=0)
            return (1 - exact.frame_lean) * stats.norm.pdf(grams, unit, sd_g) + exact.frame_lean * leaning

        first, second = shown(one, 1.0), shown(other, 1.5)
        same = (prior @ (first * second)) / (prior @ first) / (prior @ second)
        expected = math.log(0.98 * same + 0.02)
        assert found == pytest.approx(expected, abs=0.35)

    def test_alike_speaks_for_the_same_unit_and_unlike_against_it(self):
        weights = weights_of(200.0, 5.0)
        assert weights.log_agreement("a", (206, 1), (206, 1)) > 1
        assert weights.log_agreement("a", (206, 1), (194, 1)) < -2
