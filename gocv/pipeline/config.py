"""The settings of a run. The defaults need no file; `configs/pipelines` holds others."""

from __future__ import annotations

from pydantic import Field

from gocv.data.config import Model
from gocv.fusion import FusionSettings
from gocv.multicamera import MergeSettings
from gocv.pipeline.parts import PartSettings
from gocv.shelf import ExplainSettings

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
        multicamera: How tracks are joined.
        shelf: The weight-event detector. FAIM's published threshold of 500 g² misses what weighs less than about
            90 g; the variance of shelves at rest stays under 30 g² in both real recordings, so 60 g² is the default.
            Events are parted at rests of a quarter of a second, which FAIM does not do.
        explain: What a weight change could have been.
        fusion: How carts are inferred.
        chunk_s: Seconds of scale samples in memory at a time.
    """

    detect: DetectorSettings | None = None
    track: PartSettings = PartSettings(part="sort")
    multicamera: MergeSettings = MergeSettings()
    shelf: PartSettings = PartSettings(part="faim", variance_g2=60.0, split_rest_s=0.25)  # type: ignore[call-arg]
    explain: ExplainSettings = ExplainSettings()
    fusion: FusionSettings = FusionSettings()
    chunk_s: float = Field(default=60.0, gt=0)
