"""The figure of a shopper: a trunk that bends, turns and sinks, and two arms whose bones keep their length."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_HIP, _SHOULDER, _NECK, _HEAD = 0.53, 0.81, 0.845, 0.93
"""Heights as shares of that of the whole figure."""
_HALF_WIDTH = 0.11
_FACE_M = 0.03
_UPPER_ARM, _FOREARM = 0.30 / 1.72, 0.27 / 1.72
_TAUT = 0.985
_EASY = 0.95
_CRAMPED = 0.35
_TWIST_RAD = 0.4
_TIPTOE, _CROUCH = 0.04, 0.28
_ANGLE, _SINK = (g.ravel() for g in np.meshgrid(np.linspace(0.0, 1.4, 13), np.linspace(-_TIPTOE, _CROUCH, 9)))
_EFFORT = _ANGLE**2 + np.where(_SINK > 0, (_SINK / _CROUCH) ** 2, 0.05 * (_SINK / _TIPTOE) ** 2)


def trunk(
    height_m: float, xy_m: Array, forward: Array, tilt_rad: Array, drop_m: Array, twist_rad: Array
) -> tuple[Array, Array, Array]:
    """Head (m, 3), neck (m, 3) and shoulders (m, 2, 3), left before right, in the store's frame.

    Args:
        height_m: From the floor to the top of the head, standing straight.
        xy_m: (m, 2) where the feet are.
        forward: (m, 2) unit vectors.
        tilt_rad: (m, 2) towards where and by how much the trunk is bent at the hips.
        drop_m: (m,) how far the knees let the hips down; negative on the toes.
        twist_rad: (m,) turn of the shoulders to the left.
    """
    h = height_m
    c, s = np.cos(twist_rad), np.sin(twist_rad)
    ahead = np.stack([c * forward[:, 0] - s * forward[:, 1], s * forward[:, 0] + c * forward[:, 1]], axis=1)
    left = _HALF_WIDTH * h * np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    level = np.stack([_FACE_M * forward, np.zeros_like(left), left, -left], axis=1)
    above = h * (np.array([_HEAD, _NECK, _SHOULDER, _SHOULDER]) - _HIP)
    angle = np.hypot(tilt_rad[:, 0], tilt_rad[:, 1])
    towards = np.where(angle[:, None] > 1e-9, tilt_rad / np.maximum(angle, 1e-9)[:, None], forward)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    along = (level * towards[:, None]).sum(axis=2)
    points = np.empty((len(xy_m), 4, 3))
    moved = (above * sine + along * (cosine - 1.0))[:, :, None] * towards[:, None]
    points[:, :, :2] = xy_m[:, None] + level + moved
    points[:, :, 2] = _HIP * h - drop_m[:, None] + above * cosine - along * sine
    return points[:, 0], points[:, 1], points[:, 2:]


def hanging(height_m: float, shoulders: Array, forward: Array, swing: Array) -> Array:
    """(m, 2, 3) wrists of arms that hang from (m, 2, 3) shoulders, the left one forward by `swing` (m,), m."""
    wrists = shoulders.copy()
    ahead = 0.06 * height_m + swing[:, None] * np.array([1.0, -1.0])
    wrists[:, :, :2] += ahead[:, :, None] * forward[:, None]
    wrists[:, :, 2] = np.maximum(wrists[:, :, 2] - 0.29 * height_m, 0.08 * height_m)
    return wrists


def arms(height_m: float, shoulders: Array, wrists: Array, forward: Array) -> tuple[Array, Array]:
    """Elbows (m, 2, 3), and wrists (m, 2, 3) no farther from the shoulders than the arms are long."""
    upper, fore = _UPPER_ARM * height_m, _FOREARM * height_m
    arm = wrists - shoulders
    length = np.sqrt((arm * arm).sum(axis=2, keepdims=True))
    reach = np.clip(length, 0.25 * (upper + fore), _TAUT * (upper + fore))
    unit = arm / np.maximum(length, 1e-9)
    along = (upper**2 - fore**2 + reach**2) / (2 * reach)
    bend = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    pole = np.empty_like(unit)
    pole[:, :, :2] = -forward[:, None]
    pole[:, :, 2] = -1.0
    pole -= (pole * unit).sum(axis=2, keepdims=True) * unit
    pole /= np.maximum(np.sqrt((pole * pole).sum(axis=2, keepdims=True)), 1e-6)
    return shoulders + along * unit + bend * pole, shoulders + reach * unit


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """What the trunk does so that a hand gets somewhere.

    Attributes:
        tilt_rad: (2,) towards where and by how much it bends at the hips.
        drop_m: How far the knees let it down; negative on the toes.
        twist_rad: Turn of the shoulders to the left.
        miss_m: How far the hand stays from where it should be; 0 where it gets there.
    """

    tilt_rad: Array
    drop_m: float
    twist_rad: float
    miss_m: float


def bend_towards(height_m: float, xy_m: Array, forward: Array, target_m: Array, hand: int) -> Bend:
    """The least that a shopper who stands at (2,) bends, sinks or stretches to get a hand to (3,).

    Args:
        height_m: Of the shopper.
        xy_m: (2,) where they stand, in the store's frame.
        forward: (2,) unit vector.
        target_m: (3,) where the wrist has to be.
        hand: 0 the left one, 1 the right one.
    """
    return _bend(height_m, tuple(xy_m.tolist()), tuple(forward.tolist()), tuple(target_m.tolist()), hand)


@functools.lru_cache(maxsize=1024)  # the same question comes when a stop is planned and again when it is acted
def _bend(
    height_m: float, xy_m: tuple[float, ...], forward: tuple[float, ...], target_m: tuple[float, ...], hand: int
) -> Bend:
    gap = np.array(target_m[:2]) - xy_m
    towards = gap / max(float(np.hypot(*gap)), 1e-9)
    n = len(_EFFORT)
    twist = _TWIST_RAD * (2 * hand - 1)
    _, _, shoulders = trunk(
        height_m,
        np.tile(xy_m, (n, 1)),
        np.tile(forward, (n, 1)),
        _ANGLE[:, None] * towards,
        _SINK * height_m,
        np.full(n, twist),
    )
    distance = np.linalg.norm(target_m - shoulders[:, hand], axis=1)
    arm = (_UPPER_ARM + _FOREARM) * height_m
    miss = np.maximum(distance - _EASY * arm, 0.0)
    best = int((_EFFORT + 1e3 * miss + 3.0 * np.maximum(_CRAMPED * arm - distance, 0.0)).argmin())
    left_over = max(0.0, float(distance[best]) - _TAUT * arm)
    return Bend(_ANGLE[best] * towards, float(_SINK[best]) * height_m, twist, left_over)
