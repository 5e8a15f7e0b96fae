"""The pose estimator that comes with gocv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, Detections, Frame, Poses
from gocv.data.networks import Network, RuntimeName
from gocv.data.poses import COCO17
from gocv.detect.pose.crops import cut, to_frame, windows
from gocv.detect.pose.decode import decode

SHIPPED = Path(__file__).parents[1] / "shipped" / "pose.onnx"
"""The network that comes with gocv; see docs/pose_card.md."""
ROOM = 1.25
"""What the network sees, against the box."""


class DefaultPose:
    """Keypoints of people whose boxes are known, by a network of gocv; all people of all frames go together.

    Args:
        weights: The network, as `gocv.detect.pose.export.export_pose` writes it; None takes the one that comes with
            gocv.
        runtime: "onnxruntime", or "openvino", which is an optional extra.
        threads: Threads that the runtime may use; None leaves it to the runtime.
        min_score: Keypoints below this score are given as not seen.
        batch: People at a time.

    Attributes:
        keypoints: COCO17.

    Raises:
        ConfigError: An argument is out of range.
        DataError: The weights are missing, or are no such network.
        MissingDependencyError: OpenVINO is asked for and not installed.
    """

    keypoints: tuple[str, ...] = COCO17

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        runtime: RuntimeName = "onnxruntime",
        threads: int | None = None,
        min_score: float = 0.2,
        batch: int = 16,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise ConfigError(f"is {min_score}", key="min_score", expected="0 to 1")
        if batch < 1:
            raise ConfigError(f"is {batch}", key="batch", expected="at least 1")
        file = SHIPPED if weights is None else Path(weights)
        self._network = Network(file, runtime=runtime, threads=threads, wanted="what gocv train pose writes")
        shape = self._network.inputs[0].shape
        if len(shape) != 4 or shape[1] is None or shape[2] is None or shape[3] != 3 or shape[0] is not None:
            raise DataError(f"takes {shape}", file=file, expected="(any number, height, width, 3)")
        self._size, self._min_score, self._batch = (shape[1], shape[2]), min_score, batch

    def estimate(self, frames: Sequence[Frame], people: Sequence[Detections]) -> list[Poses]:
        """Poses in each frame, a row for each of its boxes, in their order.

        Args:
            frames: Of any cameras and sizes.
            people: The boxes of people in each of them, pixels of the frame.

        Returns:
            Keypoints in pixels of the frame, (0, 0) the middle of its first; NaN and of score 0 where not seen, and
            for boxes that are not finite or have no area.

        Raises:
            DataError: There are not as many tables of boxes as frames.
        """
        if len(frames) != len(people):
            raise DataError(
                f"{len(people)} tables of boxes", key="people", expected=f"{len(frames)}, one for each frame"
            )
        boxes = np.concatenate([np.empty((0, 4), np.float32), *(one.xyxy for one in people)])
        owner = np.repeat(np.arange(len(frames)), [len(one) for one in people])
        real = np.flatnonzero(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))
        pixels = np.full((len(boxes), len(COCO17), 2), np.nan)
        score = np.zeros((len(boxes), len(COCO17)))
        for start in range(0, len(real), self._batch):
            rows = real[start : start + self._batch]
            parts = windows(boxes[rows], self._size, ROOM)
            images = [frames[i].image for i in owner[rows].tolist()]
            crops = [cut(image, part[None], self._size) for image, part in zip(images, parts, strict=True)]
            points, sure = self._found(np.concatenate(crops))
            seen = sure >= max(self._min_score, 1e-9)
            pixels[rows] = np.where(seen[..., None], to_frame(points, parts, self._size), np.nan)
            score[rows] = np.where(seen, sure, 0.0)
        return [Poses(pixels[owner == i], score[owner == i]) for i in range(len(frames))]

    def _found(self, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Places in pixels of the crops, and scores."""
        maps, seen = self._network.run(crops)
        points, score = decode(maps, seen)
        stride = self._size[0] / maps.shape[2]
        return np.asarray((points + 0.5) * stride - 0.5, np.float32), score
