"""SORT over real time: boxes followed by a Kalman filter and matched by overlap."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from gocv.assign import Assignment, gated_assignment
from gocv.core import ConfigError, DataError, Detections, Embeddings, Tracks
from gocv.geometry import iou
from gocv.motion import BoxFilter

_CLOCK_SLACK_S = 1e-6
"""Frame times are sums and products of fractions of a second: a track is not dropped for their rounding."""


@dataclasses.dataclass(slots=True)
class _Track:
    motion: BoxFilter
    label: int
    seen_s: float
    hits: int = 1
    track_id: int = -1


class SortTracker:
    """Bewley et al., "Simple Online and Realtime Tracking", 2016 (arXiv:1602.00763), with time in seconds.

    Each track's box is predicted over the time that really passed (`gocv.motion.BoxFilter`) and matched to the
    detections of the same class by IoU, so that the sum of (IoU - min_iou) is greatest. A detection that is left over
    and scores at least `new_track_score` starts a track. A new track that goes unmatched is dropped; one that is seen
    in `min_hits` frames in a row is confirmed and gets an id: 1, 2, 3, … in order of confirmation, within this
    instance. A confirmed track is kept through `max_age_s` without a match.

    What differs from the authors' release, and why: a confirmed track that was hidden is reported at once when it is
    seen again, not after `min_hits` more frames, because a gap at a shelf is where identity matters; tracks
    in the very first frames need confirmation too, because a recording may start anywhere; and a left-over detection
    that overlaps a matched one by more than `min_iou` starts no track, because a detector often gives a person with
    an outstretched arm two boxes, and the second would take the identity over.

    Times:
        A gap longer than `max_age_s` ends every track, as would that much time without detections.
        The same time again is the same frame again: its rows get the ids that they match, and nothing is learnt
        from it, neither tracks nor positions.
        A time before the last one is an error: it would run the filters backward. `reset` starts anew.

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

    needs: frozenset[str] = frozenset()

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
        for key, value, right, expected in (
            ("min_iou", min_iou, 0 <= min_iou < 1, "0 to below 1"),
            ("max_age_s", max_age_s, 0 <= max_age_s < math.inf, "at least 0 s"),
            ("min_hits", min_hits, min_hits >= 1, "at least 1"),
            ("new_track_score", new_track_score, 0 <= new_track_score <= 1, "0 to 1"),
            ("min_score", min_score, 0 <= min_score <= 1, "0 to 1"),
            ("rate_hz", rate_hz, 0 < rate_hz < math.inf, "above 0 Hz"),
        ):
            if not right:
                raise ConfigError(f"is {value}", key=key, expected=expected)
        self.min_iou, self.max_age_s, self.min_hits = min_iou, max_age_s, min_hits
        self.new_track_score, self.min_score, self.rate_hz = new_track_score, min_score, rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        self._tracks: list[_Track] = []
        self._last_id = 0
        self._time_s: float | None = None

    def update(self, detections: Detections, *, time_s: float, embeddings: Embeddings | None = None) -> Tracks:
        """Give the detections of the frame taken at `time_s` identities.

        Args:
            detections: Of one frame. Boxes without area are ignored, as are scores under `min_score`.
            time_s: Seconds on the recording's clock, not before those of the call before.
            embeddings: Not used.

        Returns:
            A row for every row of `detections`, in order: the filtered box and the id where the track is confirmed,
            else the detection's own box and -1.

        Raises:
            DataError: `time_s` is not finite or before the last one; the tracker is as it was before the call.
        """
        elapsed_s = self._elapsed(time_s)
        usable = _usable(detections) & (detections.score >= self.min_score)
        rows = np.flatnonzero(usable)
        again = self._time_s == time_s
        if not again:
            self._advance(elapsed_s, time_s)
        match = self._match(detections, rows)
        track_of = {int(rows[d]): self._tracks[t] for t, d in match.pairs}
        if not again:
            born = self._born(detections, rows[match.unmatched_cols], list(track_of), time_s)
            self._learn(detections, track_of, match.unmatched_rows, time_s)
            self._tracks += born.values()
            self._confirm()
            track_of |= born
        return _tracks(detections, track_of)

    def _elapsed(self, time_s: float) -> float:
        if not math.isfinite(time_s):
            raise DataError(f"the time of a frame is {time_s}", key="time_s", expected="finite seconds")
        if self._time_s is None:
            return 0.0
        if time_s < self._time_s:
            raise DataError(
                f"time runs backward from {self._time_s} s to {time_s} s",
                key="time_s",
                expected="frames in order of time, or reset() before another recording",
            )
        return time_s - self._time_s

    def _advance(self, elapsed_s: float, time_s: float) -> None:
        """Drop the tracks that are too old at `time_s` and predict the others to it."""
        self._time_s = time_s
        self._tracks = [t for t in self._tracks if time_s - t.seen_s <= self.max_age_s + _CLOCK_SLACK_S]
        for track in self._tracks:
            track.motion.predict(elapsed_s)

    def _match(self, detections: Detections, rows: NDArray[np.int64]) -> Assignment:
        """Tracks (rows of the assignment) to the detections at `rows` (its columns)."""
        predicted = np.array([t.motion.xyxy for t in self._tracks]).reshape(-1, 4)
        label = np.array([t.label for t in self._tracks], np.int64)
        cost = 1.0 - iou(predicted, detections.xyxy[rows])
        other_class = label[:, None] != detections.label[rows][None, :]
        return gated_assignment(np.where(other_class, np.inf, cost), gate=1.0 - self.min_iou)

    def _learn(
        self, detections: Detections, track_of: dict[int, _Track], missed: NDArray[np.int64], time_s: float
    ) -> None:
        """Correct the tracks by the detections they matched; those in `missed` go unless they are confirmed."""
        for row, track in track_of.items():
            track.motion.update(detections.xyxy[row])
            track.seen_s = time_s
            track.hits += 1
        unseen = set(missed.tolist())
        self._tracks = [t for i, t in enumerate(self._tracks) if t.track_id > 0 or i not in unseen]

    def _born(
        self, detections: Detections, rows: NDArray[np.int64], matched: list[int], time_s: float
    ) -> dict[int, _Track]:
        """New tracks by the row of the detection that starts each; one that doubles a matched detection starts none."""
        same_class = detections.label[rows][:, None] == detections.label[matched][None, :]
        overlap = iou(detections.xyxy[rows], detections.xyxy[matched])
        double = ((overlap > self.min_iou) & same_class).any(axis=1)
        return {
            int(row): _Track(BoxFilter(detections.xyxy[row], rate_hz=self.rate_hz), int(detections.label[row]), time_s)
            for row in rows[~double]
            if detections.score[row] >= self.new_track_score
        }

    def _confirm(self) -> None:
        for track in self._tracks:
            if track.track_id < 0 and track.hits >= self.min_hits:
                self._last_id += 1
                track.track_id = self._last_id


def _tracks(detections: Detections, track_of: dict[int, _Track]) -> Tracks:
    xyxy, track_id = detections.xyxy.copy(), np.full(len(detections), -1, np.int64)
    for row, track in track_of.items():
        if track.track_id > 0:
            xyxy[row], track_id[row] = track.motion.xyxy, track.track_id
    return Tracks(xyxy, detections.score, track_id, np.arange(len(detections)))


def _usable(detections: Detections) -> NDArray[np.bool_]:
    """(n,) whether a box is finite and has an area."""
    left, top, right, bottom = detections.xyxy.T
    usable: NDArray[np.bool_] = np.isfinite(detections.xyxy).all(axis=1) & (right > left) & (bottom > top)
    return usable
