"""The run folder: each stage's table, and a note of what it was made from.

A stage is done when `stages/STAGE.json` exists and its fingerprint is that of the run at hand: a hash of gocv's
version, of the recording's files, of what people answered, and of the settings of this stage and of all before it, with
the files that they name (files count by size and time of change). The encoder's settings count from the first stage on,
and only with a tracker that needs appearance: then, and only then, vectors are made beside the detections. Everything
is written whole or not at all, so a run that was killed goes on from the last stage that finished.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gocv import __version__
from gocv.core import DataError
from gocv.data.files import write_json
from gocv.data.recording import Recording
from gocv.pipeline.appearance import needs_appearance
from gocv.pipeline.config import STAGES, PipelineConfig

Report = list[Mapping[str, Any]]

_SETTINGS = {
    "detect": ("detect", "pose"),
    "track": ("track",),
    "multicamera": ("multicamera",),
    "interact": ("interact",),
    "shelf": ("shelf", "chunk_s"),
    "fusion": ("fusion",),
}


class RunFolder:
    """Where a run keeps its tables.

    Args:
        path: The folder; made if need be.
        recording: What is run.
        config: How.

    Raises:
        DataError: `path` is a file, lies in the recording, or is a folder with other things in it and no run.
    """

    def __init__(self, path: Path, recording: Recording, config: PipelineConfig) -> None:
        if path.resolve().is_relative_to(recording.path.resolve()):
            raise DataError("lies in the recording", file=path, expected="a run folder of its own")
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / "stages").is_dir()):
            raise DataError("is in use and is not a run", file=path, expected="a new or empty folder, or a run's")
        self.path = path
        (path / "stages").mkdir(parents=True, exist_ok=True)
        for left_by_a_killed_run in path.glob(".*.part*"):
            left_by_a_killed_run.unlink()
        self._fingerprints = _fingerprints(recording, config, path / "labels.jsonl")

    def report_of(self, stage: str) -> Report | None:
        """What the stage reported, or None where it has not been done as this run would do it."""
        try:
            done = json.loads(self._marker(stage).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return done["report"] if done.get("fingerprint") == self._fingerprints[stage] else None

    def finish(self, stage: str, report: Report) -> None:
        """Note that the stage is done; its tables must have been written before."""
        write_json(self._marker(stage), {"fingerprint": self._fingerprints[stage], "report": report})

    def forget(self, stages: Iterable[str]) -> None:
        """Make stages run again."""
        for stage in stages:
            self._marker(stage).unlink(missing_ok=True)

    def table(self, name: str) -> Path:
        """Where a table of that name is kept."""
        return self.path / f"{name}.parquet"

    def _marker(self, stage: str) -> Path:
        return self.path / "stages" / f"{stage}.json"


def _fingerprints(recording: Recording, config: PipelineConfig, labels: Path) -> dict[str, str]:
    files = sorted(f for f in recording.path.rglob("*") if f.is_file())
    text = json.dumps([__version__, [(str(f.relative_to(recording.path)), _stamp(f)) for f in files]])
    settings = config.model_dump(mode="json")
    prints = {}
    for stage in STAGES:
        used = [settings[key] for key in _SETTINGS[stage]]
        if stage == "detect" and needs_appearance(config):
            used.append(settings["encode"])
        if stage == "fusion":
            used.append(_stamp(labels) if labels.is_file() else None)
        text = hashlib.sha256(json.dumps([text, used, _named_files(used)]).encode()).hexdigest()
        prints[stage] = text
    return prints


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _named_files(value: Any) -> list[tuple[int, int]]:
    """Stamps of the files that settings name."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [stamp for inner in value for stamp in _named_files(inner)]
    return [_stamp(Path(value))] if isinstance(value, str) and Path(value).is_file() else []
