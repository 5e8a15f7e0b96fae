"""Joints in metres from where several calibrated cameras saw them.

The residual of view c of a joint at X is

    r_c = K_c D_c (u_c - π_c(X)) / σ_c,

u_c the undistorted keypoint, π_c the projection, K_c D_c the derivative of the pixel by the undistorted point at u_c,
so that r_c is in pixels as recorded, and σ_c = sd/score^p. Views agree if all |r_c| stay under a gate. Where they do
not, each pair of views proposes the middle of its rays (Hartley and Sturm, "Triangulation", CVIU 1997, section 5.3),
and the proposal with the least Σ min(|r_c|², t_c gate²) says which views belong together (MSAC: Torr and Zisserman,
"MLESAC", CVIU 2000, equation 17, over all samples instead of random ones). A camera that took one person for another is
wrong about most joints: t_c, first 1, is then the share of the person's joints on which view c was found to agree, and
the search is done again. Gauss-Newton on the views that agree finds X, and

    Cov(X) = s² (Jᵀ J)⁻¹,    s² = (ν + Σ |r|²) / (ν + Σ (2m - 3))

(Hartley and Zisserman, Multiple View Geometry, 2nd ed., section 5.2.3). The sums run over the joints of one person,
each seen by m views that agree: they say how far the stated σ hold, and ν how much these are believed beforehand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from gocv.core import DataError
from gocv.data.config import Model
from gocv.geometry import PinholeCamera
from gocv.multicamera.agreement import agreed

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_CHUNK = 4096
_SUREST, _LEAST = 0.995, 1e-6


class JointSettings(Model):
    """How keypoints become joints.

    Attributes:
        least_score: Keypoints of a lower score are not looked at.
        power: p above: how standard deviations grow as scores fall. The default is AlphaPose's on real shoppers, by
            `experiments/fit_pose_noise.py`.
        gate: A view that is more of its standard deviations off than this saw something else.
        believed: Of how many residuals' worth the stated standard deviations are: ν above.
        chance: Probability that a wrong keypoint, somewhere on the person, agrees with a ray of another view.
    """

    least_score: float = Field(default=0.1, ge=0, lt=1)
    power: float = Field(default=1.4, ge=0)
    gate: float = Field(default=4.0, gt=0)
    believed: float = Field(default=8.0, gt=0)
    chance: float = Field(default=0.2, gt=0, lt=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Joints:
    """Joints of n people in the store's frame.

    Attributes:
        joints_m: (n, K, 3) float64, metres; NaN where fewer than two views agree.
        covariance_m2: (n, K, 3, 3) float64; NaN where the joint is. Large along the rays of views that look from
            nearly the same side.
        score: (n, K) float64 in [0, 1]: how probable it is that the views mean this joint; 0 where it is NaN.
        used: (C, n, K) bool, the views that agree on it.
    """

    joints_m: Array
    covariance_m2: Array
    score: Array
    used: Bool


def triangulate_joints(
    cameras: Sequence[PinholeCamera],
    keypoints_px: ArrayLike,
    score: ArrayLike,
    sd_px: ArrayLike = 3.0,
    settings: JointSettings | None = None,
) -> Joints:
    """Joints of people from their keypoints in several cameras; views that saw something else are found and left out.

    The score is the posterior probability that at most one of the m views that agree is wrong (with two views, none),
    against wrong ones that agree by chance (probability `chance` for each of 2m - 3 constraints), and every view that
    disagrees being wrong: with q the keypoints' scores, w the probability of fewer than two right ones among the m, and
    d the product of 1 - q over the views that disagree, it is (1 - w) d / ((1 - w) d + w chance^(2m - 3)).

    Args:
        cameras: C cameras.
        keypoints_px: (C, n, K, 2), pixels as recorded; NaN where a camera did not see one.
        score: (C, n, K) in [0, 1], how probable it is that the keypoint is right.
        sd_px: Standard deviation of each of a keypoint's coordinates if its score is 1, pixels; broadcast to (C, n, K).
        settings: What agrees, and what is believed.

    Raises:
        DataError: A shape does not fit, a score is out of range, or a standard deviation is not positive.

    >>> size = {"width_px": 640, "height_px": 480, "focal_px": 500}
    >>> views = [PinholeCamera.look_at([x, y, 2.5], [0, 0, 1], **size) for x, y in ((3, 0), (0, 3), (-3, 0))]
    >>> wrist_m = np.array([[[0.2, -0.1, 1.3]]])
    >>> pixels = np.stack([view.project(wrist_m)[0] for view in views])
    >>> pixels[2] += 80.0  # this one is of somebody else
    >>> found = triangulate_joints(views, pixels, np.full((3, 1, 1), 0.9))
    >>> found.joints_m.round(6), found.used.ravel(), found.score.round(2)
    (array([[[ 0.2, -0.1,  1.3]]]), array([ True,  True, False]), array([[0.68]]))
    """
    settings = settings or JointSettings()
    seen, sure, sd = _checked(len(cameras), keypoints_px, score, sd_px)
    shape = seen.shape[1:3]
    looked = np.isfinite(seen).all(axis=3) & (sure >= max(settings.least_score, _LEAST))
    flat = len(cameras), shape[0] * shape[1]
    pixels = np.where(looked[..., None], seen, np.nan).reshape(*flat, 2)
    spread = (sd / np.maximum(sure, _LEAST) ** settings.power).reshape(flat)
    point, inverse, squares, used = _agreed(cameras, pixels, spread, np.ones_like(spread), settings)
    there = looked.reshape(flat)
    doubtful = (there & ~used).any(axis=0) & (there.sum(axis=0) > 2)
    if doubtful.any():
        agrees = (1 + used.reshape(looked.shape).sum(axis=2)) / (2 + looked.sum(axis=2))
        trust = np.repeat(agrees, shape[1], axis=1)[:, doubtful]
        again = _agreed(cameras, pixels[:, doubtful], spread[:, doubtful], trust, settings)
        point[doubtful], inverse[doubtful], squares[doubtful], used[:, doubtful] = again
    freedom = np.where(used.any(axis=0), 2.0 * used.sum(axis=0) - 3, 0.0).reshape(shape).sum(axis=1)
    total = squares.reshape(shape).sum(axis=1)
    scale = (settings.believed + total) / (settings.believed + freedom)
    return Joints(
        joints_m=point.reshape(*shape, 3),
        covariance_m2=inverse.reshape(*shape, 3, 3) * scale[:, None, None, None],
        score=_trust(sure.reshape(flat), used, there, settings).reshape(shape),
        used=used.reshape(len(cameras), *shape),
    )


def _agreed(
    cameras: Sequence[PinholeCamera], pixels: Array, sd_px: Array, trust: Array, settings: JointSettings
) -> tuple[Array, Array, Array, Bool]:
    """`agreed` of any number of points, in bounded memory."""
    parts = []
    for start in range(0, max(pixels.shape[1], 1), _CHUNK):  # no points are a chunk too
        rows = slice(start, start + _CHUNK)
        parts.append(agreed(cameras, pixels[:, rows], sd_px[:, rows], settings.gate, trust[:, rows]))
    point, inverse, squares = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return point, inverse, squares, np.concatenate([part[3] for part in parts], axis=1)


def _checked(count: int, keypoints_px: ArrayLike, score: ArrayLike, sd_px: ArrayLike) -> tuple[Array, Array, Array]:
    seen, sure = np.array(keypoints_px, np.float64), np.asarray(score, np.float64)
    if seen.ndim != 4 or len(seen) != count or seen.shape[3] != 2:
        raise DataError(f"keypoints_px has shape {seen.shape}", key="keypoints_px", expected=f"({count}, n, K, 2)")
    if sure.shape != seen.shape[:3]:
        raise DataError(f"score has shape {sure.shape}", key="score", expected=f"{seen.shape[:3]}")
    known = np.isfinite(seen).all(axis=3)
    if not ((sure >= 0) & (sure <= 1))[known].all():
        raise DataError("a score is out of range", key="score", expected="0 to 1")
    try:
        sd = np.broadcast_to(np.asarray(sd_px, np.float64), sure.shape)
    except ValueError:
        raise DataError(f"sd_px has shape {np.shape(sd_px)}", key="sd_px", expected=f"{sure.shape}") from None
    if not ((sd > 0) & np.isfinite(sd))[known].all():
        raise DataError("a standard deviation is not a positive number", key="sd_px", expected="pixels, more than 0")
    return seen, sure, sd


def _trust(score: Array, used: Bool, looked: Bool, settings: JointSettings) -> Array:
    """(N,) the posterior probability of the docstring above."""
    q = np.clip(np.where(looked, score, 0.0), 0.0, _SUREST)
    wrong = np.where(used, 1 - q, 1.0)
    none = wrong.prod(axis=0)
    lonely = none * (1 + np.where(used, q / wrong, 0.0).sum(axis=0))
    views = used.sum(axis=0)
    few = np.where(views == 2, 1 - np.where(used, q, 1.0).prod(axis=0), lonely)
    right = (1 - few) * np.where(looked & ~used, 1 - q, 1.0).prod(axis=0)
    luck = few * settings.chance ** np.maximum(2.0 * views - 3, 0.0)
    trust: Array = np.where(views >= 2, right / np.maximum(right + luck, 1e-300), 0.0)
    return trust
