"""Each kind of wrong paperwork does what it says, to the recording's description and to nothing else."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from gocv.core import ConfigError, PlateId, ScaleSamples, Store
from gocv.data.recording import Recording
from gocv.sim import Scenario, StoreLayout, simulate
from gocv.sim.paperwork import Paperwork

SEEDS = range(8)


def _written(layout: StoreLayout, seed: int, **settings: float) -> Store:
    return Paperwork.model_validate(settings).written(layout, np.random.default_rng(seed))


def _gondolas_of(layout: StoreLayout, store: Store) -> set[int]:
    """Gondolas on which the planogram differs from the store."""
    products = store.planogram.keys() | layout.store.planogram.keys()
    differing = [store.planogram.get(p, frozenset()) ^ layout.store.planogram.get(p, frozenset()) for p in products]
    return {plate.gondola for plates in differing for plate in plates}


@pytest.mark.parametrize("store", ["demo", "small"])
def test_paperwork_is_right_unless_it_is_said_to_be_wrong(stores, store) -> None:
    layout = stores[store]
    written = _written(layout, 0)
    assert written.planogram == layout.store.planogram
    assert written.products == layout.store.products
    assert written.plates == layout.store.plates


@pytest.mark.parametrize("gondolas", [1, 2])
@pytest.mark.parametrize("store", ["demo", "small"])
def test_whole_gondolas_are_permuted(stores, store, gondolas) -> None:
    layout = stores[store]
    for seed in SEEDS:
        written = _written(layout, seed, wrong_gondolas=gondolas)
        assert len(_gondolas_of(layout, written)) == min(gondolas, len(layout.gondolas))
        facings = Counter(frozenset(f.plate_ids()) for f in layout.facings)
        assert set().union(*written.planogram.values()) == set().union(*facings)
        wrong = _gondolas_of(layout, written)
        for facing in layout.facings:
            if facing.shelf.gondola in wrong:
                twins = [f for f in layout.facings if f.article.id == facing.article.id]
                own = frozenset().union(*(f.plate_ids() for f in twins))
                assert not facing.plate_ids() <= written.planogram[facing.article.id] or len(own) > len(
                    facing.plate_ids()
                )
        assert written.products == layout.store.products


def test_no_more_gondolas_are_wrong_than_there_are(stores) -> None:
    with pytest.raises(ConfigError, match=r"key 'paperwork\.wrong_gondolas': 5 .*up to 4"):
        _written(stores["demo"], 0, wrong_gondolas=5)


def test_a_planogram_ages(stores) -> None:
    layout = stores["demo"]
    moved = {}
    for days in (0, 7, 60, 365):
        settings = {"age_days": days, "moved_per_day": 0.02}
        changed = [
            sum(_written(layout, seed, **settings).planogram[p] != on for p, on in layout.store.planogram.items())
            for seed in SEEDS
        ]
        moved[days] = np.mean(changed) / len(layout.store.planogram)
    assert moved[0] == 0
    assert 0.05 < moved[7] < 0.30  # 13 % of the facings on average
    assert moved[7] < moved[60] <= moved[365]
    assert moved[365] > 0.85
    assert _written(layout, 0, age_days=7, moved_per_day=0.0).planogram == layout.store.planogram


def test_an_old_planogram_also_means_mislaid_units(play, stores) -> None:
    assert Paperwork(age_days=0, misplaced_per_day=0.5).misplaced == 0.0
    assert Paperwork(age_days=2, misplaced_per_day=0.1).misplaced == pytest.approx(0.19)


@pytest.mark.parametrize("error", [0.3, 0.06])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_some_weights_on_file_are_wrong_by_the_range_that_is_stated(stores, share, error) -> None:
    wrong = right = heavier = 0
    for layout in stores.values():
        for seed in SEEDS:
            written = _written(layout, seed, wrong_weights=share, weight_error=error)
            for product in layout.store.products.values():
                off = written.products[product.id].weight_g / product.weight_g - 1
                if off == 0:
                    right += 1
                    continue
                wrong, heavier = wrong + 1, heavier + (off > 0)
                assert error / 3 - 1e-3 <= abs(off) <= error + 1e-3
    assert wrong / (wrong + right) == pytest.approx(share, abs=0.06)
    if share:
        assert 0.35 < heavier / wrong < 0.65


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_barcodes_lose_their_leading_zeros_in_products_and_planogram(stores, share) -> None:
    layout = stores["demo"]
    lost = whole = 0
    for seed in SEEDS:
        written = _written(layout, seed, lost_zeros=share)
        assert set(written.planogram) <= set(written.products)
        for barcode, product in layout.store.products.items():
            filed = barcode if barcode in written.products else barcode.lstrip("0")
            assert written.products[filed].name == product.name
            assert written.products[filed].id == filed
            assert written.planogram[filed] == layout.store.planogram[barcode]
            lost, whole = lost + (filed != barcode), whole + (barcode.startswith("0") and filed == barcode)
    assert lost / (lost + whole) == pytest.approx(share, abs=0.12)


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_lost_zeros_are_in_the_files_of_the_store_and_the_truth_keeps_them(tmp_path, stores) -> None:
    simulate(Scenario.model_validate({"paperwork": {"lost_zeros": 1.0}}), tmp_path / "r", seed=1, layout=stores["demo"])
    right = set(stores["demo"].store.products)
    for name in ("products.csv", "planogram.csv"):
        filed = set(_column(tmp_path / "r" / "store" / name, "product"))
        assert not any(barcode.startswith("0") for barcode in filed)
        assert filed == {barcode.lstrip("0") for barcode in right}
    for name in ("events.csv", "planogram.csv"):
        assert set(_column(tmp_path / "r" / "truth" / name, "product")) <= right
    assert any(barcode.startswith("0") for barcode in _column(tmp_path / "r" / "truth" / "events.csv", "product"))


def _samples(path: Path) -> list[ScaleSamples]:
    recording = Recording.open(path)
    return [ScaleSamples.concatenate(list(recording.scale_chunks(group))) for group in recording.scales]


def test_a_start_offset_shifts_the_samples_of_all_scales_and_nothing_else(tmp_path, stores) -> None:
    for name, span in (("right", (0.0, 0.0)), ("late", (2.5, 2.5))):
        scenario = Scenario.model_validate({"paperwork": {"start_offset_s": span}})
        simulate(scenario, tmp_path / name, seed=1, layout=stores["demo"])
    for right, late in zip(_samples(tmp_path / "right"), _samples(tmp_path / "late"), strict=True):
        np.testing.assert_allclose(late.time_s - right.time_s, 2.5, atol=1e-3)  # by the scales' own seconds
        np.testing.assert_array_equal(late.weight_g, right.weight_g)
    files = {p.relative_to(tmp_path / "right") for p in (tmp_path / "right").rglob("*") if p.is_file()}
    differing = [f for f in files if (tmp_path / "right" / f).read_bytes() != (tmp_path / "late" / f).read_bytes()]
    assert {file.parts[0] for file in differing} == {"scales", "recording.yaml"}
    right, late = (Recording.open(tmp_path / name) for name in ("right", "late"))
    assert late.scale_clock == right.scale_clock
    assert [note for note in late.notes if note not in right.notes] == [
        f"broken on purpose: ClockSkew(gondola={number}, offset_s=2.5, drift_ppm=0.0)" for number in (1, 2, 3, 4)
    ]


def test_wrong_paperwork_changes_nothing_that_happens(tmp_path, stores) -> None:
    settings = {"wrong_gondolas": 1, "wrong_weights": 0.5, "lost_zeros": 0.5, "age_days": 5, "misplaced_per_day": 0.0}
    right = simulate(Scenario(), tmp_path / "right", seed=1, layout=stores["demo"])
    wrong = simulate(
        Scenario.model_validate({"paperwork": settings}), tmp_path / "wrong", seed=1, layout=stores["demo"]
    )
    assert right == wrong
    for one, other in zip(_samples(tmp_path / "right"), _samples(tmp_path / "wrong"), strict=True):
        np.testing.assert_array_equal(one.weight_g, other.weight_g)


def test_mislaid_units_stand_where_the_truth_says(play, stores) -> None:
    played = play(Scenario.model_validate({"disorder": {"misplaced": 0.3, "astride": 0.0}}), stores["demo"], 1)
    first = [row for row in played.director.standings if row.time_s == 0.0]
    wrong = sum(r.units for r in first if r.plate not in stores["demo"].store.planogram[r.product])
    assert wrong / sum(r.units for r in first) == pytest.approx(0.3, abs=0.08)
    assert all(isinstance(row.plate, PlateId) for row in first)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wrong_gondolas", -1),
        ("age_days", -1),
        ("moved_per_day", 1.5),
        ("misplaced_per_day", -0.1),
        ("wrong_weights", 2),
        ("weight_error", 0),
        ("weight_error", 0.95),
        ("lost_zeros", float("nan")),
        ("start_offset_s", (4.0, 0.5)),
        ("start_offset_s", (0.0, float("inf"))),
    ],
)
def test_numbers_out_of_range_are_refused(key, value) -> None:
    with pytest.raises(ValidationError, match=key):
        Paperwork.model_validate({key: value})
