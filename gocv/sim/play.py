"""Acting programmes out: who stands where at each moment and what their hands do, out of each other's way."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.sim.acts import Deed, Programme
from gocv.sim.crowd import Crowd
from gocv.sim.layout import StoreLayout
from gocv.sim.rehearsal import Rehearsal, Surroundings
from gocv.sim.routes import Floor
from gocv.sim.search import APART_M
from gocv.sim.shoppers import Motion
from gocv.sim.stations import Leader, Offer, Stay, stations_of

Array = NDArray[np.float64]

_TRIES = 3
_OUTSIDE_S = 5.0
"""Who comes in again was outside for at least this long."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Visit:
    """What others may need to know of somebody who is inside."""

    motion: Motion
    stays: tuple[Stay, ...]
    offers: tuple[Offer, ...]


class Stage:
    """A store in which shoppers act their programmes out, one after the other in order of entry time.

    Each makes way for those who are inside and came before; those who have left are forgotten, so that a day takes
    no more memory than its busiest minute.

    Args:
        layout: The store.
        seed: Of everything random, or a stream of random numbers.
    """

    def __init__(self, layout: StoreLayout, seed: int | np.random.Generator) -> None:
        self._layout = layout
        self._floor = Floor(layout)
        self._rng = np.random.default_rng(seed)
        self._crowd = Crowd()
        self._inside: dict[str, _Visit] = {}

    @property
    def inside(self) -> tuple[str, ...]:
        """Names of those who had not left when the last one came."""
        return tuple(self._inside)

    def perform(self, programme: Programme) -> tuple[Motion, list[Deed]]:
        """Act a programme out.

        Several tries are made, with other pauses between the stops, until nobody is run into; the best of them
        counts where none succeeds.

        Args:
            programme: Of somebody who comes in no earlier than those before.

        Returns:
            The motion, and a deed for every act of the programme in order of time.

        Raises:
            ConfigError: A stop is where no way leads to.
        """
        self._forget(programme.entry_s)
        before = self._inside.get(programme.again) if programme.again else None
        if before is not None:
            programme = dataclasses.replace(programme, entry_s=before.motion.end_s + _OUTSIDE_S)
        company = self._inside.get(programme.company) if programme.company else None
        leader = Leader(company.motion, company.stays) if company else None
        offers = tuple(offer for visit in self._inside.values() for offer in visit.offers)
        stations = stations_of(self._layout, self._floor, programme, offers, leader)
        surroundings = Surroundings(self._layout, self._floor, self._crowd, offers, leader, tuple(stations))
        best: Rehearsal | None = None
        for attempt in range(_TRIES):
            rehearsal = Rehearsal(surroundings, programme, self._rng, patience=attempt)
            rehearsal.run()
            if best is None or rehearsal.gap_m > best.gap_m:
                best = rehearsal
            if best.gap_m >= APART_M:
                break
        assert best is not None, "there is always a first try"
        return self._keep(best)

    def _keep(self, rehearsal: Rehearsal) -> tuple[Motion, list[Deed]]:
        motion, deeds = rehearsal.motion(), rehearsal.deeds()
        accepted = {id(offer) for offer in rehearsal.accepted}
        for name, visit in self._inside.items():
            offers = tuple(offer for offer in visit.offers if id(offer) not in accepted)
            self._inside[name] = dataclasses.replace(visit, offers=offers)
        self._inside[motion.name] = _Visit(motion, tuple(rehearsal.stays), tuple(rehearsal.offers))
        self._crowd.add(motion)
        return motion, deeds

    def _forget(self, time_s: float) -> None:
        self._crowd.forget(time_s)
        self._inside = {name: visit for name, visit in self._inside.items() if visit.motion.end_s >= time_s}
