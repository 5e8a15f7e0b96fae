"""Joints of shoppers from the poses recorded by several calibrated cameras."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import JOINTS, DataError, FloorTracks, Poses
from gocv.data.config import Model
from gocv.data.poses import COCO17, PoseTable, read_poses
from gocv.data.recording import Recording
from gocv.multicamera import JointSettings, joint_sd_px, joints_of_coco17, triangulate_joints
from gocv.multicamera.views import Association, CameraView
from gocv.pipeline.folder import Report

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_CHUNK = 2048
_BRIDGED = 1.5
"""Poses this many frame intervals apart are those of two frames that follow one another."""


class PoseSettings(Model):
    """How recorded poses become joints.

    Attributes:
        joints: How views are made to agree.
        largest_sd_m: A joint that is less sure than this in any direction is not known.
    """

    joints: JointSettings = JointSettings()
    largest_sd_m: float = Field(default=0.25, gt=0)


def recorded_poses(recording: Recording) -> tuple[dict[str, PoseTable], Report]:
    """The tables of poses that can make joints, by camera, and what is left out.

    A camera's poses are of use if it is calibrated and its boxes are the recorded ones that the poses are of.
    """
    tables: dict[str, PoseTable] = {}
    report: Report = []
    for camera in recording.cameras:
        if camera.poses is None:
            continue
        try:
            if camera.calibration is None:
                raise DataError("the camera is not calibrated", file=camera.poses)
            if camera.detections is None:
                raise DataError("there are no detections that they are of", file=camera.poses)
            table = read_poses(camera.poses)
            _joints_of(table.poses[:0], table.keypoints)
            tables[camera.name] = table
        except DataError as error:
            report.append({"where": f"camera {camera.name}", "problem": f"its poses are left out: {error}"})
    return tables, report


def add_joints(
    views: Sequence[CameraView],
    association: Association,
    poses: Mapping[str, PoseTable],
    settings: PoseSettings | None = None,
) -> FloorTracks:
    """The shoppers of an association with joints from the poses of the boxes that are theirs.

    A camera's keypoints at a row's time are interpolated between the frames before and after it; where the shopper is
    in one of them alone, that one's are taken if it is at most half a frame away.

    Args:
        views: What each camera saw; those without calibration or poses add nothing.
        association: Who each box is.
        poses: By camera; frames are matched by their number, and poses to boxes by `PoseTable.box`.
        settings: What is believed.

    Returns:
        The rows of `association.shoppers`, in their order. Joints on which no two cameras agree are NaN and of score 0.

    Raises:
        DataError: The poses are of keypoints that no joints can be made of.
    """
    settings = settings or PoseSettings()
    shoppers = association.shoppers
    able = [view for view in views if view.calibration and view.camera in poses and view.camera in association.who]
    cameras = [view.calibration for view in able if view.calibration]
    seen = [_seen(view, association.who[view.camera], poses[view.camera]) for view in able]
    joints_m = np.full((len(shoppers), len(JOINTS), 3), np.nan)
    score = np.zeros((len(shoppers), len(JOINTS)))
    for start in range(0, len(shoppers), _CHUNK) if len(seen) > 1 else ():
        rows = slice(start, start + _CHUNK)
        found = [part.at(shoppers.shopper[rows], shoppers.time_s[rows]) for part in seen]
        pixels, sure, sd_px = (np.stack([one[k] for one in found]) for k in range(3))
        joints = triangulate_joints(cameras, pixels, sure, sd_px, settings.joints)
        widest = np.linalg.eigvalsh(np.nan_to_num(joints.covariance_m2))[..., -1]
        known = np.isfinite(joints.joints_m).all(axis=2) & (widest <= settings.largest_sd_m**2)
        joints_m[rows] = np.where(known[..., None], joints.joints_m, np.nan)
        score[rows] = np.where(known, joints.score, 0.0)
    return dataclasses.replace(shoppers, joints_m=joints_m, joint_score=score)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The poses of shoppers in one camera, by shopper and then by time, one at a time.

    Attributes:
        shopper, time_s: (m,) of each pose.
        pixels, score, sd_px: (m, 8, 2), (m, 8) and (m, 8) of its joints; pixels that are not seen are 0 of score 0.
        interval_s: From frame to frame.
    """

    shopper: Index
    time_s: Array
    pixels: Array
    score: Array
    sd_px: Array
    interval_s: float

    def at(self, shopper: Index, time_s: Array) -> tuple[Array, Array, Array]:
        """(n, 8, 2) pixels, (n, 8) scores and (n, 8) standard deviations of n shoppers at as many times."""
        n = len(time_s)
        if not len(self.time_s):
            return np.full((n, len(JOINTS), 2), np.nan), np.zeros((n, len(JOINTS))), np.ones((n, len(JOINTS)))
        low = min(float(self.time_s.min()), float(time_s.min()))
        span = max(float(self.time_s.max()), float(time_s.max())) - low + 1.0
        wanted = shopper * span + (time_s - low)
        following = np.searchsorted(self.shopper * span + (self.time_s - low), wanted - 1e-9)
        both = np.stack([following - 1, following])
        place = np.clip(both, 0, len(self.time_s) - 1)
        away_s = np.abs(self.time_s[place] - time_s)
        there = (both == place) & (self.shopper[place] == shopper)
        bridged = there.all(axis=0) & (away_s.sum(axis=0) <= _BRIDGED * self.interval_s)
        near = there & (away_s <= self.interval_s / 2 + 1e-9)
        known = self.score[place] > 0
        share = away_s[::-1] / np.maximum(away_s.sum(axis=0), 1e-12)
        before, after = near[..., None] & known
        after = after & ~(before & (away_s[0] < away_s[1])[:, None])
        alone = np.stack([before & ~after, after])
        weight = np.where(bridged[:, None] & known.all(axis=0), share[..., None], alone)
        pixels = (weight[..., None] * self.pixels[place]).sum(axis=0)
        score = (weight * self.score[place]).sum(axis=0)
        sd_px = np.where(away_s[0, :, None] < away_s[1, :, None], self.sd_px[place[0]], self.sd_px[place[1]])
        return np.where((score > 0)[..., None], pixels, np.nan), score, sd_px


def _seen(view: CameraView, who: Index, table: PoseTable) -> _Seen:
    order = np.argsort(view.seen.frame, kind="stable")
    number = np.repeat(table.frame, np.diff(table.first_row))
    place = np.searchsorted(view.seen.frame, number, sorter=order)
    position = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(len(number), np.int64)
    fits = np.zeros(len(number), bool)
    row = np.zeros(len(number), np.int64)
    if len(order):
        row = view.seen.first_row[position] + table.box
        fits = (view.seen.frame[position] == number) & (table.box >= 0) & (row < view.seen.first_row[position + 1])
    fits[fits] = who[row[fits]] >= 0
    row, position = row[fits], position[fits]
    joints = _joints_of(table.poses[fits], table.keypoints)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(joints.keypoints_px).all(axis=2))
    score = np.where(known, joints.score, 0.0).astype(np.float64)
    time_s, shopper = view.seen.time_s[position], who[row]
    sort = np.lexsort((-score.sum(axis=1), time_s, shopper))
    again = np.zeros(len(sort), bool)
    again[1:] = (np.diff(shopper[sort]) == 0) & (np.diff(time_s[sort]) == 0)
    kept = sort[~again]
    interval_s = float(np.median(np.diff(view.seen.time_s))) if len(view.seen) > 1 else 0.1
    return _Seen(
        shopper=shopper[kept],
        time_s=time_s[kept],
        pixels=np.where(known[..., None], joints.keypoints_px, 0.0).astype(np.float64)[kept],
        score=score[kept],
        sd_px=np.maximum(joint_sd_px(view.seen.boxes.xyxy[row]), 1.0)[kept],
        interval_s=interval_s,
    )


def _joints_of(poses: Poses, keypoints: tuple[str, ...]) -> Poses:
    if keypoints == COCO17:
        return joints_of_coco17(poses)
    if keypoints == JOINTS:
        return poses
    raise DataError(f"keypoints {', '.join(keypoints)}", expected="those of COCO, or the joints of a recording")
