"""Which camera is suspect: moved during the recording, or worse than the others."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.calibration.align import pairs_between
from gocv.multicamera.calibration.observations import Observations

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

SPANS = 12
"""Into so many spans a recording is cut to see whether a camera moves."""
_ENOUGH = 25
_TURNED_RAD = np.radians(2.0)
"""In simulated shops cameras that stay seem to turn by 0.8° at most, as outlines differ from place to place."""
_TIMES_OTHERS = 2.5
_WORSE_M = 0.25


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How each camera agrees with the others about where people stand.

    Attributes:
        apart_m: (C,) float64, median distance of a camera's places from those of the camera that it agrees with best;
            NaN where it shares too little.
        turned_rad: (C,) float64, how far its directions to people turn between two parts of the recording.
        changed_span: (C,) int64, before which span of the recording that is; -1 where it does not.
        first_moment: (SPANS + 1,) int64, where spans begin, and the end.
    """

    apart_m: Array
    turned_rad: Array
    changed_span: Int64
    first_moment: Int64


def agreement(seen: Observations, person: Int64, xy_m: Array, cameras: Array) -> Agreement:
    """Compare where each camera puts people with where each other one does.

    A camera's places are compared as directions from it (azimuth and depression), which a knock turns by the same
    angle everywhere; of the other cameras the median counts, so that one that moved does not accuse the rest.

    Args:
        seen: Boxes of all cameras.
        person: (n,) int64, whose each is.
        xy_m: (n, 2) float64, where each box alone puts the person, in the common frame.
        cameras: (C, 8) float64.
    """
    count = len(cameras)
    last = int(seen.moment.max()) + 1 if len(seen) else 1
    first = int(seen.moment.min()) if len(seen) else 0
    edges = np.unique(np.linspace(first, last, SPANS + 1).astype(np.int64))
    spans = len(edges) - 1
    change = np.full((count, count, spans), np.nan)
    apart = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(count):
            both = pairs_between(seen, i, j)
            same = person[both.one] == person[both.other]
            a, b = both.one[same], both.other[same]
            if i == j or len(a) < _ENOUGH:
                continue
            apart[i, j] = np.median(np.linalg.norm(xy_m[a] - xy_m[b], axis=1))
            off = _directions(xy_m[b], cameras[i]) - _directions(xy_m[a], cameras[i])
            off[:, 0] = (off[:, 0] + np.pi) % (2 * np.pi) - np.pi
            span = np.searchsorted(edges, seen.moment[a], "right") - 1
            for s in range(1, spans):
                if min((span < s).sum(), (span >= s).sum()) >= _ENOUGH:
                    turn = np.median(off[span >= s], axis=0) - np.median(off[span < s], axis=0)
                    change[i, j, s] = np.linalg.norm(turn)
    turned, changed = _blamed(np.where(np.isnan(change), -1.0, change))
    nearest_m = np.where(np.isnan(apart), np.inf, apart).min(axis=1)
    return Agreement(np.where(np.isfinite(nearest_m), nearest_m, np.nan), turned, changed, edges)


def _blamed(change: Array) -> tuple[Array, Int64]:
    """(C,) how far each camera turned, (C,) before which span: of (C, C, spans) turns as partners see it, -1 unknown.

    A camera that stays has a partner that stays too and agrees with it all the time. The one that all of its partners
    see turn most is blamed first, and then is nobody's witness.
    """
    count = len(change)
    turned, changed = np.zeros(count), np.full(count, -1, np.int64)
    witness = np.ones(count, bool)
    while True:
        seen = np.where(change[:, witness] < 0, np.inf, change[:, witness])
        least = seen.min(axis=1, initial=np.inf)
        least = np.where(np.isfinite(least), least, 0.0)
        turned[witness], changed[witness] = least.max(axis=1)[witness], least.argmax(axis=1)[witness]
        suspect = witness & (turned > _TURNED_RAD)
        if not suspect.any() or witness.sum() <= 2:
            return turned, np.where(turned > 0, changed, -1)
        most = change[:, witness].max(axis=2)
        mean = np.where(most >= 0, most, 0.0).sum(axis=1) / np.maximum((most >= 0).sum(axis=1), 1)
        witness[int(np.where(suspect, mean, -1.0).argmax())] = False


def suspects(found: Agreement, rms_share: Array, window_s: float) -> list[str]:
    """(C,) what is wrong with each camera in words, "" for nothing.

    Args:
        found: How the cameras agree.
        rms_share: (C,) float64, reprojection error as a share of box height.
        window_s: From one moment to the next.
    """
    words = []
    for camera, (apart, turned, changed) in enumerate(
        zip(found.apart_m, found.turned_rad, found.changed_span, strict=True)
    ):
        others = np.arange(len(rms_share)) != camera
        usual_apart = _typical(found.apart_m[others])
        usual_rms = _typical(rms_share[others])
        if len(rms_share) > 2 and turned > _TURNED_RAD:
            at_s = found.first_moment[changed] * window_s
            words.append(f"moved during the recording: turned by {np.degrees(turned):.1f}° about {at_s:.0f} s in")
        elif len(rms_share) > 2 and apart > max(_WORSE_M, _TIMES_OTHERS * usual_apart):
            words.append(f"puts people {apart:.2f} m from where the others do (they agree within {usual_apart:.2f} m)")
        elif rms_share[camera] > 2 * usual_rms:
            words.append(f"its boxes fit {rms_share[camera] / usual_rms:.1f} times worse than those of the others")
        else:
            words.append("")
    return words


def _directions(xy_m: Array, camera: Array) -> Array:
    """(n, 2) azimuth and depression of places on the floor from a camera, radians."""
    way = xy_m - camera[5:7]
    return np.stack([np.arctan2(way[:, 1], way[:, 0]), np.arctan2(camera[7], np.hypot(*way.T))], axis=1)


def _typical(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.inf
