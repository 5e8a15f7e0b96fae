"""Networks written to ONNX, and checked there."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch

from gocv.data.files import written_whole
from gocv.reid.model import ReidModel
from gocv.reid.onnx import OnnxEncoder
from gocv.train.export import check_close, free_batch, write_onnx

_TOLERANCE = 1e-4
_BATCHES = (1, 3)


class _FromPixels(torch.nn.Module):
    """The network with the arithmetic before it: pixels in, vectors out."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, model: ReidModel) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", torch.tensor(model.config.mean).view(3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(model.config.std).view(3, 1, 1) * 255)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, h, w) float32 in [0, 255], RGB, to (n, D) float32."""
        vectors: torch.Tensor = self.model((pixels - self.mean) / self.std)
        return vectors


def export_onnx(model: ReidModel, path: str | Path, *, seed: int = 0) -> float:
    """Write a network to ONNX and run it there; the file stays only if both agree.

    The file takes `crops`, (n, 3, height_px, width_px) float32 pixels in [0, 255], RGB, and gives `vectors`, (n, D)
    float32 of length 1: `OnnxEncoder(path, mean=(0, 0, 0), std=(1, 1, 1), …)`.

    Returns:
        The largest difference of a value, over random crops, one and several at a time.

    Raises:
        DataError: ONNX Runtime gives other vectors than torch (by more than 1e-4).
        MissingDependencyError: The exporter is not installed.
    """
    net = _FromPixels(copy.deepcopy(model).cpu()).eval()
    size = (model.config.height_px, model.config.width_px)
    crops = np.random.default_rng(seed).integers(0, 256, (max(_BATCHES), *size, 3), dtype=np.uint8)
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    with written_whole(Path(path)) as temporary:
        axes = free_batch("pixels")
        write_onnx(net, (pixels,), temporary, inputs=["crops"], outputs=["vectors"], axes=axes)
        none, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        written = OnnxEncoder(temporary, height_px=size[0], width_px=size[1], mean=none, std=one)
        with torch.inference_mode():
            wanted = net(pixels).numpy()
        return check_close(
            [written.encode_crops(crops[:n]) for n in _BATCHES],
            [wanted[:n] for n in _BATCHES],
            most=_TOLERANCE,
            file=path,
            what="vectors",
        )
