"""The network: a trunk, a way back up to a quarter of the input's size, a map for each keypoint."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from gocv.data.config import Model
from gocv.data.poses import COCO17
from gocv.train.weights import load_trunk

_TAPS = {3: 24, 6: 32, 13: 96, 17: 320}
"""Blocks of MobileNetV2 whose maps are used (strides 4, 8, 16 and 32), and their channels."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class PoseModelConfig(Model):
    """What the network is made of.

    Attributes:
        height_px: Of its input.
        width_px: Of its input.
        channels: Of the way up, at strides 16, 8 and 4.
    """

    height_px: int = 160
    width_px: int = 128
    channels: tuple[int, int, int] = (128, 96, 64)


class PoseNet(nn.Module):
    """MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) with a feature pyramid (Lin et al. 2017, arXiv:1612.03144).

    Args:
        config: What it is made of.
        trunk: File with weights that the trunk starts with; None draws them.

    Raises:
        DataError: The file is missing or has other weights.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(self, config: PoseModelConfig, trunk: str | Path | None = None) -> None:
        super().__init__()
        self.config = config
        whole = models.mobilenet_v2(weights=None).features
        if trunk is not None:
            load_trunk(whole, trunk)
        self.trunk = nn.Sequential(*list(whole)[: max(_TAPS) + 1])
        inner = list(_TAPS.values())[::-1]
        outs = (config.channels[0], *config.channels)
        self.sides = nn.ModuleList(_conv(before, after, 1) for before, after in zip(inner, outs, strict=True))
        self.ups = nn.ModuleList(
            nn.Sequential(_conv(before, before, 5, groups=before), _conv(before, after, 1))
            for before, after in itertools.pairwise(outs)
        )
        last = outs[-1]
        self.smooth = nn.Sequential(_conv(last, last, 5, groups=last), _conv(last, last, 1))
        self.maps = nn.Conv2d(last, len(COCO17), 1)
        self.seen = nn.Linear(inner[0] + outs[2], len(COCO17))
        for name, values in (("_mean", _MEAN), ("_std", _STD)):
            self.register_buffer(name, torch.tensor(values) * 255, persistent=False)

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """(n, height, width, 3) pixels in [0, 255], RGB, to (n, 17, height / 4, width / 4) and (n, 17) logits."""
        x = ((crops.float() - self._mean) / self._std).permute(0, 3, 1, 2)
        taken = []
        for i, block in enumerate(self.trunk):
            x = block(x)
            if i in _TAPS:
                taken.append(x)
        way = self.sides[0](taken[-1])
        pooled = [taken[-1].mean((2, 3))]
        for up, side, tap in zip(self.ups, list(self.sides)[1:], taken[-2::-1], strict=True):
            way = F.interpolate(up(way), size=tap.shape[2:], mode="nearest") + side(tap)
            pooled.append(way.amax((2, 3)))
        seen: Tensor = self.seen(torch.cat([pooled[0], pooled[2]], dim=1))
        return self.maps(self.smooth(way)), seen


def _conv(before: int, after: int, size: int, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, padding=size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(),
    )
