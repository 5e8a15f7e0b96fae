from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ConfigError, EventDetector, PlateId, ScaleSamples
from gocv.shelf.baselines import MpsDetector, Team6Detector

PLATES = tuple(PlateId(1, shelf, plate) for shelf in (1, 2) for plate in range(1, 7))
BOTH = pytest.mark.parametrize("detector", [MpsDetector, Team6Detector])


def shelves(*changes, duration_s=20.0, sd_g=1.0, seed=0, lasting_s=1 / 60):
    """Noisy shelves; a change is (time_s, plate, grams) and takes `lasting_s`."""
    time_s = np.arange(round(duration_s * 60)) / 60
    weight_g = np.random.default_rng(seed).normal(3000, sd_g, (len(time_s), len(PLATES)))
    for at_s, plate, grams in changes:
        weight_g[:, PLATES.index(plate)] += grams * np.clip((time_s - at_s) / lasting_s, 0, 1)
    return ScaleSamples(PLATES, time_s=time_s, weight_g=weight_g)


def detect(part, samples, cuts=()):
    edges = [0, *sorted(cuts), len(samples)]
    events = [e for a, b in itertools.pairwise(edges) for e in part.update(samples[a:b])]
    return sorted([*events, *part.flush()], key=lambda e: (e.time_s, e.id))


def same(one, other):
    assert [(e.id, e.start_s, e.time_s, e.end_s, e.plates, e.probability) for e in one] == [
        (e.id, e.start_s, e.time_s, e.end_s, e.plates, e.probability) for e in other
    ]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.delta_g, b.delta_g)
        np.testing.assert_array_equal(a.covariance_g2, b.covariance_g2)


class TestTriggers:
    @pytest.mark.parametrize(
        ("detector", "grams", "found"),
        [
            # Of 60 samples with a step of h the standard deviation is over 20 g for 30 samples or more
            # where h · √(¼ · ¾) > 20 g: beyond 46.2 g.
            (MpsDetector, -47.5, 1),
            (MpsDetector, -45.0, 0),
            # A variance of h² / 4 is over 100 g² beyond 20 g, however shortly.
            (Team6Detector, -20.5, 1),
            (Team6Detector, -19.5, 0),
        ],
    )
    def test_least_steps(self, detector, grams, found):
        assert len(detect(detector(), shelves((8, PLATES[2], grams), sd_g=0.001))) == found

    @BOTH
    @pytest.mark.parametrize("seed", range(3))
    def test_quiet_noise_is_no_event(self, detector, seed):
        assert detect(detector(), shelves(sd_g=2, seed=seed)) == []

    @BOTH
    def test_the_sum_of_the_whole_shelf_must_change(self, detector):
        swap = shelves((8, PLATES[1], -300), (8.3, PLATES[4], 295))
        assert detect(detector(), swap) == []
        (event,) = detect(detector(min_change_g=3.0), swap)
        assert event.delta_g == pytest.approx([-300, 295], abs=1)

    def test_vibration_that_sets_it_off_and_ends_where_it_began_is_no_event(self):
        time_s = np.arange(1200) / 60
        weight_g = np.random.default_rng(0).normal(3000, 12, (1200, len(PLATES)))  # 29 g in sum: always active
        for detector in (MpsDetector(min_plate_g=10.0), Team6Detector(min_plate_g=10.0)):
            assert detect(detector, ScaleSamples(PLATES, time_s=time_s, weight_g=weight_g)) == []

    def test_a_change_in_vibration_is_found_when_the_samples_end(self):
        time_s = np.arange(1200) / 60
        weight_g = np.random.default_rng(0).normal(3000, 12, (1200, len(PLATES)))
        weight_g[600:, 2] -= 500
        for detector in (MpsDetector(min_plate_g=10.0), Team6Detector(min_plate_g=10.0)):
            (event,) = detect(detector, ScaleSamples(PLATES, time_s=time_s, weight_g=weight_g))
            assert event.total_g == pytest.approx(-500, abs=15)
            assert event.time_s == pytest.approx(10, abs=0.1)


class TestEvents:
    @BOTH
    @pytest.mark.parametrize("lasting_s", [1 / 60, 0.5, 2.0])
    def test_one_change(self, detector, lasting_s):
        samples = shelves((8, PLATES[3], -400), (8, PLATES[4], -30), (8, PLATES[5], -3), lasting_s=lasting_s)
        (event,) = detect(detector(), samples)
        assert event.plates == PLATES[3:5]
        assert event.delta_g == pytest.approx([-400, -30], abs=2)
        # The variance of a slow change is about as high from its first half window to its last.
        assert event.time_s == pytest.approx(8 + lasting_s / 2, abs=0.1 if lasting_s < 1 else 0.6)

    def test_the_run_is_where_windows_are_unquiet(self):
        samples = shelves((8, PLATES[3], -400), sd_g=0.001)
        (mps,), (team6,) = (detect(d(), samples) for d in (MpsDetector, Team6Detector))
        # At most one reading of the 60, or of the 90, is on the other side of the step at either end.
        assert (mps.start_s, mps.end_s) == pytest.approx((8 - 0.5, 8 + 0.5), abs=0.04)
        assert (team6.start_s, team6.end_s) == pytest.approx((8 - 0.75, 8 + 0.75), abs=0.04)

    @BOTH
    def test_the_time_is_where_the_variance_peaks(self, detector):
        samples = shelves((8, PLATES[1], -100), (9.2, PLATES[3], -600))
        (event,) = detect(detector(), samples)
        assert event.total_g == pytest.approx(-700, abs=3)
        assert event.time_s == pytest.approx(9.2, abs=0.15)

    @BOTH
    def test_it_is_an_event_detector(self, detector):
        assert isinstance(detector(), EventDetector)

    @pytest.mark.parametrize(
        ("detector", "argument", "value"),
        [
            (MpsDetector, "sd_g", -1.0),
            (MpsDetector, "min_run", -1),
            (MpsDetector, "window", 1),
            (Team6Detector, "variance_g2", float("nan")),
            (Team6Detector, "max_event_s", 1.0),
            (Team6Detector, "rate_hz", 0.0),
        ],
    )
    def test_arguments_out_of_range_are_refused(self, detector, argument, value):
        with pytest.raises(ConfigError) as error:
            detector(**{argument: value})
        assert error.value.key == argument


class TestChunks:
    unrest = shelves(
        *((6 + 0.7 * k, PLATES[1], grams) for k, grams in enumerate([-300, 250] * 25)), duration_s=60, sd_g=3
    )

    @BOTH
    @pytest.mark.parametrize("size", [1, 12, 61, 1000])
    def test_events_that_are_cut_do_not_depend_on_them(self, detector, size):
        whole, pieces = detector(max_event_s=5.0), detector(max_event_s=5.0)
        events = detect(whole, self.unrest)
        assert len(events) >= 5
        assert sum(e.total_g for e in events) == pytest.approx(25 * -50, abs=10)
        assert "no rest from" in whole.report()[0]["problem"]
        same(events, detect(pieces, self.unrest, range(size, len(self.unrest), size)))
        assert whole.report() == pieces.report()

    @BOTH
    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def test_events_do_not_depend_on_them(self, detector, data):
        change = st.tuples(st.floats(0, 19), st.sampled_from(PLATES), st.floats(-900, 900))
        samples = shelves(
            *data.draw(st.lists(change, max_size=8)), sd_g=data.draw(st.sampled_from([0.0, 1.0, 6.0])), lasting_s=0.3
        )
        cuts = data.draw(st.lists(st.integers(0, len(samples)), max_size=6))
        events = detect(detector(), samples)
        same(events, detect(detector(), samples, cuts))
        assert len({e.id for e in events}) == len(events)
        for event in events:
            assert samples.time_s[0] <= event.start_s <= event.time_s <= event.end_s <= samples.time_s[-1]
            assert list(event.plates) == sorted(event.plates)
            assert np.abs(event.delta_g).min() > 5


@BOTH
@pytest.mark.parametrize("chunk_s", [0.2, 60.0], ids=["message by message", "by the minute"])
class TestRealRecordings:
    def events(self, recording, detector, chunk_s):
        found = []
        for group in recording.scales:
            part = detector(rate_hz=group.rate_hz)
            for samples in recording.scale_chunks(group, chunk_s):
                found += part.update(samples)
            found += part.flush()
        return sorted(found, key=lambda e: e.time_s)

    def test_benchmark_1(self, benchmark_1, detector, chunk_s):
        """Vibration holds the trigger on four shelves of gondola 1, but nothing else changes its level."""
        (event,) = self.events(benchmark_1, detector, chunk_s)
        assert str(event.shelf) == "1/5"
        assert dict(zip(event.plates, event.delta_g, strict=True))[PlateId(1, 5, 11)] == pytest.approx(-623, abs=3)
        assert event.time_s == pytest.approx(14.8, abs=0.2)

    def test_cps_test_01(self, cps_test_01, detector, chunk_s):
        fire, fiji = self.events(cps_test_01, detector, chunk_s)
        assert [str(fire.shelf), str(fiji.shelf)] == ["2/5", "1/5"]
        assert fire.total_g == pytest.approx(-100, abs=5)
        assert dict(zip(fiji.plates, fiji.delta_g, strict=True))[PlateId(1, 5, 10)] == pytest.approx(-560, abs=4)
        assert (fire.time_s, fiji.time_s) == pytest.approx((10.3, 16.6), abs=0.2)
