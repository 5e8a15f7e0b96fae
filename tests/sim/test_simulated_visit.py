"""A simulated visit, as anyone who opens the recording finds it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import PlateId, ScaleSamples
from gocv.data.recording import Recording, Truth, TruthEvent, check_recording
from gocv.sim import Scenario, simulate, simulate_visit

QUIET = {"disorder": {"astride": 0.0, "misplaced": 0.0, "leaning": 0.0}}
BUSY = {
    "shoppers": 4,
    "features": ["hand_over", "left_on_floor", "slow_lifts"],
    "faults": [
        {"kind": "missing"},
        {"kind": "noisy"},
        {"kind": "dead_camera"},
        {"kind": "clock_skew", "offset_s": 0.3},
    ],
    "paperwork": {"wrong_weights": 0.2, "lost_zeros": 0.3, "age_days": 3, "start_offset_s": [0.1, 0.5]},
    "joints": {"breaks_per_h": 60.0, "swap": 0.5},
}


def _files(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def _samples(recording: Recording) -> dict[int, ScaleSamples]:
    return {
        group.plates[0].gondola: ScaleSamples.concatenate(list(recording.scale_chunks(group)))
        for group in recording.scales
    }


@pytest.fixture(scope="module", params=["demo", "small"])
def visit(request, tmp_path_factory, stores) -> tuple[Recording, Truth]:
    """A tidy shelf and many shoppers, so that every gram can be accounted for."""
    path = tmp_path_factory.mktemp("visit") / "recording"
    truth = simulate(Scenario.model_validate({"shoppers": 5, **QUIET}), path, seed=3, layout=stores[request.param])
    return Recording.open(path), truth


@pytest.mark.parametrize("settings", [{}, BUSY], ids=["plain", "busy"])
@pytest.mark.parametrize("store", ["demo", "small"])
def test_the_same_seed_writes_the_same_bytes(tmp_path, monkeypatch, stores, store, settings) -> None:
    scenario = Scenario.model_validate(settings)
    first = simulate(scenario, tmp_path / "a", seed=7, layout=stores[store])
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert simulate(scenario, tmp_path / "b", seed=7, layout=stores[store]) == first
    assert _files(tmp_path / "a") == _files(tmp_path / "b")


def test_another_seed_is_another_visit_in_the_same_store(tmp_path) -> None:
    one, other = (simulate(Scenario(), tmp_path / str(seed), seed=seed) for seed in (7, 8))
    assert [e.product for e in one.events] != [e.product for e in other.events]
    assert [e.time_s for e in one.events] != [e.time_s for e in other.events]
    files = [_files(tmp_path / str(seed)) for seed in (7, 8)]
    assert files[0].keys() == files[1].keys()
    same = {name for name in files[0] if files[0][name] == files[1][name]}
    assert same == {"store/products.csv", "store/plates.csv", "store/planogram.csv"}
    clocks = [Recording.open(tmp_path / str(seed)).scale_clock for seed in (7, 8)]
    assert clocks[0] != clocks[1]


def test_the_recording_is_sound_and_holds_the_truth(visit) -> None:
    recording, truth = visit
    assert recording.problems == ()
    assert check_recording(recording.path) == []
    assert recording.truth is not None
    assert recording.truth.receipts == truth.receipts
    assert recording.truth.planogram == truth.planogram
    assert recording.truth.names == truth.names
    for read, made in zip(recording.truth.events, truth.events, strict=True):
        assert read.time_s == pytest.approx(made.time_s, abs=1e-6)
        assert (read.shopper, read.product, read.quantity) == (made.shopper, made.product, made.quantity)
        assert (read.plates, read.kind, read.to) == (made.plates, made.kind, made.to)
    assert any("no such store" in note for note in recording.notes)
    assert all(camera.calibration is not None and camera.video is None for camera in recording.cameras)
    assert {zone.name for zone in recording.store.zones} >= {"entrance"}


def test_carts_follow_from_events(visit) -> None:
    recording, truth = visit
    assert truth.receipts is not None
    assert {receipt.shopper for receipt in truth.receipts} == {f"shopper-{i}" for i in range(1, 6)}
    for receipt in truth.receipts:
        assert dict(receipt.items) == truth.cart(receipt.shopper, recording.duration_s)
    times = [event.time_s for event in truth.events]
    assert times == sorted(times)
    assert times[0] > 0.0
    assert times[-1] < recording.duration_s
    assert {plate for event in truth.events for plate in event.plates} <= set(recording.store.plates)


def test_everybody_is_seen_from_the_door_to_the_door(visit) -> None:
    recording, truth = visit
    tracks = recording.floor_tracks()
    whose = {row.name: row.shopper for row in truth.names}
    seen: dict[str, list[float]] = {}
    for name, time_s in zip(np.array(tracks.shoppers)[tracks.shopper], tracks.time_s, strict=True):
        seen.setdefault(whose.get(str(name), str(name)), []).append(float(time_s))
    assert set(seen) == {receipt.shopper for receipt in truth.receipts or ()}
    for event in truth.events:
        assert min(seen[event.shopper]) < event.time_s < max(seen[event.shopper])
    assert max(map(max, seen.values())) < recording.duration_s


def _isolated(visit: tuple[Recording, Truth]) -> list[tuple[TruthEvent, dict[PlateId, float]]]:
    """Events with nothing else on their shelf for 16 s around, and by how much each plate of it changed."""
    recording, truth = visit
    samples, isolated = _samples(recording), []
    for event in truth.events:
        shelf = event.plates[0].shelf_id
        others = [e for e in truth.events if e is not event and e.plates and e.plates[0].shelf_id == shelf]
        if min((abs(e.time_s - event.time_s) for e in others), default=np.inf) < 16.0:
            continue
        of = samples[shelf.gondola]
        before, after = ((of.time_s > event.time_s + a) & (of.time_s < event.time_s + a + 2.0) for a in (-10.0, 8.0))
        change = of.weight_g[after].mean(axis=0) - of.weight_g[before].mean(axis=0)
        isolated.append((event, {p: float(g) for p, g in zip(of.plates, change, strict=True) if p.shelf_id == shelf}))
    assert len(isolated) >= 4
    return isolated


def test_levels_differ_by_the_weight_of_what_was_moved(visit) -> None:
    """On a tidy shelf the plates feel the units and nothing else, but for drift and what spills to the neighbours."""
    for event, change in _isolated(visit):
        product = visit[0].store.products[event.product]
        expected = -event.quantity * product.weight_g
        spread_g = 4 * (product.weight_sd_g or 0.0) * abs(event.quantity)
        assert sum(change.values()) == pytest.approx(expected, abs=12.0 + 0.05 * abs(expected) + spread_g), event


def test_an_event_names_the_plates_that_felt_it(visit) -> None:
    for event, change in _isolated(visit):
        assert max(change, key=lambda plate: abs(change[plate])) in event.plates


def test_scales_run_on_their_own_clock_and_cover_the_recording(visit) -> None:
    recording, _ = visit
    assert -5000.0 <= recording.scale_clock.offset_s <= -600.0
    assert 0.0 < abs(recording.scale_clock.drift_ppm) <= 60.0
    for samples in _samples(recording).values():
        assert (np.diff(samples.time_s) > 0).all()
        assert abs(samples.time_s[0]) < 0.3
        assert abs(samples.time_s[-1] - recording.duration_s) < 0.3
        assert np.isfinite(samples.weight_g).all()


def _replayed(truth: Truth, time_s: float) -> Counter[tuple[str, PlateId]]:
    standing: Counter[tuple[str, PlateId]] = Counter()
    for row in truth.planogram:
        if row.time_s <= time_s:
            standing[row.product, row.plate] = row.units
    return +standing


def test_units_on_shelves_and_in_carts_stay_as_many(visit) -> None:
    recording, truth = visit
    first = sum(_replayed(truth, 0.0).values())
    for time_s in (0.0, *(event.time_s for event in truth.events)):
        carts = sum(sum(truth.cart(r.shopper, time_s).values()) for r in truth.receipts or ())
        assert sum(_replayed(truth, time_s).values()) + carts == first
    assert {row.plate for row in truth.planogram} <= set(recording.store.plates)


def test_names_that_break_are_told_in_the_truth(tmp_path, stores) -> None:
    scenario = Scenario.model_validate({"joints": {"breaks_per_h": 120.0, "away_per_h": 0.0}})
    truth = simulate(scenario, tmp_path / "broken", seed=2, layout=stores["demo"])
    recording = Recording.open(tmp_path / "broken")
    shoppers = {receipt.shopper for receipt in truth.receipts or ()}
    assert {row.shopper for row in truth.names} == shoppers
    assert {row.name for row in truth.names} == set(recording.floor_tracks().shoppers) > shoppers
    assert recording.truth is not None
    assert recording.truth.names == truth.names
    whole = simulate(Scenario.model_validate({"joints": {"breaks_per_h": 0, "swap": 0}}), tmp_path / "whole", seed=2)
    assert whole.names == ()
    assert not (tmp_path / "whole" / "truth" / "names.csv").exists()


def test_a_day_ends_no_earlier_than_it_is_long(tmp_path, stores) -> None:
    simulate(Scenario(shoppers=2, hours=0.1), tmp_path / "r", seed=1, layout=stores["small"])
    assert Recording.open(tmp_path / "r").duration_s >= 360.0


def test_the_short_way_is_an_ordinary_scenario(tmp_path, stores) -> None:
    short = simulate_visit(tmp_path / "a", seed=3, shoppers=2, layout=stores["small"])
    assert short == simulate(Scenario(shoppers=2), tmp_path / "b", seed=3, layout=stores["small"])
    assert all(plate in stores["small"].store.plates for event in short.events for plate in event.plates)


def test_a_folder_that_is_there_is_replaced_only_when_told(tmp_path, stores) -> None:
    first = simulate_visit(tmp_path / "visit", seed=1, layout=stores["small"])
    with pytest.raises(Exception, match="is there already"):
        simulate_visit(tmp_path / "visit", seed=2, layout=stores["small"])
    assert _receipts(tmp_path / "visit") == first.receipts
    second = simulate_visit(tmp_path / "visit", seed=2, layout=stores["small"], overwrite=True)
    assert _receipts(tmp_path / "visit") == second.receipts


def _receipts(path: Path) -> Any:
    truth = Recording.open(path).truth
    assert truth is not None
    return truth.receipts
