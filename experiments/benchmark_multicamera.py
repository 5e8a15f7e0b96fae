"""How fast cameras are joined: `python experiments/benchmark_multicamera.py speed --json FILE --picture FILE`.

A made-up floor of 20 × 15 m, with people who walk about and cameras around it at 10 frames a second, all at the same
times (`gocv.sim.walkers`); boxes are spoilt as in `gocv bench multicamera`. Timed is the one call that is given all
boxes, on one thread: seconds of footage for each second of work, the median of several runs after one that does not
count. A method that takes longer than `--patience` for a scene is not asked for larger ones.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402  after the number of threads is set

from gocv.bench.multicamera_methods import Method, chosen, views_of  # noqa: E402
from gocv.bench.result import BenchmarkResult, command_line, environment  # noqa: E402
from gocv.bench.timing import spread, timed  # noqa: E402
from gocv.multicamera.views import CameraView  # noqa: E402
from gocv.pipeline import PipelineConfig  # noqa: E402
from gocv.sim.views import ViewNoise, detections_of  # noqa: E402
from gocv.sim.walkers import walking_scene  # noqa: E402

CAMERAS, PEOPLE, RATE_HZ = 12, 20, 10.0
MORE_CAMERAS, MORE_PEOPLE = (2, 4, 8, 12, 18, 24), (5, 10, 20, 40, 80)


def scenes() -> Iterator[tuple[str, int, int]]:
    """What grows, cameras and people of each scene, smaller before larger."""
    yield from (("cameras", cameras, PEOPLE) for cameras in MORE_CAMERAS)
    yield from (("people", CAMERAS, people) for people in MORE_PEOPLE)


def made_up(cameras: int, people: int, seconds: float, seed: int) -> list[CameraView]:
    """What the cameras of a made-up floor see, with each camera's own broken identities."""
    scene = walking_scene(people, cameras, seconds=seconds, rate_hz=RATE_HZ, seed=seed)
    return views_of(detections_of(scene.labels, scene.cameras, ViewNoise(), seed=seed), scene.cameras)


def speed(
    made: Mapping[str, Method], *, seconds: float, repeats: int, patience_s: float, seed: int
) -> list[dict[str, Any]]:
    """A row for each method and scene."""
    rows: list[dict[str, Any]] = []
    views: dict[tuple[int, int], list[CameraView]] = {}
    slow: set[tuple[str, str]] = set()
    for grows, cameras, people in scenes():
        size = (cameras, people)
        views[size] = views.get(size) or made_up(*size, seconds, seed)
        for name, method in made.items():
            if (name, grows) in slow:
                continue
            spent = timed(lambda method=method, size=size: method(views[size]), repeats)  # type: ignore[misc]
            rows.append(
                {
                    "method": name,
                    "grows": grows,
                    "cameras": cameras,
                    "people": people,
                    "rate_hz": RATE_HZ,
                    "boxes_a_frame": sum(len(view.seen.boxes) for view in views[size]) / len(views[size][0].seen),
                    **spread("times_real_time", [seconds / spent_s for spent_s in spent]),
                    **spread("seconds", spent),
                }
            )
            if float(np.median(spent)) > patience_s:
                slow.add((name, grows))
            print({key: round(value, 3) if isinstance(value, float) else value for key, value in rows[-1].items()})
    return rows


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """How many times real time each method is, with more cameras and with more people."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, all_axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
    titles = {"cameras": f"{PEOPLE} people", "people": f"{CAMERAS} cameras"}
    for axes, (grows, title) in zip(all_axes, titles.items(), strict=True):
        for name in dict.fromkeys(row["method"] for row in rows):
            own = [row for row in rows if row["method"] == name and row["grows"] == grows]
            axes.plot([row[grows] for row in own], [row["times_real_time"] for row in own], "o-", label=name)
        axes.axhline(20, color="tab:gray", linestyle=":", linewidth=1)
        axes.set(title=title, xlabel=grows, ylabel="times real time, one thread", yscale="log")
        axes.grid(alpha=0.3, which="both")
    all_axes[1].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed",))
    parser.add_argument("--method", action="append", default=[], help="name, again for another; all by default")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the footage")
    parser.add_argument("--repeats", type=int, default=3, help="runs that count")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds after which nothing larger is tried")
    parser.add_argument("--seed", type=int, default=1, help="of everything random")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--picture", type=Path, help="where the plot goes")
    asked = parser.parse_args()
    made = chosen(asked.method, PipelineConfig())
    rows = speed(made, seconds=asked.seconds, repeats=asked.repeats, patience_s=asked.patience, seed=asked.seed)
    if asked.picture is not None:
        draw(rows, asked.picture)
    if asked.json is not None:
        BenchmarkResult("multicamera speed", rows, environment(asked.seed), command_line()).write(asked.json)


if __name__ == "__main__":
    main()
