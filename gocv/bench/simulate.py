"""`gocv bench simulate`: how fast a visit and a day of a store are simulated, and in how much memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread, timed
from gocv.core import ConfigError
from gocv.data.recording import Recording
from gocv.sim import Scenario, read_scenario, simulate


def bench_simulate(scenario: Path, repeats: int, seed: int) -> BenchmarkResult:
    """Simulate an ordinary visit to the store that comes with gocv, and a scenario, at the level of the sensors.

    Args:
        scenario: YAML of a long scenario, such as `configs/sim/scenarios/busy_day.yaml`. It is simulated once, in a
            process of its own.
        repeats: Visits after one that does not count.
        seed: Of both.

    Returns:
        A row for the visits (one of about a minute, three shoppers) and one for the scenario.

    Raises:
        ConfigError: The scenario is refused.
    """
    read_scenario(scenario)  # to refuse it before anything is timed
    with tempfile.TemporaryDirectory() as folder:
        visit, long = Path(folder) / "visit", Path(folder) / "long"
        visits = timed(lambda: simulate(Scenario(), visit, seed=seed, overwrite=True), repeats)
        rows = [{"method": "ordinary visit", **_contents(visit), **spread("wall_s", visits)}]
        start = time.perf_counter()
        command = [sys.executable, "-m", "gocv", "simulate", str(scenario), "-o", str(long), "--seed", str(seed)]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise ConfigError(f"could not be simulated: {done.stderr.strip()}", file=scenario)
        wall_s = time.perf_counter() - start
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        rows.append({"method": scenario.stem, **_contents(long), "wall_s": wall_s, "peak_memory_mb": peak_mb})
    return BenchmarkResult("simulate", rows, environment(seed), command_line())


def _contents(path: Path) -> dict[str, Any]:
    recording = Recording.open(path)
    assert recording.truth is not None, "a simulated recording knows the truth"
    plates = sum(len(group.plates) for group in recording.scales)
    return {
        "duration_s": recording.duration_s,
        "shoppers": len(recording.truth.receipts or ()),
        "events": len(recording.truth.events),
        "plates": plates,
        "plate_samples": round(plates * recording.duration_s * 60),
        "recording_mb": sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) / 1e6,
    }
