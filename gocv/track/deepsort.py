"""DeepSORT in the way of StrongSORT: appearance and motion in one cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from gocv.core import Embeddings
from gocv.motion import AspectHeight, squared_distance
from gocv.track.appearance import smoothed, vectors_of
from gocv.track.online import Bool, Float64, Int64, OnlineTracker, Pairing, Seen, check_settings, fraction, unit

_GATE = float(chdtri(4, 0.05))
"""95 % quantile of chi-squared with four degrees of freedom, 9.4877."""


class DeepSortTracker(OnlineTracker):
    """Wojke et al. 2017 (arXiv:1703.07402) with the changes of Du et al., "StrongSORT", 2023 (arXiv:2202.13514).

    Confirmed tracks are paired with detections by the cost (1 - w) d + w m, d the cosine distance of appearances, m the
    squared Mahalanobis distance of boxes (`gocv.motion.squared_distance`) over its 95 % quantile, 9.4877, w
    `motion_weight` (StrongSORT eq. 4); pairs beyond that quantile or beyond `max_cosine_distance` are impossible
    (DeepSORT eq. 2 to 6). All tracks take part at once, without a cascade by age (StrongSORT §3.4). What is left of
    tracks seen in the frame before, and new tracks, are paired by IoU over `min_iou`. A track's appearance is a moving
    average with weight `momentum` (StrongSORT eq. 1), and a detection counts less where its score is low: the variance
    of its measurement is multiplied by 1 - score, but at least by 0.05 (NSA, StrongSORT eq. 2).

    Args:
        max_cosine_distance: Cosine distance below which a track and a detection may be one.
        motion_weight: Weight of the motion in the cost.
        momentum: Weight of the past in a track's appearance.
        min_iou: IoU above which what is left may be one.
        max_age_s: Seconds for which a confirmed track is kept unseen.
        min_hits: Frames in a row, the first included, in which a track must be seen to be confirmed.
        min_score: Score below which a detection is ignored altogether.
        rate_hz: Nominal frame rate at which the filter's noise is the paper's.

    Raises:
        ConfigError: A setting is out of range.
    """

    needs = frozenset({"embeddings"})
    motion = AspectHeight()

    def __init__(
        self,
        *,
        max_cosine_distance: float = 0.4,
        motion_weight: float = 0.02,
        momentum: float = 0.9,
        min_iou: float = 0.3,
        max_age_s: float = 3.0,
        min_hits: int = 3,
        min_score: float = 0.3,
        rate_hz: float = 30.0,
    ) -> None:
        check_settings(
            ("max_cosine_distance", max_cosine_distance, 0 < max_cosine_distance <= 2, "above 0, at most 2"),
            unit("motion_weight", motion_weight),
            fraction("momentum", momentum),
            fraction("min_iou", min_iou),
        )
        self.max_cosine_distance, self.motion_weight = max_cosine_distance, motion_weight
        self.momentum, self.min_iou = momentum, min_iou
        super().__init__(min_score=min_score, min_hits=min_hits, max_age_s=max_age_s, rate_hz=rate_hz)

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        super().reset()
        self._before_s = -np.inf

    def _vectors(self, row: Int64, count: int, embeddings: Embeddings | None) -> NDArray[np.float32] | None:
        return vectors_of(row, count, embeddings, self._table)

    def _associate(self, seen: Seen, time_s: float) -> Pairing:
        pairing = Pairing(len(self._table), len(seen.row))
        if not len(self._table) or not len(seen.row):
            return pairing
        confirmed = self._table["id"] > 0
        row, col, gain = self._alike(seen, confirmed)
        pairing.stage(row, col, gain)
        recent = ~confirmed | (self._table["seen_s"] >= self._before_s)
        row, col, iou = self._overlaps(seen)
        pairing.stage(row, col, iou - self.min_iou, tracks=recent)
        return pairing

    def _alike(self, seen: Seen, confirmed: Bool) -> tuple[Int64, Int64, Float64]:
        """Pairs of confirmed tracks and detections of one class that look alike near where they should be."""
        assert seen.vector is not None
        distance = 1.0 - self._table["appearance"].T @ seen.vector.T
        possible = distance < self.max_cosine_distance
        possible &= confirmed[:, None]
        possible &= self._table["label"][:, None] == seen.label
        row, col = np.nonzero(possible)
        states = self._states()[:, :, row]
        motion = squared_distance(states, seen.measured[:, col], self.motion.noise(states))
        near = motion < _GATE
        row, col, motion = row[near], col[near], motion[near]
        weight = self.motion_weight
        cost = (1 - weight) * distance[row, col] + weight * motion / _GATE
        # A pair of the greatest possible cost is still better than none.
        return row, col, (1 - weight) * self.max_cosine_distance + weight - cost

    def _learn(self, seen: Seen, which: Int64, track: Int64, time_s: float) -> None:
        scale = np.maximum(1.0 - seen.score[which], 0.05)
        corrected = self.motion.correct(self._states()[:, :, track], seen.measured[:, which], noise_scale=scale)
        self._table["state"][:, track] = corrected.reshape(20, -1)
        assert seen.vector is not None
        smoothed(self._table, track, seen.vector[which], self.momentum)

    def _births(self, seen: Seen, pairing: Pairing) -> Bool:
        return pairing.seen_free

    def _born(self, seen: Seen, born: Int64, time_s: float) -> dict[str, Float64 | float]:
        assert seen.vector is not None
        return {"appearance": seen.vector[born].T.astype(np.float64)}

    def _alive(self, pairing: Pairing, boxes: Float64, time_s: float) -> Bool:
        self._before_s = time_s
        return super()._alive(pairing, boxes, time_s)
