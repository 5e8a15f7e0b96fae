"""OC-SORT over real time: what was observed counts for more than what was predicted."""

from __future__ import annotations

import numpy as np

from gocv.geometry import overlapping_pairs
from gocv.motion import AreaAspect
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

_REMEMBERED = 3
"""Observations of a track that are kept."""


class OcSortTracker(OnlineTracker):
    """Cao et al., "Observation-Centric SORT", CVPR 2023 (arXiv:2203.14360).

    SORT with three changes. *Momentum* (OCM, §4.2): pairs gain more where the direction from an observation
    `direction_frames` back to the last one is that from there to the detection: eq. 5 with weight `direction_weight`.
    *Recovery* (OCR, §4.3): what is left is paired by the IoU of detections with the tracks' last observed boxes.
    *Re-update* (ORU, §4.1): when a lost track is seen again, its filter is taken back to its last observation and
    brought here along the straight line between both (eq. 4). Where `low_score` is given, detections that score less
    than `high_score` but not less than that are paired by IoU before recovery, as in ByteTrack.

    What differs from the authors' release, and why: time is in seconds; the virtual line of the re-update is walked in
    at most `virtual_steps` steps, longer ones where the gap is longer, since the filter takes steps of any length; a
    confirmed track is reported at once when it is seen again; and with the filter's box, which is nearer the truth than
    the detection's own on every sequence that was tried (docs/tracking.md).

    Args:
        high_score: Score from which a detection takes part in the first stage and may start a track.
        low_score: Score from which other detections may continue a track; None where they may not.
        min_iou: Overlap above which a track and a detection may be one.
        direction_weight: Weight of the direction; 0 is none.
        direction_frames: How many nominal frames back the direction starts.
        virtual_steps: Steps of the re-update.
        max_age_s: Seconds for which a confirmed track is kept unseen.
        min_hits: Frames in a row, the first included, in which a track must be seen to be confirmed.
        rate_hz: Nominal frame rate at which the filter's noise is the paper's.

    Raises:
        ConfigError: A setting is out of range.
    """

    motion = AreaAspect()

    def __init__(
        self,
        *,
        high_score: float = 0.6,
        low_score: float | None = 0.1,
        min_iou: float = 0.3,
        direction_weight: float = 0.2,
        direction_frames: int = 3,
        virtual_steps: int = 5,
        max_age_s: float = 1.0,
        min_hits: int = 3,
        rate_hz: float = 30.0,
    ) -> None:
        check_settings(
            unit("high_score", high_score),
            unit("low_score", 0.0 if low_score is None else low_score),
            fraction("min_iou", min_iou),
            ("direction_weight", direction_weight, 0 <= direction_weight < np.inf, "at least 0"),
            ("direction_frames", direction_frames, 1 <= direction_frames <= 100, "1 to 100"),
            ("virtual_steps", virtual_steps, virtual_steps >= 1, "at least 1"),
        )
        self.high_score, self.low_score, self.min_iou = high_score, low_score, min_iou
        self.direction_weight, self.direction_frames = direction_weight, direction_frames
        self.virtual_steps = virtual_steps
        lowest = high_score if low_score is None else min(high_score, low_score)
        super().__init__(min_score=lowest, min_hits=min_hits, max_age_s=max_age_s, rate_hz=rate_hz)

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        super().reset()
        self._before_s = -np.inf

    def _attributes(self) -> dict[str, int]:
        centres = {f"centre_{i}": 2 for i in range(_REMEMBERED)} | {f"time_{i}": 1 for i in range(_REMEMBERED)}
        return {"observed": 4, "observed_state": 20, "direction": 2} | centres

    def _associate(self, seen: Seen, time_s: float) -> Pairing:
        pairing = Pairing(len(self._table), len(seen.row))
        high = seen.score >= np.float32(self.high_score)
        row, col, iou = self._overlaps(seen)
        gain = iou - self.min_iou
        promising = gain > 0
        row, col, gain = row[promising], col[promising], gain[promising]
        pairing.stage(row, col, gain + self._consistency(seen, row, col, time_s), seen=high)
        if not high.all():
            pairing.stage(row, col, gain, seen=~high)
        if pairing.track_free.any() and pairing.seen_free.any():
            self._recover(seen, pairing, high)
        return pairing

    def _consistency(self, seen: Seen, row: Int64, col: Int64, time_s: float) -> Float64:
        """(p,) gain of going on in the same direction, in [-weight, weight] / 2 times the score (eq. 5)."""
        start = self._earlier(time_s)[:, row]
        way = seen.measured[:2, col] - start
        length = np.sqrt(way[0] ** 2 + way[1] ** 2) + 1e-6
        direction = self._table["direction"][:, row]
        cosine = (way[0] * direction[0] + way[1] * direction[1]) / length
        turn = np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))
        moving = (direction[0] != 0) | (direction[1] != 0)
        gain: Float64 = moving * (0.5 - turn / np.pi) * (self.direction_weight * seen.score[col])
        return gain

    def _earlier(self, time_s: float) -> Float64:
        """(2, n) centres of the oldest observations not more than `direction_frames` back; else of the last ones."""
        oldest_s = time_s - self.direction_frames / self.rate_hz - CLOCK_SLACK
        centre = self._table["centre_0"].copy()
        for i in range(1, _REMEMBERED):
            known = self._table[f"time_{i}"] >= oldest_s
            centre[:, known] = self._table[f"centre_{i}"][:, known]
        return centre

    def _recover(self, seen: Seen, pairing: Pairing, high: Bool) -> None:
        """Pair what is left by the last observed boxes."""
        tracks, rows = np.flatnonzero(pairing.track_free), np.flatnonzero(pairing.seen_free & high)
        one, other, iou = overlapping_pairs(self._table["observed"][:, tracks].T, seen.xyxy[rows])
        row, col = tracks[one], rows[other]
        same = self._table["label"][row] == seen.label[col]
        pairing.stage(row[same], col[same], iou[same] - self.min_iou)

    def _learn(self, seen: Seen, which: Int64, track: Int64, time_s: float) -> None:
        self._update_again(seen, which, track, time_s)
        super()._learn(seen, which, track, time_s)
        self._observe(track, seen.xyxy[which], seen.measured[:2, which], time_s)

    def _update_again(self, seen: Seen, which: Int64, track: Int64, time_s: float) -> None:
        """Take the states of tracks that were lost back to their last observation, and bring them to this frame."""
        lost = self._table["seen_s"][track] < self._before_s
        if not lost.any():
            return
        which, track = which[lost], track[lost]
        gap = (time_s - self._table["seen_s"][track]) * self.rate_hz
        steps = np.clip(np.rint(gap), 1, self.virtual_steps)
        state = self._table["observed_state"][:, track].reshape(5, 4, -1)
        first, last = self._table["observed"][:, track].T, seen.xyxy[which]
        for step in range(1, int(steps.max()) + 1):
            walking = np.flatnonzero(steps >= step)
            moved = self.motion.predict(state[:, :, walking], gap[walking] / steps[walking])
            arriving = steps[walking] == step
            share = (step / steps[walking])[:, None]
            boxes = (1 - share) * first[walking] + share * last[walking]
            seen_there = self.motion.correct(moved, self.motion.measure(boxes))
            state[:, :, walking] = np.where(arriving, moved, seen_there)
        self._table["state"][:, track] = state.reshape(20, -1)

    def _observe(self, track: Int64, boxes: Float64, centre: Float64, time_s: float) -> None:
        table = self._table
        way = centre - self._earlier(time_s)[:, track]
        table["direction"][:, track] = way / (np.sqrt(way[0] ** 2 + way[1] ** 2) + 1e-6)
        for i in range(_REMEMBERED - 1, 0, -1):
            table[f"centre_{i}"][:, track] = table[f"centre_{i - 1}"][:, track]
            table[f"time_{i}"][track] = table[f"time_{i - 1}"][track]
        table["centre_0"][:, track], table["time_0"][track] = centre, time_s
        table["observed"][:, track] = boxes.T
        table["observed_state"][:, track] = table["state"][:, track]

    def _births(self, seen: Seen, pairing: Pairing) -> Bool:
        return pairing.seen_free & (seen.score >= np.float32(self.high_score))

    def _born(self, seen: Seen, born: Int64, time_s: float) -> dict[str, Float64 | float]:
        values: dict[str, Float64 | float] = {f"time_{i}": -np.inf for i in range(1, _REMEMBERED)}
        values["observed"] = seen.xyxy[born].T
        values["observed_state"] = self.motion.first(seen.measured[:, born]).reshape(20, -1)
        values["centre_0"], values["time_0"] = seen.measured[:2, born], time_s
        return values

    def _alive(self, pairing: Pairing, boxes: Float64, time_s: float) -> Bool:
        self._before_s = time_s
        return super()._alive(pairing, boxes, time_s)
