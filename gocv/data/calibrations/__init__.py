"""Camera calibrations in the forms that data sets have them, read into metres with the floor at z = 0."""

from gocv.data.calibrations.campus import read_campus_cameras
from gocv.data.calibrations.gocv_file import read_gocv_cameras, write_calibration
from gocv.data.calibrations.json_files import (
    CAMPUS_PX,
    NANOSTORE_PX,
    SHELF_PX,
    read_nanostore_cameras,
    read_shelf_cameras,
)
from gocv.data.calibrations.opencv_storage import read_multiviewx_cameras, read_wildtrack_cameras
from gocv.data.calibrations.read import CALIBRATION_KINDS, read_calibration
from gocv.data.calibrations.text_files import read_towncentre_camera
from gocv.data.calibrations.tsai import TsaiCamera, read_tsai, read_tsai_cameras

__all__ = [
    "CALIBRATION_KINDS",
    "CAMPUS_PX",
    "NANOSTORE_PX",
    "SHELF_PX",
    "TsaiCamera",
    "read_calibration",
    "read_campus_cameras",
    "read_gocv_cameras",
    "read_multiviewx_cameras",
    "read_nanostore_cameras",
    "read_shelf_cameras",
    "read_towncentre_camera",
    "read_tsai",
    "read_tsai_cameras",
    "read_wildtrack_cameras",
    "write_calibration",
]
