"""Query expansion by loops, as it is defined."""

from __future__ import annotations

import numpy as np


def expand_by_loops(
    query: np.ndarray,
    gallery: np.ndarray | None,
    k: int,
    alpha: float,
    query_camera: np.ndarray | None = None,
    gallery_camera: np.ndarray | None = None,
) -> np.ndarray:
    """(q, D) float64."""
    own = [v / np.linalg.norm(v) for v in query.astype(np.float64)]
    others = own if gallery is None else [v / np.linalg.norm(v) for v in gallery.astype(np.float64)]
    other_camera = query_camera if gallery is None else gallery_camera
    result = []
    for number, vector in enumerate(own):
        allowed = []
        for row, other in enumerate(others):
            itself = gallery is None and row == number
            same_camera = query_camera is not None and query_camera[number] == other_camera[row]
            if not itself and not same_camera:
                allowed.append((-float(vector @ other), row))
        total = vector.copy()
        for minus_cosine, row in sorted(allowed)[:k]:
            total = total + max(-minus_cosine, 0.0) ** alpha * others[row]
        result.append(total / np.linalg.norm(total))
    return np.array(result).reshape(query.shape)
