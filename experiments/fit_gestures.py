"""Fit how probable a gesture is: logistic regression on visits with hand-overs and things on the floor, and without.

Every other visit is seen by a worse tracker than the one that was measured, as in `experiments/fit_nearness.py`. The
weights have a normal prior, of standard deviation 2 for a feature's own standard deviation: simulated people hand
things over in one way, and what tells them apart must not become certainty. Fitted on the first seeds, scored on as
many later ones, all of development.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from fit_nearness import called, worse
from scipy.optimize import minimize

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.data.recording import Recording
from gocv.fusion.gestures import GestureSettings, candidates
from gocv.sim import read_scenario, simulate

SEEDS = {
    "hand_over": 60,
    "left_on_floor": 60,
    "crossing_arms": 40,
    "very_close": 40,
    "plain_visit": 40,
    "rush_hour": 4,
}
HELD_OUT = 500
NEAR_S = 1.0
PRIOR_SD = 2.0
KINDS = ("hand_over", "floor")


class Sample(NamedTuple):
    """Candidates of one kind: (n, k) features, (n,) whether they were one, and how many there truly were."""

    features: Any
    right: Any
    true: int


def sample(scenarios: Path, name: str, seeds: Sequence[int]) -> dict[str, Sample]:
    """The candidates of a scenario, by kind."""
    rows: dict[str, list[tuple[tuple[float, ...], bool]]] = {kind: [] for kind in KINDS}
    true = dict.fromkeys(KINDS, 0)
    for seed in seeds:
        scenario = read_scenario(scenarios / f"{name}.yaml")
        if seed % 2:
            scenario = scenario.model_copy(update={"joints": worse(scenario.joints)})
        with tempfile.TemporaryDirectory() as folder:
            truth = simulate(scenario, Path(folder) / "recording", seed=seed)
            recording = Recording.open(Path(folder) / "recording")
            found = candidates(recording.floor_tracks(), recording.store, GestureSettings())
        left = [
            (e.kind, e.time_s, tuple(sorted(called(truth, who, e.time_s) for who in (e.shopper, e.to) if who)))
            for e in truth.events
            if e.kind in KINDS
        ]
        for kind, _, _ in left:
            true[kind] += 1
        for candidate in found:
            same = [e for e in left if e[0] == candidate.kind and e[2] == candidate.shoppers]
            near = [e for e in same if abs(e[1] - candidate.time_s) <= NEAR_S]
            rows[candidate.kind].append((candidate.features, bool(near)))
            if near:
                left.remove(near[0])
    return {
        kind: Sample(np.array([f for f, _ in rows[kind]]), np.array([r for _, r in rows[kind]], bool), true[kind])
        for kind in KINDS
    }


def pooled(samples: Sequence[Sample]) -> Sample:
    """All of them together."""
    some = [s for s in samples if len(s.right)]
    return Sample(
        np.concatenate([s.features for s in some]),
        np.concatenate([s.right for s in some]),
        sum(s.true for s in samples),
    )


def fit(of: Sample) -> tuple[float, ...]:
    """w_0 and the weights, at the maximum of their posterior."""
    mean, sd = of.features.mean(axis=0), np.maximum(of.features.std(axis=0), 1e-3)
    scaled = np.column_stack([np.ones(len(of.right)), (of.features - mean) / sd])
    sign = np.where(of.right, -1.0, 1.0)

    def loss(w: Any) -> float:
        return float(np.logaddexp(0, sign * (scaled @ w)).sum() + 0.5 * ((w[1:] / PRIOR_SD) ** 2).sum())

    w = minimize(loss, np.zeros(scaled.shape[1])).x
    slopes = w[1:] / sd
    return tuple(float(f"{v:.3g}") for v in (w[0] - slopes @ mean, *slopes))


def row(kind: str, scenario: str, of: Sample, weights: Sequence[float]) -> dict[str, Any]:
    """Precision and recall at even odds, and the mean of -log of the probability of what was so."""
    logit = weights[0] + of.features @ weights[1:] if len(of.right) else np.zeros(0)
    taken = logit > 0
    hits = int((taken & of.right).sum())
    loss = np.logaddexp(0, np.where(of.right, -logit, logit))
    return {
        "method": kind,
        "scenario": scenario,
        "true": of.true,
        "candidates": len(of.right),
        "reported": int(taken.sum()),
        "precision": round(hits / int(taken.sum()), 4) if taken.any() else None,
        "recall": round(hits / of.true, 4) if of.true else None,
        "log_loss": round(float(loss.mean()), 4) if len(loss) else None,
        "mean_probability": round(float((1 / (1 + np.exp(-logit))).mean()), 4) if len(loss) else None,
        "share_right": round(float(of.right.mean()), 4) if len(loss) else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=Path, default=Path("configs/sim/scenarios"))
    parser.add_argument("--json", type=Path, default=Path("experiments/results/gestures.json"))
    options = parser.parse_args()
    fitted = {name: sample(options.scenarios, name, range(n)) for name, n in SEEDS.items()}
    held_out = {name: sample(options.scenarios, name, range(HELD_OUT, HELD_OUT + n)) for name, n in SEEDS.items()}
    rows = []
    for kind in KINDS:
        weights = fit(pooled([of[kind] for of in fitted.values()]))
        print(kind, weights)
        for name, of in {**held_out, "all": None}.items():
            this = of[kind] if of else pooled([o[kind] for o in held_out.values()])
            rows.append(row(kind, name, this, weights))
            print(rows[-1])
        rows.append({"method": f"weights of {kind}", "weights": weights})
    BenchmarkResult("gestures", rows, environment(HELD_OUT), command_line()).write(options.json)


if __name__ == "__main__":
    main()
