"""Shoppers as the frames come: what is said of a moment is final, and said after a bounded delay."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import FloorTracks, Zone
from gocv.geometry import PinholeCamera
from gocv.multicamera.follow import Follower, Step
from gocv.multicamera.likeness import Likeness, log_ratio
from gocv.multicamera.links import Ends, log_odds
from gocv.multicamera.looks import Looks, one_a_picture
from gocv.multicamera.settings import AssociationSettings

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Final:
    """What is known for good of one window.

    Attributes:
        time_s: Of the window.
        shopper: (n,) int64 numbers of the shoppers in sight, from 0; a number is never given to somebody else.
        xy_m: (n, 2) float64.
        covariance_m2: (n, 2, 2) float64.
        who: (m,) int64, the shopper that each look is of, -1 for nobody.
    """

    time_s: float
    shopper: Int64
    xy_m: Float64
    covariance_m2: Float64
    who: Int64


@dataclasses.dataclass(slots=True, eq=False)
class _Lost:
    """A shopper who is not in sight: where, when and what they looked like."""

    time_s: float
    mean: Float64
    covariance: Float64
    look: Float32 | None


class LiveShoppers:
    """Follows everybody and names them once it is clear who they are.

    Args:
        cameras: All of them, calibrated.
        settings: How; `online.delay_s` is how long a moment waits.
        entrances: Where people come and go, as far as that is known.
        likeness: What appearance tells, or None.
    """

    def __init__(
        self,
        cameras: Sequence[PinholeCamera],
        settings: AssociationSettings | None = None,
        entrances: Sequence[Zone] = (),
        likeness: Likeness | None = None,
    ) -> None:
        self._settings = settings or AssociationSettings()
        self._entrances, self._likeness = tuple(entrances), likeness
        self._follower = Follower(cameras, self._settings, likeness)
        self._waiting: deque[tuple[Step, Int64]] = deque()
        self._there: set[int] = set()
        self._root: dict[int, int] = {}
        self._confirmed: set[int] = set()
        self._last_s: dict[int, float] = {}
        self._born: dict[int, tuple[float, Float64, Float64]] = {}
        self._looked: dict[int, Float32 | None] = {}
        self._shopper: dict[int, int] = {}
        self._lost: dict[int, _Lost] = {}
        self.shoppers = 0

    def update(
        self, time_s: float, present: NDArray[np.bool_], looks: Looks, vector: Float32 | None = None
    ) -> list[Final]:
        """Take account of one window; the windows that are final now, oldest first. Arguments as `Follower.step`."""
        step = self._follower.step(time_s, present, looks, vector)
        self._waiting.append((step, looks.camera))
        self._there = set(step.serial.tolist())
        for gone, into in step.joined:
            self._root[gone] = into
            if gone in self._shopper:
                self._shopper.setdefault(into, self._shopper[gone])
        self._confirmed.update(step.serial[step.confirmed].tolist())
        for i in np.flatnonzero(step.seen).tolist():
            serial = int(step.serial[i])
            self._last_s[serial] = time_s
            self._looked[serial] = self._follower.look_of(serial)
            if serial not in self._born:
                self._born[serial] = (time_s, step.mean[i], step.covariance[i])
        done = []
        while self._waiting and self._waiting[0][0].time_s <= time_s - self._settings.online.delay_s:
            done.append(self._final(*self._waiting.popleft()))
        self._forget(time_s)
        return done

    def flush(self) -> list[Final]:
        """The windows that still wait, when there are no more."""
        done = [self._final(*waiting) for waiting in self._waiting]
        self._waiting.clear()
        return done

    def _final(self, step: Step, camera: Int64) -> Final:
        roots = [self._root_of(serial) for serial in step.serial.tolist()]
        rows: dict[int, int] = {}
        for i, (serial, root) in enumerate(zip(step.serial.tolist(), roots, strict=True)):
            exists = root in self._confirmed or serial in self._confirmed
            if exists and step.time_s <= self._last_s.get(serial, -np.inf) and (root not in rows or serial == root):
                rows[root] = i
        new = [root for root in rows if root not in self._shopper]
        if new:
            self._name(new, step.time_s)
        number = {root: self._shopper[root] for root in rows}
        at = np.array(list(rows.values()), np.int64)
        shopper = np.array(list(number.values()), np.int64)
        for root, i in rows.items():
            look = self._looked.get(root)
            self._lost[number[root]] = _Lost(step.time_s, step.mean[i], step.covariance[i], look)
        known = dict(zip(step.serial.tolist(), (number.get(root, -1) for root in roots), strict=True))
        who = np.array([known.get(serial, -1) for serial in step.who.tolist()], np.int64)
        who = one_a_picture(camera, who, ~np.isin(step.who, step.serial[at]))
        return Final(step.time_s, shopper, step.mean[at, :2], step.covariance[at, :2, :2], who)

    def _name(self, new: Sequence[int], time_s: float) -> None:
        """Who has just been found: somebody lost, or a new shopper."""
        longest = self._settings.link.longest_s
        followed = {n for r, n in self._shopper.items() if self._last_s[r] >= time_s or r in self._there}
        lost = [n for n, one in self._lost.items() if n not in followed and time_s - one.time_s <= longest]
        pairs = [(root, n) for root in new for n in lost if self._lost[n].time_s < self._born[root][0]]
        for _, root, n in sorted(self._odds(pairs), reverse=True):
            if root not in self._shopper and n in lost:
                lost.remove(n)
                self._shopper[root] = n
        for root in new:
            if root not in self._shopper:
                self._shopper[root] = self.shoppers
                self.shoppers += 1

    def _odds(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, int, int]]:
        """Of the pairs of somebody found and a shopper lost that are likelier one than not: log-odds first."""
        if not pairs:
            return []
        starts = [self._born[root] for root, _ in pairs]
        ends = [self._lost[n] for _, n in pairs]
        lost = Ends(
            np.array([e.time_s for e in ends]), np.array([e.mean for e in ends]), np.array([e.covariance for e in ends])
        )
        found = Ends(*(np.array(values) for values in zip(*starts, strict=True)))
        odds = log_odds(lost, found, self._entrances, self._settings.link)
        odds += [self._alike(self._looked.get(root), self._lost[n].look) for root, n in pairs]
        return [(float(o), root, n) for o, (root, n) in zip(odds, pairs, strict=True) if o > 0]

    def _alike(self, one: Float32 | None, other: Float32 | None) -> float:
        if self._likeness is None or one is None or other is None:
            return 0.0
        return float(log_ratio(one[None], other[None], self._likeness, self._settings.look.cap)[0])

    def _root_of(self, serial: int) -> int:
        while serial in self._root:
            serial = self._root[serial]
        return serial

    def _forget(self, time_s: float) -> None:
        """What is too long ago to matter."""
        online = self._settings.online
        oldest = time_s - online.delay_s - max(self._settings.link.longest_s, online.coast_s)
        old = [serial for serial, last_s in self._last_s.items() if last_s < oldest]
        for serial in old:
            for table in (self._last_s, self._born, self._looked, self._root, self._shopper):
                table.pop(serial, None)
            self._confirmed.discard(serial)
        for n in [n for n, one in self._lost.items() if one.time_s < oldest]:
            del self._lost[n]


def as_floor_tracks(done: Sequence[Final], shoppers: int) -> FloorTracks:
    """Final windows as one table, of shoppers "shopper-1", "shopper-2" and so on."""
    counts = [len(one.shopper) for one in done]
    return FloorTracks.sightings(
        tuple(f"shopper-{k + 1}" for k in range(shoppers)),
        np.repeat(np.array([one.time_s for one in done], np.float64), counts),
        np.concatenate([np.empty(0, np.int64), *(one.shopper for one in done)]),
        xy_m=np.concatenate([np.empty((0, 2)), *(one.xy_m for one in done)]),
        covariance_m2=np.concatenate([np.empty((0, 2, 2)), *(one.covariance_m2 for one in done)]),
    )
