"""`gocv bench nanostore`: the competition's score on the AutoCheckout recordings, published systems beside gocv."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gocv.bench.methods import FAIM, OURS, SECOND, WINNER, Found, ours, published
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import DataError, GocvError
from gocv.data.nanostore import convert_nanostore
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.metrics import score_receipts
from gocv.pipeline import PipelineConfig

METHODS = (FAIM, WINNER, SECOND, OURS)


def bench_nanostore(root: Path, config: PipelineConfig) -> BenchmarkResult:
    """Convert every recording below `root`, run every method on it and score its receipts.

    Published systems see the recorded joints; where there are none they can charge nobody.

    Args:
        root: Folder with a recording in each sub-folder or archive, beside `layout` and `labels`.
        config: Settings of gocv.

    Returns:
        A row for each recording and method, then for each method one with the means over the recordings whose truth is
        known. `f1` is `gocv.metrics.ReceiptScore.f1`; `exact` is 1 where every unit is right. A recording that cannot
        be used has a row that says why.

    Raises:
        DataError: There is no recording to score.
    """
    sources = list(_sources(root))
    rows = [row for source in with_progress(sources, "recordings", len(sources)) for row in _rows(source, config)]
    means = []
    for method in METHODS:
        scored = [row for row in rows if row["method"] == method and row["f1"] is not None]
        if scored:
            mean = {key: sum(row[key] for row in scored) / len(scored) for key in ("f1", "exact")}
            means.append({"method": method, "recording": f"mean of {len(scored)}", **mean})
    if not means:
        raise DataError("holds no NanoStore recording with a known truth", file=root)
    return BenchmarkResult("nanostore", [*rows, *means], environment(), command_line())


def _sources(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        raise DataError("is not a folder", file=root)
    yield from (path for path in sorted(root.iterdir()) if path.name not in ("layout", "labels"))


def _rows(source: Path, config: PipelineConfig) -> list[dict[str, Any]]:
    unscored: dict[str, Any] = {"method": OURS, "recording": source.name, "f1": None, "exact": None}
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert_nanostore(source, Path(folder) / "recording")
            recording = Recording.open(Path(folder) / "recording")
            found = published(recording, recording.floor_tracks())
            found[OURS] = ours(recording, Path(folder) / "run", config)
        except GocvError as error:
            return [{**unscored, "note": str(error)}]
    if recording.truth is None or recording.truth.receipts is None:
        return [{**unscored, "note": "its truth is not known"}]
    truth = {r.shopper: dict(r.items) for r in recording.truth.receipts}
    return [_scored(method, source.name, found[method], truth) for method in METHODS]


def _scored(method: str, recording: str, found: Found, truth: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    score = score_receipts(found.units, truth)
    counts = {"true_positives": score.true_positives, "predicted": score.predicted, "true": score.true}
    return {"method": method, "recording": recording, "f1": score.f1, "exact": float(score.f1 == 1), **counts}
