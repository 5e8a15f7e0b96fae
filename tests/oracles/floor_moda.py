"""MODA and MODP by a dense table for each moment, as they are defined."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def moda_by_tables(truth: list[np.ndarray], found: list[np.ndarray], gate_m: float) -> dict[str, float]:
    """Scores of people at each moment.

    Args:
        truth: For each moment (n, 2) metres.
        found: For each moment (m, 2) metres.
        gate_m: Largest distance of a pair.
    """
    nearness, pairs, true, false = 0.0, 0, 0, 0
    for there, seen in zip(truth, found, strict=True):
        true += len(there)
        distance = np.array([[np.hypot(*(a - b)) for b in seen] for a in there]).reshape(len(there), len(seen))
        cost = np.where(distance <= gate_m, distance / gate_m, 1e6)  # a pair too far apart is none
        matched = 0
        for i, j in zip(*linear_sum_assignment(cost), strict=True):
            if distance[i, j] <= gate_m:
                matched += 1
                nearness += 1 - distance[i, j] / gate_m
        pairs, false = pairs + matched, false + len(seen) - matched
    return {
        "moda": 1 - (true - pairs + false) / true if true else 0.0,
        "modp": nearness / max(1, pairs),
        "precision": pairs / max(1, pairs + false),
        "recall": pairs / max(1, true),
    }
