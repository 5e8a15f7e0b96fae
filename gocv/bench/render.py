"""How long it takes to film a simulated visit."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.sim.render import render_visit
from gocv.sim.scene import Scene


def bench_render(
    scene: Scene, *, seed: int, seconds: float = 20.0, rate_hz: float = 10.0, workers: int = 2
) -> BenchmarkResult:
    """Film the first seconds of a visit with all cameras of its store, truth and video included.

    Args:
        scene: The visit.
        seed: Of looks and noise.
        seconds: How much of it.
        rate_hz: Frames a second.
        workers: Cameras at a time, each on a core.

    Returns:
        One row: what was filmed, `wall_s`, `core_s_per_frame` (processor time of all processes, start included, over
        frames), `wall_s_per_frame` and `realtime_factor`: wall time over the time filmed.
    """
    seconds = min(seconds, scene.duration_s)
    with tempfile.TemporaryDirectory() as folder:
        spent_s, start_s = _processor_s(), time.perf_counter()
        frames = render_visit(scene, folder, rate_hz=rate_hz, seed=seed, workers=workers, until_s=seconds)
        wall_s = time.perf_counter() - start_s
        core_s = _processor_s() - spent_s
        tables = [
            pq.read_table(Path(folder) / "truth" / "frames" / f"{name}.parquet", columns=["name"]) for name in frames
        ]
    people = sum(len(table) - table["name"].null_count for table in tables)
    total = sum(frames.values())
    sizes = {(c.width_px, c.height_px) for c in scene.layout.cameras.values()}
    row: dict[str, Any] = {
        "method": "gocv",
        "cameras": len(frames),
        "pixels": " ".join(f"{width}x{height}" for width, height in sorted(sizes)),
        "rate_hz": rate_hz,
        "filmed_s": seconds,
        "units": len({stay.unit for stay in scene.stays}),
        "people_per_frame": float(np.round(people / total, 2)),
        "workers": workers,
        "wall_s": wall_s,
        "wall_s_per_frame": wall_s / total,
        "core_s_per_frame": core_s / total,
        "realtime_factor": wall_s / seconds,
    }
    return BenchmarkResult("render", [row], environment(seed), command_line())


def _processor_s() -> float:
    """Processor time of this process and of those that it has waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
