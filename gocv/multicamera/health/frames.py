"""Cameras that do not look, and cameras that look and see nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.health.found import Found
from gocv.multicamera.health.pictures import Boxes
from gocv.multicamera.health.settings import HealthSettings

Float64 = NDArray[np.float64]

_STEPS = 10
"""A gap of fewer frame steps is none."""
_FEWER, _NOTHING = 0.4, 0.1
"""Who sees less than these shares of what is usual sees badly, or nothing."""
_LEAST = 20.0
"""So many people more, counted in every frame, must have been overlooked."""


class Stretch(NamedTuple):
    """A stretch of time, in seconds; infinite where it has no end."""

    from_s: float
    until_s: float


def gaps(time_s: Sequence[Float64], health: HealthSettings) -> list[list[Stretch]]:
    """Of each camera, when it had no frames while others did.

    Args:
        time_s: Of each camera, (F,) times of its frames.
        health: How long a gap may be.
    """
    known = [times for times in time_s if len(times)]
    if not known:
        return [[] for _ in time_s]
    start, end = min(float(times[0]) for times in known), max(float(times[-1]) for times in known)
    found = []
    for c, times in enumerate(time_s):
        others = np.sort(np.concatenate([np.empty(0), *(other for k, other in enumerate(time_s) if k != c)]))
        step = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        longest = max(health.gap_s, _STEPS * step)
        edges = np.concatenate([[start - step], times, [end + step]])
        own = []
        for k in np.flatnonzero(np.diff(edges) > longest).tolist():
            low, high = edges[k], edges[k + 1]
            if np.searchsorted(others, high, side="left") > np.searchsorted(others, low, side="right"):
                begin, end = float(low) + step, float(high)
                own.append(Stretch(-np.inf if k == 0 else begin, np.inf if k == len(times) else end))
        found.append(own)
    return found


def blind(found: Found, boxes: Boxes, health: HealthSettings) -> Stretch | None:
    """The longest while for which a camera saw nobody, where it sees people otherwise; None where there was none.

    A camera that never sees anybody is expected to see all who are in its picture.

    Args:
        found: Whom it found of those whom others see.
        boxes: What it saw.
        health: How many people must have been overlooked.
    """
    frames = len(boxes.frame_s)
    expected = found.expected if found.usual > _NOTHING else np.ones(len(found.expected))
    by_frame, seen = np.bincount(found.frame, expected, frames), np.bincount(boxes.frame, minlength=frames)
    begin, end, most = _greatest(np.asarray(_FEWER * by_frame - seen, np.float64))
    own = (found.frame >= begin) & (found.frame < end) & (expected > _FEWER)
    whom = np.unique(found.person[own])
    if most < _LEAST or len(whom) < health.people or seen[begin:end].sum() > _NOTHING * by_frame[begin:end].sum():
        return None
    return Stretch(
        -np.inf if begin == 0 else float(boxes.frame_s[begin]), np.inf if end == frames else float(boxes.frame_s[end])
    )


def _greatest(value: Float64) -> tuple[int, int, float]:
    """The stretch [begin, end) of greatest sum, and that sum."""
    total = np.concatenate([[0.0], np.cumsum(value)])
    end = int(np.argmax(total - np.minimum.accumulate(total)))
    begin = int(np.argmin(total[: end + 1]))
    return begin, end, float(total[end] - total[begin])
