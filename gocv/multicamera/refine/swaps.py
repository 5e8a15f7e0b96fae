"""Two shoppers who exchanged names: where most own tracks go from the one to the other, and back."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.refine.blocks import Blocks

Int64 = NDArray[np.int64]

_NEAR_S = 3.0
_MARGIN = 2
"""By so many own tracks more must speak for an exchange than against it."""
_MOST = 500


def undo_swaps(blocks: Blocks) -> Blocks:
    """Undo exchanges of names, the clearest first.

    At a moment k, an own track that was of one of two shoppers before and is of the other after speaks for an exchange,
    one that stays with its shopper against it.

    Args:
        blocks: Looks with their shoppers.
    """
    who = blocks.who.copy()
    order = np.lexsort((blocks.moment, blocks.own))
    done: set[tuple[int, int, int]] = set()
    for _ in range(_MOST):
        best = _clearest(blocks, who, order[who[order] >= 0], done)
        if best is None:
            break
        one, other, moment = best
        done.add(best)
        later = blocks.moment >= moment
        was_one, was_other = (who == one) & later, (who == other) & later
        who[was_one], who[was_other] = other, one
    return blocks.owned(who)


def _clearest(blocks: Blocks, who: Int64, order: Int64, done: set[tuple[int, int, int]]) -> tuple[int, int, int] | None:
    before, after = order[:-1], order[1:]
    spent_s = blocks.time_s[blocks.moment[after]] - blocks.time_s[blocks.moment[before]]
    step = (blocks.own[before] == blocks.own[after]) & (spent_s <= _NEAR_S)
    before, after = before[step], after[step]
    one, other = who[before], who[after]
    crossing: dict[tuple[int, int], list[int]] = defaultdict(list)
    for s in np.flatnonzero(one != other).tolist():
        crossing[min(one[s], other[s]), max(one[s], other[s])].append(s)
    best, most = None, _MARGIN - 1
    for pair, steps in crossing.items():
        if len(steps) <= most:
            continue
        among = np.isin(one, pair) & np.isin(other, pair)
        begin, end, crossed = blocks.moment[before[among]], blocks.moment[after[among]], (one != other)[among]
        for moment in np.unique(blocks.moment[after[steps]]).tolist():
            spans = (begin < moment) & (end >= moment)
            ahead = int(crossed[spans].sum()) - int((~crossed[spans]).sum())
            if ahead > most and (*pair, moment) not in done:
                best, most = (int(pair[0]), int(pair[1]), moment), ahead
    return best
