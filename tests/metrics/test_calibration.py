from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from gocv.core import DataError
from gocv.metrics.calibration import calibration_error, risk_coverage

ANSWERED = st.lists(
    st.tuples(st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.75, 0.9, 0.95, 1.0]), st.booleans()), min_size=1, max_size=40
)


class TestCalibrationError:
    @pytest.mark.parametrize(
        ("probability", "right", "error"),
        [
            ([0.9] * 10, [1] * 9 + [0], 0.0),
            ([0.9] * 10, [1] * 5 + [0] * 5, 0.4),
            ([1.0, 1.0, 0.0, 0.0], [1, 1, 0, 0], 0.0),
            ([1.0, 1.0, 0.0, 0.0], [0, 0, 1, 1], 1.0),
            ([0.2, 0.2, 0.8, 0.8], [0, 0, 1, 1], 0.2),
        ],
        ids=["believable", "too sure", "certain and right", "certain and wrong", "too unsure both ways"],
    )
    def test_by_hand(self, probability, right, error):
        found = calibration_error(probability, right, bins=2)
        assert found.error == pytest.approx(error)
        assert found.error_equal_width == pytest.approx(error)

    def test_the_tables(self):
        found = calibration_error([0.1, 0.2, 0.3, 0.9], [0, 0, 1, 1], bins=2)
        assert found.equal_mass.count.tolist() == [2, 2]
        assert found.equal_mass.stated == pytest.approx([0.15, 0.6])
        assert found.equal_width.count.tolist() == [3, 1]
        assert found.equal_width.right == pytest.approx([1 / 3, 1])
        assert found.equal_mass.largest == pytest.approx(0.4)

    @given(answered=ANSWERED, bins=st.integers(1, 8))
    def test_what_always_holds(self, answered, bins):
        p, right = map(np.array, zip(*answered, strict=True))
        found = calibration_error(p, right, bins)
        assert found.equal_mass.count.sum() == found.equal_width.count.sum() == len(p)
        # Bins can hide an error, never make one: the finest table has the largest.
        finest = sum(abs((right[p == v] - v).sum()) for v in np.unique(p)) / len(p)
        for table in (found.equal_mass, found.equal_width):
            assert abs(right.mean() - p.mean()) - 1e-12 <= table.error <= finest + 1e-12
        order = np.random.default_rng(0).permutation(len(p))
        assert calibration_error(p[order], right[order], bins).error == pytest.approx(found.error)
        assert found.brier == pytest.approx(brier_score_loss(right, p, labels=[0, 1]))

    def test_log_loss(self):
        p, right = [0.9, 0.4, 0.2], [1, 1, 0]
        assert calibration_error(p, right).log_loss == pytest.approx(log_loss(right, p))
        assert math.isfinite(calibration_error([1.0, 0.0], [0, 1]).log_loss)

    def test_the_debiased_estimate_is_right_on_average_and_the_plain_one_is_not(self):
        rng = np.random.default_rng(1)
        stated = np.repeat([0.55, 0.75, 0.95], 20)
        truly = stated - 0.1
        squares, plain = [], []
        for _ in range(400):
            table = calibration_error(stated, rng.random(len(stated)) < truly, bins=3).equal_mass
            squares.append(table.debiased_square)
            plain.append(np.average((table.right - table.stated) ** 2, weights=table.count))
        assert np.mean(squares) == pytest.approx(0.01, abs=0.001)
        assert np.mean(plain) > 0.016

    def test_the_interval_holds_the_error_of_a_large_sample(self):
        rng = np.random.default_rng(2)
        p = rng.choice([0.6, 0.9], 1500)
        found = calibration_error(p, rng.random(1500) < p - 0.15, bins=2, resamples=200, seed=3)
        low, high = found.interval
        assert low < 0.15 < high
        assert 0.02 < high - low < 0.09

    def test_nothing(self):
        found = calibration_error([], [], resamples=5)
        assert found.count == 0
        assert math.isnan(found.error)
        assert math.isnan(found.brier)

    @pytest.mark.parametrize(
        ("probability", "right", "message"),
        [
            ([0.5, 1.5], [1, 0], "row 2: 1.5 is no probability"),
            ([np.nan], [1], "no probability"),
            ([0.5], [1, 0], "shapes"),
            ([0.5], [2], "true or false"),
        ],
    )
    def test_refusals(self, probability, right, message):
        with pytest.raises(DataError, match=message):
            calibration_error(probability, right)


class TestRiskCoverage:
    def test_by_hand(self):
        found = risk_coverage([0.9, 0.8, 0.8, 0.5], [1, 0, 1, 1])
        assert found.threshold.tolist() == [0.9, 0.8, 0.5]
        assert found.coverage == pytest.approx([0.25, 0.75, 1])
        assert found.risk == pytest.approx([0, 1 / 3, 1 / 4])
        assert found.aurc == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 4) / 4)
        assert found.errors_per_1000_at(0.8) == pytest.approx(1000 / 3)
        assert found.errors_per_1000_at(0.95) == 0

    @pytest.mark.parametrize(
        ("right", "bound", "reviewed"),
        [
            ([1, 1, 1, 1], 0.0, 0.0),
            ([0, 1, 1, 1], 0.0, 1.0),
            ([0, 1, 1, 1], 0.3, 0.0),
            ([1, 1, 0, 1], 0.0, 0.5),
            ([0, 0, 0, 0], 0.9, 1.0),
            ([], 0.1, 1.0),
        ],
        ids=["all right", "the surest is wrong", "diluted", "from the wrong one down", "all wrong", "nothing"],
    )
    def test_the_review_rate(self, right, bound, reviewed):
        found = risk_coverage(np.linspace(1, 0, len(right)), right)
        assert found.review_rate_at(bound) == pytest.approx(reviewed)
        assert found.reviews_per_1000_at(bound) == pytest.approx(1000 * reviewed)

    @given(answered=ANSWERED, bound=st.sampled_from([0.0, 0.1, 0.3]))
    def test_no_threshold_is_better(self, answered, bound):
        score, right = map(np.array, zip(*answered, strict=True))
        shares = [1.0]
        for threshold in np.unique(score):
            accepted = score >= threshold
            if (~right[accepted]).mean() <= bound:
                shares.append(1 - accepted.mean())
        found = risk_coverage(score, right)
        assert found.review_rate_at(bound) == pytest.approx(min(shares))
        accepted = score >= found.threshold_at(bound)
        assert 1 - accepted.mean() == pytest.approx(min(shares))

    @given(answered=ANSWERED)
    def test_the_generalised_area_is_what_its_authors_derive(self, answered):
        """Traub et al. 2024: (1 - AUROC)·a·(1 - a) + (1 - a)² / 2, with the accuracy a."""
        score, right = map(np.array, zip(*answered, strict=True))
        a = right.mean()
        ranked = (1 - roc_auc_score(right, score)) * a * (1 - a) if 0 < a < 1 else 0.0
        assert risk_coverage(score, right).augrc == pytest.approx(ranked + (1 - a) ** 2 / 2)

    def test_a_score_that_is_not_finite(self):
        with pytest.raises(DataError, match="not finite"):
            risk_coverage([np.nan], [1])
