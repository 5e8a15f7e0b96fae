"""Data sets of one place seen by many cameras: cameras, labelled boxes, detections, and who stood where."""

from gocv.data.multiview.scene import FloorTruth, MultiviewScene

__all__ = ["FloorTruth", "MultiviewScene"]
