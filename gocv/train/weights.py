"""Weights that others wrote, to start with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from gocv.core import DataError


def load_trunk(backbone: nn.Module, path: str | Path) -> None:
    """Fill a trunk from a state dict of the same network, whatever its names are.

    Names are tried first. Where they differ, as between two libraries' MobileNetV2, weights are taken in their order,
    if all of them have the right shapes.

    Raises:
        DataError: The file is missing, is no state dict, or has other weights.
    """
    state, own = read_state(path), backbone.state_dict()
    if not set(own) <= set(state):
        inner = list(state.values())[: len(own)]
        if [value.shape for value in inner] != [value.shape for value in own.values()]:
            raise DataError("has not the weights of this trunk", file=path, expected=f"{len(own)} of its shapes")
        state = dict(zip(own, inner, strict=True))
    wrong = [key for key, value in own.items() if state[key].shape != value.shape]
    if wrong:
        shape = f"{tuple(own[wrong[0]].shape)}, not {tuple(state[wrong[0]].shape)}"
        raise DataError("has not the weights of this trunk", file=path, key=wrong[0], expected=shape)
    backbone.load_state_dict({key: state[key] for key in own})


def read_state(path: str | Path) -> dict[str, Tensor]:
    """A state dict from a file of torch or safetensors; nothing in it is executed.

    Raises:
        DataError: The file is missing or is no state dict.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("is not there", file=file, expected="a state dict")
    try:
        if file.suffix == ".safetensors":
            read: Any = load_file(file)
        else:
            read = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(f"cannot be read: {first_line}", file=file, expected="a state dict") from error
    state = read.get("state_dict", read) if isinstance(read, dict) else {}
    found = {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
    if not found:
        raise DataError("holds no weights", file=file, expected="a state dict")
    return found
