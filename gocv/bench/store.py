"""`gocv bench store`: receipts of simulated stores in which things go wrong, gocv beside the published systems.

Every scenario of a folder is simulated with several seeds, and so are, as one more scenario, the thirty cases of the
AutoCheckout competition (`gocv.bench.suite`). Every method sees the same recordings. How far the simulator is to be
believed `experiments/results/simulator_calibration.json` says.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import gocv
from gocv.bench.methods import OURS, WINNER, ours, published
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.reviewer import review
from gocv.bench.store_scores import RecordingScore, asked, figures, risk_of, score
from gocv.bench.suite import case_seed, read_suite, scenario_of
from gocv.core import ConfigError, DataError
from gocv.data.config import Model, load
from gocv.data.files import write_json
from gocv.data.nanostore import convert_nanostore
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.pipeline import PipelineConfig, as_units
from gocv.sim import Scenario, read_scenario, simulate
from gocv.sim.scenario import Seeds

COMPETITION = "competition"
_STORE_OF = "BENCHMARK-1"
"""The recording of the NanoStore whose store the competition's cases are simulated in."""
_CURVE = 200

_RIGHT = (
    *("method", "recordings", "receipts", "macro_f1", "micro_f1", "exact", "exact_by_scenario"),
    *("event_precision", "event_recall", "event_identification", "event_who"),
)
_BELIEVED = (
    *("method", "calibration_error", "reviews_per_1000", "error_among_unreviewed", "hindsight_reviews_per_1000"),
    *("questions_per_1000", "exact_after_answers", "reviews_per_1000_after_answers", "wait_s_p50", "wait_s_p95"),
)

Scores = Mapping[str, Mapping[str, Sequence[RecordingScore]]]
"""Scores of single recordings, by method, by scenario."""


class StoreBenchmark(Model):
    """What is simulated, and with which settings.

    Attributes:
        scenarios: Folder of scenarios.
        suite: The competition's cases.
        only: Names of the scenarios that are simulated; all of the folder where there are none.
        left_out: Names of scenarios that are not simulated.
        video: Whether footage is rendered too. What was simulated is then kept in the folder of work.
        overrides: What is changed in a scenario, by its name, as `key=value`.
        ablations: What is changed in gocv's settings, by the name of the row, as `key=value`.
    """

    scenarios: Path = Path("configs/sim/scenarios")
    suite: Path = Path("configs/sim/suites/nanostore.yaml")
    only: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    video: bool = False
    overrides: Mapping[str, tuple[str, ...]] = {}
    ablations: Mapping[str, tuple[str, ...]] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class _Task:
    """A recording to simulate and to measure everything on; `file` keeps the scores, `filmed` one with footage."""

    group: str
    scenario: Scenario
    simulated_seed: int
    variants: Mapping[str, PipelineConfig]
    fingerprint: str
    file: Path
    filmed: Path | None = None


def bench_store(
    benchmark: Path,
    *,
    seeds: int,
    first_seed: int | None = None,
    root: Path | None = None,
    work: Path | None = None,
    ablations: bool = True,
    config: Path | None = None,
    overrides: Sequence[str] = (),
) -> tuple[BenchmarkResult, Scores]:
    """Simulate all scenarios with all seeds, and measure every method on each.

    Args:
        benchmark: YAML of a `StoreBenchmark`.
        seeds: How many.
        first_seed: The first; where None it is the first of each scenario's test range.
        root: Folder of NanoStore recordings; without it there are no competition cases.
        work: Folder that keeps the scores of single recordings: a run that died goes on there. Scores that other code
            or other settings gave are not used.
        ablations: Whether gocv is also measured without each of its parts.
        config: YAML of gocv's settings.
        overrides: Of gocv's settings, as `key=value`.

    Returns:
        The result, and what it was summed up from. Rows are for all scenarios together (`scenario` is "all": there
        each scenario weighs the same in `macro_f1` and `exact_by_scenario`, and each receipt the same in the rest),
        then for each scenario.

    Raises:
        ConfigError: A setting or a scenario is refused.
        DataError: The recordings below `root` cannot be used.
    """
    chosen = load(StoreBenchmark, benchmark)
    variants = {OURS: load(PipelineConfig, config, overrides)}
    for name, given in chosen.ablations.items() if ablations else ():
        variants[name] = load(PipelineConfig, config, [*overrides, *given])
    with tempfile.TemporaryDirectory() as folder:
        kept = work or Path(folder)
        tasks = list(_tasks(chosen, variants, range(seeds), first_seed, root, kept))
        _measure_all([task for task in tasks if _kept(task) is None])
        scores: dict[str, dict[str, list[RecordingScore]]] = {}
        for task in tasks:
            for method, found in (_kept(task) or {}).items():
                scores.setdefault(task.group, {}).setdefault(method, []).append(found)
    first = first_seed if first_seed is not None else Seeds().test[0]
    rows = [{**row, "seeds": _range(first, seeds)} for row in summary(scores)]
    return BenchmarkResult("store", rows, environment(first), command_line()), scores


def summary(scores: Scores) -> list[dict[str, Any]]:
    """A row for each method over all scenarios, then for each scenario; the former with the curve of risk."""
    methods = list(dict.fromkeys(method for group in scores.values() for method in group))
    single = [
        {"method": method, "scenario": name, **figures(found)}
        for name, group in scores.items()
        for method, found in group.items()
    ]
    rows: list[dict[str, Any]] = []
    for method in methods:
        own = [row for row in single if row["method"] == method]
        pooled = [found for group in scores.values() for found in group.get(method, ())]
        row = {"method": method, "scenario": "all", **figures(pooled)}
        row["macro_f1"] = sum(r["macro_f1"] for r in own) / len(own)
        row["exact_by_scenario"] = sum(r["exact"] for r in own) / len(own)
        if "calibration_error" in row:
            row["risk_coverage"] = _curve(pooled)
        rows.append(row)
    return rows + single


def tables(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The result as a person reads it: tables by their titles."""
    whole = [row for row in rows if row["scenario"] == "all"]
    believed = [row for row in whole if "calibration_error" in row]
    seeds = whole[0]["seeds"] if whole else "none"
    return {
        f"receipts and events of all scenarios, seeds {seeds}": [_columns(row, _RIGHT) for row in whole],
        "how far receipts can be believed, and what people have to do": [_columns(row, _BELIEVED) for row in believed],
        "scenario by scenario": against_winner(rows),
    }


def against_winner(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Put gocv beside the competition's winner, scenario by scenario."""
    of = {(row["scenario"], row["method"]): row for row in rows}
    compared = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        ours, winner = of.get((scenario, OURS)), of.get((scenario, WINNER))
        if ours is None or winner is None:
            continue
        ahead = ours["macro_f1"] - winner["macro_f1"]
        verdict = "ahead" if ahead > 0 else "level" if ahead == 0 else "behind"
        compared.append(
            {
                "scenario": scenario,
                "macro_f1": ours["macro_f1"],
                f"{WINNER} macro_f1": winner["macro_f1"],
                "gocv is": verdict,
                "exact": ours["exact"],
                f"{WINNER} exact": winner["exact"],
            }
        )
    return compared


def _columns(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: row[key] for key in keys if key in row}


def _tasks(
    chosen: StoreBenchmark,
    variants: Mapping[str, PipelineConfig],
    seeds: range,
    first_seed: int | None,
    root: Path | None,
    work: Path,
) -> Iterator[_Task]:
    code = _code()

    def task(group: str, name: str, scenario: Scenario, seed: int, simulated: int) -> _Task:
        settings = [config.model_dump(mode="json") for config in variants.values()]
        text = json.dumps([code, scenario.model_dump(mode="json"), simulated, list(variants), settings])
        fingerprint = hashlib.sha256(text.encode()).hexdigest()
        filmed = None
        if chosen.video:
            text = json.dumps([_code("geometry", "sim"), scenario.model_dump(mode="json"), simulated])
            digest = hashlib.sha256(text.encode()).hexdigest()[:12]
            filmed = work / "recordings" / f"{name}-{seed}-{digest}"
        return _Task(group, scenario, simulated, variants, fingerprint, work / f"{name}-{seed}.json", filmed)

    for path in _scenarios(chosen):
        scenario = read_scenario(path, chosen.overrides.get(path.stem, ()))
        first = scenario.seeds.test[0] if first_seed is None else first_seed
        for seed in seeds:
            yield task(path.stem, path.stem, scenario, first + seed, first + seed)
    if root is None:
        return
    suite, recording = read_suite(chosen.suite), work / "recordings" / _STORE_OF.lower()
    if not recording.is_dir():
        convert_nanostore(root / _STORE_OF, recording)
    for number, case in enumerate(suite.cases):
        scenario = scenario_of(case, suite, recording, root / "labels" / "events_v14.json")
        first = scenario.seeds.test[0] if first_seed is None else first_seed
        for seed in seeds:
            yield task(COMPETITION, case.name, scenario, first + seed, case_seed(first + seed, number))


def _scenarios(chosen: StoreBenchmark) -> list[Path]:
    found = sorted(chosen.scenarios.glob("*.yaml"))
    names = {path.stem for path in found}
    for key, listed in (("only", chosen.only), ("left_out", chosen.left_out), ("overrides", tuple(chosen.overrides))):
        unknown = sorted(set(listed) - names)
        if unknown:
            raise ConfigError(f"'{unknown[0]}' is no scenario of {chosen.scenarios}", key=key)
    wanted = set(chosen.only or names) - set(chosen.left_out)
    return [path for path in found if path.stem in wanted]


def _measure_all(tasks: Sequence[_Task]) -> None:
    """In as many processes as there are cores, longest recordings first."""
    if not tasks:
        return
    ordered = sorted(tasks, key=lambda task: -(task.scenario.hours or 0.0))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context, initializer=_one_thread) as pool:
        for _ in with_progress(pool.map(_measure, ordered), "recordings", len(ordered)):
            pass


def _one_thread() -> None:
    threadpool_limits(1)


def _measure(task: _Task) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, run_folder = task.filmed or Path(folder) / "recording", Path(folder) / "run"
        truth = None
        if not path.is_dir():
            truth = simulate(task.scenario, path, seed=task.simulated_seed, video=task.filmed is not None)
        recording = Recording.open(path)
        truth = truth or recording.truth
        assert truth is not None
        scores = {
            method: score(found, truth) for method, found in published(recording, recording.floor_tracks()).items()
        }
        for method, config in task.variants.items():
            found = ours(recording, run_folder, config)
            scores[method] = score(found, truth)
            if method == OURS:
                receipts, questions = review(run_folder, truth)
                after = dataclasses.replace(found, units=as_units(receipts), receipts=receipts)
                scores[method] = scores[method].model_copy(update={"asked": asked(after, questions, truth)})
    kept = {method: found.model_dump(mode="json") for method, found in scores.items()}
    write_json(task.file, {"fingerprint": task.fingerprint, "scores": kept})


def _kept(task: _Task) -> dict[str, RecordingScore] | None:
    """The scores of an earlier run, if it was this code with these settings."""
    try:
        kept = json.loads(task.file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise DataError(f"cannot be read: {problem}", file=task.file, expected="what this benchmark kept") from problem
    if kept.get("fingerprint") != task.fingerprint:
        return None
    return {method: RecordingScore.model_validate(found) for method, found in kept["scores"].items()}


def _code(*rooms: str) -> str:
    """A hash of these rooms of gocv, or of all of it, as installed here."""
    digest = hashlib.sha256()
    folder = Path(gocv.__file__).parent
    within = [folder / room for room in rooms] or [folder]
    files = (f for place in within for f in place.rglob("*"))
    for file in sorted(f for f in files if f.is_file() and "__pycache__" not in f.parts):
        digest.update(str(file.relative_to(folder)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _range(first: int, seeds: int) -> str:
    """The seeds in words: which range of `gocv.sim.scenario.Seeds` they are of."""
    last = first + seeds - 1
    of = [name for name, (low, high) in Seeds().model_dump().items() if low <= first and last <= high]
    return f"{first} to {last}, {of[0] if of else 'of no one range'}"


def _curve(scores: Sequence[RecordingScore]) -> list[dict[str, float]]:
    """Risk against coverage at up to 200 thresholds."""
    risk = risk_of(scores)
    step = max(1, len(risk.threshold) // _CURVE)
    points = zip(risk.threshold, risk.coverage, risk.risk, strict=True)
    return [
        {"threshold": float(t), "coverage": float(c), "error": float(r)}
        for row, (t, c, r) in enumerate(points)
        if row % step == 0 or row == len(risk.threshold) - 1
    ]
