"""BoT-SORT over real time: ByteTrack with a filter of width and height, and appearance where there is any."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gocv.core import DataError, Embeddings
from gocv.geometry import Overlaps
from gocv.motion import WidthHeight
from gocv.track.appearance import cosine_similarity, smoothed, vectors_of
from gocv.track.bytetrack import ByteTracker
from gocv.track.online import Float64, Int64, Seen, check_settings, fraction, unit


class BotSortTracker(ByteTracker):
    """Aharon et al., "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022 (arXiv:2206.14651).

    ByteTrack's stages over a filter of width and height (`gocv.motion.WidthHeight`). Where embeddings are given, the
    similarity of the first stage is the greater of IoU times score and (1 + cosine) / 2, the latter only for pairs that
    overlap by more than `proximity_iou` and whose cosine is above `min_cosine` (§3.4, eq. 12 and 13). A track's
    appearance is the moving average of its detections' with weight `momentum` (eq. 11).

    The cameras of a store hang still. Where one moves, `move` takes its motion between two frames (§3.2).

    Args:
        with_appearance: Whether embeddings are needed. Without, `update` ignores them.
        proximity_iou: IoU above which appearance counts.
        min_cosine: Cosine of two appearances above which they count.
        momentum: Weight of the past in a track's appearance.
        high_score: As in ByteTracker, like all others.
        min_score: As in ByteTracker.
        new_track_score: As in ByteTracker.
        min_similarity: As in ByteTracker.
        min_iou_low: As in ByteTracker.
        min_similarity_new: As in ByteTracker.
        duplicate_iou: As in ByteTracker.
        max_age_s: As in ByteTracker.
        min_hits: As in ByteTracker.
        rate_hz: As in ByteTracker.

    Raises:
        ConfigError: A setting is out of range.
    """

    motion = WidthHeight()
    _growing = slice(2, 4)

    def __init__(
        self,
        *,
        with_appearance: bool = False,
        proximity_iou: float = 0.5,
        min_cosine: float = 0.5,
        momentum: float = 0.9,
        high_score: float = 0.6,
        min_score: float = 0.1,
        new_track_score: float = 0.7,
        min_similarity: float = 0.2,
        min_iou_low: float = 0.5,
        min_similarity_new: float = 0.3,
        duplicate_iou: float = 0.85,
        max_age_s: float = 1.0,
        min_hits: int = 2,
        rate_hz: float = 30.0,
    ) -> None:
        check_settings(
            fraction("proximity_iou", proximity_iou), unit("min_cosine", min_cosine), fraction("momentum", momentum)
        )
        self.with_appearance = with_appearance
        self.proximity_iou, self.min_cosine, self.momentum = proximity_iou, min_cosine, momentum
        self.needs = frozenset({"embeddings"} if with_appearance else ())
        super().__init__(
            high_score=high_score,
            min_score=min_score,
            new_track_score=new_track_score,
            min_similarity=min_similarity,
            min_iou_low=min_iou_low,
            min_similarity_new=min_similarity_new,
            duplicate_iou=duplicate_iou,
            max_age_s=max_age_s,
            min_hits=min_hits,
            rate_hz=rate_hz,
        )

    def move(self, image_T_before: ArrayLike) -> None:
        """Say how the camera moved since the last frame: every track's box and velocity move with the image.

        Args:
            image_T_before: (2, 3) affine transform of pixels of the last frame to pixels of the next. Sizes are scaled
                by it; covariances are left as they are.

        Raises:
            DataError: It is not a finite (2, 3).
        """
        affine = np.asarray(image_T_before, np.float64)
        if affine.shape != (2, 3) or not np.isfinite(affine).all():
            raise DataError(f"the camera's motion has shape {affine.shape}", expected="finite (2, 3)")
        states, turn = self._states(), affine[:, :2]
        scale = np.sqrt(abs(np.linalg.det(turn)))
        states[0, :2] = turn @ states[0, :2] + affine[:, 2:]
        states[1, :2] = turn @ states[1, :2]
        states[:2, 2:] *= scale

    def _vectors(self, row: Int64, count: int, embeddings: Embeddings | None) -> np.typing.NDArray[np.float32] | None:
        return vectors_of(row, count, embeddings, self._table) if self.with_appearance else None

    def _similarity(self, seen: Seen, pairs: Overlaps, scored: Float64) -> Float64:
        if seen.vector is None:
            return scored
        cosine = cosine_similarity(self._table, seen.vector, pairs.row, pairs.col)
        counts = (pairs.iou > self.proximity_iou) & (cosine > self.min_cosine)
        greater: Float64 = np.where(counts, np.maximum(scored, (1 + cosine) / 2), scored)
        return greater

    def _learn(self, seen: Seen, which: Int64, track: Int64, time_s: float) -> None:
        super()._learn(seen, which, track, time_s)
        if seen.vector is not None:
            high = seen.score[which] >= np.float32(self.high_score)
            smoothed(self._table, track[high], seen.vector[which[high]], self.momentum)

    def _born(self, seen: Seen, born: Int64, time_s: float) -> dict[str, Float64 | float]:
        values = super()._born(seen, born, time_s)
        return values if seen.vector is None else values | {"appearance": seen.vector[born].T.astype(np.float64)}
