"""What all online trackers share: time, rows, births and deaths, over one table of tracks."""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.core import ConfigError, DataError, Detections, Embeddings, Tracks
from gocv.geometry import Overlaps, overlapping_pairs
from gocv.motion import BoxModel
from gocv.track.table import TrackTable

Bool = NDArray[np.bool_]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

CLOCK_SLACK = 1e-6
"""Frame times are sums and products of fractions of a second: nothing hangs on their rounding (s, or frames)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """The usable detections of a frame.

    Attributes:
        row: (k,) int64, the row of the detections each came from.
        xyxy: (k, 4) float64, pixels.
        score: (k,) float64.
        label: (k,) int64.
        measured: (4, k) float64, the boxes in the coordinates of the tracker's motion model.
        vector: (k, D) float32 appearance, or None where the tracker was given none.
    """

    row: Int64
    xyxy: Float64
    score: Float64
    label: Int64
    measured: Float64
    vector: NDArray[np.float32] | None = None


class Pairing:
    """Which track each detection belongs to, found in stages: what an earlier stage paired is taken.

    Attributes:
        track: (k,) int64, the column of each detection's track in the table; -1 where it has none.
        track_free: (n,) bool, tracks that no stage has paired yet.
        seen_free: (k,) bool, detections that no stage has paired yet.
    """

    __slots__ = ("seen_free", "track", "track_free")

    def __init__(self, tracks: int, seen: int) -> None:
        self.track: Int64 = np.full(seen, -1, np.int64)
        self.track_free: Bool = np.ones(tracks, np.bool_)
        self.seen_free: Bool = np.ones(seen, np.bool_)

    def stage(
        self, row: Int64, col: Int64, gain: Float64, *, tracks: Bool | None = None, seen: Bool | None = None
    ) -> None:
        """Pair tracks and detections that are free so that the sum of gains is greatest.

        Args:
            row: (p,) tracks of the candidate pairs.
            col: (p,) detections of the candidate pairs.
            gain: (p,) worth of each; only what is above 0 is paired.
            tracks: (n,) the tracks that take part; all unless given.
            seen: (k,) the detections that take part; all unless given.
        """
        track_free = self.track_free if tracks is None else self.track_free & tracks
        seen_free = self.seen_free if seen is None else self.seen_free & seen
        open_pairs = gain > 0
        open_pairs &= track_free[row]
        open_pairs &= seen_free[col]
        which = open_pairs.nonzero()[0]
        if not len(which):
            return
        row, col = best_pairs(
            row.take(which), col.take(which), gain.take(which), (len(self.track_free), len(self.seen_free))
        )
        self.track[col] = row
        self.track_free[row] = False
        self.seen_free[col] = False


class OnlineTracker(abc.ABC):
    """Base of the trackers that predict, associate and correct frame by frame.

    Times:
        Elapsed time is real: a step of `frames = elapsed_s * rate_hz` nominal frames, whatever the frame rate was.
        A gap longer than `max_age_s` ends every track, as would that much time without detections.
        The same time again is the same frame again: its rows get the ids that they match, and nothing is learnt
        from it, neither tracks nor positions.
        A time before the last one is an error: it would run the filters backward. `reset` starts anew.

    Every row of the detections is a row of the result, in order: with the id and the filtered box of its track where
    that is confirmed, else with -1 and the detection's own box. Ids are 1, 2, 3, … in order of confirmation, within
    this instance. Classes do not mix.

    A subclass sets its motion model and settings, calls `super().__init__`, and says how detections are paired with
    tracks (`_associate`) and which of those left over start one (`_births`).
    """

    needs: frozenset[str] = frozenset()
    motion: BoxModel

    def __init__(self, *, min_score: float, min_hits: int, max_age_s: float, rate_hz: float) -> None:
        check_settings(
            ("max_age_s", max_age_s, 0 <= max_age_s < math.inf, "at least 0 s"),
            ("min_hits", min_hits, min_hits >= 1, "at least 1"),
            ("rate_hz", rate_hz, 0 < rate_hz < math.inf, "above 0 Hz"),
            unit("min_score", min_score),
        )
        self.min_score, self.min_hits = min_score, min_hits
        self.max_age_s, self.rate_hz = max_age_s, rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget every track; ids start again at 1."""
        self._table = TrackTable(
            {"state": 20, "id": 1, "label": 1, "hits": 1, "seen_s": 1, "score": 1} | dict(self._attributes())
        )
        self._last_id = 0
        self._time_s: float | None = None

    def update(self, detections: Detections, *, time_s: float, embeddings: Embeddings | None = None) -> Tracks:
        """Give the detections of the frame taken at `time_s` identities.

        Args:
            detections: Of one frame. Boxes that are not finite or have no area are ignored, as are scores under
                `min_score`.
            time_s: Seconds on the recording's clock, not before those of the call before.
            embeddings: Appearance of the detections, for trackers whose `needs` name it.

        Returns:
            A row for every row of `detections`, in order.

        Raises:
            DataError: `time_s` is not finite or before the last one, or embeddings are needed and missing or of another
                length than before; the tracker is as it was before the call.
        """
        elapsed_s = self._elapsed(time_s)
        seen = self._seen(detections, embeddings)
        if self._time_s == time_s:
            track = self._associate(seen, time_s).track
            return self._tracks(detections, seen, track, self.motion.boxes(self._states()))
        if self._time_s is not None:
            self._table.keep(time_s - self._table["seen_s"] <= self.max_age_s + CLOCK_SLACK)
        self._time_s = time_s
        if len(self._table):
            self._predict(elapsed_s * self.rate_hz)
        pairing = self._associate(seen, time_s)
        self._correct(seen, pairing, time_s)
        self._start(seen, pairing, time_s)
        self._confirm(pairing)
        boxes = self.motion.boxes(self._states())
        tracks = self._tracks(detections, seen, pairing.track, boxes)
        self._table.keep(self._alive(pairing, boxes, time_s))
        return tracks

    @abc.abstractmethod
    def _associate(self, seen: Seen, time_s: float) -> Pairing:
        """Pair the detections with the tracks of the table, and change neither."""

    @abc.abstractmethod
    def _births(self, seen: Seen, pairing: Pairing) -> Bool:
        """(k,) which detections start a track, of those that are free."""

    def _attributes(self) -> Mapping[str, int]:
        """Attributes of a track beside those that all have, with their widths."""
        return {}

    def _predict(self, frames: float) -> None:
        self._table["state"] = self.motion.predict(self._states(), frames).reshape(20, -1)

    def _learn(self, seen: Seen, which: Int64, track: Int64, time_s: float) -> None:
        """Correct the states of the tracks `track` by the detections `which`."""
        corrected = self.motion.correct(self._states().take(track, axis=2), seen.measured.take(which, axis=1))
        self._table["state"][:, track] = corrected.reshape(20, -1)

    def _correct(self, seen: Seen, pairing: Pairing, time_s: float) -> None:
        which = (pairing.track >= 0).nonzero()[0]
        if not len(which):
            return
        track = pairing.track[which]
        self._learn(seen, which, track, time_s)
        self._table["seen_s"][track] = time_s
        self._table["score"][track] = seen.score[which]
        self._table["hits"][track] += 1

    def _start(self, seen: Seen, pairing: Pairing, time_s: float) -> None:
        """Append new tracks; detections that start one are paired with it."""
        born = self._births(seen, pairing).nonzero()[0]
        if not len(born):
            return
        pairing.track[born] = np.arange(len(self._table), len(self._table) + len(born))
        pairing.track_free = np.concatenate([pairing.track_free, np.zeros(len(born), np.bool_)])
        common: dict[str, Float64 | float] = {
            "state": self.motion.first(seen.measured[:, born]).reshape(20, -1),
            "id": -1.0,
            "label": seen.label[born].astype(np.float64),
            "hits": 1.0,
            "seen_s": time_s,
            "score": seen.score[born],
        }
        self._table.add(len(born), **{**common, **self._born(seen, born, time_s)})

    def _born(self, seen: Seen, born: Int64, time_s: float) -> Mapping[str, Float64 | float]:
        """Values of a subclass's own attributes for new tracks."""
        return {}

    def _confirm(self, pairing: Pairing) -> None:
        number = self._table["id"]
        new = number < 0
        new &= self._table["hits"] >= self.min_hits
        new &= ~pairing.track_free
        if new.any():
            count = int(new.sum())
            number[new] = np.arange(self._last_id + 1, self._last_id + count + 1)
            self._last_id += count

    def _alive(self, pairing: Pairing, boxes: Float64, time_s: float) -> Bool:
        """(n,) which tracks go on after this frame; one that goes unseen before it is confirmed does not.

        Args:
            pairing: Of this frame.
            boxes: (n, 4) of the tracks now.
            time_s: Of this frame.
        """
        alive: Bool = self._table["id"] > 0
        alive |= ~pairing.track_free
        return alive

    def _states(self) -> Float64:
        """(5, 4, n) view of all states."""
        return self._table["state"].reshape(5, 4, -1)

    def _overlaps(self, seen: Seen, boxes: Float64 | None = None) -> Overlaps:
        """Tracks (rows) and detections (columns) of one class that overlap; `boxes` are the tracks' unless given."""
        boxes = self.motion.boxes(self._states()) if boxes is None else boxes
        row, col, iou = overlapping_pairs(boxes, seen.xyxy)
        same = self._table["label"][row] == seen.label[col]
        return Overlaps(row, col, iou) if same.all() else Overlaps(row[same], col[same], iou[same])

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

    def _seen(self, detections: Detections, embeddings: Embeddings | None) -> Seen:
        xyxy = detections.xyxy.astype(np.float64)
        size = xyxy[:, 2:] - xyxy[:, :2]
        real = size > 0  # NaN compares false
        real &= size < np.inf
        usable = real[:, 0] & real[:, 1]
        usable &= detections.score >= np.float32(self.min_score)
        row = usable.nonzero()[0]
        if len(row) < len(xyxy):
            xyxy = xyxy.take(row, axis=0)
        score = detections.score[row].astype(np.float64)
        vector = self._vectors(row, len(detections), embeddings)
        return Seen(row, xyxy, score, detections.label[row], self.motion.measure(xyxy), vector)

    def _vectors(self, row: Int64, count: int, embeddings: Embeddings | None) -> NDArray[np.float32] | None:
        """(k, D) appearance of the detections `row`; None where the tracker does not look at it."""
        return None

    def _tracks(self, detections: Detections, seen: Seen, track: Int64, boxes: Float64) -> Tracks:
        count = len(detections)
        xyxy, track_id = detections.xyxy, np.full(count, -1, np.int64)
        known = (track >= 0).nonzero()[0]
        known = known[self._table["id"][track[known]] > 0]
        column, row = track[known], seen.row[known]
        track_id[row] = self._table["id"][column]
        xyxy = xyxy.copy()
        xyxy[row] = boxes.take(column, axis=0)
        return Tracks(xyxy, detections.score, track_id, np.arange(count))


def check_settings(*settings: tuple[str, float, bool, str]) -> None:
    """Raise ConfigError for the first (key, value, whether it is right, what would be right) that is not right."""
    for key, value, right, expected in settings:
        if not right:
            raise ConfigError(f"is {value}", key=key, expected=expected)


def unit(key: str, value: float) -> tuple[str, float, bool, str]:
    """A setting that lies in [0, 1]."""
    return key, value, 0 <= value <= 1, "0 to 1"


def fraction(key: str, value: float) -> tuple[str, float, bool, str]:
    """A setting that lies in [0, 1)."""
    return key, value, 0 <= value < 1, "0 to below 1"


def double(seen: Seen, rows: Iterable[int] | Int64, others: Iterable[int] | Int64, above: float) -> Bool:
    """(len(rows),) whether detections overlap one of the others of their class by more than `above`."""
    rows, others = np.asarray(rows, np.int64), np.asarray(others, np.int64)
    one, other, iou = overlapping_pairs(seen.xyxy[rows], seen.xyxy[others])
    hit = (iou > above) & (seen.label[rows[one]] == seen.label[others[other]])
    doubles = np.zeros(len(rows), np.bool_)
    doubles[one[hit]] = True
    return doubles
