"""CMC, mAP and mINP by loops, as they are defined."""

from __future__ import annotations

import numpy as np


def rank_by_loops(
    distance: np.ndarray,
    query_id: np.ndarray,
    gallery_id: np.ndarray,
    query_camera: np.ndarray,
    gallery_camera: np.ndarray,
) -> dict[str, object]:
    """Scores of the queries that have a match, and how many have none."""
    firsts, precisions, penalties, without = [], [], [], 0
    for q in range(len(query_id)):
        ranking = sorted(range(len(gallery_id)), key=lambda g: (np.isnan(distance[q, g]), distance[q, g], g))
        right = []
        for g in ranking:
            same = gallery_id[g] == query_id[q] >= 0
            if gallery_id[g] < 0 or (same and gallery_camera[g] == query_camera[q]):
                continue
            right.append(bool(same))
        if not any(right):
            without += 1
            continue
        places = [place for place, is_right in enumerate(right, start=1) if is_right]
        firsts.append(places[0])
        precisions.append(sum(i / place for i, place in enumerate(places, start=1)) / len(places))
        penalties.append(len(places) / places[-1])
    return {"firsts": firsts, "precisions": precisions, "penalties": penalties, "without": without}
