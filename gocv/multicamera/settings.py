"""The settings of association."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model


class BoxSettings(Model):
    """How the boxes of a detector err, and how tall people are.

    Attributes:
        sd_px: Standard deviation of a box's edge, at least.
        sd_share: The same as a share of the box's height, where that is more.
        height_m: Of people, on average.
        height_sd_m: Standard deviation of people's heights.
        edge_px: A box this near to the picture's edge is cut off there.
        agree_sd: Feet and head that are further apart than this many standard deviations contradict each other.
        bias_m: Standard deviation of what is wrong for long: calibration, the way a detector draws.
        worst_m: A place that is less certain than this is none.
    """

    sd_px: float = Field(default=3.0, gt=0)
    sd_share: float = Field(default=0.04, ge=0)
    height_m: float = Field(default=1.7, gt=0)
    height_sd_m: float = Field(default=0.1, gt=0)
    edge_px: float = Field(default=3.0, ge=0)
    agree_sd: float = Field(default=3.0, gt=0)
    bias_m: float = Field(default=0.05, ge=0)
    worst_m: float = Field(default=3.0, gt=0)


class AssociationSettings(Model):
    """How boxes of many cameras become shoppers.

    Attributes:
        boxes: How boxes err.
        gate_sd: A box further from a shopper than this many standard deviations is not theirs.
        strangers_per_m2: Boxes to a square metre and frame that belong to nobody known: false ones and newcomers.
        seen: Probability, to begin with, that a camera finds who is in its picture unhidden; each camera's own is learnt.
        own_id: How probably a camera's own tracker means the same person by the same number as before.
        confirm: Log-odds of existence from which somebody is a shopper.
        forget: Log-odds of existence below which there was nobody.
        coast_s: Who is not seen for this long is lost, until they are found again.
        delay_s: Online, how long a moment waits for what later moments say of it.
        look_cap: No more than this log-likelihood ratio is believed of one look at an appearance.
        look_again: Share of it that one more look of the same shopper is worth: looks are not independent.
    """

    boxes: BoxSettings = BoxSettings()
    gate_sd: float = Field(default=3.7, gt=0)
    strangers_per_m2: float = Field(default=0.005, gt=0)
    seen: float = Field(default=0.7, gt=0, lt=1)
    own_id: float = Field(default=0.9, gt=0.5, lt=1)
    confirm: float = 3.0
    forget: float = -3.0
    merge: float = 6.0
    coast_s: float = Field(default=2.0, gt=0)
    delay_s: float = Field(default=2.0, ge=0)
    look_cap: float = Field(default=4.0, gt=0)
    look_again: float = Field(default=0.3, gt=0, le=1)
