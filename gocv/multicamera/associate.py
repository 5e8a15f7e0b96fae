"""One shopper, many cameras: from the boxes of calibrated cameras to shoppers on the floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.core import ConfigError, FloorTracks, Zone
from gocv.multicamera.follow import Follower, Likeness
from gocv.multicamera.live import LiveShoppers, as_floor_tracks
from gocv.multicamera.looks import Seen, look_at, one_a_picture
from gocv.multicamera.paths import smooth
from gocv.multicamera.refine import blocks_of, refine
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.views import Association, CameraView

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_METHODS = ("offline", "online")
_OVERLAP_S = 10.0
"""Stretches that are gone over one after the other share this much, by which shoppers are known again."""


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
    gaps filled.

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
    seen = look_at(used, settings.boxes, late_s)
    if method == "online":
        shoppers, who = _online(seen, settings, entrances, likeness)
    else:
        shoppers, who = _offline(seen, settings, entrances, likeness)
    of_rows = {view.camera: np.full(len(view.seen.boxes), -1, np.int64) for view in views}
    for c, view in enumerate(used):
        own = seen.looks.camera == c
        of_rows[view.camera][seen.looks.row[own]] = who[own]
    return Association(shoppers, of_rows, report)


def _online(
    seen: Seen, settings: AssociationSettings, entrances: Sequence[Zone], likeness: Likeness | None
) -> tuple[FloorTracks, Int64]:
    live = LiveShoppers(seen.cameras, settings, entrances, likeness)
    done = []
    for k, time_s in enumerate(seen.time_s.tolist()):
        own = slice(int(seen.first[k]), int(seen.first[k + 1]))
        vector = None if seen.vector is None else seen.vector[own]
        done += live.update(time_s, seen.present[k], seen.looks[own], vector)
    done += live.flush()
    return as_floor_tracks(done, live.shoppers), np.concatenate([np.empty(0, np.int64), *(one.who for one in done)])


def _offline(
    seen: Seen, settings: AssociationSettings, entrances: Sequence[Zone], likeness: Likeness | None
) -> tuple[FloorTracks, Int64]:
    who, velocity, overlooked = _followed(seen, settings, likeness)
    who = _refined(seen, who, velocity, overlooked, settings, entrances, likeness)
    looks = seen.looks
    spread = looks.covariance_m2[:, 0, 0] + looks.covariance_m2[:, 1, 1]
    who = one_a_picture(looks.window * len(seen.cameras) + looks.camera, who, spread)
    who, people = _in_order(seen, who)
    return _rows(seen, who, people, settings), who


def _followed(seen: Seen, settings: AssociationSettings, likeness: Likeness | None) -> tuple[Int64, Float64, Float64]:
    """Followed once.

    Returns:
        (n,) of whom each look is, of those who were confirmed in the end, (n, 2) their velocity then, and (n,) the log
        of how likely all other cameras overlook them there.
    """
    follower = Follower(seen.cameras, settings, likeness)
    who, velocity = np.full(len(seen.looks), -1, np.int64), np.zeros((len(seen.looks), 2))
    overlooked = np.zeros(len(seen.looks))
    joined: dict[int, int] = {}
    confirmed: set[int] = set()
    for k, time_s in enumerate(seen.time_s.tolist()):
        own = slice(int(seen.first[k]), int(seen.first[k + 1]))
        vector = None if seen.vector is None else seen.vector[own]
        step = follower.step(time_s, seen.present[k], seen.looks[own], vector)
        who[own] = step.who
        overlooked[own] = follower.overlooked(step, seen.present[k], seen.looks[own])
        at = np.searchsorted(step.serial, step.who)
        velocity[own] = step.mean[np.minimum(at, max(len(step.serial) - 1, 0)), 2:] if len(step.serial) else 0.0
        joined.update(step.joined)
        confirmed.update(step.serial[step.confirmed].tolist())
    many = int(who.max(initial=-1)) + 1
    name = np.arange(many)
    for gone in sorted(joined, reverse=True):
        name[gone] = joined[gone]
    for serial in range(many):  # those joined into somebody who was joined later
        while name[serial] != name[name[serial]]:
            name[serial] = name[name[serial]]
    there = np.zeros(many, np.bool_)
    there[[name[serial] for serial in confirmed]] = True
    known = who >= 0
    who[known] = np.where(there[name[who[known]]], name[who[known]], -1)
    return who, velocity, overlooked


def _refined(
    seen: Seen,
    who: Int64,
    velocity: Float64,
    overlooked: Float64,
    settings: AssociationSettings,
    entrances: Sequence[Zone],
    likeness: Likeness | None,
) -> Int64:
    """(n,) of whom each look is, gone over stretch by stretch."""
    looks, length = seen.looks, settings.refine.stretch_s
    times = seen.time_s[looks.window] + looks.late_s
    result = np.full(len(looks), -1, np.int64)
    if not len(looks):
        return result
    start, end = float(seen.time_s[0]), float(seen.time_s[-1])
    next_name = 0
    for number in range(max(1, int(np.ceil((end - start) / length)))):
        begin = start + number * length
        rows = np.flatnonzero(
            (seen.time_s[looks.window] >= begin - (_OVERLAP_S if number else 0.0))
            & (seen.time_s[looks.window] < begin + length)
        )
        if number == int(np.ceil((end - start) / length)) - 1 or end == start:
            rows = np.append(rows, np.flatnonzero(seen.time_s[looks.window] >= begin + length))
        part = looks[rows]
        blocks, block = blocks_of(
            times[rows],
            part.camera,
            part.own,
            part.xy_m,
            part.covariance_m2,
            velocity[rows],
            overlooked[rows],
            who[rows],
            None if seen.vector is None else seen.vector[rows],
            settings.refine.block_s,
        )
        new = refine(blocks, entrances, settings, likeness).who[block]
        new, next_name = _known_again(result[rows], new, next_name)
        result[rows] = new
    return result


def _known_again(before: Int64, now: Int64, next_name: int) -> tuple[Int64, int]:
    """Names of a stretch that go on from those of the one before, by the looks that both have."""
    names, index = np.unique(now, return_inverse=True)
    both = (before >= 0) & (now >= 0)
    pairs, count = np.unique(np.stack([index[both], before[both]]), axis=1, return_counts=True)
    new_name = np.full(len(names), -1, np.int64)
    if pairs.size:
        old, col = np.unique(pairs[1], return_inverse=True)
        rows, cols = best_pairs(pairs[0], col, count.astype(np.float64), (len(names), len(old)))
        new_name[rows] = old[cols]
    fresh = np.flatnonzero((new_name < 0) & (names >= 0))
    new_name[fresh] = next_name + np.arange(len(fresh))
    return np.where(now >= 0, new_name[index], -1), next_name + len(fresh)


def _in_order(seen: Seen, who: Int64) -> tuple[Int64, int]:
    """(n,) shoppers numbered in the order in which they were first seen, from left to right; how many there are."""
    known = np.flatnonzero(who >= 0)
    order = known[np.lexsort((*seen.looks.xy_m[known].T[::-1], seen.looks.window[known]))]
    names, first, index = np.unique(who[order], return_index=True, return_inverse=True)
    number = np.empty(len(names), np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(names))
    out = np.full(len(who), -1, np.int64)
    out[order] = number[index]
    return out, len(names)


def _rows(seen: Seen, who: Int64, people: int, settings: AssociationSettings) -> FloorTracks:
    """A row for each window in which a shopper was seen, or was a little before and after."""
    known = who >= 0
    looks = seen.looks[known]
    paths = smooth(
        seen.time_s, looks.window, who[known], looks.xy_m, looks.covariance_m2, people=people
    )
    length = np.maximum(paths.last - paths.first + 1, 0)
    person = np.repeat(np.arange(people), length)
    window = np.arange(len(person)) - np.repeat(paths.begin, length) + np.repeat(paths.first, length)
    sighted = np.zeros(len(person), np.bool_)
    sighted[paths.rows(who[known], looks.window)] = True
    at = np.where(sighted, np.arange(len(person)), -1)
    before = np.maximum.accumulate(at)
    after = len(at) - 1 - np.maximum.accumulate(np.where(sighted[::-1], np.arange(len(at)), -1))[::-1]
    time_s = seen.time_s[window]
    shown = time_s[after] - time_s[before] <= settings.refine.fill_s + 1e-9 if len(at) else sighted
    order = np.flatnonzero(shown | sighted)
    order = order[np.lexsort((person[order], window[order]))]
    return FloorTracks.sightings(
        tuple(f"shopper-{k + 1}" for k in range(people)),
        time_s[order],
        person[order],
        xy_m=paths.mean[order, :2],
        covariance_m2=paths.covariance[order, :2, :2],
    )
