"""Segments of a video by loops over frames, as F1@k, the edit score and the midpoint hit criterion are defined."""

from __future__ import annotations

from functools import cache


def runs(labels: list[int], background: int) -> list[tuple[int, set[int]]]:
    """(class, frames) of each run."""
    found: list[tuple[int, set[int]]] = []
    for frame, label in enumerate(labels):
        if frame and labels[frame - 1] == label:
            found[-1][1].add(frame)
        else:
            found.append((label, {frame}))
    return [run for run in found if run[0] != background]


def f1(true: list[int], predicted: list[int], background: int, overlap: float) -> float | None:
    """Harmonic mean of precision and recall; None where there is nothing."""
    there, found = runs(true, background), runs(predicted, background)
    used: set[int] = set()
    hits = 0
    for label, frames in found:
        best, share = None, 0.0
        for i, (other, theirs) in enumerate(there):
            iou = len(frames & theirs) / len(frames | theirs) if other == label else 0.0
            if iou > share:
                best, share = i, iou
        if best is not None and share >= overlap and best not in used:
            used.add(best)
            hits += 1
    if not there and not found:
        return None
    if not hits:
        return 0.0
    precision, recall = hits / len(found), hits / len(there)
    return 2 * precision * recall / (precision + recall)


def edit(true: list[int], predicted: list[int], background: int) -> float | None:
    """1 minus the Levenshtein distance over the longer sequence of runs; None where there is none."""
    one = tuple(label for label, _ in runs(true, background))
    other = tuple(label for label, _ in runs(predicted, background))

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        same = one[i - 1] == other[j - 1]
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (not same))

    longer = max(len(one), len(other))
    return None if not longer else 1 - distance(len(one), len(other)) / longer
