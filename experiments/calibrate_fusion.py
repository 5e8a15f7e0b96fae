r"""Calibrate the probabilities of receipts, and choose the review policy, on simulated visits of development seeds.

    python experiments/calibrate_fusion.py --skip 620 --visits 1000 --work runs/calibration \
        --root ../shared/data/nanostore --recording recordings/benchmark-1

Writes `gocv/fusion/shipped/{calibrator,review}.json`, which come with gocv. The visits of even numbers fit the
calibrator, those of odd numbers choose the threshold; seeds are those of development (0 to 999) alone, without those
on which the demo is measured. Visits that were looked at while fusion was built are skipped: what is chosen on them
would promise too much. A run that died goes on in the folder given with `--work`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from gocv import __version__
from gocv.bench.result import command_line
from gocv.bench.suite import read_suite, scenario_of
from gocv.data.files import write_json
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.review import ReviewPolicy, choose_threshold
from gocv.fusion.shipped import CALIBRATOR, POLICY
from gocv.metrics import match_shoppers
from gocv.multicamera import mend
from gocv.pipeline import PipelineConfig, as_units
from gocv.pipeline.decisions import decide, weigh
from gocv.sim import Scenario, read_scenario, simulate

HERE = Path(__file__).parent
SCENARIOS = HERE.parent / "configs/sim/scenarios"
SUITE = HERE.parent / "configs/sim/suites/nanostore.yaml"
DAYS = ("busy_day", "plain_day")
SEEDS = [seed for seed in range(1000) if not 41 <= seed <= 80]
BOUNDS = (0.05, 0.02, 0.01, 0.005)
"""Shares of wrong receipts among those that pass; the last is the goal."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Visit:
    """One to simulate, and the file that keeps what came of it."""

    scenario: Scenario
    seed: int
    kept: Path


def visits(rows: range, root: Path | None, recording: Path | None) -> list[tuple[Scenario, int]]:
    """Scenarios in turn, each time with another seed; whole days are left out, ordinary visits stand for them."""
    scenarios = [read_scenario(path) for path in sorted(SCENARIOS.glob("*.yaml")) if path.stem not in DAYS]
    if root is not None and recording is not None:
        suite, labels = read_suite(SUITE), root / "labels/events_v14.json"
        scenarios += [scenario_of(case, suite, recording, labels) for case in suite.cases]
    seeds = np.random.default_rng(0).permutation(SEEDS)
    return [(scenarios[row % len(scenarios)], int(seeds[row % len(seeds)])) for row in rows]


def stated(visit: _Visit) -> list[tuple[float, bool, bool]]:
    """For each receipt of a visit: its probability before calibration, whether it is right, whether it may pass."""
    if not visit.kept.exists():
        write_json(visit.kept, _simulated(visit.scenario, visit.seed))
    return [(probability, right, able) for probability, right, able in json.loads(visit.kept.read_text("utf-8"))]


def _simulated(scenario: Scenario, seed: int) -> list[tuple[float, bool, bool]]:
    with tempfile.TemporaryDirectory() as folder:
        truth = simulate(scenario, Path(folder) / "recording", seed=seed)
        recording, config = Recording.open(Path(folder) / "recording"), PipelineConfig()
        shoppers = mend(recording.floor_tracks(), recording.store.zones).tracks
        events, scales = weigh(recording, config)
        fused, _, report = decide(recording, config, events, shoppers, scales)
    really = {receipt.shopper: dict(receipt.items) for receipt in truth.receipts or ()}
    found = as_units(fused.receipts)
    partner = match_shoppers(found, really)
    anything = ReviewPolicy(0.0, 0.005, 0.95, 0, 0, 0)
    return [
        (r.probability, found[r.shopper] == really.get(partner.get(r.shopper or "", ""), {}), not refused)
        for r in fused.receipts
        for refused in [anything.needs_review(r, report)]
    ]


def calibrated(runs: Sequence[Sequence[tuple[float, bool, bool]]], made: dict[str, object]) -> None:
    """Fit on one half, choose on the other, and write both files."""
    fitted, chosen = ([receipt for run in runs[half::2] for receipt in run] for half in (0, 1))
    raw, right, _ = (np.array(column) for column in zip(*fitted, strict=True))
    calibrator = Calibrator.fit(raw, right.astype(bool), {**made, "receipts": len(raw)})
    raw, right, able = (np.array(column) for column in zip(*chosen, strict=True))
    able = able.astype(bool)
    policy = _policy(calibrator.apply(raw[able]), right[able].astype(bool), made)
    calibrator.save(CALIBRATOR)
    policy.save(POLICY)
    print(f"{len(fitted)} receipts fitted, {len(chosen)} to choose on, {able.sum()} of them able to pass")
    print(f"for an error of {policy.max_error} the threshold is {policy.threshold:.4f}:", end=" ")
    print(f"{policy.unreviewed} pass, {policy.wrong} of them wrong")


def _policy(probability: np.ndarray, right: np.ndarray, made: dict[str, object]) -> ReviewPolicy:
    """For the smallest of `BOUNDS` that these receipts can certify: from the largest on, until one fails."""
    chosen = choose_threshold(probability, right, max_error=BOUNDS[0], made=made)
    for bound in BOUNDS[1:]:
        tighter = choose_threshold(probability, right, max_error=bound, made=made)
        if not np.isfinite(tighter.threshold):
            break
        chosen = tighter
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--skip", type=int, default=620, help="visits looked at while fusion was built")
    parser.add_argument("--work", type=Path, help="folder that keeps what came of each visit; of this very code alone")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--recording", type=Path)
    arguments = parser.parse_args()
    rows = range(arguments.skip, arguments.skip + arguments.visits)
    planned = visits(rows, arguments.root, arguments.recording)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        tasks = [_Visit(*visit, work / f"{row}.json") for row, visit in zip(rows, planned, strict=True)]
        with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
            runs = list(with_progress(pool.map(stated, tasks), "visits", len(tasks)))
    made = {"gocv": __version__, "command": command_line(), "visits": len(tasks), "skipped": arguments.skip}
    calibrated(runs, {**made, "seeds": "0-40, 81-999"})


if __name__ == "__main__":
    main()
