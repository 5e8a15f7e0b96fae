"""What a recording is made of, as read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from gocv.core import PlateId
from gocv.geometry import PinholeCamera


@dataclasses.dataclass(frozen=True, slots=True)
class Camera:
    """A camera of the store.

    Attributes:
        name: Unique within the recording.
        video: Its footage, or None.
        time_offset_s: Recording time at the video's own time 0.
        timestamps: CSV with a column `time_s`, a row a frame, on the recording's clock; it overrides the video's times.
        calibration: Where it is and how it sees, or None for an uncalibrated camera.
        detections: Parquet table of detections recorded from it, or None.
    """

    name: str
    video: Path | None = None
    time_offset_s: float = 0.0
    timestamps: Path | None = None
    calibration: PinholeCamera | None = None
    detections: Path | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ScaleGroup:
    """Plates that are sampled together, in one Parquet file."""

    name: str
    rate_hz: float
    file: Path
    plates: tuple[PlateId, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TruthEvent:
    """Something that really happened.

    Attributes:
        time_s: Seconds on the recording's clock.
        shopper: Who.
        product: Product id.
        quantity: Units; > 0 taken, < 0 put back.
        plates: From or onto which plates, sorted; empty where it is not known.
    """

    time_s: float
    shopper: str
    product: str
    quantity: int
    plates: tuple[PlateId, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class TruthReceipt:
    """What a shopper really left with: units by product id, each at least 1."""

    shopper: str
    items: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Truth:
    """What is known of what happened; `receipts` is None where it is not known."""

    events: tuple[TruthEvent, ...] = ()
    receipts: tuple[TruthReceipt, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a recording.

    An error means that the recording is refused, or that a file in it is damaged and what it held is lost. With a
    warning a run knows what to do, does it and says so.
    """

    severity: Literal["error", "warning"]
    message: str
    file: str | None = None
    row: int | str | None = None
    key: str | None = None

    def __str__(self) -> str:
        row = None if self.row is None else f"row {self.row}"
        key = None if self.key is None else f"key '{self.key}'"
        place = ", ".join(part for part in (self.file, row, key) if part)
        return f"{self.severity}: {place}: {self.message}" if place else f"{self.severity}: {self.message}"
