"""A stretch of a recording gone over with everything in it known, and shoppers known again from one to the next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.core import Rows, Zone, column
from gocv.multicamera.follow import Follower
from gocv.multicamera.likeness import Likeness
from gocv.multicamera.looks import Seen, look_at, one_a_picture
from gocv.multicamera.paths import smooth
from gocv.multicamera.refine import blocks_of, refine
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.views import CameraView

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ShopperPaths(Rows):
    """Where shoppers were.

    Attributes:
        time_s: (n,) float64.
        name: (n,) int64.
        xy_m: (n, 2) float64.
        covariance_m2: (n, 2, 2) float64.
    """

    time_s: Float64 = column(np.float64)
    name: Int64 = column(np.int64)
    xy_m: Float64 = column(np.float64, 2)
    covariance_m2: Float64 = column(np.float64, 2, 2)

    def between(self, from_s: float, until_s: float) -> ShopperPaths:
        """The rows from a time on and before another."""
        return self[(self.time_s >= from_s) & (self.time_s < until_s)]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What was found in a stretch.

    Attributes:
        camera: (n,) int64, of each look.
        row: (n,) int64, row of the camera's boxes, of all that it saw.
        time_s: (n,) float64.
        who: (n,) int64, the name of the shopper, -1 for nobody.
        paths: Where shoppers were.
    """

    camera: Int64
    row: Int64
    time_s: Float64
    who: Int64
    paths: ShopperPaths


def go_over(
    views: Sequence[CameraView],
    before: Sequence[int],
    settings: AssociationSettings,
    entrances: Sequence[Zone],
    likeness: Likeness | None,
    late_s: Mapping[str, float] | None,
) -> Stretch:
    """Follow everybody through a stretch, then refine who is whom, and smooth the paths.

    Args:
        views: What calibrated cameras saw in it.
        before: How many boxes each camera had seen before.
        settings: How.
        entrances: As for `associate`.
        likeness: As for `associate`.
        late_s: As for `associate`.
    """
    seen = look_at(views, settings.boxes, late_s)
    who, velocity, overlooked = _followed(seen, settings, likeness)
    seen, kept = _one_place_each(seen, who)
    looks = seen.looks
    time_s = seen.time_s[looks.window]
    blocks, block = blocks_of(
        time_s + looks.late_s,
        looks.camera,
        looks.own,
        looks.xy_m,
        looks.covariance_m2,
        velocity[kept],
        overlooked[kept],
        who[kept],
        seen.vector,
        settings.refine.block_s,
    )
    found = refine(blocks, entrances, settings, likeness).who[block]
    spread = looks.covariance_m2[:, 0, 0] + looks.covariance_m2[:, 1, 1]
    found = one_a_picture(looks.window * len(seen.cameras) + looks.camera, found, spread)
    row = looks.row + np.array(before, np.int64)[looks.camera]
    return Stretch(looks.camera, row, time_s, found, _paths(seen, found, settings))


def known_again(before: Stretch | None, now: Stretch, names: int) -> tuple[Stretch, int]:
    """The same stretch, shoppers under the names of the one before by the boxes that both share, or under new ones.

    Args:
        before: The stretch before, or None.
        now: A stretch with names of its own.
        names: How many names were given.

    Returns:
        The stretch, and how many names are given now.
    """
    own = np.unique(now.who[now.who >= 0])
    name = np.full(len(own), -1, np.int64)
    if before is not None and len(own):
        most = max(before.row.max(initial=0), now.row.max(initial=0)) + 1
        _, one, other = np.intersect1d(
            before.camera * most + before.row, now.camera * most + now.row, assume_unique=True, return_indices=True
        )
        both = (before.who[one] >= 0) & (now.who[other] >= 0)
        pairs = np.stack([np.searchsorted(own, now.who[other[both]]), before.who[one[both]]])
        pairs, count = np.unique(pairs, axis=1, return_counts=True)
        old, col = np.unique(pairs[1], return_inverse=True)
        rows, cols = best_pairs(pairs[0], col, count.astype(np.float64), (len(own), len(old)))
        name[rows] = old[cols]
    new = np.flatnonzero(name < 0)
    name[new] = names + np.arange(len(new))
    who = np.full(len(now.who), -1, np.int64)
    known = now.who >= 0
    who[known] = name[np.searchsorted(own, now.who[known])]
    paths = dataclasses.replace(now.paths, name=name[np.searchsorted(own, now.paths.name)])
    return dataclasses.replace(now, who=who, paths=paths), names + len(new)


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
        if len(step.serial):
            at = np.minimum(np.searchsorted(step.serial, step.who), len(step.serial) - 1)
            velocity[own] = step.mean[at, 2:]
        joined.update(step.joined)
        confirmed.update(step.serial[step.confirmed].tolist())
    many = int(who.max(initial=-1)) + 1
    name = np.arange(many)
    for gone, into in reversed(joined.items()):  # who was joined last first: the others may have been joined into them
        name[gone] = name[into]
    there = np.zeros(many, np.bool_)
    there[name[np.array(sorted(confirmed), np.int64)]] = True
    known = who >= 0
    who[known] = np.where(there[name[who[known]]], name[who[known]], -1)
    return who, velocity, overlooked


def _one_place_each(seen: Seen, who: Int64) -> tuple[Seen, Bool]:
    """Of boxes that have two places the one that somebody was found at, else the likelier; and (n,) which are kept."""
    box = seen.looks.box
    order = np.lexsort((np.arange(len(box)), who < 0, box))
    kept = np.zeros(len(box), np.bool_)
    kept[order[np.diff(box[order], prepend=-1) != 0]] = True
    looks = seen.looks[kept]
    first = np.searchsorted(looks.window, np.arange(len(seen.time_s) + 1))
    vector = None if seen.vector is None else seen.vector[kept]
    return dataclasses.replace(seen, looks=looks, first=first, vector=vector), kept


def _paths(seen: Seen, who: Int64, settings: AssociationSettings) -> ShopperPaths:
    """A row for each window in which a shopper was seen, or was a little before and after."""
    known = who >= 0
    looks, names = seen.looks[known], np.unique(who[known])
    person = np.searchsorted(names, who[known])
    paths = smooth(seen.time_s, looks.window, person, looks.xy_m, looks.covariance_m2, people=len(names))
    length = np.maximum(paths.last - paths.first + 1, 0)
    whose = np.repeat(np.arange(len(names)), length)
    window = np.arange(len(whose)) + np.repeat(paths.first - paths.begin, length)
    sighted = np.zeros(len(whose), np.bool_)
    sighted[paths.rows(person, looks.window)] = True
    at = np.arange(len(whose))
    before = np.maximum.accumulate(np.where(sighted, at, 0))
    after = np.minimum.accumulate(np.where(sighted, at, len(at))[::-1])[::-1]
    time_s = seen.time_s[window]
    shown = np.flatnonzero(time_s[np.minimum(after, len(at) - 1)] - time_s[before] <= settings.refine.fill_s + 1e-9)
    return ShopperPaths(
        time_s=time_s[shown],
        name=names[whose[shown]],
        xy_m=paths.mean[shown, :2],
        covariance_m2=paths.covariance[shown, :2, :2],
    )
