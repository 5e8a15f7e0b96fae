"""The network while it learns: MobileNetV2, a linear layer, and a neck."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from gocv.interact.products.config import ProductModelConfig

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in [0, 1], with which the trunk learnt."""


class ProductModel(nn.Module):
    """A network from pixels to vectors.

    Args:
        config: What it is made of.
        frozen: Parts of the trunk, the first ones, that keep the weights they start with; the statistics of their batch
            normalisation follow the pictures.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: ProductModelConfig, frozen: int = 0) -> None:
        super().__init__()
        self.config, self.frozen = config, frozen
        self.trunk = models.mobilenet_v2(weights=None).features
        self.reduce = nn.Linear(1280, config.vector)
        self.neck = nn.BatchNorm1d(config.vector)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1) * 255)
        for part in list(self.trunk.children())[:frozen]:
            part.requires_grad_(False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(n, 3, size, size) float32 in [0, 255], RGB, to (n, D) float32 of length 1."""
        found = (pixels - self.mean) / self.std
        parts = list(self.trunk.children())
        if self.frozen:
            with torch.no_grad():
                for part in parts[: self.frozen]:
                    found = part(found)
        for part in parts[self.frozen :]:
            found = part(found)
        return F.normalize(self.neck(self.reduce(found.mean((2, 3)))), dim=1)
