"""One shopper, many cameras: joining the tracks of each camera into shoppers on the floor, and mending their names."""

from gocv.multicamera.associate import associate
from gocv.multicamera.checked import associate_checked
from gocv.multicamera.mend import Mended, MendSettings, mend
from gocv.multicamera.merge import CameraTracks, Merged, MergeSettings, merge_cameras

__all__ = [
    "CameraTracks",
    "MendSettings",
    "Mended",
    "MergeSettings",
    "Merged",
    "associate",
    "associate_checked",
    "mend",
    "merge_cameras",
]
