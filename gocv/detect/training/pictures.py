"""Pictures with boxes, cut and put together anew each time they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from gocv.core import DataError
from gocv.data.coco import DetectionSet
from gocv.data.pictures import read_picture
from gocv.detect.training.settings import DataSettings
from gocv.train.augment import Augmentation, AugmentSettings

UInt8 = NDArray[np.uint8]
Float = NDArray[np.float64]
_PAD = 114
_KEPT, _FORGOTTEN = 0.25, 0.05
"""Share of a box in the picture from which on it is to be found, and below which it is left out."""


class Shown(NamedTuple):
    """Squares that a network learns from.

    Attributes:
        pixels: (b, 3, s, s) uint8, RGB.
        square: (n,) int64, the square that a box is in.
        xyxy: (n, 4) float32, pixels.
        ignore: (n,) bool.
        distil: (b,) float32, see `SourceSettings`.
    """

    pixels: Tensor
    square: Tensor
    xyxy: Tensor
    ignore: Tensor
    distil: Tensor


class Part(NamedTuple):
    """A picture, or a part of a square: (h, w, 3) uint8, (n, 4) boxes, (n,) whether to ignore them."""

    image: UInt8
    xyxy: Float
    ignore: NDArray[np.bool_]


class Squares(Dataset[tuple[Part, float]]):
    """Squares of pictures of one data set each, by a seed and a side; the same two always give the same.

    Args:
        sets: Data sets whose one class is what is looked for.
        shares: How often each of them comes.
        distil: What is handed on with its squares.
        settings: How they are shown.
        augment: How they are varied; boxes follow `mirror` and `upside_down`.
    """

    def __init__(
        self,
        sets: Sequence[DetectionSet],
        shares: Sequence[float],
        distil: Sequence[float],
        settings: DataSettings,
        augment: AugmentSettings,
    ) -> None:
        for one in sets:
            if not len(one):
                raise DataError("has no picture to learn from", file=one.name)
        self._sets, self._distil, self._settings = sets, distil, settings
        self._shares = np.asarray(shares, np.float64) / np.sum(shares)
        self._augment = augment
        still = {"mirror": 0, "upside_down": 0, "rotate_deg": 0, "shift": 0, "hide_part": 0, "erase": 0}
        colours = augment.model_copy(update=still)
        self._vary = {side: Augmentation(colours, (side, side)) for side in settings.sizes_px}
        self._kept: dict[tuple[int, int], Part] = {}

    def __getitem__(self, which: tuple[int, int]) -> tuple[Part, float]:
        """By seed and side: a square, and its data set's `distil`."""
        seed, side = which
        rng = np.random.default_rng(seed)
        of = int(rng.choice(len(self._sets), p=self._shares))
        square = self._mosaic(of, side, rng) if rng.random() < self._settings.mosaic else self._single(of, side, rng)
        image, xyxy = self._vary[side](square.image, seed), square.xyxy
        if rng.random() < self._augment.mirror:
            image, xyxy = image[:, ::-1], np.stack([side - xyxy[:, 2], xyxy[:, 1], side - xyxy[:, 0], xyxy[:, 3]], 1)
        if rng.random() < self._augment.upside_down:
            image, xyxy = image[::-1], np.stack([xyxy[:, 0], side - xyxy[:, 3], xyxy[:, 2], side - xyxy[:, 1]], 1)
        return Part(np.ascontiguousarray(image), xyxy, square.ignore), self._distil[of]

    def _single(self, of: int, side: int, rng: np.random.Generator) -> Part:
        return self._cut(of, (side, side), side, rng)

    def _mosaic(self, of: int, side: int, rng: np.random.Generator) -> Part:
        x, y = rng.uniform(0.3, 0.7, 2) * side
        x, y = round(x), round(y)
        image, boxes, ignore = np.full((side, side, 3), _PAD, np.uint8), [], []
        for left, top, right, bottom in ((0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)):
            part = self._cut(of, (right - left, bottom - top), side, rng)
            image[top:bottom, left:right] = part.image
            boxes.append(part.xyxy + np.array([left, top, left, top]))
            ignore.append(part.ignore)
        return Part(image, np.concatenate(boxes), np.concatenate(ignore))

    def _cut(self, of: int, size: tuple[int, int], side: int, rng: np.random.Generator) -> Part:
        """A part of a random picture of a set, width x height `size`, where pictures that just fit are `side` long."""
        image, xyxy, ignore = self._picture(of, int(rng.integers(len(self._sets[of]))))
        height, width = image.shape[:2]
        low, high = np.log(self._settings.scale)
        scale = side / max(height, width) * float(np.exp(rng.uniform(low, high)))
        # Where the part lies in the picture, in its pixels; a picture that is smaller lies somewhere in the part.
        room = np.array([width, height]) - np.array(size) / scale
        offset = rng.uniform(np.minimum(room, 0), np.maximum(room, 0))
        canvas = np.full((size[1], size[0], 3), _PAD, np.uint8)
        first = np.ceil(np.maximum(-offset * scale, 0)).astype(int)
        last = np.minimum(np.floor((np.array([width, height]) - offset) * scale), size).astype(int)
        if (last > first).all():
            source = np.clip(np.concatenate([first / scale + offset, last / scale + offset]), 0, [width, height] * 2)
            shown = Image.fromarray(image).resize(
                tuple((last - first).tolist()), Image.Resampling.BILINEAR, tuple(source.tolist())
            )
            canvas[first[1] : last[1], first[0] : last[0]] = np.asarray(shown)
        moved = (xyxy - np.tile(offset, 2)) * scale
        inside = np.clip(moved, 0, np.tile(size, 2))
        share = _area(inside) / np.maximum(_area(moved), 1e-6)
        kept = share >= _FORGOTTEN
        return Part(canvas, inside[kept], (ignore | (share < _KEPT))[kept])

    def _picture(self, of: int, row: int) -> Part:
        if (of, row) in self._kept:
            return self._kept[of, row]
        dataset = self._sets[of]
        image, boxes = read_picture(dataset.files[row]), dataset.of(row)
        factor = min(1.0, self._settings.largest_px / max(image.shape[:2]))
        size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
        if factor < 1:
            image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        part = Part(image, boxes.xyxy.astype(np.float64) * factor, np.asarray(boxes.ignore))
        if self._settings.in_memory:
            self._kept[of, row] = part
        return part


class SeededBatches:
    """A batch sampler of seeds and sides: an epoch's squares follow from the seed and the epoch alone.

    Args:
        batch: Squares of a batch.
        steps: Batches of an epoch.
        sizes_px: Sides, one of which each batch has.
        seed: Of what is drawn.
        rank: Number of this process, where several train together.
    """

    def __init__(self, batch: int, steps: int, sizes_px: Sequence[int], *, seed: int, rank: int = 0) -> None:
        self._batch, self._steps, self._sizes, self._seed, self._rank = batch, steps, sizes_px, seed, rank
        self.set_epoch(0)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._steps

    @property
    def sampler(self) -> SeededBatches:
        """Itself: Lightning tells the epoch to the sampler of a batch sampler, and to no other."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Which epoch comes next, from 0."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Batches of (seed, side)."""
        rng = np.random.default_rng([self._seed, self._epoch, self._rank])
        for _ in range(self._steps):
            side = int(rng.choice(self._sizes))
            yield [(int(seed), side) for seed in rng.integers(0, 2**31, self._batch)]


def collate(rows: Sequence[tuple[Part, float]]) -> Shown:
    """A batch of squares."""
    parts = [part for part, _ in rows]
    square = np.repeat(np.arange(len(parts)), [len(part.xyxy) for part in parts])
    return Shown(
        torch.from_numpy(np.stack([part.image for part in parts])).permute(0, 3, 1, 2),
        torch.from_numpy(square),
        torch.from_numpy(np.concatenate([part.xyxy for part in parts])).float(),
        torch.from_numpy(np.concatenate([part.ignore for part in parts])),
        torch.tensor([distil for _, distil in rows], dtype=torch.float32),
    )


def held_out(dataset: DetectionSet, share: float) -> tuple[DetectionSet, DetectionSet]:
    """Pictures to learn from, and those that are held out, evenly spread over the set."""
    rows = np.arange(len(dataset))
    out = np.floor((rows + 1) * share) > np.floor(rows * share)
    return dataset[~out], dataset[out]


def _area(xyxy: NDArray[Any]) -> Float:
    return np.asarray(np.prod(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0), axis=1))
