"""The two real recordings of a cashier-free store: the events in them, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import PlateId
from gocv.shelf import FaimDetector, explain

THRESHOLDS = pytest.mark.parametrize("variance_g2", [60.0, 500.0], ids=["default", "published"])
CHUNKS = pytest.mark.parametrize("chunk_s", [0.2, 60.0], ids=["message by message", "by the minute"])


def detected(recording, variance_g2, chunk_s):
    events = []
    for group in recording.scales:
        detector = FaimDetector(rate_hz=group.rate_hz, variance_g2=variance_g2)
        for samples in recording.scale_chunks(group, chunk_s):
            events += detector.update(samples)
        events += detector.flush()
    return sorted(events, key=lambda e: e.time_s)


def grams_on(event, *plates):
    return sum(g for p, g in zip(event.plates, event.delta_g, strict=True) if p in plates)


@THRESHOLDS
@CHUNKS
def test_benchmark_1_has_one_event(benchmark_1, variance_g2, chunk_s):
    (event,) = detected(benchmark_1, variance_g2, chunk_s)
    assert (event.shelf.gondola, event.shelf.shelf) == (1, 5)
    assert PlateId(1, 5, 11) in event.plates
    assert grams_on(event, PlateId(1, 5, 11), PlateId(1, 5, 12)) == pytest.approx(-623, abs=8)
    assert event.probability > 0.999
    best = explain(event, benchmark_1.store)[0]
    assert best.items == (("071142008582", 1),)
    assert best.probability > 0.99


@THRESHOLDS
@CHUNKS
def test_cps_test_01_has_two_events(cps_test_01, variance_g2, chunk_s):
    fire, fiji = detected(cps_test_01, variance_g2, chunk_s)
    assert grams_on(fire, *(PlateId(2, 5, p) for p in (3, 4, 5))) == pytest.approx(-100, abs=8)
    assert grams_on(fiji, PlateId(1, 5, 10)) == pytest.approx(-562, abs=8)
    # Three sauces weigh 103.6, 103.9 and 105.5 g: the fire cannot be quite sure.
    for event, product, least in ((fire, "071063437089", 0.95), (fiji, "632565000012", 0.99)):
        best = explain(event, cps_test_01.store)[0]
        assert best.items == ((product, 1),)
        assert best.probability > least
        label_s = next(e.time_s for e in cps_test_01.truth.events if e.product == product)
        assert event.time_s == pytest.approx(label_s, abs=1)


@pytest.mark.parametrize(("name", "busy_s"), [("benchmark_1", [14.8]), ("cps_test_01", [10.4, 16.6])])
def test_levels_at_rest_repeat_within_their_error(request, name, busy_s):
    from gocv.shelf.change import describe_change

    recording = request.getfixturevalue(name)
    scores = []
    for group in recording.scales:
        for samples in recording.scale_chunks(group):
            columns = np.isfinite(samples.weight_g).all(axis=0)
            for start in range(0, len(samples) - 240, 60):
                span = samples[start : start + 240]
                if any(span.time_s[0] - 2 < t < span.time_s[-1] + 2 for t in busy_s):
                    continue
                weight_g = span.weight_g[:, columns]
                change = describe_change(weight_g[:60], weight_g[60:180], weight_g[180:], min_plate_g=0.0)
                if change is not None:
                    scores.append(change.delta_g / np.sqrt(np.diag(change.covariance_g2)))
    score = np.abs(np.concatenate(scores))
    assert len(score) > 1000
    assert score.std() < 1
    assert np.mean(score > 3) < 0.01
