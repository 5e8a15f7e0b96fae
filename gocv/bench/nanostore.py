"""`gocv bench nanostore`: the competition's score on the AutoCheckout recordings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import DataError, GocvError
from gocv.data.nanostore import convert_nanostore
from gocv.data.recording import Recording
from gocv.metrics import score_receipts
from gocv.pipeline import PipelineConfig, as_units, run


def bench_nanostore(root: Path, config: PipelineConfig) -> BenchmarkResult:
    """Convert and run every recording below `root` and score its receipts.

    Args:
        root: Folder with a recording in each sub-folder or archive, beside `layout` and `labels`.
        config: Settings of the runs.

    Returns:
        A row for each recording, then one with the means over the recordings whose truth is known. `f1` is
        `gocv.metrics.ReceiptScore.f1`; `exact` is 1 where every unit is right. A recording that cannot be used has a
        row that says why.

    Raises:
        DataError: There is no recording to score.
    """
    rows = [_row(source, config) for source in _sources(root)]
    scored = [row for row in rows if row["f1"] is not None]
    if not scored:
        raise DataError("holds no NanoStore recording with a known truth", file=root)
    mean: dict[str, Any] = {"method": "gocv", "recording": f"mean of {len(scored)}"}
    mean |= {key: sum(row[key] for row in scored) / len(scored) for key in ("f1", "exact")}
    return BenchmarkResult("nanostore", [*rows, mean], environment(), command_line())


def _sources(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        raise DataError("is not a folder", file=root)
    yield from (path for path in sorted(root.iterdir()) if path.name not in ("layout", "labels"))


def _row(source: Path, config: PipelineConfig) -> dict[str, Any]:
    row: dict[str, Any] = {"method": "gocv", "recording": source.name, "f1": None, "exact": None}
    with tempfile.TemporaryDirectory() as folder:
        try:
            convert_nanostore(source, Path(folder) / "recording")
            recording = Recording.open(Path(folder) / "recording")
            receipts = run(recording, Path(folder) / "run", config)
        except GocvError as error:
            return {**row, "note": str(error)}
    if recording.truth is None or recording.truth.receipts is None:
        return {**row, "note": "its truth is not known"}
    score = score_receipts(
        as_units(receipts),
        {r.shopper: dict(r.items) for r in recording.truth.receipts},
    )
    counts = {"true_positives": score.true_positives, "predicted": score.predicted, "true": score.true}
    return {**row, "f1": score.f1, "exact": float(score.f1 == 1), **counts}
