"""Data sets of one place seen by many cameras: cameras, labelled boxes, detections, and who stood where."""

from gocv.data.multiview.actors import ACTOR_JOINTS, Actors, read_actors
from gocv.data.multiview.archive import read_scene, write_scene
from gocv.data.multiview.campus import read_campus
from gocv.data.multiview.read import MULTIVIEW_KINDS, read_multiview
from gocv.data.multiview.recording import read_recording_views
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.wildtrack import read_multiviewx, read_wildtrack

__all__ = [
    "ACTOR_JOINTS",
    "MULTIVIEW_KINDS",
    "Actors",
    "FloorTruth",
    "MultiviewScene",
    "read_actors",
    "read_campus",
    "read_multiview",
    "read_multiviewx",
    "read_recording_views",
    "read_scene",
    "read_wildtrack",
    "write_scene",
]
