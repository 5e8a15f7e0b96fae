"""Appearance of tracks: vectors in the table, compared by cosine and averaged over time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Embeddings
from gocv.track.table import TrackTable

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


def vectors_of(row: Int64, count: int, embeddings: Embeddings | None, table: TrackTable) -> Float32:
    """(k, D) vectors of the detections `row`; the table gets the attribute "appearance", (D, n), if it lacks it.

    Args:
        row: (k,) rows of the detections that matter.
        count: How many detections there are.
        embeddings: A vector for each of `row`, in any order.
        table: The tracks.

    Raises:
        DataError: A detection has no vector, or vectors have another length than before.
    """
    if embeddings is None:
        raise DataError("this tracker looks at appearance", key="embeddings", expected="a vector for every detection")
    where = np.full(count, -1, np.int64)
    known = (embeddings.row >= 0) & (embeddings.row < count)
    where[embeddings.row[known]] = np.flatnonzero(known)
    missing = row[where[row] < 0]
    if len(missing):
        raise DataError(
            f"detection {missing[0]} has no embedding", key="embeddings", expected="a vector for every detection"
        )
    vectors: Float32 = embeddings.vector[where[row]]
    length = vectors.shape[1]
    if "appearance" not in table:
        if length:
            table.widen("appearance", length)
    elif len(row) and length != len(table["appearance"]):
        raise DataError(
            f"vectors have {length} values", key="embeddings", expected=f"{len(table['appearance'])} as before"
        )
    return vectors


def cosine_similarity(table: TrackTable, vector: Float32, row: Int64, col: Int64) -> Float64:
    """(p,) cosine of the appearance of tracks `row` and detections `col`."""
    if not len(row):
        return np.empty(0)
    cosine: Float64 = np.einsum("dp,pd->p", table["appearance"][:, row], vector[col].astype(np.float64))
    return cosine


def smoothed(table: TrackTable, track: Int64, vector: Float32, momentum: float) -> None:
    """Move the appearance of tracks towards what was seen: momentum e + (1 - momentum) f, of length 1."""
    if not len(track):
        return
    mixed = momentum * table["appearance"][:, track] + (1 - momentum) * vector.T
    table["appearance"][:, track] = mixed / np.maximum(np.linalg.norm(mixed, axis=0), 1e-12)
