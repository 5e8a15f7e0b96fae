"""Episodes as what a classifier is given: numbers of the whole, and a row for each tenth of a second around it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, HandLooks, Rows, column
from gocv.interact.episodes import Episodes
from gocv.interact.features import FEATURES, LOOKS, Moment, features
from gocv.interact.paths import ELBOWS, STEP_S, ShopperPath
from gocv.interact.pooled import PooledLooks, cosine, pooled_looks, unit
from gocv.interact.zones import HandZones

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]

FRAMES = 64
"""Rows of a clip: 3.2 s before and after the middle of the episode."""
CHANNELS = (
    *("hand_x", "hand_y", "hand_z", "hand_known"),
    *("elbow_x", "elbow_y", "elbow_z", "elbow_known"),
    *("other_x", "other_y", "other_z", "other_known"),
    *("head_x", "head_y", "head_z", "head_known"),
    *("inside", "rival_m", "rival_known"),
    *("holds", "holds_top", "like_before", "like_after", "look_known", "like_known"),
    *("other_holds", "other_look_known"),
)
"""What a row of a clip holds: places in the frame of the shelf, metres (of the hand from the front edge of the shelf,
and along it from where the hand was furthest in; of the others from the hand), whether the hand is at the shelf then,
how much further away the next shelf is, and what the hand and the other one looked like: log odds that something is in
it, the mean over the cameras and that of the surest, and the cosine with what it looked like before and after."""

_LONG = 96
_AROUND = 25
_HEAD = JOINTS.index("head")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Clips(Rows):
    """What is known of each episode.

    Attributes:
        frames: (n, T, F) float32, what `CHANNELS` name at each moment.
        inside: (n, T) bool, the rows of the episode itself.
        features: (n, K) float32, what `FEATURES` name of the whole; NaN where not known.
    """

    frames: Float32 = column(np.float32, None, None)
    inside: NDArray[np.bool_] = column(np.bool_, None)
    features: Float32 = column(np.float32, None)


def clips_of(episodes: Episodes, paths: Sequence[ShopperPath], zones: HandZones, looks: HandLooks) -> Clips:
    """The clip of each episode.

    Args:
        episodes: Of `paths` and `zones`.
        paths: Of the shoppers.
        zones: Where the shelves are.
        looks: What hands looked like; may be empty.
    """
    n = len(episodes)
    frames = np.zeros((n, FRAMES, len(CHANNELS)), np.float32)
    inside = np.zeros((n, FRAMES), np.bool_)
    numbers = np.full((n, len(FEATURES)), np.nan, np.float32)
    for path in paths:
        own = np.flatnonzero(episodes.shopper == episodes.shoppers.index(path.shopper))
        if len(own):
            moment = _moment(episodes[own], path, zones, pooled_looks(looks, path))
            cut = slice((_LONG - FRAMES) // 2, (_LONG + FRAMES) // 2)
            frames[own], inside[own] = _frames(moment)[:, cut], moment.inside[:, cut]
            numbers[own] = features(moment)
    return Clips(frames, inside, numbers)


def _moment(episodes: Episodes, path: ShopperPath, zones: HandZones, looks: PooledLooks) -> Moment:
    """All that is known of the episodes of one shopper, `_LONG` rows around the middle of each."""
    start = np.rint(episodes.start_s / STEP_S).astype(np.int64) - path.first
    end = np.rint(episodes.end_s / STEP_S).astype(np.int64) - path.first
    deepest = np.rint(episodes.deepest_s / STEP_S).astype(np.int64) - path.first
    rows = ((start + end) // 2)[:, None] + np.arange(_LONG) - _LONG // 2
    hand, other, zone = episodes.hand, 1 - episodes.hand, episodes.zone
    turn, front = zones.rotation[zone], zones.front_m[zone]
    joints, hands = _rows_of(path.joints_m, rows), _rows_of(path.hand_m, rows)
    pick = np.arange(len(rows))

    def local(points_m: Array) -> Array:
        return np.asarray(np.einsum("mti,mij->mtj", points_m - front[:, None], turn))

    mine = local(hands[pick, :, hand])
    origin = np.einsum("mi,mij->mj", path.hand_m[deepest, hand] - front, turn)[:, 0]
    away_m = _rows_of(zones.distance_m(path.hand_m.reshape(-1, 3)).reshape(*path.hand_m.shape[:2], len(zones)), rows)
    away_m = away_m[pick, :, hand]
    own_m = np.take_along_axis(away_m, zone[:, None, None], axis=2)[..., 0]
    rest = np.where(np.arange(len(zones)) == zone[:, None, None], np.inf, np.where(np.isnan(away_m), np.inf, away_m))
    before, after = start[:, None] - 1 - np.arange(_AROUND), end[:, None] + 1 + np.arange(_AROUND)
    when = {"at": rows, "before": before, "after": after}
    logit, top, vector = (
        {at: _rows_of(values, r) for at, r in when.items()} for values in (looks.logit, looks.top, looks.vector)
    )
    return Moment(
        inside=(rows >= start[:, None]) & (rows <= end[:, None]),
        offset=rows - ((start + end) // 2)[:, None],
        start=start - (start + end) // 2,
        end=end - (start + end) // 2,
        duration_s=np.asarray((end - start + 1) * STEP_S, np.float64),
        size_m=zones.size_m[zone],
        origin_m=origin,
        hand_m=mine,
        away_m=own_m,
        rival_m=np.minimum(rest.min(axis=2, initial=1.0), 1.0) - own_m,
        elbow_m=local(joints[pick, :, np.array(ELBOWS)[hand]]) - mine,
        other_m=local(hands[pick, :, other]),
        head_m=local(joints[:, :, _HEAD]),
        seen=_rows_of(path.seen.astype(np.float64), rows)[pick, :, hand],
        logit={at: value[pick, :, hand] for at, value in logit.items()},
        top={at: value[pick, :, hand] for at, value in top.items()},
        other_logit={at: value[pick, :, other] for at, value in logit.items()},
        vector={at: value[pick, :, hand] for at, value in vector.items()},
    )


def _frames(moment: Moment) -> Float32:
    """(m, T, F) what `CHANNELS` name; what is not known is 0, and said not to be."""
    hand = (
        moment.hand_m
        - np.stack([moment.origin_m, np.zeros_like(moment.origin_m), np.zeros_like(moment.origin_m)], 1)[:, None]
    )
    places = [hand, moment.elbow_m, moment.other_m - moment.hand_m, moment.head_m - moment.hand_m]
    parts: list[NDArray[Any]] = []
    for place in places:
        parts += [np.clip(place, -2.0, 2.0), np.isfinite(place).all(axis=2, keepdims=True)]
    rival = moment.rival_m[..., None]
    parts += [moment.inside[..., None], np.clip(rival, -1.0, 1.0), np.isfinite(rival)]
    likes = [
        cosine(moment.vector["at"], mean_vector(moment.vector[at])[:, None])[..., None] for at in ("before", "after")
    ]
    holds, top, other = (values["at"][..., None] / 4.0 for values in (moment.logit, moment.top, moment.other_logit))
    known = np.isfinite(likes[0]) | np.isfinite(likes[1])
    parts += [holds, top, *likes, np.isfinite(holds), known, other, np.isfinite(other)]
    return np.asarray(np.nan_to_num(np.concatenate(parts, axis=2), nan=0.0), np.float32)


def mean_vector(vectors: Array) -> Array:
    """(m, D) of length 1, the mean of what is known of (m, T, D); NaN where nothing is."""
    known = np.asarray(np.isfinite(vectors).all(axis=2)) & (vectors.shape[2] > 0)
    total = np.where(known[..., None], vectors, 0.0).sum(axis=1)
    return np.where(np.asarray(known.any(axis=1))[:, None], unit(total), np.nan)


def _rows_of(values: Array, rows: NDArray[np.int64]) -> Array:
    """`values` (n, ...) at rows (m, t), NaN beyond the ends."""
    beyond = (rows < 0) | (rows >= len(values))
    taken = np.array(values[np.clip(rows, 0, len(values) - 1)], np.float64)
    taken[beyond] = np.nan
    return taken


LOOK_CHANNELS = tuple(CHANNELS.index(n) for n in CHANNELS if "look" in n or "like" in n or "holds" in n)
"""The channels that come from what hands looked like."""
LOOK_FEATURES = tuple(FEATURES.index(name) for name in LOOKS)
"""The numbers that come from what hands looked like."""


def blind(frames: Float32, features: Float32) -> tuple[Float32, Float32]:
    """Frames and numbers of clips as they would be if nobody had looked at the hands.

    Args:
        frames: (n, T, F) with `CHANNELS`.
        features: (n, K) with `FEATURES`.
    """
    frames, features = frames.copy(), features.copy()
    frames[..., LOOK_CHANNELS] = 0.0
    features[:, LOOK_FEATURES] = np.nan
    features[:, [FEATURES.index(name) for name in ("looks_before", "looks_during", "looks_after")]] = 0.0
    return frames, features
