"""ResNet-50 as re-identification uses it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet50


class ResNet50(nn.Sequential):
    """torchvision's ResNet-50 without pooling and classifier, its last stage at the resolution of the one before.

    The last stride is 1 as in Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification",
    2019 (arXiv:1903.07071), §3.5. With `ibn`, half of the channels after each block's first convolution are normalised
    by picture instead of by batch, in all stages but the last (IBN-a of Pan et al., "Two at Once", ECCV 2018,
    arXiv:1807.09441, fig. 3): colours of a camera count less.

    Args:
        last_stride: Stride of the last stage, 1 or 2.
        ibn: Whether there is instance normalisation.
        pretrained: Whether torchvision fetches its ImageNet weights.

    Attributes:
        channels: 2048; (n, 3, h, w) becomes (n, 2048, h / 16, w / 16).
    """

    channels = 2048

    def __init__(self, *, last_stride: int = 1, ibn: bool = False, pretrained: bool = False) -> None:
        net = resnet50(weights="DEFAULT" if pretrained else None)
        for part in (net.layer4[0].conv2, net.layer4[0].downsample[0]):
            part.stride = (last_stride, last_stride)
        if ibn:
            for block in (*net.layer1, *net.layer2, *net.layer3):
                block.bn1 = _InstanceBatch(block.bn1)
        super().__init__()
        for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
            self.add_module(name, getattr(net, name))


class _InstanceBatch(nn.Module):
    """Instance normalisation of the first half of the channels, the batch normalisation of the rest."""

    def __init__(self, batch: nn.BatchNorm2d) -> None:
        super().__init__()
        self.split = batch.num_features // 2
        self.instance = nn.InstanceNorm2d(self.split, affine=True)
        self.batch = nn.BatchNorm2d(batch.num_features - self.split)
        for own, all_ in zip(self.batch.state_dict().values(), batch.state_dict().values(), strict=True):
            own.copy_(all_[self.split :] if all_.ndim else all_)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) to the same."""
        return torch.cat([self.instance(x[:, : self.split]), self.batch(x[:, self.split :])], 1)
