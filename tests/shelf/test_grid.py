from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError, PlateId, ScaleSamples
from gocv.shelf.grid import EvenGrid

PLATES = (PlateId(1, 1, 1), PlateId(1, 1, 2))


def samples(time_s, weight_g=None, plates=PLATES):
    time_s = np.asarray(time_s, float)
    if weight_g is None:
        weight_g = np.repeat(np.arange(len(time_s))[:, None], len(plates), axis=1)
    return ScaleSamples(plates, time_s=time_s, weight_g=weight_g)


def resampled(table, cuts=(), rate_hz=10.0, longest_hold=5):
    """Weights and times of all grid points, and the report, with the samples cut into chunks."""
    grid = EvenGrid(rate_hz, longest_hold)
    edges = [0, *sorted(cuts), len(table)]
    out = [grid.push(table[a:b]) for a, b in itertools.pairwise(edges)]
    out.append(grid.finish())
    weight_g = np.concatenate([w for w, _ in out if len(w)]) if any(len(w) for w, _ in out) else np.empty((0, 2))
    return weight_g, np.concatenate([t for _, t in out]), grid.report()


class TestRegularSamples:
    def test_samples_on_the_grid_pass_through_relative_to_the_first(self):
        weight_g = np.array([[5.0, 7.0], [6.0, 7.0], [6.0, 9.0]])
        got_g, got_s, report = resampled(samples([3.0, 3.1, 3.2], weight_g))
        np.testing.assert_allclose(got_g, weight_g - weight_g[0])
        np.testing.assert_allclose(got_s, [3.0, 3.1, 3.2])
        assert report == []

    @pytest.mark.parametrize("rate_hz", [8.0, 9.97, 10.0, 10.004, 23.0])
    def test_each_point_shows_the_last_sample_at_most_half_a_step_after_it(self, rate_hz):
        rng = np.random.default_rng(0)
        time_s = 5.0 + np.sort(np.arange(800) / rate_hz + rng.uniform(0, 0.03, 800))
        got_g, got_s, _ = resampled(samples(time_s))
        for point in range(len(got_s)):
            latest = np.flatnonzero(time_s <= time_s[0] + (point + 0.5) / 10.0 + 1e-9)[-1]
            assert got_g[point, 0] == latest
            assert got_s[point] == time_s[latest]

    def test_a_drift_of_500_ppm_neither_stretches_nor_loses_time(self):
        time_s = np.arange(36_000) / (60 * (1 + 500e-6))
        _, got_s, report = resampled(samples(time_s), rate_hz=60.0)
        assert abs(len(got_s) - time_s[-1] * 60) <= 1.5
        np.testing.assert_allclose(got_s, np.arange(len(got_s)) / 60, atol=1.01 / 60)
        assert report == []


class TestIrregularTimes:
    @pytest.mark.parametrize("silence_s", [0.9, 3.0, 3600.0, 1e8])
    def test_a_silence_is_closed_up_and_told(self, silence_s):
        time_s = np.concatenate([np.arange(10), np.arange(10) + 9 + silence_s * 10]) / 10
        got_g, got_s, report = resampled(samples(time_s))
        assert len(got_s) == 24
        np.testing.assert_array_equal(got_g[:, 0], [*range(9), *[9] * 5, *range(10, 20)])
        assert got_s[14] == time_s[10]
        assert "no samples from 0.90 s to" in report[0]["problem"]

    def test_a_short_silence_is_kept_and_not_told(self):
        got_g, _, report = resampled(samples([0.0, 0.1, 0.6, 0.7]))
        np.testing.assert_array_equal(got_g[:, 0], [0, 1, 1, 1, 1, 1, 2, 3])
        assert report == []

    @pytest.mark.parametrize(
        ("time_s", "shown"),
        [
            ([0.0, 0.1, 0.1, 0.2], [0, 1, 3]),
            ([0.0, 0.2, 0.1, 0.3], [0, 0, 1, 3]),
            ([0.0, 0.1, np.nan, 0.2], [0, 1, 3]),
            ([0.0, 0.1, np.inf, 0.2], [0, 1, 3]),
            ([np.nan, 0.0, 0.1], [1, 2]),
            ([-np.inf, 0.0, 0.1], [1, 2]),
            ([0.0, 0.1, 1e300, 0.2], [0, 1, 3]),
        ],
        ids=["duplicate", "late", "nan", "inf", "nan first", "-inf first", "absurd"],
    )
    def test_samples_without_a_later_time_are_left_out_and_counted(self, time_s, shown):
        got_g, _, report = resampled(samples(time_s))
        np.testing.assert_array_equal(got_g[:, 0] + (shown[0]), shown)
        assert report[0]["problem"].startswith("1 samples had no time")

    def test_a_clock_that_is_set_back_goes_on_from_there(self):
        time_s = np.concatenate([1000 + np.arange(10) / 10, np.arange(10) / 10])
        got_g, got_s, report = resampled(samples(time_s))
        assert got_g[-1, 0] == 19
        assert got_s[-1] == pytest.approx(0.9)
        assert len(got_s) == 24
        assert report == [
            {"where": "scales of gondola 1", "problem": "the clock was set back from 1000.90 s to 0.00 s"}
        ]

    def test_one_wrong_time_far_ahead_costs_nothing_after_it(self):
        time_s = np.array([0.0, 0.1, 5e8, 0.3, 0.4])
        got_g, _, _ = resampled(samples(time_s))
        assert got_g[-1, 0] == 4

    def test_the_report_stays_short(self):
        _, _, report = resampled(samples(np.arange(100.0)))
        assert len(report) == 21
        assert report[-1]["problem"] == "79 more gaps"


class TestMissingReadings:
    nan = np.nan

    @pytest.mark.parametrize(
        ("readings", "shown", "problem"),
        [
            ([nan, nan, nan], [0, 0, 0], "no reading at all: treated as never changing"),
            ([5, nan, 8], [0, 0, 3], "1 of 3 readings missing: the last reading was held"),
            ([nan, nan, 900], [0, 0, 0], "2 of 3 readings missing: the last reading was held"),
            ([5, np.inf, 1e30], [0, 0, 0], "2 of 3 readings missing: the last reading was held"),
        ],
        ids=["dead", "hole", "late", "absurd"],
    )
    @pytest.mark.parametrize("cuts", [(), (1,), (2,), (1, 2)])
    def test_a_plate_holds_its_last_reading(self, readings, shown, problem, cuts):
        weight_g = np.stack([readings, [1, 2, 3]], axis=1)
        got_g, _, report = resampled(samples([0.0, 0.1, 0.2], weight_g), cuts)
        np.testing.assert_allclose(got_g, np.stack([shown, [0, 1, 2]], axis=1))
        assert report == [{"where": "plate 1/1/1", "problem": problem}]


class TestChunks:
    @settings(max_examples=80, deadline=None)
    @given(data=st.data())
    def test_what_comes_out_does_not_depend_on_the_chunks(self, data):
        steps = st.sampled_from([0.1, 0.1, 0.1, 0.097, 0.13, 0.02, 0.4, 0.7, 30.0, 0.0, -0.2, -50.0, np.nan, np.inf])
        size = data.draw(st.integers(0, 40))
        drawn = np.array(data.draw(st.lists(steps, min_size=size, max_size=size)))
        time_s = 100 + np.cumsum(np.where(np.isfinite(drawn), drawn, 0)) + np.where(np.isfinite(drawn), 0, drawn)
        reading = st.sampled_from([1.0, 2.0, 500.0, np.nan])
        weight_g = np.array(data.draw(st.lists(reading, min_size=2 * size, max_size=2 * size))).reshape(-1, 2)
        cuts = data.draw(st.lists(st.integers(0, size), max_size=6))
        table = samples(time_s, weight_g)
        whole, pieces = resampled(table), resampled(table, cuts)
        np.testing.assert_array_equal(whole[0], pieces[0])
        np.testing.assert_array_equal(whole[1], pieces[1])
        assert whole[2] == pieces[2]

    def test_nothing_in_nothing_out(self):
        grid = EvenGrid(60.0)
        assert [len(part) for part in (*grid.push(samples([])), *grid.finish())] == [0, 0, 0, 0]
        assert grid.report() == []

    def test_other_plates_are_refused(self):
        grid = EvenGrid(60.0)
        grid.push(samples([0.0]))
        with pytest.raises(DataError, match="other plates"):
            grid.push(samples([0.1], plates=PLATES[::-1]))
