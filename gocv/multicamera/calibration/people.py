"""Who of one camera is who of another, once all cameras stand on one floor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.calibration.align import BASE_M, RANGE_SHARE, pairs_between
from gocv.multicamera.calibration.observations import Observations

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_FEWEST = 3
_APART = 2.0


def same_people(seen: Observations, xy_m: Array, range_m: Array, cameras: int, gate: float) -> Int64:
    """Tracks of all cameras joined into people.

    Pairs of tracks that were near each other while both were seen, the nearest first, join unless the two people so
    far were seen by one camera at the same moment, or stood apart.

    Args:
        seen: Boxes of all cameras.
        xy_m: (n, 2) where each box's person stands, in the common frame.
        range_m: (n,) how far from the camera.
        cameras: How many there are.
        gate: Share of what two cameras may be apart (`align.BASE_M`, `RANGE_SHARE`) up to which tracks are near.

    Returns:
        (n,) int64, a number for each person from 0 on; who is seen by one camera alone is a person too.
    """
    tracks, own = np.unique(seen.track, return_inverse=True)
    own = own.reshape(-1)
    pairs = _near_tracks(seen, xy_m, BASE_M + RANGE_SHARE * range_m, own, cameras)
    group = np.arange(len(tracks))
    members: dict[int, list[int]] = {t: [t] for t in range(len(tracks))}
    spans = _Spans(seen, own, len(tracks))
    apart = {(a, b) for a, b, d, _ in pairs if d > _APART * gate}
    for a, b, distance, _ in sorted(pairs, key=lambda p: p[2] * (1 + 2 / p[3])):
        if distance > gate:
            continue
        one, other = int(group[a]), int(group[b])
        if one == other:
            continue
        clash = any(spans.clash(p, q) or (min(p, q), max(p, q)) in apart for p in members[one] for q in members[other])
        if not clash:
            members[one] += members.pop(other)
            group[members[one]] = one
    _, numbered = np.unique(group, return_inverse=True)
    return np.asarray(numbered.reshape(-1)[own])


def _near_tracks(
    seen: Observations, xy_m: Array, tolerance: Array, own: Int64, cameras: int
) -> list[tuple[int, int, float, int]]:
    """(track, track, median distance as a share of what may be, moments) of all that were seen together."""
    found = []
    for i in range(cameras):
        for j in range(i + 1, cameras):
            together = pairs_between(seen, i, j)
            if not len(together.one):
                continue
            off = xy_m[together.one] - xy_m[together.other]
            distance = np.hypot(off[:, 0], off[:, 1]) / (tolerance[together.one] + tolerance[together.other])
            a, b = own[together.one], own[together.other]
            order = np.lexsort((distance, b, a))
            a, b, distance = a[order], b[order], distance[order]
            starts = np.flatnonzero(np.concatenate([[True], (np.diff(a) != 0) | (np.diff(b) != 0)]))
            count = np.diff(np.append(starts, len(a)))
            middle = distance[starts + count // 2]
            kept = count >= _FEWEST
            one, other = np.minimum(a, b)[starts], np.maximum(a, b)[starts]
            found += list(
                zip(one[kept].tolist(), other[kept].tolist(), middle[kept].tolist(), count[kept].tolist(), strict=True)
            )
    return found


class _Spans:
    """When each track was seen, to tell that two of one camera cannot be one person."""

    def __init__(self, seen: Observations, own: Int64, tracks: int) -> None:
        self._camera, self._first, self._last = (np.zeros(tracks, np.int64) for _ in range(3))
        self._camera[own] = seen.camera
        self._first[:] = np.iinfo(np.int64).max
        np.minimum.at(self._first, own, seen.moment)
        np.maximum.at(self._last, own, seen.moment)

    def clash(self, a: int, b: int) -> bool:
        if self._camera[a] != self._camera[b]:
            return False
        return bool(self._first[a] <= self._last[b] and self._first[b] <= self._last[a])
