"""The pose estimator that comes with gocv."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gocv.core import ConfigError, DataError, Detections, Frame, Poses
from gocv.data.poses import COCO17
from gocv.detect import runtimes
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
        runtime: runtimes.RuntimeName = "onnxruntime",
        threads: int | None = None,
        min_score: float = 0.2,
        batch: int = 16,
    ) -> None:
        if not 0 <= min_score <= 1:
            raise ConfigError(f"is {min_score}", key="min_score", expected="0 to 1")
        if batch < 1:
            raise ConfigError(f"is {batch}", key="batch", expected="at least 1")
        file = SHIPPED if weights is None else Path(weights)
        if not file.is_file():
            raise DataError("is not there", file=file, expected="what gocv train pose writes")
        self._runtime = runtimes.load(runtime, file, threads)
        shape = self._runtime.input_shape
        if len(shape) != 4 or shape[1] is None or shape[2] is None or shape[3] != 3 or shape[0] is not None:
            raise DataError(f"takes {shape}", file=file, expected="(any number, height, width, 3)")
        self._size, self._min_score, self._batch = (shape[1], shape[2]), min_score, batch

    def estimate(self, frames: Sequence[Frame], people: Sequence[Detections]) -> list[Poses]:
        """Poses in each frame, a row for each of its boxes, in their order.

        Args:
            frames: Of any cameras and sizes.
            people: The boxes of people in each of them, pixels of the frame.

        Returns:
            Keypoints in pixels of the frame, (0, 0) the middle of its first; NaN and of score 0 where not seen.

        Raises:
            DataError: There are not as many tables of boxes as frames.
        """
        if len(frames) != len(people):
            raise DataError(
                f"{len(people)} tables of boxes", key="people", expected=f"{len(frames)}, one for each frame"
            )
        parts = [windows(boxes.xyxy, self._size, ROOM) for boxes in people]
        crops = [cut(frame.image, part, self._size) for frame, part in zip(frames, parts, strict=True)]
        together = np.concatenate([np.empty((0, *self._size, 3), np.uint8), *crops])
        found = [self._poses(together[i : i + self._batch]) for i in range(0, len(together), self._batch)]
        points = np.concatenate([np.empty((0, len(COCO17), 2), np.float32), *(p for p, _ in found)])
        score = np.concatenate([np.empty((0, len(COCO17)), np.float32), *(s for _, s in found)])
        first = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(int).tolist()
        rows = [slice(start, end) for start, end in itertools.pairwise(first)]
        return [self._placed(points[of], score[of], part) for of, part in zip(rows, parts, strict=True)]

    def _poses(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        maps, seen = self._runtime.run(np.asarray(crops, np.float32))
        points, score = decode(maps, seen)
        stride = self._size[0] / maps.shape[2]
        return (points + 0.5) * stride - 0.5, score

    def _placed(self, points: np.ndarray, score: np.ndarray, parts: np.ndarray) -> Poses:
        kept = score >= max(self._min_score, 1e-9)
        pixels = to_frame(points, parts, self._size)
        return Poses(np.where(kept[..., None], pixels, np.nan), np.where(kept, score, 0.0))
