from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ConfigError, DataError, EventDetector, PlateId, ScaleSamples, ShelfId
from gocv.shelf import FaimDetector
from gocv.shelf.runs import moving_mean, moving_variance

PLATES = tuple(PlateId(1, shelf, plate) for shelf in (1, 2) for plate in range(1, 7))
ROW = {plate: row for row, plate in enumerate(PLATES)}


def shelves(*changes, duration_s=20.0, sd_g=2.0, seed=0, lasting_s=0.2, plates=PLATES):
    """Noisy shelves; a change is (time_s, plate, grams) and takes `lasting_s`."""
    time_s = np.arange(round(duration_s * 60)) / 60
    weight_g = np.random.default_rng(seed).normal(3000, sd_g, (len(time_s), len(plates)))
    for at_s, plate, grams in changes:
        weight_g[:, plates.index(plate)] += grams * np.clip((time_s - at_s) / lasting_s, 0, 1)
    return ScaleSamples(plates, time_s=time_s, weight_g=weight_g)


def rows(samples, keep):
    return samples[np.flatnonzero(keep)]


def detect(samples, *, cuts=(), **settings_):
    detector = FaimDetector(**{"variance_g2": 60.0, **settings_})
    edges = [0, *sorted(cuts), len(samples)]
    events = [e for a, b in itertools.pairwise(edges) for e in detector.update(samples[a:b])]
    return sorted([*events, *detector.flush()], key=lambda e: (e.time_s, e.id)), detector.report()


def same(one, other):
    assert [(e.id, e.start_s, e.time_s, e.end_s, e.plates) for e in one] == [
        (e.id, e.start_s, e.time_s, e.end_s, e.plates) for e in other
    ]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.delta_g, b.delta_g)
        np.testing.assert_array_equal(a.covariance_g2, b.covariance_g2)


def only(events):
    assert len(events) == 1, [(e.id, e.total_g) for e in events]
    return events[0]


class TestFormulas:
    def test_v_s_is_the_moving_variance_of_the_moving_mean(self):
        signal = np.random.default_rng(0).normal(0, 30, (400, 3)).cumsum(axis=0)
        mean = np.stack([signal[i : i + 60].mean(axis=0) for i in range(341)])
        variance = np.stack([mean[i : i + 60].var(axis=0) for i in range(282)])
        np.testing.assert_allclose(moving_variance(moving_mean(signal, 60), 60), variance, rtol=1e-9)

    @pytest.mark.parametrize(("grams", "found"), [(-96, 1), (-88, 0)])
    def test_the_published_threshold_finds_steps_of_over_90_grams(self, grams, found):
        # A step of h makes a ramp of 60 samples of μ_s: v_s reaches h² / 12, and must be over 500 g² for 31 samples.
        step = shelves((8, PLATES[2], grams), sd_g=0.01, lasting_s=0.001)
        assert len(detect(step, variance_g2=500.0)[0]) == found

    @pytest.mark.parametrize("seed", range(5))
    def test_noise_is_no_event(self, seed):
        assert detect(shelves(duration_s=60, sd_g=6, seed=seed))[0] == []

    def test_an_event_needs_its_least_change(self):
        step = shelves((8, PLATES[2], -60))
        assert len(detect(step)[0]) == 1
        assert detect(step, min_change_g=80.0)[0] == []
        assert detect(step, min_plate_g=80.0)[0] == []

    def test_a_touch_is_no_event(self):
        assert detect(shelves((8, PLATES[2], -400), (8.5, PLATES[2], 400)))[0] == []


class TestEvents:
    @pytest.mark.parametrize("variance_g2", [60.0, 500.0])
    @pytest.mark.parametrize("lasting_s", [0.001, 0.4, 3.0])
    @pytest.mark.parametrize("grams", [-300, -900, 900])
    def test_one_change(self, variance_g2, lasting_s, grams):
        plate = PLATES[3]
        event = only(detect(shelves((8, plate, grams), lasting_s=lasting_s), variance_g2=variance_g2)[0])
        assert event.shelf == plate.shelf_id
        assert event.plates == (plate,)
        # Of a slow change some lies where v_s is still, or again, under the threshold.
        assert event.total_g == pytest.approx(grams, abs=3 if lasting_s < 1 else 12)
        assert event.time_s == pytest.approx(8 + lasting_s / 2, abs=0.1)
        assert event.start_s <= 8 + 0.2 * lasting_s + 0.05
        assert event.end_s >= 8 + 0.8 * lasting_s
        assert event.probability > 0.999

    def test_several_plates_of_one_event(self):
        event = only(detect(shelves((8, PLATES[1], -300), (8.3, PLATES[4], -120), (8, PLATES[5], 30)))[0])
        assert event.plates == (PLATES[1], PLATES[4], PLATES[5])
        assert event.delta_g == pytest.approx([-300, -120, 30], abs=3)
        assert event.covariance_g2.shape == (3, 3)

    def test_two_shelves_at_once(self):
        events, _ = detect(shelves((8, PLATES[1], -300), (8, PLATES[8], -200)))
        assert [(e.shelf, round(e.total_g, -1)) for e in events] == [(ShelfId(1, 1), -300), (ShelfId(1, 2), -200)]

    @pytest.mark.parametrize("seconds", [2.5, 3.0, 4.0])
    def test_two_changes_in_quick_succession_are_two_events(self, seconds):
        events, _ = detect(shelves((8, PLATES[1], -300), (8 + seconds, PLATES[4], -200)))
        assert [e.total_g for e in events] == pytest.approx([-300, -200], abs=3)

    @pytest.mark.parametrize("seconds", [0.3, 1.0, 1.5, 2.1, 2.2])
    def test_changes_without_half_a_second_of_rest_between_are_one_event(self, seconds):
        event = only(detect(shelves((8, PLATES[1], -300), (8 + seconds, PLATES[4], -200)))[0])
        assert event.delta_g == pytest.approx([-300, -200], abs=3)

    @pytest.mark.parametrize("at_s", [0.6, 1.0, 18.8, 19.3])
    def test_at_the_very_start_and_end(self, at_s):
        event = only(detect(shelves((at_s, PLATES[1], -300), lasting_s=0.1))[0])
        assert event.total_g == pytest.approx(-300, abs=6)
        assert event.time_s == pytest.approx(at_s, abs=0.2)
        assert 0 <= event.start_s <= event.end_s < 20

    @pytest.mark.parametrize("count", [0, 1, 5, 59, 60, 61])
    def test_hardly_any_samples(self, count):
        assert detect(shelves()[:count])[0] == []

    def test_the_order_of_plates_does_not_matter(self):
        samples = shelves((8, PLATES[1], -300), (8, PLATES[8], -200))
        order = np.random.default_rng(0).permutation(len(PLATES))
        shuffled = ScaleSamples(
            tuple(PLATES[i] for i in order), time_s=samples.time_s, weight_g=samples.weight_g[:, order]
        )
        same(detect(samples)[0], detect(shuffled)[0])

    def test_it_is_an_event_detector(self):
        assert isinstance(FaimDetector(), EventDetector)

    @pytest.mark.parametrize(
        ("argument", "value"),
        [("rate_hz", 0.0), ("window", 1), ("variance_g2", -1.0), ("max_event_s", 1.0), ("min_plate_g", float("nan"))],
    )
    def test_arguments_out_of_range_are_refused(self, argument, value):
        with pytest.raises(ConfigError) as error:
            FaimDetector(**{argument: value})
        assert error.value.key == argument


class TestLongUnrest:
    unrest = shelves(
        *((6 + 0.9 * k, PLATES[1], g) for k, g in enumerate([-300, 250] * 40)), (30, PLATES[3], -500), duration_s=100
    )

    def test_an_event_is_cut_and_nothing_gets_lost(self):
        events, report = detect(self.unrest, max_event_s=15.0)
        assert sum(e.total_g for e in events) == pytest.approx(40 * -50 - 500, abs=10)
        assert len(report) == 4
        assert "no rest from" in report[0]["problem"]
        assert report[0]["where"] == "shelf 1/1"

    @pytest.mark.parametrize("size", [1, 12, 61, 1000])
    def test_where_it_is_cut_does_not_depend_on_the_chunks(self, size):
        cuts = range(size, len(self.unrest), size)
        whole, pieces = (detect(self.unrest, cuts=c, max_event_s=15.0) for c in ((), cuts))
        same(whole[0], pieces[0])
        assert whole[1] == pieces[1]

    def test_memory_is_bounded(self):
        detector = FaimDetector(variance_g2=60.0)
        plates = PLATES[:6]
        rng = np.random.default_rng(0)
        tracemalloc.start()
        for minute in range(20):
            time_s = 60 * minute + np.arange(3600) / 60
            weight_g = 300 * (time_s[:, None] // 0.7 % 2) + rng.normal(0, 1, (3600, 6))
            detector.update(ScaleSamples(plates, time_s=time_s, weight_g=weight_g))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3e6
        assert len(detector.report()) <= 20


class TestChunks:
    @pytest.mark.parametrize("size", [1, 12, 60, 61, 3600])
    def test_events_do_not_depend_on_the_size_of_chunks(self, size):
        changes = [(4 + 1.3 * k, PLATES[(5 * k) % 12], -40 - 60 * (k % 5)) for k in range(20)]
        samples = shelves(*changes, duration_s=34)
        whole, _ = detect(samples)
        assert len(whole) >= 5
        same(whole, detect(samples, cuts=range(size, len(samples), size))[0])

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_properties_of_events(self, data):
        changes = data.draw(
            st.lists(
                st.tuples(st.floats(0, 19), st.sampled_from(PLATES), st.floats(-900, 900), st.floats(0.01, 3)),
                max_size=8,
            )
        )
        weight_g = np.random.default_rng(0).normal(3000, 2, (1200, 12))
        time_s = np.arange(1200) / 60
        for at_s, plate, grams, lasting_s in changes:
            weight_g[:, ROW[plate]] += grams * np.clip((time_s - at_s) / lasting_s, 0, 1)
        for _ in range(data.draw(st.integers(0, 2))):
            start = data.draw(st.integers(0, 1100))
            weight_g[start : start + data.draw(st.integers(1, 300)), data.draw(st.integers(0, 11))] = np.nan
        keep = np.ones(1200, bool)
        keep[data.draw(st.integers(0, 1199)) :][: data.draw(st.integers(0, 250))] = False
        samples = rows(ScaleSamples(PLATES, time_s=time_s, weight_g=weight_g), keep)
        events, _ = detect(samples)
        same(events, detect(samples, cuts=data.draw(st.lists(st.integers(0, len(samples)), max_size=5)))[0])
        assert len({e.id for e in events}) == len(events)
        for event in events:
            assert samples.time_s[0] <= event.start_s <= event.time_s <= event.end_s <= samples.time_s[-1]
            assert list(event.plates) == sorted(event.plates)
            assert {p.shelf_id for p in event.plates} == {event.shelf}
            assert np.abs(event.delta_g).min() > 5
            assert abs(event.total_g) > 10
            assert np.linalg.eigvalsh(event.covariance_g2).min() > 0
            assert 0 <= event.probability <= 1


class TestBrokenSamples:
    def test_a_gap_of_three_seconds_with_a_change_inside(self):
        samples = shelves((8, PLATES[1], -300))
        event = only(detect(rows(samples, (samples.time_s < 6.9) | (samples.time_s > 9.9)))[0])
        assert event.total_g == pytest.approx(-300, abs=3)
        assert event.start_s == pytest.approx(6.9, abs=0.1)
        assert event.time_s == pytest.approx(9.9, abs=0.1)

    @pytest.mark.parametrize("from_s", [4.0, 5.0, 7.5, 8.2])
    def test_a_gap_of_three_seconds_beside_a_change(self, from_s):
        samples = shelves((8, PLATES[1], -300))
        gap = (samples.time_s > from_s) & (samples.time_s < from_s + 3)
        events, report = detect(rows(samples, ~gap))
        assert only(events).total_g == pytest.approx(-300, abs=3)
        assert "a change meanwhile shows at the end" in report[0]["problem"]

    @pytest.mark.parametrize("hours", [2, 24 * 365])
    def test_a_gap_of_hours_takes_no_memory_and_loses_no_change(self, hours):
        before, after = shelves(duration_s=10), shelves((-1, PLATES[1], -300), duration_s=10, seed=1)
        later = ScaleSamples(PLATES, time_s=after.time_s + 3600 * hours, weight_g=after.weight_g)
        tracemalloc.start()
        event = only(detect(ScaleSamples.concatenate([before, later]))[0])
        assert tracemalloc.get_traced_memory()[1] < 3e6
        tracemalloc.stop()
        assert event.total_g == pytest.approx(-300, abs=3)
        assert event.start_s < 10
        assert event.time_s == pytest.approx(3600 * hours, abs=0.2)

    def test_a_clock_that_is_set_back(self):
        before, after = (
            shelves((5, PLATES[1], -200), duration_s=10),
            shelves((5, PLATES[1], -300), duration_s=10, seed=1),
        )
        moved = ScaleSamples(PLATES, time_s=after.time_s - 3600, weight_g=after.weight_g - 200 * (np.arange(12) == 1))
        events, report = detect(ScaleSamples.concatenate([before, moved]))
        assert [(round(e.time_s), round(e.total_g, -2)) for e in events] == [(-3595, -300), (5, -200)]
        assert "set back" in report[0]["problem"]
        assert all(e.start_s <= e.time_s <= e.end_s for e in events)

    def test_the_same_moment_twice_gives_two_ids(self):
        once = shelves((5, PLATES[1], -200), duration_s=12, sd_g=0.1)
        again = ScaleSamples(PLATES, time_s=once.time_s - 1e-3, weight_g=once.weight_g - 200 * (np.arange(12) == 1))
        events, _ = detect(ScaleSamples.concatenate([once, again]))
        assert sorted(e.id for e in events) == ["1-1@5.12", "1-1@5.12.2"]

    @pytest.mark.parametrize("missing", ["all", "start", "before", "at", "after"])
    def test_a_plate_of_nan(self, missing):
        samples = shelves((8, PLATES[1], -300), (8, PLATES[2], -100))
        span = {"all": (0, 99), "start": (0, 3), "before": (5, 7.9), "at": (7, 10), "after": (8.5, 11)}[missing]
        weight_g = samples.weight_g.copy()
        weight_g[(samples.time_s >= span[0]) & (samples.time_s < span[1]), ROW[PLATES[2]]] = np.nan
        events, report = detect(ScaleSamples(PLATES, time_s=samples.time_s, weight_g=weight_g))
        assert sum(e.total_g for e in events) == pytest.approx(-300 if missing == "all" else -400, abs=12)
        assert [r["where"] for r in report] == ["plate 1/1/3"]

    def test_a_plate_that_wakes_up_late_is_no_event(self):
        weight_g = shelves().weight_g.copy()
        weight_g[:600, 3] = np.nan
        assert detect(ScaleSamples(PLATES, time_s=shelves().time_s, weight_g=weight_g))[0] == []

    @pytest.mark.parametrize("reading", [np.inf, -np.inf, 1e30, 3e38])
    def test_absurd_readings_disturb_nothing(self, reading):
        samples = shelves((8, PLATES[1], -300), (14, PLATES[1], -300))
        weight_g = samples.weight_g.copy()
        weight_g[300, 1] = weight_g[700, 9] = reading
        events, _ = detect(ScaleSamples(PLATES, time_s=samples.time_s, weight_g=weight_g))
        assert [e.total_g for e in events] == pytest.approx([-300, -300], abs=3)

    @pytest.mark.parametrize("disorder", ["duplicates", "swapped messages", "jitter", "drift", "no times"])
    def test_disordered_times(self, disorder):
        samples = shelves((8, PLATES[1], -300))
        time_s, order = samples.time_s.copy(), np.arange(len(samples))
        if disorder == "duplicates":
            order = np.sort(np.concatenate([order, order[::7]]))
        elif disorder == "swapped messages":
            order = order.reshape(-1, 2, 12)[:, ::-1].ravel()
        elif disorder == "jitter":
            time_s += np.random.default_rng(0).uniform(-0.008, 0.008, len(time_s))
        elif disorder == "drift":
            time_s *= 1 + 800e-6
        else:
            time_s[::11] = np.nan
        event = only(detect(ScaleSamples(PLATES, time_s=time_s, weight_g=samples.weight_g)[order])[0])
        assert event.total_g == pytest.approx(-300, abs=3)
        assert event.time_s == pytest.approx(8.1, abs=0.25)

    def test_other_plates_than_before_are_refused(self):
        detector = FaimDetector()
        detector.update(shelves()[:10])
        with pytest.raises(DataError, match="other plates"):
            detector.update(shelves(plates=PLATES[:6])[10:20])
