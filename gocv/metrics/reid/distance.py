"""Distances of appearance vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError

Float32 = NDArray[np.float32]
Distance = Literal["cosine", "euclidean"]
Product = Callable[[Float32, Float32], Float32]
"""(q, g) inner products, a new array, of the rows of (q, D) and (g, D)."""


def on_this_processor(query: Float32, gallery: Float32) -> Float32:
    """(q, g) inner products, by numpy; `gocv.reid.products.DeviceProduct` takes them on a GPU."""
    products: Float32 = query @ gallery.T
    return products


def distances(
    query: Float32,
    gallery: Float32,
    kind: Distance = "cosine",
    *,
    gallery_squares: Float32 | None = None,
    product: Product = on_this_processor,
) -> Float32:
    """How far vectors lie apart: one matrix product, and little else.

    Args:
        query: (q, D) float32.
        gallery: (g, D) float32.
        kind: "cosine": 1 - a · b / (|a| |b|). "euclidean": |a - b|, not squared.
        gallery_squares: (g,) float32 `squares(gallery)`, where they are known, as for one chunk of queries of many.
        product: Takes the inner products.

    Returns:
        (q, g) float32, at least 0.

    Raises:
        DataError: Shapes do not fit, or with "cosine" a vector is 0 or not finite.
        ConfigError: There is no such distance.

    >>> distances(np.float32([[1, 0]]), np.float32([[0, 2], [3, 0]])).tolist()
    [[1.0, 0.0]]
    >>> distances(np.float32([[1, 0]]), np.float32([[1, 2], [4, 4]]), "euclidean").tolist()
    [[2.0, 5.0]]
    """
    if query.ndim != 2 or gallery.ndim != 2 or query.shape[1] != gallery.shape[1]:
        raise DataError(f"vectors have shapes {query.shape} and {gallery.shape}", expected="(q, D) and (g, D)")
    if kind not in ("cosine", "euclidean"):
        raise ConfigError(f"is {kind!r}", key="distance", expected="cosine or euclidean")
    own, others = squares(query), squares(gallery) if gallery_squares is None else gallery_squares
    apart = product(query, gallery)
    if kind == "cosine":
        apart *= -1 / _lengths(own, "query")[:, None]
        apart *= 1 / _lengths(others, "gallery")
        apart += 1.0
        return np.maximum(apart, 0.0, out=apart)
    apart *= -2.0
    apart += own[:, None]
    apart += others
    np.maximum(apart, 0.0, out=apart)
    return np.sqrt(apart, out=apart)


def squares(vectors: Float32) -> Float32:
    """(n,) float32 squared lengths of (n, D) vectors."""
    found: Float32 = np.einsum("nd,nd->n", vectors, vectors)
    return found


def _lengths(squared: Float32, name: str) -> Float32:
    wrong = np.flatnonzero(~((squared > 0) & (squared < np.inf)))
    if len(wrong):
        raise DataError(f"{name} vector {wrong[0]} is 0 or not finite", key=name, expected="vectors with a direction")
    return np.sqrt(squared)
