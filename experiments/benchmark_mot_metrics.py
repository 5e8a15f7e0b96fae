"""HOTA, CLEAR and Identity of a crowd, ours beside TrackEval: `python experiments/benchmark_mot_metrics.py`.

A hundred people walk for a thousand frames; a tracker that misses, jitters and exchanges ids found them. All of it is
made up here.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402  after the number of threads is set
from scipy.optimize import linear_sum_assignment  # noqa: E402

from gocv.bench.mot_eval import evaluate_mot  # noqa: E402
from gocv.bench.result import BenchmarkResult, command_line, environment  # noqa: E402
from gocv.data.mot import MotRows, write_mot  # noqa: E402
from gocv.metrics.mot import MotResult, MotScores, MotSequence, count_mot  # noqa: E402

PEOPLE, FRAMES = 100, 1000
FLOOR = "two assignments a frame alone"
PLACE = {"hota": "HOTA", "mota": "CLEAR", "idf1": "Identity"}


def crowd(seed: int) -> tuple[MotRows, MotRows]:
    """True and found tracks."""
    rng = np.random.default_rng(seed)
    size = np.column_stack([rng.uniform(45, 90, PEOPLE), rng.uniform(110, 240, PEOPLE)])
    velocity = rng.normal(0, 2.2, (FRAMES, PEOPLE, 2)).cumsum(axis=0) * 0.05 + rng.normal(0, 2, (PEOPLE, 2))
    field = np.array([1920.0, 1080.0])
    path = rng.uniform(0, 1, (PEOPLE, 2)) * field + velocity.cumsum(axis=0)
    path = field - np.abs(np.mod(path, 2 * field) - field)  # walls reflect
    corner = path.reshape(-1, 2)
    frame, person = np.divmod(np.arange(FRAMES * PEOPLE), PEOPLE)
    truth = _rows(frame + 1, person + 1, corner, size[person])
    seen = rng.random(len(frame)) < 0.9
    number = person + 1 + PEOPLE * (rng.random((FRAMES, PEOPLE)) < 0.004).cumsum(axis=0).ravel()
    noise = rng.normal(0, 3, corner.shape)
    return truth, _rows(frame[seen] + 1, number[seen], (corner + noise)[seen], size[person][seen])


def _rows(frame: np.ndarray, number: np.ndarray, corner: np.ndarray, size: np.ndarray) -> MotRows:
    ones = np.ones(len(frame))
    xyxy = np.concatenate([corner, corner + size], axis=1)
    return MotRows(frame, number, xyxy, ones, ones.astype(np.int64), ones)


def trackeval_arrays(truth: MotRows, found: MotRows) -> dict[str, Any]:
    """TrackEval's input, by its own rules: ids without gaps, a dense matrix of similarities a frame."""
    from trackeval.datasets import MotChallenge2DBox

    data: dict[str, Any] = {"num_timesteps": FRAMES, "similarity_scores": []}
    for side, rows in (("gt", truth), ("tracker", found)):
        known, track = np.unique(rows.track_id, return_inverse=True)
        bounds = np.searchsorted(rows.frame, np.arange(1, FRAMES + 2))
        parts = [slice(a, b) for a, b in itertools.pairwise(bounds)]
        data[f"{side}_ids"] = [track[part] for part in parts]
        data[f"num_{side}_ids"], data[f"num_{side}_dets"] = len(known), len(rows)
        data[f"{side}_boxes"] = [rows.xyxy[part] for part in parts]
    for a, b in zip(data["gt_boxes"], data["tracker_boxes"], strict=True):
        data["similarity_scores"].append(MotChallenge2DBox._calculate_box_ious(a, b, box_format="x0y0x1y1"))
    return data


def trackeval_scores(data: dict[str, Any]) -> dict[str, float]:
    from trackeval.metrics import CLEAR, HOTA, Identity

    hota, quiet = HOTA().eval_sequence(data), {"PRINT_CONFIG": False}
    clear, identity = CLEAR(quiet).eval_sequence(data), Identity(quiet).eval_sequence(data)
    return {"hota": float(hota["HOTA"].mean()), "mota": float(clear["MOTA"]), "idf1": float(identity["IDF1"])}


def trackeval_files(folder: Path) -> dict[str, float]:
    import trackeval

    dataset = trackeval.datasets.MotChallenge2DBox.get_default_dataset_config()
    dataset |= {
        "GT_FOLDER": str(folder / "gt"),
        "TRACKERS_FOLDER": str(folder / "trackers"),
        "BENCHMARK": "MOT15",
        "SEQ_INFO": {"crowd": FRAMES},
        "SKIP_SPLIT_FOL": True,
        "PRINT_CONFIG": False,
    }
    settings = trackeval.Evaluator.get_default_eval_config()
    settings |= dict.fromkeys(
        ("PRINT_RESULTS", "PRINT_CONFIG", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES", "TIME_PROGRESS"), False
    )
    quiet = {"PRINT_CONFIG": False}
    metrics = [trackeval.metrics.HOTA(), trackeval.metrics.CLEAR(quiet), trackeval.metrics.Identity(quiet)]
    with contextlib.redirect_stdout(io.StringIO()):
        found, _ = trackeval.Evaluator(settings).evaluate([trackeval.datasets.MotChallenge2DBox(dataset)], metrics)
    scores = found["MotChallenge2DBox"]["found"]["crowd"]["pedestrian"]
    return {
        "hota": float(scores["HOTA"]["HOTA"].mean()),
        "mota": float(scores["CLEAR"]["MOTA"]),
        "idf1": float(scores["Identity"]["IDF1"]),
    }


def assignments_alone(data: dict[str, Any]) -> dict[str, float]:
    """Two assignments a frame, one for HOTA and one for CLEAR, and nothing else: what the obvious way cannot beat."""
    for similarity in data["similarity_scores"]:
        linear_sum_assignment(similarity, maximize=True)
        linear_sum_assignment(similarity, maximize=True)
    return {}


def ours(scores: MotScores) -> dict[str, float]:
    return {name: getattr(scores, name) for name in PLACE}


def sequence(truth: MotRows, found: MotRows) -> MotSequence:
    return MotSequence.from_boxes(truth.frame, truth.track_id, truth.xyxy, found.frame, found.track_id, found.xyxy)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5, choices=range(2, 100), metavar="N")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    truth, found = crowd(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gt, result = folder / "gt" / "crowd" / "gt" / "gt.txt", folder / "trackers" / "found" / "data" / "crowd.txt"
        write_mot(gt, truth)
        write_mot(result, found)
        (gt.parents[1] / "seqinfo.ini").write_text(f"[Sequence]\nname=crowd\nframeRate=30\nseqLength={FRAMES}\n")
        ready, prepared = sequence(truth, found), trackeval_arrays(truth, found)
        works: dict[tuple[str, str], Callable[[], dict[str, float]]] = {
            ("gocv", "files"): lambda: ours(evaluate_mot(gt, result, "mot15").combined),
            ("TrackEval", "files"): lambda: trackeval_files(folder),
            ("gocv", "arrays"): lambda: ours(MotResult.of({"": sequence(truth, found)}).combined),
            ("TrackEval", "arrays"): lambda: trackeval_scores(trackeval_arrays(truth, found)),
            ("gocv", "similarities"): lambda: ours(MotScores.of(count_mot(ready))),
            ("TrackEval", "similarities"): lambda: trackeval_scores(prepared),
            (FLOOR, "similarities"): lambda: assignments_alone(prepared),
        }
        spent: dict[tuple[str, str], list[float]] = {key: [] for key in works}
        scores = {}
        for turn in range(asked.repeats + 1):
            for key, work in works.items():
                start = time.perf_counter()
                scores[key] = work()
                if turn:  # the first does not count
                    spent[key].append(time.perf_counter() - start)
    rows = []
    for (method, start_from), times in spent.items():
        quarter = statistics.quantiles(times, n=4)
        rows.append(
            {
                "method": method,
                "from": start_from,
                "seconds": statistics.median(times),
                "seconds_iqr": quarter[2] - quarter[0],
                "times_trackeval": statistics.median(spent["TrackEval", start_from]) / statistics.median(times),
                **scores[method, start_from],
            }
        )
        print(rows[-1])
    if asked.json is not None:
        BenchmarkResult("mot metrics", rows, environment(asked.seed), command_line()).write(asked.json)


if __name__ == "__main__":
    main()
