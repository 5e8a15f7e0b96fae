"""How carts are inferred: every prior in one place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gocv.data.config import Model
from gocv.fusion.nearness import NearnessSettings
from gocv.shelf import ExplainSettings

Chance = Annotated[float, Field(gt=0, lt=1)]


class Priors(Model):
    """How often what happens at a shelf, and what it takes to believe the rare things.

    Attributes:
        take: Something is taken from where the planogram has it.
        take_away: Something that is known to stand in a wrong place is taken from there.
        put: Something is put back by somebody who has it.
        put_home: Of put-downs, those where the planogram has the product.
        nothing: A hand only touches.
        more_units: For each unit after the first.
        more_parts: For each other product that moves at the same time.
        strayed: Something is taken from a wrong place on its own shelf, and nobody was seen to put it there.
        astray: The same from a shelf that is not its own.
        unknown: Something moves that is not in the catalogue.
        leaning: The frame carries so much of what is put down that nothing else explains it.
        foreign: Somebody puts down what they do not have.
        staff: Somebody who puts down what they do not have is staff.
        staff_takes: Staff take something from where it belongs, against a shopper's taking it.
        inside_rest: A short rest lies within one thing that was done, and does not part two.
        same_unit: Two weighings of one unit agree: it leans on nothing either time.
        slip: What somebody answered is wrong.
    """

    take: Chance = 0.60
    take_away: Chance = 0.10
    put: Chance = 0.15
    put_home: Chance = 0.5
    nothing: Chance = 0.15
    more_units: Chance = 0.12
    more_parts: Chance = 0.05
    strayed: Chance = 0.01
    astray: Chance = 0.002
    unknown: Chance = 0.002
    leaning: Chance = 0.03
    foreign: Chance = 1e-4
    staff: Chance = 0.02
    staff_takes: Chance = 0.1
    inside_rest: Chance = 0.3
    same_unit: Chance = 0.85
    slip: Chance = 1e-3


class FusionSettings(Model):
    """How carts are inferred.

    Attributes:
        nearness: How nearness becomes a likelihood.
        explain: What a change of weight could have been.
        priors: How often what happens.
        beam: Most accounts kept of people and shelves that hang together; 1: only the most probable one.
        least_share: Shoppers whose share of an event is smaller are taken to have had no part in it.
        dynamic_planogram: Remember what was put in wrong places.
        splitting: Let the events of an episode be things done apart; else each episode is one.
        positions: Use where the planogram has products; else weights alone say what moved.
        gestures: Look for what changes hands, or is left on the floor.
        clock: Estimate how far the scales' clock is from the cameras'.
        calibrator: File of the calibrator; the one that comes with gocv where None.
        policy: File of the review policy; the one that comes with gocv where None.
        interactions: Use what was seen of what hands did.
        recognitions: Use what was seen of what was in hands.
        hold_s: A receipt waits this long after its shopper was last seen.
    """

    nearness: NearnessSettings = NearnessSettings()
    explain: ExplainSettings = ExplainSettings()
    priors: Priors = Priors()
    beam: int = Field(default=24, ge=1)
    least_share: float = Field(default=1e-4, ge=0, lt=1)
    dynamic_planogram: bool = True
    splitting: bool = True
    positions: bool = True
    gestures: bool = True
    clock: bool = True
    calibrator: Path | None = None
    policy: Path | None = None
    interactions: bool = True
    recognitions: bool = True
    hold_s: float = Field(default=1.0, ge=0)
