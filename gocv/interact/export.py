"""The temporal network written to ONNX, and checked there. Needs torch and onnxscript."""

from __future__ import annotations

import copy
import importlib.util
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocv.core import DataError, MissingDependencyError
from gocv.data.files import written_whole
from gocv.interact.hand_network import KEY, HandNetwork
from gocv.interact.network import InteractionNet

_TOLERANCE = 1e-3
_SHAPES = ((1, 0), (3, 16))


def export_network(net: InteractionNet, path: Path, about: Mapping[str, Any], *, frames: int) -> float:
    """Write a network to ONNX and run it there; the file stays only if both agree.

    Args:
        net: The network.
        path: The file.
        about: `classes`, `channels`, `numbers`, `prior`, `temperature` and `rows`, as `HandNetwork` has them.
        frames: Rows of a clip; others are taken as well.

    Returns:
        The largest difference of log odds, over random clips.

    Raises:
        DataError: ONNX Runtime gives other log odds than torch (by more than 1e-3).
        MissingDependencyError: The exporter is not installed.
    """
    if importlib.util.find_spec("onnxscript") is None:  # torch's exporter is made of it
        raise MissingDependencyError("writing ONNX needs onnxscript: pip install 'gocv[train]'")
    import onnx

    net = copy.deepcopy(net).cpu().eval()
    n, t = torch.export.Dim("n", min=1), torch.export.Dim("t", min=1)
    with written_whole(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "# The axis name")  # n and t name an axis of each input
        torch.onnx.export(
            net,
            _clips(net, 2, frames),
            temporary,
            input_names=["frames", "inside", "features"],
            output_names=["clips", "rows"],
            dynamo=True,
            dynamic_shapes={"frames": {0: n, 1: t}, "inside": {0: n, 1: t}, "features": {0: n}},
            external_data=False,
            verbose=False,
        )
        model = onnx.load(temporary)
        del model.metadata_props[:]
        for node in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output, model.graph]:
            if hasattr(node, "doc_string"):
                node.doc_string = ""
            if hasattr(node, "metadata_props"):
                del node.metadata_props[:]
        onnx.helper.set_model_props(model, {KEY: json.dumps(dict(about))})
        onnx.save(model, temporary)
        written, apart = HandNetwork(temporary), 0.0
        for many, more in _SHAPES:
            given = _clips(net, many, frames + more)
            with torch.inference_mode():
                wanted = net(*given)
            for ours, theirs in zip(written.logits(*(a.numpy() for a in given)), wanted, strict=True):
                apart = max(apart, float(np.abs(ours - theirs.numpy()).max()))
        if not apart <= _TOLERANCE:
            raise DataError(
                f"ONNX Runtime's log odds are {apart:.1e} off", file=path, expected=f"{_TOLERANCE:g} at most"
            )
    return apart


def _clips(net: InteractionNet, many: int, frames: int) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(many)
    features = torch.randn((many, len(net.number_mean)), generator=rng)
    features[:, ::3] = torch.nan
    inside = (torch.rand((many, frames), generator=rng) > 0.5).float()
    return torch.randn((many, frames, len(net.frame_mean)), generator=rng), inside, features
