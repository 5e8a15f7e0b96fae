from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from gocv.core import DataError
from gocv.fusion.calibrate import CELL, Calibrator
from gocv.metrics.calibration import calibration_error


def drawn(rng, n, slope=0.5, shift=0.0):
    """What an engine believes, and whether it was right: truly with log-odds slope·x + shift."""
    x = rng.normal(4, 3, n)
    return expit(x), rng.random(n) < expit(slope * x + shift)


class TestFit:
    @pytest.mark.parametrize(
        ("slope", "shift"), [(0.5, 0.0), (1.7, 0.5), (1.0, 0.0), (0.2, 1.0)], ids=["over", "under", "right", "vague"]
    )
    def test_two_thousand_receipts_are_enough(self, slope, shift):
        rng = np.random.default_rng(1)
        after, before = [], []
        for _ in range(8):
            calibrator = Calibrator.fit(*drawn(rng, 2000, slope, shift))
            raw, right = drawn(rng, 20_000, slope, shift)
            after.append(calibration_error(calibrator.apply(raw), right).error)
            before.append(calibration_error(raw, right).error)
        assert max(after) <= 0.03
        assert np.mean(after) <= max(0.02, np.mean(before))

    def test_many_receipts_come_to_the_isotonic_fit(self):
        """Cells, Jeffreys' estimate and interpolation vanish as there is more to learn from."""
        rng = np.random.default_rng(2)
        raw, right = drawn(rng, 100_000)
        oracle = IsotonicRegression(out_of_bounds="clip").fit(raw, right)
        at = np.quantile(raw, np.linspace(0.02, 0.98, 25))
        assert np.abs(Calibrator.fit(raw, right).apply(at) - oracle.predict(at)).max() < 0.03

    @given(
        receipts=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
        asked=st.lists(st.floats(0, 1), min_size=2, max_size=10),
    )
    def test_the_order_is_kept_and_nothing_is_certain(self, receipts, asked):
        calibrator = Calibrator.fit(*zip(*receipts, strict=True))
        found = calibrator.apply(sorted([0.0, *asked, 1.0]))
        assert (np.diff(found) >= 0).all()
        assert found[0] > 0
        assert found[-1] < 1
        apart = np.array([0.01, 0.3, 0.31, 0.9, 0.99, 0.9999, 1 - 1e-9])
        assert (np.diff(calibrator.apply(apart)) > 0).all()
        assert calibrator.count.sum() == len(receipts)
        assert (calibrator.count >= min(CELL, len(receipts))).all()

    def test_a_thousand_right_ones_are_no_proof(self):
        calibrator = Calibrator.fit(np.full(1000, 1.0), np.ones(1000))
        assert calibrator.apply([1.0]) == pytest.approx([1000.5 / 1001])

    def test_shape_is_kept(self):
        calibrator = Calibrator.fit([0.2, 0.9], [0, 1])
        assert calibrator.apply(0.5).shape == ()
        assert calibrator.apply(np.full((2, 3), 0.5)).shape == (2, 3)

    @pytest.mark.parametrize(("raw", "right"), [([], []), ([1.1], [1]), ([0.5], [0.5]), ([0.5], [1, 1])])
    def test_refusals(self, raw, right):
        with pytest.raises(DataError):
            Calibrator.fit(raw, right)


class TestFile:
    def test_what_is_saved_is_loaded(self, tmp_path):
        rng = np.random.default_rng(3)
        raw, right = drawn(rng, 500)
        calibrator = Calibrator.fit(raw, right, {"seeds": [0, 99]})
        calibrator.save(tmp_path / "c.json")
        found = Calibrator.load(tmp_path / "c.json")
        assert np.array_equal(found.apply(raw), calibrator.apply(raw))
        assert found.made == {"seeds": [0, 99], "receipts": 500, "right": int(right.sum()), "cell": CELL}
        assert found.count.tolist() == calibrator.count.tolist()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"version": 2}, "key 'version'"),
            ({"log_odds": [0.0, 0.0]}, "key 'log_odds': do not rise"),
            ({"raw_log_odds": [0.0]}, "key 'log_odds': pools differ"),
            ({"count": [0, 1]}, "key 'count.0'"),
            ({"counts": [1, 1]}, "key 'counts'.*expected 'count'"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, change, message):
        file = tmp_path / "c.json"
        good = {"version": 1, "raw_log_odds": [0.0, 1.0], "log_odds": [0.0, 1.0], "count": [10, 10], "made": {}}
        file.write_text(json.dumps(good))
        Calibrator.load(file)
        file.write_text(json.dumps(good | change))
        with pytest.raises(DataError, match=f"c.json, {message}"):
            Calibrator.load(file)

    @pytest.mark.parametrize("text", ["", "[1]", "{"])
    def test_no_calibrator(self, tmp_path, text):
        (tmp_path / "c.json").write_text(text)
        with pytest.raises(DataError, match=r"c\.json"):
            Calibrator.load(tmp_path / "c.json")
