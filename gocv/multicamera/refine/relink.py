"""Shoppers cut where they may be two people, and the pieces put together again, all at once.

A shopper is cut where own tracks leave for another shopper or come from one, where no own track goes on, and at gaps.
A piece's worth as the next of another is the log-odds of `gocv.multicamera.links`, what own tracks say that go from the
one to the other or end while others begin, and what appearance says. Ends and beginnings are paired one to one so that
the sum is greatest.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.core import Zone
from gocv.multicamera.likeness import Likeness, log_ratio
from gocv.multicamera.links import Ends, log_odds
from gocv.multicamera.paths import Paths, smooth
from gocv.multicamera.refine.blocks import Blocks
from gocv.multicamera.settings import AssociationSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_NEAR_S, _GAP_S, _APART = 3.0, 2.0, 2
"""Own tracks that change within this cut; gaps longer than this; cuts nearer than so many moments are one."""
_OVERLAP, _AT_ONCE_S, _MEMBER = 2, 1.5, 2
"""Pieces may overlap by so many moments; own tracks that end and begin within this; of so many looks of the piece."""


def relink(
    blocks: Blocks, entrances: Sequence[Zone], settings: AssociationSettings, likeness: Likeness | None = None
) -> Blocks:
    """Cut shoppers into pieces and link the pieces.

    Args:
        blocks: Looks with their shoppers.
        entrances: As for `log_odds`.
        settings: When pieces are of one person, and how far appearance is believed.
        likeness: What appearance tells, or None.
    """
    piece = _pieces(blocks)
    own = np.flatnonzero(piece >= 0)
    count = int(piece.max(initial=-1)) + 1
    if not count:
        return blocks
    paths = smooth(
        blocks.time_s, blocks.moment[own], piece[own], blocks.xy_m[own], blocks.covariance_m2[own], people=count
    )
    end, begin = _candidates(blocks.time_s, paths, settings.link.longest_s)
    at = np.minimum(paths.last[end], paths.first[begin])
    gain = log_odds(
        _ends(blocks, paths, end, at), _ends(blocks, paths, begin, paths.first[begin]), entrances, settings.link
    )
    gain += _own_tracks(blocks, piece, count, end, begin, settings)
    gain += _appearance(blocks, piece, count, end, begin, settings, likeness)
    good = gain > 0
    ends, begins = best_pairs(end[good], begin[good], gain[good], (count, count))
    name = np.arange(count)
    order = np.argsort(paths.first[begins], kind="stable")
    for tail, head in zip(ends[order].tolist(), begins[order].tolist(), strict=True):
        name[head] = name[tail]
    who = np.full(len(blocks), -1, np.int64)
    who[own] = name[piece[own]]
    return blocks.owned(who)


def _pieces(blocks: Blocks) -> Int64:
    """(n,) the piece that each look is of, -1 for nobody's."""
    names, who = np.unique(blocks.who[blocks.who >= 0], return_inverse=True)
    owner = np.full(len(blocks), -1)
    owner[blocks.who >= 0] = who
    cuts = _exchanges(blocks, owner)
    spanned = _spanned(blocks, owner, len(names))
    piece, made = np.full(len(blocks), -1, np.int64), 0
    for j in range(len(names)):
        rows = np.flatnonzero(owner == j)
        moments = np.unique(blocks.moment[rows])
        gap = np.diff(blocks.time_s[moments]) > _GAP_S
        edges = set(moments[1:][gap | (spanned[j, moments[1:]] == 0)].tolist())
        chosen: list[int] = []
        for moment, _ in sorted(cuts[j].items(), key=lambda cut: (-cut[1], cut[0])):
            if all(abs(moment - other) > _APART for other in chosen):
                chosen.append(moment)
        number = np.searchsorted(np.array(sorted(edges | set(chosen)), np.int64), blocks.moment[rows], side="right")
        used, number = np.unique(number, return_inverse=True)
        piece[rows] = made + number
        made += len(used)
    return piece


def _exchanges(blocks: Blocks, owner: Int64) -> dict[int, Counter[int]]:
    """By shopper, the moments at which own tracks come from others or leave for them, and how many."""
    order = np.lexsort((blocks.moment, blocks.own))
    order = order[owner[order] >= 0]
    a, b = order[:-1], order[1:]
    soon = blocks.time_s[blocks.moment[b]] - blocks.time_s[blocks.moment[a]] <= _NEAR_S
    change = (blocks.own[a] == blocks.own[b]) & (owner[a] != owner[b]) & soon
    cuts: dict[int, Counter[int]] = defaultdict(Counter)
    for x, y in zip(a[change].tolist(), b[change].tolist(), strict=True):
        cuts[int(owner[x])][int(blocks.moment[x]) + 1] += 1
        cuts[int(owner[y])][int(blocks.moment[y])] += 1
    return cuts


def _spanned(blocks: Blocks, owner: Int64, shoppers: int) -> Int64:
    """(shoppers, K + 1) how many own tracks are a shopper's both before each moment and from it on."""
    order = np.lexsort((blocks.moment, blocks.own, owner))
    order = order[owner[order] >= 0]
    a, b = order[:-1], order[1:]
    step = (owner[a] == owner[b]) & (blocks.own[a] == blocks.own[b])
    a, b = a[step], b[step]
    change = np.zeros((shoppers, len(blocks.time_s) + 1), np.int64)
    np.add.at(change, (owner[a], blocks.moment[a] + 1), 1)
    np.add.at(change, (owner[a], blocks.moment[b] + 1), -1)
    return np.cumsum(change, axis=1)


def _candidates(time_s: Float64, paths: Paths, longest_s: float) -> tuple[Int64, Int64]:
    """Pairs of a piece and another that may be the next."""
    ends, begins = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    order = np.argsort(paths.first, kind="stable")
    firsts = paths.first[order]
    for i in range(len(paths.first)):
        low = np.searchsorted(firsts, paths.last[i] - _OVERLAP + 1)
        high = np.searchsorted(firsts, np.searchsorted(time_s, time_s[paths.last[i]] + longest_s, side="right"))
        next_ = order[low:high]
        next_ = next_[(paths.first[next_] > paths.first[i]) & (paths.last[next_] > paths.last[i])]
        ends.append(np.full(len(next_), i))
        begins.append(next_)
    return np.concatenate(ends), np.concatenate(begins)


def _ends(blocks: Blocks, paths: Paths, piece: Int64, moment: Int64) -> Ends:
    row = paths.rows(piece, moment)
    return Ends(blocks.time_s[moment], paths.mean[row], paths.covariance[row])


def _own_tracks(
    blocks: Blocks, piece: Int64, count: int, end: Int64, begin: Int64, settings: AssociationSettings
) -> Float64:
    """What each camera's own tracks say of pairs of pieces."""
    cameras = int(blocks.camera.max()) + 1
    last, first = np.full((count, cameras), -1), np.full((count, cameras), -1)
    in_order = np.argsort(blocks.moment, kind="stable")
    in_order = in_order[piece[in_order] >= 0]
    last[piece[in_order], blocks.camera[in_order]] = in_order
    in_order = in_order[::-1]
    first[piece[in_order], blocks.camera[in_order]] = in_order
    tracks = int(blocks.own.max()) + 1
    track_first, track_last = np.full(tracks, len(blocks.time_s)), np.full(tracks, -1)
    np.minimum.at(track_first, blocks.own, blocks.moment)
    np.maximum.at(track_last, blocks.own, blocks.moment)
    members = Counter(zip(piece.tolist(), blocks.own.tolist(), strict=True))

    def ours(rows: Int64) -> Bool:
        return np.array(
            [
                [row >= 0 and members[i, int(blocks.own[row])] >= _MEMBER for row in line]
                for i, line in enumerate(rows.tolist())
            ]
        ).reshape(rows.shape)

    own_last, own_first = blocks.own[last], blocks.own[first]
    stops = ours(last) & (track_last[own_last] <= blocks.moment[last])
    starts = ours(first) & (track_first[own_first] >= blocks.moment[first])
    both: Bool = np.asarray((last[end] >= 0) & (first[begin] >= 0))
    same = both & (own_last[end] == own_first[begin])
    soon = blocks.time_s[blocks.moment[first[begin]]] - blocks.time_s[blocks.moment[last[end]]] <= _AT_ONCE_S
    changed = both & ~same & stops[end] & starts[begin] & soon
    against = np.where(same.any(axis=1), 0, changed.sum(axis=1))
    told: Float64 = settings.link.same_id * same.sum(axis=1) + settings.link.other_id * against
    return told


def _appearance(
    blocks: Blocks,
    piece: Int64,
    count: int,
    end: Int64,
    begin: Int64,
    settings: AssociationSettings,
    likeness: Likeness | None,
) -> Float64:
    if blocks.vectors is None or likeness is None:
        return np.zeros(len(end))
    total = np.zeros((count, blocks.vectors.shape[1]))
    own = piece >= 0
    np.add.at(total, piece[own], blocks.vectors[blocks.own[own]])
    return log_ratio(total[end], total[begin], likeness, settings.look.cap)
