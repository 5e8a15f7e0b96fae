"""Scores of many cameras: who was where on the floor, under which identity, and in which box of which camera."""

from gocv.metrics.floor.cameras import CameraBoxes, CameraScores, pooled_sequence, score_cameras
from gocv.metrics.floor.detection import PositionCounts, count_positions
from gocv.metrics.floor.life import LifeCounts, count_life
from gocv.metrics.floor.moments import half_interval_s, positions_at
from gocv.metrics.floor.scores import FloorCounts, FloorScores, count_floor
from gocv.metrics.floor.sequence import GATE_M, FloorSequence

__all__ = [
    "GATE_M",
    "CameraBoxes",
    "CameraScores",
    "FloorCounts",
    "FloorScores",
    "FloorSequence",
    "LifeCounts",
    "PositionCounts",
    "count_floor",
    "count_life",
    "count_positions",
    "half_interval_s",
    "pooled_sequence",
    "positions_at",
    "score_cameras",
]
