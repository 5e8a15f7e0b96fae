"""What can be set and said before cameras are calibrated from walkers."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model
from gocv.multicamera.calibration.body import BodyName


class WalkerSettings(Model):
    """How to calibrate from walkers, and what is known of them and of the store.

    Attributes:
        body: "person" for a detector's boxes around people, "rectangle" for labels drawn as upright rectangles of one
            height over a place on the floor.
        height_m: Mean height of those who walk, shoes and hair included; it gives the scale.
        height_sd_m: How much people differ in height.
        known_heights_m: Heights of the walkers, in any order, where they are known: each person found is given the
            nearest of them.
        known_height_sd_m: How surely.
        camera_heights_m: Heights of cameras over the floor where they are known, by name.
        distances_m: Known distances between cameras: (camera, camera, metres).
        measured_sd_m: How surely the two above are known.
        window_s: From one moment to the next.
        edge_share: A box is cut off if it comes as near to the picture's edge as this share of its height.
        gates: How near two cameras' places must be for one person, round by round, as a share of what the start allows.
        most_boxes: At most so many boxes go into the adjustment.
    """

    body: BodyName = "person"
    height_m: float = Field(default=1.72, gt=0.5, lt=2.5)
    height_sd_m: float = Field(default=0.08, gt=0)
    known_heights_m: tuple[float, ...] = ()
    known_height_sd_m: float = Field(default=0.01, gt=0)
    camera_heights_m: dict[str, float] = Field(default_factory=dict)
    distances_m: tuple[tuple[str, str, float], ...] = ()
    measured_sd_m: float = Field(default=0.02, gt=0)
    window_s: float = Field(default=0.5, gt=0)
    edge_share: float = Field(default=0.05, ge=0)
    gates: tuple[float, ...] = (1.0, 0.8, 0.6, 0.5)
    most_boxes: int = Field(default=8_000, gt=100)
