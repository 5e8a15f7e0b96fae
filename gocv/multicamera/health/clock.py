"""Clocks that are off, from people who walk.

A clock that is late by δ stamps what it saw of x(t - δ) with t. So boxes trail behind where others see people by δ
times the velocity in the picture, and δ is the robust weighted regression of the one on the other (Huber, "Robust
estimation of a location parameter", Ann. Math. Statist. 35 (1964)). Looks of one shopper err alike: the standard error
is that of the estimate over clusters, which are the shoppers (Liang and Zeger, "Longitudinal data analysis", Biometrika
73 (1986), eq. 7).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.multicamera.health.others import Others
from gocv.multicamera.health.pictures import Boxes, Compared, Shown, compare, motion_px_s, shown
from gocv.multicamera.health.settings import HealthSettings
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]

_HUBER = 1.5
_ROUNDS = 12
_DONE_S = 0.002
_STEP_S = 0.25
_PEOPLE = 4
"""Fewer people say nothing of a clock."""


class Clock(NamedTuple):
    """How late a clock is.

    Attributes:
        late_s: Seconds; negative where it is early.
        sd_s: Standard error; infinite where nothing is known.
        fit: Mean fit of the camera's boxes with that taken off.
        people: By how many.
    """

    late_s: float
    sd_s: float
    fit: float
    people: int


def clock_of(
    camera: PinholeCamera,
    boxes: Boxes,
    others: Others,
    settings: BoxSettings,
    health: HealthSettings,
    *,
    search: bool = False,
) -> Clock:
    """How late the clock of a camera is.

    Args:
        camera: How it sees.
        boxes: What it saw.
        others: Where others see people.
        settings: How boxes err.
        health: How far clocks may be off.
        search: Whether to look further than what the boxes that fit as it is say.
    """
    late_s = _best(camera, boxes, others, settings, health) if search else 0.0
    sd_s, people, fit = np.inf, 0, 0.0
    for _ in range(_ROUNDS):
        seen = shown(boxes.frame_s, others, late_s)
        matched = compare(camera, boxes, seen, settings, health.gate_sd)
        fit = float(matched.fit.mean()) if len(boxes) else 0.0
        more_s, sd_s, people = _regressed(camera, seen, matched, settings)
        late_s = float(np.clip(late_s + more_s, -health.furthest_s, health.furthest_s))
        if abs(more_s) < _DONE_S:
            break
    return Clock(late_s, sd_s, fit, people)


def _best(camera: PinholeCamera, boxes: Boxes, others: Others, settings: BoxSettings, health: HealthSettings) -> float:
    """The best of offsets at even steps."""
    steps = int(health.furthest_s / _STEP_S)
    boxes = boxes.thinned(health.tried)
    tried = np.arange(-steps, steps + 1) * _STEP_S
    fits = [
        compare(camera, boxes, shown(boxes.frame_s, others, late_s), settings, health.gate_sd).fit.sum()
        for late_s in tried.tolist()
    ]
    return float(tried[int(np.argmax(fits))])


def _regressed(
    camera: PinholeCamera, seen: Shown, matched: Compared, settings: BoxSettings
) -> tuple[float, float, int]:
    """By how much later the clock is, the standard error, and how many people say so."""
    person = np.repeat(seen.person[matched.at], 3)
    speed = (motion_px_s(camera, seen, matched.at, settings) / matched.sd_px).ravel()
    behind = -(matched.off_px / matched.sd_px).ravel()
    known = np.isfinite(speed) & np.isfinite(behind)
    person, speed, behind = person[known], speed[known], behind[known]
    _, person = np.unique(person, return_inverse=True)
    people = int(person.max(initial=-1)) + 1
    if people < _PEOPLE or not (speed**2).sum() > 0:
        return 0.0, np.inf, people
    late_s, weight = 0.0, np.ones(len(speed))
    for _ in range(_ROUNDS):
        late_s = float((weight * speed * behind).sum() / (weight * speed**2).sum())
        rest = behind - late_s * speed
        scale = max(1.4826 * float(np.median(np.abs(rest))), 1e-6)
        weight = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(rest), 1e-9))
    score = np.bincount(person, weight * speed * (behind - late_s * speed), people)
    sd_s = float(np.sqrt((score**2).sum() * people / (people - 1)) / (weight * speed**2).sum())
    return late_s, sd_s, people
