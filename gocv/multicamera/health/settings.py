"""The settings of the examination of cameras."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model


class HealthSettings(Model):
    """What counts as broken.

    Attributes:
        slot_s: Where others saw somebody is told once for each of these times, from what they saw around it.
        sd_m: Somebody whose place others know less well than this is not asked for.
        boxes: Of a camera, no more boxes than about this are looked at, frames at even steps.
        tried: The same while a clock or a turn is searched for.
        gate_sd: A box further than this from where others see somebody is not of them.
        clock_s: A clock that is off by less is right.
        furthest_s: No clock is off by more.
        surely: A clock is off if it is by more than that even when it is wrong by so many standard errors.
        turned_deg: A camera that is turned by less is not turned.
        furthest_deg: No camera is found again that is turned by more.
        gain: By how much the mean fit of a camera's boxes must rise for a clock or a turn to be believed.
        poor: A camera whose boxes fit less than this share of what is usual is suspect.
        lost: The same of one that is left out where nothing helps.
        least_s: No camera is left out for less than this.
        gap_s: A camera without frames for longer, or this many of its frame steps, is lost.
        people: Fewer different people say nothing of a camera.
    """

    slot_s: float = Field(default=0.5, gt=0)
    sd_m: float = Field(default=0.35, gt=0)
    boxes: int = Field(default=4000, ge=100)
    tried: int = Field(default=1000, ge=100)
    gate_sd: float = Field(default=4.0, gt=0)
    clock_s: float = Field(default=0.05, gt=0)
    furthest_s: float = Field(default=3.0, gt=0)
    surely: float = Field(default=2.0, gt=0)
    turned_deg: float = Field(default=2.0, gt=0)
    furthest_deg: float = Field(default=15.0, gt=0)
    gain: float = Field(default=0.08, gt=0)
    poor: float = Field(default=0.75, gt=0, lt=1)
    lost: float = Field(default=0.5, gt=0, lt=1)
    least_s: float = Field(default=10.0, ge=0)
    gap_s: float = Field(default=3.0, gt=0)
    people: int = Field(default=5, ge=1)
