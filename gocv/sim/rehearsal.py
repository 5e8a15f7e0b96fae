"""One try at a programme: the walks, stands and reaches of one shopper, given those who are there already."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gocv.sim.acts import Act, Deed, Programme, Stop
from gocv.sim.company import DELAY_ROWS, alongside
from gocv.sim.crowd import Crowd
from gocv.sim.gait import ROW_S, curve_between, hurried, walked
from gocv.sim.hands import Hands, lead_s
from gocv.sim.layout import StoreLayout
from gocv.sim.routes import Floor
from gocv.sim.search import Errand, Search
from gocv.sim.shoppers import STEP_S, Motion, Route
from gocv.sim.stations import Leader, Offer, Station, Stay, accept_offer, target_of, way_in

Array = NDArray[np.float64]

_EXTRA_LINGER_S = 0.6
_IMPATIENCE_S = 2.5
_TO_LEAVE_S = 1.0
"""So long after they mean to leave a place, nobody else is to be in it."""
_HAND_BACK_S = 1.0
_WAITS = np.array([0, 4, 8, 12, 16, 24, 32, 40, 52, 64, 80, 100, 120])
_WAITS_OUTSIDE = np.concatenate([_WAITS, np.arange(150, 601, 30)])
_SHIFT_COST_S = 0.8
_KEEP_NEAR_M = 0.2
_AHEAD_ROWS = 10
_TURN_BEFORE_S, _TURN_AFTER_S = 1.0, 0.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a shopper finds.

    Attributes:
        layout: The store.
        floor: Where to walk in it.
        crowd: Who else is inside.
        offers: Hand-overs that wait for their second side.
        leader: Whom the shopper accompanies, if anybody.
        stations: Where the programme leads.
        curves: Ways that were found before, by their ends.
    """

    layout: StoreLayout
    floor: Floor
    crowd: Crowd
    offers: tuple[Offer, ...]
    leader: Leader | None
    stations: tuple[Station, ...]
    curves: dict[bytes, Array] = dataclasses.field(default_factory=dict)

    def curve(self, start_m: Array, end_m: Array, away: Array) -> Array:
        """(n, 2) the way from one place to another, as `curve_between` makes it."""
        key = np.concatenate([start_m, end_m, *away]).tobytes()
        if key not in self.curves:
            self.curves[key] = curve_between(self.floor, start_m, end_m, away)
        return self.curves[key]


class Rehearsal:
    """One try at a programme.

    Args:
        surroundings: What the shopper finds.
        programme: What they intend.
        rng: Stream of random numbers.
        patience: How many tries have gone wrong: the more, the longer the shopper lingers here and there.

    Attributes:
        gap_m: How near the shopper comes to others, as far as that is not intended.
        stays: Where they stood, and when.
        offers: Their sides of hand-overs whose other side has yet to come.
        accepted: Offers of others that they took up.
    """

    def __init__(
        self, surroundings: Surroundings, programme: Programme, rng: np.random.Generator, *, patience: int
    ) -> None:
        self.gap_m = np.inf
        self.stays: list[Stay] = []
        self.offers: list[Offer] = []
        self.accepted: list[Offer] = []
        self._world, self._programme, self._rng, self._patience = surroundings, programme, rng, patience
        self._hands = Hands(programme.height_m)
        self._deeds: list[Deed] = []
        self._route: Route | None = None
        self._outlook = np.array([-1.0, 0.0])  # as if the door were a shelf: they come from there
        self._close = False
        self._extra_s = 0.0
        near = [programme.company] if surroundings.leader and programme.company else []
        self._slack = surroundings.crowd.slack(near, _KEEP_NEAR_M)

    def run(self) -> None:
        """Go through the whole programme, from the door to the door."""
        world, programme = self._world, self._programme
        self._start_m = way_in(world.layout, world.floor, world.leader)
        entry_s = programme.entry_s
        if world.leader is not None:
            entry_s = max(entry_s, world.leader.motion.start_s + DELAY_ROWS * ROW_S)
        self._soonest = self._natural = int(np.ceil(entry_s / ROW_S - 1e-6))
        if self._patience:
            self._natural += int(self._rng.uniform(0.0, _IMPATIENCE_S * self._patience) / ROW_S)
        for station in world.stations:
            self._go(station)
            if station.gondola is not None:
                self._act(station)

    def motion(self) -> Motion:
        """The whole of it."""
        assert self._route is not None, "run comes first"
        reaches = sorted(self._hands.reaches, key=lambda reach: reach.time_s)
        motion = self._route.finish(self._programme.name, self._programme.height_m, reaches)
        return dataclasses.replace(motion, again=self._programme.again)

    def deeds(self) -> list[Deed]:
        """In order of time."""
        return sorted(self._deeds, key=lambda deed: deed.time_s)

    def _here(self) -> Array:
        return self._start_m if self._route is None else self._route.here_m

    def _go(self, station: Station) -> None:
        """Find a way to a station and walk it."""
        world, here = self._world, self._here()
        away = np.stack([-self._outlook, -station.outlook])
        curve = world.curve(here, station.spots_m[0], away)
        errand = self._errand(station, curve)
        search = Search(world.floor, world.crowd, self._slack, errand)
        self._keep_beside(search, station, errand)
        if not search.is_good():
            search.consider(curve, 0.0)
            # Another place does not help those who are in each other's way, nor another way those at one place.
            remedies = [self._aside, self._elsewhere]
            for remedy in remedies[::-1] if search.is_taken else remedies:
                remedy(search, station, away)
        if not search.is_clear():
            search.go_around(curve)
        search.consider_late(curve)
        assert search.best is not None, "there is always a straight way"
        way = search.best
        self.gap_m = min(self.gap_m, way.gap_m)
        if self._route is None:
            self._route = Route(errand.depart + way.wait, here, -self._outlook)
        self._route.stand(errand.depart + way.wait, self._outlook)
        self._route.walk(way.leg)
        if self.stays:
            self.stays[-1] = dataclasses.replace(self.stays[-1], until_row=errand.depart + way.wait)
        self._close = station.stop.close

    def _elsewhere(self, search: Search, station: Station, away: Array) -> None:
        """Stand a little to the side instead."""
        for shift, spot in enumerate(station.spots_m[1:], start=1):
            if not search.is_good():
                search.consider(self._world.curve(self._here(), spot, away), _SHIFT_COST_S * (shift + 1) / 2)

    def _aside(self, search: Search, station: Station, away: Array) -> None:
        """Walk around those who are in the way."""
        if not search.is_good():
            search.swerve(self._world.curve(self._here(), station.spots_m[0], away))

    def _keep_beside(self, search: Search, station: Station, errand: Errand) -> None:
        """Walk at the side of the one who is accompanied, unless that one has long gone ahead."""
        lead = station.lead
        if lead is None or errand.depart > lead.row + _AHEAD_ROWS:
            return
        wait = max(0, lead.row + DELAY_ROWS - errand.depart)
        for spot in station.spots_m:
            for leg in alongside(self._world.floor, lead, self._here(), spot):
                if not search.is_good():
                    search.consider_leg(leg, wait)

    def _errand(self, station: Station, curve: Array) -> Errand:
        """When to leave and how fast to walk, so as to be in time and, that given, to linger as long as one likes."""
        speed = self._programme.speed_m_s
        due = int(np.floor(_due_s(station) / ROW_S + 1e-6))
        depart, spare = self._natural, int(_WAITS_OUTSIDE[-1])
        if due > 0:
            length = len(walked(curve, speed))
            depart = int(np.clip(due - length, self._soonest, self._natural))
            spare = max(0, due - depart - length)
        late = due - depart if due > 0 else np.inf
        waits = _WAITS_OUTSIDE if self._route is None else _WAITS
        self._extra_s = float(self._rng.uniform(0.0, _EXTRA_LINGER_S + _IMPATIENCE_S * self._patience))
        busy_s = _busy_s(station.stop) + self._extra_s + _TO_LEAVE_S
        return Errand(
            depart=depart,
            here_m=None if self._route is None else self._route.here_m,
            timed=self._timing(speed, late),
            waits=waits[waits <= spare],
            strict_rows=due - depart if due > 0 else None,
            due=max(due, int(station.until_s / ROW_S)),
            busy=int(np.ceil(busy_s / ROW_S)) if station.gondola is not None else 0,
            leaves_close=self._close,
            comes_close=station.stop.close,
        )

    @staticmethod
    def _timing(speed_m_s: float, rows: float) -> Callable[[Array], Array]:
        return lambda curve: hurried(curve, speed_m_s, rows)

    def _act(self, station: Station) -> None:
        """Do what is to be done at a station, and decide when to leave it."""
        route, stop = self._route, station.stop
        assert route is not None, "one has to walk here first"
        assert station.gondola is not None, "acts are done at gondolas"
        since_s = route.row * ROW_S
        time_s = max(since_s, stop.not_before_s)
        self._outlook = station.outlook
        for act in stop.acts:
            time_s = round((time_s + act.pause_s) / STEP_S) * STEP_S
            if act.kind in ("give", "receive"):
                time_s = self._hand_over(station, act, time_s, since_s)
            else:
                target = target_of(self._world.layout, station.gondola, act)
                hand = self._hands.do(act, time_s, since_s, route.here_m, station.outlook, target)
                self._deeds.append(Deed(time_s, self._programme.name, act, hand))
        free_s = max(since_s, self._hands.free_s())
        self._soonest = int(np.ceil(max(free_s, station.until_s, time_s) / ROW_S - 1e-6))
        self._natural = max(self._soonest, int(np.ceil((time_s + stop.linger_s) / ROW_S)))
        if station.until_s == 0.0:
            self._natural += int(self._extra_s / ROW_S)
        row = self._soonest
        route.stand(row, station.outlook)
        self.stays.append(Stay(station.gondola.number, route.here_m, station.outlook, int(since_s / ROW_S + 0.5), row))

    def _hand_over(self, station: Station, act: Act, time_s: float, since_s: float) -> float:
        """Turn along the gondola to the other one, or to where they will stand, and meet their hand; when that is."""
        route = self._route
        assert route is not None, "one has to walk here first"
        offer = accept_offer(act, self._programme.name, self._world.offers, self.accepted)
        if offer is None:
            towards, target = station.side_of(act), None
            target = np.array([*(route.here_m + 0.35 * towards), 0.68 * self._programme.height_m])
            self.offers.append(Offer(self._programme.name, act, time_s, target, route.here_m, towards))
        else:
            self.accepted.append(offer)
            towards, target, time_s = -offer.towards, offer.target_m, max(time_s, offer.time_s)
        route.stand(int((time_s - _TURN_BEFORE_S) / ROW_S), station.outlook)
        route.stand(int((time_s + _TURN_AFTER_S) / ROW_S), towards)
        hand = self._hands.do(act, time_s, since_s, route.here_m, towards, target)
        self._deeds.append(Deed(time_s, self._programme.name, act, hand))
        return time_s


def _busy_s(stop: Stop) -> float:
    """How long the acts of a stop take, with the lingering after them."""
    back_s = stop.acts[-1].manner.hold_s + _HAND_BACK_S if stop.acts else 0.0
    return sum(act.pause_s for act in stop.acts) + max(stop.linger_s, back_s)


def _due_s(station: Station) -> float:
    """When to be at a station so that the first act is in time and the hand need not hurry; 0 at any time."""
    stop = station.stop
    due_s = max(stop.not_before_s, station.due_s)
    if due_s > 0.0 and stop.acts:
        due_s = min(due_s, due_s + stop.acts[0].pause_s - lead_s(stop.acts[0]))
    return max(due_s, 0.0)
