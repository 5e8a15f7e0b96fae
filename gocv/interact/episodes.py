"""Stretches of time in which a hand is in or near a shelf."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import FloorTracks, Rows, Store, column
from gocv.data.config import Model
from gocv.interact.paths import STEP_S, ShopperPath, shopper_paths
from gocv.interact.zones import HandZones, hand_zones

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]


class EpisodeSettings(Model):
    """When a hand is at a shelf.

    Attributes:
        near_m: A hand no further from the room over a shelf than this is near it.
        gap_s: Stretches with no more than this between them are one.
        least_s: Shorter stretches are none.
        withdrawn_m: A hand that goes back by this much, and in again by as much, was there twice,
        out_m: if in between it was no further in than this.
        lost_s: A joint that is lost for no longer is where it would be on the straight way.
        least_score: Joints scored lower are not known.
        areas: Names of the store's floor zones in which hands count as well.
    """

    near_m: float = Field(default=0.08, ge=0)
    gap_s: float = Field(default=0.25, ge=0)
    least_s: float = Field(default=0.25, ge=0)
    withdrawn_m: float = Field(default=0.10, gt=0)
    out_m: float = 0.05
    lost_s: float = Field(default=0.5, ge=0)
    least_score: float = Field(default=0.3, ge=0, le=1)
    areas: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Episodes(Rows):
    """Hands at shelves, a row for each stretch, in order of its beginning.

    Attributes:
        shoppers: Names; `shopper` indexes them.
        zones: Names; `zone` indexes them.
        shopper: (n,) int64, index into `shoppers`.
        hand: (n,) int64, 0 the left one, 1 the right one.
        zone: (n,) int64, index into `zones`.
        start_s: (n,) float64, seconds on the recording's clock.
        end_s: (n,) float64, seconds on the recording's clock.
        deepest_s: (n,) float64, when the hand was furthest in, seconds on the recording's clock.
    """

    shoppers: tuple[str, ...]
    zones: tuple[str, ...]
    shopper: Int64 = column(np.int64)
    hand: Int64 = column(np.int64)
    zone: Int64 = column(np.int64)
    start_s: Array = column(np.float64)
    end_s: Array = column(np.float64)
    deepest_s: Array = column(np.float64)


def find_episodes(shoppers: FloorTracks, store: Store, settings: EpisodeSettings | None = None) -> Episodes:
    """Every stretch in which a hand is in or near a shelf.

    A hand may be near two shelves at once: then there is an episode for each.

    Args:
        shoppers: Rows in order of time, joints in the store's frame, metres.
        store: Where the plates are; shelves without a surveyed plate have no episodes.
        settings: When a hand is at a shelf.

    Raises:
        ConfigError: An area is no zone of the store.
    """
    settings = settings or EpisodeSettings()
    zones = hand_zones(store, settings.areas)
    paths = shopper_paths(shoppers, gap_s=settings.lost_s, least_score=settings.least_score)
    return episodes_of(paths, shoppers.shoppers, zones, settings)


def episodes_of(
    paths: Sequence[ShopperPath], shoppers: tuple[str, ...], zones: HandZones, settings: EpisodeSettings
) -> Episodes:
    """As `find_episodes`, of paths and zones that are known already; `shoppers` names all that there are."""
    index = {name: i for i, name in enumerate(shoppers)}
    rows = [(index[p.shopper], *row) for p in paths for hand in (0, 1) for row in _of_hand(p, hand, zones, settings)]
    rows.sort(key=lambda row: (row[3], row[0], row[1], row[2]))
    columns = [np.array(values) for values in zip(*rows, strict=True)] if rows else [np.empty(0)] * 6
    return Episodes(shoppers, zones.names, *columns)


def _of_hand(
    path: ShopperPath, hand: int, zones: HandZones, settings: EpisodeSettings
) -> Iterator[tuple[int, int, float, float, float]]:
    """(hand, zone, start, end, deepest) of one hand of one shopper."""
    away_m = zones.distance_m(path.hand_m[:, hand])
    near = away_m <= settings.near_m
    for zone in np.flatnonzero(near.any(axis=0)):
        rows = np.flatnonzero(near[:, zone])
        breaks = np.flatnonzero(np.diff(rows) * STEP_S > settings.gap_s + STEP_S) + 1
        for run in np.split(rows, breaks):
            inside = slice(int(run[0]), int(run[-1]) + 1)
            depth_m = _depth(zones.local(path.hand_m[inside, hand], int(zone))[:, 1])
            for first, stop in _parts(depth_m, settings):
                if (stop - first) * STEP_S >= settings.least_s - 1e-9:
                    start = path.first + inside.start + first
                    deepest = start + int(depth_m[first:stop].argmax())
                    end = start + stop - first - 1
                    yield hand, int(zone), start * STEP_S, end * STEP_S, deepest * STEP_S


def _depth(depth_m: Array) -> Array:
    """Without gaps: a hand that is lost is where it was last seen."""
    known = np.flatnonzero(np.isfinite(depth_m))
    rows = known[np.clip(np.searchsorted(known, np.arange(len(depth_m)), side="right") - 1, 0, None)]
    return np.asarray(depth_m[rows])


def _parts(depth_m: Array, settings: EpisodeSettings) -> list[tuple[int, int]]:
    """(first, stop) rows of each time that the hand goes in, parted where it was furthest out in between."""
    cuts, low, high = [0], 0, depth_m[0]
    turning = False
    for row, depth in enumerate(depth_m.tolist()):
        if not turning:
            high = max(high, depth)
            if high - depth >= settings.withdrawn_m and depth <= settings.out_m:
                turning, low = True, row
        elif depth < depth_m[low]:
            low = row
        elif depth - depth_m[low] >= settings.withdrawn_m:
            cuts.append(low)
            turning, high = False, depth
    return list(zip(cuts, [*cuts[1:], len(depth_m)], strict=True))
