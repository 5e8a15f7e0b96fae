"""The network written to ONNX, its weights in whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.interact.products.encoder import KEY, ProductEncoder
from gocv.interact.products.model import ProductModel
from gocv.train.export import folded, free_batch, write_onnx

_LEAST_COSINE = 0.98


def export_onnx(model: ProductModel, path: str | Path, about: Mapping[str, Any], *, seed: int = 0) -> float:
    """Write a network for `ProductEncoder`, and run it there; the file stays only if both agree.

    It takes `crops`, (n, 3, size, size) float32 pixels in [0, 255], RGB, and gives `vectors`, (n, D) float32 of length
    1. Batch normalisation goes into the kernels before it; kernels and matrices become 8-bit whole numbers with a scale
    for each output channel (Krishnamoorthi 2018, arXiv:1806.08342, eq. 4 to 6), which the runtime turns back to
    float32 once, when it loads them.

    Args:
        model: The network.
        path: The file.
        about: What is to be known of it: anything that JSON holds.
        seed: Of the pictures on which both are compared.

    Returns:
        The least cosine between vectors of both, over random pictures.

    Raises:
        DataError: ONNX Runtime gives other vectors than torch.
        MissingDependencyError: The exporter is not installed.
    """
    net = folded(model)
    size = model.config.size_px
    crops = np.random.default_rng(seed).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    with written_whole(Path(path)) as temporary:
        write_onnx(
            net,
            (pixels,),
            temporary,
            inputs=["crops"],
            outputs=["vectors"],
            axes=free_batch("pixels"),
            int8=True,
            about={KEY: {"model": model.config.model_dump(mode="json"), "about": dict(about)}},
        )
        with torch.inference_mode():
            wanted = net(pixels).numpy()
        found = ProductEncoder(temporary).encode(list(crops))
        least = float((found * wanted).sum(axis=1).min())
        if not least >= _LEAST_COSINE:
            raise DataError(f"ONNX Runtime's vectors have a cosine of {least:.3f} with torch's", file=path)
    return least
