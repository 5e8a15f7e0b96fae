"""Data sets of one place seen by many cameras: cameras, labelled boxes, detections, and who stood where."""

from gocv.data.multiview.actors import ACTOR_JOINTS, Actors, read_actors
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.wildtrack import read_multiviewx, read_wildtrack

__all__ = [
    "ACTOR_JOINTS",
    "Actors",
    "FloorTruth",
    "MultiviewScene",
    "read_actors",
    "read_multiviewx",
    "read_wildtrack",
]
