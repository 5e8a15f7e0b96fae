"""Fit how things stand and lean, as `gocv.shelf.explain` has it, to labelled events of simulated gondolas.

What is maximised is the mean log probability of the right explanation, event by event, over two gondolas and several
ways to share load cells, on development seeds. One setting after the other is tried lower and higher, by a factor that
shrinks, until nothing helps. How wrong catalogues are is not fitted: the simulated ones are right, and real ones are
not (a simulator cannot say by how much); nor is what scales do, which comes from real ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gocv.bench.labelled import LabelledChange, folded_store, labelled_changes, products_of, protocol_settings
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.shelf import ExplainSettings, UnitWeights
from gocv.sim.layout import StoreLayout
from gocv.sim.stock import Disorder
from gocv.sim.stores import read_store

STORES = ("aim3s_household", "aim3s_candy")
START = {"frame_lean": 0.05, "lean": 0.1, "astride": 0.5, "beside": 0.03, "narrow": 0.5, "away": 0.02}
CELLS = (1, 3, 12)
LOWEST_LOG = -15.0

Sessions = Sequence[tuple[StoreLayout, Sequence[LabelledChange]]]


def mean_log_probability(sessions: Sessions, settings: ExplainSettings) -> float:
    """Of the product that moved, among those that may have moved alone."""
    logs = []
    for layout, changes in sessions:
        for cell in CELLS:
            store = folded_store(layout.store, cell)
            measured = protocol_settings(changes, cell, settings)
            weights = UnitWeights(store, measured)
            for change in changes:
                found = products_of(change, store, cell, weights, measured)
                log = {product: said.log for product, said in found.items()}
                total = np.logaddexp.reduce([*log.values(), LOWEST_LOG])
                logs.append(max(log.get(change.product, LOWEST_LOG) - total, LOWEST_LOG))
    return float(np.mean(logs))


def fit(sessions: Sessions, rounds: int) -> tuple[ExplainSettings, list[dict[str, object]]]:
    """The settings that do best, and each step on the way to them."""
    best = ExplainSettings().model_copy(update=START)
    score = mean_log_probability(sessions, best)
    steps = [_row("start", score, best)]
    factor = 2.0
    for _ in range(rounds):
        for key in START:
            for ratio in (factor, 1 / factor):
                odds = getattr(best, key) / (1 - getattr(best, key)) * ratio
                tried = best.model_copy(update={key: round(odds / (1 + odds), 3)})
                reached = mean_log_probability(sessions, tried)
                if reached > score:
                    best, score = tried, reached
                    steps.append(_row(f"{key} × {ratio:.2f}", score, best))
                    break
        factor **= 0.5
    return best, steps


def _row(method: str, score: float, settings: ExplainSettings) -> dict[str, object]:
    fitted = {key: getattr(settings, key) for key in START}
    return {"method": method, "mean_log_probability": round(score, 5), **fitted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", type=Path, default=Path("configs/sim/stores"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[100, 101, 102])
    parser.add_argument("--events", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("experiments/results/explain_fit.json"))
    arguments = parser.parse_args()
    layouts = [read_store(arguments.stores / f"{name}.yaml") for name in STORES]
    sessions = [
        (layout, labelled_changes(layout, Disorder(), seed, arguments.events))
        for layout in layouts
        for seed in arguments.seeds
    ]
    best, steps = fit(sessions, arguments.rounds)
    held_out = [(layout, labelled_changes(layout, Disorder(), 200, arguments.events)) for layout in layouts]
    for name, settings in (("default", ExplainSettings()), ("fitted", best)):
        score = mean_log_probability(held_out, settings)
        steps.append(_row(f"{name}, seed 200", score, settings))
    for step in steps:
        print(step)
    BenchmarkResult("explain_fit", steps, environment(arguments.seeds[0]), command_line()).write(arguments.out)


if __name__ == "__main__":
    main()
