"""The one shape of a benchmark's result."""

from __future__ import annotations

import dataclasses
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from gocv import __version__
from gocv.data.files import write_json

_PACKAGES = (
    "numpy",
    "scipy",
    "pyarrow",
    "av",
    "onnxruntime",
    "openvino",
    "pycocotools",
    "torch",
    "ultralytics",
    "filterpy",
    "lightning",
    "albumentations",
    "timm",
)


@dataclasses.dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """What a benchmark found.

    Attributes:
        benchmark: Its name.
        rows: A mapping for each method; the first key is "method", the rest are figures with their units in the name.
        environment: Versions, seed and hardware.
        command: The command line that gave it.
        notes: What was left out.
    """

    benchmark: str
    rows: Sequence[Mapping[str, Any]]
    environment: Mapping[str, Any]
    command: str
    notes: Sequence[str] = ()

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all; without `notes` where there are none."""
        content = {**dataclasses.asdict(self), "rows": [dict(row) for row in self.rows]}
        write_json(path, {key: value for key, value in content.items() if key != "notes" or value})


def environment(seed: int | None = None) -> dict[str, Any]:
    """Versions of what matters, the seed (None where nothing is random), and the machine."""
    versions = {"python": platform.python_version(), "gocv": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    hardware = {"processor": _processor(), "cores": os.cpu_count(), "system": platform.system()}
    return {"versions": versions, "seed": seed, "hardware": hardware}


def command_line() -> str:
    """The command that is running, program name without its folder."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
