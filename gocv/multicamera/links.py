"""How likely somebody who was lost is somebody who appeared.

Who is lost at x with velocity v stands, with probability s, or goes on for a time τ: after t they are about
v·τ·(1 - e^(-t/τ)) further. They stay lost for a time that is exponentially distributed with mean T. Newcomers appear
with density λ a square metre and second, with any walking velocity. So the odds that it is the same person against a
newcomer are

    (s · N(x', v' | stood) + (1 - s) · N(x', v' | went on)) · e^(-t/T) / T   /   λ · N(v' | 0, Σ_walk).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import Zone
from gocv.geometry import points_in_polygon
from gocv.multicamera.settings import LinkSettings

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_WALK_M_S = 0.7
"""Standard deviation of each coordinate of a walking velocity."""
_STANDS_M_S = 0.2
"""Of each coordinate of the velocity of who stands."""
_TURNED_S = 2.0
"""After this long a velocity has changed as much as it will."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where paths end, or begin.

    Attributes:
        time_s: (n,) float64.
        mean: (n, 4) float64, x, y, vx, vy in m and m/s.
        covariance: (n, 4, 4) float64.
    """

    time_s: Float64
    mean: Float64
    covariance: Float64

    def __getitem__(self, rows: NDArray[np.int64]) -> Ends:
        return Ends(self.time_s[rows], self.mean[rows], self.covariance[rows])


def log_odds(lost: Ends, found: Ends, entrances: Sequence[Zone], settings: LinkSettings) -> Float64:
    """Log-odds that who was lost is who was found, from where and when alone.

    Args:
        lost: (k,) ends of paths.
        found: (k,) beginnings, a pair with each end, not before it.
        entrances: Where people come and go; none where that is not known, and it may be anywhere.
        settings: How people come, go and are lost.

    Returns:
        (k,) float64.
    """
    elapsed_s = np.maximum(found.time_s - lost.time_s, 0.0)
    reach_s = settings.relax_s * -np.expm1(-elapsed_s / settings.relax_s)
    kept = np.exp(-elapsed_s / settings.relax_s)
    n = len(elapsed_s)
    forward = np.tile(np.eye(4), (n, 1, 1))
    forward[:, [0, 1], [2, 3]] = reach_s[:, None]
    forward[:, [2, 3], [2, 3]] = kept[:, None]
    turned = settings.turn_m_s**2 * np.minimum(elapsed_s, _TURNED_S)
    total = forward @ lost.covariance @ np.swapaxes(forward, 1, 2) + found.covariance
    for x in (0, 1):
        total[:, x, x] += settings.step_m**2 + turned * elapsed_s**2 / 3
        total[:, x + 2, x + 2] += turned + 0.05 * (1 - kept)
        total[:, x, x + 2] += turned * elapsed_s / 2
        total[:, x + 2, x] += turned * elapsed_s / 2
    off = found.mean - (forward @ lost.mean[..., None])[..., 0]
    stood = lost.covariance + found.covariance
    for x in (0, 1):
        stood[:, x, x] += settings.step_m**2 * (1 + elapsed_s)
        stood[:, x + 2, x + 2] += _STANDS_M_S**2
    still = found.mean - np.where(np.arange(4) < 2, lost.mean, 0.0)
    same = np.logaddexp(
        np.log(settings.stands) + _log_normal(still, stood), np.log1p(-settings.stands) + _log_normal(off, total)
    )
    walk = found.covariance[:, 2:, 2:] + _WALK_M_S**2 * np.eye(2)
    newcomer = np.log(settings.newcomers_per_m2_s) + _log_normal(found.mean[:, 2:], walk)
    mean_s = np.full(n, settings.gap_s)
    if entrances:
        newcomer = newcomer + np.where(_inside(found.mean[:, :2], entrances), 0.0, np.log(settings.inside))
        mean_s = np.where(_inside(lost.mean[:, :2], entrances), settings.gap_s, settings.blind_gap_s)
    odds: Float64 = same - newcomer - np.log(mean_s) - elapsed_s / mean_s
    return odds


def entrances(zones: Sequence[Zone]) -> list[Zone]:
    """Those of a store's zones where people come and go: the ones called "entrance"."""
    return [zone for zone in zones if zone.name == "entrance"]


def _log_normal(off: Float64, covariance: Float64) -> Float64:
    if not len(off):
        return np.empty(0)
    _, determinant = np.linalg.slogdet(covariance)
    squared = (off * np.linalg.solve(covariance, off[..., None])[..., 0]).sum(axis=1)
    density: Float64 = -0.5 * (squared + determinant + off.shape[1] * np.log(2 * np.pi))
    return density


def _inside(xy_m: Float64, zones: Sequence[Zone]) -> Bool:
    return np.asarray(np.any([points_in_polygon(xy_m, zone.polygon_m) for zone in zones], axis=0))
