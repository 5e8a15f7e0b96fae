"""Data sets of one place seen by many cameras: cameras, labelled boxes, detections, and who stood where."""

from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.wildtrack import read_multiviewx, read_wildtrack

__all__ = ["FloorTruth", "MultiviewScene", "read_multiviewx", "read_wildtrack"]
