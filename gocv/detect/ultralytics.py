"""Detectors of the ultralytics package, which is AGPL-3.0: the only module of gocv that imports it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gocv.core import ConfigError, DataError, Detections, Frame, MissingDependencyError, nearest
from gocv.geometry import clip_to_image


class UltralyticsDetector:
    """Any detector that `ultralytics.YOLO` loads.

    ultralytics is not installed with gocv and is licensed under the AGPL-3.0, whose terms then reach what you build
    with it.

    Args:
        model: A file of weights, a name such as "yolo11n.pt", whose weights ultralytics fetches when they are not
            there, or a `YOLO` object that is ready.
        classes: The classes wanted, by the network's names for them.
        min_score: Least score of a detection.
        image_size: Longer side of the network's input, pixels.
        device: As ultralytics names it: "cpu", "cuda:0"; None leaves it to ultralytics.

    Attributes:
        classes: The classes wanted; `Detections.label` indexes them.

    Raises:
        ConfigError: The network has no such class, or the score is out of range.
        DataError: The weights cannot be loaded or fetched.
        MissingDependencyError: ultralytics is not installed.
    """

    def __init__(
        self,
        model: str | Path | Any = "yolo11n.pt",
        *,
        classes: Sequence[str] = ("person",),
        min_score: float = 0.3,
        image_size: int = 640,
        device: str | None = None,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise ConfigError(f"is {min_score}", key="min_score", expected="0 to 1")
        self._model = _load(model) if isinstance(model, (str, Path)) else model
        self.classes = tuple(classes)
        names: dict[str, int] = {name: number for number, name in self._model.names.items()}
        for name in self.classes:
            if name not in names:
                raise ConfigError(f"the network has no class '{name}'", key="classes", expected=nearest(name, names))
        self._label = {names[name]: label for label, name in enumerate(self.classes)}
        self._options = {"conf": min_score, "imgsz": image_size, "device": device, "verbose": False}

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels, clipped to it, best first."""
        if not frames:
            return []
        images = [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames]  # ultralytics takes arrays as BGR
        results = self._model.predict(images, classes=list(self._label), **self._options)
        return [self._rows(result.boxes, frame) for result, frame in zip(results, frames, strict=True)]

    def _rows(self, boxes: Any, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        xyxy = clip_to_image(boxes.xyxy.cpu().numpy().astype(np.float32), width, height)
        label = np.array([self._label[int(number)] for number in boxes.cls.cpu().numpy()], np.int64)
        found = Detections(xyxy, boxes.conf.cpu().numpy(), label)
        return found[np.flatnonzero((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))]


def _load(model: str | Path) -> Any:
    try:
        with np.printoptions():  # importing ultralytics changes how numpy prints, for the whole process
            os.environ.setdefault("YOLO_AUTOINSTALL", "false")  # or it installs packages as it goes
            import ultralytics
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "ultralytics"
        problem = "is not installed" if missing else f"cannot be imported ({error})"
        raise MissingDependencyError(
            f"the ultralytics package is needed and {problem}; it is licensed under the AGPL-3.0",
            expected="pip install gocv[ultralytics]",
        ) from error
    try:
        return ultralytics.YOLO(str(model))  # type: ignore[attr-defined]
    except Exception as error:  # whatever the loader or the download raises
        raise DataError(f"ultralytics cannot load or fetch these weights: {error}", file=model) from error
