"""From pictures of products to vectors, by ONNX Runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.core import ConfigError, DataError
from gocv.data.config import build
from gocv.data.networks import Network
from gocv.interact.products.config import ProductModelConfig

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "shipped" / "products.onnx"
"""The encoder that comes with gocv."""

KEY = "gocv.products"
"""Under which the file says what it is."""


class ProductEncoder:
    """A network that `gocv train product` wrote.

    Args:
        weights: The file; None takes the encoder that comes with gocv.
        threads: That ONNX Runtime may use; None leaves it to it.
        batch: Pictures at a time.

    Attributes:
        config: What it is made of.
        name: The first 16 digits of the file's SHA-256: vectors of encoders with other names do not compare.
        length: Of the vectors.

    Raises:
        ConfigError: A number is out of range.
        DataError: The file is missing or no such network.
    """

    def __init__(self, weights: str | Path | None = None, *, threads: int | None = None, batch: int = 16) -> None:
        if batch < 1:
            raise ConfigError(f"is {batch}", key="batch", expected="at least 1")
        file = SHIPPED if weights is None else Path(weights)
        self._network = Network(file, threads=threads, wanted="an .onnx file written by gocv train product")
        described = self._network.about(KEY, "model")["model"]
        self.config = build(ProductModelConfig, described, file=file, error=DataError)
        self.name = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        self.length, self._batch = self.config.vector, batch

    def encode(self, pictures: Sequence[UInt8]) -> Float32:
        """(n, D) float32 vectors of length 1.

        Args:
            pictures: n crops of products, (h, w, 3) uint8, RGB, of any size.

        Raises:
            DataError: A picture has another shape or type, or no pixel.
        """
        vectors = np.zeros((len(pictures), self.length), np.float32)
        for start in range(0, len(pictures), self._batch):
            some = pictures[start : start + self._batch]
            crops = np.stack([squeezed(one, self.config.size_px, start + i) for i, one in enumerate(some)])
            (vectors[start : start + len(some)],) = self._network.run(crops.transpose(0, 3, 1, 2))
        return vectors


def squeezed(picture: UInt8, size_px: int, row: int = 0) -> UInt8:
    """A picture (h, w, 3) uint8 brought to a square of `size_px`, whatever its shape was.

    Raises:
        DataError: It is no such picture; `row` says which one it was.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise DataError(f"a picture is {picture.shape} {picture.dtype}", row=row, expected="(h, w, 3) uint8, RGB")
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.BILINEAR))
