from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import beta

from gocv.core import Account, ConfigError, DataError, Receipt, ReceiptLine
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.review import GRID, ReviewPolicy, choose_threshold, judged


def believed(rng, n, mean):
    """Calibrated probabilities, and whether each came true."""
    p = expit(rng.normal(mean, 4, n))
    return p, rng.random(n) < p


def true_risk(mean):
    """The risk of each threshold of the grid, from very many receipts."""
    p = np.sort(expit(np.random.default_rng(99).normal(mean, 4, 1_000_000)))[::-1]
    passing = np.searchsorted(-p, -GRID, side="right")
    return np.concatenate([[0], np.cumsum(1 - p)])[passing] / np.maximum(passing, 1)


class TestTheGuarantee:
    @pytest.mark.parametrize(
        ("n", "mean", "max_error", "confidence"),
        [(1500, 6, 0.005, 0.95), (4000, 4, 0.005, 0.95), (800, 5, 0.02, 0.9)],
    )
    def test_the_bound_holds_as_often_as_promised(self, n, mean, max_error, confidence):
        rng = np.random.default_rng(7)
        risk = dict(zip(GRID.tolist(), true_risk(mean), strict=True)) | {math.inf: 0.0}
        draws = 400
        broken, passed = 0, 0.0
        for _ in range(draws):
            policy = choose_threshold(*believed(rng, n, mean), max_error=max_error, confidence=confidence)
            broken += risk[policy.threshold] > max_error
            passed += policy.unreviewed / n / draws
            assert policy.error_bound <= max_error or math.isinf(policy.threshold)
        assert broken / draws <= 1 - confidence
        assert passed > 0.25  # a policy that reviews everything would hold any bound

    def test_over_confident_scores_do_not_break_it(self):
        """The bound is on what comes true, not on what is stated."""
        rng = np.random.default_rng(8)
        broken = 0
        for _ in range(200):
            x = rng.normal(6, 4, 3000)
            policy = choose_threshold(expit(x), rng.random(3000) < expit(0.7 * x))
            fresh = rng.normal(6, 4, 200_000)
            passing = expit(fresh) >= policy.threshold
            broken += passing.any() and np.mean(1 - expit(0.7 * fresh[passing])) > 0.005
        assert broken / 200 <= 0.05

    def test_taking_the_best_threshold_at_hand_would_break_it(self):
        """What the sequence is for: the same test with the luckiest threshold breaks the bound more often."""
        rng = np.random.default_rng(9)
        broken = 0
        for _ in range(200):
            p, right = believed(rng, 1500, 4)
            order = np.argsort(-p)
            wrong = np.cumsum(~right[order])
            within = np.flatnonzero(wrong <= 0.005 * np.arange(1, 1501))
            broken += len(within) > 0 and np.mean(1 - p[order][: within[-1] + 1]) > 0.005
        assert broken / 200 > 0.05


class TestChoice:
    @pytest.mark.parametrize(("n", "passes"), [(597, False), (598, True)])
    def test_fewest_receipts_that_can_show_it(self, n, passes):
        policy = choose_threshold(np.full(n, 0.9), np.ones(n))
        assert math.isfinite(policy.threshold) is passes
        assert policy.unreviewed == (n if passes else 0)

    def test_one_error_needs_more(self):
        right = np.ones(900)
        right[0] = 0
        assert math.isinf(choose_threshold(np.full(900, 0.9), right).threshold)

    def test_counts_and_bound(self):
        p = np.repeat([0.999, 0.6], [3000, 500])
        right = np.ones(3500)
        right[:5] = 0
        right[3000:3200] = 0
        policy = choose_threshold(p, right)
        assert (policy.receipts, policy.unreviewed, policy.wrong) == (3500, 3000, 5)
        assert 0.6 < policy.threshold <= 0.999
        assert policy.error_bound == pytest.approx(beta.ppf(0.95, 6, 2995))

    @pytest.mark.parametrize("settings", [{"max_error": 0.0}, {"confidence": 1.0}, {"max_error": math.nan}])
    def test_settings_refused(self, settings):
        with pytest.raises(ConfigError, match=next(iter(settings))):
            choose_threshold([0.5], [1], **settings)


POLICY = ReviewPolicy(0.99, 0.005, 0.95, 2000, 1500, 1)


def receipt(probability=0.995, shopper="ann", left_s=60.0, cart=(("7", 1),), moved=(("ann", "7", 1),)):
    lines = tuple(ReceiptLine(p, "Cola", n, probability, ("e1",)) for p, n in cart if p != "?")
    accounts = (Account(cart, probability, {"e1": moved}), Account((), 1 - probability, {"e1": ()}))
    return Receipt(shopper, lines, probability, False, accounts, left_s)


class TestReasons:
    @pytest.mark.parametrize(
        ("given", "report", "reasons"),
        [
            (receipt(), [], []),
            (receipt(0.98), [], ["less sure"]),
            (receipt(left_s=math.nan), [], ["not seen leaving"]),
            (receipt(shopper=None, left_s=math.nan, moved=(("", "7", 1),)), [], ["nobody is named"]),
            (receipt(cart=(("?", 1),)), [], ["not in the catalogue"]),
            (receipt(), [{"where": "event e1", "problem": "odd"}], ["event e1: odd"]),
            (receipt(moved=(("bob", "7", 1),)), [{"where": "event e1", "problem": "odd"}], []),
            (receipt(), [{"where": "event e2", "problem": "odd"}], []),
            (receipt(), [{"where": "shopper ann", "problem": "odd"}], ["shopper ann: odd"]),
            (receipt(), [{"where": "shopper bob", "problem": "odd"}], []),
            (receipt(0.5, left_s=math.nan), [], ["less sure", "not seen leaving"]),
        ],
        ids=[
            *("fine", "unsure", "still there", "nobody's", "unknown", "own event", "another's part", "another event"),
            *("own name", "another's name", "two reasons"),
        ],
    )
    def test_each(self, given, report, reasons):
        found = POLICY.reasons(given, report)
        assert len(found) == len(reasons)
        assert all(part in text for part, text in zip(reasons, found, strict=True))
        assert POLICY.needs_review(given, report) is bool(reasons)

    def test_without_accounts_lines_tell(self):
        bare = dataclasses.replace(receipt(), accounts=())
        assert POLICY.needs_review(bare, [{"where": "event e1", "problem": "odd"}])
        assert not POLICY.needs_review(bare)

    def test_where_nothing_can_pass(self):
        never = dataclasses.replace(POLICY, threshold=math.inf)
        assert "no receipt" in never.reasons(receipt())[0]

    def test_judged(self):
        calibrator = Calibrator.fit(np.full(1000, 0.995), np.ones(1000))
        found = judged(receipt(), calibrator=calibrator, policy=dataclasses.replace(POLICY, threshold=0.9996))
        assert found.probability == pytest.approx(1000.5 / 1001)
        assert found.needs_review
        assert judged(receipt()) == receipt()
        assert not judged(receipt(), calibrator=calibrator, policy=POLICY).needs_review


class TestFile:
    @pytest.mark.parametrize("threshold", [0.99, math.inf])
    def test_what_is_saved_is_loaded(self, tmp_path, threshold):
        policy = dataclasses.replace(POLICY, threshold=threshold, made={"seeds": "0-99"})
        policy.save(tmp_path / "p.json")
        assert ReviewPolicy.load(tmp_path / "p.json") == policy

    def test_what_is_wrong_is_named(self, tmp_path):
        POLICY.save(tmp_path / "p.json")
        text = (tmp_path / "p.json").read_text()
        (tmp_path / "p.json").write_text(text.replace("0.99,", "1.2,"))
        with pytest.raises(DataError, match=r"p\.json, key 'threshold'"):
            ReviewPolicy.load(tmp_path / "p.json")
