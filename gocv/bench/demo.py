"""`gocv bench demo`: receipts of many simulated visits against the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.metrics import score_receipts
from gocv.pipeline import PipelineConfig, as_units, run
from gocv.sim import simulate_visit


def bench_demo(visits: int, first_seed: int, config: PipelineConfig) -> BenchmarkResult:
    """Simulate `visits` visits, of the seeds from `first_seed` on, and run the pipeline on each.

    The visits are ordinary ones, simulated in the store that comes with gocv. How far the simulator is to be believed
    `experiments/results/simulator_calibration.json` says; `gocv.bench.suite` puts published methods beside gocv.

    Returns:
        One row: `mean_f1` over visits, the share of receipts that are `exact`, their mean `probability`, the share
        that `needs_review`, and the share of exact ones among those that do not.
    """
    f1, exact, probability, review = [], [], [], []
    for seed in with_progress(range(first_seed, first_seed + visits), "visits", visits):
        with tempfile.TemporaryDirectory() as folder:
            truth = simulate_visit(Path(folder) / "recording", seed=seed)
            receipts = run(Recording.open(Path(folder) / "recording"), Path(folder) / "run", config)
        really = {r.shopper: dict(r.items) for r in truth.receipts or ()}
        found = as_units(receipts)
        f1.append(score_receipts(found, really).f1)
        exact += [found[r.shopper] == really.get(r.shopper or "", {}) for r in receipts]
        probability += [r.probability for r in receipts]
        review += [r.needs_review for r in receipts]
    unreviewed = np.array(exact)[~np.array(review)]
    row = {
        "method": "gocv",
        "visits": visits,
        "first_seed": first_seed,
        "receipts": len(exact),
        "mean_f1": float(np.mean(f1)),
        "exact": float(np.mean(exact)),
        "probability": float(np.mean(probability)),
        "needs_review": float(np.mean(review)),
        "exact_unreviewed": float(np.mean(unreviewed)) if len(unreviewed) else None,
    }
    return BenchmarkResult("demo", [row], environment(seed=first_seed), command_line())
