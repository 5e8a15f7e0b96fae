"""What one gets without learning: histograms of colour, stripe by stripe."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.reid.crop_encoder import CropEncoder
from gocv.reid.crops import UInt8


class ColourHistogram(CropEncoder):
    """Histograms of hue and saturation, and of value, in horizontal stripes; their square roots make the vector.

    The stripes are those of Gray and Tao, "Viewpoint Invariant Pedestrian Recognition with an Ensemble of Localized
    Features", ECCV 2008, §3.1. The inner product of square roots is the Bhattacharyya coefficient of two histograms.

    Args:
        stripes: How many.
        batch: Crops at a time.
    """

    _HUES, _SATURATIONS, _VALUES = 16, 4, 16

    def __init__(self, *, stripes: int = 6, batch: int = 64) -> None:
        self._stripes = stripes
        super().__init__((128, 64), stripes * (self._HUES * self._SATURATIONS + self._VALUES), batch)

    def _vectors(self, crops: UInt8) -> NDArray[np.float32]:
        return np.stack([self._histogram(crop) for crop in crops])

    def _histogram(self, crop: UInt8) -> NDArray[np.float32]:
        hsv = np.asarray(Image.fromarray(crop).convert("HSV")).astype(int)
        parts = []
        for stripe in np.array_split(hsv, self._stripes):
            hue, saturation, value = stripe.reshape(-1, 3).T
            colour = hue * self._HUES // 256 * self._SATURATIONS + saturation * self._SATURATIONS // 256
            parts.append(np.bincount(colour, minlength=self._HUES * self._SATURATIONS) / len(colour))
            parts.append(np.bincount(value * self._VALUES // 256, minlength=self._VALUES) / len(value))
        return np.sqrt(np.concatenate(parts)).astype(np.float32)
