"""All that the cameras saw, on the floor, in windows of time in which each camera looked once at most."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Rows, column
from gocv.geometry import PinholeCamera
from gocv.multicamera.settings import BoxSettings
from gocv.multicamera.sightings import sight
from gocv.multicamera.views import CameraView

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Looks(Rows):
    """Boxes on the floor, in order of their window and of the box.

    A box that may be a child's has two places, and two rows.

    Attributes:
        window: (n,) int64, index of the window.
        camera: (n,) int64, index of the camera.
        row: (n,) int64, row of the camera's boxes.
        box: (n,) int64, a number of the box: no other box of any camera has it.
        prior: (n,) float64, log of how likely the box has this place, before anything else is known.
        late_s: (n,) float64, by how much its frame is later than the window's time.
        xy_m: (n, 2) float64, where the person stands.
        covariance_m2: (n, 2, 2) float64.
        own: (n,) int64, number of the camera's own track, another one in every camera; -1 where there is none.
    """

    window: Int64 = column(np.int64)
    camera: Int64 = column(np.int64)
    row: Int64 = column(np.int64)
    box: Int64 = column(np.int64)
    prior: Float64 = column(np.float64)
    late_s: Float64 = column(np.float64)
    xy_m: Float64 = column(np.float64, 2)
    covariance_m2: Float64 = column(np.float64, 2, 2)
    own: Int64 = column(np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was seen in all windows.

    Attributes:
        cameras: The calibrated cameras.
        time_s: (K,) float64, the windows' times, ascending.
        present: (K, C) bool, whether a camera looked.
        looks: The boxes.
        first: (K + 1,) int64: the looks of window k are the rows from `first[k]` to `first[k + 1]`.
        vector: (n, D) float32 appearance of each look, NaN where there is none; or None.
    """

    cameras: tuple[PinholeCamera, ...]
    time_s: Float64
    present: Bool
    looks: Looks
    first: Int64
    vector: NDArray[np.float32] | None


def look_at(views: Sequence[CameraView], settings: BoxSettings, late_s: Mapping[str, float] | None = None) -> Seen:
    """Put everything on the floor, window by window.

    Frames are taken in order of time; a window ends where a camera looks again, or when the time between two frames
    of the quickest camera is over.

    Args:
        views: Of calibrated cameras.
        settings: How boxes err.
        late_s: By how much a camera's clock is late, by its name: it is taken off its times.

    Raises:
        DataError: Two views have one name, times of one do not ascend, or vectors do not fit its boxes or those of
            another.
    """
    _check(views)
    clock = [view.seen.time_s - (late_s or {}).get(view.camera, 0.0) for view in views]
    window_of, time_s, present = _windows(clock)
    parts = []
    boxes = 0
    for c, (view, times) in enumerate(zip(views, clock, strict=True)):
        assert view.calibration is not None
        seen = view.seen
        frame = np.repeat(np.arange(len(times)), np.diff(seen.first_row))
        place = sight(view.calibration, seen.boxes.xyxy, settings)
        ids = np.asarray(seen.track_id)
        for xy_m, covariance_m2, prior in (
            (place.xy_m, place.covariance_m2, 0.0),
            (place.child_xy_m, place.child_covariance_m2, np.log(settings.child)),
        ):
            rows = np.flatnonzero(np.isfinite(xy_m[:, 0]))
            window = window_of[c][frame[rows]]
            parts.append(
                Looks(
                    window=window,
                    camera=np.full(len(rows), c, np.int64),
                    row=rows,
                    box=boxes + rows,
                    prior=np.full(len(rows), prior),
                    late_s=times[frame[rows]] - time_s[window],
                    xy_m=xy_m[rows],
                    covariance_m2=covariance_m2[rows],
                    own=np.where(ids[rows] >= 0, ids[rows] * len(views) + c, -1),
                )
            )
        boxes += len(seen.boxes)
    looks = Looks.concatenate(parts) if parts else Looks.empty()
    order = np.lexsort((-looks.prior, looks.box, looks.window))
    vector = _vectors(views, looks)
    looks = looks[order]
    first = np.searchsorted(looks.window, np.arange(len(time_s) + 1))
    cameras = tuple(view.calibration for view in views if view.calibration is not None)
    return Seen(cameras, time_s, present, looks, first, None if vector is None else vector[order])


def one_a_picture(picture: Int64, who: Int64, worse: NDArray[np.bool_] | Float64) -> Int64:
    """(n,) whom looks are of, where no picture may have two of one shopper: all but the best are of nobody.

    Args:
        picture: (n,) a number for each picture.
        who: (n,) shoppers, -1 for nobody.
        worse: (n,) the lowest is the best, the first of several.
    """
    order = np.lexsort((worse, who, picture))
    again = np.zeros(len(who), np.bool_)
    again[order[1:]] = (np.diff(picture[order]) == 0) & (np.diff(who[order]) == 0)
    return np.where(again, -1, who)


def _check(views: Sequence[CameraView]) -> None:
    names = [view.camera for view in views]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"two views are of a camera '{name}'", key="camera", expected="a name for each")
    wide = [view.vector.shape[1] for view in views if view.vector is not None]
    for view in views:
        if not (np.diff(view.seen.time_s) > 0).all():
            raise DataError(f"times of camera '{view.camera}'", key="time_s", expected="times that ascend")
        if view.vector is not None and view.vector.shape != (len(view.seen.boxes), wide[0]):
            raise DataError(
                f"vectors of camera '{view.camera}' are {view.vector.shape}",
                key="vector",
                expected=f"({len(view.seen.boxes)}, {wide[0]})",
            )


def _vectors(views: Sequence[CameraView], looks: Looks) -> NDArray[np.float32] | None:
    wide = {view.vector.shape[1] for view in views if view.vector is not None}
    if not wide:
        return None
    vectors = np.full((len(looks), wide.pop()), np.nan, np.float32)
    for c, view in enumerate(views):
        own = looks.camera == c
        if view.vector is not None:
            vectors[own] = view.vector[looks.row[own]]
    return vectors


def _windows(clock: Sequence[Float64]) -> tuple[list[Int64], Float64, Bool]:
    """Of each camera, the window of each frame; the windows' times; which cameras looked in each."""
    steps = [float(np.median(np.diff(times))) for times in clock if len(times) > 1]
    longest = min(steps, default=1.0) * 0.999
    camera = np.concatenate([np.full(len(times), c) for c, times in enumerate(clock)] or [np.empty(0, np.int64)])
    times = np.concatenate([*clock, np.empty(0)])
    order = np.argsort(times, kind="stable")
    window, k, begin, looked = np.empty(len(order), np.int64), -1, -np.inf, set[int]()
    for i, c, t in zip(order.tolist(), camera[order].tolist(), times[order].tolist(), strict=True):
        if t - begin >= longest or c in looked:
            k, begin, looked = k + 1, t, set()
        looked.add(c)
        window[i] = k
    present = np.zeros((k + 1, len(clock)), np.bool_)
    present[window, camera] = True
    time_s = np.bincount(window, times, k + 1) / np.maximum(np.bincount(window, minlength=k + 1), 1)
    bounds = np.cumsum([len(own) for own in clock])[:-1]
    return np.split(window, bounds), time_s, present
