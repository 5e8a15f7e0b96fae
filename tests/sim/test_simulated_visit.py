"""A simulated visit, as anyone who opens the recording finds it."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError, PlateId, ScaleSamples
from gocv.data.recording import Recording, Truth, check_recording
from gocv.sim import demo_layout, simulate_visit

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module", params=SEEDS)
def visit(request, tmp_path_factory) -> tuple[Recording, Truth]:
    path = tmp_path_factory.mktemp("visit") / "recording"
    truth = simulate_visit(path, seed=request.param)
    return Recording.open(path), truth


def _files(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def _samples(recording: Recording) -> dict[int, ScaleSamples]:
    return {
        group.plates[0].gondola: ScaleSamples.concatenate(list(recording.scale_chunks(group)))
        for group in recording.scales
    }


def test_the_same_seed_writes_the_same_bytes_and_another_seed_another_visit(tmp_path) -> None:
    first = simulate_visit(tmp_path / "a", seed=7)
    assert simulate_visit(tmp_path / "b", seed=7) == first
    assert _files(tmp_path / "a") == _files(tmp_path / "b")
    other = simulate_visit(tmp_path / "c", seed=8)
    assert [e.product for e in other.events] != [e.product for e in first.events]
    assert [e.time_s for e in other.events] != [e.time_s for e in first.events]


def test_a_minute_is_simulated_in_seconds(tmp_path) -> None:
    start = time.perf_counter()
    simulate_visit(tmp_path / "visit", seed=1)
    assert time.perf_counter() - start < 5.0


def test_the_recording_is_sound_and_holds_the_truth(visit) -> None:
    recording, truth = visit
    assert not recording.problems
    assert not [problem for problem in check_recording(recording.path) if problem.severity == "error"]
    assert recording.truth is not None
    assert recording.truth.receipts == truth.receipts
    for read, made in zip(recording.truth.events, truth.events, strict=True):
        assert read.time_s == pytest.approx(made.time_s, abs=1e-6)
        assert (read.shopper, read.product, read.quantity) == (made.shopper, made.product, made.quantity)
        assert read.plates == made.plates
    assert 60.0 <= recording.duration_s <= 80.0
    assert {zone.name for zone in recording.store.zones} >= {"entrance"}


def test_the_visit_has_what_makes_such_visits_hard(visit) -> None:
    recording, truth = visit
    tracks = recording.floor_tracks()
    spans = [tracks.time_s[tracks.shopper == i] for i in range(3)]
    assert max(s.min() for s in spans) + 10.0 < min(s.max() for s in spans)
    takes = [e for e in truth.events if e.quantity > 0]
    returns = [e for e in truth.events if e.quantity < 0]
    assert min(Counter(e.shopper for e in takes).values()) >= 3
    assert any(e.quantity == 2 for e in takes)
    assert any(
        a.shopper == b.shopper == c.shopper and a.product == b.product == c.product and c.time_s - a.time_s < 3.0
        for who in tracks.shoppers
        for own in [[e for e in takes if e.shopper == who]]
        for a, b, c in zip(own, own[1:], own[2:], strict=False)
    )
    at_home = [bool(recording.store.planogram[e.product] & set(e.plates)) for e in returns]
    assert sorted(at_home) == [False, True]


def test_truth_is_whole_and_carts_follow_from_events(visit) -> None:
    recording, truth = visit
    carts: dict[str, Counter[str]] = {receipt.shopper: Counter() for receipt in truth.receipts or ()}
    assert set(carts) == set(recording.floor_tracks().shoppers)
    times = [event.time_s for event in truth.events]
    assert times == sorted(times)
    assert np.isfinite(times).all()
    for event in truth.events:
        assert 0.0 < event.time_s < recording.duration_s
        assert event.plates
        assert set(event.plates) <= set(recording.store.plates)
        carts[event.shopper][event.product] += event.quantity
        assert carts[event.shopper][event.product] >= 0
    for receipt in truth.receipts or ():
        assert dict(receipt.items) == {p: n for p, n in carts[receipt.shopper].items() if n}


def test_shelves_lose_the_units_taken_and_gain_those_put_back(visit) -> None:
    recording, truth = visit
    expected: Counter[tuple[int, int]] = Counter()
    units: Counter[tuple[int, int]] = Counter()
    for event in truth.events:
        shelf = event.plates[0].shelf_id
        expected[shelf] -= event.quantity * recording.store.products[event.product].weight_g
        units[shelf] += abs(event.quantity)
    for gondola, samples in _samples(recording).items():
        weight = samples.weight_g.astype(np.float64)
        change = weight[-90:].mean(axis=0) - weight[:90].mean(axis=0)
        for shelf in {plate.shelf_id for plate in samples.plates}:
            columns = [i for i, plate in enumerate(samples.plates) if plate.shelf_id == shelf]
            # The neighbours' spill adds up to 4 % of a change; drift and vibration the grams.
            tolerance = 12.0 + 0.05 * abs(expected[shelf]) + 6.0 * units[shelf]
            assert change[columns].sum() == pytest.approx(expected[shelf], abs=tolerance), (gondola, shelf)


def test_each_event_is_seen_on_its_plates_at_its_time(visit) -> None:
    recording, truth = visit
    samples = _samples(recording)
    for event in truth.events:
        shelf = event.plates[0].shelf_id
        near = [e for e in truth.events if e is not event and e.plates[0].shelf_id == shelf]
        if any(abs(e.time_s - event.time_s) < 4.5 for e in near):
            continue
        of = samples[shelf.gondola]
        columns = [i for i, plate in enumerate(of.plates) if plate in event.plates]
        before = (of.time_s > event.time_s - 2.0) & (of.time_s < event.time_s - 1.0)
        after = (of.time_s > event.time_s + 1.5) & (of.time_s < event.time_s + 2.5)
        change = float((of.weight_g[after].mean(axis=0) - of.weight_g[before].mean(axis=0))[columns].sum())
        expected = -event.quantity * recording.store.products[event.product].weight_g
        assert change == pytest.approx(expected, abs=8.0 + 0.08 * abs(expected))


def test_scales_run_on_their_own_clock_and_cover_the_recording(visit) -> None:
    recording, _ = visit
    assert recording.scale_clock.offset_s < -100.0
    assert recording.scale_clock.drift_ppm != 0.0
    for samples in _samples(recording).values():
        assert (np.diff(samples.time_s) > 0).all()
        assert abs(samples.time_s[0]) < 0.05
        assert abs(samples.time_s[-1] - recording.duration_s) < 0.3
        assert np.isfinite(samples.weight_g).all()


def test_a_visit_of_one_has_all_the_parts_too(tmp_path) -> None:
    truth = simulate_visit(tmp_path / "alone", seed=3, shoppers=1)
    assert {event.shopper for event in truth.events} == {"shopper-1"}
    assert min(event.quantity for event in truth.events) == -1
    assert len(truth.receipts or ()) == 1


def test_a_layout_of_ones_own_is_used(tmp_path) -> None:
    layout = demo_layout()
    truth = simulate_visit(tmp_path / "own", seed=3, shoppers=2, layout=layout)
    assert all(isinstance(plate, PlateId) and plate in layout.store.plates for e in truth.events for plate in e.plates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"seed": -1}, "seed"), ({"seed": 1, "shoppers": 0}, "shoppers"), ({"seed": 1, "shoppers": 99}, "shoppers")],
)
def test_impossible_arguments_are_refused_and_nothing_is_written(tmp_path, arguments, message) -> None:
    with pytest.raises(DataError, match=message):
        simulate_visit(tmp_path / "visit", **arguments)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_kept_unless_told_otherwise(tmp_path) -> None:
    first = simulate_visit(tmp_path / "visit", seed=1)
    with pytest.raises(DataError, match="already"):
        simulate_visit(tmp_path / "visit", seed=2)
    opened = Recording.open(tmp_path / "visit").truth
    assert opened is not None
    assert opened.receipts == first.receipts
    second = simulate_visit(tmp_path / "visit", seed=2, overwrite=True)
    replaced = Recording.open(tmp_path / "visit").truth
    assert replaced is not None
    assert replaced.receipts == second.receipts
