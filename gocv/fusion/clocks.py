"""Skew between the clocks of scales and cameras, from hands that should be at the goods when weights move.

With k_e(o) how well the best hand fits event e, were it o seconds later (`gocv.fusion.nearness.hands_at`), blurred by
the error of an event's time, the offset o of a group of scales has the robust log likelihood

    ℓ(o) = Σ_e log(β + (1 - β)·k_e(o)),

β the share of events at which no hand is seen where it should be. Prior: the clock is right, or else, as rarely as
`skewed` says, off by anything within ± `widest_s`; the odds of the second against the first are

    skewed / (1 - skewed) · mean_o exp(ℓ(o) - ℓ(0)).

Gondolas are first taken together, as they share a clock more often than not, then each by itself; whichever of the two
explains all events better is reported. An offset is significant if its odds say so and it is more than an event's time
may be wrong by. Its standard error is that of the likelihood around the best offset.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import FloorTracks, Store, WeightEvent
from gocv.data.config import Model
from gocv.fusion.nearness import NearnessSettings, goods_of, hands_at

Array = NDArray[np.float64]

_STEP_S = 0.1
_AROUND_S = 0.4
_MOST_EVENTS = 60
"""More of one gondola would not change what is found, only take longer."""


class ClockSettings(Model):
    """What is taken for a skewed clock.

    Attributes:
        nearness: How a hand fits an event.
        widest_s: Offsets are looked for up to this.
        least_s: Smaller ones are left alone: events are not timed better.
        time_sd_s: Of an event's time.
        unseen: Share of events at which no hand is seen at the goods.
        skewed: Prior probability that a clock is skewed.
        least_probability: Of a skewed clock, for it to be corrected.
        least_events: Nothing is said of a gondola with fewer events that a hand fits at any offset.
    """

    nearness: NearnessSettings = NearnessSettings()
    widest_s: float = Field(default=6.0, gt=0)
    least_s: float = Field(default=0.25, ge=0)
    time_sd_s: float = Field(default=0.15, gt=0)
    unseen: float = Field(default=0.02, gt=0, lt=1)
    skewed: float = Field(default=0.05, gt=0, lt=1)
    least_probability: float = Field(default=0.95, gt=0.5, lt=1)
    least_events: int = Field(default=2, ge=1)


@dataclasses.dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the scales of a gondola are from the cameras.

    Attributes:
        gondola: Which.
        offset_s: To be added to the times of its events.
        sd_s: Standard error of that.
        log_ratio: Log likelihood ratio of this offset against none.
        probability: That the clock is skewed.
        events: How many events it rests on.
        shared: Whether it is that of all gondolas together.
        significant: Whether it should be corrected.
    """

    gondola: int
    offset_s: float
    sd_s: float
    log_ratio: float
    probability: float
    events: int
    shared: bool
    significant: bool


def estimate_clock(
    events: Sequence[WeightEvent], shoppers: FloorTracks, store: Store, settings: ClockSettings | None = None
) -> list[ClockOffset]:
    """How far each gondola's scales are from the cameras.

    Args:
        events: Weight events of one recording, any order.
        shoppers: Where everybody was, any order of rows.
        store: Where the plates are.
        settings: What is taken for a skewed clock.

    Returns:
        One entry for each gondola with events near which somebody was seen, by number.
    """
    settings = settings or ClockSettings()
    shoppers = shoppers[np.argsort(shoppers.time_s, kind="stable")]
    steps = math.ceil(settings.widest_s / _STEP_S)
    grid_s: Array = np.arange(-steps, steps + 1) * np.float64(_STEP_S)
    fits: dict[int, list[Array]] = {}
    for number, own in _by_gondola(events).items():
        fits[number] = [curve for event in own for curve in _fit(event, shoppers, store, grid_s, settings)]
    curves: dict[int, Array] = {number: np.sum(found, axis=0) for number, found in fits.items() if found}
    if not curves:
        return []
    counts = {number: len(fits[number]) for number in curves}
    together: Array = np.sum(list(curves.values()), axis=0)
    each = math.fsum(float(np.logaddexp(0.0, _log_odds(curve, grid_s, settings))) for curve in curves.values())
    shared = _log_odds(together, grid_s, settings) > each
    everyone = sum(counts.values())
    return [
        _offset(number, together if shared else curve, grid_s, everyone if shared else counts[number], shared, settings)
        for number, curve in curves.items()
    ]


def apply_clock(events: Sequence[WeightEvent], offsets: Sequence[ClockOffset]) -> list[WeightEvent]:
    """The events on the cameras' clock: shifted by the offsets that are significant."""
    shift_s: Mapping[int, float] = {o.gondola: o.offset_s for o in offsets if o.significant}
    return [_shifted(event, shift_s.get(event.shelf.gondola, 0.0)) for event in events]


def _shifted(event: WeightEvent, by_s: float) -> WeightEvent:
    if not by_s:
        return event
    start_s, time_s, end_s = (t + by_s for t in (event.start_s, event.time_s, event.end_s))
    return dataclasses.replace(event, start_s=start_s, time_s=time_s, end_s=end_s)


def _by_gondola(events: Sequence[WeightEvent]) -> dict[int, list[WeightEvent]]:
    """Events by gondola; of a gondola with many as many as it takes, spread over time."""
    groups: dict[int, list[WeightEvent]] = {}
    for event in sorted(events, key=lambda e: (e.shelf.gondola, e.time_s)):
        groups.setdefault(event.shelf.gondola, []).append(event)
    spread = {n: np.linspace(0, len(own) - 1, min(len(own), _MOST_EVENTS)).round() for n, own in groups.items()}
    return {number: [own[int(row)] for row in spread[number]] for number, own in groups.items()}


def _fit(
    event: WeightEvent, shoppers: FloorTracks, store: Store, grid_s: Array, settings: ClockSettings
) -> list[Array]:
    """The log likelihood of each offset of the grid from one event; none where no hand fits at any."""
    goods = goods_of(event, store)
    if goods is None:
        return []
    fits = hands_at(event, goods, shoppers, settings.nearness, grid_s)
    reach = np.arange(-4, 5) * _STEP_S
    blur = np.exp(-0.5 * (reach / settings.time_sd_s) ** 2)
    fits = np.convolve(fits, blur / blur.sum(), mode="same")
    if fits.max() < settings.unseen:
        return []
    return [np.log(settings.unseen + (1 - settings.unseen) * fits)]


def _log_odds(curve: Array, grid_s: Array, settings: ClockSettings) -> float:
    """Log odds that a clock is off by anything rather than right."""
    prior = math.log(settings.skewed / (1 - settings.skewed))
    rise = curve - curve[len(grid_s) // 2]
    peak = float(rise.max())
    return prior + peak + math.log(float(np.exp(rise - peak).mean()))


def _offset(
    number: int, curve: Array, grid_s: Array, events: int, shared: bool, settings: ClockSettings
) -> ClockOffset:
    best = int(curve.argmax())
    near = np.flatnonzero(np.abs(grid_s - grid_s[best]) <= _AROUND_S)
    weight = np.exp(curve[near] - curve[best])
    weight /= weight.sum()
    offset_s = float(weight @ grid_s[near])
    sd_s = math.sqrt(float(weight @ (grid_s[near] - offset_s) ** 2) + _STEP_S**2 / 12)
    log_ratio = float(curve[best] - curve[len(grid_s) // 2])
    probability = 1 / (1 + math.exp(-min(_log_odds(curve, grid_s, settings), 700.0)))
    significant = (
        probability >= settings.least_probability
        and abs(offset_s) >= settings.least_s
        and events >= settings.least_events
    )
    return ClockOffset(number, offset_s, sd_s, log_ratio, probability, events, shared, significant)
