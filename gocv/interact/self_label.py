"""Labels without a labeller: what the scales felt says what a hand did there.

Weight events at a shelf that only one hand can have been, together: goods gone are a take, goods come a return, and a
press that leaves the weight as it was a touch. A hand at a shelf where nothing was felt did nothing, unless it stayed
inside for long: it may have touched so lightly that no scale felt it. What is in doubt has no label, and a label weighs
as much as it is probable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import WeightEvent
from gocv.data.config import Model
from gocv.interact.episodes import Episodes
from gocv.interact.labelled import CLASSES

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

_TAKE, _RETURN, _TOUCH, _NONE = (CLASSES.index(name) for name in ("take", "return", "touch", "none"))


class SelfLabelSettings(Model):
    """What is sure enough.

    Attributes:
        near_s: A hand may have been an event that is timed this long before it came or after it left.
        clear_s: Nothing was felt of a hand if no event of the shelf is this near to it in time; and where one is that
            may be another hand's, nobody knows.
        least: Least probability of an event, and of who moved it, for a label.
        sure: Weight has changed if it did by this many standard deviations.
        least_g: And by at least as much; what changed by less than both has not.
        undone_s: A change that another one undoes this soon, before or after, may have been a hand that pressed and
            let go.
        inside_s: Nobody knows what a hand did that was inside for longer, and of which nothing was felt.
    """

    near_s: float = Field(default=0.35, ge=0)
    clear_s: float = Field(default=0.5, ge=0)
    least: float = Field(default=0.9, gt=0.5, le=1)
    sure: float = Field(default=3.0, gt=0)
    least_g: float = Field(default=12.0, ge=0)
    undone_s: float = Field(default=2.5, ge=0)
    inside_s: float = Field(default=1.2, ge=0)


def self_labels(
    episodes: Episodes,
    inside_s: NDArray[np.floating],
    events: Sequence[WeightEvent],
    who: Mapping[str, Mapping[str, float]],
    settings: SelfLabelSettings | None = None,
) -> Float32:
    """How much of each class each episode is, as far as the scales say.

    Args:
        episodes: n of them, at shelves.
        inside_s: (n,) how long the hand was in the room over the shelf, seconds.
        events: Of all shelves.
        who: By the id of an event, the probability that each shopper moved it; what is missing to 1 is for nobody who
            is known. As nearness gives it, or fusion.
        settings: What is sure enough.

    Returns:
        (n, 4) float32 in the order of `CLASSES`, zeros for what is in doubt; a row sums to the weight of its label.
    """
    s = settings or SelfLabelSettings()
    target = np.zeros((len(episodes), len(CLASSES)), np.float32)
    zone = np.array([episodes.zones[i] for i in episodes.zone], object)
    name = np.array([episodes.shoppers[i] for i in episodes.shopper], object)
    doubtful, felt = np.zeros(len(episodes), np.bool_), np.zeros(len(episodes), np.bool_)
    moved: defaultdict[int, list[tuple[WeightEvent, float]]] = defaultdict(list)
    around = np.zeros(len(episodes), np.int64)
    for event in events:
        there = zone == str(event.shelf)
        felt |= there & _near(episodes, event.start_s, event.end_s, s.clear_s)
        near = there & _near(episodes, event.time_s, event.time_s, s.near_s)
        around += there & _near(episodes, event.time_s, event.time_s, s.clear_s)
        shares = who.get(event.id, {})
        shopper = max(shares, key=lambda one: shares[one], default="")
        probability = event.probability * shares.get(shopper, 0.0)
        rows = np.flatnonzero(near & (name == shopper))
        if len(rows) == 1 and probability >= s.least:
            moved[int(rows[0])].append((event, probability))
        else:
            doubtful |= near
    for row, each in moved.items():
        mine = [event for event, _ in each]
        if not doubtful[row] and len(each) == around[row] and not _undone(mine, events, s):
            target[row, _change(mine, s)] = min(probability for _, probability in each)
    target[~felt & (inside_s <= s.inside_s), _NONE] = 1.0
    return target


def _change(events: Sequence[WeightEvent], s: SelfLabelSettings) -> int:
    """The class of what all events of one hand together are."""
    total_g = sum(event.total_g for event in events)
    sd_g = float(np.sqrt(sum(max(float(event.covariance_g2.sum()), 0.0) for event in events)))
    if abs(total_g) < max(s.least_g, s.sure * sd_g):
        return _TOUCH
    return _TAKE if total_g < 0 else _RETURN


def _undone(mine: Sequence[WeightEvent], events: Sequence[WeightEvent], s: SelfLabelSettings) -> bool:
    """Whether an event that is not of this hand takes back what it did."""
    if _change(mine, s) == _TOUCH:
        return False
    first_s, last_s = min(e.time_s for e in mine) - s.undone_s, max(e.time_s for e in mine) + s.undone_s
    ids = {event.id for event in mine}
    others = [e for e in events if e.shelf == mine[0].shelf and e.id not in ids and first_s <= e.time_s <= last_s]
    return any(_change([*mine, other], s) == _TOUCH for other in others)


def _near(episodes: Episodes, start_s: float, end_s: float, margin_s: float) -> Bool:
    return np.asarray((episodes.start_s <= end_s + margin_s) & (episodes.end_s >= start_s - margin_s))
