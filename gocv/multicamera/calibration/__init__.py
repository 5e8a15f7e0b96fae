"""Where cameras are and how they see: from chessboards, from known points, and from people who walk.

`board` gives a lens, `points` a pose, `walkers` the poses of all cameras of a store at once (by `single`, `align`,
`people` and `bundle`), `agreement` and `links` tell which camera is suspect, `frame` moves what was found
into the store's frame.
"""

from gocv.multicamera.calibration.frame import ReferencePoint, align_floor, floor_errors, move_cameras
from gocv.multicamera.calibration.points import PointsCalibration, calibrate_points
from gocv.multicamera.calibration.poses import PARAMETERS, Lens
from gocv.multicamera.calibration.settings import WalkerSettings
from gocv.multicamera.calibration.walkers import (
    CameraReport,
    WalkersCalibration,
    calibrate_walkers,
    check_cameras,
)

__all__ = [
    "PARAMETERS",
    "CameraReport",
    "Lens",
    "PointsCalibration",
    "ReferencePoint",
    "WalkerSettings",
    "WalkersCalibration",
    "align_floor",
    "calibrate_points",
    "calibrate_walkers",
    "check_cameras",
    "floor_errors",
    "move_cameras",
]
