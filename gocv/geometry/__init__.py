"""Boxes, cameras, the floor and zones. numpy only.

Boxes are `xyxy` in pixels. Space is the store's frame: metres, z up, floor at z = 0; `a_T_b` maps b's coordinates to
a's.
"""

from gocv.geometry.boxes import (
    area,
    ciou,
    clip_to_image,
    cxcywh_to_xywh,
    cxcywh_to_xyxy,
    diou,
    giou,
    ioa,
    iou,
    nms,
    xywh_to_cxcywh,
    xywh_to_xyxy,
    xyxy_to_cxcywh,
    xyxy_to_xywh,
)
from gocv.geometry.camera import PinholeCamera
from gocv.geometry.floor import apply_homography, fit_homography
from gocv.geometry.overlaps import Overlaps, overlapping_pairs
from gocv.geometry.rotation import rodrigues, rotation_vector
from gocv.geometry.triangulate import triangulate
from gocv.geometry.zones import distance_to_box, points_in_polygon, polygon_area

__all__ = [
    "Overlaps",
    "PinholeCamera",
    "apply_homography",
    "area",
    "ciou",
    "clip_to_image",
    "cxcywh_to_xywh",
    "cxcywh_to_xyxy",
    "diou",
    "distance_to_box",
    "fit_homography",
    "giou",
    "ioa",
    "iou",
    "nms",
    "overlapping_pairs",
    "points_in_polygon",
    "polygon_area",
    "rodrigues",
    "rotation_vector",
    "triangulate",
    "xywh_to_cxcywh",
    "xywh_to_xyxy",
    "xyxy_to_cxcywh",
    "xyxy_to_xywh",
]
