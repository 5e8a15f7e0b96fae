"""What a network of hands is shown: batches, and how pictures in them are varied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset

from gocv.core import DataError
from gocv.data.config import Model
from gocv.interact.hands.data import HandPictures


class BatchSettings(Model):
    """What is in a batch.

    Attributes:
        articles: So many.
        pictures: Of each in a hand.
        catalogue: Of each in the catalogue.
        others: Pictures of any hands as they are met, most of them empty.
        steps: Batches of an epoch.
    """

    articles: int = Field(default=24, ge=2)
    pictures: int = Field(default=4, ge=1)
    catalogue: int = Field(default=2, ge=1)
    others: int = Field(default=80, ge=1)
    steps: int = Field(default=150, ge=1)


class VarySettings(Model):
    """How pictures are varied.

    Attributes:
        mirror: Share that is mirrored.
        shift: Moved by up to this share of the size.
        zoom: Made larger or smaller by up to this share.
        turn_deg: Turned by up to so much.
        light: Brightness and contrast change by up to this share.
        tint: Each colour changes by up to this share.
        noise: Standard deviation, of 255, at most.
        recolour: Share of the articles of a batch whose red, green and blue change places, in all pictures of them: so
            there are more articles than were filmed.
    """

    mirror: float = Field(default=0.5, ge=0, le=1)
    shift: float = Field(default=0.06, ge=0, le=0.5)
    zoom: float = Field(default=0.15, ge=0, lt=1)
    turn_deg: float = Field(default=12.0, ge=0, le=180)
    light: float = Field(default=0.2, ge=0, lt=1)
    tint: float = Field(default=0.05, ge=0, lt=1)
    noise: float = Field(default=6.0, ge=0)
    recolour: float = Field(default=0.6, ge=0, le=1)


class HandBatch(NamedTuple):
    """Pictures to learn from.

    Attributes:
        pixels: (n, 3, size, size) float32 in [0, 255].
        holds: (n,) float32, 1 or 0; NaN where it is not asked.
        article: (n,) int64; -1 where it is not asked.
    """

    pixels: Tensor
    holds: Tensor
    article: Tensor


class HandBatches(Dataset[HandBatch]):
    """Batches by (epoch, step); the same ones always, whatever was drawn before.

    Args:
        pictures: To draw from.
        settings: What is in a batch.
        vary: How pictures are varied.
        seed: Of what is drawn.

    Raises:
        DataError: There are too few articles in hands.
    """

    def __init__(self, pictures: HandPictures, settings: BatchSettings, vary: VarySettings, seed: int) -> None:
        self._pictures, self._settings, self._vary, self._seed = pictures, settings, vary, seed
        shown = np.flatnonzero(pictures.shown)
        order = shown[np.argsort(pictures.article[shown], kind="stable")]
        articles, first = np.unique(pictures.article[order], return_index=True)
        self._rows = dict(zip(articles.tolist(), np.split(order, first[1:]), strict=True))
        self._articles = articles
        self._as_met = np.flatnonzero(~pictures.pasted)
        if len(articles) < settings.articles:
            raise DataError(f"{len(articles)} articles are in hands", expected=f"{settings.articles}, a batch of them")

    def __getitem__(self, at: tuple[int, int]) -> HandBatch:
        """The batch of an epoch and a step."""
        rng, s, p = np.random.default_rng([self._seed, *at]), self._settings, self._pictures
        articles = rng.choice(self._articles, s.articles, replace=False)
        rows = np.concatenate([rng.choice(self._rows[int(article)], s.pictures) for article in articles])
        others = rng.choice(self._as_met, s.others)
        views = rng.integers(0, p.catalogue.shape[1], (s.articles, s.catalogue))
        catalogue = p.catalogue[articles[:, None], views].reshape(-1, *p.crops.shape[1:])
        order = np.array([rng.permutation(3) if rng.random() < self._vary.recolour else np.arange(3) for _ in articles])
        held = _recoloured(p.crops[rows], order)
        crops = np.concatenate([held, p.crops[others], _recoloured(catalogue, order)])
        unasked = np.full(len(catalogue), np.nan)
        holds = np.concatenate([p.holds[rows], p.holds[others], unasked]).astype(np.float32)
        article = np.concatenate(
            [np.repeat(articles, s.pictures), np.full(s.others, -1), np.repeat(articles, s.catalogue)]
        )
        return HandBatch(varied(crops, self._vary, rng), torch.from_numpy(holds), torch.from_numpy(article))


class Steps:
    """A sampler of (epoch, step); Lightning tells it the epoch.

    Args:
        steps: Of an epoch.
    """

    def __init__(self, steps: int) -> None:
        self._steps, self._epoch = steps, 0

    def __len__(self) -> int:
        """Steps of an epoch."""
        return self._steps

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Those of the epoch."""
        return ((self._epoch, step) for step in range(self._steps))

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next, from 0."""
        self._epoch = epoch


def varied(crops: NDArray[np.uint8], settings: VarySettings, rng: np.random.Generator) -> Tensor:
    """Pictures that differ a little from those given.

    Args:
        crops: (n, h, w, 3) uint8.
        settings: How.
        rng: Of what is drawn.

    Returns:
        (n, 3, h, w) float32 in [0, 255].
    """
    s, n = settings, len(crops)
    angle = np.deg2rad(rng.uniform(-s.turn_deg, s.turn_deg, n))
    scale = 1 + rng.uniform(-s.zoom, s.zoom, n)
    flip = np.where(rng.random(n) < s.mirror, -1.0, 1.0)
    move = 2 * rng.uniform(-s.shift, s.shift, (n, 2))
    matrix = np.empty((n, 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = flip * np.cos(angle) * scale, -np.sin(angle) * scale
    matrix[:, 1, 0], matrix[:, 1, 1] = flip * np.sin(angle) * scale, np.cos(angle) * scale
    matrix[:, :, 2] = move
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    grid = F.affine_grid(torch.from_numpy(matrix), list(pixels.shape), align_corners=False)
    pixels = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    gain = (1 + rng.uniform(-s.light, s.light, (n, 1))) * (1 + rng.uniform(-s.tint, s.tint, (n, 3)))
    shift = 128 * rng.uniform(-s.light, s.light, (n, 1))
    pixels = pixels * _each(gain) + _each(np.broadcast_to(shift, (n, 3)) / 2)
    noise = rng.standard_normal(pixels.shape, np.float32) * rng.uniform(0, s.noise, (n, 1, 1, 1)).astype(np.float32)
    return (pixels + torch.from_numpy(noise)).clamp(0, 255)


def _recoloured(crops: NDArray[np.uint8], order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """(a · k, h, w, 3) pictures, k of each article, with their channels in the (a, 3) order of the article."""
    each = np.repeat(order, len(crops) // len(order), axis=0)
    return np.take_along_axis(crops, each[:, None, None, :], axis=3)


def _each(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))[:, :, None, None]
