"""Detections made elsewhere, or in an earlier run, replayed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gocv.core import ConfigError, Detections, Frame
from gocv.data.detections import read_detections


class RecordedDetections:
    """A detector that looks up what was found at a frame's time.

    Args:
        path: Parquet table with the columns `time_s`, `left_px`, `top_px`, `right_px`, `bottom_px`, `score` and `label`
            (see `gocv.data.detections`), times on the recording's clock.
        classes: The classes wanted.
        tolerance_s: How far a frame's time may lie from a recorded one. None: half the median step of the recorded
            times.

    Attributes:
        classes: The classes wanted; `Detections.label` indexes them.
        unmatched: Frames asked for so far that have no recorded time within the tolerance: they get no boxes, and a
            number like that of all frames means that the clocks differ.

    Raises:
        DataError: The table cannot be used.
        ConfigError: The tolerance is negative.
    """

    def __init__(
        self, path: str | Path, *, classes: Sequence[str] = ("person",), tolerance_s: float | None = None
    ) -> None:
        if tolerance_s is not None and not tolerance_s >= 0:
            raise ConfigError(f"is {tolerance_s}", key="tolerance_s", expected="at least 0 s")
        self._table = read_detections(path, classes)
        self.classes = self._table.classes
        self.unmatched = 0
        if tolerance_s is None:
            steps = np.diff(self._table.time_s)
            tolerance_s = float(np.median(steps)) / 2 if len(steps) else 0.05
        self._tolerance_s = tolerance_s

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What was recorded nearest to the time of each frame, within the tolerance; nothing where nothing was."""
        return [self._at(frame.time_s) for frame in frames]

    def _at(self, time_s: float) -> Detections:
        times = self._table.time_s
        after = int(np.searchsorted(times, time_s))
        near = [i for i in (after - 1, after) if 0 <= i < len(times)]
        best = min(near, key=lambda i: abs(times[i] - time_s), default=None)
        # Times are sums of fractions: exactly half a frame must not hang on their rounding.
        if best is None or abs(times[best] - time_s) > self._tolerance_s + 1e-9:
            self.unmatched += 1
            return Detections.empty()
        return self._table.detections(best)
