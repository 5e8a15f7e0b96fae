"""What a data set of many cameras holds, whatever form it came in."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import Rows, column
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FloorTruth(Rows):
    """Who really stood where, a row per person and labelled moment, in order of time.

    Attributes:
        time_s: (n,) float64, seconds on the scene's clock.
        person: (n,) int64, the same number for the same person, at most once at a time.
        xy_m: (n, 2) float64, metres in the scene's frame.
    """

    time_s: NDArray[np.float64] = column(np.float64)
    person: NDArray[np.int64] = column(np.int64)
    xy_m: NDArray[np.float64] = column(np.float64, 2)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class MultiviewScene:
    """One place, several cameras, one clock, one floor (metres, z up, floor at z = 0).

    Attributes:
        name: What it is called.
        cameras: The cameras by name; None where one is not calibrated.
        labels: Labelled boxes of each camera that has some; `track_id` is the person, the same number in every camera.
            Frames in which nobody was labelled are there with no boxes.
        detections: What a detector found, of each camera for which that was recorded; `track_id` is -1.
        truth: Who stood where; no rows where that is not known.
        area_m: (k, 2) polygon of the floor inside which everybody is labelled, or None where no such area is stated.
        notes: What was left out or repaired on reading.
    """

    name: str
    cameras: Mapping[str, PinholeCamera | None]
    labels: Mapping[str, DetectionTable]
    detections: Mapping[str, DetectionTable]
    truth: FloorTruth
    area_m: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()
