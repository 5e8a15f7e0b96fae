"""Where a programme leads: the places to stand at, one's own, beside those one accompanies, and for hand-overs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.sim.acts import Act, Programme, Stop
from gocv.sim.company import BESIDE_M, DELAY_ROWS, Lead
from gocv.sim.figure import bend_towards
from gocv.sim.gait import ROW_S
from gocv.sim.layout import STANDING_M, Gondola, StoreLayout
from gocv.sim.routes import Floor
from gocv.sim.shoppers import Motion

Array = NDArray[np.float64]

_HAND_INWARD_M, _HAND_ABOVE_M = 0.10, 0.10
_FLOOR_INWARD_M, _FLOOR_ABOVE_M = -0.15, 0.10
_NEARER = (1.0, 0.85, 0.7, 0.6)
_NEAREST_M = 0.30
_MISS_M = 0.01
DOOR_SIDE_M = np.array([0.0, 0.35])
"""Shoppers come in on one side of the door and go out on the other."""
_SHIFTS_M = (0.0, 0.3, -0.3, 0.55, -0.55)
_HAND_OVER_M = 0.70
_USUAL_HEIGHT_M = 1.72


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """Where somebody stood.

    Attributes:
        gondola: In front of which.
        xy_m: (2,) where.
        outlook: (2,) unit vector, which way they looked.
        from_row: Since when, in rows of `ROW_S` from time 0.
        until_row: Until when.
    """

    gondola: int
    xy_m: Array
    outlook: Array
    from_row: int
    until_row: int


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """One side of a hand-over, acted before the other.

    Attributes:
        shopper: Whose.
        act: What they do.
        time_s: When.
        target_m: (3,) where the hand is.
        xy_m: (2,) where they stand.
        towards: (2,) unit vector to where the other one is to stand.
    """

    shopper: str
    act: Act
    time_s: float
    target_m: Array
    xy_m: Array
    towards: Array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Leader:
    """Somebody who is accompanied.

    Attributes:
        motion: Theirs.
        stays: Where they stand, in order.
    """

    motion: Motion
    stays: tuple[Stay, ...]

    def walk(self, index: int) -> Lead:
        """Their walk to a stay, or after the last one to the door."""
        first = round(self.motion.start_s / ROW_S)
        row = self.stays[index - 1].until_row if index else first
        last = self.stays[index].from_row if index < len(self.stays) else first + len(self.motion.xy_m) - 1
        return Lead(row, self.motion.xy_m[row - first : last - first + 1])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Station:
    """A place to go to, and why.

    Attributes:
        spots_m: (2,) each, where one may stand, the best first.
        outlook: (2,) unit vector, which way to look there.
        gondola: In front of which; None for the door.
        stop: What to do there.
        due_s: When to be there, for the sake of a hand-over or of company; 0 at any time.
        until_s: Stay until then.
        lead: The walk there of the one who is accompanied, if anybody is.
    """

    spots_m: tuple[Array, ...]
    outlook: Array
    gondola: Gondola | None
    stop: Stop
    due_s: float = 0.0
    until_s: float = 0.0
    lead: Lead | None = None

    def side_of(self, act: Act) -> Array:
        """(2,) unit vector along the gondola to the other side of a hand-over: where the act is, else its middle."""
        assert self.gondola is not None, "hand-overs happen at gondolas"
        apart = act.along_m - self.stop.along_m
        if abs(apart) < 1e-6:
            apart = self.gondola.length_m / 2 - self.stop.along_m
        return np.asarray(self.gondola.rotation[:2, 0] * (1.0 if apart >= 0 else -1.0))


def target_of(layout: StoreLayout, gondola: Gondola, act: Act) -> Array | None:
    """(3,) where the wrist goes in an act at a shelf or on the floor before a gondola; None where it is neither."""
    if act.kind in ("drop", "pick_up"):
        return gondola.point(act.along_m, _FLOOR_INWARD_M, _FLOOR_ABOVE_M)
    if act.shelf is None or act.kind not in ("take", "put", "touch"):
        return None
    at = layout.gondolas[act.shelf.gondola]
    return at.point(act.along_m, _HAND_INWARD_M, at.heights_m[act.shelf.shelf - 1] + _HAND_ABOVE_M)


def stations_of(
    layout: StoreLayout, floor: Floor, programme: Programme, offers: Sequence[Offer], leader: Leader | None
) -> Iterator[Station]:
    """The stations of a programme in order, the door the last of them.

    Somebody in company stands beside the other one wherever that one stands. A stop of their own is made while the
    other one stands at the same gondola; one at a gondola that the other does not come to, before going on.
    """
    own = list(programme.stops)
    stays = leader.stays if leader else ()
    for index, stay in enumerate(stays):
        ahead = {later.gondola for later in stays[index:]}
        while own and own[0].gondola not in ahead:
            yield _own_station(layout, floor, programme, own.pop(0), offers)
        station = _beside(layout, floor, stay)
        if own and own[0].gondola == stay.gondola:
            station = _own_station(layout, floor, programme, own.pop(0), offers)
        until_s = (stay.until_row + DELAY_ROWS) * ROW_S
        assert leader is not None, "stays are a leader's"
        yield dataclasses.replace(station, until_s=until_s, lead=leader.walk(index))
    for stop in own:
        leader = None  # who stays on leaves alone
        yield _own_station(layout, floor, programme, stop, offers)
    yield _way_out(layout, floor, leader)


def _way_out(layout: StoreLayout, floor: Floor, leader: Leader | None) -> Station:
    out = floor.nearest_free(np.array(layout.door_m) - DOOR_SIDE_M)
    lead = None
    if leader is not None:
        out = floor.nearest_free(leader.motion.xy_m[-1] - (0.0, BESIDE_M))
        lead = leader.walk(len(leader.stays))
    return Station((out,), np.array([-1.0, 0.0]), None, Stop(0, 0.0, ()), lead=lead)


def way_in(layout: StoreLayout, floor: Floor, leader: Leader | None) -> Array:
    """(2,) where somebody comes in: at the door, or beside the one whom they accompany."""
    if leader is not None:
        return floor.nearest_free(leader.motion.xy_m[0] + (0.0, BESIDE_M))
    return floor.nearest_free(np.array(layout.door_m) + DOOR_SIDE_M)


def accept_offer(act: Act, name: str, offers: Sequence[Offer], accepted: Sequence[Offer]) -> Offer | None:
    """The other side of a hand-over, if that has been acted and nobody has taken it up."""
    taken = {id(offer) for offer in accepted}
    for offer in offers:
        fits = offer.shopper == act.partner and offer.act.partner == name and offer.act.product == act.product
        if fits and {offer.act.kind, act.kind} == {"give", "receive"} and id(offer) not in taken:
            return offer
    return None


def _own_station(
    layout: StoreLayout, floor: Floor, programme: Programme, stop: Stop, offers: Sequence[Offer]
) -> Station:
    gondola = layout.gondolas[stop.gondola]
    before_s = 0.0
    for act in stop.acts:
        before_s += act.pause_s
        offer = accept_offer(act, programme.name, offers, ()) if act.kind in ("give", "receive") else None
        if offer is not None:
            place = floor.nearest_free(offer.xy_m + _HAND_OVER_M * offer.towards)
            stop = dataclasses.replace(stop, close=True)
            return Station((place,), gondola.outlook, gondola, stop, due_s=max(offer.time_s - before_s, 0.1))
    standing_m = _standing_m(layout, gondola, programme.height_m, stop)
    shifts = (0.0,) if stop.close else _SHIFTS_M
    spots = [gondola.point(stop.along_m + shift, -standing_m, 0.0)[:2] for shift in shifts]
    free = [spot for spot, fits in zip(spots, floor.free(np.stack(spots)), strict=True) if fits]
    if not free or free[0] is not spots[0]:
        free.insert(0, floor.nearest_free(spots[0]))
    return Station(tuple(free), gondola.outlook, gondola, stop)


def _standing_m(layout: StoreLayout, gondola: Gondola, height_m: float, stop: Stop) -> float:
    """How far in front of the gondola to stand: as usual for one's size, nearer where a shelf is out of reach."""
    usual_m = STANDING_M * min(height_m / _USUAL_HEIGHT_M, 1.0)
    targets = [target for act in stop.acts if (target := target_of(layout, gondola, act)) is not None]
    distance_m = usual_m
    for share in _NEARER:
        distance_m = max(_NEAREST_M, share * usual_m)
        spot = gondola.point(stop.along_m, -distance_m, 0.0)[:2]
        misses = [_miss_m(height_m, spot, gondola.outlook, target) for target in targets]
        if max(misses, default=0.0) < _MISS_M:
            break
    return distance_m


def _miss_m(height_m: float, spot_m: Array, outlook: Array, target_m: Array) -> float:
    left = np.array([-outlook[1], outlook[0]])
    hand = 0 if float((target_m[:2] - spot_m) @ left) > 0 else 1
    return bend_towards(height_m, spot_m, outlook, target_m, hand).miss_m


def _beside(layout: StoreLayout, floor: Floor, stay: Stay) -> Station:
    """Beside somebody who stands at a gondola, on either side, or close by where neither is free."""
    right = np.array([stay.outlook[1], -stay.outlook[0]])
    spots = [stay.xy_m + side * BESIDE_M * right for side in (1.0, -1.0)]
    free = [spot for spot in spots if floor.free(spot[None])[0]]
    if not free:
        free = [floor.nearest_free(stay.xy_m - BESIDE_M * stay.outlook)]
    gondola = layout.gondolas[stay.gondola]
    along = float((stay.xy_m - np.array(gondola.corner_m)) @ gondola.rotation[:2, 0])
    due_s = stay.from_row * ROW_S + DELAY_ROWS * ROW_S
    return Station(tuple(free), stay.outlook, gondola, Stop(stay.gondola, along, ()), due_s=due_s)
