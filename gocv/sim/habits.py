"""What an ordinary shopper is like: how many things, how often what goes how."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from gocv.data.config import Model
from gocv.sim.acts import Manner

Chance = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0, le=50)]


class Habits(Model):
    """Chances of what shoppers do. They are judgements: no public footage says how often shoppers do what.

    Attributes:
        stops: Fewest and most places at which a shopper stops.
        takes: Fewest and most things taken at one of them.
        two_at_once: Chance that a take is of two units.
        both_hands: Chance that the other hand takes something beside it at the same moment.
        returned: Chance that a shopper puts something back where it belongs.
        misplaced: Chance that a shopper leaves something elsewhere.
        taken_again: Chance that what was left elsewhere is taken again.
        touched: Chance at each stop that a hand reaches in and takes nothing.
        looked_at: Chance that what is taken is looked at closely.
        slow: Chance that a lift is slow.
        two_steps: Chance that a lift goes in two steps.
        series: Chance that a shopper takes several units in quick succession.
        accompanied: Chance that a shopper comes with a child or a friend.
        returns: Chance that a shopper who was alone comes in a second time.
        press_g: Median weight of a hand on the plates, grams.
        dwell_s: Least and most time that a shopper lingers at a stop.
    """

    stops: tuple[Count, Count] = (2, 4)
    takes: tuple[Count, Count] = (1, 2)
    two_at_once: Chance = 0.10
    both_hands: Chance = 0.05
    returned: Chance = 0.25
    misplaced: Chance = 0.20
    taken_again: Chance = 0.20
    touched: Chance = 0.15
    looked_at: Chance = 0.25
    slow: Chance = 0.03
    two_steps: Chance = 0.04
    series: Chance = 0.15
    accompanied: Chance = 0.05
    returns: Chance = 0.0
    press_g: Annotated[float, Field(ge=0, le=1000)] = 30.0
    dwell_s: tuple[Annotated[float, Field(ge=0, le=600)], Annotated[float, Field(ge=0, le=600)]] = (0.0, 2.0)

    @model_validator(mode="after")
    def _in_order(self) -> Habits:
        for key in ("stops", "takes", "dwell_s"):
            least, most = getattr(self, key)
            if least > most:
                raise ValueError(f"Input should have the smaller number of {key} first: got {least}, {most}")
        return self

    def manner(self, rng: np.random.Generator) -> Manner:
        """How a hand goes about a take or a put-down, now and then slowly or in two steps."""
        manner = Manner(
            duration_s=float(np.clip(rng.lognormal(np.log(0.22), 0.5), 0.07, 0.8)),
            press_g=float(np.clip(rng.lognormal(np.log(max(self.press_g, 1e-9)), 0.5), 0.0, 5 * self.press_g)),
            bounce=float(rng.uniform(0.03, 0.12)),
        )
        draw = rng.random()
        if draw < self.slow:
            return slow_lift(manner, rng)
        if draw < self.slow + self.two_steps:
            return two_steps(manner, rng)
        return manner


def slow_lift(manner: Manner, rng: np.random.Generator) -> Manner:
    """The hand rests on the unit for seconds, and then lifts it slowly."""
    hold_s, duration_s = float(rng.uniform(1.0, 6.0)), float(rng.uniform(2.0, 8.0))
    return dataclasses.replace(manner, hold_s=hold_s, duration_s=duration_s, press_g=3 * manner.press_g, bounce=0.0)


def two_steps(manner: Manner, rng: np.random.Generator) -> Manner:
    """A part of the weight first, as when a pack is tilted, and the rest after a moment."""
    first_share, step_pause_s = float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.3, 1.5))
    return dataclasses.replace(manner, first_share=first_share, step_pause_s=step_pause_s)
