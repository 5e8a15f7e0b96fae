"""Identity scores: Ristani et al., "Performance Measures and a Data Set for MTMC Tracking", 2016 (arXiv:1609.01775)."""

from __future__ import annotations

import numpy as np

from gocv.assign import best_pairs
from gocv.metrics.mot.counts import IdentityCounts
from gocv.metrics.mot.sequence import MotSequence


def count_identity(sequence: MotSequence, *, threshold: float = 0.5) -> IdentityCounts:
    """Frames that the best one-to-one assignment of whole tracks explains.

    Whole true tracks are assigned whole found tracks so that IDTP, the frames in which both are similar, is greatest;
    IDFN and IDFP are what is left of either side (§3.2 of the paper, eq. 8 to 10).

    Args:
        sequence: True and found tracks.
        threshold: Similarity from which objects agree.
    """
    truth, found = sequence.truth, sequence.found
    agree = sequence.similarity >= threshold
    columns = max(len(found.ids), 1)
    code = truth.track[sequence.row[agree]] * columns + found.track[sequence.col[agree]]
    codes, frames = np.unique(code, return_counts=True)
    row, col = codes // columns, codes % columns
    rows, cols = best_pairs(row, col, frames.astype(np.float64), (len(truth.ids), columns))
    made = np.isin(codes, rows * columns + cols)
    positives = int(frames[made].sum())
    return IdentityCounts(tp=positives, fn=len(truth) - positives, fp=len(found) - positives)
