"""`gocv bench imports`: how long importing each room takes in a fresh interpreter."""

from __future__ import annotations

import subprocess
import sys

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread

_ROOMS = ("gocv", "gocv.core", "gocv.geometry", "gocv.track", "gocv.shelf", "gocv.fusion", "gocv.pipeline", "gocv.cli")
_SCRIPT = """
import sys, time
start = time.perf_counter()
import {room}
print(time.perf_counter() - start, "torch" in sys.modules)
"""


def bench_imports(repeats: int) -> BenchmarkResult:
    """Import rooms in fresh interpreters.

    Args:
        repeats: Interpreters for each room, after one that does not count.

    Returns:
        A row for each room: `import_s` with its interquartile range, and whether torch came along.
    """
    return BenchmarkResult("imports", [_row(room, repeats) for room in _ROOMS], environment(), command_line())


def _row(room: str, repeats: int) -> dict[str, object]:
    seconds, torch = [], "False"
    for _ in range(repeats + 1):
        command = [sys.executable, "-c", _SCRIPT.format(room=room)]
        took, torch = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        seconds.append(float(took))
    return {"method": room, **spread("import_s", seconds[1:]), "imports_torch": torch == "True"}
