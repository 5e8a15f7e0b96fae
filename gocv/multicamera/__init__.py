"""One shopper, many cameras: joining the tracks of each camera into shoppers on the floor."""

from gocv.multicamera.merge import CameraTracks, Merged, MergeSettings, merge_cameras

__all__ = ["CameraTracks", "MergeSettings", "Merged", "merge_cameras"]
