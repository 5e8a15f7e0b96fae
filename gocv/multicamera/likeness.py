"""What appearance says of who is one person."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Vectors = NDArray[np.float32] | NDArray[np.float64]
Likeness = Callable[[Float64], Float64]
"""From the cosines of appearance vectors to the log-likelihood ratio that they are of one person."""


def log_ratio(one: Vectors, other: Vectors, likeness: Likeness, cap: float) -> Float64:
    """Log-likelihood ratios that pairs of appearances are of one person.

    Args:
        one: (n, D) vectors or sums of them, of any length; NaN or 0 where there is none.
        other: (n, D), one for each.
        likeness: What a cosine means.
        cap: No more than this is believed, either way.

    Returns:
        (n,) float64, 0 where one of both is not known.
    """
    out = np.zeros(len(one))
    length = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    known = np.isfinite(length) & (length > 1e-6)
    if known.any():
        cosine = (one[known] * other[known]).sum(axis=1) / length[known]
        out[known] = np.clip(likeness(cosine.astype(np.float64)), -cap, cap)
    return out
