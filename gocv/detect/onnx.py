"""Detectors that are an ONNX file and a YAML file that describes it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, Detections, Frame, nearest
from gocv.data.config import build, load_yaml
from gocv.data.networks import Network, RuntimeName
from gocv.detect import heads
from gocv.detect.config import DetectorConfig
from gocv.detect.preprocess import Placement, prepare
from gocv.geometry import clip_to_image, nms

_BATCHED = ("yolox", "yolov8", "fastestdet", "anchors")
"""Heads whose outputs have an axis for the image."""


class OnnxDetector:
    """A network described by a YAML file (`gocv.detect.config`, examples in `configs/detectors/`).

    Args:
        model: The YAML file.
        weights: The ONNX file (with "openvino" also OpenVINO's own .xml); None takes the one that `model` names,
            relative to itself.
        runtime: "onnxruntime", or "openvino", which is an optional extra; which is faster depends on the network and
            the machine.
        classes: The classes wanted, by the network's names for them.
        min_score: Least score of a detection; None takes the one in `model`.
        threads: Threads that the runtime may use; None leaves it to the runtime.

    Attributes:
        classes: The classes wanted; `Detections.label` indexes them.
        config: What the YAML file says.

    Raises:
        ConfigError: The YAML file or an argument is wrong; key and nearest valid one are named.
        DataError: The weights are missing, are not the ones described (SHA-256), or cannot be read.
        MissingDependencyError: OpenVINO is asked for and not installed.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        weights: str | Path | None = None,
        runtime: RuntimeName = "onnxruntime",
        classes: Sequence[str] = ("person",),
        min_score: float | None = None,
        threads: int | None = None,
    ) -> None:
        model = Path(model)
        self.config = config = build(DetectorConfig, load_yaml(model), file=model)
        self.classes = tuple(classes)
        self._wanted = _numbering(config.class_names, self.classes, model)
        self._min_score = config.min_score if min_score is None else min_score
        if not 0 <= self._min_score <= 1:
            raise ConfigError(f"is {min_score}", key="min_score", expected="0 to 1")
        file = model.parent / config.weights if weights is None else Path(weights)
        _verify(file, config)
        self._network = Network(file, runtime=runtime, threads=threads, wanted="a network of one input, the picture")
        self._order = _order(config, self._network, file)
        shape = self._network.inputs[0].shape
        self._batches = config.head.kind in _BATCHED and shape[0] is None
        _check_size(shape, config, model)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels, clipped to it, best first."""
        prepared = [prepare(frame.image, self.config.input) for frame in frames]
        outputs = self._run([tensor for tensor, _ in prepared])
        return [
            self._decode(output, place, frame.image.shape)
            for output, (_, place), frame in zip(outputs, prepared, frames, strict=True)
        ]

    def _run(self, tensors: list[NDArray[np.float32]]) -> list[list[NDArray[Any]]]:
        """The network's outputs for each image."""
        if self._batches and len({tensor.shape for tensor in tensors}) == 1:
            together = self._network.run(np.stack(tensors))
            return [[together[i][image] for i in self._order] for image in range(len(tensors))]
        each = [self._network.run(tensor[None]) for tensor in tensors]
        batched = self.config.head.kind in _BATCHED
        return [[one[i][0] if batched else one[i] for i in self._order] for one in each]

    def _decode(self, outputs: list[NDArray[Any]], place: Placement, shape: tuple[int, ...]) -> Detections:
        found = self._head()(*outputs)
        if len(found.label) and found.label.max() >= len(self._wanted):
            raise DataError(
                f"{self.config.name} finds class {found.label.max()}",
                key="classes",
                expected=f"fewer classes than that in its description, which has {len(self._wanted)}",
            )
        label = self._wanted[found.label]
        kept = label >= 0
        xyxy, score, label = found.xyxy[kept], found.score[kept], label[kept]
        best = np.argsort(-score, kind="stable")
        if self.config.nms_iou is not None:
            best = nms(xyxy, score, self.config.nms_iou, label)
        xyxy = clip_to_image(place.to_frame(xyxy[best]), shape[1], shape[0])
        inside = np.flatnonzero((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
        return Detections(xyxy, np.clip(score[best], 0, 1), label[best])[inside]

    def _head(self) -> Callable[..., heads.Candidates]:
        head, least = self.config.head, self._min_score
        size = (self.config.input.width, self.config.input.height)
        kinds: dict[str, Callable[..., heads.Candidates]] = {
            "yolox": lambda a: heads.yolox(a, input_size=size, strides=head.strides, min_score=least),
            "yolov8": lambda a: heads.yolov8(a, min_score=least),
            "fastestdet": lambda a: heads.fastestdet(a, input_size=size, min_score=least),
            "boxes": lambda a, b, c: heads.boxes(a, b, c, first_label=head.first_label, min_score=least),
            "anchors": lambda *a: heads.anchored(
                *a, strides=head.strides, anchors=head.anchors, stretch=head.stretch, min_score=least
            ),
            "ssd": lambda a: heads.ssd(a, input_size=size, first_label=head.first_label, min_score=least),
        }
        return kinds[head.kind]


def _numbering(names: Sequence[str], wanted: Sequence[str], model: Path) -> NDArray[np.int64]:
    """(C,) for each of the network's classes, its position in `wanted`, or -1."""
    for name in wanted:
        if name not in names:
            raise ConfigError(
                f"the network has no class '{name}'", file=model, key="classes", expected=nearest(name, names)
            )
    return np.array([wanted.index(name) if name in wanted else -1 for name in names], np.int64)


def _verify(file: Path, config: DetectorConfig) -> None:
    if not file.is_file():
        raise DataError(
            "the weights are not there", file=file, expected=f"{config.name} from {config.source}, or weights=PATH"
        )
    if config.sha256 is None:
        return
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != config.sha256:
        raise DataError(
            f"these are not the weights of {config.name}: SHA-256 {found}",
            file=file,
            expected=f"SHA-256 {config.sha256}",
        )


def _order(config: DetectorConfig, network: Network, file: Path) -> list[int]:
    """Which of the network's outputs the head takes, in its order."""
    takes = {"boxes": 3, "anchors": len(config.head.anchors)}.get(config.head.kind, 1)
    given = [port.name for port in network.outputs]
    names = given[:takes] if config.head.outputs is None else config.head.outputs
    for name in names:
        if name not in given:
            expected = nearest(name, given)
            raise ConfigError(f"the network has no output '{name}'", file=file, key="head.outputs", expected=expected)
    if len(names) != takes:
        raise ConfigError(f"are {len(names)}", file=file, key="head.outputs", expected=f"{takes} for this head")
    return [given.index(name) for name in names]


def _check_size(shape: tuple[int | None, ...], config: DetectorConfig, model: Path) -> None:
    size = (3, config.input.height, config.input.width)
    wanted = size if config.input.layout == "nchw" else (*size[1:], 3)
    if len(shape) != 4 or any(have not in (None, want) for have, want in zip(shape[1:], wanted, strict=True)):
        raise ConfigError(f"the network takes {shape}", file=model, key="input", expected=f"(batch, {wanted})")
