"""SORT over real time: boxes followed by a Kalman filter and matched by overlap."""

from __future__ import annotations

import numpy as np

from gocv.motion import AreaAspect
from gocv.track.online import Bool, OnlineTracker, Pairing, Seen, check_settings, double, fraction, unit


class SortTracker(OnlineTracker):
    """Bewley et al., "Simple Online and Realtime Tracking", 2016 (arXiv:1602.00763), with time in seconds.

    Each track's box is predicted over the time that really passed (`gocv.motion.AreaAspect`) and matched to the
    detections of the same class by IoU, so that the sum of (IoU - min_iou) is greatest. A detection that is left over
    and scores at least `new_track_score` starts a track. A new track that goes unmatched is dropped; one that is seen
    in `min_hits` frames in a row is confirmed and gets an id. A confirmed track is kept through `max_age_s` without a
    match.

    What differs from the authors' release, and why: a confirmed track that was hidden is reported at once when it is
    seen again, not after `min_hits` more frames, because a gap at a shelf is where identity matters; tracks
    in the very first frames need confirmation too, because a recording may start anywhere; and a left-over detection
    that overlaps a matched one by more than `min_iou` starts no track, because a detector often gives a person with
    an outstretched arm two boxes, and the second would take the identity over.

    Args:
        min_iou: Overlap of prediction and detection above which they may be one.
        max_age_s: Seconds for which a confirmed track is kept unseen.
        min_hits: Frames in a row, the first included, in which a track must be seen to be confirmed.
        new_track_score: Score from which a detection may start a track.
        min_score: Score below which a detection is ignored altogether.
        rate_hz: Nominal frame rate at which the filter's noise is the paper's.

    Raises:
        ConfigError: A setting is out of range.
    """

    motion = AreaAspect()

    def __init__(
        self,
        *,
        min_iou: float = 0.3,
        max_age_s: float = 1.0,
        min_hits: int = 3,
        new_track_score: float = 0.5,
        min_score: float = 0.0,
        rate_hz: float = 10.0,
    ) -> None:
        check_settings(fraction("min_iou", min_iou), unit("new_track_score", new_track_score))
        self.min_iou, self.new_track_score = min_iou, new_track_score
        super().__init__(min_score=min_score, min_hits=min_hits, max_age_s=max_age_s, rate_hz=rate_hz)

    def _associate(self, seen: Seen, time_s: float) -> Pairing:
        pairing = Pairing(len(self._table), len(seen.row))
        row, col, iou = self._overlaps(seen)
        pairing.stage(row, col, iou - self.min_iou)
        return pairing

    def _births(self, seen: Seen, pairing: Pairing) -> Bool:
        born = pairing.seen_free & (seen.score >= np.float32(self.new_track_score))
        rows = born.nonzero()[0]
        born[rows] = ~double(seen, rows, (~pairing.seen_free).nonzero()[0], self.min_iou)
        return born
