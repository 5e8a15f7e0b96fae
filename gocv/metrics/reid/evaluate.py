"""From appearance vectors to scores, in memory that does not grow with the queries."""

from __future__ import annotations

import functools
import operator

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError
from gocv.metrics.reid.distance import Distance, Float32, Product, distances, on_this_processor, squares
from gocv.metrics.reid.rank import ReidCounts, ReidScores, rank_queries


def evaluate_reid(
    query: Float32,
    gallery: Float32,
    query_id: ArrayLike,
    gallery_id: ArrayLike,
    query_camera: ArrayLike,
    gallery_camera: ArrayLike,
    *,
    distance: Distance = "cosine",
    chunk: int = 512,
    product: Product = on_this_processor,
) -> ReidScores:
    """Rank the gallery for each query and score the ranking, a chunk of queries at a time.

    Args:
        query: (q, D) float32.
        gallery: (g, D) float32.
        query_id: (q,) whole numbers.
        gallery_id: (g,) whole numbers; negative for junk.
        query_camera: (q,) whole numbers.
        gallery_camera: (g,) whole numbers.
        distance: "cosine" or "euclidean".
        chunk: Queries at a time: the distances take 4 · chunk · g bytes.
        product: Takes the inner products, such as on a GPU.

    Raises:
        DataError: Shapes do not fit, a vector is 0, or no query has a match.
        ConfigError: There is no such distance.
    """
    people, cameras = np.asarray(query_id), np.asarray(query_camera)
    if not len(query) or people.shape != (len(query),) or cameras.shape != (len(query),):
        raise DataError(f"{len(query)} queries, ids of shape {people.shape}", expected="an id and a camera for each")
    known = squares(gallery)

    def counted(part: slice) -> ReidCounts:
        apart = distances(query[part], gallery, distance, gallery_squares=known, product=product)
        return rank_queries(apart, people[part], gallery_id, cameras[part], gallery_camera)

    parts = (slice(start, start + chunk) for start in range(0, len(query), chunk))
    return ReidScores.of(functools.reduce(operator.add, map(counted, parts)))
