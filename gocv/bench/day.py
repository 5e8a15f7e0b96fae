"""`gocv bench day`: a whole day through the pipeline, and how much memory that takes."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import Detections, FloorTracks, Plate, PlateId, Product, ScaleSamples, Store
from gocv.data.detections import DetectionTableWriter
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, RecordingWriter

_RATE_HZ, _JOINTS_HZ, _CHUNK_S = 60.0, 10.0, 60.0
_TAKE_EVERY_S = 20.0
_STAY_S = 120.0


def bench_day(hours: float, plates: int, cameras: int, frame_hz: float, seed: int) -> BenchmarkResult:
    """Write a made-up day and run the pipeline on it in a process of its own.

    Scales have Gaussian noise of 1 g and lose a unit of 200 g every twenty seconds in all; four shoppers at a time
    stay two minutes each, with joints at 10 Hz; each camera has a recorded detection in every second frame.

    Args:
        hours: Length of the day.
        plates: How many, in five gondolas.
        cameras: How many.
        frame_hz: Frames a second of each camera.
        seed: Of the noise.

    Returns:
        One row: what there was, `wall_s` and `peak_memory_mb` of the run, and the size of the recording.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        duration_s = hours * 3600
        _write(path, duration_s, plates, cameras, frame_hz, np.random.default_rng(seed))
        size = sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
        start = time.perf_counter()
        command = [sys.executable, "-m", "gocv", "run", str(path), "-o", str(Path(folder) / "run"), "--json"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        wall_s = time.perf_counter() - start
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    row: dict[str, Any] = {
        "method": "gocv",
        "hours": hours,
        "plates": plates,
        "cameras": cameras,
        "frames": round(cameras * duration_s * frame_hz),
        "plate_samples": round(plates * duration_s * _RATE_HZ),
        "recording_mb": size / 1e6,
        "wall_s": wall_s,
        "peak_memory_mb": peak_kb / 1024,
    }
    return BenchmarkResult("day", [row], environment(seed), command_line())


def _write(path: Path, duration_s: float, plates: int, cameras: int, frame_hz: float, rng: np.random.Generator) -> None:
    groups = [
        tuple(PlateId(gondola, 1 + i // 12, 1 + i % 12) for i in range(len(members)))
        for gondola, members in enumerate(np.array_split(np.arange(plates), 5), start=1)
    ]
    store = _store([plate for group in groups for plate in group])
    with tempfile.TemporaryDirectory() as folder:
        tables = [_detections(Path(folder) / f"{k}.parquet", duration_s, frame_hz, rng) for k in range(cameras)]
        with RecordingWriter(path, name="day", origin_unix_s=0.0, duration_s=duration_s, store=store) as writer:
            for k, table in enumerate(tables, start=1):
                writer.add_camera(Camera(f"cam{k}", detections=table))
            for shoppers in _joints(duration_s, rng):
                writer.write_joints(shoppers)
            for gondola, group in enumerate(groups, start=1):
                scales = writer.open_scale_group(f"gondola-{gondola}", group, _RATE_HZ)
                for samples in with_progress(_samples(group, duration_s, rng), f"weigh {gondola}"):
                    scales.write(samples)


def _store(plates: list[PlateId]) -> Store:
    size_m = np.array([0.1, 0.4])
    placed = {
        p: Plate(p, np.array([1.5 * p.gondola + 0.1 * p.plate, 0.2, 0.3 * p.shelf]), np.eye(3), size_m) for p in plates
    }
    products = {str(p): Product(str(p), f"product of plate {p}", 200.0, 1.0) for p in plates}
    return Store(products, placed, {str(p): frozenset({p}) for p in plates})


def _samples(plates: tuple[PlateId, ...], duration_s: float, rng: np.random.Generator) -> Iterator[ScaleSamples]:
    level_g = np.full(len(plates), 5_000.0)
    rows = round(_CHUNK_S * _RATE_HZ)
    for start in range(0, round(duration_s * _RATE_HZ), rows):
        weight_g = rng.standard_normal((rows, len(plates)), np.float32) + level_g.astype(np.float32)
        for row in range(0, rows, round(5 * _TAKE_EVERY_S * _RATE_HZ)):
            plate = rng.integers(len(plates))
            weight_g[row:, plate] -= 200
            level_g[plate] -= 200
        yield ScaleSamples(plates, time_s=(start + np.arange(rows)) / _RATE_HZ, weight_g=weight_g)


def _joints(duration_s: float, rng: np.random.Generator) -> Iterator[FloorTracks]:
    for visit in range(round(duration_s / _STAY_S)):
        names = tuple(f"shopper-{4 * visit + k + 1}" for k in range(4))
        count = round(_STAY_S * _JOINTS_HZ)
        time_s = np.repeat(visit * _STAY_S + np.arange(count) / _JOINTS_HZ, 4)
        where = rng.uniform([1.5, -0.5], [9.0, 0.0], (len(time_s), 2))
        joints_m = np.repeat(np.concatenate([where, np.full((len(where), 1), 1.0)], axis=1)[:, None], 8, axis=1)
        yield FloorTracks.sightings(
            names,
            time_s,
            np.tile(np.arange(4), count),
            xy_m=where,
            joints_m=joints_m,
            joint_score=np.ones((len(where), 8)),
        )


def _detections(path: Path, duration_s: float, frame_hz: float, rng: np.random.Generator) -> Path:
    box = np.array([[100, 100, 160, 260]], np.float32)
    with DetectionTableWriter(path, classes=("person",)) as writer:
        for frame in range(round(duration_s * frame_hz)):
            found = Detections(box + rng.normal(0, 2, 4), [0.9], [0]) if frame % 2 else Detections.empty()
            writer.write(frame, frame / frame_hz, found)
    return path
