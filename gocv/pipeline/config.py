"""The settings of a run. The defaults need no file; `configs/pipelines` holds others."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model
from gocv.fusion import FusionSettings
from gocv.multicamera import MergeSettings
from gocv.pipeline.parts import PartSettings

STAGES = ("detect", "track", "multicamera", "shelf", "fusion")
"""In the order in which they run; each reads what those before it wrote."""


class DetectorSettings(PartSettings):
    """A detector; one described by a YAML file and run by ONNX Runtime unless another part is named."""

    part: str = "onnx"


class PipelineConfig(Model):
    """Everything that can be set, stage by stage.

    Attributes:
        detect: The detector for footage, or None: then only recorded detections or joints show shoppers.
        track: The tracker of each camera.
        encode: What makes the appearance vectors; used where the tracker needs them.
        multicamera: How tracks are joined.
        shelf: The weight-event detector.
        fusion: How carts are inferred.
        chunk_s: Seconds of scale samples in memory at a time.
    """

    detect: DetectorSettings | None = None
    track: PartSettings = PartSettings(part="sort")
    encode: PartSettings = PartSettings(part="default")
    multicamera: MergeSettings = MergeSettings()
    shelf: PartSettings = PartSettings(part="steps")
    fusion: FusionSettings = FusionSettings()
    chunk_s: float = Field(default=60.0, gt=0)
