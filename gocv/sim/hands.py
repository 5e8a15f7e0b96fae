"""What the hands of a shopper do: which one goes where, when it gets there and when it comes back."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.sim.acts import Act
from gocv.sim.figure import Bend, bend_towards
from gocv.sim.shoppers import Reach

Array = NDArray[np.float64]

_OUT_S, _BACK_S = 0.75, 0.7
_QUICKEST_S = 0.12
_BUSY_S = 1.0
"""A hand that took something less than this ago still has it, and leaves the next one to the other."""
_BETWEEN_S = 0.6
_IN_HAND_S = 8.0
"""After this what was taken is put away, and no longer in the hand that took it."""
_STRAIGHT_AHEAD_M = 0.04
_REACHED_M = 0.02
_LOOK_S = 0.5
_TOUCH_S = 0.3
_HAND_OVER_S = 0.15
_FLOOR_S = 0.25


class Hands:
    """The two hands of one shopper during one visit.

    Args:
        height_m: Of the shopper.
    """

    def __init__(self, height_m: float) -> None:
        self.reaches: list[Reach] = []
        self._height_m = height_m
        self._took_s = [-np.inf, -np.inf]
        self._last: list[int | None] = [None, None]
        self._holds: dict[str, tuple[int, float]] = {}

    def do(self, act: Act, time_s: float, since_s: float, xy_m: Array, forward: Array, target_m: Array | None) -> int:
        """Reach for an act; returns the hand, 0 the left one, 1 the right one.

        Args:
            act: What to do.
            time_s: When it is half done.
            since_s: When the shopper came to stand here; no hand is at its place before.
            xy_m: (2,) where they stand, in the store's frame.
            forward: (2,) unit vector, which way they face.
            target_m: (3,) where the wrist goes; before the face where None.
        """
        hand, bend, target = self._choose(act, time_s, xy_m, forward, target_m)
        from_s, until_s = _span(act, time_s)
        from_s = min(max(from_s, since_s + _QUICKEST_S), time_s)
        self._append(Reach(time_s, hand, target, from_s, until_s, _OUT_S, _BACK_S, bend), since_s)
        if act.kind in ("take", "receive", "pick_up"):
            self._took_s[hand] = time_s
            self._holds[act.product] = (hand, time_s)
        elif act.kind in ("put", "give", "drop"):
            self._holds.pop(act.product, None)
        return hand

    def free_s(self) -> float:
        """When the last hand is on its way back, so that the shopper can walk on; minus infinity if none reached."""
        return max((reach.until_s + 0.5 * reach.back_s for reach in self.reaches[-2:]), default=-np.inf)

    def _choose(
        self, act: Act, time_s: float, xy_m: Array, forward: Array, target_m: Array | None
    ) -> tuple[int, Bend, Array]:
        """The hand that has the unit, else the nearer one, else the free one if that gets there."""
        places = [self._before_face(xy_m, forward, side) if target_m is None else target_m for side in (0, 1)]
        hand = self._holder(act, time_s)
        if hand is None:
            left = np.array([-forward[1], forward[0]])
            aside = 0.0 if target_m is None else float((target_m[:2] - xy_m) @ left)
            hand = 0 if aside > _STRAIGHT_AHEAD_M else 1
            if not self._is_free(hand, act, time_s) and self._is_free(1 - hand, act, time_s):
                bend = bend_towards(self._height_m, xy_m, forward, places[1 - hand], 1 - hand)
                if bend.miss_m < _REACHED_M:
                    return 1 - hand, bend, places[1 - hand]
        return hand, bend_towards(self._height_m, xy_m, forward, places[hand], hand), places[hand]

    def _holder(self, act: Act, time_s: float) -> int | None:
        """The hand that has the unit, if one still has it and is not on its way with another."""
        hand, since_s = self._holds.get(act.product, (0, -np.inf))
        moves_it = act.kind in ("put", "give", "drop", "look")
        return hand if moves_it and time_s - since_s < _IN_HAND_S and self._is_back(hand, act, time_s) else None

    def _is_free(self, hand: int, act: Act, time_s: float) -> bool:
        return time_s - self._took_s[hand] >= _BUSY_S and self._is_back(hand, act, time_s)

    def _is_back(self, hand: int, act: Act, time_s: float) -> bool:
        index = self._last[hand]
        return index is None or _span(act, time_s)[0] - self.reaches[index].until_s >= _BETWEEN_S

    def _before_face(self, xy_m: Array, forward: Array, hand: int) -> Array:
        left = np.array([-forward[1], forward[0]])
        place = xy_m + self._height_m * (0.17 * forward + 0.03 * (1 - 2 * hand) * left)
        return np.array([*place, 0.86 * self._height_m])

    def _append(self, reach: Reach, since_s: float) -> None:
        """Add a reach, and let the one before of the same hand end in time for it."""
        index = self._last[reach.hand]
        started_s = since_s - 0.3
        if index is not None:
            before = self.reaches[index]
            apart_s = max(reach.time_s - before.time_s, 2 * _QUICKEST_S)
            if reach.from_s - before.until_s < min(0.5 * apart_s, 0.6):
                before = dataclasses.replace(before, until_s=min(before.until_s, before.time_s + 0.25 * apart_s))
                reach = dataclasses.replace(reach, from_s=max(reach.from_s, reach.time_s - 0.25 * apart_s))
            between_s = reach.from_s - before.until_s
            self.reaches[index] = dataclasses.replace(before, back_s=min(before.back_s, between_s))
            started_s = max(started_s, before.until_s)
        out_s = float(np.clip(reach.from_s - started_s, _QUICKEST_S, reach.out_s))
        self._last[reach.hand] = len(self.reaches)
        self.reaches.append(dataclasses.replace(reach, out_s=out_s))


def lead_s(act: Act) -> float:
    """How long before its time the shopper has to stand there, to do an act in no haste."""
    return max(0.0, -_span(act, 0.0)[0]) + _OUT_S


def _span(act: Act, time_s: float) -> tuple[float, float]:
    """From when until when the hand is at its place: there while the weight goes, and as long as it rests."""
    manner = act.manner
    half_s, rest_s = manner.duration_s / 2 + manner.step_pause_s, manner.hold_s
    if act.kind == "take":
        return time_s - half_s - rest_s, time_s + manner.step_pause_s
    if act.kind == "put":
        return time_s - manner.step_pause_s, time_s + half_s + rest_s
    still_s = {"touch": _TOUCH_S, "look": _LOOK_S, "drop": _FLOOR_S, "pick_up": _FLOOR_S}.get(act.kind, _HAND_OVER_S)
    return time_s - still_s - rest_s / 2, time_s + still_s + rest_s / 2
