"""The detector that comes with gocv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gocv.data.networks import RuntimeName
from gocv.detect.onnx import OnnxDetector

SHIPPED = Path(__file__).parent / "shipped" / "person.yaml"
"""What describes it; the weights are beside it."""


class PersonDetector(OnnxDetector):
    """Finds people, with a network that comes with gocv; `docs/detector_card.md` says how good it is.

    Args:
        runtime: "onnxruntime", or "openvino", which is an optional extra.
        classes: The classes wanted: people are all there is.
        min_score: Least score of a detection; None takes 0.3.
        threads: Threads that the runtime may use; None leaves it to the runtime.

    Raises:
        ConfigError: An argument is wrong.
        MissingDependencyError: OpenVINO is asked for and not installed.

    >>> import numpy as np
    >>> from gocv.core import Frame
    >>> dark = Frame(np.zeros((360, 640, 3), np.uint8), "camera-1", 0.0, 0)
    >>> [len(found) for found in PersonDetector(threads=1).detect([dark])]
    [0]
    """

    def __init__(
        self,
        *,
        runtime: RuntimeName = "onnxruntime",
        classes: Sequence[str] = ("person",),
        min_score: float | None = None,
        threads: int | None = None,
    ) -> None:
        super().__init__(SHIPPED, runtime=runtime, classes=classes, min_score=min_score, threads=threads)
