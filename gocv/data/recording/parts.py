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
        truth: Parquet table of who really is where in each frame, or None.
        poses: Parquet table of the poses of the people in those detections, or None.
    """

    name: str
    video: Path | None = None
    time_offset_s: float = 0.0
    timestamps: Path | None = None
    calibration: PinholeCamera | None = None
    detections: Path | None = None
    truth: Path | None = None
    poses: Path | None = None


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
        quantity: Units; > 0 came to the shopper, < 0 left them.
        plates: From or onto which plates, sorted; empty where it is not known, or no shelf was touched.
        kind: "shelf": taken or put back; "floor": picked up or left on the floor; "hand_over": given to another
            shopper, quantity < 0.
        to: Who got it, in a hand-over.
    """

    time_s: float
    shopper: str
    product: str
    quantity: int
    plates: tuple[PlateId, ...]
    kind: Literal["shelf", "floor", "hand_over"] = "shelf"
    to: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class TruthReceipt:
    """What a shopper really left with: units by product id, each at least 1."""

    shopper: str
    items: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class TruthStanding:
    """How many units of a product stand on a plate from a moment on; a unit stands where its middle is."""

    time_s: float
    product: str
    plate: PlateId
    units: int


@dataclasses.dataclass(frozen=True, slots=True)
class TruthName:
    """Who is meant by a name of the recorded joints from a moment on: names break, and are mixed up."""

    time_s: float
    name: str
    shopper: str


@dataclasses.dataclass(frozen=True, slots=True)
class Truth:
    """What is known of what happened.

    Attributes:
        events: In order of time.
        receipts: What everybody left with, staff not among them; None where it is not known.
        planogram: What really stood where, each change a row; empty where it is not known.
        names: Whose the recorded joints are; empty where every name is the shopper's own.
    """

    events: tuple[TruthEvent, ...] = ()
    receipts: tuple[TruthReceipt, ...] | None = None
    planogram: tuple[TruthStanding, ...] = ()
    names: tuple[TruthName, ...] = ()

    def cart(self, shopper: str, time_s: float) -> dict[str, int]:
        """Units by product, none of them 0, that a shopper holds after everything up to a time (recording's clock).

        >>> taken, given = TruthEvent(1, "a", "tea", 2, ()), TruthEvent(2, "a", "tea", -1, (), "hand_over", "b")
        >>> Truth((taken, given)).cart("b", 3)
        {'tea': 1}
        """
        cart: dict[str, int] = {}
        for event in self.events:
            if event.time_s <= time_s:
                came = event.quantity * (event.shopper == shopper) - event.quantity * (event.to == shopper)
                cart[event.product] = cart.get(event.product, 0) + came
        return {product: units for product, units in sorted(cart.items()) if units}


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
