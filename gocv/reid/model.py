"""The network: trunk, pooling, neck and, while it learns, a classifier of the people in the training set."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gocv.reid.backbones import make_backbone
from gocv.reid.config import ReidModelConfig


class Learned(NamedTuple):
    """What the network gives while it learns.

    Attributes:
        before: (n, D) float, before the neck: for losses that compare vectors by distance.
        vector: (n, D) float, after the neck, not normalised.
        logits: (n, people) float of the classifier; (n, 0) where there is none.
    """

    before: Tensor
    vector: Tensor
    logits: Tensor


class ReidModel(nn.Module):
    """A network from crops to vectors.

    Args:
        config: What it is made of.
        people: Of the training set, for the classifier; 0 for none.
        pretrained: Whether the trunk's library fetches its ImageNet weights.

    Raises:
        ConfigError: As for `gocv.reid.backbones.make_backbone`.
    """

    def __init__(self, config: ReidModelConfig, people: int = 0, *, pretrained: bool = False) -> None:
        super().__init__()
        self.config = config
        size = (config.height_px, config.width_px)
        self.backbone = make_backbone(
            config.backbone, last_stride=config.last_stride, pretrained=pretrained, size_px=size
        )
        channels = int(self.backbone.channels)  # type: ignore[arg-type]
        self.length = config.vector or channels
        self.power = nn.Parameter(torch.tensor(3.0)) if config.pooling == "gem" else None
        self.reduce = nn.Identity() if config.vector is None else nn.Linear(channels, config.vector)
        self.neck = _neck(config.neck, self.length)
        self.classifier = nn.Linear(self.length, people, bias=False) if people else None
        if self.classifier is not None:
            nn.init.normal_(self.classifier.weight, std=0.001)

    def forward(self, crops: Tensor) -> Tensor:
        """(n, 3, height_px, width_px) float32, normalised, to (n, D) float32 vectors of length 1."""
        return F.normalize(self.neck(self._pooled(crops)), dim=1)

    def learn(self, crops: Tensor) -> Learned:
        """As `forward`, with all that losses need."""
        before = self._pooled(crops)
        vector = self.neck(before)
        logits = vector.new_empty(len(vector), 0) if self.classifier is None else self.classifier(vector)
        return Learned(before, vector, logits)

    def _pooled(self, crops: Tensor) -> Tensor:
        found = self.backbone(crops)
        if self.power is None:
            pooled = found.mean((2, 3))
        else:
            pooled = found.clamp(min=1e-6).pow(self.power).mean((2, 3)).pow(1 / self.power)
        reduced: Tensor = self.reduce(pooled)
        return reduced


def _neck(kind: str, length: int) -> nn.Module:
    if kind == "none":
        return nn.Identity()
    if kind == "bn_relu":
        return nn.Sequential(nn.BatchNorm1d(length), nn.ReLU())
    neck = nn.BatchNorm1d(length)
    neck.bias.requires_grad_(False)
    return neck
