"""The network: a few convolutions, and two heads that each choose where to look."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gocv.data.config import Model


class HandModelSettings(Model):
    """What the network is made of.

    Attributes:
        size: Of the crops, pixels; a multiple of 8.
        widths: Channels at a half, a quarter and an eighth of the size.
        depth: Residual blocks at a quarter and at an eighth.
        joined: Channels of the map that both heads look at.
        vector: Length of the vector.
    """

    size: int = Field(default=48, ge=16, multiple_of=8)
    widths: tuple[int, int, int] = (24, 48, 96)
    depth: int = Field(default=1, ge=0)
    joined: int = Field(default=96, ge=8)
    vector: int = Field(default=64, ge=8)


class HandModel(nn.Module):
    """From pictures of hands to whether they hold something and a vector of what it looks like.

    Each head takes the mean of the map with weights of its own, which say where what is held is.

    Args:
        settings: What it is made of.
    """

    def __init__(self, settings: HandModelSettings) -> None:
        super().__init__()
        self.settings = settings
        first, second, third = settings.widths
        self.stem = _convolution(3, first, 2)
        self.middle = nn.Sequential(_convolution(first, second, 2), *(_Residual(second) for _ in range(settings.depth)))
        self.deep = nn.Sequential(_convolution(second, third, 2), *(_Residual(third) for _ in range(settings.depth)))
        self.joined = _convolution(second + third, settings.joined, 1, kernel=1)
        cells = settings.size // 4
        self.where = nn.Conv2d(settings.joined, 2, 1)
        self.place = nn.Parameter(torch.zeros(1, 2, cells, cells))
        self.holds = nn.Linear(settings.joined, 1)
        self.vector = nn.Linear(settings.joined, settings.vector)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) log odds and (n, D) vectors of length 1, of (n, 3, size, size) float32 pixels in [0, 255], RGB."""
        middle = self.middle(self.stem(pixels / 127.5 - 1.0))
        deep = F.interpolate(self.deep(middle), scale_factor=2.0, mode="nearest")
        joined = self.joined(torch.cat([middle, deep], dim=1))
        weights = torch.softmax((self.where(joined) + self.place).flatten(2), dim=2)
        pooled = weights @ joined.flatten(2).transpose(1, 2)
        return self.holds(pooled[:, 0])[:, 0], F.normalize(self.vector(pooled[:, 1]), dim=1)


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = _convolution(channels, channels, 1)

    def forward(self, given: Tensor) -> Tensor:
        changed: Tensor = self.inner(given)
        return given + changed


def _convolution(before: int, after: int, stride: int, kernel: int = 3) -> nn.Sequential:
    layer = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(after), nn.ReLU())
