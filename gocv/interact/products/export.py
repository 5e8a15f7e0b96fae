"""The network written to ONNX, its weights in whole numbers."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gocv.core import DataError, MissingDependencyError
from gocv.data.files import written_whole
from gocv.interact.products.encoder import KEY, ProductEncoder
from gocv.interact.products.model import ProductModel

_LEAST_COSINE = 0.98
_SMALL = 512
"""Weights of a part with fewer are not worth rounding."""


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
    try:
        import onnx
        import onnxscript  # noqa: F401  # torch's exporter is made of it
    except ImportError as error:
        raise MissingDependencyError("writing ONNX needs onnx and onnxscript: pip install 'gocv[train]'") from error
    net = _fused(copy.deepcopy(model).cpu().eval())
    size = model.config.size_px
    crops = np.random.default_rng(seed).integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    with written_whole(Path(path)) as temporary:
        torch.onnx.export(
            net,
            (pixels,),
            temporary,
            input_names=["crops"],
            output_names=["vectors"],
            dynamo=True,
            dynamic_shapes={"pixels": {0: torch.export.Dim("n", min=1)}},
            external_data=False,
            verbose=False,
        )
        written = onnx.load(temporary)
        _round(written.graph)
        inside = {"model": model.config.model_dump(mode="json"), "about": dict(about)}
        onnx.helper.set_model_props(written, {KEY: json.dumps(inside, sort_keys=True)})
        del written.graph.value_info[:]
        for node in written.graph.node:
            del node.metadata_props[:]  # where the exporter found it: places on this machine
            node.doc_string = ""
        onnx.save(written, temporary)
        with torch.inference_mode():
            wanted = net(pixels).numpy()
        found = ProductEncoder(temporary).encode(list(crops))
        least = float((found * wanted).sum(axis=1).min())
        if not least >= _LEAST_COSINE:
            raise DataError(f"ONNX Runtime's vectors have a cosine of {least:.3f} with torch's", file=path)
    return least


def _fused(model: ProductModel) -> ProductModel:
    for part in list(model.trunk.modules()):
        names = list(part._modules)
        for first, second in itertools.pairwise(names):
            conv, norm = part._modules[first], part._modules[second]
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                part._modules[first] = fuse_conv_bn_eval(conv, norm)
                part._modules[second] = nn.Identity()
    return model


def _round(graph: Any) -> None:
    """Replace each large float matrix of an ONNX graph by 8-bit numbers, a cast, and a scale."""
    from onnx import TensorProto, helper, numpy_helper

    kept, added, nodes = [], [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < _SMALL:
            kept.append(tensor)
            continue
        scale = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127
        scale = np.maximum(scale, np.float32(1e-12)).astype(np.float32)
        whole = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        name = tensor.name
        added += [numpy_helper.from_array(whole, f"{name}.whole"), numpy_helper.from_array(scale, f"{name}.scale")]
        nodes.append(helper.make_node("Cast", [f"{name}.whole"], [f"{name}.float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
    before = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept + added)
    graph.node.extend(nodes + before)
