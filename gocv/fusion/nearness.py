"""Who was near a weight event: the nearest hand, else the nearest body, else who was there at all.

Where only one hand of a shopper is seen, the other may have done it with even odds, and is somewhere about the body.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import JOINTS, FloorTracks, Plate, Store, WeightEvent
from gocv.data.config import Model
from gocv.geometry import distance_to_box

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_GOODS_HEIGHT_M = 0.25
"""Hands close around goods, which stand on the plate: nearness is to the plate and this much above it."""


class NearnessSettings(Model):
    """How nearness becomes a likelihood.

    Attributes:
        around_s: Seconds before and after an event's span in which hands and bodies count.
        hand_sd_m: Distance between the wrist and the goods it takes, standard deviation.
        body_sd_m: The same for a body within `arm_m` of the plate, beyond that length.
        arm_m: How far a body can be and still reach.
        present_s: Without positions: seconds around an event in which a sighting counts as being there.
        absent: Likelihood of somebody who was not sighted then, relative to somebody who was.
        nobody: Likelihood that none of the shoppers did it, relative to a hand at the plate.
        least_score: Joints scored lower are ignored.
    """

    around_s: float = Field(default=0.5, ge=0)
    hand_sd_m: float = Field(default=0.15, gt=0)
    body_sd_m: float = Field(default=0.35, gt=0)
    arm_m: float = Field(default=0.7, ge=0)
    present_s: float = Field(default=5.0, ge=0)
    absent: float = Field(default=0.02, ge=0, le=1)
    nobody: float = Field(default=1e-3, gt=0, le=1)
    least_score: float = Field(default=0.3, ge=0, le=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Nearness:
    """How near one shopper was to one event.

    Attributes:
        event: Event id.
        shopper: Who.
        evidence: What the distance was measured from.
        distance_m: To the plates that changed, metres; NaN where only presence is known.
        likelihood: Of the sighting if this shopper did it, relative to a hand at the plate.
    """

    event: str
    shopper: str
    evidence: Literal["hand", "body", "presence"]
    distance_m: float
    likelihood: float


def nearness(event: WeightEvent, store: Store, shoppers: FloorTracks, settings: NearnessSettings) -> list[Nearness]:
    """How near each shopper in `shoppers` was to `event`.

    Args:
        event: A weight event.
        store: Where the plates are; distances need at least one surveyed plate among those that changed.
        shoppers: Rows covering at least `present_s` around the event; if there are none so near in time, all rows.
        settings: How nearness becomes a likelihood.

    Returns:
        One entry for each shopper seen within `present_s`. Those whose position is not known at the event count as
        present: on a par with a hand at the plate if nobody's is known, else as `absent`. If nobody was seen, one
        entry as `absent` for each shopper seen both before and after.
    """
    away_s = np.abs(shoppers.time_s - np.clip(shoppers.time_s, event.start_s, event.end_s))
    present = shoppers[away_s <= settings.present_s]
    if not len(present):
        before, after = (
            shoppers.shopper[at] for at in (shoppers.time_s < event.time_s, shoppers.time_s > event.time_s)
        )
        lost = [shoppers.shoppers[index] for index in np.intersect1d(before, after)]
        return [Nearness(event.id, name, "presence", math.nan, settings.absent) for name in lost]
    near = shoppers[away_s <= settings.around_s]
    plates = _main_plates(event, store)
    each = {
        index: _of_one(event.id, near[near.shopper == index], plates, settings) for index in np.unique(near.shopper)
    }
    located = {index: found for index, found in each.items() if found is not None}
    likelihood = settings.absent if located else 1.0
    return [
        located.get(index, Nearness(event.id, shoppers.shoppers[index], "presence", math.nan, likelihood))
        for index in np.unique(present.shopper)
    ]


def _main_plates(event: WeightEvent, store: Store) -> list[Plate]:
    """The surveyed plates that changed by at least half of what the one that changed most did."""
    size_g = np.abs(event.delta_g)
    main = [store.plates.get(p) for p, g in zip(event.plates, size_g, strict=True) if g >= 0.5 * size_g.max()]
    return [p for p in main if p is not None and np.isfinite(p.centre_m).all() and np.isfinite(p.size_m).all()]


def _of_one(event: str, rows: FloorTracks, plates: list[Plate], settings: NearnessSettings) -> Nearness | None:
    """The better of hand and body; None where no position is known."""
    if not plates:
        return None
    shopper, found = rows.shoppers[rows.shopper[0]], []
    wrists_m = rows.joints_m[:, _WRISTS]
    known = (rows.joint_score[:, _WRISTS] >= settings.least_score) & np.isfinite(wrists_m).all(axis=2)
    if known.any():
        distance_m = min(float(_to_goods(wrists_m[known], plate).min()) for plate in plates)
        likelihood = math.exp(-0.5 * (distance_m / settings.hand_sd_m) ** 2)
        found.append(Nearness(event, shopper, "hand", distance_m, likelihood))
    standing = rows.xy_m[np.isfinite(rows.xy_m).all(axis=1)]
    unseen_hands = 2 - np.count_nonzero(known.any(axis=0))
    if len(standing) and unseen_hands:
        distance_m = min(float(np.linalg.norm(standing - plate.centre_m[:2], axis=1).min()) for plate in plates)
        beyond_m = max(0.0, distance_m - settings.arm_m)
        likelihood = unseen_hands / 2 * math.exp(-0.5 * (beyond_m / settings.body_sd_m) ** 2)
        found.append(Nearness(event, shopper, "body", distance_m, likelihood))
    return max(found, key=lambda n: n.likelihood, default=None)


def _to_goods(points_m: NDArray[np.float64], plate: Plate) -> NDArray[np.float64]:
    lift = plate.rotation @ np.array([0.0, 0.0, _GOODS_HEIGHT_M / 2])
    size_m = np.array([*plate.size_m, _GOODS_HEIGHT_M])
    return distance_to_box(points_m, plate.centre_m + lift, plate.rotation, size_m)
