"""Query expansion: a vector is moved towards those that are most like it before distances are taken.

Average query expansion (AQE): Chum, Philbin, Sivic, Isard, Zisserman, "Total Recall: Automatic Query Expansion with a
Generative Feature Model for Object Retrieval", ICCV 2007. α-weighted (αQE): Radenović, Tolias, Chum, "Fine-tuning CNN
Image Retrieval with No Human Annotation", PAMI 2019 (arXiv:1711.02512). Done to the gallery with itself, it is
database-side augmentation (DBA): Arandjelović and Zisserman, "Three things everyone should know to improve object
retrieval", CVPR 2012.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import ConfigError, DataError
from gocv.metrics.reid.distance import Float32, squares

Int64 = NDArray[np.int64]

_CANCELLED = 1e-10
"""A sum of vectors of length 1 whose square is below this has no direction: it is what rounding left over."""


def expand(
    query: Float32,
    gallery: Float32 | None = None,
    *,
    k: int = 10,
    alpha: float = 3.0,
    query_camera: ArrayLike | None = None,
    gallery_camera: ArrayLike | None = None,
    chunk: int = 512,
) -> Float32:
    """Vectors averaged with their k nearest by cosine.

    With q and g_1 … g_k of length 1, the result is the direction of

        q + Σ_i max(q · g_i, 0)^α g_i.

    Who is shown is never asked for. Where cameras are given, pictures of the query's own camera are left out of the
    sum: scores leave those of the same person out of the gallery, and to average them in would use what is not scored.
    A query with fewer than k others is averaged with what there is. At equal cosine the earlier row is nearer.

    Args:
        query: (q, D) float32.
        gallery: (g, D) float32. None: the queries themselves, each averaged with others than itself; `expand(gallery)`
            is DBA.
        k: Neighbours that count.
        alpha: α; 0 is AQE, in which all k count alike.
        query_camera: (q,) whole numbers, or None: cameras do not matter.
        gallery_camera: (g,) whole numbers; given if `query_camera` and `gallery` are.
        chunk: Queries at a time: they take about 12 · chunk · g + 4 · chunk · k · D bytes.

    Returns:
        (q, D) float32, of length 1.

    Raises:
        DataError: Shapes do not fit, a vector is 0 or not finite, or with alpha 0 a query and its neighbours cancel
            out.
        ConfigError: A setting is out of range.

    >>> print(expand(np.float32([[2, 0]]), np.float32([[0, 5], [3, 4]]), k=1, alpha=0).round(3))
    [[0.894 0.447]]
    """
    _check(query, query if gallery is None else gallery, k, alpha, chunk)
    if gallery is None and gallery_camera is not None:
        raise DataError("cameras are those of no gallery", key="gallery_camera", expected="a gallery beside them")
    own = _directions(query, "query")
    others = own if gallery is None else _directions(gallery, "gallery")
    cameras = _cameras(query_camera, query_camera if gallery is None else gallery_camera, len(own), len(others))
    expanded = own.copy()
    count = min(k, len(others))
    for start in range(0, len(own) if count else 0, chunk):
        rows = np.arange(start, min(start + chunk, len(own)))
        alike = own[rows] @ others.T
        if gallery is None:
            alike[np.arange(len(rows)), rows] = -np.inf
        if cameras is not None:
            alike[cameras[0][rows, None] == cameras[1]] = -np.inf
        expanded[rows] += _weighted(alike, others, count, alpha)
    squared = squares(expanded)
    lost = np.flatnonzero(squared < _CANCELLED)
    if len(lost):
        raise DataError(f"query vector {lost[0]} and its neighbours cancel out", key="query", expected="alpha above 0")
    expanded /= np.sqrt(squared)[:, None]
    return expanded


def _check(query: Float32, gallery: Float32, k: int, alpha: float, chunk: int) -> None:
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise DataError(f"vectors have shapes {query.shape} and {gallery.shape}", expected="(q, D) and (g, D)")
    for key, value, right, expected in (
        ("k", k, k >= 1, "at least 1"),
        ("alpha", alpha, 0 <= alpha < np.inf, "a number, at least 0"),
        ("chunk", chunk, chunk >= 1, "at least 1"),
    ):
        if not right:
            raise ConfigError(f"is {value}", key=key, expected=expected)


def _directions(vectors: Float32, name: str) -> Float32:
    given = vectors.astype(np.float32, copy=False)
    squared = squares(given)
    wrong = np.flatnonzero(~((squared > 0) & (squared < np.inf)))
    if len(wrong):
        raise DataError(f"{name} vector {wrong[0]} is 0 or not finite", key=name, expected="vectors with a direction")
    return np.divide(given, np.sqrt(squared)[:, None], dtype=np.float32)


def _cameras(query: ArrayLike | None, gallery: ArrayLike | None, q: int, g: int) -> tuple[Int64, Int64] | None:
    if query is None and gallery is None:
        return None
    if query is None or gallery is None:
        raise DataError("cameras are known on one side alone", key="query_camera", expected="cameras of both or none")
    own, others = np.asarray(query), np.asarray(gallery)
    if own.shape != (q,) or others.shape != (g,):
        raise DataError(f"cameras have shapes {own.shape} and {others.shape}", expected=f"({q},) and ({g},)")
    return own.astype(np.int64), others.astype(np.int64)


def _weighted(alike: Float32, others: Float32, count: int, alpha: float) -> Float32:
    """(rows, D) Σ_i w_i g_i over the `count` nearest; who is left out is at -inf and weighs nothing."""
    near = _nearest(alike, count)
    cosine = np.take_along_axis(alike, near, axis=1)
    weight = np.maximum(cosine, 0) ** alpha
    weight[cosine == -np.inf] = 0
    found: Float32 = np.einsum("nk,nkd->nd", weight, others[near])
    return found


def _nearest(alike: Float32, count: int) -> Int64:
    """(rows, count) columns of the greatest of each row; the earlier ones where equal ones are too many."""
    near = np.argpartition(alike, -count, axis=1)[:, -count:]
    least = np.take_along_axis(alike, near, axis=1).min(axis=1)
    too_many = np.count_nonzero(alike >= least[:, None], axis=1) > count
    for row in np.flatnonzero(too_many & (least > -np.inf)):
        near[row] = np.argsort(-alike[row], kind="stable")[:count]
    return near
