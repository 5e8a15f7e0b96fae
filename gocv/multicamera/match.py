"""Which poses of several cameras are of one person, at one moment and by geometry alone.

Two poses belong together if the rays of their joints meet: the cost of a pair is the mean over joints of the squared
distance between the rays, in its standard deviations (after the epipolar affinity of Dong et al., "Fast and Robust
Multi-Person 3D Pose Estimation from Multiple Views", CVPR 2019, equation 2, and the ray affinity of Zhang et al.,
"4D Association Graph for Realtime Multi-Person Motion Capture", CVPR 2020, section 4.1; in standard deviations, so that
near and far cameras count alike). Groups grow from single poses by joining, again and again, the two whose pairs agree
best on average, as long as they do agree and no camera would show a person twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from gocv.core import DataError, Poses
from gocv.data.config import Model
from gocv.geometry import PinholeCamera
from gocv.multicamera.agreement import ray_middles

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class MatchSettings(Model):
    """Which poses are one person's.

    Attributes:
        least_score: Keypoints of a lower score are not looked at.
        power: As `JointSettings.power`.
        least_joints: Poses that share fewer of them are not compared.
        limit: Mean squared distance of rays, in standard deviations, under which two poses agree. It is 1 for the same
            person if the standard deviations hold.
        gate: A joint counts as being so many standard deviations off at most, and as that many where its rays meet
            behind a camera, under the floor or over `highest_m`.
        highest_m: Above the floor; no joint is higher.
    """

    least_score: float = Field(default=0.1, ge=0, lt=1)
    power: float = Field(default=1.4, ge=0)
    least_joints: int = Field(default=3, ge=1)
    limit: float = Field(default=3.0, gt=0)
    gate: float = Field(default=4.0, gt=0)
    highest_m: float = Field(default=2.6, gt=0)


def match_poses(
    cameras: Sequence[PinholeCamera],
    poses: Sequence[Poses],
    sd_px: Sequence[ArrayLike] | float = 3.0,
    settings: MatchSettings | None = None,
) -> list[Index]:
    """Number the people that poses of several cameras show at one moment.

    Args:
        cameras: C cameras.
        poses: Of each camera, (n_c, K, 2) keypoints; K is the same for all.
        sd_px: Of each camera, (n_c, K) standard deviations of each coordinate of keypoints of score 1; or one for all.
        settings: What agrees.

    Returns:
        Of each camera, (n_c,) int64: whom each pose is of, numbered from 0 in order of first appearance. Nobody is
        twice in one camera; who is in one camera alone has a number too.

    Raises:
        DataError: The poses are not as many tables as there are cameras, or differ in their number of keypoints.

    >>> size = {"width_px": 640, "height_px": 480, "focal_px": 500}
    >>> views = [PinholeCamera.look_at([x, y, 2.5], [0, 0, 1], **size) for x, y in ((3, 0), (0, 3))]
    >>> anna_m, bert_m = [[0.5, 0, 1.7], [0.5, 0.2, 1.4], [0.4, 0, 1]], [[-0.5, 0, 1.6], [-0.5, 0, 1.3], [0, 0, 1]]
    >>> one, other = (view.project([anna_m, bert_m])[0] for view in views)
    >>> seen = [Poses(one, np.ones((2, 3))), Poses(other[::-1], np.ones((2, 3)))]
    >>> match_poses(views, seen)
    [array([0, 1]), array([1, 0])]
    """
    settings = settings or MatchSettings()
    if len(poses) != len(cameras):
        raise DataError(f"{len(poses)} tables of poses", key="poses", expected=f"{len(cameras)}, one a camera")
    counts = [len(table) for table in poses]
    shapes = {table.score.shape[1] for table in poses if len(table)}
    if len(shapes) > 1:
        raise DataError(
            f"poses have {sorted(shapes)} keypoints", key="poses", expected="the same number in all cameras"
        )
    if not shapes:
        return [np.zeros(0, np.int64) for _ in cameras]
    camera = np.repeat(np.arange(len(cameras)), counts)
    group = _grown(_affinity(cameras, poses, sd_px, camera, settings), camera)
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))[inverse]
    return np.split(number.astype(np.int64), np.cumsum(counts)[:-1])


def _affinity(
    cameras: Sequence[PinholeCamera],
    poses: Sequence[Poses],
    sd_px: Sequence[ArrayLike] | float,
    camera: Index,
    settings: MatchSettings,
) -> Array:
    """(P, P) of all poses, 1 - cost/limit; 0, which speaks neither for nor against, where too little is shared."""
    start = np.stack([c.position_m for c in cameras])[camera]
    spreads = [sd_px] * len(cameras) if isinstance(sd_px, (int, float)) else sd_px
    way, sd, score = [], [], []
    for view, table, spread in zip(cameras, poses, spreads, strict=True):
        if len(table):
            focal_px = np.sqrt(view.matrix[0, 0] * view.matrix[1, 1])
            way.append(view.rays(table.keypoints_px)[1])
            sure = np.asarray(table.score, np.float64)
            sd.append(np.broadcast_to(np.asarray(spread, np.float64), sure.shape) / focal_px)
            score.append(np.where(sure >= max(settings.least_score, 1e-6), sure, 0.0))
    ways, sds, scores = np.concatenate(way), np.concatenate(sd), np.concatenate(score)
    scores = np.where(np.isfinite(ways).all(axis=2), scores, 0.0)
    variance = np.square(sds / np.maximum(scores, 1e-6) ** settings.power)
    middle, gap_m, here, there = ray_middles(start[:, None, None], ways[:, None], start[None, :, None], ways[None])
    spread2 = np.square(here) * variance[:, None] + np.square(there) * variance[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.square(gap_m) / spread2
        height = middle[..., 2]
        believable = (here > 0) & (there > 0) & (height > -3 * np.sqrt(spread2)) & (height < settings.highest_m)
    off = np.where(believable & np.isfinite(off), np.minimum(off, settings.gate**2), settings.gate**2)
    weight = scores[:, None] * scores[None]
    cost = (weight * off).sum(axis=2) / np.maximum(weight.sum(axis=2), 1e-12)
    compared = ((weight > 0).sum(axis=2) >= settings.least_joints) & (camera[:, None] != camera)
    affinity: Array = np.where(compared, 1 - cost / settings.limit, 0.0)
    return affinity


def _grown(affinity: Array, camera: Index) -> Index:
    """(P,) the group of each pose: average linkage, never with two poses of one camera."""
    count = len(camera)
    group = np.arange(count)
    total, pairs = affinity.copy(), (affinity != 0).astype(np.float64)
    apart = camera[:, None] == camera
    while True:
        mean = np.where(apart | (pairs == 0), -np.inf, total / np.maximum(pairs, 1))
        one, other = np.unravel_index(int(np.argmax(mean)), mean.shape)
        if not mean[one, other] > 0:
            return group
        group[group == other] = one
        for sums in (total, pairs):
            sums[one] += sums[other]
            sums[:, one] += sums[:, other]
        apart[one] |= apart[other]
        apart[:, one] |= apart[:, other]
        apart[other], apart[:, other] = True, True
