"""One shopper, many cameras: joining the tracks of each camera into shoppers on the floor, and mending their names."""

from gocv.multicamera.associate import associate
from gocv.multicamera.joints import Joints, JointSettings, triangulate_joints
from gocv.multicamera.keypoints import joint_sd_px, joints_of_coco17
from gocv.multicamera.match import MatchSettings, match_poses
from gocv.multicamera.mend import Mended, MendSettings, mend
from gocv.multicamera.merge import CameraTracks, Merged, MergeSettings, merge_cameras

__all__ = [
    "CameraTracks",
    "JointSettings",
    "Joints",
    "MatchSettings",
    "MendSettings",
    "Mended",
    "MergeSettings",
    "Merged",
    "associate",
    "joint_sd_px",
    "joints_of_coco17",
    "match_poses",
    "mend",
    "merge_cameras",
    "triangulate_joints",
]
