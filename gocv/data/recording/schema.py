"""The fields of `recording.yaml`. docs/recording.md describes them for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import PureWindowsPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from gocv.data.config import Model

VERSION = 1


def each_once(key: str) -> AfterValidator:
    """Entries of a list must differ in `key`."""

    def check(entries: Sequence[Any]) -> Sequence[Any]:
        for name, count in Counter(getattr(entry, key) for entry in entries).items():
            if count > 1:
                raise ValueError(f"Input should name each {key} once: '{name}' stands there {count} times")
        return entries

    return AfterValidator(check)


def _inside(path: str) -> str:
    # Windows' rules are the stricter ones: they know both slashes, drives and "..".
    parts = PureWindowsPath(path)
    if not parts.name or parts.anchor or ".." in parts.parts or "\0" in path:
        raise ValueError(f"Input should be a path inside the recording's folder: got '{path}'")
    return path


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
"""Names become names of files."""

InnerPath = Annotated[str, AfterValidator(_inside)]
"""Relative to the recording's folder, and not out of it."""

Radians = Annotated[float, Field(ge=-2 * math.pi, le=2 * math.pi)]
"""The limit tells most degrees from radians."""


class Entry(Model):
    """Base of all parts of `recording.yaml`: numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class Clock(Entry):
    """The recording's clock: time 0 and how long it runs. The limit tells milliseconds from seconds."""

    origin_unix_s: float = Field(ge=-1e11, le=1e11)
    duration_s: float = Field(ge=0)


class Units(Entry):
    """Stated in the file so that it can be read alone; there is no choice."""

    length: Literal["m"] = "m"
    weight: Literal["g"] = "g"
    time: Literal["s"] = "s"


class StoreFiles(Entry):
    """Tables of the store and the folder of pictures of its products, relative to the recording."""

    products: InnerPath = "store/products.csv"
    plates: InnerPath = "store/plates.csv"
    planogram: InnerPath = "store/planogram.csv"
    pictures: InnerPath | None = None


class ZoneEntry(Entry):
    """A named area of the floor."""

    name: str
    polygon_m: tuple[tuple[float, float], ...] = Field(min_length=3)


class Calibration(Entry):
    """A pinhole camera with Brown-Conrady distortion: where it is, and camera_R_store as a rotation vector."""

    width_px: int = Field(gt=0)
    height_px: int = Field(gt=0)
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    skew_px: float = 0.0
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    position_m: tuple[float, float, float]
    rotation_vector: tuple[Radians, Radians, Radians]


class CameraEntry(Entry):
    """A camera: its video, its time, where it is, and detections and poses recorded from it."""

    name: Name
    video: InnerPath | None = None
    time_offset_s: float = 0.0
    timestamps: InnerPath | None = None
    calibration: Calibration | None = None
    detections: InnerPath | None = None
    poses: InnerPath | None = None
    truth: InnerPath | None = None


class ScaleClock(Entry):
    """Recording time = offset_s + (1 + drift_ppm · 1e-6) · scale time. No clock is off by more than 1 %."""

    offset_s: float = 0.0
    drift_ppm: float = Field(default=0.0, ge=-10_000, le=10_000)


class ScaleGroupEntry(Entry):
    """Plates that are sampled together, in one file."""

    name: Name
    rate_hz: float = Field(default=60.0, gt=0, le=10_000)
    file: InnerPath


class Scales(Entry):
    """All scales of the store."""

    clock: ScaleClock = ScaleClock()
    groups: Annotated[tuple[ScaleGroupEntry, ...], each_once("name")] = ()


class TruthFiles(Entry):
    """What really happened, where it is known."""

    events: InnerPath | None = None
    receipts: InnerPath | None = None
    planogram: InnerPath | None = None
    names: InnerPath | None = None


class RecordingFile(Entry):
    """The whole of `recording.yaml`."""

    version: Literal[1]
    name: str
    clock: Clock
    units: Units = Units()
    store: StoreFiles = StoreFiles()
    zones: Annotated[tuple[ZoneEntry, ...], each_once("name")] = ()
    cameras: Annotated[tuple[CameraEntry, ...], each_once("name")] = ()
    scales: Scales = Scales()
    joints: InnerPath | None = None
    truth: TruthFiles = TruthFiles()
    notes: tuple[str, ...] = ()
