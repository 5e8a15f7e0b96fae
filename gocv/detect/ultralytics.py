"""Detectors of the ultralytics package, which is AGPL-3.0: the only module of gocv that imports it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, Detections, Frame, MissingDependencyError, Poses, nearest
from gocv.data.poses import COCO17
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
        keypoints: Names of the keypoints that the network finds; empty where it finds none.

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

        self.keypoints = _keypoints(self._model)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels, clipped to it, best first."""
        return [self._rows(result, frame)[0] for result, frame in zip(self._run(frames), frames, strict=True)]

    def detect_poses(self, frames: Sequence[Frame]) -> list[tuple[Detections, Poses]]:
        """As `detect`, and the keypoints of each box in its row; those that ultralytics puts at 0, 0 are not seen.

        Raises:
            ConfigError: The network finds no keypoints.
        """
        if not self.keypoints:
            raise ConfigError("the network finds no keypoints", key="model", expected="one such as yolo11n-pose.pt")
        both = []
        for result, frame in zip(self._run(frames), frames, strict=True):
            found, row = self._rows(result, frame)
            seen = result.keypoints.data.cpu().numpy()[row]
            known = (seen[..., :2] != 0).any(axis=-1)
            score = np.clip(seen[..., 2], 0, 1) if seen.shape[-1] == 3 else known.astype(np.float32)
            both.append((found, Poses(np.where(known[..., None], seen[..., :2], np.nan), score)))
        return both

    def _run(self, frames: Sequence[Frame]) -> list[Any]:
        if not frames:
            return []
        images = [np.ascontiguousarray(frame.image[..., ::-1]) for frame in frames]  # ultralytics takes arrays as BGR
        return list(self._model.predict(images, classes=list(self._label), **self._options))

    def _rows(self, result: Any, frame: Frame) -> tuple[Detections, NDArray[np.int64]]:
        """The detections, and their rows in what the network gave."""
        height, width = frame.image.shape[:2]
        boxes = result.boxes
        xyxy = clip_to_image(boxes.xyxy.cpu().numpy().astype(np.float32), width, height)
        label = np.array([self._label[int(number)] for number in boxes.cls.cpu().numpy()], np.int64)
        row = np.flatnonzero((xyxy[:, 2:] > xyxy[:, :2]).all(axis=1))
        return Detections(xyxy, boxes.conf.cpu().numpy(), label)[row], row


def _keypoints(model: Any) -> tuple[str, ...]:
    """COCO's where the network finds as many; others are numbered."""
    if getattr(model, "task", "detect") != "pose":
        return ()
    shape = getattr(model.model, "kpt_shape", None) or (len(COCO17), 3)
    count = int(shape[0])
    return COCO17 if count == len(COCO17) else tuple(map(str, range(count)))


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
