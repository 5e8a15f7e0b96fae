"""One shopper, many cameras: from the boxes of calibrated cameras to shoppers on the floor."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, FloorTracks, Zone
from gocv.multicamera.likeness import Likeness
from gocv.multicamera.live import LiveShoppers, as_floor_tracks
from gocv.multicamera.looks import look_at
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.stretches import ShopperPaths, Stretch, go_over, known_again
from gocv.multicamera.views import Association, CameraView

Int64 = NDArray[np.int64]

_METHODS = ("offline", "online")
_OVERLAP_S = 10.0
"""Stretches that are gone over one after the other share this much, by which shoppers are known again."""
_CHUNK_S = 60.0


def associate(
    views: Sequence[CameraView],
    settings: AssociationSettings | None = None,
    *,
    method: Literal["offline", "online"] = "offline",
    entrances: Sequence[Zone] = (),
    likeness: Likeness | None = None,
    late_s: Mapping[str, float] | None = None,
) -> Association:
    """Find the shoppers, where they were, and which box of which camera was whom.

    Online, people are followed window by window (`LiveShoppers`), and a moment is final after `online.delay_s`.
    Offline, what was found so is gone over with everything known (`gocv.multicamera.refine`), paths are smoothed, and
    gaps filled; long recordings in stretches, so that memory is bounded but for the boxes themselves.

    Args:
        views: What each camera saw. Uncalibrated cameras are left out, and the report says so.
        settings: How.
        method: "offline" or "online".
        entrances: Zones where people come and go. Where they are known, nobody appears or vanishes anywhere else but
            for being out of sight.
        likeness: From cosines of the views' appearance vectors to the log-likelihood ratio that they are of one person,
            such as `SamePerson.log_likelihood_ratio`; without it appearance is not used.
        late_s: By how much the clocks of cameras are late, by name; 0 where not named.

    Returns:
        Shoppers "shopper-1", "shopper-2" … in the order in which they were first seen, a row for each window in which
        they were in sight, or were before and after.

    Raises:
        DataError: Views do not fit together, see `look_at`.
        ConfigError: There is no such method.
    """
    settings = settings or AssociationSettings()
    if method not in _METHODS:
        raise ConfigError(f"there is no method '{method}'", key="method", expected=" or ".join(_METHODS))
    used = [view for view in views if view.calibration is not None]
    report = tuple(
        {"where": f"camera {view.camera}", "problem": "not calibrated: what it saw is left out"}
        for view in views
        if view.calibration is None and len(view.seen.boxes)
    )
    who = {view.camera: np.full(len(view.seen.boxes), -1, np.int64) for view in views}
    times = [view.seen.time_s[[0, -1]] for view in used if len(view.seen)]
    if not times:
        return Association(FloorTracks.empty(shoppers=()), who, report)
    span = float(min(t[0] for t in times)), float(max(t[1] for t in times))
    if method == "online":
        shoppers = _online(used, span, settings, entrances, likeness, late_s, who)
    else:
        shoppers = _offline(used, span, settings, entrances, likeness, late_s, who)
    return Association(shoppers, who, report)


def _online(
    views: Sequence[CameraView],
    span: tuple[float, float],
    settings: AssociationSettings,
    entrances: Sequence[Zone],
    likeness: Likeness | None,
    late_s: Mapping[str, float] | None,
    who: dict[str, Int64],
) -> FloorTracks:
    """Shoppers as `LiveShoppers` finds them; fills `who`."""
    cameras = [view.calibration for view in views if view.calibration is not None]
    live = LiveShoppers(cameras, settings, entrances, likeness)
    done, rows, last_s = [], [], -np.inf
    for begin in np.arange(span[0], span[1] + 1e-9, _CHUNK_S).tolist():
        parts, before = zip(*(view.between(begin, begin + _CHUNK_S) for view in views), strict=True)
        seen = look_at(parts, settings.boxes, late_s)
        for k, time_s in enumerate(seen.time_s.tolist()):
            own = slice(int(seen.first[k]), int(seen.first[k + 1]))
            vector = None if seen.vector is None else seen.vector[own]
            last_s = max(time_s, np.nextafter(last_s, np.inf))  # clocks that are late may cross a chunk's edge
            done += live.update(last_s, seen.present[k], seen.looks[own], vector)
            rows.append((seen.looks.camera[own], seen.looks.row[own] + np.array(before)[seen.looks.camera[own]]))
    done += live.flush()
    for one, (camera, row) in zip(done, rows, strict=True):
        for c in np.unique(camera[one.who >= 0]).tolist():
            own = (camera == c) & (one.who >= 0)
            who[views[c].camera][row[own]] = one.who[own]
    return as_floor_tracks(done, live.shoppers)


def _offline(
    views: Sequence[CameraView],
    span: tuple[float, float],
    settings: AssociationSettings,
    entrances: Sequence[Zone],
    likeness: Likeness | None,
    late_s: Mapping[str, float] | None,
    who: dict[str, Int64],
) -> FloorTracks:
    """Shoppers of all stretches, those that go on under one name; fills `who`."""
    length = settings.refine.stretch_s
    count = max(1, int((span[1] - span[0]) / length))
    edges = [-np.inf, *(span[0] + length * k for k in range(1, count)), np.inf]
    before: Stretch | None = None
    names, parts = 0, []
    for begin, end in itertools.pairwise(edges):
        seen, rows = zip(*(view.between(begin - _OVERLAP_S, end + _OVERLAP_S) for view in views), strict=True)
        stretch, names = known_again(before, go_over(seen, rows, settings, entrances, likeness, late_s), names)
        own = (stretch.who >= 0) & (stretch.time_s >= begin) & (stretch.time_s < end)
        for c, view in enumerate(views):
            here = own & (stretch.camera == c)
            who[view.camera][stretch.row[here]] = stretch.who[here]
        parts.append(stretch.paths.between(begin, end))
        before = stretch
    return _numbered(ShopperPaths.concatenate(parts), who)


def _numbered(paths: ShopperPaths, who: dict[str, Int64]) -> FloorTracks:
    """Paths and boxes of shoppers numbered in the order in which they were first seen, from left to right."""
    paths = paths[np.lexsort((*paths.xy_m.T[::-1], paths.time_s))]
    names, first = np.unique(paths.name, return_index=True)
    number = np.empty(len(names), np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(names))
    for camera, own in who.items():
        place = np.minimum(np.searchsorted(names, own), max(len(names) - 1, 0))
        known = (own >= 0) & (names[place] == own) if len(names) else np.zeros(len(own), np.bool_)
        who[camera] = np.where(known, number[place] if len(names) else own, -1)
    return FloorTracks.sightings(
        tuple(f"shopper-{k + 1}" for k in range(len(names))),
        paths.time_s,
        number[np.searchsorted(names, paths.name)],
        xy_m=paths.xy_m,
        covariance_m2=paths.covariance_m2,
    )
