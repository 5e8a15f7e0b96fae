"""Camera calibrations in the forms that data sets have them, read into metres with the floor at z = 0."""

from gocv.data.calibrations.opencv_storage import read_multiviewx_cameras, read_wildtrack_cameras

__all__ = ["read_multiviewx_cameras", "read_wildtrack_cameras"]
