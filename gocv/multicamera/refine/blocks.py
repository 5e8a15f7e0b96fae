"""What each camera's own track saw within a short while, as one look: enough to tell people apart, and much less."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import Rows, column
from gocv.motion.places import fused

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_LONGEST_BREAK_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Blocks(Rows):
    """Looks of own tracks, in order of their moment.

    Attributes:
        time_s: (K,) float64, seconds, of all moments.
        vectors: (U, D) float32, mean appearance of each own track, 0 where there is none; or None.
        moment: (n,) int64, index into `time_s`.
        camera: (n,) int64.
        own: (n,) int64 in [0, U), the own track. Where a camera has none, it is what was followed as one.
        xy_m: (n, 2) float64.
        covariance_m2: (n, 2, 2) float64.
        overlooked: (n,) float64, log of how likely all other cameras overlook somebody there.
        who: (n,) int64, the shopper, -1 for nobody.
    """

    time_s: Float64
    vectors: Float32 | None
    moment: Int64 = column(np.int64)
    camera: Int64 = column(np.int64)
    own: Int64 = column(np.int64)
    xy_m: Float64 = column(np.float64, 2)
    covariance_m2: Float64 = column(np.float64, 2, 2)
    overlooked: Float64 = column(np.float64)
    who: Int64 = column(np.int64)

    def owned(self, who: Int64) -> Blocks:
        """The same looks, of others."""
        return dataclasses.replace(self, who=who)


def blocks_of(
    time_s: Float64,
    camera: Int64,
    own: Int64,
    xy_m: Float64,
    covariance_m2: Float64,
    velocity_m_s: Float64,
    overlooked: Float64,
    who: Int64,
    vector: Float32 | None,
    block_s: float,
) -> tuple[Blocks, Int64]:
    """Put looks together.

    A look is moved to the middle of its block along the velocity of whom it is of. Looks of one camera err alike, so n
    of them count as √n.

    Args:
        time_s: (m,) of each look.
        camera: (m,).
        own: (m,) number of the camera's own track, -1 for none.
        xy_m: (m, 2) metres.
        covariance_m2: (m, 2, 2).
        velocity_m_s: (m, 2) of whom it is taken to be of.
        overlooked: (m,) log of how likely all other cameras overlook them there.
        who: (m,) who that is, -1 for nobody.
        vector: (m, D) appearance, NaN where there is none; or None.
        block_s: Length of a block.

    Returns:
        The blocks, and (m,) int64, the block that each look went into.
    """
    start = float(time_s.min(initial=np.inf)) if len(time_s) else 0.0
    # Windows as far apart as blocks fall into one each, whatever rounding did to them.
    slot = np.floor((time_s - start) / block_s + 1e-3).astype(np.int64)
    slots, moment = np.unique(slot, return_inverse=True)
    middle = np.bincount(moment, time_s, len(slots)) / np.maximum(np.bincount(moment, minlength=len(slots)), 1)
    track = _tracks(time_s, camera, own, who)
    tracks = int(track.max(initial=-1)) + 1
    key, at, count = np.unique(moment * max(tracks, 1) + track, return_inverse=True, return_counts=True)
    place = xy_m - (time_s - middle[moment])[:, None] * velocity_m_s
    _, place, covariance = fused(at, place, covariance_m2)
    first = np.full(len(key), -1)
    first[at[::-1]] = np.arange(len(at))[::-1]
    blocks = Blocks(
        middle,
        None if vector is None else _looks(vector, track, tracks),
        moment=key // max(tracks, 1),
        camera=camera[first],
        own=key % max(tracks, 1),
        xy_m=place,
        covariance_m2=covariance * np.sqrt(count)[:, None, None],
        overlooked=np.bincount(at, overlooked, len(key)) / count,
        who=_most(at, who, len(key)),
    )
    return blocks, at


def _tracks(time_s: Float64, camera: Int64, own: Int64, who: Int64) -> Int64:
    """(m,) numbers of the own tracks; for looks without one, what one camera saw of one shopper without a break."""
    number = np.empty(len(own), np.int64)
    named = own >= 0
    _, number[named] = np.unique(own[named], return_inverse=True)
    more = int(number[named].max(initial=-1)) + 1
    rest = np.flatnonzero(~named)
    order = rest[np.lexsort((time_s[rest], who[rest], camera[rest]))]
    new = np.ones(len(order), np.bool_)
    if len(order):
        a, b = order[:-1], order[1:]
        new[1:] = (camera[a] != camera[b]) | (who[a] != who[b]) | (time_s[b] - time_s[a] > _LONGEST_BREAK_S)
        new |= who[order] < 0
    number[order] = more + np.cumsum(new) - 1
    return number


def _most(at: Int64, who: Int64, n: int) -> Int64:
    """(n,) of whom most of the looks of each block are; nobody where that is nobody."""
    pairs, count = np.unique(np.stack([at, who]), axis=1, return_counts=True)
    order = np.lexsort((count, pairs[0]))
    most = np.full(n, -1, np.int64)
    most[pairs[0, order]] = pairs[1, order]
    return most


def _looks(vector: Float32, track: Int64, tracks: int) -> Float32:
    total = np.zeros((tracks, vector.shape[1]), np.float32)
    known = np.isfinite(vector[:, 0])
    np.add.at(total, track[known], vector[known])
    unit: Float32 = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), np.float32(1e-9))
    return unit
