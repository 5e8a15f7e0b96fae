"""What a training of the detector is told."""

from __future__ import annotations

from pydantic import Field

from gocv.data.coco import DetectionSet, read_detection_set
from gocv.data.config import Model
from gocv.train.augment import AugmentSettings
from gocv.train.loop import LoopSettings
from gocv.train.schedule import ScheduleSettings


class SourceSettings(Model):
    """A data set that is learnt from.

    Attributes:
        format: As for `gocv.data.coco.read_detection_set`: "coco", "yolo", "pennfudan".
        root: Its folder.
        split: Which part of it.
        share: How often its pictures come, against those of the others.
        distil: How much the network is held to what it said of such pictures before the training, 0 to let it change.
        hold_out: Share of its pictures that are not learnt from, but choose the best weights.
    """

    format: str = "coco"
    root: str = ""
    split: str = "train"
    share: float = Field(default=1.0, gt=0)
    distil: float = Field(default=0.0, ge=0)
    hold_out: float = Field(default=0.1, ge=0, lt=1)

    def read(self) -> DetectionSet:
        """The people in it."""
        return read_detection_set(self.format, self.root, self.split).of_classes(["person"])


class DataSettings(Model):
    """What is learnt from, and how it is shown.

    Attributes:
        sources: The data sets.
        sizes_px: Sides of the squares that are shown, multiples of 32; each batch has one of them.
        mosaic: Share of the squares that are put together of four pictures (arXiv:2004.10934, §3.3).
        scale: Least and greatest size of a picture, against that at which it just fits.
        in_memory: Whether pictures are kept once they are decoded, brought to `largest_px`.
        largest_px: Longer side of the pictures that are kept.
        workers: Processes that read pictures; 0 for none but this one.
    """

    sources: tuple[SourceSettings, ...] = ()
    sizes_px: tuple[int, ...] = (352, 384, 416, 448, 480, 512)
    mosaic: float = Field(default=0.6, ge=0, le=1)
    scale: tuple[float, float] = (0.5, 1.4)
    in_memory: bool = True
    largest_px: int = Field(default=640, ge=32)
    workers: int = Field(default=0, ge=0)


class OptimizerSettings(Model):
    """AdamW's rate and decay, and the pictures of a step and steps of an epoch."""

    rate: float = Field(default=2e-4, gt=0)
    decay: float = Field(default=1e-4, ge=0)
    batch: int = Field(default=8, ge=1)
    steps: int = Field(default=50, ge=1)


class LossSettings(Model):
    """Weights of the parts of the loss.

    Attributes:
        box: Of 1 - CIoU of the boxes that stand for a person.
        score: Of the cross entropy of the score.
        ignore_iou: Boxes that overlap a person by more need not have a low score.
        shape_iou: Anchors whose shape overlaps a person's by more stand for it too.
    """

    box: float = Field(default=2.0, ge=0)
    score: float = Field(default=1.0, ge=0)
    ignore_iou: float = Field(default=0.6, ge=0, le=1)
    shape_iou: float = Field(default=0.4, ge=0, le=1)


class ExportSettings(Model):
    """What is written at the end.

    Attributes:
        name: Of the detector and its files.
        start_share: How much of what is written are the weights that the training started with. The mean of weights
            before and after keeps what the network knew of other pictures (Wortsman et al. 2022, arXiv:2109.01903,
            eq. 1, where half of each is advised).
        longest_px: Frames are brought to this size, longer side.
        int8: Whether weights and maps are brought to eight bits.
        calibration: Pictures by which the ranges of the maps are measured.
        min_score: That its YAML file says.
        nms_iou: That its YAML file says.
        licence: That its YAML file says.
        source: That its YAML file says.
    """

    name: str = Field(default="person", pattern=r"^[\w.-]+$")
    start_share: float = Field(default=0.0, ge=0, lt=1)
    longest_px: int = Field(default=512, ge=32, multiple_of=32)
    int8: bool = True
    calibration: int = Field(default=96, ge=1)
    min_score: float = Field(default=0.3, ge=0, le=1)
    nms_iou: float = Field(default=0.45, ge=0, le=1)
    licence: str = "of the weights and pictures it was trained from"
    source: str = "gocv train detector"


class DetectorTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        start: Weights that it starts with: Darknet's `yolov4-tiny.weights` of COCO, `model.safetensors` of an earlier
            training, an .onnx file of one, or None for the detector that comes with gocv.
        frozen: Parts of the trunk, the first ones, that keep the weights they start with: 0 to 5.
        augment: How pictures are varied; what would hide parts of them is not done.
        loss: What counts.
        optimizer: How weights are moved.
        schedule: How fast, when.
        loop: How long and where.
        export: What is written at the end.
    """

    data: DataSettings = DataSettings()
    start: str | None = None
    frozen: int = Field(default=2, ge=0, le=5)
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    loop: LoopSettings = LoopSettings()
    export: ExportSettings = ExportSettings()
