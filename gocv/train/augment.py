"""How pictures of people are varied while a network learns."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import MissingDependencyError
from gocv.data.config import Model

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or it asks the network for a newer version of itself
try:
    import albumentations
except ImportError as error:
    raise MissingDependencyError("training needs albumentations: pip install 'gocv[train]'") from error

UInt8 = NDArray[np.uint8]


class AugmentSettings(Model):
    """Shares of the pictures that are varied in each way.

    Attributes:
        mirror: Left for right.
        upside_down: Top for bottom: who walks below a ceiling camera has the head anywhere.
        rotate_deg: Turned by up to so much, either way.
        shift: Moved by up to this share of the size, after a border of that width was added.
        colour: Brightness, contrast, saturation and hue.
        blur: Out of focus or moved.
        compress: As by a poor JPEG.
        hide_part: A part is missing, see `HidePart`.
        erase: A rectangle is noise (random erasing, Zhong et al. 2020, arXiv:1708.04896).
    """

    mirror: float = Field(default=0.5, ge=0, le=1)
    upside_down: float = Field(default=0.0, ge=0, le=1)
    rotate_deg: float = Field(default=0.0, ge=0, le=180)
    shift: float = Field(default=0.05, ge=0, le=0.5)
    colour: float = Field(default=0.3, ge=0, le=1)
    blur: float = Field(default=0.1, ge=0, le=1)
    compress: float = Field(default=0.1, ge=0, le=1)
    hide_part: float = Field(default=0.0, ge=0, le=1)
    erase: float = Field(default=0.5, ge=0, le=1)


class HidePart(albumentations.ImageOnlyTransform):  # type: ignore[misc]
    """Leave a part of a person away, as shelves and others do before a ceiling camera.

    Mostly it is the lower part, so that head and shoulders are left; else it is a side or the upper part. What is
    hidden is either cut away, as where a detector's box ends there, or covered with one colour and noise.

    Args:
        least: Share of the height or width that is hidden, at least.
        most: At most.
        p: Share of the pictures.
    """

    _SIDES, _SHARES = ("bottom", "left", "right", "top"), (0.6, 0.15, 0.15, 0.1)

    def __init__(self, least: float = 0.25, most: float = 0.65, p: float = 0.5) -> None:
        super().__init__(p=p)
        self.least, self.most = least, most

    def apply(self, img: UInt8, hidden: float, side: str, cut: bool, cover: UInt8 | None = None, **_: Any) -> UInt8:
        """The picture without its part; (h, w, 3) uint8 to the same shape."""
        turned = {"bottom": img, "top": img[::-1], "left": img.swapaxes(0, 1)[::-1], "right": img.swapaxes(0, 1)}[side]
        rest = max(1, round(len(turned) * (1 - hidden)))
        if cut:
            stretched = turned[(np.arange(len(turned)) * rest) // len(turned)]
        else:
            stretched = turned.copy()
            room = stretched[rest:]
            room[:] = np.resize(cover if cover is not None else np.zeros(3, np.uint8), room.shape)
        back = {"bottom": lambda a: a, "top": lambda a: a[::-1], "left": lambda a: a[::-1].swapaxes(0, 1)}
        return np.ascontiguousarray(back.get(side, lambda a: a.swapaxes(0, 1))(stretched))

    def get_params(self) -> dict[str, Any]:
        """What is drawn by lot for one picture."""
        side = self.py_random.choices(self._SIDES, self._SHARES)[0]
        colour = self.random_generator.integers(0, 256, 3)
        noise = self.random_generator.normal(0.0, 12.0, (4096, 3))
        return {
            "hidden": self.py_random.uniform(self.least, self.most),
            "side": side,
            "cut": self.py_random.random() < 0.5,
            "cover": np.clip(colour + noise, 0, 255).astype(np.uint8),
        }


class Augmentation:
    """Pictures of one size, varied; the same picture and seed always give the same.

    Args:
        settings: How.
        size_px: Height and width.
    """

    def __init__(self, settings: AugmentSettings, size_px: tuple[int, int]) -> None:
        s, a = settings, albumentations
        border = (round(size_px[0] * s.shift), round(size_px[1] * s.shift))
        steps: list[albumentations.BasicTransform] = [
            a.HorizontalFlip(p=s.mirror),
            a.VerticalFlip(p=s.upside_down),
            a.Rotate(limit=s.rotate_deg, border_mode=1, p=0.5 if s.rotate_deg else 0.0),
            a.PadIfNeeded(size_px[0] + 2 * border[0], size_px[1] + 2 * border[1], border_mode=1),
            a.RandomCrop(*size_px),
            HidePart(p=s.hide_part),
            a.ColorJitter(brightness=0.25, contrast=0.25, saturation=0.2, hue=0.02, p=s.colour),
            a.OneOf([a.GaussianBlur(blur_limit=(3, 5)), a.MotionBlur(blur_limit=(3, 7))], p=s.blur),
            a.ImageCompression(quality_range=(30, 80), p=s.compress),
            a.Erasing(scale=(0.02, 0.3), ratio=(0.3, 3.3), fill="random", p=s.erase),
        ]
        self._all = a.Compose(steps)

    def __call__(self, image: UInt8, seed: int) -> UInt8:
        """(h, w, 3) uint8 to the same shape."""
        self._all.set_random_seed(seed)
        varied: UInt8 = self._all(image=image)["image"]
        return varied
