"""Weights that a training starts with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from gocv.core import DataError, MissingDependencyError
from gocv.detect.default import SHIPPED
from gocv.detect.training.darknet import load_darknet
from gocv.detect.training.network import PersonNet

Values = Mapping[str, torch.Tensor]


def load_weights(net: PersonNet, path: str | Path | None = None) -> None:
    """Fill a network.

    Args:
        net: The network.
        path: `model.safetensors` of an earlier training, an .onnx file of one, Darknet's `yolov4-tiny.weights`, or None
            for the detector that comes with gocv.

    Raises:
        DataError: It cannot be read, or is not of this network.
        MissingDependencyError: The file is ONNX and the package `onnx` is not installed.
    """
    file = SHIPPED.with_suffix(".onnx") if path is None else Path(path)
    if not file.is_file():
        raise DataError("is not there", file=file, expected="weights to start with")
    if file.suffix == ".weights":
        load_darknet(net, file)
        return
    try:
        values = _of_onnx(file, net) if file.suffix == ".onnx" else load_file(file)
        net.load_state_dict(dict(values))
    except MissingDependencyError:
        raise
    except Exception as error:  # whatever the formats' readers and torch raise
        problem = f"is not a file of these weights: {str(error).splitlines()[0]}"
        raise DataError(problem, file=file, expected="what gocv train detector writes") from error


def _of_onnx(file: Path, net: PersonNet) -> Values:
    """Weights by their names; those of eight bits as the numbers that they stand for."""
    try:
        import onnx
    except ImportError as error:
        raise MissingDependencyError("reading ONNX needs onnx: pip install 'gocv[train]'") from error
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(file).graph.initializer}
    wanted = net.state_dict()
    return {name: torch.from_numpy(_value(name, stored)).view(wanted[name].shape) for name in wanted}


def _value(name: str, stored: Mapping[str, NDArray[np.generic]]) -> NDArray[np.float32]:
    if name in stored:
        return np.array(stored[name], np.float32)
    value, scale = stored[f"{name}_quantized"], stored[_scale(name, stored)]
    return np.asarray(value, np.float32) * scale.astype(np.float32).reshape(-1, *[1] * (value.ndim - 1))


def _scale(name: str, stored: Mapping[str, NDArray[np.generic]]) -> str:
    return next(key for key in (f"{name}_scale", f"{name}_quantized_scale") if key in stored)
