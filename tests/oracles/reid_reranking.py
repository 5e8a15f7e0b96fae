"""k-reciprocal re-ranking by loops over dense arrays, as the paper (arXiv:1701.08398) has it."""

from __future__ import annotations

import numpy as np


def rerank_by_loops(query: np.ndarray, gallery: np.ndarray, k1: int, k2: int, original_weight: float) -> np.ndarray:
    """(q, g) final distances."""
    vectors = np.concatenate([query, gallery]).astype(np.float64)
    count = len(vectors)
    apart = np.array([[((a - b) ** 2).sum() for b in vectors] for a in vectors])
    apart = apart / apart.max(axis=1, keepdims=True)
    ranking = [sorted(range(count), key=lambda other, own=own: (apart[own, other], other)) for own in range(count)]

    def reciprocal(own: int, k: int) -> list[int]:
        return [other for other in ranking[own][: k + 1] if own in ranking[other][: k + 1]]

    encoded = np.zeros((count, count))
    for own in range(count):
        mutual = reciprocal(own, k1)
        grown = set(mutual)
        for other in mutual:
            theirs = reciprocal(other, int(np.around(k1 / 2)))
            if len(set(theirs) & set(mutual)) > 2 / 3 * len(theirs):
                grown |= set(theirs)
        members = sorted(grown)
        weight = np.exp(-apart[own, members])
        encoded[own, members] = weight / weight.sum()
    encoded = np.array([encoded[ranking[own][:k2]].mean(axis=0) for own in range(count)])
    least = np.array([[np.minimum(a, b).sum() for b in encoded[len(query) :]] for a in encoded[: len(query)]])
    jaccard = 1 - least / (2 - least)
    return (1 - original_weight) * jaccard + original_weight * apart[: len(query), len(query) :]
