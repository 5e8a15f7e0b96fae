"""Pictures of products, and a data set of them in parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.pictures import read_picture

UInt8 = NDArray[np.uint8]

UNKNOWN = -1
"""Number of the product of a picture that does not say which it is."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ProductPictures:
    """Pictures of products, a row each. Indexing with a mask, an integer array or a slice gives those rows.

    >>> pictures = ProductPictures((Path("a.jpg"), Path("b.jpg")), ("milk",), np.array([0, -1]))
    >>> pictures[pictures.product >= 0].files[0].name
    'a.jpg'

    Attributes:
        files: n paths, not opened.
        products: Names; `product` indexes them.
        product: (n,) int64, read-only; -1 where it is not known.
        xyxy: (n, 4) float32, read-only: the product's box in pixels of the file; NaN where the whole picture is meant,
            as where it is left out.

    Raises:
        DataError: A column has not a row for each file, or a number names no product.
    """

    files: tuple[Path, ...]
    products: tuple[str, ...]
    product: NDArray[np.int64]
    xyxy: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        n = len(self.files)
        product = np.array(self.product, np.int64).reshape(-1)
        boxes = np.full((n, 4), np.nan) if self.xyxy is None else np.asarray(self.xyxy)
        if len(product) != n or boxes.shape != (n, 4):
            raise DataError(
                f"{n} files, product {product.shape}, xyxy {boxes.shape}", expected="a row for each file, (n,), (n, 4)"
            )
        if n and not (product.min() >= UNKNOWN and product.max() < len(self.products)):
            raise DataError("a number names no product", key="product", expected="an index into products, or -1")
        for name, array in (("product", product), ("xyxy", boxes.astype(np.float32))):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, rows: NDArray[Any] | slice | Sequence[int]) -> ProductPictures:
        if isinstance(rows, (int, np.integer)):
            raise TypeError("index with a slice, a mask or an array of rows: a single row is x[i:i + 1]")
        index: Any = rows if isinstance(rows, slice) else np.asarray(rows, dtype=None if len(rows) else np.int64)
        files = tuple(self.files[row] for row in np.arange(len(self))[index])
        assert self.xyxy is not None
        return ProductPictures(files, self.products, self.product[index], self.xyxy[index])

    def picture(self, row: int) -> UInt8:
        """(h, w, 3) uint8, RGB: the picture of a row, cut to its box; at least one pixel is taken.

        Raises:
            DataError: The file is missing or cannot be decoded.
        """
        assert self.xyxy is not None
        image, box = read_picture(self.files[row]), self.xyxy[row]
        if np.isnan(box).any():
            return image
        limit = np.array([image.shape[1], image.shape[0]])
        left, top = np.clip(np.floor(box[:2]), 0, limit - 1).astype(int)
        right, bottom = np.clip(np.ceil(box[2:]), 1, limit).astype(int)
        return image[top : max(bottom, top + 1), left : max(right, left + 1)]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ProductDataset:
    """Pictures of the same products from a catalogue, to learn from, and to be recognised.

    Attributes:
        name: What it is called.
        kinds: What kind of product each of the products is.
        catalogue: A picture or more of each product, as its maker shows it.
        train: To learn from, or to fill a gallery with.
        val: To be recognised.
    """

    name: str
    kinds: tuple[str, ...]
    catalogue: ProductPictures
    train: ProductPictures
    val: ProductPictures

    @property
    def products(self) -> tuple[str, ...]:
        """Names of all products."""
        return self.catalogue.products


def middle_crop(image: UInt8, share: float) -> UInt8:
    """The middle of a picture: `share`, above 0 and at most 1, of its height and of its width, at least one pixel.

    >>> middle_crop(np.zeros((8, 4, 3), np.uint8), 0.5).shape
    (4, 2, 3)
    """
    high, wide = image.shape[:2]
    tall, broad = max(1, round(high * share)), max(1, round(wide * share))
    top, left = (high - tall) // 2, (wide - broad) // 2
    return image[top : top + tall, left : left + broad]
