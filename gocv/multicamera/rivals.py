"""Two that are followed and may be one.

Where one person is followed twice, their cameras share them out: each camera that sees a person finds one box, which
goes to the one or to the other. With q_a and q_b the probabilities that a camera finds a and b, if they are two,

    log P(what it found | one) / P(what it found | two) = log(ε / q_a q_b)                            both
                                                          log(q / (q_a (1-q_b) + q_b (1-q_a)))        one of them
                                                          log((1-q) / ((1-q_a)(1-q_b)))               neither

with q the larger of the two and ε how often a detector finds one person twice. It is summed over looks for as long as
the two are near each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_NEAR_M = 1.0
_TWICE = 0.03
_ABLE = 0.3
_LEAST, _MOST = -6.0, 12.0


def together(log_odds: Float64, xy_m: Float64, found: Float64, seen_by: Bool, share: float = 1.0) -> Float64:
    """The log-odds that two are one, after one more look at all.

    Args:
        log_odds: (n, n) before, upper triangle.
        xy_m: (n, 2) where they are.
        found: (C, n) probability that each camera finds each; 0 where it did not look or cannot see them.
        seen_by: (C, n) bool, whether it did.
        share: Of what is seen, how much is counted as evidence.

    Returns:
        (n, n), upper triangle; 0 for who is not near each other.
    """
    apart = ((xy_m[:, None] - xy_m[None]) ** 2).sum(axis=2)
    a, b = np.nonzero(np.triu(apart < _NEAR_M**2, 1))
    after = np.zeros_like(log_odds)
    if len(a):
        q_a, q_b = np.maximum(found[:, a], 0.05), np.maximum(found[:, b], 0.05)
        q = np.maximum(q_a, q_b)
        both = np.log(_TWICE) - np.log(np.maximum(q_a, _ABLE) * np.maximum(q_b, _ABLE))
        one = np.log(q) - np.log(q_a * (1 - q_b) + q_b * (1 - q_a))
        neither = np.log1p(-q) - np.log1p(-q_a) - np.log1p(-q_b)
        by_a, by_b = seen_by[:, a], seen_by[:, b]
        told = np.where(by_a & by_b, both, np.where(by_a | by_b, one, neither))
        told = np.where((by_a & by_b) | ((q_a > _ABLE) & (q_b > _ABLE)), told, 0.0).sum(axis=0)
        after[a, b] = np.clip(log_odds[a, b] + share * told, _LEAST, _MOST)
    return after
