"""A classifier that a store teaches itself: `python experiments/self_label.py`.

Visits (seeds below 1000) are simulated with their scales. Weight events are found by the default detector, nearness
says who was there, and `gocv.interact.self_label` labels what hands did; nobody looks at the truth. The same trees
learn from these labels and from the true ones of the same visits, and are scored on the truth of test visits (seeds
of 10,000 and more), which `experiments/interaction_episodes.py test` makes.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from interaction_episodes import SCENARIOS, LookNoise, acts_of, find, labelled, settings, simulated_looks, with_labels

from gocv.bench.interaction import score_clips, unseen
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import FloorTracks, ScaleSamples, Store, WeightEvent
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.fusion.nearness import NearnessSettings, nearness
from gocv.interact.features import FEATURES
from gocv.interact.labelled import CLASSES, LabelledClips, read_clips, write_clips
from gocv.interact.self_label import self_labels
from gocv.interact.trees import fit_trees
from gocv.shelf import StepDetector
from gocv.sim import simulate, simulate_scene

FIRST_SEED = 200


class Taught(NamedTuple):
    """A visit's clips with the labels of the scales, and (n,) the true classes."""

    clips: LabelledClips
    true: np.ndarray


def events_of(samples: Sequence[ScaleSamples]) -> list[WeightEvent]:
    found: list[WeightEvent] = []
    for number, group in enumerate(samples):
        detector = StepDetector()
        events = [*detector.update(group), *detector.flush()]
        found += [dataclasses.replace(event, id=f"{number}/{event.id}") for event in events]
    return found


def movers(events: Sequence[WeightEvent], store: Store, shoppers: FloorTracks) -> dict[str, dict[str, float]]:
    """Who moved each event, by nearness alone."""
    how = NearnessSettings()
    found = {}
    for event in events:
        near = nearness(event, store, shoppers, how)
        whole = how.nobody + math.fsum(one.likelihood for one in near)
        found[event.id] = {one.shopper: one.likelihood / whole for one in near}
    return found


def visit(name: str, seed: int) -> Taught:
    scenario = settings(name, seed, rare=True)
    scenario = scenario.model_copy(update={"joints": scenario.joints.holding_names()})
    scene = simulate_scene(scenario, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        simulate(scenario, Path(folder) / "recording", seed=seed)
        recording = Recording.open(Path(folder) / "recording")
        shoppers = recording.floor_tracks()
        samples = [ScaleSamples.concatenate(list(recording.scale_chunks(group))) for group in recording.scales]
    looks = simulated_looks(scene, LookNoise(), np.random.default_rng([seed, 9]))
    episodes, clips = find(shoppers, recording.store, looks)
    true, _ = labelled(episodes, acts_of(scene))
    events = events_of(samples)
    inside_s = clips.features[:, FEATURES.index("inside_s")]
    target = self_labels(episodes, inside_s, events, movers(events, recording.store, shoppers))
    table = with_labels(clips, true, [], seed)
    return Taught(dataclasses.replace(table, target=target), true)


def row(method: str, looks: bool, test: LabelledClips, train: LabelledClips, visits: int) -> dict[str, Any]:
    train, test = (clips if looks else unseen(clips) for clips in (train, test))
    forest = fit_trees(train[train.target.any(axis=1)])
    figures = score_clips(test, forest.probabilities(test))
    about = {"method": method, "looks": looks, "visits": visits, "labels": int(train.target.any(axis=1).sum())}
    return {**about, "hand_labels": 0 if method == "labelled by the scales" else about["labels"], **figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visits", type=int, default=120)
    parser.add_argument("--test", type=Path, default=Path("runs/interact/test.safetensors"))
    parser.add_argument("--keep", type=Path, help="keep the clips with the scales' labels here")
    parser.add_argument("--json", type=Path, default=Path("experiments/results/self_label.json"))
    given = parser.parse_args()
    todo = [(SCENARIOS[n % len(SCENARIOS)], FIRST_SEED + n) for n in range(given.visits)]
    taught = [visit(name, seed) for name, seed in with_progress(todo, "visit", len(todo))]
    own = LabelledClips.concatenate([one.clips for one in taught])
    true = np.concatenate([one.true for one in taught])
    if given.keep is not None:
        write_clips(own, given.keep)
    fully = dataclasses.replace(own, target=np.eye(len(CLASSES), dtype=np.float32)[true])
    test = read_clips(given.test)
    rows = [
        row(method, looks, test, clips, given.visits)
        for looks in (True, False)
        for method, clips in (("labelled by the scales", own), ("labelled fully", fully))
    ]
    has, said = own.target.any(axis=1), own.target.argmax(axis=1)
    for i, name in enumerate(CLASSES):
        mine = has & (said == i)
        rows.append(
            {
                "method": f"labels '{name}'",
                "given": int(mine.sum()),
                "right": round(float((true[mine] == i).mean()), 4) if mine.any() else None,
                "of_all": round(float(mine[true == i].mean()), 4),
            }
        )
    for each in rows:
        print({key: value for key, value in each.items() if key != "confusion"})
    BenchmarkResult("self-labelling", rows, environment(FIRST_SEED), command_line()).write(given.json)


if __name__ == "__main__":
    main()
