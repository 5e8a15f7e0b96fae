"""Ways to tell who is whom across cameras, behind one call."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from gocv.core import ConfigError, FloorTracks, nearest
from gocv.data.detections import DetectionTable
from gocv.multicamera import Association, CameraTracks, CameraView, associate, associate_checked, merge_cameras
from gocv.pipeline import PipelineConfig
from gocv.pipeline.appearance import update_tracker
from gocv.pipeline.parts import make_part
from gocv.reid.same_person import SamePerson

Array = np.ndarray
Method = Callable[[Sequence[CameraView]], Association]

FLOOR_DISTANCE = "floor distance"
ONLINE, OFFLINE, UNCHECKED = "gocv, online", "gocv, offline", "gocv, offline, unchecked"
TRUE_IDENTITIES = "true identities"

_FOOT_SD, _CUT_OFF_SD = 0.05, 0.5
"""Of the feet in the picture, share of the box's height; where the picture ends before they come."""


def methods(config: PipelineConfig) -> dict[str, Method]:
    """All methods by name, the baseline first."""
    return {
        FLOOR_DISTANCE: lambda views: floor_distance(views, config),
        ONLINE: lambda views: associated(views, config, "online"),
        OFFLINE: lambda views: associated(views, config, "offline"),
        UNCHECKED: lambda views: associated(views, config, "offline", check=False),
    }


def chosen(names: Sequence[str], config: PipelineConfig) -> dict[str, Method]:
    """Those of these names; all where there are none.

    Raises:
        ConfigError: There is no method of a name.
    """
    known = methods(config)
    for name in names:
        if name not in known:
            raise ConfigError(f"there is no method '{name}'", key="method", expected=nearest(name, known))
    return {name: known[name] for name in names or known}


def floor_distance(views: Sequence[CameraView], config: PipelineConfig | None = None) -> Association:
    """Nothing but distances on the floor: each camera's tracks joined by `merge_cameras`.

    A camera whose boxes have no identities is tracked first, by the tracker of the settings. A shopper whom several
    cameras see at one time stands at the mean of where they do, weighted by the inverse of its covariance.

    Args:
        views: What each camera saw.
        config: Names the tracker, and how tracks are joined.
    """
    config = config or PipelineConfig()
    identified = {view.camera: _identities(view.seen, config) for view in views}
    given = []
    for view in views:
        own = identified[view.camera] >= 0
        time_s = np.repeat(view.seen.time_s, np.diff(view.seen.first_row))[own]
        boxes = view.seen.boxes.xyxy[own]
        given.append(CameraTracks(view.camera, view.calibration, time_s, identified[view.camera][own], boxes))
    merged = merge_cameras(given, config.multicamera.merge)
    there: dict[tuple[float, float, float], list[int]] = {}
    rows = zip(merged.shoppers.time_s.tolist(), *merged.shoppers.xy_m.T.tolist(), strict=True)
    for key, shopper in zip(rows, merged.shoppers.shopper.tolist(), strict=True):
        there.setdefault(key, []).append(shopper)
    who = {}
    for view, tracks in zip(views, given, strict=True):
        who[view.camera] = np.full(len(view.seen.boxes), -1, np.int64)
        who[view.camera][identified[view.camera] >= 0] = _shopper_of_each(tracks, there)
    return Association(_one_row_a_moment(merged.shoppers), who, merged.report)


def associated(
    views: Sequence[CameraView],
    config: PipelineConfig | None = None,
    method: Literal["online", "offline"] = "offline",
    *,
    check: bool = True,
) -> Association:
    """What the pipeline does: association, each camera tracked first by the tracker of the settings if it was not.

    Args:
        views: What each camera saw; where boxes have vectors, they are those of the encoder that comes with gocv.
        config: Names the tracker, and how boxes become shoppers.
        method: "online" or "offline".
        check: Whether to look for faults, offline; online nothing is done again.
    """
    config = config or PipelineConfig()
    tracked = []
    for view in views:
        seen = dataclasses.replace(view.seen, track_id=_identities(view.seen, config))
        tracked.append(dataclasses.replace(view, seen=seen))
    alike = SamePerson.shipped().log_likelihood_ratio if any(view.vector is not None for view in views) else None
    settings = config.multicamera
    if check and method == "offline":
        return associate_checked(tracked, settings.association, likeness=alike, health=settings.health)
    return associate(tracked, settings.association, method=method, likeness=alike)


def _identities(seen: DetectionTable, config: PipelineConfig) -> Array:
    """(n,) the camera's own identities, by the tracker of the settings where the boxes have none."""
    if (seen.track_id >= 0).any() or not len(seen.boxes):
        return np.asarray(seen.track_id)
    rate_hz = 1 / float(np.median(np.diff(seen.time_s))) if len(seen) > 1 else 10.0
    tracker = make_part("trackers", "track", config.track, rate_hz=rate_hz)
    return np.concatenate(
        [update_tracker(tracker, seen.detections(at), float(seen.time_s[at]), None).track_id for at in range(len(seen))]
    )


def _shopper_of_each(tracks: CameraTracks, there: Mapping[tuple[float, float, float], Sequence[int]]) -> Array:
    """(n,) the shopper that each box of a camera went into: who has most rows at the times and places of its track."""
    if tracks.calibration is None:
        return np.full(len(tracks.time_s), -1, np.int64)
    places = tracks.calibration.pixels_to_floor(_feet_px(tracks.xyxy))
    keys = zip(tracks.time_s.tolist(), *places.T.tolist(), strict=True)
    votes: dict[int, Counter[int]] = {}
    for track, key in zip(tracks.track_id.tolist(), keys, strict=True):
        votes.setdefault(track, Counter()).update(there.get(key, ()))
    shopper = {track: found.most_common(1)[0][0] if found else -1 for track, found in votes.items()}
    return np.array([shopper[track] for track in tracks.track_id.tolist()], np.int64)


def _one_row_a_moment(sightings: FloorTracks) -> FloorTracks:
    """Sightings of one shopper at one time as one row: their mean, weighted by the inverse of the covariance."""
    order = np.lexsort((sightings.shopper, sightings.time_s))
    rows = sightings[order[np.isfinite(sightings.xy_m[order]).all(axis=1)]]
    if not len(rows):
        return rows
    start = np.flatnonzero((np.diff(rows.time_s, prepend=-np.inf) > 0) | (np.diff(rows.shopper, prepend=-1) != 0))
    information = np.linalg.inv(rows.covariance_m2)
    covariance = np.linalg.inv(np.add.reduceat(information, start, axis=0))
    weighted = np.add.reduceat(information @ rows.xy_m[..., None], start, axis=0)
    return dataclasses.replace(rows[start], xy_m=(covariance @ weighted)[..., 0], covariance_m2=covariance)


def true_identities(views: Sequence[CameraView], person: Mapping[str, Array]) -> Association:
    """What could be had if every box had its name: each person where the cameras that see them do, on the mean.

    A mark to measure against, and no bound: who follows people over time may do better.

    Args:
        views: What each camera saw.
        person: (n,) who each box really is, by camera; -1 for nobody.
    """
    names, sightings = np.unique(np.concatenate([who[who >= 0] for who in person.values()])), []
    shoppers = tuple(f"person-{name}" for name in names)
    for view in views:
        own = np.flatnonzero(person[view.camera] >= 0)
        if view.calibration is None or not len(own):
            continue
        time_s = np.repeat(view.seen.time_s, np.diff(view.seen.first_row))[own]
        boxes = view.seen.boxes.xyxy[own]
        cut_off = boxes[:, 3] >= view.calibration.height_px - 2  # the feet are somewhere below the picture
        foot_sd_px = np.where(cut_off, _CUT_OFF_SD, _FOOT_SD) * (boxes[:, 3] - boxes[:, 1])
        feet_px = _feet_px(boxes)
        columns = {
            "xy_m": view.calibration.pixels_to_floor(feet_px),
            "covariance_m2": view.calibration.floor_covariance(feet_px, foot_sd_px),
        }
        shopper = np.searchsorted(names, person[view.camera][own])
        sightings.append(FloorTracks.sightings(shoppers, time_s, shopper, **columns))
    who = {name: np.where(own >= 0, np.searchsorted(names, own), -1) for name, own in person.items()}
    together = FloorTracks.concatenate(sightings) if sightings else FloorTracks.empty(shoppers=shoppers)
    return Association(_one_row_a_moment(together), who)


def _feet_px(xyxy: Array) -> Array:
    return np.stack([(xyxy[:, 0] + xyxy[:, 2]) / 2, xyxy[:, 3]], axis=1).astype(np.float64)


def views_of(tables: Mapping[str, DetectionTable], cameras: Mapping[str, Any]) -> list[CameraView]:
    """A view of each camera, without appearance."""
    return [CameraView(name, cameras.get(name), table) for name, table in tables.items()]
