"""What all encoders share: crops are cut, encoded some at a time, and their vectors have length 1."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Detections, Embeddings, Frame
from gocv.reid.crops import UInt8, cut_crops


class CropEncoder(ABC):
    """Base of encoders; it has the method of the protocol `gocv.core.Encoder`.

    Args:
        size_px: Height and width to which crops are brought.
        length: Of the vectors.
        batch: Crops at a time.
    """

    def __init__(self, size_px: tuple[int, int], length: int, batch: int) -> None:
        self.size_px, self.length, self._batch = size_px, length, batch

    def encode(self, frame: Frame, detections: Detections) -> Embeddings:
        """A vector for every detection of the frame, in their order.

        Raises:
            DataError: A box is not finite.
        """
        (found,) = self.encode_frames([frame], [detections])
        return found

    def encode_frames(self, frames: Sequence[Frame], detections: Sequence[Detections]) -> list[Embeddings]:
        """As `encode`, of several frames: their crops go through the network together.

        Raises:
            DataError: A box is not finite, or there are not as many tables as frames.
        """
        if len(frames) != len(detections):
            raise DataError(f"{len(frames)} frames and {len(detections)} tables", expected="a table for each frame")
        crops = [cut_crops(f.image, d.xyxy, self.size_px) for f, d in zip(frames, detections, strict=True)]
        vectors = self.encode_crops(np.concatenate([np.empty((0, *self.size_px, 3), np.uint8), *crops]))
        last = np.cumsum([len(own) for own in crops])
        return [
            Embeddings(vectors[end - len(own) : end], np.arange(len(own))) for own, end in zip(crops, last, strict=True)
        ]

    def encode_crops(self, crops: UInt8) -> NDArray[np.float32]:
        """(n, D) float32 vectors of length 1.

        Args:
            crops: (n, height, width, 3) uint8, RGB, of `size_px`.

        Raises:
            DataError: They have another shape or type.
        """
        if crops.ndim != 4 or crops.shape[1:] != (*self.size_px, 3) or crops.dtype != np.uint8:
            raise DataError(
                f"crops are {crops.shape} {crops.dtype}", expected=f"(n, {self.size_px[0]}, {self.size_px[1]}, 3) uint8"
            )
        found = np.zeros((len(crops), self.length), np.float32)
        for start in range(0, len(crops), self._batch):
            found[start : start + self._batch] = self._vectors(crops[start : start + self._batch])
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), np.float32(1e-12))
        return found

    @abstractmethod
    def _vectors(self, crops: UInt8) -> NDArray[np.float32]:
        """(n, D) float32 of at least one and at most `batch` crops."""
