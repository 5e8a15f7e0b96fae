"""The AutoCheckout competition simulated: its thirty cases, published methods beside gocv's own.

A case is a labelled sequence of the competition replayed, or a scene of the kind that it was; see
`configs/sim/suites/nanostore.yaml`. The score of a case is the competition's (`gocv.metrics.score_receipts`), that of a
method the mean over cases and seeds.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from gocv.bench.methods import OURS, ours, published
from gocv.bench.methods import WINNER as WINNER
from gocv.bench.methods import WITHOUT_PLANOGRAM as WITHOUT_PLANOGRAM
from gocv.bench.methods import WITHOUT_SPLITTING as WITHOUT_SPLITTING
from gocv.data.config import Model, build, load_yaml
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.metrics import score_receipts
from gocv.pipeline import PipelineConfig
from gocv.sim import Scenario, simulate
from gocv.sim.habits import Habits
from gocv.sim.replay import Replay
from gocv.sim.stores import StoreChoice


class Case(Model):
    """One case of the competition.

    Attributes:
        name: The competition's.
        winner_f1: What the winner scored on it.
        replay: Whether its labels are replayed.
        features: Scenes that stand in for it where they are not.
        shoppers: How many there are then.
        habits: Which of the suite's habits are other ones here.
    """

    name: str
    winner_f1: Annotated[float, Field(ge=0, le=1)]
    replay: bool = False
    features: tuple[str, ...] = ()
    shoppers: Annotated[int, Field(ge=1)] = 1
    habits: Mapping[str, Any] = Field(default_factory=dict)


class Suite(Model):
    """All the cases, and the habits of those shoppers who do not replay anything."""

    cases: tuple[Case, ...]
    habits: Habits = Habits()


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """What one method scored on one case with one seed."""

    method: str
    case: str
    seed: int
    f1: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Task:
    number: int
    case: Case
    scenario: Scenario
    seed: int


def read_suite(path: Path) -> Suite:
    """Read a suite from YAML.

    Raises:
        ConfigError: Something in it is wrong; file and key are named.
    """
    return build(Suite, load_yaml(path), file=path)


def scenario_of(case: Case, suite: Suite, recording: Path, labels: Path) -> Scenario:
    """What is simulated for a case.

    Args:
        case: Of the suite.
        suite: Whose habits count.
        recording: One of the NanoStore, for its store.
        labels: The competition's.
    """
    store = StoreChoice(recording=recording, noise={1: "shaky"})
    if case.replay:
        return Scenario(about=case.name, store=store, replay=Replay(labels=labels, dataset=case.name))
    habits = build(Habits, {**suite.habits.model_dump(), **case.habits})
    return Scenario(about=case.name, store=store, shoppers=case.shoppers, features=case.features, habits=habits)


def run_suite(
    suite: Suite,
    recording: Path,
    labels: Path,
    seeds: Sequence[int],
    amend: Callable[[Scenario], Scenario] = lambda scenario: scenario,
) -> list[Score]:
    """Simulate all cases with all seeds, and score every method on each.

    Args:
        suite: The cases.
        recording: One of the NanoStore, for its store.
        labels: The competition's.
        seeds: Of the simulations.
        amend: Changes a scenario before it is simulated.
    """
    tasks = [
        _Task(number, case, amend(scenario_of(case, suite, recording, labels)), seed)
        for number, case in enumerate(suite.cases)
        for seed in seeds
    ]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("spawn")) as pool:
        done = with_progress(pool.map(_scores, tasks), "cases", len(tasks))
        return [score for scores in done for score in scores]


def summary(scores: Sequence[Score], suite: Suite) -> list[dict[str, Any]]:
    """A row for each method: mean F1 with its standard error over seeds, and that over the replayed cases alone."""
    replayed = {case.name for case in suite.cases if case.replay}
    rows = []
    for method in dict.fromkeys(score.method for score in scores):
        own = [score for score in scores if score.method == method]
        by_seed = [np.mean([s.f1 for s in own if s.seed == seed]) for seed in sorted({s.seed for s in own})]
        rows.append(
            {
                "method": method,
                "cases": len({s.case for s in own}),
                "seeds": len(by_seed),
                "mean_f1": float(np.mean(by_seed)),
                "standard_error": float(np.std(by_seed, ddof=1) / np.sqrt(len(by_seed))) if len(by_seed) > 1 else None,
                "mean_f1_replayed": float(np.mean([s.f1 for s in own if s.case in replayed])),
                "perfect_cases": float(np.mean([s.f1 == 1.0 for s in own])),
            }
        )
    return rows


def by_case(scores: Sequence[Score], suite: Suite) -> list[dict[str, Any]]:
    """A row for each case: the winner's F1 as published, and each method's mean over seeds."""
    methods = list(dict.fromkeys(score.method for score in scores))
    return [
        {
            "method": case.name,
            "replayed": case.replay,
            "winner_published": case.winner_f1,
            **{m: float(np.mean([s.f1 for s in scores if s.case == case.name and s.method == m])) for m in methods},
        }
        for case in suite.cases
    ]


def case_seed(seed: int, number: int) -> int:
    """The seed of a case's own: ordinary visits would be one and the same otherwise.

    Args:
        seed: Of the suite.
        number: The case's position in the suite, from 0.
    """
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _scores(task: _Task) -> list[Score]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        truth = simulate(task.scenario, path, seed=case_seed(task.seed, task.number))
        recording = Recording.open(path)
        carts = {receipt.shopper: dict(receipt.items) for receipt in truth.receipts or ()}
        found = published(recording, recording.floor_tracks(), ablations=True)
        found[OURS] = ours(recording, Path(folder) / "run", PipelineConfig())
    return [
        Score(method, task.case.name, task.seed, score_receipts(said.units, carts).f1) for method, said in found.items()
    ]
