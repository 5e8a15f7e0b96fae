"""What each camera saw, and who of it is whom: the input and the output of association."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import FloorTracks
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CameraView:
    """Everything that one camera saw.

    Attributes:
        camera: Its name.
        calibration: Where it is and how it sees, or None.
        seen: Boxes of people frame by frame, frames without any included; `track_id` is the camera's own tracker's
            (-1: none), and is believed only as far as the settings say.
        vector: (n, D) float32 L2-normalised appearance of each box, NaN rows where there is none; or None.
    """

    camera: str
    calibration: PinholeCamera | None
    seen: DetectionTable
    vector: NDArray[np.float32] | None = None

    def between(self, from_s: float, until_s: float) -> tuple[CameraView, int]:
        """What it saw from a time on and before another; and how many boxes it had seen before."""
        seen = self.seen
        begin, end = np.searchsorted(seen.time_s, [from_s, until_s]).tolist()
        first, last = int(seen.first_row[begin]), int(seen.first_row[end])
        part = dataclasses.replace(
            seen,
            frame=seen.frame[begin:end],
            time_s=seen.time_s[begin:end],
            first_row=seen.first_row[begin : end + 1] - first,
            boxes=seen.boxes[first:last],
            track_id=seen.track_id[first:last],
        )
        vector = None if self.vector is None else self.vector[first:last]
        return dataclasses.replace(self, seen=part, vector=vector), first


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Association:
    """Shoppers on the floor, and which box of which camera was whom.

    Attributes:
        shoppers: A row per shopper and moment, in order of time.
        who: Of each camera, (n,) int64: index into `shoppers.shoppers` for each row of its boxes, -1 for nobody.
        report: What was broken and what was done about it: `where` and `problem`.
    """

    shoppers: FloorTracks
    who: Mapping[str, NDArray[np.int64]]
    report: tuple[Mapping[str, str], ...] = ()
