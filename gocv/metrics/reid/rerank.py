"""k-reciprocal re-ranking: Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017.

Everything but one row of blocks of distances is sparse: a vector has a few dozen reciprocal neighbours among thousands.
Sections and equations below are the paper's (arXiv:1701.08398).
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gocv.core import ConfigError, DataError
from gocv.metrics.reid.distance import Float32, squares

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_PAIRS = 1 << 13
"""Pairs of vectors whose distance is taken at a time."""


def rerank(
    query: Float32, gallery: Float32, *, k1: int = 20, k2: int = 6, original_weight: float = 0.3, chunk: int = 512
) -> Float32:
    """Distances of queries and gallery that take account of who else is near both.

    Original distances are squared Euclidean ones, each row over its greatest (so they lie in [0, 1]); they are squared
    once. R(p, k1) are the neighbours that are near in both directions (eq. 3), R* adds those of a neighbour's
    R(q, k1/2) of which R(p, k1) holds more than two thirds (eq. 5). V(p) is exp(-d) on R*, of sum 1 (eq. 7), averaged
    over the k2 nearest of p, p itself included (eq. 11). The result is (1 - w) Jaccard(V(p), V(g)) + w d (eq. 10, 12).

    Args:
        query: (q, D) float32.
        gallery: (g, D) float32.
        k1: Neighbours that count.
        k2: Neighbours over which the encoding is averaged; 1 is none.
        original_weight: w, what the original distance counts; 0 to 1.
        chunk: Rows of distances at a time: they take 4 · chunk · (q + g) bytes.

    Returns:
        (q, g) float32, smaller is more alike.

    Raises:
        DataError: Shapes do not fit, a vector is not finite, or there are fewer than k1 + 1 vectors in all.
        ConfigError: A setting is out of range.
    """
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise DataError(f"vectors have shapes {query.shape} and {gallery.shape}", expected="(q, D) and (g, D)")
    for key, value, right, expected in (
        ("k1", k1, k1 >= 1, "at least 1"),
        ("k2", k2, 1 <= k2 <= k1 + 1, "1 to k1 + 1"),
        ("original_weight", original_weight, 0 <= original_weight <= 1, "0 to 1"),
        ("chunk", chunk, chunk >= 1, "at least 1"),
    ):
        if not right:
            raise ConfigError(f"is {value}", key=key, expected=expected)
    vectors = np.concatenate([query, gallery]).astype(np.float32, copy=False)
    if len(vectors) <= k1:
        raise DataError(f"there are {len(vectors)} vectors", expected=f"more than k1 = {k1}")
    known = squares(vectors)
    if not np.isfinite(known).all():
        wrong = int(np.flatnonzero(~np.isfinite(known))[0])
        raise DataError(f"vector {wrong} is not finite", expected="finite numbers")
    near, farthest = _neighbours(vectors, known, k1 + 1, chunk)
    encoded = _encoded(vectors, known, near, farthest, k1)
    if k2 > 1:
        share = np.full(len(vectors) * k2, 1 / k2, np.float32)
        encoded = _rows(near[:, :k2].ravel(), share, k2, len(vectors)) @ encoded
    final = _jaccard(encoded[: len(query)], encoded[len(query) :])
    final *= 1 - original_weight
    for start in range(0, len(query), chunk):
        part = slice(start, min(start + chunk, len(query)))
        apart = _apart(vectors[part], vectors[len(query) :], known[part], known[len(query) :])
        apart *= original_weight / farthest[part, None]
        final[part] += apart
    return final


def _apart(one: Float32, other: Float32, own: Float32, others: Float32) -> Float32:
    """Squared Euclidean distances."""
    apart: Float32 = one @ other.T
    apart *= -2.0
    apart += own[:, None]
    apart += others
    return np.maximum(apart, 0.0, out=apart)


def _neighbours(vectors: Float32, known: Float32, count: int, chunk: int) -> tuple[Int64, Float32]:
    """(n, count) the nearest of each vector, itself first; (n,) the greatest squared distance of each."""
    near, farthest = np.empty((len(vectors), count), np.int64), np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), chunk):
        rows = np.arange(start, min(start + chunk, len(vectors)))
        apart = _apart(vectors[rows], vectors, known[rows], known)
        farthest[rows] = np.maximum(apart.max(axis=1), np.finfo(np.float32).tiny)
        apart[np.arange(len(rows)), rows] = -1.0  # rounding does not put another one before the vector itself
        some = np.argpartition(apart, count - 1, axis=1)[:, :count]
        order = np.lexsort((some, np.take_along_axis(apart, some, axis=1)), axis=1)
        near[rows] = np.take_along_axis(some, order, axis=1)
    return near, farthest


def _encoded(vectors: Float32, known: Float32, near: Int64, farthest: Float32, k1: int) -> sparse.csr_array:
    """V: (n, n), a row for each vector."""
    half = int(np.around(k1 / 2)) + 1
    mutual, half_mutual = _reciprocal(near), _reciprocal(near[:, :half])
    # |R(q, k1/2) ∩ R(p, k1)| for q in R(p, k1)
    shared = cast(sparse.csr_array, (mutual @ half_mutual.T).multiply(mutual)).tocsr()
    own = np.diff(half_mutual.indptr).astype(np.float32)
    enough = shared.data > 2 / 3 * own[shared.indices]
    trusted = sparse.csr_array((enough.astype(np.float32), shared.indices, shared.indptr), shape=shared.shape)
    trusted.eliminate_zeros()
    grown = (mutual + trusted @ half_mutual).tocsr()
    grown.sort_indices()
    row = np.repeat(np.arange(len(near)), np.diff(grown.indptr))
    weight = np.empty(len(row), np.float32)
    for start in range(0, len(row), _PAIRS):
        part = slice(start, start + _PAIRS)
        one, other = row[part], grown.indices[part]
        product = np.einsum("pd,pd->p", vectors[one], vectors[other])
        apart = np.maximum(known[one] + known[other] - 2 * product, 0.0)
        weight[part] = np.exp(-apart / farthest[one])
    weight /= np.bincount(row, weight, len(near)).astype(np.float32)[row]
    return sparse.csr_array((weight, grown.indices, grown.indptr), shape=grown.shape)


def _reciprocal(near: Int64) -> sparse.csr_array:
    """R: (n, n) of ones where each is among the nearest of the other."""
    count = near.shape[1]
    forward = _rows(near.ravel(), np.ones(near.size, np.float32), count, len(near))
    both = cast(sparse.csr_array, forward.multiply(forward.T)).tocsr()
    both.sort_indices()
    return both


def _rows(indices: Int64, data: Float32, each: int, size: int) -> sparse.csr_array:
    """(size, size) matrix with as many entries in each row."""
    made = sparse.csr_array((data, indices.copy(), np.arange(0, len(indices) + 1, each)), shape=(size, size))
    made.sort_indices()
    return made


def _jaccard(query: sparse.csr_array, gallery: sparse.csr_array) -> Float32:
    """(q, g) 1 - Σ min / Σ max of the encodings (eq. 10); their sums are 1, so Σ max = 2 - Σ min."""
    columns = gallery.tocsc()
    sizes = np.diff(columns.indptr)
    least = np.empty((query.shape[0], gallery.shape[0]), np.float32)
    for number in range(query.shape[0]):
        part = slice(query.indptr[number], query.indptr[number + 1])
        where, value = query.indices[part], query.data[part]
        size = sizes[where]
        entry = np.repeat(columns.indptr[where] - np.cumsum(size) + size, size) + np.arange(size.sum())
        smaller = np.minimum(np.repeat(value, size), columns.data[entry])
        least[number] = np.bincount(columns.indices[entry], smaller, gallery.shape[0])
    return np.subtract(1.0, least / (2.0 - least), out=least)
