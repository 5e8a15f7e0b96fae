"""Labels on a timeline, placed so that none covers another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gocv.viz.style import percent, text_width_px

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FONTSIZE = 8.5
_GAP_PX = 9.0
_MOST_LANES = 4
_TOGETHER_S = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """What is written over an event.

    Attributes:
        time_s: Of the event.
        count: Signed units, such as "−1".
        name: Of the product.
        probability: That it is so.
        colour: Of the shopper.
        has_probability: Whether `probability` is worth saying.
        repeats: How many events in quick succession it stands for.
    """

    time_s: float
    count: str
    name: str
    probability: float
    colour: str
    has_probability: bool = False
    repeats: int = 1

    @property
    def text(self) -> str:
        """As written, a series of equal ones as one."""
        count = f"{self.repeats} × {self.count}" if self.repeats > 1 else self.count
        sure = percent(self.probability) if self.has_probability else ""
        return " ".join(part for part in (count, self.name, sure) if part)


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A label with a place.

    Attributes:
        label: What.
        x_s: Time at which its middle is.
        lane: Row of text, 0 at the top.
    """

    label: Label
    x_s: float
    lane: int


def place_in_lanes(
    figure: Figure, labels: Sequence[Label], span: tuple[float, float], width_px: float
) -> tuple[list[Placed], int]:
    """Give every label a place over its event, or beside it where that saves a lane.

    Equal labels in quick succession become one first.

    Args:
        figure: To measure text on.
        labels: In order of time.
        span: Times at the left and right of the axes.
        width_px: Of the axes.

    Returns:
        Those that found room, and how many did not.
    """
    merged = _merged(labels)
    start, end = span
    per_px = (end - start) / width_px
    taken_to = [float("-inf")] * _MOST_LANES
    placed = []
    for label in merged:
        half = (text_width_px(figure, label.text, FONTSIZE, "bold") + _GAP_PX) / 2 * per_px
        beside = half - 12 * per_px
        places = [
            (min(max(label.time_s + shift, start + half), end - half), lane)
            for lane in range(_MOST_LANES)
            for shift in (0.0, -beside / 2, beside / 2, -beside, beside)
        ]
        found = next(((x, lane) for x, lane in places if x - half >= taken_to[lane]), None)
        if found is not None:
            taken_to[found[1]] = found[0] + half
            placed.append(Placed(label, *found))
    return placed, len(merged) - len(placed)


def _merged(labels: Sequence[Label]) -> list[Label]:
    merged: list[Label] = []
    last_s = float("-inf")
    for label in labels:
        previous = merged[-1] if merged else None
        same = previous is not None and (previous.count, previous.name, previous.colour) == (
            label.count,
            label.name,
            label.colour,
        )
        if same and previous is not None and label.time_s - last_s < _TOGETHER_S:
            repeats = previous.repeats + 1
            middle = (previous.time_s * previous.repeats + label.time_s) / repeats
            worst = min(previous.probability, label.probability)
            merged[-1] = dataclasses.replace(previous, time_s=middle, probability=worst, repeats=repeats)
        else:
            merged.append(label)
        last_s = label.time_s
    return merged
