"""Messages of `full_targets` (or `targets`): the shoppers' body joints."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, FloorTracks
from gocv.data.nanostore.document import Document

METRES_AN_INCH = 0.0254
_FLOOR_SD_M = 0.1


class Sightings:
    """Collects the shoppers of `full_targets`. Lengths come in inches and leave in metres."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._unix_s: list[float] = []
        self._shoppers: list[str] = []
        self._joints: list[NDArray[np.float64]] = []
        self._empty = 0

    def add(self, document: Document) -> None:
        """Take a message into account; it may hold any number of shoppers.

        Raises:
            DataError: It is malformed; file, row and key are named.
        """
        targets = document.parts("document.targets.targets")
        unix_s = document.unix_s("document.header.t_origin") if targets else math.nan
        for target in targets:
            joints = _joints(target)
            shopper = target.text("target_id.id")
            if not shopper:
                raise target.error("is missing", "target_id.id", "the shopper's id")
            if not np.isfinite(joints).any():
                self._empty += 1
                continue
            self._unix_s.append(unix_s)
            self._shoppers.append(shopper)
            self._joints.append(joints)

    def __len__(self) -> int:
        return len(self._unix_s)

    @property
    def span_unix_s(self) -> tuple[float, float]:
        """Times of the first and the last sighting; (inf, -inf) where there is none."""
        return min(self._unix_s, default=math.inf), max(self._unix_s, default=-math.inf)

    def floor_tracks(self, origin_unix_s: float) -> FloorTracks:
        """All sightings in order of time, times since `origin_unix_s`.

        A shopper stands below the middle of the shoulders, else the neck, else the head. The data set says nothing
        of how exact that is: a standard deviation of 0.1 m is assumed.
        """
        shoppers = tuple(sorted(set(self._shoppers)))
        order = np.argsort(self._unix_s, kind="stable")
        everything = np.array(self._joints).reshape(-1, len(JOINTS), 4)[order]
        joints_m, score = everything[..., :3], everything[..., 3]
        xy_m = standing_at(joints_m)
        known: NDArray[np.bool_] = np.isfinite(xy_m[:, 0] + xy_m[:, 1])
        return FloorTracks.sightings(
            shoppers,
            np.array(self._unix_s)[order] - origin_unix_s,
            np.array([shoppers.index(s) for s in self._shoppers], np.int64)[order],
            joints_m=joints_m,
            joint_score=np.nan_to_num(score),
            xy_m=xy_m,
            covariance_m2=np.where(known[:, None, None], np.eye(2) * _FLOOR_SD_M**2, np.nan),
        )

    def describe(self) -> list[str]:
        """Sentences about what was found and assumed."""
        if not self._unix_s:
            return ["no body joints were found"]
        shoppers = set(self._shoppers)
        found = (
            f"{len(self._unix_s)} sightings of {len(shoppers)} shopper{'s' * (len(shoppers) > 1)}, inches made metres"
        )
        left = [f"{self._empty} sightings without any joint were left out"] if self._empty else []
        return [f"{found}; positions on the floor are assumed exact to {_FLOOR_SD_M:g} m (1 SD)", *left]


def standing_at(joints_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the owners of (n, 8, 3) joints stand, (n, 2); NaN where shoulders, neck and head are unknown."""
    names = {name: joints_m[:, i, :2] for i, name in enumerate(JOINTS)}
    xy = (names["l_shoulder"] + names["r_shoulder"]) / 2
    for fallback in (names["neck"], names["head"]):
        xy = np.where(np.isfinite(xy), xy, fallback)
    return xy


def _joints(target: Document) -> NDArray[np.float64]:
    """(8, 4) x, y, z in metres and score, NaN where a joint is unknown: it is absent or has no score."""
    rows = np.full((len(JOINTS), 4), np.nan)
    for i, joint in enumerate(JOINTS):
        score = target.number(f"{joint}.score", math.nan)
        if target.get(f"{joint}.point") is None or math.isnan(score):
            continue
        point = [METRES_AN_INCH * target.number(f"{joint}.point.{axis}") for axis in "xyz"]
        if np.isfinite(point).all():
            rows[i] = [*point, min(max(score, 0.0), 1.0)]
    return rows
