"""Boxes of each camera's own tracks, brought to common moments and made quieter."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import Rows, column
from gocv.multicamera.calibration.poses import Lens
from gocv.multicamera.views import CameraView

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_GAP_S = 1.5
_ENOUGH = 3


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Observations(Rows):
    """Boxes at moments: a row per track and moment, in order of track and moment.

    Attributes:
        camera: (n,) int64, index of the camera.
        track: (n,) int64, a number for each track of each camera; pieces of a track that was lost for long are two.
        moment: (n,) int64, the same number in all cameras at the same time.
        edges_px: (n, 4) float64, left, top, right, bottom.
        sd_px: (n,) float64, how far each edge is off for the detector's jitter.
    """

    camera: Int64 = column(np.int64)
    track: Int64 = column(np.int64)
    moment: Int64 = column(np.int64)
    edges_px: Array = column(np.float64, 4)
    sd_px: Array = column(np.float64)

    @property
    def tall_px(self) -> Array:
        """(n,) height of each box."""
        return np.asarray(self.edges_px[:, 3] - self.edges_px[:, 1])


def observe_walkers(
    views: Sequence[CameraView], lenses: Sequence[Lens], *, window_s: float, edge_share: float
) -> tuple[Observations, Array]:
    """Boxes of all cameras at moments `window_s` apart.

    Within a window a track's edges are taken to move evenly: a line fitted to them, read at the moment, is quieter
    than any one box. Boxes without a track, and those that touch the picture's edge, are left out.

    Args:
        views: What each camera saw; `track_id` is that of the camera's own tracker.
        lenses: Of each camera, for the size of its picture.
        window_s: From one moment to the next.
        edge_share: A box touches the picture's edge from this share of its height on.

    Returns:
        The observations.
        (C,) float64, jitter of each camera's edges as a share of box height, from what is left over by the lines;
        NaN where no window holds enough boxes to tell.
    """
    first_s = min((float(v.seen.time_s[0]) for v in views if len(v.seen)), default=0.0)
    tables, jitter, tracks = [Observations.empty()], [], 0
    for index, (view, lens) in enumerate(zip(views, lenses, strict=True)):
        table, share, tracks = _of_camera(view, lens, index, first_s, window_s, edge_share, tracks)
        tables.append(table)
        jitter.append(share)
    return Observations.concatenate(tables), np.array(jitter)


def _of_camera(
    view: CameraView, lens: Lens, index: int, first_s: float, window_s: float, edge_share: float, tracks: int
) -> tuple[Observations, float, int]:
    seen = view.seen
    time = np.repeat(seen.time_s, np.diff(seen.first_row))
    edges = seen.boxes.xyxy.astype(np.float64)
    tall = edges[:, 3] - edges[:, 1]
    margin = np.maximum(2.0, edge_share * tall)
    inside = (edges[:, :2] > margin[:, None]).all(axis=1)
    inside &= (edges[:, 2] < lens.width_px - 1 - margin) & (edges[:, 3] < lens.height_px - 1 - margin)
    rows = np.flatnonzero((seen.track_id >= 0) & inside & (tall > 0))
    rows = rows[np.lexsort((time[rows], seen.track_id[rows]))]
    if not len(rows):
        return Observations.empty(), np.nan, tracks
    track, time, edges = seen.track_id[rows], time[rows], edges[rows]
    broken = (np.diff(track, prepend=track[0]) != 0) | (np.diff(time, prepend=time[0]) > _GAP_S)
    piece = tracks + np.cumsum(broken)
    moment = np.round((time - first_s) / window_s).astype(np.int64)
    starts = np.flatnonzero((np.diff(piece, prepend=-1) != 0) | (np.diff(moment, prepend=-1) != 0))
    count = np.diff(np.append(starts, len(rows)))
    at, left, value, slope_known = _lines(edges, time - first_s - moment * window_s, starts, count)
    height = value[:, 3] - value[:, 1]
    fitted = slope_known & (count > 2)
    share = float(np.sqrt(np.median(left[fitted]) / 0.84)) if fitted.sum() > 10 else np.nan
    kept = slope_known | (np.abs(at) < window_s / 4)
    table = Observations(
        camera=np.full(len(starts), index),
        track=piece[starts],
        moment=moment[starts],
        edges_px=value,
        sd_px=(0.02 if np.isnan(share) else share) * height / np.sqrt(count),
    )
    return table[kept & (height > 0)], share, int(piece[-1]) + 1


def _lines(edges: Array, at_s: Array, starts: Int64, count: Int64) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Of each window: mean time from its moment, what the line leaves over, edges at the moment, and whether fitted."""

    def per(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, starts, axis=0) / (count if values.ndim == 1 else count[:, None]))

    mean_t, mean = per(at_s), per(edges)
    dt = at_s - np.repeat(mean_t, count)
    off = edges - np.repeat(mean, count, axis=0)
    spread = per(dt * dt)
    fitted = (count >= _ENOUGH) & (spread > 1e-8)
    slope = per(dt[:, None] * off) / np.where(fitted, spread, 1.0)[:, None] * fitted[:, None]
    rest = off - np.repeat(slope, count, axis=0) * dt[:, None]
    # The line may be read only within its own times: further out its error grows past that of the mean.
    reach = np.minimum(np.abs(mean_t), np.sqrt(3 * spread)) * np.sign(mean_t)
    value = mean - slope * reach[:, None]
    tall = mean[:, 3] - mean[:, 1]
    left = per((rest * rest).mean(axis=1)) * count / np.maximum(count - 2, 1) / np.maximum(tall, 1.0) ** 2
    return mean_t, left, value, fitted
