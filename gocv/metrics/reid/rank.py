"""Where each query's matches come in the gallery.

The place of a match is one plus the number of gallery rows that come before it. That number is found among the sorted
distances of a row: values alone are sorted, which processors do many at a time, and never the gallery by them.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

RANKS = 50
"""Ranks of the CMC that are kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class ReidCounts:
    """Additive counts of queries: `a + b` is both together, such as of two chunks.

    Attributes:
        queries: Queries with a match in the gallery; others have no score.
        without_match: Those without.
        first_at: (50,) int64, how many have their first match at rank 1, 2, …
        precision: Average precision, summed.
        inverse_negative_penalty: Matches over the rank of the last match, summed.
    """

    queries: int
    without_match: int
    first_at: Int64
    precision: float
    inverse_negative_penalty: float

    def __add__(self, other: ReidCounts) -> ReidCounts:
        return ReidCounts(*(getattr(self, f.name) + getattr(other, f.name) for f in dataclasses.fields(self)))


@dataclasses.dataclass(frozen=True, slots=True)
class ReidScores:
    """Scores of all queries together.

    Attributes:
        cmc: (50,) float64, share of queries with a match among the first k (cumulative matching characteristic).
        mean_average_precision: Mean over queries of the mean, over matches, of the precision at their ranks
            (Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015, §5.1).
        mean_inverse_negative_penalty: Mean over queries of matches / rank of the last one (Ye et al., "Deep Learning
            for Person Re-identification", 2021 (arXiv:2001.04193), eq. 9).
        queries: Queries with a match.
        without_match: Those without, which are left out of the scores.
    """

    cmc: Float64
    mean_average_precision: float
    mean_inverse_negative_penalty: float
    queries: int
    without_match: int

    @classmethod
    def of(cls, counts: ReidCounts) -> ReidScores:
        """The scores that these counts give.

        Raises:
            DataError: No query has a match.
        """
        if not counts.queries:
            raise DataError("no query has a match in the gallery", expected="the same person seen by another camera")
        return cls(
            np.cumsum(counts.first_at) / counts.queries,
            counts.precision / counts.queries,
            counts.inverse_negative_penalty / counts.queries,
            counts.queries,
            counts.without_match,
        )

    def json(self) -> dict[str, float | int]:
        """The scores by name, the CMC at ranks 1, 5 and 10."""
        ranks = {f"rank_{k}": float(self.cmc[k - 1]) for k in (1, 5, 10)}
        scores = {"map": self.mean_average_precision, "minp": self.mean_inverse_negative_penalty}
        return {**ranks, **scores, "queries": self.queries, "without_match": self.without_match}


def rank_queries(
    distance: NDArray[np.floating],
    query_id: ArrayLike,
    gallery_id: ArrayLike,
    query_camera: ArrayLike,
    gallery_camera: ArrayLike,
) -> ReidCounts:
    """Rank the gallery for each query, by the rule of Market-1501.

    Gallery rows of the query's person and camera are junk: they are neither right nor wrong, and take no rank (Zheng
    et al. 2015, §3). Rows at equal distance rank in their order, as a stable sort has them. A distance that is NaN
    ranks after all numbers.

    Args:
        distance: (q, g) of any floating type; smaller is more alike.
        query_id: (q,) whole numbers, the person.
        gallery_id: (g,) likewise; negative for junk of nobody, which takes no rank.
        query_camera: (q,) whole numbers.
        gallery_camera: (g,) whole numbers.

    Raises:
        DataError: Shapes do not fit.
    """
    rows = np.asarray(distance)
    people, others = np.asarray(query_id, np.int64), np.asarray(gallery_id, np.int64)
    cameras, other_cameras = np.asarray(query_camera, np.int64), np.asarray(gallery_camera, np.int64)
    shapes = (people.shape, others.shape, cameras.shape, other_cameras.shape)
    if rows.ndim != 2 or shapes != ((len(rows),), (rows.shape[1],)) * 2:
        raise DataError(f"distances have shape {rows.shape}, ids and cameras {shapes}", expected="(q, g), (q,), (g,)")
    order = np.argsort(others, kind="stable")
    known = others[order]
    start, end = np.searchsorted(known, people), np.searchsorted(known, people, side="right")
    nobody = order[: np.searchsorted(known, 0)]
    first_at = np.zeros(RANKS, np.int64)
    queries, precision, penalty = 0, 0.0, 0.0
    for query, row in enumerate(rows):
        same = order[start[query] : end[query]]
        seen_there = other_cameras[same] == cameras[query]
        matches = same[~seen_there]
        if not len(matches) or people[query] < 0:
            continue
        places = _places(row, matches, np.concatenate([same[seen_there], nobody]))
        queries += 1
        if places[0] <= RANKS:
            first_at[places[0] - 1] += 1
        precision += float((np.arange(1, len(places) + 1) / places).mean())
        penalty += len(places) / float(places[-1])
    return ReidCounts(queries, len(rows) - queries, first_at, precision, penalty)


def _places(row: NDArray[np.floating], matches: Int64, junk: Int64) -> Int64:
    """(k,) ranks of the matches in ascending order, from 1; junk takes none."""
    ordered, own_values = np.sort(row), row[matches]  # NaN last
    before = np.searchsorted(ordered, own_values)
    for tied in np.flatnonzero(np.searchsorted(ordered, own_values, side="right") - before > 1):
        earlier, value = row[: matches[tied]], own_values[tied]
        before[tied] += np.count_nonzero(earlier == value if value == value else np.isnan(earlier))
    if len(junk):
        wrong, own = row[junk], row[matches][:, None]
        nearer = (wrong < own) | ((wrong == own) & (junk < matches[:, None]))
        unknown, lost = np.isnan(wrong), np.isnan(own)
        nearer |= lost & (~unknown | (junk < matches[:, None]))
        before -= nearer.sum(axis=1)
    places: Int64 = np.sort(before + 1)
    return places
