"""How pictures of people are varied while a pose network learns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from gocv.data.config import Model
from gocv.data.poses import COCO17
from gocv.detect.pose.crops import GREY, windows
from gocv.detect.pose.estimator import ROOM
from gocv.train.augment import Augmentation, AugmentSettings

Float32 = NDArray[np.float32]

MIRRORED = tuple(COCO17.index({"l_": "r_", "r_": "l_"}.get(name[:2], name[:2]) + name[2:]) for name in COCO17)
"""Where each keypoint is in a mirror image."""
_HIDDEN = 0.2
"""How much the place of a keypoint counts that a rectangle covers."""


class VariationSettings(Model):
    """Shares of the pictures, and by how much.

    Attributes:
        mirror: Left for right.
        turn: Turned by any angle: who walks below a ceiling camera has the head anywhere.
        lean_deg: The others are turned by up to so much, either way.
        scale: The box is larger or smaller by up to this share.
        shift: And moved by up to this share of its larger side.
        part: Only a part of the person is in the box: up to half of it is missing at one side.
        cover: A rectangle hides something.
        coarse: Blown up from 0.25 to 0.8 of the resolution.
        colour: As in `AugmentSettings`.
        blur: As there.
        compress: As there.
    """

    mirror: float = Field(default=0.5, ge=0, le=1)
    turn: float = Field(default=0.3, ge=0, le=1)
    lean_deg: float = Field(default=25.0, ge=0, le=180)
    scale: float = Field(default=0.25, ge=0, lt=1)
    shift: float = Field(default=0.1, ge=0, le=0.5)
    part: float = Field(default=0.2, ge=0, le=1)
    cover: float = Field(default=0.3, ge=0, le=1)
    coarse: float = Field(default=0.3, ge=0, le=1)
    colour: float = Field(default=0.5, ge=0, le=1)
    blur: float = Field(default=0.15, ge=0, le=1)
    compress: float = Field(default=0.15, ge=0, le=1)


class Varied(NamedTuple):
    """A picture as the network gets it, and the truth in it.

    Attributes:
        crop: (h, w, 3) uint8.
        points: (17, 2) float32, pixels of the crop, (0, 0) the middle of its first; 0 where not known.
        seen: (17,) float32 in [0, 1]; NaN where not known.
        weight: (17,) float32, 0 where the place is not known or beyond the crop.
    """

    crop: NDArray[np.uint8]
    points: Float32
    seen: Float32
    weight: Float32


class Variations:
    """Pictures of people, varied; the same picture and seed always give the same.

    Args:
        settings: How; None leaves all as it is.
        size_px: Height and width of the network's input.
    """

    def __init__(self, settings: VariationSettings | None, size_px: tuple[int, int]) -> None:
        self._settings, self._size = settings, size_px
        s = settings or VariationSettings()
        still = {"mirror": 0.0, "shift": 0.0, "erase": 0.0}
        looks = AugmentSettings(**still, colour=s.colour, blur=s.blur, compress=s.compress)
        self._looks = Augmentation(looks, size_px) if settings else None

    def __call__(
        self, image: NDArray[np.uint8], box: Float32, points: Float32, seen: Float32, weight: Float32, seed: int
    ) -> Varied:
        """One person: (h, w, 3) uint8, (4,) xyxy, (17, 2) pixels, (17,) and (17,)."""
        rng = np.random.default_rng(seed)
        s = self._settings
        mirror = s is not None and bool(rng.random() < s.mirror)
        if mirror:
            points, seen, weight = points[list(MIRRORED)], seen[list(MIRRORED)], weight[list(MIRRORED)]
        into = self._placement(box.astype(np.float64), mirror, rng)
        back = np.linalg.inv(into)
        height, width = self._size
        # Pillow asks for the corner of each pixel's place, and adds half a pixel itself.
        crop = np.asarray(
            Image.fromarray(image).transform(
                (width, height),
                Image.Transform.AFFINE,
                tuple(back[:2].ravel().tolist()),
                Image.Resampling.BILINEAR,
                fillcolor=(GREY, GREY, GREY),
            )
        )
        known: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
        placed = (np.where(known[:, None], points, 0.0) + 0.5) @ into[:2, :2].T + into[:2, 2] - 0.5
        inside: NDArray[np.bool_] = (
            known & (placed >= -0.5).all(axis=1) & (placed < np.array([width, height]) - 0.5).all(axis=1)
        )
        seen = np.where(known & ~inside, 0.0, seen)
        weight = np.where(inside, weight, 0.0)
        if s is not None and self._looks is not None:
            crop = self._looks(_coarse(crop, s, rng), int(rng.integers(2**31)))
            if rng.random() < s.cover:
                crop, hidden = _covered(crop, placed, rng)
                seen, weight = np.where(hidden & known, 0.0, seen), np.where(hidden, _HIDDEN * weight, weight)
        placed = np.where(inside[:, None], placed, 0.0)
        return Varied(crop, *(value.astype(np.float32) for value in (placed, seen, weight)))

    def _placement(self, box: NDArray[np.float64], mirror: bool, rng: np.random.Generator) -> NDArray[np.float64]:
        """(3, 3) from the picture, counted from its edge, to the crop."""
        height, width = self._size
        s, angle = self._settings, 0.0
        if s is not None:
            box = _jittered(box, s, rng)
            limit = np.pi if rng.random() < s.turn else np.deg2rad(s.lean_deg)
            angle = rng.uniform(-limit, limit)
        middle = (box[:2] + box[2:]) / 2
        half = (box[2:] - box[:2]) / 2
        turned = np.abs([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ half
        # A turned box is larger than the person in it, who fills about this much less of it.
        turned = np.minimum(turned, half.max() * 1.1)
        (window,) = windows(np.concatenate([middle - turned, middle + turned])[None], self._size, ROOM)
        scale = width / (window[2] - window[0])
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if mirror else 1.0, 1.0])
        into = np.eye(3)
        into[:2, :2] = turn
        into[:2, 2] = np.array([width, height]) / 2 - turn @ middle
        return into


def _jittered(box: NDArray[np.float64], s: VariationSettings, rng: np.random.Generator) -> NDArray[np.float64]:
    size = box[2:] - box[:2]
    if rng.random() < s.part:
        side, share = int(rng.integers(4)), rng.uniform(0.2, 0.5)
        moved = box.copy()
        moved[side] += (1 if side < 2 else -1) * share * size[side % 2]
        box = moved
    size = box[2:] - box[:2]
    middle = (box[:2] + box[2:]) / 2 + rng.uniform(-s.shift, s.shift, 2) * size.max()
    half = size / 2 * (1 + rng.uniform(-s.scale, s.scale))
    return np.concatenate([middle - half, middle + half])


def _coarse(crop: NDArray[np.uint8], s: VariationSettings, rng: np.random.Generator) -> NDArray[np.uint8]:
    if rng.random() >= s.coarse:
        return crop
    share = rng.uniform(0.25, 0.8)
    size = crop.shape[1], crop.shape[0]
    small = Image.fromarray(crop).resize((round(size[0] * share), round(size[1] * share)), Image.Resampling.BOX)
    return np.asarray(small.resize(size, Image.Resampling.BILINEAR))


def _covered(
    crop: NDArray[np.uint8], points: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The picture with a noisy rectangle, and which points it hides."""
    limit = np.array([crop.shape[1], crop.shape[0]])
    size = rng.uniform(0.1, 0.4, 2) * limit
    first = (rng.uniform(0, 1, 2) * (limit - size)).astype(int)
    last = (first + size).astype(int)
    noise = rng.normal(0.0, rng.uniform(2, 40), (*(last - first)[::-1], 3))
    covered = crop.copy()
    covered[first[1] : last[1], first[0] : last[0]] = np.clip(rng.integers(0, 256, 3) + noise, 0, 255)
    return covered, np.asarray(((points >= first) & (points < last)).all(axis=1))
