"""What the published systems decide, and what they read from a recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gocv.core import EventDetector, FloorTracks, WeightEvent
from gocv.data.recording import Recording

_AROUND_S = 1.0
"""Joints are read this long before and after each event, seconds: longer than either system looks."""


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What a system took one weight event, or a part of it, to be.

    Attributes:
        event: Id of the weight event.
        time_s: Seconds on the recording's clock.
        shopper: Who; None where nobody could be named, and then nothing comes of it.
        product: Product id.
        quantity: Units; > 0 into the cart, < 0 out of it.
        score: How well the product fitted. Each system has its own measure; it is no probability.
    """

    event: str
    time_s: float
    shopper: str | None
    product: str
    quantity: int
    score: float


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a system found.

    Attributes:
        carts: Units by product by shopper, over 0; every shopper who was tracked has a cart.
        decisions: How they came about, in order of time. Weight changes that the system ignored are not among them.
    """

    carts: dict[str, dict[str, int]]
    decisions: tuple[Decision, ...]


def carts_of(decisions: Iterable[Decision], shoppers: Sequence[str]) -> dict[str, dict[str, int]]:
    """The carts that decisions in order of time leave: no cart ever holds less than nothing.

    >>> bought = [Decision("a", 1.0, "ann", "tea", 2, 1.0), Decision("b", 2.0, "ann", "tea", -1, 1.0)]
    >>> carts_of(bought, ["ann", "bob"])
    {'ann': {'tea': 1}, 'bob': {}}
    """
    carts: dict[str, dict[str, int]] = {shopper: {} for shopper in shoppers}
    for decision in decisions:
        if decision.shopper is None:
            continue
        cart = carts[decision.shopper]
        held = cart.pop(decision.product, 0) + decision.quantity
        if held > 0:
            cart[decision.product] = held
    return carts


def in_order(events: Iterable[WeightEvent]) -> list[WeightEvent]:
    """Events in order of time; those at the same moment by id."""
    return sorted(events, key=lambda event: (event.time_s, event.id))


def recorded_events(
    recording: Recording, detector: Callable[[float], EventDetector], chunk_s: float
) -> list[WeightEvent]:
    """All weight events of a recording, in order of time.

    Args:
        recording: A recording with scales.
        detector: Makes a detector for a rate in samples per second.
        chunk_s: Seconds of samples that are looked at together; the events do not depend on it.

    Raises:
        DataError: A file of samples is broken.
    """
    events: list[WeightEvent] = []
    for group in recording.scales:
        part = detector(group.rate_hz)
        for samples in recording.scale_chunks(group, chunk_s):
            events += part.update(samples)
        events += part.flush()
    return in_order(events)


def recorded_shoppers(recording: Recording, events: Sequence[WeightEvent]) -> FloorTracks:
    """The recorded joints around the events. Everybody in the recording is listed; none where no joints are.

    Raises:
        DataError: The table of joints is broken.
    """
    return recording.floor_tracks([(event.start_s - _AROUND_S, event.end_s + _AROUND_S) for event in events])


def by_time(shoppers: FloorTracks) -> FloorTracks:
    """Its rows in order of time, for `between`."""
    return shoppers[np.argsort(shoppers.time_s, kind="stable")]


def between(shoppers: FloorTracks, start_s: float, end_s: float) -> FloorTracks:
    """The rows from `start_s` to `end_s`, both included, of `shoppers` in order of time."""
    first = int(np.searchsorted(shoppers.time_s, start_s, side="left"))
    last = int(np.searchsorted(shoppers.time_s, end_s, side="right"))
    return shoppers[first:last]
