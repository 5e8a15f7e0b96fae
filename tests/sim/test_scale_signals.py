"""Scales: their noise against what real ones measured, and their exactness about what was moved."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.sim.scales import (
    RATE_HZ,
    SAMPLES_PER_MESSAGE,
    SHAKY,
    LoadChange,
    ScaleNoise,
    ShelfScales,
    load_signal,
    message_times,
    minimum_jerk,
)

PLATES = 12


def _read(noise: ScaleNoise, seed: int, seconds: float = 60.0, changes: tuple[LoadChange, ...] = ()) -> np.ndarray:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return ShelfScales(np.full(PLATES, 1000.0), changes, noise, np.random.SeedSequence(seed)).read(time)


def _one_second_sd(weight: np.ndarray) -> np.ndarray:
    return weight[: len(weight) // 60 * 60].reshape(-1, 60, *weight.shape[1:]).std(axis=1).mean(axis=0)


@pytest.mark.parametrize(
    ("noise", "plate_sd_g", "shelf_sd_g"),
    [(ScaleNoise(), (0.6, 0.9), (2.0, 9.0)), (SHAKY, (2.2, 3.6), (9.0, 26.0))],
)
def test_noise_is_that_of_the_nanostore(noise, plate_sd_g, shelf_sd_g) -> None:
    shelves = [_read(noise, seed) for seed in range(8)]
    plates = np.concatenate([_one_second_sd(weight) for weight in shelves])
    sums = [_one_second_sd(weight.sum(axis=1)) for weight in shelves]
    assert plate_sd_g[0] <= np.median(plates) <= plate_sd_g[1]
    assert shelf_sd_g[0] <= min(sums) <= max(sums) <= shelf_sd_g[1]


@pytest.mark.parametrize("noise", [ScaleNoise(), SHAKY])
def test_noise_at_rest_stays_far_below_the_published_event_threshold(noise) -> None:
    """ANCHORS: the moving variance of the moving mean over 60 samples stays at a few g², against 500 for an event."""
    total = _read(noise, 3).sum(axis=1).astype(np.float64)
    mean = np.convolve(total, np.ones(60) / 60, mode="valid")
    assert max(mean[i : i + 60].var() for i in range(0, len(mean) - 60, 7)) < 50


def test_plates_of_a_shelf_vibrate_together() -> None:
    correlation = np.corrcoef(np.diff(_read(ScaleNoise(), 5), axis=0).T)
    assert correlation[~np.eye(PLATES, dtype=bool)].mean() > 0.1


def test_readings_are_multiples_of_the_converters_step() -> None:
    steps = _read(ScaleNoise(), 1).astype(np.float64) / ScaleNoise().step_g
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)


def test_slow_drift_moves_about_a_tenth_of_a_gram_a_second_and_comes_back() -> None:
    still = ScaleNoise(sd_g=1e-9, step_g=1e-6)
    weight = np.concatenate([_read(still, seed, seconds=1200.0) for seed in range(2)], axis=1).astype(np.float64)
    a_second_on = (weight[60:] - weight[:-60]).std()
    assert a_second_on == pytest.approx(still.wander_g, rel=0.1)
    assert weight.std() < 4.0


@pytest.mark.parametrize("cuts", [[7], [1, 2, 3], [600, 601, 1300]])
def test_the_same_samples_come_out_however_they_are_cut(cuts) -> None:
    time = np.arange(1800) / RATE_HZ
    delta = np.zeros(PLATES)
    delta[4:6] = -60.0, -40.0

    def scales() -> ShelfScales:
        changes = (LoadChange(8.0, 0.5, delta, 30.0, 0.1), LoadChange(21.0, 0.4, -delta, 20.0, 0.05))
        return ShelfScales(np.full(PLATES, 500.0), changes, SHAKY, np.random.SeedSequence(9))

    whole, cut = scales(), scales()
    pieces = [cut.read(part) for part in np.split(time, cuts)]
    np.testing.assert_array_equal(whole.read(time), np.concatenate(pieces))


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_change_starts_at_nothing_is_half_done_at_its_time_and_ends_exact(sign) -> None:
    delta = np.zeros(PLATES)
    delta[2:4] = sign * np.array([150.0, 50.0])
    change = LoadChange(5.0, 0.6, delta, 40.0, 0.08)
    before, after = load_signal(change, np.array([3.0, 9.0]))
    np.testing.assert_allclose(before, 0.0, atol=1e-9)
    np.testing.assert_allclose(after, delta, atol=1e-6)
    half = load_signal(LoadChange(5.0, 0.6, delta, 0.0, 0.08), np.array([5.0]))[0]
    np.testing.assert_allclose(half, delta / 2)


def test_a_hand_presses_before_it_lifts_and_the_plate_overshoots() -> None:
    delta = np.full(1, -200.0)
    signal = load_signal(LoadChange(5.0, 0.5, delta, 40.0, 0.08), np.arange(3.0, 8.0, 0.01))[:, 0]
    assert signal.max() > 20.0
    assert -260.0 < signal.min() < -204.0


def test_neighbouring_plates_show_one_or_two_percent_of_a_change_and_the_others_nothing() -> None:
    spill = ShelfScales(np.zeros(PLATES), (), ScaleNoise(), np.random.SeedSequence(2)).spill
    row, column = np.indices(spill.shape)
    beside = spill[np.abs(row - column) == 1]
    assert beside.min() >= 0.008
    assert beside.max() <= 0.02
    assert not spill[np.abs(row - column) > 1].any()
    np.testing.assert_array_equal(np.diag(spill), 1.0)


def test_messages_are_of_twelve_samples_a_period_apart_and_their_stamps_uneven() -> None:
    time = message_times(100.0, 160.0, ScaleNoise(), np.random.SeedSequence(4))
    assert len(time) == 3600
    assert time[-1] < 160.05
    gaps = np.diff(time)
    assert gaps.min() > 0
    last_in_message = np.arange(len(gaps)) % SAMPLES_PER_MESSAGE == SAMPLES_PER_MESSAGE - 1
    np.testing.assert_allclose(gaps[~last_in_message], 1 / RATE_HZ)
    assert 1e-3 < gaps[last_in_message].std() < 5e-3


def test_minimum_jerk_rises_without_a_jolt() -> None:
    step = minimum_jerk(np.linspace(-0.5, 1.5, 401))
    assert (np.diff(step) >= 0).all()
    assert np.abs(np.diff(step, 2)).max() < 4e-4
