"""Labelled sequences acted out again: the same products, shelves, order and times."""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, DataError, PlateId, Product
from gocv.data.nanostore import LabelledEvent, read_labels
from gocv.data.recording import Recording, Truth, check_recording
from gocv.sim import Scenario, Stock, simulate
from gocv.sim.director import Director
from gocv.sim.habits import Habits
from gocv.sim.play import Stage
from gocv.sim.replay import Replay, extended, plates_of, replayed, timed
from gocv.sim.stores.from_recording import recorded_store

START = "2020-01-28_22-24-"


def _label(
    second: str, who: str, place: tuple[int, int, list[int]], products: list[str], putback: int = 0
) -> dict[str, Any]:
    gondola, shelf, plates = place
    listed = [{"id": p, "name": f"product {p}", "weight": 200.0} for p in products]
    position = {"gondola": gondola, "shelf": shelf, "plates": plates}
    return {
        "observation": {"time": second, "target_id": who, "position": position, "products": listed},
        "putback": putback,
    }


@pytest.fixture(scope="module")
def real(tmp_path_factory, stores) -> Recording:
    """A recording whose store the labels are about."""
    path = tmp_path_factory.mktemp("real") / "recording"
    simulate(Scenario(shoppers=1), path, seed=0, layout=stores["demo"])
    return Recording.open(path)


def _home(recording: Recording, row: int) -> tuple[str, tuple[int, int, list[int]]]:
    """A product, and where it stands."""
    product = sorted(recording.store.planogram)[row]
    plates = sorted(recording.store.planogram[product])
    shelf = plates[0].shelf_id
    return product, (*shelf, [p.plate for p in plates if p.shelf_id == shelf])


@pytest.fixture(scope="module")
def labels(tmp_path_factory, real) -> Path:
    """Takes and returns of two shoppers, one of a product that the planogram does not know."""
    (tea, at_tea), (jam, at_jam), (rice, at_rice) = (_home(real, row) for row in (3, 11, 20))
    empty = next(p for p in real.store.plates if not any(p in on for on in real.store.planogram.values()))
    lists = {
        "walk": [
            _label(START + "15", "anna", at_tea, [tea]),
            _label(START + "16", "anna", at_tea, [tea, tea]),
            _label(START + "32", "bert", at_rice, [rice]),
            _label(START + "50", "anna", at_jam, [tea], putback=1),
            _label(START + "58", "bert", at_jam, [tea]),
            _label("1:15 + " + START + "00", "bert", (empty.gondola, empty.shelf, [empty.plate]), ["071063437089"]),
            _label("soon after", "bert", at_rice, [rice]),
            _label(START + "59", "bert", at_rice, ["unknown"]),
            _label(START + "59", "", at_jam, [jam]),
            _label(START + "59", "anna", (1, 1, []), [jam]),
        ],
        "nothing": [],
    }
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    path.write_text(json.dumps({"lists": [{"dataset": name, "events": events} for name, events in lists.items()]}))
    return path


def _scenario(recording: Recording, labels: Path, dataset: str, **more: Any) -> Scenario:
    return Scenario.model_validate(
        {"store": {"recording": recording.path}, "replay": {"labels": labels, "dataset": dataset}, **more}
    )


def _units(events: list[Any]) -> list[tuple[str, str, int, tuple[int, int]]]:
    """Who, what, which way and on which shelf, of each unit in order."""
    return [
        (e.event.shopper, product.id, -1 if e.event.returned else 1, e.event.plates[0].shelf_id)
        for e in events
        for product in e.event.products
        if product.id.isdecimal()
    ]


def _done(truth: Any) -> list[tuple[str, str, int, tuple[int, int]]]:
    return [(e.shopper, e.product, e.quantity, e.plates[0].shelf_id) for e in truth.events]


def test_labels_are_put_on_a_clock_in_order(labels) -> None:
    events = Replay(labels=labels, dataset="walk").events()
    assert [e.time_s for e in events] == [12.0, 13.0, 29.0, 47.0, 55.0, 72.0, 77.0]  # the last label has no time
    assert all(e.event.plates and e.event.shopper for e in events)


def test_labels_of_one_second_follow_each_other() -> None:
    def event(unix_s: float, units: int = 1) -> LabelledEvent:
        return LabelledEvent("", unix_s, "anna", (PlateId(1, 1, 1),), (Product("7", "tea", 1.0),) * units, False)

    assert [e.time_s for e in timed([event(5.0), event(3.0), event(5.0)])] == [12.0, 14.0, 14.2]
    assert [e.time_s for e in timed([event(3.0, units=3), event(3.0)])] == [12.0, pytest.approx(12.6)]
    assert [e.time_s for e in timed([event(math.nan), event(math.nan)])] == [17.0, 22.0]
    assert timed([]) == []


def test_what_was_labelled_is_done_again(tmp_path, real, labels) -> None:
    scenario = _scenario(real, labels, "walk")
    for seed in range(3):
        truth = simulate(scenario, tmp_path / str(seed), seed=seed)
        events = Replay(labels=labels, dataset="walk").events()
        assert Counter(_done(truth)) == Counter(_units(events))
        for shopper in ("anna", "bert"):
            own = [unit for unit in _done(truth) if unit[0] == shopper]
            assert own == [unit for unit in _units(events) if unit[0] == shopper]
        times = [time_s for e in events for time_s in _times(e)]
        assert [e.time_s for e in truth.events] == pytest.approx(times, abs=1.5)
        assert not [p for p in check_recording(tmp_path / str(seed)) if p.severity == "error"]


def test_a_sequence_without_events_is_a_visit_without_takes(tmp_path, real, labels) -> None:
    truth = simulate(_scenario(real, labels, "nothing"), tmp_path / "r", seed=0)
    assert truth.events == ()
    assert [dict(receipt.items) for receipt in truth.receipts or ()] == [{}]


def test_products_are_added_where_they_were_taken_and_not_where_they_had_been_put(real, labels) -> None:
    events = Replay(labels=labels, dataset="walk").events()
    tea, (gondola, shelf, _) = _home(real, 3)
    store = extended(real.store, events)
    assert {p for p in store.products if p not in real.store.products} == {"071063437089"}
    assert store.planogram[tea] == real.store.planogram[tea]
    assert {plate.shelf_id for plate in store.planogram[tea]} >= {(gondola, shelf)}
    assert len(store.planogram["071063437089"]) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"replay": {"labels": "labels.json", "dataset": "x"}}, "store.recording beside replay"),
        ({"replay": {"labels": "labels.json", "dataset": ""}}, "dataset"),
        (
            {"replay": {"labels": "l", "dataset": "x"}, "store": {"recording": "r"}, "hours": 1},
            "no hours beside replay",
        ),
        (
            {"replay": {"labels": "l", "dataset": "x"}, "store": {"recording": "r"}, "features": ["slow_lifts"]},
            "no features",
        ),
    ],
)
def test_replays_stand_alone_in_a_real_store(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Scenario.model_validate(settings)


@pytest.mark.parametrize(("dataset", "expected"), [("wlak", "'walk'"), ("zzz", "'nothing', 'walk'")])
def test_a_sequence_that_is_not_labelled_is_refused(tmp_path, real, labels, dataset, expected) -> None:
    with pytest.raises(ConfigError, match=f"key 'replay.dataset': '{dataset}' is not labelled .*{expected}"):
        simulate(_scenario(real, labels, dataset), tmp_path / "r", seed=0)
    assert not list(tmp_path.iterdir())


def test_labels_that_are_missing_are_refused(tmp_path, real) -> None:
    with pytest.raises(DataError, match=r"no-labels\.json: cannot be read"):
        simulate(_scenario(real, tmp_path / "no-labels.json", "walk"), tmp_path / "r", seed=0)
    assert not list(tmp_path.iterdir())


def test_a_place_that_the_store_lacks_is_refused(tmp_path, real) -> None:
    event = _label(START + "15", "anna", (77, 1, [1]), ["071063437089"])
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"lists": [{"dataset": "walk", "events": [event]}]}))
    with pytest.raises(ConfigError, match=r"key 'replay\.dataset': .*77"):
        simulate(_scenario(real, path, "walk"), tmp_path / "r", seed=0)
    assert [p.name for p in tmp_path.iterdir()] == ["labels.json"]


def test_a_shelf_that_its_gondola_lacks_is_refused(tmp_path, real) -> None:
    event = _label(START + "15", "anna", (1, 99, [1]), ["071063437089"])
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"lists": [{"dataset": "walk", "events": [event]}]}))
    with pytest.raises(ConfigError, match="plate 1/99/1 of the labels is not in the store"):
        simulate(_scenario(real, path, "walk"), tmp_path / "r", seed=0)


def _possible(units: list[Any]) -> list[Any]:
    """The units of one shopper, without the returns of what the labels never say was taken: those hands stay empty."""
    held: Counter[str] = Counter()
    possible = []
    for unit in units:
        held[unit[1]] += unit[2]
        if held[unit[1]] < 0:
            held[unit[1]] = 0
        else:
            possible.append(unit)
    return possible


def _acted(recording: Recording, events: list[Any], seed: int) -> Truth:
    """What happens, without files."""
    store = dataclasses.replace(recording, store=extended(recording.store, events))
    layout = recorded_store(store, needed=plates_of(events))
    planning, stocking, acting = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    stock, stage = Stock(layout, stocking), Stage(layout, acting)
    director = Director(stock, {f.article.id: f.article for f in layout.facings}, frozenset())
    performed = [stage.perform(programme)[1] for programme in replayed(events, layout, Habits(), planning)]
    for deed in sorted((deed for deeds in performed for deed in deeds), key=lambda deed: deed.time_s):
        director.settle(deed)
    return Truth(tuple(director.events))


def test_every_real_sequence_is_acted_out(benchmark_1, shared_data) -> None:
    """The same units of the same products on the same shelves, in each shopper's order; in time where that can be."""
    sequences = read_labels(shared_data / "nanostore" / "labels").events
    assert len(sequences) >= 40
    late, done = 0, 0
    for number, (name, labelled) in enumerate(sequences.items()):
        events = timed(labelled)
        truth = _acted(benchmark_1, events, number)
        assert {e.shopper for e in truth.events} == {e.event.shopper for e in events}, name
        for shopper in {e.event.shopper for e in events}:
            own = [e for e in events if e.event.shopper == shopper]
            units = _possible(_units(own))
            acted = [e for e in truth.events if e.shopper == shopper]
            assert [(shopper, e.product, e.quantity, e.plates[0].shelf_id) for e in acted] == units, name
            done += len(units)
            if len(units) < len(_units(own)):
                continue
            behind = False
            for e, time_s, event in zip(acted, *_due(own), strict=True):
                behind = abs(e.time_s - time_s) > 1.5 and (behind or not _has_time(event, own, events, benchmark_1))
                late += behind
                assert behind or abs(e.time_s - time_s) <= 1.5, (name, shopper, time_s)
    assert late <= 0.12 * done
    assert done >= 200


def _due(own: list[Any]) -> tuple[list[float], list[Any]]:
    """When each unit of a shopper's events is due, and of which event it is."""
    return [t for e in own for t in _times(e)], [e for e in own for _ in _times(e)]


def _has_time(event: Any, own: list[Any], everybody: list[Any], recording: Recording) -> bool:
    """Whether a shopper can come from the event before in time, with nobody to make way for."""

    def place_m(other: Any) -> np.ndarray:
        plates = other.event.plates
        beside = [p for p in recording.store.plates.values() if p.id.shelf_id == plates[0].shelf_id]
        nearest = min(beside, key=lambda p: abs(p.id.plate - np.mean([plate.plate for plate in plates])))
        return nearest.centre_m[:2]

    row = own.index(event)
    if row and event.time_s - own[row - 1].time_s < 4.0 + np.abs(place_m(event) - place_m(own[row - 1])).sum():
        return False
    others = [e for e in everybody if e.event.shopper != event.event.shopper and abs(e.time_s - event.time_s) < 12.0]
    return not any(np.abs(place_m(event) - place_m(other)).sum() < 1.5 for other in others)


def _times(timed_event: Any) -> list[float]:
    units = sum(product.id.isdecimal() for product in timed_event.event.products)
    return [timed_event.time_s + 0.2 * turn for turn in range(units)]


@pytest.mark.parametrize("name", ["cps-test-01", "cps-test-11", "BASELINE-12", "cps-test-23"])
def test_real_sequences_become_recordings(tmp_path, benchmark_1, shared_data, name) -> None:
    path = shared_data / "nanostore" / "labels"
    truth = simulate(_scenario(benchmark_1, path, name), tmp_path / "r", seed=1)
    recording = Recording.open(tmp_path / "r")
    assert recording.truth is not None
    assert len(recording.truth.events) == len(truth.events) > 0
    assert not [p for p in check_recording(tmp_path / "r") if p.severity == "error"]
    assert set(recording.store.plates) <= set(benchmark_1.store.plates)
