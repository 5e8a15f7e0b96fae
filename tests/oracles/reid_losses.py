"""Losses by loops, as their papers write them; float64."""

from __future__ import annotations

import numpy as np


def _log_sum_exp(values: list[float]) -> float:
    most = max(values)
    return most + float(np.log(sum(np.exp(value - most) for value in values)))


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.array([row / np.linalg.norm(row) for row in rows])


def _others(who: np.ndarray, row: int) -> tuple[list[int], list[int]]:
    """Rows of the same person but itself, and of other people."""
    same = [other for other in range(len(who)) if other != row and who[other] == who[row]]
    return same, [other for other in range(len(who)) if who[other] != who[row]]


def identity(logits: np.ndarray, who: np.ndarray, smoothing: float) -> float:
    """Cross-entropy with a share of the label spread over all classes (arXiv:1512.00567, §7)."""
    total, classes = 0.0, logits.shape[1]
    for row, person in zip(logits.astype(np.float64), who, strict=True):
        normaliser = _log_sum_exp(list(row))
        for label, value in enumerate(row):
            share = smoothing / classes + (1 - smoothing) * (label == person)
            total -= share * (value - normaliser)
    return total / len(who)


def triplet(before: np.ndarray, who: np.ndarray, margin: float | None) -> float:
    """Batch hard (arXiv:1703.07737, eq. 5), the mean over anchors; soft where there is no margin."""
    found = []
    for row, anchor in enumerate(before.astype(np.float64)):
        same, other = _others(who, row)
        if same and other:
            farthest = max(np.linalg.norm(anchor - before[i]) for i in same)
            nearest = min(np.linalg.norm(anchor - before[i]) for i in other)
            apart = farthest - nearest
            found.append(np.log1p(np.exp(apart)) if margin is None else max(0.0, margin + apart))
    return float(np.mean(found)) if found else 0.0


def circle(vector: np.ndarray, who: np.ndarray, margin: float, scale: float) -> float:
    """arXiv:2002.10857, eq. 6 with eq. 5 and 8: the mean over anchors."""
    unit, found = _unit(vector.astype(np.float64)), []
    for row in range(len(unit)):
        same, other = _others(who, row)
        if not same or not other:
            continue
        near, far = [], []
        for i in same:
            s = unit[row] @ unit[i]
            near.append(-scale * max(0.0, 1 + margin - s) * (s - (1 - margin)))
        for j in other:
            s = unit[row] @ unit[j]
            far.append(scale * max(0.0, s + margin) * (s - margin))
        found.append(_log_sum_exp([0.0, _log_sum_exp(near) + _log_sum_exp(far)]))
    return float(np.mean(found)) if found else 0.0


def center(before: np.ndarray, who: np.ndarray, centers: np.ndarray) -> float:
    """Wen et al., ECCV 2016, eq. 2, the mean over rows."""
    return float(np.mean([((row - centers[person]) ** 2).sum() / 2 for row, person in zip(before, who, strict=True)]))


def contrastive(vector: np.ndarray, who: np.ndarray, temperature: float) -> float:
    """arXiv:2004.11362, eq. 2 (L_out), the mean over anchors that have a positive."""
    unit, found = _unit(vector.astype(np.float64)), []
    for row in range(len(unit)):
        same, other = _others(who, row)
        if same:
            all_ = _log_sum_exp([unit[row] @ unit[a] / temperature for a in (*same, *other)])
            found.append(-sum(unit[row] @ unit[p] / temperature - all_ for p in same) / len(same))
    return float(np.mean(found)) if found else 0.0


def teacher(vector: np.ndarray, taught: np.ndarray, matrix: np.ndarray) -> float:
    """One minus the cosine of `matrix` times ours and the teacher's, the mean over rows."""
    found = []
    for ours, theirs in zip(vector.astype(np.float64), taught.astype(np.float64), strict=True):
        mapped = matrix.astype(np.float64) @ ours
        found.append(1 - mapped @ theirs / np.linalg.norm(mapped) / np.linalg.norm(theirs))
    return float(np.mean(found))


def relations(vector: np.ndarray, taught: np.ndarray) -> float:
    """Mean squared difference of the cosines of all pairs of rows."""
    ours, theirs = _unit(vector.astype(np.float64)), _unit(taught.astype(np.float64))
    pairs = [(i, j) for i in range(len(ours)) for j in range(len(ours))]
    return float(np.mean([(ours[i] @ ours[j] - theirs[i] @ theirs[j]) ** 2 for i, j in pairs]))
