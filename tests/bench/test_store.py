from __future__ import annotations

import json
from pathlib import Path

import pytest

from gocv.bench.store import against_winner, bench_store, summary, tables
from gocv.bench.store_picture import draw_store
from gocv.bench.store_scores import JudgedReceipt, RecordingScore
from gocv.core import ConfigError
from gocv.metrics.events import EventCounts

SCENARIOS = Path(__file__).parents[2] / "configs/sim/scenarios"
EVENTS = dict.fromkeys(EventCounts.__dataclass_fields__, 1)
METHODS = ["FAIM", "MPS (winner)", "Team 6 (second)", "gocv", "gocv with a single hypothesis"]


@pytest.fixture
def benchmark(tmp_path):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name in ("plain_visit", "hand_over"):
        (folder / f"{name}.yaml").write_text((SCENARIOS / f"{name}.yaml").read_text())
    path = tmp_path / "store.yaml"
    path.write_text(
        "scenarios: ./scenarios\nleft_out: [hand_over]\noverrides: {plain_visit: [shoppers=1]}\n"
        "ablations: {gocv with a single hypothesis: [fusion.beam=1]}\n"
    )
    return path


def recording_score(f1, receipts):
    return RecordingScore(true_positives=1, predicted=1, true=1, f1=f1, receipts=receipts, events=EVENTS)


def test_a_tiny_run_is_kept_and_gone_on_with(benchmark, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    kept = work / "plain_visit-7.json"
    kept.write_text('{"fingerprint": "of other code", "scores": {}}')
    result, scores = bench_store(benchmark, seeds=1, first_seed=7, work=work)
    assert list(scores) == ["plain_visit"]
    assert [row["method"] for row in result.rows] == METHODS * 2
    assert [row["scenario"] for row in result.rows] == ["all"] * 5 + ["plain_visit"] * 5
    assert {row["seeds"] for row in result.rows} == {"7 to 7, development"}
    assert all(row["receipts"] == 1 and 0 <= row["macro_f1"] <= 1 for row in result.rows)
    assert [("calibration_error" in row, "questions_per_1000" in row) for row in result.rows[:5]] == [
        *[(False, False)] * 3,
        (True, True),
        (True, False),
    ]
    value = json.loads(kept.read_text())
    value["scores"]["FAIM"]["f1"] = 0.125
    kept.write_text(json.dumps(value))
    again, _ = bench_store(benchmark, seeds=1, first_seed=7, work=work)
    assert again.rows[0]["macro_f1"] == 0.125
    assert again.rows[1:5] == result.rows[1:5]
    result.write(tmp_path / "result.json")
    draw_store(result.rows, tmp_path / "store.png")
    assert (tmp_path / "store.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["left_out: [plane_visit]", "overrides: {plane_visit: [shoppers=1]}"])
def test_a_scenario_that_is_not_there_is_refused(benchmark, text):
    benchmark.write_text(f"scenarios: ./scenarios\n{text}\n")
    with pytest.raises(ConfigError, match="plane_visit"):
        bench_store(benchmark, seeds=1, first_seed=7)


@pytest.mark.parametrize("ablation", ["fusion.bem=1", "fusion.beam=none"])
def test_an_ablation_that_will_not_do_is_refused(benchmark, ablation):
    benchmark.write_text(f"scenarios: ./scenarios\nablations: {{worse: [{ablation}]}}\n")
    with pytest.raises(ConfigError, match=r"fusion\.be"):
        bench_store(benchmark, seeds=1, first_seed=7)


def test_scenarios_weigh_the_same_in_macro_f1_and_receipts_in_the_rest():
    right, wrong = JudgedReceipt(exact=True, probability=0.9), JudgedReceipt(exact=False, probability=0.2, review=True)
    scores = {
        "short": {"gocv": [recording_score(1.0, (right,))]},
        "long": {"gocv": [recording_score(0.5, (wrong, wrong)), recording_score(0.0, (wrong,))]},
    }
    whole, *single = summary(scores)
    assert [row["scenario"] for row in single] == ["short", "long"]
    assert (whole["macro_f1"], whole["exact"], whole["exact_by_scenario"]) == (0.625, 0.25, 0.5)
    assert whole["reviews_per_1000"] == 750
    assert [p["coverage"] for p in whole["risk_coverage"]] == [0.25, 1.0]
    assert [p["error"] for p in whole["risk_coverage"]] == [0, 0.75]
    assert len(tables([{**row, "seeds": "0"} for row in (whole, *single)])) == 3


@pytest.mark.parametrize(("ours", "verdict"), [(0.9, "ahead"), (0.8, "level"), (0.7, "behind")])
def test_against_the_winner(ours, verdict):
    rows = [
        {"method": "gocv", "scenario": "s", "macro_f1": ours, "exact": 0.5},
        {"method": "MPS (winner)", "scenario": "s", "macro_f1": 0.8, "exact": 0.5},
        {"method": "gocv", "scenario": "alone", "macro_f1": 1.0, "exact": 0.5},
    ]
    assert [row["gocv is"] for row in against_winner(rows)] == [verdict]


def test_only_some_scenarios_of_a_folder_can_be_asked_for(benchmark):
    benchmark.write_text("scenarios: ./scenarios\nonly: [plain_visit]\noverrides: {plain_visit: [shoppers=1]}\n")
    _, scores = bench_store(benchmark, seeds=1, first_seed=7)
    assert list(scores) == ["plain_visit"]
