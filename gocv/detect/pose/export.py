"""Pose networks written to ONNX, small, and checked there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gocv.data.files import written_whole
from gocv.data.networks import Network
from gocv.detect.pose.net import PoseNet
from gocv.train.export import check_close, folded, free_batch, with_rounded_kernels, write_onnx

_TOLERANCE = 1e-3
_BATCHES = (1, 3)


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
    plain = folded(net)
    if whole_numbers:
        plain = with_rounded_kernels(plain)
    size = (net.config.height_px, net.config.width_px)
    crops = np.random.default_rng(seed).integers(0, 256, (max(_BATCHES), *size, 3), dtype=np.uint8)
    with written_whole(Path(path)) as temporary:
        write_onnx(
            plain,
            (torch.from_numpy(crops),),
            temporary,
            inputs=["crops"],
            outputs=["maps", "seen"],
            axes=free_batch("crops"),
            int8=whole_numbers,
        )
        written = Network(temporary, threads=1)
        with torch.inference_mode():
            wanted = [value.numpy() for value in plain(torch.from_numpy(crops))]
        return check_close(
            [value for n in _BATCHES for value in written.run(crops[:n])],
            [value[:n] for n in _BATCHES for value in wanted],
            most=_TOLERANCE * max(1.0, *(float(np.abs(value).max()) for value in wanted)),
            file=path,
        )
