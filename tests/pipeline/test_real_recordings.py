"""The two real recordings of a cashier-free store that exist in public end in the right receipts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gocv.core import PlateId, Receipt, ShelfId, WeightEvent
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.recording import Recording
from gocv.pipeline import read_receipts, run
from gocv.pipeline.tables import cart_events_from, events_from, read_table


def items(receipt: Receipt) -> dict[str, int]:
    return {line.product: line.quantity for line in receipt.items}


def events_of(folder: Path) -> list[WeightEvent]:
    return events_from(read_table(folder / "events.parquet"))


def test_benchmark_1(benchmark_1: Recording, tmp_path: Path) -> None:
    (receipt,) = run(benchmark_1, tmp_path / "run")
    assert receipt.shopper == "3325379692103139202"
    assert items(receipt) == {"071142008582": 1}
    assert receipt.probability > 0.95
    assert not receipt.needs_review

    (event,) = (e for e in events_of(tmp_path / "run") if e.id in receipt.items[0].events)
    assert event.shelf == ShelfId(1, 5)
    assert event.delta_g[event.plates.index(PlateId(1, 5, 11))] == pytest.approx(-623, abs=3)


def test_cps_test_01(cps_test_01: Recording, cps_test_01_run: Path) -> None:
    (receipt,) = read_receipts(cps_test_01_run / "receipts.json")
    assert items(receipt) == {"071063437089": 1, "632565000012": 1}
    assert read_floor_tracks(cps_test_01_run / "shoppers.parquet").shoppers == (receipt.shopper,)

    moved = cart_events_from(read_table(cps_test_01_run / "cart_events.parquet"))
    labels = sorted(cps_test_01.truth.events, key=lambda e: e.time_s)
    assert [(m.product, m.quantity) for m in moved] == [(label.product, label.quantity) for label in labels]
    for move, label in zip(moved, labels, strict=True):
        assert move.time_s == pytest.approx(label.time_s, abs=1)


def test_cps_test_01_is_unsure_between_sauces_of_nearly_one_weight(cps_test_01_run: Path) -> None:
    (receipt,) = read_receipts(cps_test_01_run / "receipts.json")
    (fire,) = (line for line in receipt.items if line.product == "071063437089")
    assert 0.5 < fire.probability < 0.99
    assert len(receipt.accounts) > 1


def test_cps_test_01_says_that_cameras_are_uncalibrated(cps_test_01_run: Path) -> None:
    assert "one shopper" in (cps_test_01_run / "receipts.json").read_text()
