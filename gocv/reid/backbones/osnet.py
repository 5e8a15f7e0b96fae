"""OSNet, whose blocks look at several scales at once and weigh them channel by channel.

Zhou et al., "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019 (arXiv:1905.00953), §3. Parameters
have the names that the authors' own weights have, so that those can be loaded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_CHANNELS = (64, 256, 384, 512)
"""Of stem and stages at width 1 (table 1 of the paper)."""
_STREAMS = 4
_SQUEEZE = 16


class OSNet(nn.Sequential):
    """Stem, three stages of two blocks, and a last 1 × 1 convolution.

    Args:
        width: Share of the channels of the full network: 1, 0.75, 0.5 or 0.25 in the paper.

    Attributes:
        channels: Of the map that it gives: (n, 3, h, w) becomes (n, channels, h / 16, w / 16).
    """

    def __init__(self, width: float = 1.0) -> None:
        c0, c1, c2, c3 = (int(width * c) for c in _CHANNELS)
        super().__init__()
        self.conv1 = _Conv(3, c0, 7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv2 = nn.Sequential(_Block(c0, c1), _Block(c1, c1), _halve(c1))
        self.conv3 = nn.Sequential(_Block(c1, c2), _Block(c2, c2), _halve(c2))
        self.conv4 = nn.Sequential(_Block(c2, c3), _Block(c3, c3))
        self.conv5 = _Conv(c3, c3, 1)
        self.channels = c3


class _Conv(nn.Module):
    """Convolution, batch normalisation and, where it is not linear, ReLU."""

    def __init__(self, before: int, after: int, size: int, *, stride: int = 1, linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(after)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, h, w) to (n, after, h / stride, w / stride)."""
        x = self.bn(self.conv(x))
        return x if self.linear else torch.relu(x)


class _Lite(nn.Module):
    """A 3 × 3 convolution in two: across channels, then channel by channel (fig. 3b)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to the same."""
        return torch.relu(self.bn(self.conv2(self.conv1(x))))


class _Gate(nn.Module):
    """How much of each channel passes (eq. 4), the same network for all streams."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // _SQUEEZE, 1)
        self.fc2 = nn.Conv2d(channels // _SQUEEZE, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) to the same."""
        squeezed = torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.fc2(squeezed))


class _Block(nn.Module):
    """A residual block with streams of 1 to 4 small convolutions, summed after their gates (eq. 3)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        middle = after // 4
        self.conv1 = _Conv(before, middle, 1)
        self.conv2a = _Lite(middle)
        for length, letter in enumerate("bcd", start=2):
            self.add_module(f"conv2{letter}", nn.Sequential(*(_Lite(middle) for _ in range(length))))
        self.gate = _Gate(middle)
        self.conv3 = _Conv(middle, after, 1, linear=True)
        self.downsample = _Conv(before, after, 1, linear=True) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, before, h, w) to (n, after, h, w)."""
        inner = self.conv1(x)
        streams = [self.gate(self.get_submodule(f"conv2{letter}")(inner)) for letter in "abcd"[:_STREAMS]]
        return torch.relu(self.conv3(torch.stack(streams).sum(0)) + self.downsample(x))


def _halve(channels: int) -> nn.Sequential:
    return nn.Sequential(_Conv(channels, channels, 1), nn.AvgPool2d(2, stride=2))
