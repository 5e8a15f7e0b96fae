"""Pictures that a network for products learns from."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.utils.data import Dataset

from gocv.core import MissingDependencyError
from gocv.data.config import Model
from gocv.data.products import ProductPictures
from gocv.interact.products.encoder import squeezed
from gocv.interact.products.made_up import cut_out, package, set_before

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # or it asks the network for a newer version of itself
try:
    import albumentations
except ImportError as error:
    raise MissingDependencyError("training needs albumentations: pip install 'gocv[train]'") from error

UInt8 = NDArray[np.uint8]

_SIDE_PX = 320
"""Of pictures before they are cropped."""

_COPIES = 12
"""Rows of a made-up product; how it is set before a background differs each time anyway."""


class ProductAugmentSettings(Model):
    """Shares of the pictures that are varied in each way. Mirrored they are not: prints have a right way round.

    Attributes:
        rotate_deg: Turned by up to so much, either way.
        least: Smallest share of the area that a crop takes.
        colour: Brightness, contrast, saturation and hue.
        blur: Out of focus, moved, or of few pixels.
        compress: As by a poor JPEG.
        erase: A rectangle is noise.
        white: Share of catalogue pictures and made-up packages that stay before white.
    """

    rotate_deg: float = Field(default=35.0, ge=0, le=180)
    least: float = Field(default=0.25, gt=0, le=1)
    colour: float = Field(default=0.8, ge=0, le=1)
    blur: float = Field(default=0.4, ge=0, le=1)
    compress: float = Field(default=0.3, ge=0, le=1)
    erase: float = Field(default=0.3, ge=0, le=1)
    white: float = Field(default=0.2, ge=0, le=1)


class Batch(NamedTuple):
    """Rows of a training set.

    Attributes:
        pixels: (n, 3, size, size) uint8.
        product: (n,) int64.
    """

    pixels: Tensor
    product: Tensor


class TrainingPictures(Dataset[tuple[UInt8, int]]):
    """Photos, catalogue pictures and made-up packages, varied.

    Args:
        photos: Of products in stores.
        catalogue: Before white.
        made_up: How many products that nobody sells are learnt besides.
        size_px: Side of the squares that are given.
        settings: How they are varied.

    Attributes:
        product: (n,) int64; made-up ones are numbered after all others.
        source: (n,) int64, 0 a photo, 1 a catalogue's, so that a sampler can take some of each.
        products: How many there are, made-up ones included.

    Raises:
        DataError: A picture cannot be decoded.
    """

    def __init__(
        self,
        photos: ProductPictures,
        catalogue: ProductPictures,
        made_up: int,
        size_px: int,
        settings: ProductAugmentSettings,
    ) -> None:
        self._photos = [squeezed(photos.picture(row), _SIDE_PX) for row in range(len(photos))]
        fronts = [catalogue.picture(row) for row in range(len(catalogue))]
        self._cut = [(front, cut_out(front)) for front in fronts] + [package(number) for number in range(made_up)]
        invented = np.repeat(np.arange(made_up), _COPIES)
        first = len(photos.products)
        self.product = np.concatenate([photos.product, catalogue.product, first + invented])
        self.source = np.repeat([0, 1, 0], [len(photos), len(catalogue), len(invented)])
        self.products = first + made_up
        self._front = np.concatenate([np.arange(len(catalogue)), len(catalogue) + invented])
        self._white = settings.white
        self._vary = augmentation(settings, size_px)

    def __len__(self) -> int:
        return len(self.product)

    def __getitem__(self, asked: tuple[int, int]) -> tuple[UInt8, int]:
        row, seed = asked
        rng = np.random.default_rng(seed)
        if row < len(self._photos):
            image = self._photos[row]
        else:
            front, mask = self._cut[self._front[row - len(self._photos)]]
            alone = rng.random() < self._white or not self._photos
            behind = self._photos[int(rng.integers(len(self._photos)))] if not alone else _white()
            image = set_before(front, mask, behind, rng)
        self._vary.set_random_seed(seed)
        return self._vary(image=image)["image"], int(self.product[row])


def collate(rows: list[tuple[UInt8, int]]) -> Batch:
    """Rows as a batch."""
    pixels = torch.from_numpy(np.stack([pixels for pixels, _ in rows])).permute(0, 3, 1, 2)
    return Batch(pixels, torch.tensor([product for _, product in rows]))


def _white() -> UInt8:
    return np.full((_SIDE_PX, _SIDE_PX, 3), 255, np.uint8)


def augmentation(settings: ProductAugmentSettings, size_px: int) -> albumentations.Compose:
    """What varies a picture and brings it to a square of `size_px`; seeded by its `set_random_seed`."""
    a, s = albumentations, settings
    poor = [a.GaussianBlur(blur_limit=(3, 7)), a.MotionBlur(blur_limit=(3, 9)), a.Downscale(scale_range=(0.25, 0.6))]
    return a.Compose(
        [
            a.Rotate(limit=s.rotate_deg, border_mode=1, p=0.6 if s.rotate_deg else 0.0),
            a.Perspective(scale=(0.02, 0.1), p=0.4),
            a.RandomResizedCrop((size_px, size_px), scale=(s.least, 1.0), ratio=(0.75, 1.33)),
            a.ColorJitter(brightness=0.35, contrast=0.35, saturation=0.3, hue=0.03, p=s.colour),
            a.OneOf(poor, p=s.blur),
            a.ImageCompression(quality_range=(30, 90), p=s.compress),
            a.Erasing(scale=(0.02, 0.2), ratio=(0.3, 3.3), fill="random", p=s.erase),
        ]
    )
