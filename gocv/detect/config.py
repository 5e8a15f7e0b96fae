"""What a detector's YAML file says about a network: what goes in, what comes out, where the weights are from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gocv.data.coco.names import COCO_CLASSES
from gocv.data.config import Model

Three = tuple[float, float, float]


class Input(Model):
    """The picture that the network wants: value = (pixel * scale - mean) / std, channel by channel.

    Where `multiple` is given, `width` and `height` are the most: a letterbox is then cut down to the next multiple of
    it around the frame, so that a wide frame costs less than a square one. That is for networks that take any size.
    """

    width: Annotated[int, Field(gt=0)]
    height: Annotated[int, Field(gt=0)]
    channels: Literal["rgb", "bgr"]
    layout: Literal["nchw", "nhwc"] = "nchw"
    scale: float = 1.0
    mean: Three = (0.0, 0.0, 0.0)
    std: Three = (1.0, 1.0, 1.0)
    resize: Literal["letterbox", "letterbox_centred", "stretch"] = "letterbox"
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    multiple: Annotated[int, Field(gt=0)] | None = None


class Head(Model):
    """How boxes are read out of what the network gives; see `gocv.detect.heads` for each kind."""

    kind: Literal["yolox", "yolov8", "fastestdet", "boxes", "ssd", "anchors"]
    strides: tuple[int, ...] = (8, 16, 32)
    first_label: Annotated[int, Field(ge=0)] = 0
    outputs: tuple[str, ...] | None = None
    anchors: tuple[tuple[tuple[float, float], ...], ...] = ()
    stretch: float = 1.0


class DetectorConfig(Model):
    """One network: `weights` is relative to the YAML file; `classes` may be "coco"."""

    name: str
    weights: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    licence: str
    source: str
    input: Input
    head: Head
    classes: Literal["coco"] | tuple[str, ...]
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.3
    nms_iou: Annotated[float, Field(ge=0, le=1)] | None = 0.45

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the network's classes."""
        return COCO_CLASSES if self.classes == "coco" else self.classes
