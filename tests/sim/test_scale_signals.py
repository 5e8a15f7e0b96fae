"""Scales: their noise against what the real ones measured, and the same samples however they are cut."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch
from scipy.stats import kurtosis

from gocv.core import ConfigError
from gocv.sim.load_changes import LoadChange, load_signal
from gocv.sim.scales import (
    RATE_HZ,
    SAMPLES_PER_MESSAGE,
    SHAKY,
    ScaleNoise,
    ShelfScales,
    draw_clock,
    message_times,
)
from gocv.sim.vibration import Bursts, usual_level

PLATES = 12
SHELVES = 24
MEASURED_S = 34.0
QUIET = ScaleNoise()
STILL = ScaleNoise(bursts_per_min=0.0)
RESULTS = Path(__file__).parents[2] / "experiments" / "results" / "scale_noise.json"
FITTED = {row["method"]: row for row in json.loads(RESULTS.read_text())["rows"] if row["method"].startswith("fitted")}
BOTH = pytest.mark.parametrize(
    ("noise", "fitted"), [(QUIET, FITTED["fitted quiet gondola"]), (SHAKY, FITTED["fitted shaky gondola"])]
)


def _read(noise: ScaleNoise, seed: int, seconds: float = MEASURED_S, **more) -> np.ndarray:
    scales = ShelfScales(np.full(PLATES, 1000.0), more.pop("changes", ()), noise, np.random.SeedSequence(seed), **more)
    return scales.read(np.arange(int(seconds * RATE_HZ)) / RATE_HZ).astype(np.float64)


def _second_sd(weight: np.ndarray) -> np.ndarray:
    """Median over seconds of the deviation within one, as the fit takes it."""
    return np.median(weight[: len(weight) // 60 * 60].reshape(-1, 60, *weight.shape[1:]).std(axis=1), axis=0)


def _v_s(weight: np.ndarray) -> np.ndarray:
    mean = np.convolve(weight.sum(axis=1), np.ones(60) / 60, mode="valid")
    return np.lib.stride_tricks.sliding_window_view(mean, 60).var(axis=1)


@BOTH
def test_the_defaults_are_the_fit(noise, fitted) -> None:
    for key in ("sd_g", "shelf_spread", "sd_spread", "correlation", "correlation_spread", "wander_g", "step_g"):
        assert getattr(noise, key) == pytest.approx(fitted[key], rel=0.05), key
    for key in ("vibration", "bandwidth_hz", "bursts_per_min", "burst_gain", "burst_decay_s", "message_jitter_s"):
        assert getattr(noise, key) == pytest.approx(fitted[key], rel=0.05), key
    assert noise.frequency_hz == pytest.approx(fitted["frequency_hz"], rel=0.05)
    assert noise.wander_s == fitted["assumed_wander_s"]


@BOTH
def test_noise_has_the_measured_statistics(noise, fitted) -> None:
    shelves = [_read(noise, seed) for seed in range(SHELVES)]
    plates = np.array([_second_sd(weight) for weight in shelves])
    sums = np.array([_second_sd(weight.sum(axis=1)) for weight in shelves])
    low, high = fitted["plate_sd_g_range"]
    assert 0.85 * low <= np.median(plates) <= 1.15 * high
    low, high = fitted["shelf_sum_sd_g_range"]
    assert 0.5 * low <= sums.min() <= np.median(sums) <= high
    assert sums.max() <= 2.0 * high
    shelf_levels = np.log(np.median(plates, axis=1))
    assert shelf_levels.std() == pytest.approx(noise.shelf_spread, rel=0.35)
    assert (np.log(plates).T - shelf_levels).std() == pytest.approx(noise.sd_spread, rel=0.25)


@BOTH
def test_v_s_at_rest_is_what_was_measured_and_far_below_the_published_threshold(noise, fitted) -> None:
    """FAIM calls a shelf active at 500 g²."""
    values = [_v_s(_read(noise, seed)) for seed in range(SHELVES)]
    medians = np.array([np.median(v) for v in values])
    low, high = fitted["v_s_g2_median_range"]
    assert low <= np.median(medians) <= high
    assert 0.5 * low <= medians.min() <= medians.max() <= 4 * high
    low, high = fitted["v_s_g2_p99_range"]
    assert low <= np.median([np.percentile(v, 99) for v in values]) <= high
    assert max(v.max() for v in values) < 500


@BOTH
def test_plates_of_a_shelf_vibrate_together_and_the_louder_the_less(noise, fitted) -> None:
    off_diagonal = ~np.eye(PLATES, dtype=bool)
    still = dataclasses.replace(noise, wander_g=0.0)
    shelves = [_read(still, seed) for seed in range(SHELVES)]
    correlations = np.array([np.corrcoef(weight.T)[off_diagonal].mean() for weight in shelves])
    assert correlations.mean() == pytest.approx(fitted["correlation"], abs=0.08)
    level = np.array([np.median(_second_sd(weight)) for weight in shelves])
    assert np.corrcoef(np.log(level), correlations)[0, 1] < -0.1


def test_part_of_the_noise_is_narrow_band_and_lies_where_it_should() -> None:
    weight = np.concatenate([_read(STILL, seed, seconds=120.0) for seed in range(4)], axis=1)
    frequency, power = welch(weight, fs=RATE_HZ, nperseg=480, axis=0)
    power = (power / power[frequency > 1].sum(axis=0)).mean(axis=1)
    inside = (frequency > QUIET.frequency_hz[0] - 1) & (frequency < QUIET.frequency_hz[1] + 1)
    floor = np.median(power[(frequency > 2) & (frequency < 12)]) * (frequency > 1).sum()
    assert floor == pytest.approx(1 - QUIET.vibration, abs=0.08)
    assert power[inside].sum() > 0.55
    white = _read(dataclasses.replace(STILL, vibration=0.0, correlation=0.0), 0, seconds=120.0)
    assert np.abs(np.corrcoef(white.T)[~np.eye(PLATES, dtype=bool)]).max() < 0.1


def test_bursts_make_tails_and_a_store_shakes_as_one() -> None:
    still, shaken = (kurtosis(_read(noise, 1, 120.0), axis=0).mean() for noise in (STILL, QUIET))
    assert still < 0.5 < 2.0 < shaken
    half_seconds = [
        _read(QUIET, seed, 120.0, bursts=Bursts(20.0, 2.0, 1.2, np.random.SeedSequence(9)))
        .reshape(-1, 30, PLATES)
        .std(axis=1)
        .mean(axis=1)
        for seed in (1, 2)
    ]
    assert np.corrcoef(*half_seconds)[0, 1] > 0.8


def test_bursts_depend_on_the_moment_alone_and_have_the_moments_of_shot_noise() -> None:
    def bursts() -> Bursts:
        return Bursts(22.0, 2.0, 1.2, np.random.SeedSequence(5))

    when = np.arange(-60.0, 7200.0, 0.05)
    whole, later = bursts().level(when), bursts().level(when[70_000:70_100])
    assert whole is not None
    assert later is not None
    np.testing.assert_array_equal(whole[70_000:70_100], later)
    shape = 22.0 / 60 * 1.2
    assert whole.mean() == pytest.approx(1 + 2.0 * shape, rel=0.06)
    assert whole.std() == pytest.approx(2.0 * np.sqrt(shape), rel=0.10)
    assert np.median(whole) == pytest.approx(usual_level(22.0, 2.0, 1.2), rel=0.06)
    assert Bursts(0.0, 2.0, 1.2, np.random.SeedSequence(5)).level(when) is None


def test_readings_are_multiples_of_the_converters_step() -> None:
    steps = _read(QUIET, 1) / QUIET.step_g
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)


def test_slow_drift_moves_as_it_should_within_a_second_and_comes_back_within_hours() -> None:
    still = ScaleNoise(sd_g=1e-9, step_g=1e-6, wander_g=0.1, wander_s=200.0)
    weight = np.concatenate([_read(still, seed, seconds=1200.0) for seed in range(2)], axis=1)
    assert (weight[60:] - weight[:-60]).std() == pytest.approx(still.wander_g, rel=0.1)
    assert (weight[600:] - weight[:-600]).std() == pytest.approx(still.wander_g * np.sqrt(10), rel=0.15)
    assert weight.std() == pytest.approx(0.1 * np.sqrt(100), rel=0.3)


@pytest.mark.parametrize("cuts", [[7], [1, 2, 3], [600, 601, 1300], list(range(12, 3000, 12)), [1200, 2400]])
@pytest.mark.parametrize("noise", [QUIET, SHAKY])
def test_the_same_samples_come_out_however_they_are_cut(cuts, noise) -> None:
    when = message_times(0.0, 50.0, noise, np.random.SeedSequence(1))
    delta = np.zeros(PLATES)
    delta[4:6] = -60.0, -40.3

    def scales() -> ShelfScales:
        changes = (
            LoadChange(8.0, 0.5, delta, 30.0, 0.1, hold_s=4.0),
            LoadChange(8.5, 0.2, 0.37 * delta),
            LoadChange(10.2, 2.4, -delta, 20.0, 0.05, first_share=0.3, pause_s=1.0),
            LoadChange(31.0, 0.4, np.zeros(PLATES), 500.0, press_share=np.ones(PLATES)),
        )
        return ShelfScales(np.full(PLATES, 500.0), changes, noise, np.random.SeedSequence(9))

    whole, cut = scales(), scales()
    pieces = [cut.read(part) for part in np.split(when, cuts)]
    read = whole.read(when)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, np.concatenate(pieces))
    np.testing.assert_array_equal(read, scales().read(when))


def test_another_seed_is_another_shelf() -> None:
    assert (_read(QUIET, 1) != _read(QUIET, 2)).any()


def test_neighbouring_plates_show_a_little_of_a_change_and_those_further_off_nothing() -> None:
    delta = np.zeros(PLATES)
    delta[5] = -1000.0
    still = ScaleNoise(sd_g=1e-9, wander_g=0.0, step_g=1e-3)
    changes = (LoadChange(2.0, 0.3, delta),)
    scales = ShelfScales(np.full(PLATES, 5000.0), changes, still, np.random.SeedSequence(2))
    weight = scales.read(np.arange(600) / RATE_HZ)
    change = (weight[-1] - weight[0]).astype(np.float64)
    np.testing.assert_allclose(change, scales.spill @ delta, atol=0.002)
    assert change[5] == pytest.approx(-1000.0)
    for distance, (low, high) in ((1, still.spill), (2, still.spill_far)):
        for plate in (5 - distance, 5 + distance):
            assert low - 1e-5 <= change[plate] / -1000.0 <= high + 1e-5
    assert np.abs(change[[0, 1, 2, 8, 9, 10, 11]]).max() < 0.002


def test_messages_are_of_twelve_samples_a_period_apart_and_some_come_late() -> None:
    stamps = message_times(100.0, 400.0, QUIET, np.random.SeedSequence(4))
    assert len(stamps) == 18_000
    assert stamps[-1] < 400.05
    gaps = np.diff(stamps)
    assert gaps.min() > 0
    last_in_message = np.arange(len(gaps)) % SAMPLES_PER_MESSAGE == SAMPLES_PER_MESSAGE - 1
    np.testing.assert_allclose(gaps[~last_in_message], 1 / RATE_HZ)
    sent = stamps[::SAMPLES_PER_MESSAGE] - (100.0 + np.arange(1500) / 5)
    assert sent.std() == pytest.approx(QUIET.message_jitter_s, rel=0.35)
    assert sent.max() > 2.5 * -sent.min()
    exact = message_times(0.0, 10.0, dataclasses.replace(QUIET, message_jitter_s=0.0), np.random.SeedSequence(4))
    np.testing.assert_allclose(np.diff(exact), 1 / RATE_HZ)


def test_a_scale_clock_began_earlier_and_runs_off_true() -> None:
    clocks = [draw_clock(np.random.default_rng(seed)) for seed in range(40)]
    assert max(clock.offset_s for clock in clocks) < -600.0
    assert 20.0 < np.std([clock.drift_ppm for clock in clocks]) < 60.0
    assert draw_clock(np.random.default_rng(0), offset_s=(1.0, 1.0), drift_ppm=0.0).drift_ppm == 0.0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sd_g", -1.0),
        ("sd_g", float("nan")),
        ("shelf_spread", -0.1),
        ("vibration", 1.2),
        ("correlation", 0.9),
        ("frequency_hz", (25.0, 15.0)),
        ("frequency_hz", (10.0, 31.0)),
        ("bandwidth_hz", 0.0),
        ("bursts_per_min", -1.0),
        ("burst_decay_s", 0.0),
        ("wander_s", 0.0),
        ("step_g", 0.0),
        ("spill", (-0.1, 0.0)),
        ("spill_far", (0.0, 0.9)),
        ("message_jitter_s", -0.001),
    ],
)
def test_senseless_noise_is_refused_by_name(key, value) -> None:
    with pytest.raises(ConfigError) as caught:
        ScaleNoise(**{key: value})
    assert caught.value.key == key
    assert caught.value.expected


def test_changes_of_another_shelf_are_refused() -> None:
    with pytest.raises(ConfigError, match="12, as on the shelf"):
        ShelfScales(np.zeros(12), (LoadChange(1.0, 0.3, np.zeros(9)),), QUIET, np.random.SeedSequence(0))


def test_changes_that_are_over_are_looked_at_no_more(monkeypatch) -> None:
    looked: list[float] = []

    def spy(change: LoadChange, time_s: np.ndarray) -> np.ndarray:
        looked.append(change.time_s)
        return load_signal(change, time_s)

    monkeypatch.setattr("gocv.sim.scales.load_signal", spy)
    changes = [LoadChange(float(t), 0.2, np.full(PLATES, -5.0)) for t in (3.0, 30.0, 300.0)]
    scales = ShelfScales(np.full(PLATES, 1000.0), changes, QUIET, np.random.SeedSequence(0))
    for chunk in np.split(np.arange(3600) / RATE_HZ, 6):
        scales.read(chunk)
    assert looked in ([3.0, 30.0], [3.0, 30.0, 30.0])


def test_a_day_is_made_in_minutes() -> None:
    """Three hundred plates for eight hours are 518 million samples; a tenth of the usual speed is asked here."""
    rng = np.random.default_rng(0)
    changes = [LoadChange(float(t), 0.2, -rng.random(PLATES)) for t in rng.uniform(0.0, 28_800.0, 300)]
    scales = ShelfScales(np.full(PLATES, 1000.0), changes, QUIET, np.random.SeedSequence(0))
    when = np.arange(36_000) / RATE_HZ
    start = time.perf_counter()
    for chunk in np.split(when, 60):
        scales.read(chunk)
    assert when.size * PLATES / (time.perf_counter() - start) > 2e6
