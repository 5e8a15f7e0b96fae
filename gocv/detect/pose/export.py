"""Pose networks written to ONNX, small, and checked there."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gocv.core import DataError, MissingDependencyError
from gocv.data.files import written_whole
from gocv.data.networks import Network
from gocv.detect.pose.net import PoseNet

_TOLERANCE = 1e-3
_BATCHES = (1, 3)
_LEAST = 1024
"""Smaller tensors are left as they are."""


def export_pose(net: PoseNet, path: str | Path, *, whole_numbers: bool = True, seed: int = 0) -> float:
    """Write a network to ONNX and run it there; the file stays only if both agree.

    The file takes `crops`, (n, height, width, 3) uint8 RGB, and gives `maps`, (n, 17, height / 4, width / 4) float32,
    logarithms up to a constant of distributions over places, and `seen`, (n, 17) float32 logits.

    Args:
        net: The network.
        path: The file.
        whole_numbers: Whether kernels are written as int8 with a scale for each output channel (Krishnamoorthi 2018,
            arXiv:1806.08342, eq. 4 to 6), a quarter of the room. Runtimes multiply them out when they load the file:
            the arithmetic is that of float32.
        seed: Of the crops that both are tried on.

    Returns:
        The largest difference of a value, against a network with the same rounded kernels.

    Raises:
        DataError: ONNX Runtime gives other values than torch (by more than 1e-3).
        MissingDependencyError: The exporter is not installed.
    """
    if importlib.util.find_spec("onnxscript") is None:  # torch's exporter is made of it
        raise MissingDependencyError("writing ONNX needs onnxscript: pip install 'gocv[train]'")
    plain = _folded(copy.deepcopy(net).cpu().eval())
    if whole_numbers:
        with torch.no_grad():
            for value in plain.parameters():
                if value.numel() >= _LEAST and value.ndim > 1:
                    rounded, scale = _rounded(value.numpy())
                    value.copy_(torch.from_numpy(rounded * scale))
    size = (net.config.height_px, net.config.width_px)
    crops = np.random.default_rng(seed).integers(0, 256, (max(_BATCHES), *size, 3), dtype=np.uint8)
    with written_whole(Path(path)) as temporary:
        program: Any = torch.onnx.export(
            plain,
            (torch.from_numpy(crops),),
            input_names=["crops"],
            output_names=["maps", "seen"],
            dynamo=True,
            dynamic_shapes={"crops": {0: torch.export.Dim("n", min=1)}},
            verbose=False,
        )
        _write(program.model_proto, temporary, whole_numbers)
        written = Network(temporary, threads=1)
        with torch.inference_mode():
            wanted = [value.numpy() for value in plain(torch.from_numpy(crops))]
        apart = 0.0
        for n in _BATCHES:
            found = written.run(crops[:n])
            apart = max(apart, *(float(np.abs(a - b[:n]).max()) for a, b in zip(found, wanted, strict=True)))
        if not apart <= _TOLERANCE * max(1.0, *(float(np.abs(value).max()) for value in wanted)):
            raise DataError(f"ONNX Runtime's values are {apart:.1e} off", file=path, expected=f"{_TOLERANCE:g} at most")
    return apart


def _folded(net: nn.Module) -> nn.Module:
    """Batch normalisation as part of the convolutions before it."""
    for name, child in list(net.named_children()):
        setattr(net, name, _folded(child))
    if isinstance(net, nn.Sequential):
        parts: list[nn.Module] = []
        for part in net:
            if isinstance(part, nn.BatchNorm2d) and parts and isinstance(parts[-1], nn.Conv2d):
                parts[-1] = fuse_conv_bn_eval(parts[-1], part)
            else:
                parts.append(part)
        if len(parts) < len(net):
            net = nn.Sequential(*parts)
    return net


def _rounded(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A kernel as int8, and a scale for each output channel that it is to be multiplied by."""
    largest = np.abs(kernel).reshape(len(kernel), -1).max(axis=1).clip(min=1e-12)
    scale = (largest / 127).astype(np.float32).reshape(-1, *[1] * (kernel.ndim - 1))
    return np.round(kernel / scale).astype(np.int8), scale


def _write(model: Any, path: Path, whole_numbers: bool) -> None:
    """Write a model, its large constants as int8 that are cast and multiplied, which runtimes do once as they load."""
    import onnx
    from onnx import helper, numpy_helper

    graph, nodes = model.graph, []
    for kept in list(graph.initializer) if whole_numbers else ():
        value = numpy_helper.to_array(kept)
        if value.dtype != np.float32 or value.size < _LEAST or value.ndim < 2:
            continue
        rounded, scale = _rounded(value)
        name = kept.name
        graph.initializer.remove(kept)
        graph.initializer.append(numpy_helper.from_array(rounded, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        nodes.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
    existing = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *existing])
    del graph.value_info[:]
    for node in graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    onnx.save(model, str(path))
