"""Data sets of one place seen by many cameras: cameras, labelled boxes, detections, and who stood where."""

from gocv.data.multiview.archive import read_scene, write_scene
from gocv.data.multiview.scene import FloorTruth, MultiviewScene

__all__ = ["FloorTruth", "MultiviewScene", "read_scene", "write_scene"]
