"""The temporal network as it runs: ONNX Runtime, no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from gocv.core import DataError
from gocv.interact.clips import Clips
from gocv.interact.labelled import LabelledClips

Float32 = NDArray[np.float32]

KEY = "gocv.interact"
"""Of the metadata that the file carries."""
_BATCH = 256


class HandNetwork:
    """A network that `gocv train interaction` wrote.

    Args:
        weights: The `.onnx` file.
        threads: That the runtime may use; None leaves it to the runtime.

    Attributes:
        classes: Names.
        channels: Names of the F channels of a clip's rows.
        numbers: Names of the K numbers of a clip.
        prior: (C,) float64, share of each class in what was learnt from.
        temperature: By which log odds are divided.
        of_rows: Whether it was taught the classes of rows instead of those of clips.

    Raises:
        DataError: The file is missing or is no such network.
    """

    def __init__(self, weights: str | Path, *, threads: int | None = 1) -> None:
        import onnxruntime

        file = Path(weights)
        if not file.is_file():
            raise DataError("is not there", file=file, expected="a network of 'gocv train interaction'")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads or 0
        try:
            self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
            about = json.loads(self._session.get_modelmeta().custom_metadata_map[KEY])
        except Exception as error:  # the library raises classes that it does not export
            raise DataError(
                f"cannot be read: {error}", file=file, expected="a network of 'gocv train interaction'"
            ) from error
        self.classes, self.channels, self.numbers = (tuple(about[key]) for key in ("classes", "channels", "numbers"))
        self.prior, self.temperature = np.array(about["prior"], np.float64), float(about["temperature"])
        self.of_rows = bool(about["rows"])

    def logits(self, frames: Float32, inside: NDArray[Any], features: Float32) -> tuple[Float32, Float32]:
        """Log odds before the temperature.

        Args:
            frames: (n, T, F) float32.
            inside: (n, T), 1 in the rows that the clip is about.
            features: (n, K) float32; NaN where not known.

        Returns:
            (n, C) of the clips, (n, T, C) of their rows.
        """
        classes = len(self.classes)
        whole = [np.empty((0, classes), np.float32)]
        rows = [np.empty((0, frames.shape[1], classes), np.float32)]
        for i in range(0, len(frames), _BATCH):
            part = slice(i, i + _BATCH)
            given = {"frames": frames[part], "inside": inside[part].astype(np.float32), "features": features[part]}
            wanted = {node.name for node in self._session.get_inputs()}  # without numbers, there is no such input
            one, other = self._session.run(["clips", "rows"], {k: v for k, v in given.items() if k in wanted})
            whole.append(one)
            rows.append(other)
        return np.concatenate(whole), np.concatenate(rows)

    def probabilities(self, clips: Clips | LabelledClips) -> NDArray[np.float64]:
        """(n, C) of each class, if classes are as frequent as in what was learnt from."""
        whole, _ = self.logits(clips.frames, clips.inside, clips.features)
        return np.asarray(softmax(whole.astype(np.float64) / self.temperature, axis=1))

    def row_probabilities(self, clips: Clips | LabelledClips) -> NDArray[np.float64]:
        """(n, T, C) of each class at each moment."""
        _, rows = self.logits(clips.frames, clips.inside, clips.features)
        return np.asarray(softmax(rows.astype(np.float64) / self.temperature, axis=2))
