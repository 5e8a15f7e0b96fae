"""Detection data sets: pictures with boxes, in COCO's format, in YOLO's, and Penn-Fudan; COCO's files written."""

from gocv.data.coco.dataset import DetectionSet, LabelledBoxes
from gocv.data.coco.files import read_coco, write_coco, write_coco_results
from gocv.data.coco.names import COCO_CLASSES
from gocv.data.coco.pennfudan import read_pennfudan
from gocv.data.coco.read import read_detection_set
from gocv.data.coco.yolo import read_yolo

__all__ = [
    "COCO_CLASSES",
    "DetectionSet",
    "LabelledBoxes",
    "read_coco",
    "read_detection_set",
    "read_pennfudan",
    "read_yolo",
    "write_coco",
    "write_coco_results",
]
