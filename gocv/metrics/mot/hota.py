"""HOTA: Luiten et al., "A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021 (arXiv:2009.07736)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.metrics.mot.counts import ALPHAS, ROUNDING, HotaCounts
from gocv.metrics.mot.match import match_frames
from gocv.metrics.mot.sequence import MotSequence

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


_TABLE = 4_000_000
"""Pairs of tracks up to which a table of all of them is quicker than sorting those that there are."""


def count_hota(sequence: MotSequence) -> HotaCounts:
    """True positives, and how well their tracks are associated, at 19 thresholds of localisation.

    Objects are matched once: in each frame so that the sum of global alignment times similarity is greatest (§3.4 of
    the paper and its release). The alignment of a true and a found track is J / (g + f - J), g and f their lengths, J
    the sum over frames of a pair's similarity over that of all pairs that either of the two is in. A match counts at
    every threshold that its similarity reaches. A(c) = TPA / (TPA + FNA + FPA), eq. 5.

    All frames are matched in one sparse assignment, and pairs of tracks are counted where there are any: memory grows
    with the pairs that overlap, not with tracks times tracks.
    """
    truth, found = sequence.truth, sequence.found
    row, col, similarity = sequence.row, sequence.col, sequence.similarity
    true_length, found_length = truth.lengths, found.lengths
    pair, which = _track_pairs(sequence)
    lengths = true_length[pair[0]] + found_length[pair[1]]

    of_row = np.bincount(row, similarity, len(truth))
    of_col = np.bincount(col, similarity, len(found))
    share = similarity / (of_row[row] + of_col[col] - similarity)
    together = np.bincount(which, share, len(lengths))
    alignment = together / (lengths - together)
    match = np.flatnonzero(match_frames(row, col, alignment[which] * similarity, truth.frame, found.frame))
    of_pair = which[match]

    # How many thresholds each match reaches; what reaches a threshold is then a sum from there on.
    reached, levels = _thresholds_reached(similarity[match]), len(ALPHAS) + 1
    true_positives = _from_each(np.bincount(reached, minlength=levels))
    matched = np.flatnonzero(np.bincount(of_pair, minlength=len(lengths)))
    place = np.zeros(len(lengths), np.int64)
    place[matched] = np.arange(len(matched))
    by_level = np.bincount(place[of_pair] * levels + reached, minlength=len(matched) * levels)
    number = _from_each(by_level.reshape(-1, levels))  # (pairs of tracks, 19): matches of each
    true_of, found_of = true_length[pair[0][matched], None], found_length[pair[1][matched], None]
    return HotaCounts(
        tp=true_positives,
        fn=len(truth) - true_positives,
        fp=len(found) - true_positives,
        association=(number * (number / np.maximum(1, true_of + found_of - number))).sum(axis=0),
        association_recall=(number * (number / true_of)).sum(axis=0),
        association_precision=(number * (number / found_of)).sum(axis=0),
        location=_from_each(np.bincount(reached, similarity[match], levels)),
    )


def _thresholds_reached(similarity: Float64) -> Int64:
    """(n,) how many of the thresholds each similarity reaches: a guess by their even spacing, put right by one."""
    least = np.concatenate([[-np.inf], ALPHAS - ROUNDING, [np.inf]])
    guess = (similarity * (len(ALPHAS) + 1)).astype(np.int64).clip(0, len(ALPHAS))
    guess += similarity >= least[guess + 1]
    guess -= similarity < least[guess]
    return guess


def _from_each(counts: NDArray[np.int64] | Float64) -> Float64:
    """(..., 19) of (..., 20) counts by how many thresholds are reached: those that reach each threshold."""
    from_each: Float64 = np.cumsum(counts[..., ::-1].astype(np.float64), axis=-1)[..., -2::-1]
    return from_each


def _track_pairs(sequence: MotSequence) -> tuple[tuple[Int64, Int64], Int64]:
    """True and found track of each pair of tracks that are ever similar, and (p,) which of them each pair is of."""
    columns = max(len(sequence.found.ids), 1)
    code = sequence.truth.track[sequence.row] * columns + sequence.found.track[sequence.col]
    possible = len(sequence.truth.ids) * columns
    if possible > _TABLE:
        codes, which = np.unique(code, return_inverse=True)
    else:
        there = np.zeros(possible, np.bool_)
        there[code] = True
        codes, which = np.flatnonzero(there), (np.cumsum(there) - 1)[code]
    return (codes // columns, codes % columns), which
