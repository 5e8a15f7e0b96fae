"""CLEAR MOT: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance", EURASIP JIVP 2008."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.metrics.mot.counts import ROUNDING, ClearCounts
from gocv.metrics.mot.match import match_frames
from gocv.metrics.mot.sequence import MotSequence, Side

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_CONTINUES = 1000.0
"""What going on with the match of the frame before is worth: more than all similarities of a frame together."""


def count_clear(sequence: MotSequence, *, threshold: float = 0.5) -> ClearCounts:
    """Matches, switches and fragments, frame after frame.

    In each frame, true objects keep the found track that they had in the frame before where that is still similar
    enough (§2.1.3 of the paper), and the rest is matched so that the sum of similarities is greatest. Frames without a
    true object, or without a found one, are passed over: the frame before them then is "the frame before". A switch is
    a match with another track than that of the last match, however long ago; a fragment is a match of a true track
    that was not matched in the frame before, from the second on.

    Args:
        sequence: True and found tracks.
        threshold: Similarity from which a pair may be matched.
    """
    truth, found = sequence.truth, sequence.found
    before = _rows_before(truth, found)
    match = _matched(sequence, threshold, before)
    matched = np.flatnonzero(match >= 0)
    track_found = found.track[match[matched]]

    order = _by_track(truth.track[matched], len(truth.ids))  # by true track, then by frame
    owner, partner = truth.track[matched][order], track_found[order]
    same_owner = owner[1:] == owner[:-1]
    switches = int((same_owner & (partner[1:] != partner[:-1])).sum())
    went_on = (before[matched] >= 0) & (match[before[matched]] >= 0)
    starts = np.bincount(truth.track[matched][~went_on], minlength=len(truth.ids))

    ratio = np.bincount(truth.track[matched], minlength=len(truth.ids)) / np.maximum(truth.lengths, 1)
    mostly, partly = int((ratio > 0.8).sum()), int((ratio >= 0.2).sum())
    # The similarity of a matched pair is found again among those of its row.
    of_match = match[sequence.row] == sequence.col
    return ClearCounts(
        tp=len(matched),
        fn=len(truth) - len(matched),
        fp=len(found) - len(matched),
        idsw=switches,
        frag=int(np.maximum(starts - 1, 0).sum()),
        mt=mostly,
        pt=partly - mostly,
        ml=len(truth.ids) - partly,
        similarity=float(sequence.similarity[of_match].sum()),
    )


def match_clear(sequence: MotSequence, *, threshold: float = 0.5) -> Int64:
    """The matching that `count_clear` counts.

    Args:
        sequence: True and found tracks.
        threshold: Similarity from which a pair may be matched.

    Returns:
        (n,) int64: for each row of `sequence.truth` the row of `sequence.found` that it is matched with, -1 for none.
    """
    return _matched(sequence, threshold, _rows_before(sequence.truth, sequence.found))


def _matched(sequence: MotSequence, threshold: float, before: Int64) -> Int64:
    similar = sequence.similarity >= threshold - ROUNDING
    row, col, similarity = sequence.row[similar], sequence.col[similar], sequence.similarity[similar]
    return _match(row, col, similarity, before, sequence.truth, sequence.found)


def _rows_before(truth: Side, found: Side) -> Int64:
    """(n,) the row of the same true track in the frame before that has both sides; -1 where it is not there."""
    begin = np.flatnonzero(np.diff(truth.frame, prepend=truth.frame[:1] - 1))
    has_both = np.isin(truth.frame[begin], found.frame[np.diff(found.frame, prepend=found.frame[:1] - 1) > 0])
    sizes = np.diff(begin, append=len(truth))
    number = np.repeat(np.where(has_both, np.cumsum(has_both), -1), sizes)
    before = np.full(len(truth), -1, np.int64)
    order = _by_track(truth.track, len(truth.ids))
    order = order[number[order] >= 0]
    next_frame = (np.diff(number[order]) == 1) & (np.diff(truth.track[order]) == 0)
    before[order[1:][next_frame]] = order[:-1][next_frame]
    return before


def _by_track(track: Int64, tracks: int) -> Int64:
    """Rows in order of track, and within a track as they were."""
    small = track.astype(np.uint16) if tracks <= 1 << 16 else track  # numbers of 16 bits are sorted by counting
    return np.argsort(small, kind="stable")


def _match(row: Int64, col: Int64, similarity: Float64, before: Int64, truth: Side, found: Side) -> Int64:
    """(n,) the found object that each true one is matched with; -1 where there is none.

    What to do in a frame depends on the frame before, but rarely: all are matched as if each object had been matched
    there with what is most similar to it, and those again that were wrong about it, until none is. Each round settles
    at least the first frame that was wrong, so the result is that of going through them in order. A frame can only be
    wrong if the one before it was matched anew in the last round.
    """
    match = _most_similar(row, col, similarity, len(truth))
    earlier, track = before[row], found.track[col]
    number = np.cumsum(np.diff(truth.frame[row], prepend=truth.frame[row[:1]]) != 0)  # frames with pairs, from 0
    bounds = np.searchsorted(number, np.arange(number.max(initial=-1) + 2))
    continues, frames = np.full(len(row), -1, np.int8), np.arange(len(bounds) - 1)
    while len(frames):
        open_ = _stretches(bounds, frames)
        partner = match[earlier[open_]]
        goes_on = (earlier[open_] >= 0) & (partner >= 0)
        goes_on &= found.track[partner] == track[open_]
        again = _stretches(bounds, np.unique(number[open_[goes_on != continues[open_]]]))
        continues[open_] = goes_on
        gain = similarity[again] + _CONTINUES * continues[again]
        made = again[match_frames(row[again], col[again], gain, truth.frame, found.frame)]
        earlier_match = match[row[again]]
        match[row[again]] = -1
        match[row[made]] = col[made]
        frames = np.unique(number[again[match[row[again]] != earlier_match]]) + 1
        frames = frames[frames < len(bounds) - 1]
    return match


def _stretches(bounds: Int64, which: Int64) -> Int64:
    """All numbers from `bounds[i]` to `bounds[i + 1]`, for each i of `which`."""
    sizes = bounds[which + 1] - bounds[which]
    return np.repeat(bounds[which] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())


def _most_similar(row: Int64, col: Int64, similarity: Float64, rows: int) -> Int64:
    """(rows,) the found object that is most similar to each true one; -1 where none is."""
    best, partner = np.zeros(rows), np.full(rows, -1, np.int64)
    np.maximum.at(best, row, similarity)
    is_best = similarity == best[row]
    partner[row[is_best]] = col[is_best]
    return partner
