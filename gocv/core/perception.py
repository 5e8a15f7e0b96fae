"""What the cameras give: frames, detections, poses, embeddings, tracks, shoppers on the floor."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core.errors import DataError
from gocv.core.rows import Rows, column

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

JOINTS = ("head", "neck", "l_shoulder", "r_shoulder", "l_elbow", "r_elbow", "l_wrist", "r_wrist")
"""The body joints of a recording, in the order of the K axis of `FloorTracks.joints_m`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera.

    Attributes:
        image: (H, W, 3) uint8, RGB.
        camera: Name of the camera.
        time_s: Seconds on the recording's clock.
        index: Position of the frame in its video, 0-based.
    """

    image: NDArray[np.uint8]
    camera: str
    time_s: float
    index: int


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Detections(Rows):
    """Boxes found in one frame.

    Attributes:
        xyxy: (n, 4) float32, left, top, right, bottom in pixels of the frame as recorded.
        score: (n,) float32 in [0, 1].
        label: (n,) int64, index into the detector's `classes`.
    """

    xyxy: Float32 = column(np.float32, 4)
    score: Float32 = column(np.float32)
    label: Int64 = column(np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Poses(Rows):
    """Keypoints of people in one frame.

    Attributes:
        keypoints_px: (n, K, 2) float32, x and y in pixels; NaN where a keypoint is not seen.
        score: (n, K) float32 in [0, 1].
    """

    keypoints_px: Float32 = column(np.float32, None, 2)
    score: Float32 = column(np.float32, None)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HandLooks(Rows):
    """What hands looked like: a row for each picture of a hand, several cameras at one moment being several rows.

    Attributes:
        shoppers: Names; `shopper` indexes them.
        cameras: Names; `camera` indexes them.
        time_s: (n,) float64, seconds on the recording's clock.
        shopper: (n,) int64, index into `shoppers`.
        hand: (n,) int64, 0 the left one, 1 the right one.
        camera: (n,) int64, index into `cameras`.
        side_px: (n,) float32, side of the square that was cut out, in pixels of the frame.
        holds: (n,) float32 in [0, 1], probability that there is something in the hand.
        vector: (n, D) float32, L2-normalised appearance of what is in it, whether or not there is anything.
    """

    shoppers: tuple[str, ...]
    cameras: tuple[str, ...]
    time_s: Float64 = column(np.float64)
    shopper: Int64 = column(np.int64)
    hand: Int64 = column(np.int64)
    camera: Int64 = column(np.int64)
    side_px: Float32 = column(np.float32)
    holds: Float32 = column(np.float32)
    vector: Float32 = column(np.float32, None)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Embeddings(Rows):
    """Appearance vectors, a row per detection.

    Attributes:
        vector: (n, D) float32, L2-normalised.
        row: (n,) int64, the row of the detections each belongs to.
    """

    vector: Float32 = column(np.float32, None)
    row: Int64 = column(np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Tracks(Rows):
    """One frame's detections with identities: a row per detection handed in, in its order.

    Attributes:
        xyxy: (n, 4) float32, the filtered box in pixels, or the detection's own where it has no track.
        score: (n,) float32, the detection's score.
        track_id: (n,) int64, positive within one tracker instance; -1 where the detection has no confirmed track.
        row: (n,) int64, the row of the detections it came from.
    """

    xyxy: Float32 = column(np.float32, 4)
    score: Float32 = column(np.float32)
    track_id: Int64 = column(np.int64)
    row: Int64 = column(np.int64)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FloorTracks(Rows):
    """Shoppers over time, in the store's frame (metres, z up, floor at z = 0).

    Attributes:
        shoppers: Names; `shopper` indexes them.
        time_s: (n,) float64, seconds on the recording's clock.
        shopper: (n,) int64, index into `shoppers`.
        xy_m: (n, 2) float64, where the shopper stands; NaN where cameras are uncalibrated.
        covariance_m2: (n, 2, 2) float64 of `xy_m`; NaN where that is.
        joints_m: (n, 8, 3) float64 in the order of `JOINTS`; NaN where a joint is not known.
        joint_score: (n, 8) float64 in [0, 1]; 0 where a joint is not known.
    """

    shoppers: tuple[str, ...]
    time_s: Float64 = column(np.float64)
    shopper: Int64 = column(np.int64)
    xy_m: Float64 = column(np.float64, 2)
    covariance_m2: Float64 = column(np.float64, 2, 2)
    joints_m: Float64 = column(np.float64, len(JOINTS), 3)
    joint_score: Float64 = column(np.float64, len(JOINTS))

    def __post_init__(self) -> None:
        Rows.__post_init__(self)
        if len(self) and (self.shopper.min() < 0 or self.shopper.max() >= len(self.shoppers)):
            raise DataError("FloorTracks.shopper names a shopper that is not listed", expected="an index into shoppers")

    @classmethod
    def sightings(cls, shoppers: tuple[str, ...], time_s: Any, shopper: Any, **columns: Any) -> FloorTracks:
        """Rows that know when a shopper was seen, and of the other columns what is given; the rest is NaN."""
        n = len(time_s)
        unknown: dict[str, Any] = {
            "xy_m": np.full((n, 2), np.nan),
            "covariance_m2": np.full((n, 2, 2), np.nan),
            "joints_m": np.full((n, len(JOINTS), 3), np.nan),
            "joint_score": np.zeros((n, len(JOINTS))),
        }
        return cls(shoppers, time_s=time_s, shopper=shopper, **{**unknown, **columns})
