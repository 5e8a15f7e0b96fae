"""ByteTrack over real time: boxes that score little continue tracks, but start none."""

from __future__ import annotations

import numpy as np

from gocv.geometry import Overlaps, overlapping_pairs
from gocv.motion import AspectHeight, BoxModel
from gocv.track.online import (
    CLOCK_SLACK,
    Bool,
    Float64,
    Int64,
    OnlineTracker,
    Pairing,
    Seen,
    check_settings,
    fraction,
    unit,
)


class ByteTracker(OnlineTracker):
    """Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2022 (arXiv:2110.06864).

    Algorithm 1, in three stages, each of which pairs so that the sum of gains is greatest. First all confirmed tracks
    with the detections that score at least `high_score`, by IoU times score (as in the authors' release) over
    `min_similarity`. Then the confirmed tracks that are left with the detections that score less, by IoU over
    `min_iou_low`. Then new tracks, seen once, with the high detections that are left, by IoU times
    score over `min_similarity_new`. A high detection that is left and scores at least `new_track_score` starts a
    track; it is confirmed when it is seen again in the next frame, and at once in the first frame of all.

    Of two tracks, one of them lost, that come to overlap by more than `duplicate_iou`, the younger is dropped.

    What differs from the authors' release, and why: time is in seconds, so the filter (`gocv.motion.AspectHeight`)
    takes steps of the time that passed, and a lost track is kept for `max_age_s`; low detections continue lost tracks
    too, as the paper's algorithm has it, where the release has only those of the frame before: whoever comes out from
    behind another is seen badly first.

    Args:
        high_score: Score from which a detection takes part in the first stage.
        min_score: Score below which a detection is ignored altogether.
        new_track_score: Score from which a detection may start a track.
        min_similarity: IoU times score above which a confirmed track and a high detection may be one.
        min_iou_low: IoU above which a confirmed track and a low detection may be one.
        min_similarity_new: IoU times score above which a new track and a high detection may be one.
        duplicate_iou: IoU above which a lost and a live track are one.
        max_age_s: Seconds for which a confirmed track is kept unseen.
        min_hits: Frames in a row, the first included, in which a track must be seen to be confirmed.
        rate_hz: Nominal frame rate at which the filter's noise is the paper's.

    Raises:
        ConfigError: A setting is out of range.
    """

    motion: BoxModel = AspectHeight()

    def __init__(
        self,
        *,
        high_score: float = 0.6,
        min_score: float = 0.1,
        new_track_score: float = 0.7,
        min_similarity: float = 0.1,
        min_iou_low: float = 0.5,
        min_similarity_new: float = 0.3,
        duplicate_iou: float = 0.85,
        max_age_s: float = 1.0,
        min_hits: int = 2,
        rate_hz: float = 30.0,
    ) -> None:
        check_settings(
            unit("high_score", high_score),
            unit("new_track_score", new_track_score),
            fraction("min_similarity", min_similarity),
            fraction("min_iou_low", min_iou_low),
            fraction("min_similarity_new", min_similarity_new),
            unit("duplicate_iou", duplicate_iou),
        )
        self.high_score, self.new_track_score = high_score, new_track_score
        self.min_similarity, self.min_iou_low = min_similarity, min_iou_low
        self.min_similarity_new, self.duplicate_iou = min_similarity_new, duplicate_iou
        super().__init__(min_score=min_score, min_hits=min_hits, max_age_s=max_age_s, rate_hz=rate_hz)

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        super().reset()
        self._before_s = -np.inf
        self._first = True

    def _attributes(self) -> dict[str, int]:
        return {"born_s": 1}

    def _predict(self, frames: float) -> None:
        """Predict; a track that is lost keeps its size, as in the authors' release."""
        lost = self._table["seen_s"] < self._before_s
        if lost.any():
            self._states()[1, self._growing][..., lost] = 0.0
        super()._predict(frames)

    _growing: slice | int = 3
    """Which coordinates of the state are sizes that a lost track does not change."""

    def _associate(self, seen: Seen, time_s: float) -> Pairing:
        pairing = Pairing(len(self._table), len(seen.row))
        pairs = self._overlaps(seen)
        confirmed = self._table["id"] > 0
        high = seen.score >= np.float32(self.high_score)
        scored = pairs.iou * seen.score.take(pairs.col)
        gain = self._similarity(seen, pairs, scored) - self.min_similarity
        pairing.stage(pairs.row, pairs.col, gain, tracks=confirmed, seen=high)
        if not high.all():
            pairing.stage(pairs.row, pairs.col, pairs.iou - self.min_iou_low, tracks=confirmed, seen=~high)
        if not confirmed.all():
            pairing.stage(pairs.row, pairs.col, scored - self.min_similarity_new, tracks=~confirmed, seen=high)
        return pairing

    def _similarity(self, seen: Seen, pairs: Overlaps, scored: Float64) -> Float64:
        """(k,) of the first stage; `scored` is IoU times score."""
        return scored

    def _births(self, seen: Seen, pairing: Pairing) -> Bool:
        return pairing.seen_free & (seen.score >= np.float32(max(self.new_track_score, self.high_score)))

    def _born(self, seen: Seen, born: Int64, time_s: float) -> dict[str, Float64 | float]:
        return {"born_s": time_s, "hits": float(self.min_hits) if self._first else 1.0}

    def _alive(self, pairing: Pairing, boxes: Float64, time_s: float) -> Bool:
        alive = super()._alive(pairing, boxes, time_s)
        self._before_s, self._first = time_s - CLOCK_SLACK, False
        seen_now = self._table["seen_s"] >= self._before_s
        lost, live = (alive & ~seen_now).nonzero()[0], (alive & seen_now).nonzero()[0]
        if not len(lost) or not len(live):
            return alive
        one, other, iou = overlapping_pairs(boxes.take(lost, axis=0), boxes.take(live, axis=0))
        twins = (iou > self.duplicate_iou).nonzero()[0]
        if not len(twins):
            return alive
        one, other = lost[one[twins]], live[other[twins]]
        same = self._table["label"][one] == self._table["label"][other]
        life = self._table["seen_s"] - self._table["born_s"]
        alive[np.where(life[one] > life[other], other, one)[same]] = False
        return alive
