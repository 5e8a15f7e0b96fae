from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.bench import fusion_speed
from gocv.bench.fusion_speed import bench_fusion, draw_fusion_speed, make_up
from gocv.core import JOINTS
from gocv.data.config import load
from gocv.fusion import CartFuser
from gocv.pipeline import PipelineConfig


@pytest.mark.parametrize(("plates", "shoppers", "events"), [(5, 1, 30), (130, 4, 40), (300, 12, 5)])
def test_made_up_stores(plates, shoppers, events):
    given = make_up(plates, shoppers, events, np.random.default_rng(2))
    assert (len(given.store.plates), len(given.events), len(given.shoppers.shoppers)) == (plates, events, shoppers)
    assert set(given.shoppers.shopper.tolist()) == set(range(shoppers))
    on_plate = dict.fromkeys(given.store.plates, 0.0)
    wrist_m = given.shoppers.joints_m[:, JOINTS.index("r_wrist")]
    for event in given.events:
        on_plate[event.plates[0]] += event.total_g
        at = np.abs(given.shoppers.time_s - event.time_s) < 0.11
        away_m = np.linalg.norm(wrist_m[at] - given.store.plates[event.plates[0]].centre_m, axis=1)
        assert away_m.min() < 0.2
    assert max(on_plate.values()) < 10


def test_fusion_is_right_where_one_shopper_is_alone():
    given = make_up(60, 1, 12, np.random.default_rng(4))
    fused = CartFuser(given.store).fuse(given.events, given.shoppers)
    really = sorted((str(e.plates[0]), 1 if e.total_g < 0 else -1) for e in given.events)
    assert sorted((m.product, m.quantity) for m in fused.cart_events) == really


def test_the_table_and_the_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(fusion_speed, "SHOPPERS", (1, 3))
    monkeypatch.setattr(fusion_speed, "PLATES", (20,))
    result = bench_fusion(None, load(PipelineConfig), repeats=1, events=4, seed=1)
    assert [(r["varied"], r["plates"], r["concurrent_shoppers"]) for r in result.rows] == [
        ("shoppers", 300, 1),
        ("shoppers", 300, 3),
        ("plates", 20, 10),
    ]
    assert all(r["fusion_s"] > 0 and r["ms_per_event"] == 1000 * r["fusion_s"] / 4 for r in result.rows)
    draw_fusion_speed(result.rows, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")
    assert dataclasses.asdict(result)["benchmark"] == "fusion"
