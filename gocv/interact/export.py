"""The temporal network written to ONNX, and checked there. Needs torch and onnxscript."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gocv.data.files import written_whole
from gocv.interact.hand_network import KEY, HandNetwork
from gocv.interact.network import InteractionNet
from gocv.train.export import check_close, write_onnx

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
    net = copy.deepcopy(net).cpu().eval()
    n, t = torch.export.Dim("n", min=1), torch.export.Dim("t", min=1)
    axes = {"frames": {0: n, 1: t}, "inside": {0: n, 1: t}, "features": {0: n}}
    with written_whole(path) as temporary:
        write_onnx(
            net,
            _clips(net, 2, frames),
            temporary,
            inputs=["frames", "inside", "features"],
            outputs=["clips", "rows"],
            axes=axes,
            about={KEY: about},
        )
        written = HandNetwork(temporary)
        found: list[np.ndarray] = []
        wanted: list[np.ndarray] = []
        for many, more in _SHAPES:
            given = _clips(net, many, frames + more)
            with torch.inference_mode():
                wanted += [one.numpy() for one in net(*given)]
            found += written.logits(*(one.numpy() for one in given))
        return check_close(found, wanted, most=_TOLERANCE, file=path, what="log odds")


def _clips(net: InteractionNet, many: int, frames: int) -> tuple[torch.Tensor, ...]:
    rng = torch.Generator().manual_seed(many)
    features = torch.randn((many, len(net.number_mean)), generator=rng)
    features[:, ::3] = torch.nan
    inside = (torch.rand((many, frames), generator=rng) > 0.5).float()
    return torch.randn((many, frames, len(net.frame_mean)), generator=rng), inside, features
