"""The network of the detector that gocv trains: YOLOv4-tiny's layers, batch normalisation already in the weights."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

STRIDES = (32, 16)
ANCHORS = (
    ((81.0, 82.0), (135.0, 169.0), (344.0, 319.0)),
    ((23.0, 27.0), (37.0, 58.0), (81.0, 82.0)),
)
"""Width and height of the boxes that each grid starts from, pixels of the input (yolov4-tiny.cfg)."""
STRETCH = 1.05
"""How far beyond its cell a centre may lie (`scale_x_y`)."""


class Layer(nn.Module):
    """A convolution that keeps the size at stride 1 and halves it at stride 2, then a leaky ReLU."""

    def __init__(self, taken: int, given: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(taken, given, size, stride, size // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, taken, h, w) to (n, given, h / stride, w / stride)."""
        return nn.functional.leaky_relu(self.conv(x), 0.1)


class Block(nn.Module):
    """Cross stage partial block (Wang et al. 2021, arXiv:2011.08036, §3.3): half of the channels go the long way."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.first = Layer(channels, channels)
        self.second = Layer(half, half)
        self.third = Layer(half, half)
        self.joined = Layer(channels, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, c, h, w) to (n, 2 c, h / 2, w / 2), and what the last layer gave, (n, c, h, w)."""
        whole = self.first(x)
        second = self.second(whole.chunk(2, dim=1)[1])
        joined = self.joined(torch.cat([self.third(second), second], dim=1))
        return nn.functional.max_pool2d(torch.cat([whole, joined], dim=1), 2), joined


class Decoded(NamedTuple):
    """What the network says of every cell and anchor, the grids one after the other.

    Attributes:
        xyxy: (n, k, 4) pixels of the input.
        logits: (n, k, 2) that there is a thing, and that a thing there is a person.
    """

    xyxy: Tensor
    logits: Tensor


class PersonNet(nn.Module):
    """YOLOv4-tiny (arXiv:2011.08036) for one class.

    Its input is (n, 3, h, w) pixels in [0, 255], RGB, sides multiples of 32. It gives a map for each of `STRIDES`,
    (n, 3 * 6, h / stride, w / stride): for each anchor dx, dy, log w, log h, objectness and person, all before any
    sigmoid, as `gocv.detect.heads.anchored` reads them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(Layer(3, 32, stride=2), Layer(32, 64, stride=2))
        self.blocks = nn.ModuleList(Block(c) for c in (64, 128, 256))
        self.deep = nn.Sequential(Layer(512, 512), Layer(512, 256, 1))
        self.coarse = Layer(256, 512)
        self.coarse_head = nn.Conv2d(512, len(ANCHORS[0]) * 6, 1)
        self.up = Layer(256, 128, 1)
        self.fine = Layer(128 + 256, 256)
        self.fine_head = nn.Conv2d(256, len(ANCHORS[1]) * 6, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """The two maps, the coarse one first."""
        x, side = self.stem(pixels), pixels
        for block in self.blocks:
            x, side = block(x)
        deep = self.deep(x)
        up = nn.functional.interpolate(self.up(deep), scale_factor=2.0, mode="nearest")
        return self.coarse_head(self.coarse(deep)), self.fine_head(self.fine(torch.cat([up, side], dim=1)))


def decode(maps: tuple[Tensor, ...]) -> Decoded:
    """Boxes of all cells and anchors, those of the coarse grid first; in a grid by anchor, row and column.

    centre = (stretch * sigmoid(d) - (stretch - 1) / 2 + cell) * stride, size = anchor * exp(log size): Bochkovskiy et
    al. 2020 (arXiv:2004.10934, §3.4).
    """
    boxes, logits = [], []
    for given, stride, anchors in zip(maps, STRIDES, ANCHORS, strict=True):
        n, _, rows, columns = given.shape
        each = given.view(n, len(anchors), 6, rows, columns).permute(0, 1, 3, 4, 2).float()
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        cell = torch.stack([x, y], dim=-1).to(each)
        centre = (each[..., :2].sigmoid() * STRETCH - (STRETCH - 1) / 2 + cell) * stride
        size = each[..., 2:4].clamp(max=6).exp() * each.new_tensor(anchors)[None, :, None, None]
        boxes.append(torch.cat([centre - size / 2, centre + size / 2], dim=-1).view(n, -1, 4))
        logits.append(each[..., 4:].reshape(n, -1, 2))
    return Decoded(torch.cat(boxes, dim=1), torch.cat(logits, dim=1))
