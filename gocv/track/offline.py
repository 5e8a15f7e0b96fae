"""Once a clip is over: broken tracks joined, and gaps in them filled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.assign import best_pairs
from gocv.core import DataError
from gocv.geometry import iou

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


class Filled(NamedTuple):
    """Tracks without gaps, in order of id, then time.

    Attributes:
        time_s: (m,) float64, seconds.
        track_id: (m,) int64.
        xyxy: (m, 4) float64, pixels.
        observed: (m,) bool, False where a box was put in.
    """

    time_s: Float64
    track_id: Int64
    xyxy: Float64
    observed: NDArray[np.bool_]


def link_tracks(
    time_s: ArrayLike,
    track_id: ArrayLike,
    xyxy: ArrayLike,
    *,
    max_gap_s: float = 2.0,
    min_iou: float = 0.3,
    look_back_s: float = 0.5,
) -> Int64:
    """Join tracks of which one ends where another begins soon after.

    An end is carried on at the mean velocity of its last `look_back_s`, a beginning back at that of its first; the
    worth of joining them is the IoU of both where they meet in the middle of the gap. Ends and beginnings are paired so
    that the sum of (IoU - min_iou) is greatest, over all tracks at once.

    Args:
        time_s: (n,) seconds, in any order.
        track_id: (n,) ids, each at a time once.
        xyxy: (n, 4) pixels.
        max_gap_s: Seconds beyond which nothing is joined.
        min_iou: IoU from which tracks may be joined.
        look_back_s: Seconds over which velocities are taken.

    Returns:
        (n,) int64 ids, those that were joined under the id of the earliest of them.

    Raises:
        DataError: Lengths differ, or an id is twice at one time.
    """
    time, track, boxes, order = _tracks(time_s, track_id, xyxy)
    if not len(time):
        return track
    first = np.flatnonzero(np.diff(track, prepend=track[0] - 1))
    last = np.append(first[1:], len(track)) - 1
    gap = time[first][None, :] - time[last][:, None]
    end, begin = np.nonzero((gap > 0) & (gap <= max_gap_s))
    whole = [slice(a, b + 1) for a, b in zip(first, last, strict=True)]
    forward = np.array([_velocity(time[own], boxes[own], -look_back_s) for own in whole])
    backward = np.array([_velocity(time[own], boxes[own], look_back_s) for own in whole])
    half = gap[end, begin, None] / 2
    one = boxes[last[end]] + forward[end] * half
    other = boxes[first[begin]] - backward[begin] * half
    overlap = np.array([iou(a[None], b[None])[0, 0] for a, b in zip(one, other, strict=True)], np.float64)
    good = overlap > min_iou
    ends, begins = best_pairs(end[good], begin[good], overlap[good] - min_iou, (len(first), len(first)))
    earlier = np.arange(len(first))
    for tail, head in sorted(zip(ends.tolist(), begins.tolist(), strict=True), key=lambda pair: time[first[pair[1]]]):
        earlier[head] = earlier[tail]
    number = np.searchsorted(first, np.arange(len(track)), side="right") - 1
    joined = np.empty(len(track), np.int64)
    joined[order] = track[first][earlier[number]]
    return joined


def fill_gaps(
    time_s: ArrayLike, track_id: ArrayLike, xyxy: ArrayLike, at_s: ArrayLike, *, max_gap_s: float = 1.0
) -> Filled:
    """Put boxes where a track was not seen for a while, on the straight line between the sights before and after.

    Zhang et al., "ByteTrack", 2022 (arXiv:2110.06864), §4.1, "tracklet interpolation", in seconds.

    Args:
        time_s: (n,) seconds, in any order.
        track_id: (n,) ids, each at a time once.
        xyxy: (n, 4) pixels.
        at_s: (f,) seconds, the times of the clip's frames: boxes are put in at these.
        max_gap_s: Seconds between two sights beyond which nothing is put in.

    Raises:
        DataError: Lengths differ, or an id is twice at one time.
    """
    time, track, boxes, _ = _tracks(time_s, track_id, xyxy)
    frames = np.unique(np.asarray(at_s, np.float64))
    times, ids, places, seen = [time], [track], [boxes], [np.ones(len(time), np.bool_)]
    gap = np.diff(time)
    for i in np.flatnonzero((np.diff(track) == 0) & (gap <= max_gap_s)):
        between = frames[(frames > time[i]) & (frames < time[i + 1])]
        share = ((between - time[i]) / gap[i])[:, None]
        times.append(between)
        ids.append(np.full(len(between), track[i]))
        places.append((1 - share) * boxes[i] + share * boxes[i + 1])
        seen.append(np.zeros(len(between), np.bool_))
    time, track = np.concatenate(times), np.concatenate(ids)
    order = np.lexsort((time, track))
    return Filled(time[order], track[order], np.concatenate(places)[order], np.concatenate(seen)[order])


def _tracks(time_s: ArrayLike, track_id: ArrayLike, xyxy: ArrayLike) -> tuple[Float64, Int64, Float64, Int64]:
    """Times, ids and boxes in order of id, then time; and that order."""
    time, track = np.asarray(time_s, np.float64), np.asarray(track_id, np.int64)
    boxes = np.asarray(xyxy, np.float64)
    boxes = boxes.reshape(0, 4) if not boxes.size else boxes
    if time.ndim != 1 or track.shape != time.shape or boxes.shape != (len(time), 4):
        raise DataError(
            f"times, ids and boxes have shapes {time.shape}, {track.shape} and {boxes.shape}",
            expected="(n,), (n,) and (n, 4)",
        )
    order = np.lexsort((time, track))
    time, track = time[order], track[order]
    twice = np.flatnonzero((np.diff(track) == 0) & (np.diff(time) == 0))
    if len(twice):
        raise DataError(f"track {track[twice[0]]} is twice at {time[twice[0]]} s", expected="once at a time")
    return time, track, boxes[order], order


def _velocity(time: Float64, boxes: Float64, over_s: float) -> Float64:
    """(4,) pixels a second of the edges, over the last (negative) or first (positive) seconds of a track."""
    near = time >= time[-1] + over_s if over_s < 0 else time <= time[0] + over_s
    own, moved = time[near], boxes[near]
    if len(own) < 2:
        return np.zeros(4)
    centre = (moved[-1, :2] + moved[-1, 2:] - moved[0, :2] - moved[0, 2:]) / 2 / (own[-1] - own[0])
    return np.concatenate([centre, centre])
