"""A picture of `gocv bench store`: how sure gocv is, and where it is ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gocv.bench.methods import OURS, WINNER
from gocv.bench.store_scores import ERROR_BOUND
from gocv.data.files import written_whole


def draw_store(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw risk against coverage of gocv and its ablations, and macro F1 of gocv and the winner by scenario.

    Args:
        rows: Of `gocv.bench.store.bench_store`.
        path: PNG to write.
    """
    figure = Figure(figsize=(13, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    _risk(left, [row for row in rows if row.get("risk_coverage")])
    _bars(right, rows)
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=110)


def _risk(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        points = row["risk_coverage"]
        reviewed = [1000 * (1 - point["coverage"]) for point in points]
        wide = 2.2 if row["method"] == OURS else 1.0
        axes.plot(reviewed, [100 * p["error"] for p in points], linewidth=wide, label=row["method"])
        if row["method"] == OURS and row["error_among_unreviewed"] is not None:
            at = (row["reviews_per_1000"], 100 * row["error_among_unreviewed"])
            axes.plot(*at, "ko", label="gocv's own threshold")
    axes.axhline(100 * ERROR_BOUND, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="receipts that a person looks at, of 1,000", ylabel="wrong among the others, %", xlim=(0, 1000))
    axes.set_title("Errors that remain against reviews, all scenarios", fontsize=10)
    axes.legend(fontsize=7)


def _bars(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    f1 = {(row["scenario"], row["method"]): row["macro_f1"] for row in rows}
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    at = np.arange(len(scenarios))
    for offset, (method, colour) in enumerate(((WINNER, "tab:gray"), (OURS, "tab:blue"))):
        heights = [f1.get((scenario, method), 0.0) for scenario in scenarios]
        axes.barh(at + 0.4 * (offset - 0.5), heights, 0.38, color=colour, label=method)
    axes.set_yticks(at, [scenario.replace("_", " ") for scenario in scenarios], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="macro F1", xlim=(0, 1))
    axes.set_title("Receipts by scenario", fontsize=10)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
