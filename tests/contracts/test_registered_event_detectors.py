"""What holds for every detector of weight events that is registered, whoever wrote it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import numpy as np
import pytest

from gocv.core import EventDetector, PlateId, ScaleSamples, ShelfId, WeightEvent

RATE_HZ = 60.0
NOISE_G = 2.0
START_S = 1000.0


class Step(NamedTuple):
    """At `at_s` after the start, the loads of `plates` change by `delta_g` within half a second."""

    at_s: float
    plates: tuple[PlateId, ...]
    delta_g: tuple[float, ...]


TAKEN = Step(12.0, (PlateId(1, 2, 4),), (-300.0,))
PUT_BACK = Step(30.0, (PlateId(1, 2, 4),), (300.0,))
ACROSS_TWO = Step(20.0, (PlateId(1, 1, 2), PlateId(1, 1, 3)), (-200.0, -100.0))


def gondola(steps: Sequence[Step] = (), number: int = 1, duration_s: float = 45.0, seed: int = 0) -> ScaleSamples:
    """Two shelves of six plates at 60 Hz, with independent noise."""
    rng = np.random.default_rng(seed)
    plates = tuple(PlateId(number, shelf, plate) for shelf in (1, 2) for plate in range(1, 7))
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    weight_g = rng.uniform(500, 5000, len(plates)) + rng.normal(0, NOISE_G, (len(time_s), len(plates)))
    for step in steps:
        done = np.clip((time_s - step.at_s) / 0.5 + 0.5, 0, 1)
        for plate, delta_g in zip(step.plates, step.delta_g, strict=True):
            weight_g[:, plates.index(plate)] += delta_g * done
    return ScaleSamples(plates, time_s=START_S + time_s, weight_g=weight_g)


def chunks(samples: ScaleSamples, size: int) -> Iterator[ScaleSamples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def events(detector: EventDetector, pieces: Iterator[ScaleSamples] | Sequence[ScaleSamples]) -> list[WeightEvent]:
    return [*(event for piece in pieces for event in detector.update(piece)), *detector.flush()]


def assert_same(found: list[WeightEvent], expected: list[WeightEvent]) -> None:
    assert [(e.id, e.shelf, e.plates) for e in found] == [(e.id, e.shelf, e.plates) for e in expected]
    for one, other in zip(found, expected, strict=True):
        times = (other.start_s, other.time_s, other.end_s, other.probability)
        assert (one.start_s, one.time_s, one.end_s, one.probability) == pytest.approx(times, abs=1e-6)
        np.testing.assert_allclose(one.delta_g, other.delta_g, atol=1e-6)
        np.testing.assert_allclose(one.covariance_g2, other.covariance_g2, atol=1e-6)


def assert_of_plates(event: WeightEvent, step: Step) -> None:
    """The plates that changed, and at most the ones beside them: things stand astride."""
    beside = {plate._replace(plate=plate.plate + side) for plate in step.plates for side in (-1, 0, 1)}
    assert set(step.plates) <= set(event.plates) <= beside
    assert list(event.plates) == sorted(event.plates)


@pytest.fixture(params=entry_points(group="gocv.event_detectors"), ids=lambda e: e.name)
def part(request: pytest.FixtureRequest) -> type[EventDetector]:
    entry: EntryPoint = request.param
    loaded: type[EventDetector] = entry.load()
    return loaded


def test_it_is_an_event_detector(part: type[EventDetector]) -> None:
    assert isinstance(part(), EventDetector)


@pytest.mark.parametrize("step", [TAKEN, PUT_BACK, ACROSS_TWO], ids=["taken", "put back", "across two plates"])
def test_one_step_is_one_event(part: type[EventDetector], step: Step) -> None:
    (event,) = events(part(), chunks(gondola([step]), 60))
    assert isinstance(event, WeightEvent)
    assert event.shelf == step.plates[0].shelf_id
    assert isinstance(event.shelf, ShelfId)
    assert_of_plates(event, step)
    count = len(event.plates)
    assert event.delta_g.shape == (count,)
    assert event.covariance_g2.shape == (count, count)
    expected = dict(zip(step.plates, step.delta_g, strict=True))
    expected_g = [expected.get(plate, 0.0) for plate in event.plates]
    np.testing.assert_allclose(event.delta_g, expected_g, atol=4 * NOISE_G / np.sqrt(30))
    assert event.total_g == pytest.approx(sum(step.delta_g), abs=3)
    assert event.start_s <= event.time_s <= event.end_s
    assert event.time_s == pytest.approx(START_S + step.at_s, abs=0.25)
    assert event.start_s == pytest.approx(event.time_s, abs=2)
    assert event.end_s == pytest.approx(event.time_s, abs=2)
    np.testing.assert_array_equal(event.covariance_g2, event.covariance_g2.T)
    assert np.linalg.eigvalsh(event.covariance_g2).min() > 0
    assert 0.99 < event.probability <= 1


def test_the_true_change_lies_within_the_covariance(part: type[EventDetector]) -> None:
    """Over 40 visits the squared error in units of its own variance is about 1: honest, and not merely wide."""
    squared = []
    for seed in range(40):
        (event,) = events(part(), [gondola([TAKEN], duration_s=25.0, seed=seed)])
        squared.append((event.total_g - TAKEN.delta_g[0]) ** 2 / event.covariance_g2.sum())
    assert max(squared) < 5**2
    assert np.mean(squared) < 2


@pytest.mark.parametrize("seed", range(3))
def test_steady_noise_is_no_event(part: type[EventDetector], seed: int) -> None:
    detector = part()
    assert events(detector, chunks(gondola(duration_s=60.0, seed=seed), 3600)) == []
    assert detector.report() == []


@pytest.mark.parametrize("size", [1, 12, 97, 3600])
def test_the_size_of_chunks_does_not_matter(part: type[EventDetector], size: int) -> None:
    across_chunks = PUT_BACK._replace(at_s=60.0)  # sample 3,600
    samples = gondola([TAKEN, ACROSS_TWO, across_chunks], duration_s=90.0)
    expected = events(part(), [samples])
    assert len(expected) == 3
    for event, step in zip(expected, (TAKEN, ACROSS_TWO, across_chunks), strict=True):
        assert_of_plates(event, step)
    assert len({e.id for e in expected}) == 3
    assert_same(events(part(), chunks(samples, size)), expected)


def test_an_event_is_not_kept_back_until_the_end(part: type[EventDetector]) -> None:
    detector = part()
    assert len([e for piece in chunks(gondola([TAKEN]), 60) for e in detector.update(piece)]) == 1
    assert detector.flush() == []


def test_an_event_that_is_open_when_the_samples_end_is_flushed(part: type[EventDetector]) -> None:
    samples = gondola([TAKEN])
    before_rest = samples[: round((TAKEN.at_s + 0.75) * RATE_HZ)]
    (event,) = events(part(), chunks(before_rest, 12))
    assert_of_plates(event, TAKEN)
    assert event.total_g == pytest.approx(-300, abs=15)


def test_empty_chunks_change_nothing(part: type[EventDetector]) -> None:
    samples = gondola([TAKEN])
    pieces = [piece for chunk in chunks(samples, 600) for piece in (samples[:0], chunk, samples[:0])]
    assert_same(events(part(), pieces), events(part(), chunks(samples, 600)))


def test_no_samples_at_all_are_no_event(part: type[EventDetector]) -> None:
    assert events(part(), []) == []
    assert events(part(), [gondola()[:0]]) == []


def test_groups_share_nothing(part: type[EventDetector]) -> None:
    one, two = gondola([TAKEN]), gondola(number=2, seed=1)
    a, b, found, none = part(), part(), [], []
    for x, y in zip(chunks(one, 120), chunks(two, 120), strict=True):
        found += a.update(x)
        none += b.update(y)
    assert_same([*found, *a.flush()], events(part(), chunks(one, 120)))
    assert [*none, *b.flush()] == []


def test_arguments_are_left_as_they_were(part: type[EventDetector]) -> None:
    samples = gondola([TAKEN])
    time_s, weight_g = np.array(samples.time_s), np.array(samples.weight_g)
    weight_g[:, 0] = np.nan
    kept = time_s.copy(), weight_g.copy()
    given = ScaleSamples(samples.plates, time_s=time_s, weight_g=weight_g)  # views: these can be written to
    events(part(), chunks(given, 600))
    np.testing.assert_array_equal(time_s, kept[0])
    np.testing.assert_array_equal(weight_g, kept[1])


def test_what_is_done_to_the_arguments_later_does_not_matter(part: type[EventDetector]) -> None:
    samples, detector, found = gondola([TAKEN]), part(), []
    for piece in chunks(samples, 600):
        time_s, weight_g = np.array(piece.time_s), np.array(piece.weight_g)
        found += detector.update(ScaleSamples(piece.plates, time_s=time_s, weight_g=weight_g))
        time_s[:] = weight_g[:] = 0
    assert_same([*found, *detector.flush()], events(part(), chunks(samples, 600)))


def test_a_plate_that_gives_nothing_is_reported_and_hides_no_other(part: type[EventDetector]) -> None:
    samples = gondola([TAKEN])
    weight_g = np.array(samples.weight_g)
    weight_g[:, samples.plates.index(PlateId(1, 2, 6))] = np.nan
    detector = part()
    (event,) = events(detector, chunks(ScaleSamples(samples.plates, samples.time_s, weight_g), 60))
    assert_of_plates(event, TAKEN)
    (entry,) = detector.report()
    assert set(entry) == {"where", "problem"}
    assert "1/2/6" in entry["where"]


def test_a_silence_is_reported_and_steps_around_it_are_found(part: type[EventDetector]) -> None:
    samples = gondola([TAKEN, PUT_BACK])
    since_s = samples.time_s - START_S
    detector = part()
    found = events(detector, [samples[(since_s < 20) | (since_s > 23)]])
    assert [round(e.total_g, -1) for e in found] == [-300, 300]
    (entry,) = detector.report()
    assert "gap" in entry["problem"] or "no samples" in entry["problem"]


def test_memory_does_not_grow_with_time(part: type[EventDetector]) -> None:
    detector, minute, held_bytes = part(), gondola(duration_s=60.0), []
    tracemalloc.start()
    try:
        for passed in range(10):
            detector.update(ScaleSamples(minute.plates, minute.time_s + 60.0 * passed, minute.weight_g))
            held_bytes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held_bytes[-1] - held_bytes[2] < 200_000  # seven minutes of these samples are 2.4 MB as float64
