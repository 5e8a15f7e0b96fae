"""`gocv tune`: a tracker's settings searched on sequences whose truth is known, detections replayed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gocv.bench.mot import Case, make_tracker, run_tracker, with_embeddings
from gocv.core import ConfigError, DataError, MissingDependencyError
from gocv.data.config import Model, build, load_yaml
from gocv.data.progress import with_progress
from gocv.metrics.mot import MotResult
from gocv.pipeline import PipelineConfig
from gocv.pipeline.appearance import looks_at_appearance, make_encoder

GOALS = ("hota", "mota", "idf1", "ass_a")
"""Scores that a search can make great."""


class Range(Model):
    """What a setting may be.

    Attributes:
        low: The least.
        high: The greatest.
        log: Whether small values are searched as finely as large ones.
    """

    low: float
    high: float
    log: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found.

    Attributes:
        settings: The best, those that were searched.
        score: The goal with them.
        default_score: The goal with the defaults.
        trials: How many were tried.
    """

    settings: Mapping[str, float | int]
    score: float
    default_score: float
    trials: int


def read_ranges(path: Path) -> dict[str, Range]:
    """A search's ranges: a mapping of settings to `low`, `high` and, where wanted, `log`.

    Raises:
        ConfigError: The file is missing, or an entry is not right.
    """
    ranges = {str(key): build(Range, value, file=path) for key, value in load_yaml(path).items()}
    for key, entry in ranges.items():
        if not entry.low < entry.high or (entry.log and entry.low <= 0):
            raise ConfigError(f"goes from {entry.low} to {entry.high}", file=path, key=key, expected="low < high")
    if not ranges:
        raise ConfigError("names no setting", file=path, expected="at least one range")
    return ranges


def cases_for(tracker: str, cases: Sequence[Case], config: PipelineConfig) -> tuple[list[Case], list[str]]:
    """The sequences that a tracker can be tuned on, and what is to be said of the others.

    A tracker that needs appearance gets the sequences that have pictures, with vectors by the encoder of `config`.

    Raises:
        ConfigError: The tracker is unknown, or the encoder's settings are wrong.
        DataError: The encoder's weights are missing, or the tracker needs appearance and no sequence has pictures.
    """
    if not looks_at_appearance(make_tracker(tracker, cases[0].rate_hz)):
        return list(cases), []
    encoder = make_encoder(config)
    made, notes = zip(*(with_embeddings(case, encoder) for case in cases), strict=True)
    left = [case for case in made if case.embeddings is not None]
    if not left:
        raise DataError(f"no sequence has pictures, and {tracker} needs appearance", expected="NAME/img1")
    return left, [note for said in notes for note in said]


def tune(
    tracker: str, ranges: Mapping[str, Range], cases: Sequence[Case], *, trials: int, seed: int, goal: str = "hota"
) -> Tuned:
    """Search a tracker's settings by the tree-structured Parzen estimator (Bergstra et al. 2011, as in optuna).

    The defaults are tried first, so that the best is no worse. A combination that the tracker refuses is passed over.

    Args:
        tracker: Its registered name.
        ranges: What is searched. Where the default is a whole number, so is what is tried.
        cases: Sequences with detections and what else the tracker needs, as of `cases_for`.
        trials: How many to try.
        seed: Of the search.
        goal: Which score of all sequences together is to be greatest: one of `GOALS`.

    Raises:
        ConfigError: The tracker is unknown or has no such setting.
        DataError: It needs appearance, and that of a sequence has not been made.
        MissingDependencyError: optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingDependencyError("tuning needs optuna: pip install 'gocv[tune]'") from error
    default = make_tracker(tracker, cases[0].rate_hz)
    unknown = next((key for key in ranges if not hasattr(default, key)), None)
    if unknown is not None:
        raise ConfigError(f"{tracker} has no such setting", key=unknown, expected="a setting of the tracker")
    whole = {key for key in ranges if isinstance(getattr(default, key, None), int)}

    def score(settings: Mapping[str, Any]) -> float:
        found = {case.name: run_tracker(make_tracker(tracker, case.rate_hz, settings), case)[0] for case in cases}
        return float(getattr(MotResult.of(found).combined, goal))

    def objective(trial: Any) -> float:
        settings = {
            key: trial.suggest_int(key, int(r.low), int(r.high))
            if key in whole
            else trial.suggest_float(key, r.low, r.high, log=r.log)
            for key, r in ranges.items()
        }
        try:
            return score(settings)
        except ConfigError as error:
            raise optuna.TrialPruned from error

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({key: getattr(default, key) for key in ranges})
    for _ in with_progress(range(trials), f"tune {tracker}", trials):
        study.optimize(objective, n_trials=1)
    first = study.trials[0]
    return Tuned(dict(study.best_params), float(study.best_value), float(first.value), len(study.trials))
