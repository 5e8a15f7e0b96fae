"""Crops: boxes of a frame, or whole pictures, brought to one size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gocv.core import DataError
from gocv.data.pictures import read_picture
from gocv.data.progress import with_progress

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
_READ_AT_A_TIME = 256


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


def encode_files(
    encode: Callable[[UInt8], Float32], files: Sequence[Path], size_px: tuple[int, int], what: str
) -> tuple[Float32, NDArray[np.bool_], list[str]]:
    """Vectors of pictures in files, some at a time; those that cannot be decoded are passed over.

    Args:
        encode: From (k, height, width, 3) uint8, k from 0, to (k, D) float32.
        files: n pictures.
        size_px: Height and width to which they are brought.
        what: It is, in a word or two, for the progress.

    Returns:
        (k, D) float32; (n,) which of the files they are; what is wrong with the others.
    """
    vectors, known, problems = [encode(np.empty((0, *size_px, 3), np.uint8))], np.zeros(len(files), bool), []
    starts = range(0, len(files), _READ_AT_A_TIME)
    for start in with_progress(starts, what, len(starts)):
        part = slice(start, start + _READ_AT_A_TIME)
        crops, known[part], wrong = read_crops(files[part], size_px)
        vectors += [encode(crops)] if len(crops) else []
        problems += wrong
    return np.concatenate(vectors), known, problems
