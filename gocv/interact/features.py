"""What there is to say of a hand at a shelf in numbers: how it came, what it did there, how it left, how it looked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.interact.paths import STEP_S
from gocv.interact.pooled import cosine, unit

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

MOTION = (
    *("duration_s", "inside_s", "depth_max_m", "depth_mean_m", "away_min_m", "height_m", "height_sd_m"),
    *("still_m", "before_deepest_s", "after_deepest_s", "deep_s", "dips"),
    *("speed_in_m_s", "speed_out_m_s", "fastest_in_m_s", "fastest_out_m_s"),
    *("start_depth_m", "end_depth_m"),
    *("depth_1_before_m", "depth_1_after_m", "up_1_before_m", "up_1_after_m", "up_2_before_m", "up_2_after_m"),
    *("to_face_before_m", "to_face_after_m", "aside_m", "head_away_m"),
    *("other_depth_m", "other_apart_before_m", "other_apart_after_m", "other_apart_m"),
    *("rival_m", "rival_deepest_m", "seen_share"),
)
"""From joints alone. Lengths are in the frame of the shelf; depth counts from its front edge inwards; `dips` is how
often the hand goes out by 4 cm and in again; `up` is the height of the hand over where it was furthest in; `rival` how
much further away the next shelf is."""
LOOKS = (
    *("holds_before", "holds_just_before", "holds_during", "holds_just_after", "holds_after"),
    *("top_before", "top_during", "top_after", "top_gain", "most_before", "most_after"),
    *("gain", "gain_just", "before_after_like", "before_during_like", "during_after_like"),
    *("looks_before", "looks_during", "looks_after", "agree_before", "agree_after"),
    *("other_before", "other_after", "other_gain"),
)
"""From what hands looked like: log odds that something is in the hand, the mean over 2.5 s before and after (`just`:
0.8 s), and what was gained in between; the same in the surest camera (`top`), and at the surest moment (`most`); how
alike what was in it looked, and how alike all pictures were before and after; how much was seen; and of the other
hand."""
FEATURES = (*MOTION, *LOOKS)
"""The numbers of an episode, in the order of the K axis of `Clips.features`."""

_JUST = 8
_SECOND = 10


class Moment(NamedTuple):
    """m episodes of one shopper, T rows around each, in the frame of its shelf; NaN where not known.

    Attributes:
        inside: (m, T) whether the hand is at the shelf.
        offset: (m, T) rows from the middle.
        start: (m,) first row of the episode, from the middle.
        end: (m,) last row of the episode, from the middle.
        duration_s: (m,) of the episode.
        size_m: (m, 3) of the shelf.
        origin_m: (m,) where along the shelf the hand was furthest in.
        hand_m: (m, T, 3) the hand.
        away_m: (m, T) from the shelf's room.
        rival_m: (m, T) how much further away the next shelf is.
        elbow_m: (m, T, 3) from the hand.
        other_m: (m, T, 3) the other hand.
        head_m: (m, T, 3) the head.
        seen: (m, T) 1 where the wrist was seen, 0 where it was guessed.
        logit: By "at" (m, T), "before" and "after" (m, B): log odds that something is in the hand; "before" counts
            backwards from the start.
        top: The same in the camera that is surest of it.
        other_logit: As `logit`, of the other hand.
        vector: The same (..., D): what is in it.
    """

    inside: Bool
    offset: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    duration_s: Array
    size_m: Array
    origin_m: Array
    hand_m: Array
    away_m: Array
    rival_m: Array
    elbow_m: Array
    other_m: Array
    head_m: Array
    seen: Array
    logit: Mapping[str, Array]
    top: Mapping[str, Array]
    other_logit: Mapping[str, Array]
    vector: Mapping[str, Array]


def features(moment: Moment) -> NDArray[np.float32]:
    """(m, K) what `FEATURES` name, NaN where not known."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.filterwarnings("ignore", "Mean of empty slice|All-NaN|Degrees of freedom")
        values = {**_motion(moment), **_looks(moment)}
    return np.stack([values[name] for name in FEATURES], axis=1).astype(np.float32)


def _motion(m: Moment) -> dict[str, Array]:
    inside, depth, up = m.inside, m.hand_m[..., 1], m.hand_m[..., 2]
    in_depth = np.where(inside, depth, np.nan)
    filled = np.where(np.isnan(in_depth), -np.inf, in_depth)
    deepest = filled.argmax(axis=1)
    pick = np.arange(len(deepest))
    top = in_depth[pick, deepest]
    away = np.where(inside, m.away_m, np.nan)
    speed = np.gradient(depth, STEP_S, axis=1)
    rows = np.arange(inside.shape[1])
    coming = (rows <= deepest[:, None]) & (rows >= (deepest - _SECOND)[:, None])
    going = (rows >= deepest[:, None]) & (rows <= (deepest + _SECOND)[:, None])
    middle = np.nanmean(np.where(inside[..., None], m.hand_m, np.nan), axis=1)
    spread = np.linalg.norm(m.hand_m - middle[:, None], axis=2)
    to_face = np.linalg.norm(m.hand_m - m.head_m, axis=2)
    apart = np.linalg.norm(m.other_m - m.hand_m, axis=2)
    height = up[pick, deepest]
    before_1, after_1 = _between(m, "start", -10, -6), _between(m, "end", 6, 10)
    before_2, after_2 = _between(m, "start", -22, -15), _between(m, "end", 15, 22)
    earlier, later = _between(m, "start", -15, -1), _between(m, "end", 1, 15)
    deep = in_depth > (top - 0.05)[:, None]
    return {
        "duration_s": m.duration_s,
        "inside_s": STEP_S * (away <= 0).sum(axis=1),
        "depth_max_m": top,
        "depth_mean_m": np.nanmean(in_depth, axis=1),
        "away_min_m": np.nanmin(away, axis=1),
        "height_m": height,
        "height_sd_m": np.nanstd(np.where(inside, up, np.nan), axis=1),
        "still_m": np.nanmedian(np.where(deep, spread, np.nan), axis=1),
        "before_deepest_s": STEP_S * (deepest - inside.argmax(axis=1)),
        "after_deepest_s": STEP_S * (inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1) - deepest),
        "deep_s": STEP_S * deep.sum(axis=1),
        "dips": _dips(in_depth),
        "speed_in_m_s": np.nanmean(np.where(coming, speed, np.nan), axis=1),
        "speed_out_m_s": np.nanmean(np.where(going, speed, np.nan), axis=1),
        "fastest_in_m_s": np.nanmax(np.where(coming, speed, np.nan), axis=1),
        "fastest_out_m_s": np.nanmin(np.where(going, speed, np.nan), axis=1),
        "start_depth_m": in_depth[pick, inside.argmax(axis=1)],
        "end_depth_m": in_depth[pick, inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)],
        "depth_1_before_m": _mean(depth, before_1),
        "depth_1_after_m": _mean(depth, after_1),
        "up_1_before_m": _mean(up, before_1) - height,
        "up_1_after_m": _mean(up, after_1) - height,
        "up_2_before_m": _mean(up, before_2) - height,
        "up_2_after_m": _mean(up, after_2) - height,
        "to_face_before_m": np.nanmin(np.where(earlier, to_face, np.nan), axis=1),
        "to_face_after_m": np.nanmin(np.where(later, to_face, np.nan), axis=1),
        "aside_m": np.maximum(np.abs(m.origin_m) - m.size_m[:, 0] / 2, 0.0),
        "head_away_m": -np.nanmean(np.where(inside, m.head_m[..., 1], np.nan), axis=1),
        "other_depth_m": np.nanmax(np.where(inside, m.other_m[..., 1], np.nan), axis=1),
        "other_apart_before_m": np.nanmin(np.where(earlier, apart, np.nan), axis=1),
        "other_apart_after_m": np.nanmin(np.where(later, apart, np.nan), axis=1),
        "other_apart_m": np.nanmin(np.where(inside, apart, np.nan), axis=1),
        "rival_m": np.nanmean(np.where(inside, m.rival_m, np.nan), axis=1),
        "rival_deepest_m": m.rival_m[pick, deepest],
        "seen_share": np.nanmean(np.where(inside, m.seen, np.nan), axis=1),
    }


def _looks(m: Moment) -> dict[str, Array]:
    before, after = m.logit["before"], m.logit["after"]
    during = np.where(m.inside, m.logit["at"], np.nan)
    seen = np.where(m.inside[..., None], m.vector["at"], np.nan)
    was, now, between = (_centre(v) for v in (m.vector["before"], m.vector["after"], seen))
    means = {
        "holds_before": np.nanmean(before, axis=1),
        "holds_just_before": np.nanmean(before[:, :_JUST], axis=1),
        "holds_during": np.nanmean(during, axis=1),
        "holds_just_after": np.nanmean(after[:, :_JUST], axis=1),
        "holds_after": np.nanmean(after, axis=1),
        "other_before": np.nanmean(m.other_logit["before"], axis=1),
        "other_after": np.nanmean(m.other_logit["after"], axis=1),
    }
    top = {
        "top_before": np.nanmean(m.top["before"], axis=1),
        "top_during": np.nanmean(np.where(m.inside, m.top["at"], np.nan), axis=1),
        "top_after": np.nanmean(m.top["after"], axis=1),
        "most_before": np.nanmax(m.top["before"], axis=1),
        "most_after": np.nanmax(m.top["after"], axis=1),
    }
    return {
        **means,
        **top,
        "top_gain": top["top_after"] - top["top_before"],
        "gain": means["holds_after"] - means["holds_before"],
        "gain_just": means["holds_just_after"] - means["holds_just_before"],
        "other_gain": means["other_after"] - means["other_before"],
        "before_after_like": cosine(unit(was), unit(now)),
        "before_during_like": cosine(unit(was), unit(between)),
        "during_after_like": cosine(unit(between), unit(now)),
        "looks_before": np.isfinite(before).mean(axis=1),
        "looks_during": np.isfinite(during).sum(axis=1) / np.maximum(m.inside.sum(axis=1), 1),
        "looks_after": np.isfinite(after).mean(axis=1),
        "agree_before": _length(was),
        "agree_after": _length(now),
    }


def _centre(vectors: Array) -> Array:
    """(m, D) mean of what is known of (m, T, D), not of length 1: the more alike they are, the longer."""
    return np.asarray(np.nanmean(vectors, axis=1)) if vectors.shape[2] else np.empty((len(vectors), 0))


def _length(centre: Array) -> Array:
    return np.asarray(np.linalg.norm(centre, axis=1)) if centre.shape[1] else np.full(len(centre), np.nan)


def _between(m: Moment, edge: str, first: int, last: int) -> Bool:
    """(m, T) rows from `first` to `last` after the start or the end of the episode."""
    offset = m.offset - getattr(m, edge)[:, None]
    return np.asarray((offset >= first) & (offset <= last))


def _mean(values: Array, where: Bool) -> Array:
    return np.asarray(np.nanmean(np.where(where, values, np.nan), axis=1))


def _dips(depth: Array) -> Array:
    """(m,) how often depth falls by 4 cm from a peak and rises by 4 cm again."""
    count = np.zeros(len(depth))
    high, low = np.full(len(depth), -np.inf), np.full(len(depth), np.inf)
    falling = np.zeros(len(depth), np.bool_)
    for now in depth.T:
        known = np.isfinite(now)
        high = np.where(known & ~falling, np.maximum(high, now), high)
        low = np.where(known & falling, np.minimum(low, now), low)
        falls, rises = known & ~falling & (high - now >= 0.04), known & falling & (now - low >= 0.04)
        low[falls], high[rises] = now[falls], now[rises]
        falling = (falling | falls) & ~rises
        count += rises
    return count
