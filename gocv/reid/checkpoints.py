"""Networks in files: safetensors, with the configuration and what is known of the training as JSON inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from gocv.core import ConfigError, DataError
from gocv.data.config import build
from gocv.data.files import written_whole
from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel
from gocv.train.weights import load_trunk, read_state

Stored = Literal["float32", "float16", "int8"]
_KEY, _SCALE = "gocv.reid", ".scale"
_OSNET = {"fc.0.": "reduce.", "fc.1.": "neck.0."}
"""Where the authors' names for what comes after the trunk stand for ours."""


def save_model(model: ReidModel, path: str | Path, about: Mapping[str, Any], *, stored: Stored = "float32") -> None:
    """Write a network without its classifier; whole or not at all.

    Args:
        model: The network.
        path: The file, `.safetensors`.
        about: What is to be known of it, such as its recipe and scores: anything that JSON holds.
        stored: How weights are written; they are float32 again when read. "float16" takes half the room; what it
            cannot hold stays as it is. "int8" takes a quarter: kernels and matrices become whole numbers with a scale
            for each output channel (Krishnamoorthi 2018, arXiv:1806.08342, eq. 4 to 6), the rest float16.
    """
    state = {key: value.detach().cpu().contiguous() for key, value in _kept(model).items()}
    if stored == "int8":
        state = {key: part for name, value in state.items() for key, part in _rounded(name, value).items()}
    if stored != "float32":
        state = {key: value if key.endswith(_SCALE) else _halved(value) for key, value in state.items()}
    inside = json.dumps({"model": model.config.model_dump(mode="json"), "about": dict(about)}, sort_keys=True)
    with written_whole(Path(path)) as temporary:
        save_file(state, temporary, {_KEY: inside})


def load_model(path: str | Path) -> tuple[ReidModel, dict[str, Any]]:
    """Read what `save_model` wrote: the network, ready to encode, and what is known of it.

    Raises:
        DataError: The file is missing, is no such file, does not fit its own description, or names an unknown trunk.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("is not there", file=file, expected="weights written by gocv train reid")
    try:
        with safe_open(file, "pt") as opened:
            inside = (opened.metadata() or {}).get(_KEY)
        state = _unrounded(load_file(file))
    except (SafetensorError, OSError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="safetensors") from error
    if inside is None:
        raise DataError("does not say what it is", file=file, key=_KEY, expected="weights written by gocv train reid")
    try:
        said = json.loads(inside)
        described, about = dict(said["model"]), dict(said["about"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("is described wrongly", file=file, key=_KEY, expected="JSON of model and about") from error
    try:
        model = ReidModel(build(ReidModelConfig, described, file=file, error=DataError))
    except ConfigError as error:
        raise DataError(error.problem, file=file, key=error.key, expected=error.expected) from error
    _fill(model, state, file, ignored=())
    return model.eval(), about


def load_foreign(config: ReidModelConfig, path: str | Path) -> ReidModel:
    """A network with weights that others wrote, such as those of OSNet's authors (torchreid).

    Args:
        config: What the network is made of; for torchreid's OSNet `vector: 512` and `neck: bn_relu`; a trunk alone,
            without vector and neck, is filled as by `load_trunk`.
        path: A state dict saved by torch or safetensors; classifiers in it are passed over.

    Raises:
        DataError: The file is missing, is no state dict, or has not the weights of this network.
        ConfigError: As for `ReidModel`.
    """
    model = ReidModel(config)
    if config.vector is None and config.neck == "none" and config.pooling == "mean":
        load_trunk(model.backbone, path)
        return model.eval()
    state = read_state(path)
    _fill(model, {_own_name(key): value for key, value in state.items()}, Path(path), ignored=("classifier.",))
    return model.eval()


def copy_weights(source: ReidModel, target: ReidModel, file: str | Path) -> None:
    """Give a network the weights of another one, but for the classifier.

    Args:
        source: The other one.
        target: The network.
        file: Where `source` comes from, for errors.

    Raises:
        DataError: They are not made of the same.
    """
    _fill(target, _kept(source), Path(file), ignored=())


def _halved(value: Tensor) -> Tensor:
    half = value.half() if value.dtype == torch.float32 else value
    return half if torch.isfinite(half).all() else value


def _rounded(name: str, value: Tensor) -> dict[str, Tensor]:
    """A kernel or matrix as whole numbers and (channels,) scales; anything else as it is."""
    if value.ndim < 2:
        return {name: value}
    scale = value.flatten(1).abs().amax(1).clamp(min=1e-12) / 127
    return {name: (value / _along(scale, value)).round().to(torch.int8), name + _SCALE: scale}


def _unrounded(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that `_rounded` wrote."""
    scales = {key.removesuffix(_SCALE): value for key, value in state.items() if key.endswith(_SCALE)}
    kept = {key: value for key, value in state.items() if not key.endswith(_SCALE)}
    return {key: value * _along(scales[key], value) if key in scales else value for key, value in kept.items()}


def _along(scale: Tensor, value: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (value.ndim - 1))


def _kept(model: ReidModel) -> dict[str, Tensor]:
    return {key: value for key, value in model.state_dict().items() if not key.startswith("classifier.")}


def _own_name(key: str) -> str:
    for theirs, ours in _OSNET.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key if key.startswith(("classifier.", "backbone.", "reduce.", "neck.")) else f"backbone.{key}"


def _fill(model: ReidModel, state: Mapping[str, Tensor], file: Path, ignored: tuple[str, ...]) -> None:
    own = _kept(model)
    given = {key: value for key, value in state.items() if not key.startswith(ignored or ("\0",))}
    wrong = sorted((set(own) ^ set(given)) | {k for k in set(own) & set(given) if own[k].shape != given[k].shape})
    if wrong:
        shape = f"{tuple(own[wrong[0]].shape)}" if wrong[0] in own else "no such weights"
        raise DataError("does not fit the network", file=file, key=wrong[0], expected=shape)
    with torch.no_grad():
        for key, value in own.items():
            value.copy_(given[key])
