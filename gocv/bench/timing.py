"""Timing with a warm-up and a spread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np


def timed(work: Callable[[], object], repeats: int) -> list[float]:
    """Seconds that `work` took in each of `repeats` runs, after one that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def spread(name: str, values: Sequence[float]) -> dict[str, float]:
    """Median and interquartile range as two figures of a row: `name` and `name`_iqr."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return {name: float(median), f"{name}_iqr": float(high - low)}
