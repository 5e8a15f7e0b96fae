"""Weights in Darknet's format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from gocv.core import DataError
from gocv.detect.training.network import Layer, PersonNet

_CLASSES, _EPSILON = 80, 1e-5
_PERSON = (0, 1, 2, 3, 4, 5)
"""Rows of an anchor that are kept: the box, objectness and the first class of COCO."""


def load_darknet(net: PersonNet, path: str | Path) -> None:
    """Fill a network with the weights of YOLOv4-tiny of COCO; of the 80 classes the person stays.

    The file is a head of three int32 (version) and a count of 8 bytes, then for each convolution of the .cfg, in its
    order: shift, scale, mean and variance of the batch normalisation (or the bias where there is none), and the kernel.
    The normalisation is multiplied into kernel and bias, and so is the 1/255 of the network's input.

    Raises:
        DataError: It cannot be read, or holds another number of values.
    """
    try:
        values = np.fromfile(path, np.float32, offset=20)
    except OSError as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="yolov4-tiny.weights") from error
    layers = _order(net)
    wanted = sum(_count(layer) for layer in layers)
    if len(values) != wanted:
        raise DataError(f"holds {len(values)} values", file=path, expected=f"{wanted}, as yolov4-tiny.weights")
    at = 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal at
        count = int(np.prod(shape))
        at += count
        return torch.from_numpy(values[at - count : at].reshape(shape).copy())

    with torch.no_grad():
        for layer in layers:
            conv = layer.conv if isinstance(layer, Layer) else layer
            given, taken, size, _ = conv.weight.shape
            assert conv.bias is not None
            if isinstance(layer, Layer):
                shift, scale, mean, variance = (take(given) for _ in range(4))
                factor = scale / torch.sqrt(variance + _EPSILON)
                conv.weight.copy_(take(given, taken, size, size) * factor[:, None, None, None])
                conv.bias.copy_(shift - mean * factor)
            else:
                anchors = given // len(_PERSON)
                rows = [anchor * (5 + _CLASSES) + row for anchor in range(anchors) for row in _PERSON]
                conv.bias.copy_(take(anchors * (5 + _CLASSES))[rows])
                conv.weight.copy_(take(anchors * (5 + _CLASSES), taken, 1, 1)[rows])
        first = layers[0]
        assert isinstance(first, Layer)
        first.conv.weight /= 255


def _order(net: PersonNet) -> list[Layer | nn.Conv2d]:
    """The convolutions as the .cfg has them."""
    blocks = [layer for b in net.blocks for layer in (b.first, b.second, b.third, b.joined)]
    return [*net.stem, *blocks, *net.deep, net.coarse, net.coarse_head, net.up, net.fine, net.fine_head]


def _count(layer: Layer | nn.Conv2d) -> int:
    if isinstance(layer, Layer):
        return layer.conv.weight.numel() + 4 * layer.conv.out_channels
    anchors = layer.out_channels // len(_PERSON)
    return anchors * (5 + _CLASSES) * (layer.in_channels + 1)
