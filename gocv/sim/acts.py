"""What shoppers intend and what they did: acts at stops, stops in a programme, deeds."""

from __future__ import annotations

import dataclasses
from typing import Literal

from gocv.core import ShelfId

Kind = Literal["take", "put", "touch", "look", "give", "receive", "drop", "pick_up"]
"""take, put: from and onto a shelf. touch: a hand in the shelf that moves nothing. look: a unit held before the eyes.
give, receive: the two sides of a hand-over. drop, pick_up: on and from the floor."""


@dataclasses.dataclass(frozen=True, slots=True)
class Manner:
    """How a hand goes about it, as far as the scales feel it.

    Attributes:
        duration_s: From the first gram that moves to the last.
        press_g: Weight of the hand on the plates while it reaches.
        hold_s: The hand rests on the unit this long before it lifts, or after it has put down.
        first_share: Share of the weight that goes in the first of two steps; 1 where there is but one.
        step_pause_s: Between the two steps.
        bounce: Share of the change by which the plates first go too far.
    """

    duration_s: float = 0.5
    press_g: float = 30.0
    hold_s: float = 0.0
    first_share: float = 1.0
    step_pause_s: float = 0.0
    bounce: float = 0.07


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """One thing that a hand does.

    Attributes:
        kind: What.
        product: Product id; empty for a touch.
        units: How many are moved, at least 1; 0 where none are.
        shelf: Where; None for what is not done at a shelf.
        along_m: Where along the shelf.
        pause_s: From the act before, or from when the shopper came to stand here, to the middle of this one.
        manner: How.
        partner: The other shopper of a hand-over.
    """

    kind: Kind
    product: str
    units: int
    shelf: ShelfId | None
    along_m: float
    pause_s: float
    manner: Manner = Manner()
    partner: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Stop:
    """A place to stand at, and what to do there.

    Attributes:
        gondola: In front of which, by number.
        along_m: Where along it to stand.
        acts: In order.
        not_before_s: Wait until then before the first pause begins.
        linger_s: Stay this long after the last act; it may be a little longer.
        close: Stand exactly here at exactly that time, even if that is in somebody's way.
    """

    gondola: int
    along_m: float
    acts: tuple[Act, ...]
    not_before_s: float = 0.0
    linger_s: float = 0.0
    close: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Programme:
    """A visit as one shopper intends it.

    Attributes:
        name: Of the shopper.
        entry_s: When they come in, at the earliest.
        stops: In order.
        height_m: From the floor to the top of the head; a child's is under 1.4.
        speed_m_s: At which they like to walk.
        role: Staff restock, and get no receipt.
        company: Name of a shopper whom this one keeps close to, such as a child's parent.
        again: Name under which the same person was here before; they come in once that one has left.
    """

    name: str
    entry_s: float
    stops: tuple[Stop, ...]
    height_m: float = 1.72
    speed_m_s: float = 1.15
    role: Literal["shopper", "staff"] = "shopper"
    company: str | None = None
    again: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Deed:
    """An act that was done.

    Attributes:
        time_s: When half of it has happened: half the weight moved, the unit half handed over.
        shopper: Name.
        act: What.
        hand: 0 the left one, 1 the right one.
    """

    time_s: float
    shopper: str
    act: Act
    hand: int
