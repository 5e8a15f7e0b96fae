"""Crops: boxes of a frame, or whole pictures, brought to one size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gocv.core import DataError

UInt8 = NDArray[np.uint8]


def cut_crops(image: UInt8, xyxy: ArrayLike, size_px: tuple[int, int]) -> UInt8:
    """The parts of a frame in boxes, smoothed as they shrink.

    Args:
        image: (H, W, 3) uint8.
        xyxy: (n, 4) pixels; what lies outside the frame is cut off, and at least one pixel is taken.
        size_px: Height and width of the crops.

    Returns:
        (n, height, width, 3) uint8.

    Raises:
        DataError: A box is not finite.
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        row = int(np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0])
        raise DataError("a box is not finite", row=row, expected="pixels")
    high, wide = image.shape[:2]
    limit = np.array([wide, high])
    first = np.clip(np.floor(boxes[:, :2]), 0, limit - 1).astype(int)
    last = np.maximum(np.clip(np.ceil(boxes[:, 2:]), 0, limit).astype(int), first + 1)
    crops = np.empty((len(boxes), *size_px, 3), np.uint8)
    for i, ((left, top), (right, bottom)) in enumerate(zip(first, last, strict=True)):
        crops[i] = resized(image[top:bottom, left:right], size_px)
    return crops


def resized(image: UInt8, size_px: tuple[int, int]) -> UInt8:
    """A picture (h, w, 3) uint8 brought to height and width."""
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((size_px[1], size_px[0]), Image.Resampling.BILINEAR))


def read_picture(file: Path) -> UInt8:
    """(h, w, 3) uint8, RGB.

    Raises:
        DataError: It is missing or cannot be decoded.
    """
    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, ImportError, Image.DecompressionBombError) as error:  # as plugins raise
        raise DataError(f"cannot be decoded: {error}", file=file, expected="a picture") from error


def read_crops(files: Sequence[Path], size_px: tuple[int, int]) -> tuple[UInt8, NDArray[np.bool_], list[str]]:
    """Pictures of people brought to one size; those that cannot be decoded are passed over.

    Returns:
        (k, height, width, 3) uint8; (n,) which of the files they are; what is wrong with the others.
    """
    crops, known, problems = [], np.zeros(len(files), bool), []
    for i, file in enumerate(files):
        try:
            crops.append(resized(read_picture(file), size_px))
            known[i] = True
        except DataError as error:
            problems.append(str(error))
    return np.array(crops, np.uint8).reshape(-1, *size_px, 3), known, problems
