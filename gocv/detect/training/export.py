"""The detector written to ONNX with the YAML file that describes it, and checked there."""

from __future__ import annotations

import copy
import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.data.networks import Network
from gocv.data.pictures import read_picture
from gocv.detect.config import DetectorConfig, Head, Input
from gocv.detect.preprocess import prepare
from gocv.detect.training.network import ANCHORS, STRETCH, STRIDES, PersonNet
from gocv.detect.training.settings import ExportSettings
from gocv.train.export import check_close, write_onnx

_TOLERANCE = 1e-2
"""Of the maps, whose values are some tens."""
_OUTPUTS = ("coarse", "fine")
_WHOLE = ("stem.0.", "coarse_head.", "fine_head.")
"""Layers that stay as they are: they cost little time and, in eight bits, a hundredth of AP50."""


def description(settings: ExportSettings, sha256: str | None = None) -> DetectorConfig:
    """What the YAML file says of the network."""
    side = settings.longest_px
    return DetectorConfig(
        name=settings.name,
        weights=f"{settings.name}.onnx",
        sha256=sha256,
        licence=settings.licence,
        source=settings.source,
        input=Input(width=side, height=side, channels="rgb", multiple=max(STRIDES)),
        head=Head(kind="anchors", strides=STRIDES, anchors=ANCHORS, stretch=STRETCH, outputs=_OUTPUTS),
        classes=("person",),
        min_score=settings.min_score,
        nms_iou=settings.nms_iou,
    )


def export_detector(net: PersonNet, folder: str | Path, settings: ExportSettings, pictures: Sequence[Path]) -> Path:
    """Write `NAME.onnx` and `NAME.yaml`, which `gocv.detect.OnnxDetector` takes.

    The network is first written as it is and run by ONNX Runtime, which must give what torch gives. Where `int8` is
    asked for, its convolutions are then brought to eight bits, weights channel by channel (Jacob et al. 2018,
    arXiv:1712.05877, §2), ranges as they are on the pictures.

    Args:
        net: The network.
        folder: Where to.
        settings: What is written.
        pictures: Files by which ranges are measured; the first `calibration` of them.

    Returns:
        The YAML file.

    Raises:
        DataError: ONNX Runtime gives other maps than torch (by more than a hundredth), or there are no pictures.
        MissingDependencyError: The exporter is not installed.
    """
    if settings.int8 and not pictures:
        raise DataError("there is no picture", key="calibration", expected="at least one, for int8")
    into = Path(folder)
    weights, described = into / f"{settings.name}.onnx", into / f"{settings.name}.yaml"
    with written_whole(weights) as temporary:
        if settings.int8:
            with TemporaryDirectory() as whole:
                _write(net, Path(whole) / "float.onnx")
                _to_int8(Path(whole) / "float.onnx", temporary, _inputs(settings, pictures))
        else:
            _write(net, temporary)
    config = description(settings, hashlib.sha256(weights.read_bytes()).hexdigest())
    with written_whole(described) as temporary:
        text = yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True), sort_keys=False, width=120)
        temporary.write_text(f"# Written by gocv train detector.\n{text}", encoding="utf-8")
    return described


def _write(net: PersonNet, path: Path) -> None:
    """As it is, and checked on noise of two sizes."""
    net = copy.deepcopy(net).cpu().float().eval()
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, shape).astype(np.float32) for shape in ((2, 3, 96, 64), (1, 3, 64, 128))]
    any_size = {
        0: torch.export.Dim("n", min=1),
        2: 32 * torch.export.Dim("h", min=1),
        3: 32 * torch.export.Dim("w", min=1),
    }
    write_onnx(
        net, (torch.from_numpy(pictures[0]),), path, inputs=["pixels"], outputs=_OUTPUTS, axes={"pixels": any_size}
    )
    written = Network(path, threads=1)
    for given in pictures:
        with torch.inference_mode():
            wanted = [one.numpy() for one in net(torch.from_numpy(given))]
        check_close(written.run(given), wanted, most=_TOLERANCE, file=path, what="maps")


def _inputs(settings: ExportSettings, pictures: Sequence[Path]) -> list[NDArray[np.float32]]:
    wanted = description(settings).input
    return [prepare(read_picture(file), wanted)[0][None] for file in pictures[: settings.calibration]]


def _to_int8(path: Path, to: Path, inputs: Sequence[NDArray[np.float32]]) -> None:
    """Quantise a network with ranges of its maps as they are on these inputs."""
    import onnx
    from onnxruntime import quantization as q

    class Reader(q.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> dict[str, Any] | None:
            given = next(self._left, None)
            return None if given is None else {"pixels": given}

    logging.getLogger().addFilter(_quiet)
    try:
        ready = path.with_name("ready.onnx")
        q.quant_pre_process(str(path), str(ready), skip_symbolic_shape=True)
        convolutions = [node for node in onnx.load(ready).graph.node if node.op_type == "Conv"]
        q.quantize_static(
            str(ready),
            str(to),
            Reader(),
            quant_format=q.QuantFormat.QDQ,
            per_channel=True,
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            calibrate_method=q.CalibrationMethod.MinMax,
            nodes_to_exclude=[node.name for node in convolutions if node.input[1].startswith(_WHOLE)],
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": 0.05},
        )
    finally:
        logging.getLogger().removeFilter(_quiet)


def _quiet(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR
