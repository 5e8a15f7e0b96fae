"""Whose head or hand was nearest to a change of weight, as MPS looks for the shopper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, FloorTracks, PlateId, Store
from gocv.fusion.baselines.outcome import between

_LEAST_SCORE = 0.8
_NEARBY_S = 0.5
_BODY = [JOINTS.index(joint) for joint in ("head", "l_wrist", "r_wrist")]


def nearest_hand(time_s: float, change: Mapping[PlateId, float], store: Store, shoppers: FloorTracks) -> str | None:
    """Whose head or wrist was nearest; None where that is not known of anybody.

    Each shopper's row nearest in time counts, at most half a second away, and of it the joints with a score over 0.8.
    There is no limit to the distance.

    Args:
        time_s: When, seconds on the recording's clock.
        change: Grams gained, by plate: the place is the mean of their centres, weighted by how much they changed.
        store: Where the plates are, metres in the store's frame.
        shoppers: Joints in order of time, metres in the store's frame.
    """
    place_m = _middle(change, store)
    near = between(shoppers, time_s - _NEARBY_S, time_s + _NEARBY_S)
    if place_m is None or not len(near):
        return None
    # Each shopper's row nearest in time, and of those as near the earlier one.
    order = np.lexsort((near.time_s, np.abs(near.time_s - time_s), near.shopper))
    who, first = np.unique(near.shopper[order], return_index=True)
    rows = near[order[first]]
    distance_m = np.linalg.norm(rows.joints_m[:, _BODY] - place_m, axis=2)
    distance_m[~(rows.joint_score[:, _BODY] > _LEAST_SCORE) | np.isnan(distance_m)] = np.inf
    nearest_m = distance_m.min(axis=1)
    best = int(np.argmin(nearest_m))
    return shoppers.shoppers[who[best]] if np.isfinite(nearest_m[best]) else None


def _middle(change: Mapping[PlateId, float], store: Store) -> NDArray[np.float64] | None:
    """(3,) metres in the store's frame: where the change was; None where no plate of it was surveyed."""
    known = [
        (store.plates[p].centre_m, abs(grams))
        for p, grams in change.items()
        if p in store.plates and np.isfinite(store.plates[p].centre_m).all()
    ]
    if not known:
        return None
    centres_m, weights = (np.array(column) for column in zip(*known, strict=True))
    return np.asarray(np.average(centres_m, axis=0, weights=weights))
