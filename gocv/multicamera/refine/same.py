"""Shoppers who are one: two who walk together and share out the cameras that see them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.multicamera.paths import Paths, smooth
from gocv.multicamera.refine.blocks import Blocks
from gocv.multicamera.settings import RefineSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_NEAR_M = 1.0
_FEWEST = 3
_ONE, _BOTH, _APART = 0.92, -3.4, -2.0
"""Log-likelihood ratios, one person to two, of a camera that finds q = 3/4 of people and one in fifty twice: it saw one
of the two, log(1 / (2 (1 - q) / (2 - q))); it saw both, log(0.02 / (q / (2 - q))); they are apart for a moment."""


def join_same(blocks: Blocks, settings: RefineSettings) -> Blocks:
    """Make one of those who are one, the likeliest first; all who become one must fit together.

    Args:
        blocks: Looks with their shoppers.
        settings: From when on two are one.
    """
    names, who = np.unique(blocks.who[blocks.who >= 0], return_inverse=True)
    own = np.flatnonzero(blocks.who >= 0)
    if len(names) < 2:
        return blocks
    paths = smooth(
        blocks.time_s, blocks.moment[own], who, blocks.xy_m[own], blocks.covariance_m2[own], people=len(names)
    )
    seen = np.zeros((len(paths.mean), int(blocks.camera.max()) + 1), np.bool_)
    seen[paths.rows(who, blocks.moment[own]), blocks.camera[own]] = True
    odds = np.zeros((len(names), len(names)))
    for i, j in _meetings(paths):
        odds[i, j] = odds[j, i] = _log_odds(paths, seen, i, j)
    one, other = np.nonzero(np.triu(odds, 1) > settings.same)
    name = np.arange(len(names))
    for k in np.argsort(-odds[one, other], kind="stable").tolist():
        mine, theirs = name == name[one[k]], name == name[other[k]]
        if name[one[k]] != name[other[k]] and odds[np.ix_(mine, theirs)].sum() > settings.same:
            name[mine] = name[other[k]]
    new = blocks.who.copy()
    new[own] = names[name[who]]
    return blocks.owned(new)


def _meetings(paths: Paths) -> list[tuple[int, int]]:
    """Pairs of shoppers who are there at the same time for long enough."""
    order = np.argsort(paths.first, kind="stable")
    pairs = []
    for place, i in enumerate(order.tolist()):
        later = order[place + 1 :]
        together = np.minimum(paths.last[later], paths.last[i]) - paths.first[later] + 1 >= _FEWEST
        pairs += [(int(j), i) if j > i else (i, int(j)) for j in later[together].tolist()]
    return pairs


def _log_odds(paths: Paths, seen: Bool, i: int, j: int) -> float:
    """That two are one; `seen` says, for each row of the paths, which cameras saw them."""
    begin, end = max(paths.first[i], paths.first[j]), min(paths.last[i], paths.last[j])
    one = slice(paths.begin[i] + begin - paths.first[i], paths.begin[i] + end + 1 - paths.first[i])
    other = slice(paths.begin[j] + begin - paths.first[j], paths.begin[j] + end + 1 - paths.first[j])
    near = ((paths.mean[one, :2] - paths.mean[other, :2]) ** 2).sum(axis=1) < _NEAR_M**2
    if near.sum() < _FEWEST:
        return -np.inf
    by_one, by_other = seen[one][near], seen[other][near]
    return float(_ONE * (by_one ^ by_other).sum() + _BOTH * (by_one & by_other).sum() + _APART * (~near).sum())
