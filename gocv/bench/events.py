"""`gocv bench events`: scale samples a second through the event detector, one thread."""

from __future__ import annotations

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread, timed
from gocv.core import PlateId, ScaleSamples
from gocv.pipeline import PipelineConfig
from gocv.pipeline.parts import make_part

_RATE_HZ = 60.0


def bench_events(plates: int, minutes: float, repeats: int, seed: int) -> BenchmarkResult:
    """Feed a detector noise and steps, a second and a minute at a time.

    The samples are made up: Gaussian noise of 1 g on each plate and, every ten seconds, 200 g off one plate of each
    group. Five gondolas share the plates.

    Args:
        plates: How many plates in all.
        minutes: Length of the stretch.
        repeats: Runs after one that does not count.
        seed: Of the noise.

    Returns:
        A row for each length of chunk: `plate_samples_per_s` and `times_real_time`, medians with their spread.
    """
    groups = _groups(plates, minutes, seed)
    rows = [_row(groups, plates * minutes * 60, chunk_s, repeats) for chunk_s in (1.0, 60.0)]
    return BenchmarkResult("events", rows, environment(seed), command_line())


def _groups(plates: int, minutes: float, seed: int) -> list[ScaleSamples]:
    rng = np.random.default_rng(seed)
    count = round(minutes * 60 * _RATE_HZ)
    time_s = np.arange(count) / _RATE_HZ
    groups = []
    for gondola, members in enumerate(np.array_split(np.arange(plates), 5), start=1):
        ids = tuple(PlateId(gondola, 1 + i // 12, 1 + i % 12) for i in range(len(members)))
        weight_g = rng.normal(5_000, 1, (count, len(ids))).astype(np.float32)
        for step in range(round(10 * _RATE_HZ), count, round(10 * _RATE_HZ)):
            weight_g[step:, rng.integers(len(ids))] -= 200
        groups.append(ScaleSamples(ids, time_s=time_s, weight_g=weight_g))
    return groups


def _row(groups: list[ScaleSamples], plate_seconds: float, chunk_s: float, repeats: int) -> dict[str, object]:
    part, step = PipelineConfig().shelf, round(chunk_s * _RATE_HZ)
    events = 0

    def work() -> None:
        nonlocal events
        events = 0
        for samples in groups:
            detector = make_part("event_detectors", "shelf", part, rate_hz=_RATE_HZ)
            for start in range(0, len(samples), step):
                events += len(detector.update(samples[start : start + step]))
            events += len(detector.flush())

    seconds = timed(work, repeats)
    plates = sum(len(samples.plates) for samples in groups)
    return {
        "method": part.part,
        "chunk_s": chunk_s,
        "plates": plates,
        "events": events,
        **spread("plate_samples_per_s", [plate_seconds * _RATE_HZ / s for s in seconds]),
        **spread("times_real_time", [plate_seconds / plates / s for s in seconds]),
    }
