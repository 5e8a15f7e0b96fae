from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.bench.aim3s import GONDOLAS, PUBLISHED, bench_aim3s
from gocv.bench.labelled import METHODS, PLATES_PER_CELL
from gocv.bench.sessions import simulate_session
from gocv.data.config import load
from gocv.pipeline import PipelineConfig
from gocv.sim.stock import Disorder
from gocv.sim.stores import read_store

STORES = Path(__file__).parents[2] / "configs/sim/stores"
HOUSEHOLD = STORES / GONDOLAS["household"]


@pytest.mark.parametrize("several", [0.0, 1.0])
def test_what_is_taken_is_put_back_and_the_scales_see_it(several):
    layout = read_store(HOUSEHOLD)
    session = simulate_session(layout, Disorder(leaning=0), 3, 8, several)
    takes, puts = session.events[::2], session.events[1::2]
    assert [(e.product, -e.quantity) for e in puts] == [(e.product, e.quantity) for e in takes]
    assert all(e.quantity == 1 for e in takes) == (several == 0)
    for event in session.events:
        samples = session.samples[event.plates[0].shelf_id]
        before, after = (np.abs(samples.time_s - event.time_s - away_s) < 0.5 for away_s in (-1.5, 2.0))
        sums_g = samples.weight_g.sum(axis=1)
        change_g = sums_g[after].mean() - sums_g[before].mean()
        assert change_g == pytest.approx(-event.quantity * layout.store.products[event.product].weight_g, abs=30)
    assert session.shoppers.time_s[-1] > session.events[-1].time_s


def test_the_table():
    result = bench_aim3s({"household": HOUSEHOLD}, seeds=[5], events=4, config=load(PipelineConfig))
    labelled = [row for row in result.rows if row["protocol"] == "labelled"]
    assert {f"{m}, published" for m in PUBLISHED} < {row["method"] for row in labelled}
    assert {row["method"] for row in labelled} >= {*METHODS, "ours, each event alone"}
    limits = [row for row in labelled if row["method"].startswith("limit of weight")]
    assert len(limits) == 2
    assert all(0 <= row["cell_12"] <= 100 for row in limits)
    others = [row for row in labelled if row not in limits]
    assert all(0 <= row[f"cell_{cell}"] <= 100 for row in others for cell in PLATES_PER_CELL)
    detected = {row["method"]: row for row in result.rows if row["protocol"] == "detected"}
    assert set(detected) == {"FAIM", "gocv"}
    assert all(row["events"] == 4 for row in detected.values())
    assert detected["gocv"]["recall"] == 1
