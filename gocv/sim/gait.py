"""How a way is walked: its corners rounded, the speed rising, holding and falling smoothly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.sim.routes import Floor

Array = NDArray[np.float64]

ROW_S = 0.1
"""From one row of a motion to the next; rows lie on multiples of this on the recording's clock."""
FASTEST_M_S = 2.2
_SPACING_M = 0.08
_CUTS_M = (0.45, 0.2, 0.0)
_STEP_BACK_M = 0.6
_SHARES = np.array([1.0, 0.6, 0.3])
_FINE_S = 0.05
_EASE = 8  # fine steps over which a change of speed is eased
_SLOWEST_M_S = 0.35
_SWERVE_M = 1.3
_ENDS_M = 0.6


def curve_between(floor: Floor, start_m: Array, end_m: Array, away: Array) -> Array:
    """(n, 2) dense curve from one place to another that steps back from both and goes around the gondolas.

    Args:
        floor: Where there is room.
        start_m: (2,) from where, in the store's frame.
        end_m: (2,) to where.
        away: (2, 2) unit vectors away from what stands at the start and at the end.
    """
    back = min(_STEP_BACK_M, 0.3 * float(np.linalg.norm(end_m - start_m)))
    ends = np.stack([start_m, end_m])
    tried = ends + _SHARES[:, None, None] * back * away
    fits = floor.clear(np.tile(ends, (len(_SHARES), 1)), tried.reshape(-1, 2)).reshape(-1, 2)
    best = fits.argmax(axis=0)
    inner = np.where(fits[best, [0, 1]][:, None], tried[best, [0, 1]], ends)
    corners = np.concatenate([start_m[None], floor.path(inner[0], inner[1]), end_m[None]])
    corners = corners[np.concatenate([[True], np.linalg.norm(np.diff(corners, axis=0), axis=1) > 1e-6])]
    if len(corners) == 1:
        return np.stack([start_m, end_m])
    for cut_m in _CUTS_M:
        curve = _dense(_rounded(corners, cut_m))
        if floor.clear(curve[:-1], curve[1:]).all():
            break
    return curve


def _rounded(corners: Array, cut_m: float) -> Array:
    """The polyline with each corner replaced by a parabola that begins and ends at most `cut_m` from it."""
    if len(corners) == 2 or cut_m == 0.0:
        return corners
    u = np.linspace(0.0, 1.0, 9)[:, None]
    parts = [corners[:1]]
    for before, corner, after in zip(corners[:-2], corners[1:-1], corners[2:], strict=True):
        ahead, behind = after - corner, before - corner
        far, near = float(np.hypot(*ahead)), float(np.hypot(*behind))
        cut = min(cut_m, 0.5 * far, 0.5 * near)
        one, other = corner + cut / near * behind, corner + cut / far * ahead
        parts.append((1 - u) ** 2 * one + 2 * u * (1 - u) * corner + u**2 * other)
    return np.concatenate([*parts, corners[-1:]])


def _dense(points: Array) -> Array:
    along = lengths(points)
    count = max(3, int(np.ceil(along[-1] / _SPACING_M)) + 1)  # at rest at both ends, so there must be a middle
    return resampled(points, along, np.linspace(0.0, along[-1], count))


def lengths(points: Array) -> Array:
    """(n,) distance walked up to each of (n, 2) points."""
    step = np.diff(points, axis=0)
    return np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])


def resampled(points: Array, along: Array, at: Array) -> Array:
    """(m, 2) places on a polyline at distances `at` (m,) where `along` (n,) is that of its points."""
    return np.stack([np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1])], axis=1)


def walked(curve: Array, speed_m_s: float) -> Array:
    """(n, 2) positions after each `ROW_S` of a walk along a curve, the last at its end.

    The speed is at most `speed_m_s`, less in bends, and bounded in its change.
    """
    along = lengths(curve)
    if along[-1] < 1e-6:
        return curve[-1:].copy()
    rise = 2.4 * speed_m_s * along  # twice the acceleration times the way: what the square of the speed can gain
    square = np.minimum(_bend_speeds(curve, along, speed_m_s) ** 2, np.minimum(rise, rise[-1] - rise))
    square = rise + np.minimum.accumulate(square - rise)
    square = np.minimum.accumulate((square + rise)[::-1])[::-1] - rise
    speed = np.sqrt(np.maximum(square, 0.0))
    time = np.concatenate([[0.0], np.cumsum(2 * np.diff(along) / np.maximum(speed[1:] + speed[:-1], 1e-3))])
    rows = max(1, int(np.ceil((time[-1] + _EASE * _FINE_S) / ROW_S - 1e-6)))
    stretch = time[-1] / (rows * ROW_S - _EASE * _FINE_S)
    fine = (np.arange(rows * 2 + 1 + _EASE) - _EASE) * _FINE_S * stretch
    done = np.concatenate([[0.0], np.cumsum(np.interp(fine, time, along))])
    eased = (done[_EASE:] - done[:-_EASE]) / _EASE
    at = eased[1 : rows * 2 + 2][1::2][:rows]
    at[-1] = along[-1]
    return resampled(curve, along, at)


def _bend_speeds(curve: Array, along: Array, speed_m_s: float) -> Array:
    """(n,) at most how fast each point of a curve is passed, for what a walker bears sideways."""
    most = np.full(len(curve), speed_m_s)
    if len(curve) > 2:
        step = np.diff(curve, axis=0)
        cross = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
        dot = (step[:-1] * step[1:]).sum(axis=1)
        turn = np.abs(np.arctan2(cross, dot)) / np.maximum(np.diff(along)[1:], 1e-6)
        sideways = 1.2 * speed_m_s
        most[1:-1] = np.clip(np.sqrt(sideways / np.maximum(turn, 1e-3)), _SLOWEST_M_S, speed_m_s)
    return most


def hurried(curve: Array, speed_m_s: float, rows: float) -> Array:
    """The walk at the liked speed, or as much faster as it takes to need no more than so many rows, if that works."""
    leg = walked(curve, speed_m_s)
    if len(leg) <= rows:
        return leg
    slow, fast = speed_m_s, max(FASTEST_M_S, speed_m_s)
    leg = walked(curve, fast)
    if len(leg) > rows:
        return leg
    for _ in range(5):
        middle = (slow + fast) / 2
        tried = walked(curve, middle)
        if len(tried) <= rows:
            leg, fast = tried, middle
        else:
            slow = middle
    return leg


def swerved(curve: Array, place_m: Array, offsets_m: Array) -> Array:
    """(k, n, 2) variants of a curve (n, 2) that swerve where it is nearest to a place, to the left by each offset."""
    along = lengths(curve)
    step = np.gradient(curve, axis=0)
    left = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    middle = along[int(((curve - place_m) ** 2).sum(axis=1).argmin())]
    bump = np.cos(np.clip(np.abs(along - middle) / _SWERVE_M, 0.0, 1.0) * (np.pi / 2)) ** 2
    ends = np.minimum(along, along[-1] - along) / _ENDS_M
    bump = bump * np.sin(np.clip(ends, 0.0, 1.0) * (np.pi / 2))
    return np.asarray(curve + offsets_m[:, None, None] * (bump[:, None] * left))
