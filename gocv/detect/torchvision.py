"""Detectors of torchvision (BSD-3-Clause): Faster R-CNN, SSDLite, RetinaNet, FCOS; Keypoint R-CNN with its poses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, Detections, Frame, Poses, nearest
from gocv.data.poses import COCO17
from gocv.geometry import clip_to_image

RANDOM = "random"
"""Weights that know nothing, for tests and for training."""

_BACKGROUND, _UNUSED = ("__background__", "no person"), "N/A"


class TorchvisionDetector:
    """A detection network of torchvision by its name.

    Args:
        model: Name, such as "fasterrcnn_resnet50_fpn_v2", "ssdlite320_mobilenet_v3_large", "keypointrcnn_resnet50_fpn".
        weights: "DEFAULT" or another of the names that torchvision has for weights of the model, which it then fetches
            when they are not there; a file of a state dict (`.safetensors`, or `.pth`, of which tensors alone are
            read); or "random".
        classes: The classes wanted, by the network's names for them.
        names: All classes of the network in a file, from number 1 on: 0 is the background. None: those of COCO, as
            torchvision numbers them.
        min_score: Least score of a detection.
        device: As torch names it: "cpu", "cuda", "cuda:1".

    Attributes:
        classes: The classes wanted; `Detections.label` indexes them.
        keypoints: Names of the keypoints that the network finds; empty where it finds none.

    Raises:
        ConfigError: There is no such model, class or weights, or the score is out of range.
        DataError: The weights cannot be loaded or fetched.
    """

    def __init__(
        self,
        model: str,
        weights: str | Path,
        *,
        classes: Sequence[str] = ("person",),
        names: Sequence[str] | None = None,
        min_score: float = 0.3,
        device: str = "cpu",
    ) -> None:
        import torch

        if not 0 <= min_score <= 1:
            raise ConfigError(f"is {min_score}", key="min_score", expected="0 to 1")
        network, categories = _build(model, weights, names)
        self.classes = tuple(classes)
        for name in self.classes:
            if name not in categories:
                known = [c for c in categories if c not in (*_BACKGROUND, _UNUSED)]
                raise ConfigError(f"the network has no class '{name}'", key="classes", expected=nearest(name, known))
        self._label = np.array([self.classes.index(c) if c in self.classes else -1 for c in categories], np.int64)
        self._min_score = min_score
        try:
            self._device = torch.device(device)
            self._network = _let_through(network, min_score).eval().to(self._device)
        except (RuntimeError, AssertionError) as error:
            raise ConfigError(
                f"is '{device}': {error}", key="device", expected="cpu, or a device that is there"
            ) from error
        self.keypoints = COCO17 if hasattr(network, "roi_heads") and network.roi_heads.has_keypoint() else ()

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels, clipped to it, best first."""
        return [self._rows(output, frame)[0] for output, frame in zip(self._run(frames), frames, strict=True)]

    def detect_poses(self, frames: Sequence[Frame]) -> list[tuple[Detections, Poses]]:
        """As `detect`, and the keypoints of each box in its row.

        A keypoint's score is the sigmoid of its heat map's highest value: an order, not a probability.

        Raises:
            ConfigError: The network finds no keypoints.
        """
        if not self.keypoints:
            raise ConfigError("the network finds no keypoints", key="model", expected="keypointrcnn_resnet50_fpn")
        both = []
        for output, frame in zip(self._run(frames), frames, strict=True):
            found, row = self._rows(output, frame)
            score = 1 / (1 + np.exp(-output["keypoints_scores"][row].astype(np.float64)))
            both.append((found, Poses(output["keypoints"][row, :, :2], score.astype(np.float32))))
        return both

    def _run(self, frames: Sequence[Frame]) -> list[dict[str, NDArray[Any]]]:
        import torch

        outputs: dict[int, dict[str, NDArray[Any]]] = {}
        with torch.inference_mode():
            for rows in _of_one_size(frames):
                pixels = np.stack([frames[row].image for row in rows]).transpose(0, 3, 1, 2)
                batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(self._device).float() / 255
                for row, output in zip(rows, self._network(list(batch)), strict=True):
                    outputs[row] = {key: value.cpu().numpy() for key, value in output.items()}
        return [outputs[row] for row in range(len(frames))]

    def _rows(self, output: dict[str, NDArray[Any]], frame: Frame) -> tuple[Detections, NDArray[np.int64]]:
        """The detections, and their rows in what the network gave."""
        height, width = frame.image.shape[:2]
        xyxy, score = clip_to_image(output["boxes"], width, height), np.clip(output["scores"], 0, 1)
        label = self._label[output["labels"]]
        kept = (score >= self._min_score) & (label >= 0) & (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
        best = np.argsort(-score, kind="stable")
        row = best[kept[best]]
        return Detections(xyxy[row], score[row], label[row]), row


def _of_one_size(frames: Sequence[Frame]) -> Iterator[list[int]]:
    """Rows of frames of equal size: others are padded to one another, which changes what is found in them."""
    sizes = [frame.image.shape for frame in frames]
    for size in dict.fromkeys(sizes):
        yield [row for row, other in enumerate(sizes) if other == size]


def _build(model: str, weights: str | Path, names: Sequence[str] | None) -> tuple[Any, tuple[str, ...]]:
    """The network, and its classes by number."""
    from torchvision import models

    known = models.list_models(module=models.detection)
    if model not in known:
        raise ConfigError(f"there is no model '{model}'", key="model", expected=nearest(model, known))
    published = models.get_model_weights(model)
    categories = tuple(published.DEFAULT.meta["categories"])
    if names is not None:
        categories = ("__background__", *names)
    file = Path(weights)
    if weights != RANDOM and file.suffix not in (".pth", ".pt", ".safetensors"):
        if weights not in published.__members__:
            expected = f"{nearest(str(weights), published.__members__)}, '{RANDOM}', or a .safetensors or .pth file"
            raise ConfigError(f"has no weights '{weights}'", key="weights", expected=expected)
        if names is not None:
            raise ConfigError("are given for published weights", key="names", expected="none: they have their own")
        try:
            return models.get_model(model, weights=published[str(weights)]), categories
        except (OSError, RuntimeError) as error:
            raise DataError(f"torchvision cannot load or fetch weights of {model}: {error}") from error
    network = models.get_model(model, weights=None, weights_backbone=None, num_classes=len(categories))
    if weights != RANDOM:
        _load(network, file)
    return network, categories


def _load(network: Any, file: Path) -> None:
    import torch
    from safetensors.torch import load_file

    try:
        safe = file.suffix == ".safetensors"
        network.load_state_dict(load_file(file) if safe else torch.load(file, "cpu", weights_only=True))
    except Exception as error:  # what the readers raise, and what the network makes of names and shapes
        raise DataError(f"are not weights of this network: {error}", file=file, expected="its state dict") from error


def _let_through(network: Any, min_score: float) -> Any:
    """The network with its own least score no higher than that wanted."""
    heads = getattr(network, "roi_heads", network)
    heads.score_thresh = min(heads.score_thresh, min_score)
    return network
