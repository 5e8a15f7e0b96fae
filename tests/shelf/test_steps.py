"""gocv's own detector: steps, episodes, touches, noise, and plates that are broken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gocv.core import ConfigError, PlateId, ScaleSamples
from gocv.shelf import StepDetector
from gocv.shelf.noise import NoiseLearner

RATE_HZ, PLATES = 60.0, 12


def smooth(time_s, at_s, duration_s):
    u = np.clip((time_s - at_s) / duration_s + 0.5, 0, 1)
    return 10 * u**3 - 15 * u**4 + 6 * u**5


def shelf(*moves, duration_s=40.0, sd_g=0.8, seed=0, shake=None):
    """A shelf of 12 plates, on which (at_s, duration_s, {plate: grams}) happen."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    noise = rng.normal(0, 1, (len(time_s), PLATES)) * sd_g
    weight_g = 1000 + noise * (1.0 if shake is None else shake(time_s)[:, None])
    for at_s, took_s, grams in moves:
        for plate, delta_g in grams.items():
            weight_g[:, plate - 1] += delta_g * smooth(time_s, at_s, took_s)
    plates = tuple(PlateId(1, 1, p) for p in range(1, PLATES + 1))
    return ScaleSamples(plates, time_s, np.round(weight_g / 0.241) * 0.241)


def found(samples, chunk=240, **settings):
    detector, events = StepDetector(**settings), []
    for start in range(0, len(samples), chunk):
        events += detector.update(samples[start : start + chunk])
    return events + detector.flush(), detector


def on(event, plate):
    return dict(zip((p.plate for p in event.plates), event.delta_g, strict=True)).get(plate, 0.0)


PRESS = ((9.5, 0.15, {5: 40.0}), (10.0, 0.15, {5: -40.0}))
LEAN = ((9.0, 0.2, {5: 90.0}), (13.5, 0.2, {5: -90.0}))

CASES = [
    ("a take", [(10, 0.2, {5: -200})], {5: -200}),
    ("of five grams and a half", [(10, 0.2, {5: -5.5})], {5: -5.5}),
    ("a put-down", [(10, 0.2, {5: 200})], {5: 200}),
    ("astride", [(10, 0.2, {5: -120, 6: -80})], {5: -120, 6: -80}),
    ("after a press", [*PRESS, (10.0, 0.2, {5: -200})], {5: -200}),
    ("slow", [(12, 6.0, {5: -200})], {5: -200}),
    ("slow and light", [(12, 4.0, {5: -30})], {5: -30}),
    ("slow after leaning", [*LEAN, (14, 3.0, {5: -200})], {5: -200}),
    ("slow, before much is known", [(8, 7.0, {5: -220, 6: -310})], {5: -220, 6: -310}),
    ("in two steps", [(10, 0.15, {5: -80}), (11.4, 0.15, {5: -120})], {5: -200}),
    ("two at once far apart", [(10, 0.2, {2: -200}), (10.1, 0.2, {9: -90})], {2: -200, 9: -90}),
    ("right at the beginning", [(1.0, 0.2, {5: -200})], {5: -200}),
    ("right at the end", [(39.6, 0.2, {5: -200})], {5: -200}),
]


SLOW = [
    ("after a take", 0.8, [(10, 0.2, {5: -135}), (14.5, 5.0, {5: -97})]),
    ("between takes", 0.8, [(6, 0.2, {5: -135}), (10.5, 5.0, {5: -97}), (15, 0.2, {8: -60})]),
    ("on plates that tremble", 10.0, [(20, 7.0, {5: -47, 6: -34})]),
    ("after a take, on plates that tremble", 10.0, [(14, 0.3, {5: -100}), (20, 7.0, {5: -47, 6: -34})]),
]


@pytest.mark.parametrize(("sd_g", "moves"), [c[1:] for c in SLOW], ids=[c[0] for c in SLOW])
@pytest.mark.parametrize("seed", range(3))
def test_a_slow_lift_beside_other_things_is_not_taken_for_drift(sd_g, moves, seed):
    events, _ = found(shelf(*moves, sd_g=sd_g, seed=seed))
    total_g = sum(sum(grams.values()) for _, _, grams in moves)
    assert sum(e.delta_g.sum() for e in events) == pytest.approx(total_g, abs=max(3.0, 1.5 * sd_g))
    slow_s = next(at_s for at_s, took_s, _ in moves if took_s > 1)
    assert any(e.start_s < slow_s < e.end_s for e in events)


@pytest.mark.parametrize(("moves", "total_g"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
@pytest.mark.parametrize("seed", range(2))
def test_what_happens_is_one_episode_with_the_right_sum(moves, total_g, seed):
    events, _ = found(shelf(*moves, seed=seed))
    assert len({e.episode for e in events}) == 1
    assert len({e.plates for e in events}) == 1
    assert events[0].episode == events[0].id
    sums = {p: sum(on(e, p) for e in events) for p in range(1, PLATES + 1)}
    assert sums == pytest.approx({p: total_g.get(p, 0.0) for p in sums}, abs=1.5, rel=0.015)
    assert max(e.probability for e in events) > 0.99


@pytest.mark.parametrize("apart_s", [0.45, 0.6, 1.0])
def test_a_fast_series_is_a_step_each(apart_s):
    moves = [(10 + k * apart_s, 0.2, {5 + k % 2: -100.0 - 10 * k}) for k in range(5)]
    events, _ = found(shelf(*moves))
    assert len({e.episode for e in events}) == 1
    assert [e.total_g for e in events] == pytest.approx([-100, -110, -120, -130, -140], abs=2)
    assert [e.time_s for e in events] == pytest.approx([m[0] for m in moves], abs=0.03)
    for before, after in itertools.pairwise(events):
        assert before.end_s <= after.start_s + 1e-9


def test_things_far_apart_in_time_are_two_episodes():
    events, _ = found(shelf((10, 0.2, {5: -100}), (14, 0.2, {6: -100})))
    assert len({e.episode for e in events}) == 2
    assert events[0].end_s < 11
    assert events[1].start_s > 13


def test_plates_beside_what_changed_much_are_listed():
    (event,), _ = found(shelf((10, 0.2, {5: -100, 9: -12})))
    assert [p.plate for p in event.plates] == [4, 5, 6, 9]
    (event,), _ = found(shelf((10, 0.2, {5: -100, 9: -12})), beside_g=1e9)
    assert [p.plate for p in event.plates] == [5, 9]


def test_a_touch_is_told_and_comes_to_nothing():
    events, _ = found(shelf((10, 0.2, {5: 60}), (11, 0.2, {5: -60})))
    assert len(events) == 2
    assert len({e.episode for e in events}) == 1
    assert sum(e.delta_g for e in events) == pytest.approx(np.zeros(3), abs=1.5)
    assert found(shelf((10, 0.2, {5: 5}), (11, 0.2, {5: -5})))[0] == []


def test_covariances_of_a_chain_fit_together():
    """Level by level: what two events share is `settled_g2`, and errors are as large as they are said to be."""
    scores = []
    for seed in range(25):
        events, _ = found(shelf((10, 0.2, {5: -100}), (10.7, 0.2, {5: -50}), duration_s=20, sd_g=3, seed=seed))
        first, second = events
        row = [p.plate for p in first.plates].index(5)
        whole_g2 = first.covariance_g2 + second.covariance_g2 - 2 * first.settled_g2
        assert np.linalg.eigvalsh(whole_g2).min() > 0
        scores += [(on(first, 5) + 100) / np.sqrt(first.covariance_g2[row, row])]
        scores += [(on(first, 5) + on(second, 5) + 150) / np.sqrt(whole_g2[row, row])]
    assert 0.5 < np.std(scores) < 1.3
    assert np.abs(scores).max() < 4


def burst(time_s):
    return 1 + 6 * np.exp(-np.maximum(time_s - 15, 0) / 1.3) * (time_s >= 15)


@pytest.mark.parametrize(
    "settings", [{}, {"sd_g": 10.0}, {"shake": burst}, {"sd_g": np.linspace(0.6, 15, PLATES)}], ids=str
)
@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_event(settings, seed):
    assert found(shelf(seed=seed, **settings))[0] == []


def test_drift_is_no_event():
    drift = (100.0, 200.0, {5: 200 / 18, 7: -200 / 18})  # 200 g an hour
    time_s = np.arange(200 * 60) / RATE_HZ
    samples = shelf(duration_s=200.0)
    weight_g = samples.weight_g.astype(np.float64)
    for plate, total_g in drift[2].items():
        weight_g[:, plate - 1] += total_g * time_s / 200
    assert found(ScaleSamples(samples.plates, time_s, weight_g))[0] == []


def test_narrow_band_vibration_averages_out():
    """12 Hz of 8 g hides nothing: a level is known to better than independent noise of 8 g would let it."""
    samples = shelf((20, 0.2, {5: -30}))
    shaking = 8 * np.sqrt(2) * np.sin(2 * np.pi * 12 * samples.time_s + 1)
    (event,), _ = found(ScaleSamples(samples.plates, samples.time_s, samples.weight_g + shaking[:, None]))
    row = [p.plate for p in event.plates].index(5)
    assert event.delta_g[row] == pytest.approx(-30, abs=2)
    assert np.sqrt(event.covariance_g2[row, row]) < 8 * np.sqrt(2 / 90)


def test_a_rest_that_never_comes_is_reported():
    time_s = np.arange(60 * 60) / RATE_HZ
    samples = shelf(duration_s=60.0)
    weight_g = samples.weight_g + np.where(time_s > 40, 300 * np.sin(2 * np.pi * time_s) - 9 * time_s, 0)[:, None]
    events, detector = found(ScaleSamples(samples.plates, time_s, weight_g), max_event_s=10.0)
    assert len(events) > 1
    assert all(e.end_s - e.start_s < 11 for e in events)
    assert any("no rest" in entry["problem"] for entry in detector.report())


def test_broken_plates_are_told_and_harm_nobody():
    samples = shelf((20, 0.2, {5: -100}), duration_s=45.0)
    rng = np.random.default_rng(1)
    weight_g = np.array(samples.weight_g)
    weight_g[:, 0] = np.nan
    weight_g[600:, 1] = weight_g[600, 1]
    weight_g[:, 10] += rng.normal(0, 15, len(weight_g))
    events, detector = found(ScaleSamples(samples.plates, samples.time_s, weight_g))
    assert [p.plate for (e,) in [events] for p in e.plates] == [4, 5, 6]
    said = {entry["where"]: entry["problem"] for entry in detector.report()}
    assert set(said) == {"plate 1/1/1", "plate 1/1/2", "plate 1/1/11"}
    assert "stuck since 10." in said["plate 1/1/2"]
    assert "trembles" in said["plate 1/1/11"]


@pytest.mark.parametrize("chunk", [1, 7, 60, 2400])
def test_chunks_do_not_matter(chunk):
    samples = shelf(*LEAN, (14, 3.0, {5: -200}), (30, 0.2, {2: 20}), (30.5, 0.3, {3: -60}), sd_g=4)
    expected, _ = found(samples, 333)
    events, _ = found(samples, chunk)
    assert [(e.id, e.episode, e.plates) for e in events] == [(e.id, e.episode, e.plates) for e in expected]
    for one, other in zip(events, expected, strict=True):
        np.testing.assert_allclose(one.delta_g, other.delta_g, atol=1e-9)
        np.testing.assert_allclose(one.covariance_g2, other.covariance_g2, atol=1e-9)


def test_a_take_is_known_within_four_seconds():
    samples = shelf((10, 0.2, {5: -200}))
    detector = StepDetector()
    for start in range(0, len(samples), 12):
        if detector.update(samples[start : start + 12]):
            break
    assert samples.time_s[start] < 14


@pytest.mark.parametrize("key", ["rate_hz", "threshold", "rest_s", "lean_s", "level_s", "max_event_s"])
def test_settings_out_of_range_are_refused(key):
    with pytest.raises(ConfigError, match=key):
        StepDetector(**{key: 0.01})


def test_the_noise_is_learnt_in_spite_of_events():
    rng = np.random.default_rng(0)
    sd_g = np.array([0.5, 1, 2, 4, 8, 16.0])
    learner = NoiseLearner([slice(0, 6)], 6)
    blocks = rng.normal(0, sd_g, (40 * 20, 6)).astype(np.float32)
    blocks[300:] += 500
    blocks[500:] -= 200
    for last in range(20, len(blocks) + 1, 20):
        detail = rng.normal(0, sd_g * np.sqrt(18), (20, 6)).astype(np.float32)
        learner.learn(blocks[max(0, last - 64) : last], detail)
    np.testing.assert_allclose(learner.noise.step_g[1], sd_g * np.sqrt(2 / 4), rtol=0.25)
    np.testing.assert_allclose(learner.noise.level_g2(16), sd_g**2 / 16, rtol=1.5)
    assert (np.diff(learner.noise.step_g, axis=0) < 0).all()
