"""Trackers beside their peers, on the same detections, in one run: `python experiments/benchmark_tracking.py --help`.

Peers are measured by the scripts in the folder `--peers`: a `bench_data.py` (crowds and public detections) and a
`bench_trackers.py` (a `make_NAME` for each peer). The peers themselves are packages of the environment that runs this,
and copies of repositories below `--originals`.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402  after the number of threads is set

from gocv.bench.mot_eval import scored_sequence  # noqa: E402
from gocv.bench.result import BenchmarkResult, command_line, environment  # noqa: E402
from gocv.core import Detections, Tracker  # noqa: E402
from gocv.data.mot import MotRows, as_detections, read_cvml, read_mot  # noqa: E402
from gocv.metrics.mot import MotResult, MotScores  # noqa: E402
from gocv.track import BotSortTracker, ByteTracker, OcSortTracker, SortTracker  # noqa: E402

Array = np.ndarray
OURS: dict[str, tuple[str, Callable[[float], Tracker]]] = {
    "gocv SORT": ("SORT", lambda rate: SortTracker(rate_hz=rate, min_score=0.3)),
    "gocv ByteTrack": ("ByteTrack", lambda rate: ByteTracker(rate_hz=rate, max_age_s=30 / rate)),
    "gocv OC-SORT": ("OC-SORT", lambda rate: OcSortTracker(rate_hz=rate, max_age_s=30 / rate)),
    "gocv ByteTrack, similarity from 0.05": (
        "ByteTrack",
        lambda rate: ByteTracker(rate_hz=rate, max_age_s=30 / rate, min_similarity=0.05),
    ),
    "gocv ByteTrack, scores from 0.5": (
        "ByteTrack",
        lambda rate: ByteTracker(rate_hz=rate, max_age_s=30 / rate, high_score=0.5, new_track_score=0.6),
    ),
    "gocv BoT-SORT, similarity from 0.05": (
        "BoT-SORT",
        lambda rate: BotSortTracker(rate_hz=rate, max_age_s=30 / rate, min_similarity=0.05),
    ),
    "gocv BoT-SORT": ("BoT-SORT", lambda rate: BotSortTracker(rate_hz=rate, max_age_s=30 / rate)),
}
PEERS = {
    "rf_sort": ("roboflow SORT", "SORT"),
    "sort_filterpy": ("original SORT", "SORT"),
    "rf_bytetrack": ("roboflow ByteTrack", "ByteTrack"),
    "bytetrack_original": ("original ByteTrack", "ByteTrack"),
    "sv_bytetrack": ("supervision ByteTrack", "ByteTrack"),
    "rf_ocsort": ("roboflow OC-SORT", "OC-SORT"),
    "ocsort_original": ("original OC-SORT", "OC-SORT"),
    "rf_botsort": ("roboflow BoT-SORT", "BoT-SORT"),
}
RATE_HZ = 30.0

Frames = Sequence[Array]
"""For each frame (n, 6): left, top, right, bottom, score, class."""


class Runner:
    """A tracker of ours or a peer's behind one call."""

    def __init__(self, prepare: Callable[[Frames], list[Any]], new: Callable[[], Any], step: Callable[..., Array]):
        self.prepare, self.new, self.step = prepare, new, step

    def run(self, frames: Frames) -> tuple[float, list[Array]]:
        """Seconds of the update calls alone, and (m, 5) left, top, right, bottom, id of each frame."""
        items, tracker, found = self.prepare(frames), self.new(), []
        gc.collect()
        gc.disable()
        start = time.perf_counter()
        for item in items:
            found.append(self.step(tracker, item))
        spent = time.perf_counter() - start
        gc.enable()
        return spent, found


def ours(name: str, rate_hz: float = RATE_HZ) -> Runner:
    make = OURS[name][1]

    def prepare(frames: Frames) -> list[Any]:
        return [
            (i / rate_hz, Detections(f[:, :4].astype(np.float32), f[:, 4].astype(np.float32), f[:, 5].astype(np.int64)))
            for i, f in enumerate(frames)
        ]

    def step(tracker: Tracker, item: Any) -> Array:
        tracks = tracker.update(item[1], time_s=item[0])
        known = tracks.track_id > 0
        return np.column_stack([tracks.xyxy[known], tracks.track_id[known]])

    return Runner(prepare, lambda: make(rate_hz), step)


def theirs(folder: Path, name: str) -> Runner:
    import bench_trackers

    return Runner(*getattr(bench_trackers, f"make_{name}")())


def runners(folder: Path, rate_hz: float = RATE_HZ) -> dict[str, tuple[str, Runner]]:
    """Name → algorithm and runner, ours first; a peer that is not installed is said and left out."""
    found = {name: (algorithm, ours(name, rate_hz)) for name, (algorithm, _) in OURS.items()}
    for key, (name, algorithm) in PEERS.items():
        try:
            found[name] = (algorithm, theirs(folder, key))
        except (ImportError, FileNotFoundError) as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return found


def speed(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Frames a second of every tracker on every data set; they take turns, so that the machine's moods are shared."""
    import bench_data

    rows = []
    for data in ("crowd100", "crowd300", "mot15"):
        sequences = bench_data.load(data)
        count = sum(map(len, sequences.values()))
        spent: dict[str, list[float]] = {}
        made = runners(folder)
        for turn in range(rounds + 1):
            for name, (_, runner) in made.items():
                total = sum(runner.run(frames)[0] for frames in sequences.values())
                if turn:  # the first does not count
                    spent.setdefault(name, []).append(count / total)
        for name, (algorithm, _) in made.items():
            quarter = statistics.quantiles(spent[name], n=4) if rounds > 1 else [spent[name][0]] * 3
            rows.append(
                {
                    "method": name,
                    "algorithm": algorithm,
                    "data": data,
                    "frames": count,
                    "frames_per_s": statistics.median(spent[name]),
                    "frames_per_s_iqr": quarter[2] - quarter[0],
                }
            )
    return list(beside_peers(rows))


def beside_peers(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, ours with how many times as fast they are as the fastest peer with their algorithm."""
    for row in rows:
        rivals = [r["frames_per_s"] for r in rows if _same(r, row) and not r["method"].startswith("gocv")]
        own = row["method"].startswith("gocv") and rivals
        yield {**row, "times_fastest_peer": row["frames_per_s"] / max(rivals)} if own else row


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Bars: frames a second of each tracker on each data set, ours dark."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    titles = {"crowd100": "100 people", "crowd300": "300 people", "mot15": "MOT15, 6 boxes a frame"}
    first = [row for row in rows if row["data"] == next(iter(titles)) and "," not in row["method"]]
    names = [row["method"] for row in sorted(first, key=lambda row: (row["algorithm"], row["frames_per_s"]))]
    figure, all_axes = plt.subplots(1, len(titles), figsize=(13, 4.2), layout="constrained")
    for axes, (data, title) in zip(all_axes, titles.items(), strict=True):
        speed_of = {row["method"]: row["frames_per_s"] for row in rows if row["data"] == data}
        colours = ["tab:blue" if name.startswith("gocv") else "tab:gray" for name in names]
        axes.barh(names, [speed_of[name] for name in names], color=colours)
        axes.set(title=title, xlabel="frames a second, one thread")
        axes.tick_params(labelsize=8)
    for axes in all_axes[1:]:
        axes.set_yticklabels([])
    figure.savefig(path, dpi=110)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["data"], one["algorithm"]) == (other["data"], other["algorithm"])


def sequences(data: Path) -> dict[str, tuple[MotRows, MotRows, float, str]]:
    """Truth, detections, frames a second and rules of the sequences whose truth is public."""
    mot = data / "mot"
    return {
        "PETS09-S2L1": (
            read_cvml(data / "pets09" / "annotations" / "PETS2009-S2L1.xml"),
            read_mot(mot / "MOT15" / "PETS09-S2L1" / "det" / "det.txt"),
            7.0,
            "mot15",
        ),
        "TUD-Campus": (
            read_mot(mot / "MOT15" / "TUD-Campus" / "gt" / "gt.txt"),
            read_mot(mot / "MOT15" / "TUD-Campus" / "det" / "det.txt"),
            25.0,
            "mot15",
        ),
        "MOT16-13": (
            read_mot(mot / "MOT16" / "MOT16-13" / "gt" / "gt.txt"),
            read_mot(mot / "MOT17Det_DPM" / "MOT17-13.txt"),
            25.0,
            "mot16",
        ),
    }


def quality(folder: Path, data: Path) -> list[dict[str, Any]]:
    """Scores of every tracker on the same detections, at the thresholds that it comes with."""
    rows = []
    for sequence, (truth, detections, _, rules) in sequences(data).items():
        last = int(max(truth.frame.max(), detections.frame.max()))
        frames = [
            np.column_stack([d.xyxy, d.score, d.label]).astype(np.float64) for d in as_detections(detections, last)
        ]
        for name, (algorithm, runner) in runners(folder).items():
            _, found = runner.run(frames)
            rows.append(
                {"method": name, "algorithm": algorithm, "sequence": sequence, **_score(truth, found, rules).json()}
            )
    return rows


def _score(truth: MotRows, found: Sequence[Array], rules: str) -> MotScores:
    frame = np.repeat(np.arange(1, len(found) + 1), [len(f) for f in found])
    table = np.concatenate([np.asarray(f, np.float64).reshape(-1, 5) for f in found])
    ones = np.ones(len(table))
    rows = MotRows(frame, table[:, 4].astype(np.int64), table[:, :4], ones, ones.astype(np.int64), ones)
    return MotResult.of({"": scored_sequence(truth, rows, rules)}).combined  # type: ignore[arg-type]


def memory(frames: int) -> list[dict[str, Any]]:
    """The most memory that each of our trackers has needed after a tenth of the frames and after all of them."""
    rng = np.random.default_rng(0)
    rows = []
    for name, (_, make) in OURS.items():
        tracker, at = make(RATE_HZ), {}
        for i in range(frames):
            corner = rng.uniform(0, 1000, (20, 2))
            boxes = np.concatenate([corner, corner + 60], axis=1).astype(np.float32)
            tracker.update(Detections(boxes, rng.uniform(0, 1, 20), np.zeros(20)), time_s=i / RATE_HZ)
            if i + 1 in (frames // 10, frames):
                at[i + 1] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append({"method": name, "frames": frames, "early_mb": at[frames // 10], "late_mb": at[frames]})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("speed", "quality", "memory"))
    parser.add_argument("--peers", type=Path, default=Path("../shared/peers"), help="folder of the peers' scripts")
    parser.add_argument("--originals", type=Path, default=Path("peers"), help="copies of the authors' repositories")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of data sets")
    parser.add_argument("--rounds", type=int, default=5, help="runs that count")
    parser.add_argument("--frames", type=int, default=100_000, help="for memory")
    parser.add_argument("--picture", type=Path, help="where a plot of the speed goes")
    parser.add_argument("--json", type=Path, help="where the result goes")
    asked = parser.parse_args()
    os.environ["PEERS_DIR"] = str(asked.originals)
    sys.path.insert(0, str(asked.peers))
    rows = {
        "speed": lambda: speed(asked.peers, asked.rounds),
        "quality": lambda: quality(asked.peers, asked.data),
        "memory": lambda: memory(asked.frames),
    }[asked.what]()
    for row in rows:
        print({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()})
    if asked.picture is not None:
        draw(rows, asked.picture)
    if asked.json is not None:
        packages = ("trackers", "supervision", "lap")
        BenchmarkResult(f"tracking {asked.what}", rows, _environment(packages), command_line()).write(asked.json)


def _environment(packages: Sequence[str]) -> dict[str, Any]:
    from importlib.metadata import PackageNotFoundError, version

    found = environment()
    for package in packages:
        try:
            found["versions"][package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
