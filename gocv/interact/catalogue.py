"""A store's catalogue pictures: a folder of `PRODUCT_ID.png`, or of several, `PRODUCT_ID-2.png` and so on."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.core import DataError
from gocv.data.pictures import SUFFIXES, read_picture

UInt8 = NDArray[np.uint8]

_PLAIN = 14
"""A pixel that differs from the corners by no more than this, of 255, is background."""
_GROUND = 140
_SHARE = 0.45
"""Of the crop's side that the longer side of the pack takes, about as much as in a hand."""


def read_catalogue(folder: str | Path, products: Collection[str], size: int) -> tuple[tuple[str, ...], UInt8]:
    """The catalogue pictures of some products, as crops that an encoder of hands takes.

    Files of other names are passed over, as are products without a picture.

    Args:
        folder: Where they are.
        products: Ids.
        size: Of the crops, pixels.

    Returns:
        The product of each picture, sorted; (n, size, size, 3) uint8.

    Raises:
        DataError: The folder is missing, or a picture cannot be decoded.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError("is not there", file=root, expected="a folder of catalogue pictures, PRODUCT_ID.png")
    found: list[tuple[str, Path]] = []
    for file in sorted(root.iterdir()):
        whole, _, number = file.stem.rpartition("-")
        product = file.stem if file.stem in products else whole if number.isdigit() and whole in products else None
        if product is not None and file.suffix.lower() in SUFFIXES:
            found.append((product, file))
    found.sort()
    crops = [catalogue_crop(read_picture(file), size) for _, file in found]
    return tuple(product for product, _ in found), np.array(crops, np.uint8).reshape(-1, size, size, 3)


def catalogue_crop(picture: UInt8, size: int) -> UInt8:
    """A pack before a plain background, cut out and laid on grey, as large as in a hand.

    Args:
        picture: (h, w, 3) uint8. Where nothing stands out from its corners all of it is taken for the pack.
        size: Of the crop, pixels.

    Returns:
        (size, size, 3) uint8.
    """
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]].astype(np.int64)
    pack = (np.abs(picture.astype(np.int64) - np.median(corners, axis=0)) > _PLAIN).any(axis=2)
    if not pack.any():
        pack[:] = True
    rows, columns = np.flatnonzero(pack.any(axis=1)), np.flatnonzero(pack.any(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    own, alpha = picture[part], pack[part]
    scale = _SHARE * size / max(alpha.shape)
    high, wide = (max(1, round(scale * side)) for side in alpha.shape)
    cover = _resized(np.where(alpha, np.uint8(255), np.uint8(0)), (wide, high)).astype(np.float64)[..., None] / 255
    # Background must not shine through at the pack's edges: colours are weighted with what is pack.
    colour = _resized(np.where(alpha[..., None], own, np.uint8(0)), (wide, high)).astype(np.float64)
    crop = np.full((size, size, 3), float(_GROUND))
    top, left = (size - high) // 2, (size - wide) // 2
    crop[top : top + high, left : left + wide] = colour + (1 - cover) * _GROUND
    return np.asarray(np.clip(np.round(crop), 0, 255), np.uint8)


def _resized(picture: UInt8, size: tuple[int, int]) -> UInt8:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
