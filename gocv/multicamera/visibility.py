"""Which cameras should see somebody who stands at a place, and how well each finds people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.geometry.distortion import fold_radius
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_HALF_WIDTH = 0.18
"""Of a standing person, share of their height."""
_PRIOR_LOOKS = 10.0
_CLEAR = 0.7
"""Who is visible by this share should be found."""


class Visibility:
    """Who should be seen by whom, learnt as people are found and missed.

    Args:
        cameras: The cameras.
        settings: How tall people are.
        found: Probability, to begin with, that a camera finds who is unhidden in its picture.
    """

    def __init__(self, cameras: Sequence[PinholeCamera], settings: BoxSettings, found: float) -> None:
        self._height_m = settings.height_m
        self._from_world = np.array([camera.camera_T_world[:3] for camera in cameras]).reshape(-1, 3, 4)
        self._matrix = np.array([camera.matrix for camera in cameras]).reshape(-1, 3, 3)
        self._lens = np.array([camera.distortion for camera in cameras]).reshape(-1, 5)
        self._size = np.array([[camera.width_px, camera.height_px] for camera in cameras], np.float64).reshape(-1, 2)
        self._fold2 = np.array([fold_radius(camera.distortion) for camera in cameras]).reshape(-1, 1, 1) ** 2
        self._hits = np.full(len(cameras), _PRIOR_LOOKS * found)
        self._looks = np.full(len(cameras), _PRIOR_LOOKS)

    @property
    def found(self) -> Float64:
        """(C,) probability that each camera finds who is unhidden in its picture."""
        found: Float64 = np.clip(self._hits / self._looks, 0.05, 0.95)
        return found

    def visible(self, xy_m: Float64, present: Bool) -> Float64:
        """(C, n) share of each person that each camera could see; 0 where a camera did not look.

        People hide one another as upright boxes do; fixtures are not known here, they are part of how rarely a camera
        finds people.

        Args:
            xy_m: (n, 2) where people stand, metres.
            present: (C,) whether each camera looked.
        """
        n = len(xy_m)
        place = np.empty((2, n, 4))
        place[:, :, :2], place[:, :, 3] = xy_m, 1.0
        place[0, :, 2], place[1, :, 2] = 0.0, self._height_m
        inside = np.einsum("cij,hnj->chni", self._from_world, place)
        depth = inside[..., 2]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            normalised = inside[..., :2] / depth[..., None]
            px = self._pixels(normalised)
            px[(normalised**2).sum(axis=-1) > self._fold2] = np.nan  # there the lens folds them back into the picture
            shown = (depth > 0).all(axis=1) & ((px >= 0) & (px <= self._size[:, None, None])).all(axis=(1, 3))
            shown &= present[:, None]
            return np.where(shown, 1.0 - self._hidden(px, depth[:, 0], shown), 0.0)

    def learn(self, visible: Float64, seen_by: Bool, confirmed: Bool) -> None:
        """Take account of who was found, among those whom another camera found.

        Args:
            visible: (C, n), as `visible` gives it.
            seen_by: (C, n) bool.
            confirmed: (n,) bool, whether they surely exist.
        """
        elsewhere = seen_by.sum(axis=0)[None] - seen_by > 0
        able = (visible > _CLEAR) & confirmed & elsewhere
        self._hits += (able & seen_by).sum(axis=1)
        self._looks += able.sum(axis=1)

    def _pixels(self, normalised: Float64) -> Float64:
        """(C, 2, n, 2) pixels of normalised points, lens included: see `gocv.geometry.distortion`."""
        x, y = normalised[..., 0], normalised[..., 1]
        k1, k2, p1, p2, k3 = self._lens.T[:, :, None, None]
        s = x * x + y * y
        radial = 1 + s * (k1 + s * (k2 + s * k3))
        u = x * radial + 2 * p1 * x * y + p2 * (s + 2 * x * x)
        v = y * radial + p1 * (s + 2 * y * y) + 2 * p2 * x * y
        m = self._matrix[:, :, :, None, None]
        return np.stack([m[:, 0, 0] * u + m[:, 0, 1] * v + m[:, 0, 2], m[:, 1, 1] * v + m[:, 1, 2]], axis=-1)

    def _hidden(self, px: Float64, depth: Float64, shown: Bool) -> Float64:
        """(C, n) share of each that the one before them hides who hides most."""
        x, top, bottom = px[..., 0].mean(axis=1), px[..., 1].min(axis=1), px[..., 1].max(axis=1)
        tall = bottom - top
        half = _HALF_WIDTH * np.maximum(tall, 1.0)
        left, right = x - half, x + half
        wide = np.minimum(right[:, :, None], right[:, None]) - np.maximum(left[:, :, None], left[:, None])
        high = np.minimum(bottom[:, :, None], bottom[:, None]) - np.maximum(top[:, :, None], top[:, None])
        share = np.maximum(wide, 0) * np.maximum(high, 0) / (2 * half * np.maximum(tall, 1.0))[:, :, None]
        before = (depth[:, None] < depth[:, :, None]) & shown[:, None] & shown[:, :, None]
        most: Float64 = np.where(before, share, 0.0).max(axis=2, initial=0.0)
        return np.minimum(most, 1.0)
