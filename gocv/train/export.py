"""Networks of torch written to ONNX: what is the same whatever they are for."""

from __future__ import annotations

import copy
import importlib.util
import itertools
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from gocv.core import DataError, MissingDependencyError

Axes = Mapping[str, Mapping[int, Any]]
"""By argument of `forward`, which axes may have other lengths: `torch.export.Dim` by axis."""

_LEAST = 1024
"""Kernels and matrices of fewer numbers stay float32: rounded, they would save nothing."""


def free_batch(*arguments: str) -> Axes:
    """Axes of a network whose inputs may have any number of rows, by the names of `forward`'s arguments."""
    many = torch.export.Dim("n", min=1)
    return {name: {0: many} for name in arguments}


def write_onnx(
    net: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Axes,
    int8: bool = False,
    about: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write a network to ONNX, without a trace of where it was written.

    Args:
        net: The network, in evaluation mode.
        given: Arguments of `forward` to follow it with.
        path: The file.
        inputs: Names, in the order of the arguments.
        outputs: Names, in the order of the results.
        axes: Which axes may have other lengths.
        int8: Whether large kernels and matrices are written as `rounded` has them, in a quarter of the room, with a
            cast and a product that runtimes do once, when they load the file: the arithmetic is that of float32.
        about: JSON objects by key, as `gocv.data.networks.Network.about` gives them.

    Raises:
        MissingDependencyError: The exporter is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")):  # torch's exporter needs both
        raise MissingDependencyError("writing ONNX needs onnx and onnxscript: pip install 'gocv[train]'")
    import onnx

    with _quiet():
        torch.onnx.export(
            net,
            given,
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamo=True,
            dynamic_shapes={name: dict(free) for name, free in axes.items()},
            external_data=False,
            verbose=False,
        )
    model = onnx.load(path)
    if int8:
        _to_int8(model.graph)
    forget_places(model)
    onnx.helper.set_model_props(model, {key: json.dumps(said, sort_keys=True) for key, said in (about or {}).items()})
    onnx.save(model, path)


def check_close(
    found: Sequence[NDArray[Any]],
    wanted: Sequence[NDArray[Any]],
    *,
    most: float,
    file: str | Path,
    what: str = "values",
) -> float:
    """The largest difference between what ONNX Runtime gives and what torch does.

    Args:
        found: By ONNX Runtime.
        wanted: By torch, of the same shapes.
        most: By which they may differ.
        file: The network, for errors.
        what: Are compared, for errors.

    Raises:
        DataError: They differ by more, or are no numbers.
    """
    pairs = zip(found, wanted, strict=True)
    apart = float(np.max([np.abs(one - other).max() for one, other in pairs]))
    if not apart <= most:
        raise DataError(f"ONNX Runtime's {what} are {apart:.1e} off", file=file, expected=f"{most:g} at most")
    return apart


def folded(net: nn.Module) -> nn.Module:
    """A copy for evaluation on the CPU, with batch normalisation made part of the convolution right before it.

    Jacob et al. 2018, arXiv:1712.05877, §3.2. Only what follows a convolution in an `nn.Sequential` is folded.
    """
    net = copy.deepcopy(net).cpu().eval()
    for part in [module for module in net.modules() if isinstance(module, nn.Sequential)]:
        for (first, conv), (second, norm) in itertools.pairwise(list(part.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(part, first, fuse_conv_bn_eval(conv, norm))
                setattr(part, second, nn.Identity())
    return net


def rounded(kernel: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A kernel as whole numbers, and a scale for each output channel that they are to be multiplied by.

    Krishnamoorthi 2018, arXiv:1806.08342, eq. 4 to 6.

    Args:
        kernel: (channels, ...) float32.

    Returns:
        int8 of the kernel's shape, and (channels, 1, ...) float32.
    """
    largest = np.abs(kernel).max(axis=tuple(range(1, kernel.ndim)), keepdims=True)
    scale = np.maximum(largest / 127, 1e-12).astype(np.float32)
    return np.clip(np.rint(kernel / scale), -127, 127).astype(np.int8), scale


def with_rounded_kernels(net: nn.Module) -> nn.Module:
    """A copy whose large kernels and matrices are what `write_onnx` makes of them with `int8`."""
    net = copy.deepcopy(net)
    with torch.no_grad():
        for value in net.parameters():
            if _worth_it(value.numpy()):
                whole, scale = rounded(value.numpy())
                value.copy_(torch.from_numpy(whole * scale))
    return net


def _worth_it(kernel: NDArray[Any]) -> bool:
    return kernel.dtype == np.float32 and kernel.ndim > 1 and kernel.size >= _LEAST


def _to_int8(graph: Any) -> None:
    """Replace large constants of an ONNX graph by whole numbers, a cast and a scale."""
    from onnx import TensorProto, helper, numpy_helper

    kept, nodes = [], []
    for tensor in graph.initializer:
        kernel, name = numpy_helper.to_array(tensor), tensor.name
        if not _worth_it(kernel):
            kept.append(tensor)
            continue
        whole, scale = rounded(kernel)
        kept += [numpy_helper.from_array(whole, f"{name}.int8"), numpy_helper.from_array(scale, f"{name}.scale")]
        nodes.append(helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [name]))
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def forget_places(model: Any) -> None:
    """Take from an `onnx.ModelProto` what the exporter noted, such as the files of the machine that it comes from."""
    graph = model.graph
    del model.metadata_props[:], graph.metadata_props[:], graph.value_info[:]
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.doc_string = ""
        del part.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of itself."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
