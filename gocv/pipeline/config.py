"""The settings of a run. The defaults need no file; `configs/pipelines` holds others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gocv.data.config import Model
from gocv.detect.skipping import SkipSettings
from gocv.detect.tiles import TileSettings
from gocv.fusion import FusionSettings
from gocv.multicamera import AssociationSettings, HealthSettings, MergeSettings
from gocv.pipeline.parts import PartSettings

Rate = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

STAGES = ("detect", "track", "multicamera", "interact", "shelf", "fusion")
"""In the order in which they run; each reads what those before it wrote."""


class DetectorSettings(PartSettings):
    """A detector; one described by a YAML file and run by ONNX Runtime unless another part is named.

    Attributes:
        tiles: How large frames are cut into tiles; None: they are looked at as they are.
        skip: When a frame need not be looked at; None: all are. `{}` takes the defaults.
        rate_hz: Looks a second at each camera, or, by the camera's name, at those that are not looked at in full.
        every: Look at every so-manieth frame of each camera, or by the camera's name.
    """

    part: str = "onnx"
    tiles: TileSettings | None = None
    skip: SkipSettings | None = None
    rate_hz: Rate | dict[str, Rate] | None = None
    every: Count | dict[str, Count] = 1


class MulticameraSettings(Model):
    """How what the cameras saw becomes shoppers.

    Attributes:
        method: "offline" goes over everything with the whole recording known, "online" names people as they come,
            within `association.online.delay_s`; "distance" joins each camera's tracks by distances on the floor alone.
        appearance: Whether looks tell people apart, where there is footage; vectors are made in the stage "detect".
        same_person: What a likeness of vectors means, as `SamePerson.save` writes it; by default that of the encoder
            that comes with gocv, which says nothing of others.
        association: How it is done.
        check: Whether cameras that are lost, late or knocked are looked for, and corrected where that can be done.
        health: What is taken for a fault.
        merge: How for "distance", and where no camera is calibrated.
        mend: Mend the names of recorded joints where they broke or were exchanged (`gocv.multicamera.mend`).
    """

    method: Literal["offline", "online", "distance"] = "offline"
    appearance: bool = False
    same_person: Path | None = None
    association: AssociationSettings = AssociationSettings()
    check: bool = True
    health: HealthSettings = HealthSettings()
    merge: MergeSettings = MergeSettings()
    mend: bool = True


class InteractSettings(Model):
    """How hands are looked at.

    Attributes:
        encoder: What looks at pictures of hands.
        rate_hz: How many of each hand a second, at most.
        around_s: How long before a hand comes to a shelf, and after it leaves, it is looked at.
        model: What says what a hand did.
        recogniser: What says what was in a hand, where the recording has pictures of the products; None: nothing does.
        learning: Whether what was certainly taken is looked at to tell what is put back: carts are then inferred twice.
    """

    encoder: PartSettings = PartSettings(part="default")
    rate_hz: float = Field(default=5.0, gt=0)
    around_s: float = Field(default=2.5, ge=0)
    model: PartSettings = PartSettings(part="default")
    recogniser: PartSettings | None = PartSettings(part="default")
    learning: bool = True


class PipelineConfig(Model):
    """Everything that can be set, stage by stage.

    Attributes:
        detect: The detector for footage, or None: then only recorded detections or joints show shoppers.
        track: The tracker of each camera.
        encode: What makes the appearance vectors; used where the tracker needs them.
        pose: What finds the joints of people in footage, where poses were not recorded; None: then only recorded poses
            or joints show hands.
        multicamera: How what the cameras saw becomes shoppers.
        interact: How hands are looked at in the footage of calibrated cameras, or None: they are not.
        shelf: The weight-event detector.
        fusion: How carts are inferred.
        chunk_s: Seconds of scale samples in memory at a time.
    """

    detect: DetectorSettings | None = None
    track: PartSettings = PartSettings(part="sort")
    encode: PartSettings = PartSettings(part="default")
    pose: PartSettings | None = None
    multicamera: MulticameraSettings = MulticameraSettings()
    interact: InteractSettings | None = None
    shelf: PartSettings = PartSettings(part="steps")
    fusion: FusionSettings = FusionSettings()
    chunk_s: float = Field(default=60.0, gt=0)
