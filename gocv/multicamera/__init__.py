"""One shopper, many cameras: calibration, who is whom on the floor, joints in metres, and the mending of names."""

from gocv.multicamera.associate import associate
from gocv.multicamera.checked import associate_checked
from gocv.multicamera.health import Health, HealthSettings, examine
from gocv.multicamera.joints import Joints, JointSettings, triangulate_joints
from gocv.multicamera.keypoints import joint_sd_px, joints_of_coco17
from gocv.multicamera.live import Final, LiveShoppers, as_floor_tracks
from gocv.multicamera.looks import Looks, Seen, look_at
from gocv.multicamera.match import MatchSettings, match_poses
from gocv.multicamera.mend import Mended, MendSettings, mend
from gocv.multicamera.merge import CameraTracks, Merged, MergeSettings, merge_cameras
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.sightings import Sightings, sight
from gocv.multicamera.views import Association, CameraView

__all__ = [
    "Association",
    "AssociationSettings",
    "CameraTracks",
    "CameraView",
    "Final",
    "Health",
    "HealthSettings",
    "JointSettings",
    "Joints",
    "LiveShoppers",
    "Looks",
    "MatchSettings",
    "MendSettings",
    "Mended",
    "MergeSettings",
    "Merged",
    "Seen",
    "Sightings",
    "as_floor_tracks",
    "associate",
    "associate_checked",
    "examine",
    "joint_sd_px",
    "joints_of_coco17",
    "look_at",
    "match_poses",
    "mend",
    "merge_cameras",
    "sight",
    "triangulate_joints",
]
