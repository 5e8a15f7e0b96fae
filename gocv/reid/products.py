"""Inner products of many vectors where they are quickest."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gocv.metrics.reid.distance import Product, on_this_processor

Float32 = NDArray[np.float32]


class DeviceProduct:
    """Inner products by torch; what is searched in stays on the device from one chunk of queries to the next.

    Args:
        device: As torch names it.
    """

    def __init__(self, device: str | torch.device) -> None:
        self._device = torch.device(device)
        self._searched: tuple[Float32, Tensor] | None = None

    def __call__(self, query: Float32, gallery: Float32) -> Float32:
        """(q, g) float32 of (q, D) and (g, D) float32; the gallery must not be changed between calls."""
        if self._searched is None or self._searched[0] is not gallery:
            self._searched = gallery, torch.from_numpy(gallery).to(self._device)
        found = torch.from_numpy(query).to(self._device) @ self._searched[1].T
        products: Float32 = found.cpu().numpy()
        return products


def quickest_product() -> Product:
    """On the GPU where there is one, else by numpy."""
    return DeviceProduct("cuda") if torch.cuda.is_available() else on_this_processor
