"""What nobody saw or weighed, and whose receipts that makes doubtful, whatever their probability says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Store, Zone
from gocv.geometry import distance_to_box, points_in_polygon

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_BESIDE_M, _ABOVE_M, _BELOW_M = 0.03, 0.30, 0.05
_LEAST_S, _GAP_S = 0.3, 0.5
_DOORS, _DOOR_M, _EDGE_S, _VISIT_S = ("entrance", "exit"), 0.5, 2.0, 3.0


def reached(plates: Iterable[PlateId], shoppers: FloorTracks, store: Store) -> list[dict[str, str]]:
    """Whose hands stayed over plates of which the scales reported trouble: the receipts of these may lack a line.

    Args:
        plates: Those plates.
        shoppers: Joints in the store's frame, metres; rows in any order.
        store: Where the plates are; those that are not surveyed are left out.

    Returns:
        A report entry for each shopper and plate, `where` being "shopper NAME".
    """
    shoppers = _in_order(shoppers)
    wrists_m = shoppers.joints_m[:, _WRISTS]
    found = []
    for plate in sorted(set(plates) & store.plates.keys()):
        if not np.isfinite([*store.plates[plate].centre_m, *store.plates[plate].size_m]).all():
            continue
        near = _over(wrists_m, store.plates[plate])
        for index in np.unique(shoppers.shopper[near]).tolist():
            since_s, for_s = _longest_stay(shoppers.time_s[near & (shoppers.shopper == index)])
            if for_s >= _LEAST_S:
                problem = (
                    f"a hand was at plate {plate}, whose scale is in trouble, for {for_s:.1f} s at {since_s:.1f} s"
                )
                found.append({"where": f"shopper {shoppers.shoppers[index]}", "problem": problem})
    return found


def strangers(shoppers: FloorTracks, zones: Sequence[Zone]) -> Iterator[dict[str, str]]:
    """Who appears or vanishes inside the shop, or is there for a moment only: what they took may be on another receipt.

    Args:
        shoppers: Places in the store's frame, metres; rows in any order.
        zones: Of the store; without one called "entrance" or "exit" nobody is reported. Whoever is there when the
            recording begins or ends is no stranger.

    Yields:
        A report entry for each such shopper, `where` being "shopper NAME".
    """
    shoppers = _in_order(shoppers)
    doors = [zone.polygon_m for zone in zones if zone.name in _DOORS]
    known = np.flatnonzero(np.isfinite(shoppers.xy_m).all(axis=1))
    if not doors or not len(known):
        return
    begin_s, end_s = shoppers.time_s[known[[0, -1]]]
    for index, name in enumerate(shoppers.shoppers):
        rows = known[shoppers.shopper[known] == index]
        if not len(rows):
            continue
        stay_s = float(shoppers.time_s[rows[-1]] - shoppers.time_s[rows[0]])
        if stay_s < _VISIT_S:
            yield {"where": f"shopper {name}", "problem": f"was seen for {stay_s:.1f} s only"}
        for row, does, edge_s in ((rows[0], "appears", begin_s), (rows[-1], "vanishes", end_s)):
            time_s = float(shoppers.time_s[row])
            if abs(time_s - edge_s) > _EDGE_S and not _at_door(shoppers.xy_m[row], doors):
                yield {"where": f"shopper {name}", "problem": f"{does} inside the shop at {time_s:.1f} s"}


def _in_order(shoppers: FloorTracks) -> FloorTracks:
    return shoppers[np.argsort(shoppers.time_s, kind="stable")]


def _at_door(xy_m: NDArray[np.float64], doors: Sequence[NDArray[np.float64]]) -> bool:
    around_m = xy_m + _DOOR_M * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])
    return any(points_in_polygon(around_m, door).any() for door in doors)


def _over(wrists_m: NDArray[np.float64], plate: Plate) -> NDArray[np.bool_]:
    """(n,) whether one of the (n, 2, 3) wrists is in the space over a plate."""
    centre_m = plate.centre_m + plate.rotation[:, 2] * (_ABOVE_M - _BELOW_M) / 2
    size_m = np.array([*(plate.size_m + 2 * _BESIDE_M), _ABOVE_M + _BELOW_M])
    inside = distance_to_box(wrists_m, centre_m, plate.rotation, size_m) <= 0  # NaN is nowhere
    return np.asarray(inside.any(axis=1))


def _longest_stay(time_s: NDArray[np.float64]) -> tuple[float, float]:
    """Beginning and length of the longest run of times with no gap between them, seconds."""
    parts = np.split(time_s, np.flatnonzero(np.diff(time_s) > _GAP_S) + 1)
    longest = max(parts, key=lambda part: part[-1] - part[0])
    return float(longest[0]), float(longest[-1] - longest[0])
