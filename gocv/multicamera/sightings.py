"""From boxes to the floor: where somebody stands whose box a camera drew, and how sure that is.

A box tells it twice. Its lower edge is where the feet are. Its upper edge is the top of a head, h above the floor: the
ray through it meets the level h at a place that moves along the ray's own direction as h does, so that not knowing h
makes that place uncertain along it,

    Σ_head = J Σ_px Jᵀ + σ_h² g gᵀ,   g = d(x, y)/dh = (ray_x, ray_y) / ray_z.

Where both places agree they are joined, each by its information. Where they do not, one edge is not what it seems. Feet
that are hidden bring the lower edge up, and the place too far from the camera: then the head is believed. A head that is
hidden, or low (a child, somebody who bends), brings its place too far: then the feet are believed.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.motion.walking import inverse_2x2
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Where the people in boxes stand.

    Attributes:
        xy_m: (n, 2) float64; NaN where the box says nothing about it.
        covariance_m2: (n, 2, 2) float64; NaN likewise.
        feet: (n,) bool, whether the feet had a say.
    """

    xy_m: Float64
    covariance_m2: Float64
    feet: Bool


def sight(camera: PinholeCamera, xyxy: NDArray[np.float32], settings: BoxSettings) -> Sightings:
    """Where on the floor the people in boxes stand.

    Args:
        camera: Whose boxes.
        xyxy: (n, 4) pixels; one that is not finite says nothing.
        settings: How boxes err.
    """
    boxes = np.asarray(xyxy, np.float64)
    left, top, right, bottom = np.where(np.isfinite(boxes).all(axis=1, keepdims=True), boxes, np.nan).T
    middle, tall = (left + right) / 2, bottom - top
    edge = settings.edge_px
    sd_px = np.maximum(settings.sd_px, settings.sd_share * tall)
    cut = (left <= edge) | (right >= camera.width_px - 1 - edge)
    sd_px = np.where(cut, sd_px + (right - left) / 2, sd_px)
    foot, head = np.stack([middle, bottom], axis=1), np.stack([middle, top], axis=1)

    foot_xy = camera.pixels_to_floor(foot)
    foot_cov = camera.floor_covariance(foot, sd_px)
    foot_ok = _usable(foot_xy, foot_cov, settings) & (bottom < camera.height_px - 1 - edge)

    head_xy = camera.pixels_to_floor(head, settings.height_m)
    head_cov = camera.floor_covariance(head, sd_px, settings.height_m)
    along = (head_xy - camera.position_m[:2]) / (settings.height_m - camera.position_m[2])
    head_cov = head_cov + settings.height_sd_m**2 * along[:, :, None] * along[:, None, :]
    head_ok = _usable(head_xy, head_cov, settings) & (top > edge)

    apart = foot_xy - head_xy
    with np.errstate(invalid="ignore"):
        inverse, _ = inverse_2x2(foot_cov + head_cov)
        squared = np.einsum("ni,nij,nj->n", apart, inverse, apart)
        agree = squared <= settings.agree_sd**2
        foot_further = (apart * (foot_xy - camera.position_m[:2])).sum(axis=1) > 0
    both = foot_ok & head_ok
    use_foot = foot_ok & (~head_ok | agree | ~foot_further)
    use_head = head_ok & (~foot_ok | (both & (agree | foot_further)))
    xy, cov = _joined(foot_xy, foot_cov, head_xy, head_cov)
    only_foot, only_head, none = use_foot & ~use_head, use_head & ~use_foot, ~(use_foot | use_head)
    xy[only_foot], cov[only_foot] = foot_xy[only_foot], foot_cov[only_foot]
    xy[only_head], cov[only_head] = head_xy[only_head], head_cov[only_head]
    xy[none], cov[none] = np.nan, np.nan
    cov[:, [0, 1], [0, 1]] += settings.bias_m**2
    return Sightings(xy, cov, use_foot)


def _usable(xy: Float64, cov: Float64, settings: BoxSettings) -> Bool:
    """Whether a place is known well enough to be of any use."""
    with np.errstate(invalid="ignore"):
        spread = cov[:, 0, 0] + cov[:, 1, 1]
    return np.isfinite(xy).all(axis=1) & np.isfinite(spread) & (np.nan_to_num(spread, nan=np.inf) < settings.worst_m**2)


def _joined(one: Float64, one_cov: Float64, other: Float64, other_cov: Float64) -> tuple[Float64, Float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        own, _ = inverse_2x2(one_cov)
        more, _ = inverse_2x2(other_cov)
        cov, _ = inverse_2x2(own + more)
        xy = (cov @ (own @ one[..., None] + more @ other[..., None]))[..., 0]
    return xy, cov
