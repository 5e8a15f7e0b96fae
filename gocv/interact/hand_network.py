"""The temporal network as it runs: ONNX Runtime, no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from gocv.core import DataError
from gocv.data.networks import Network
from gocv.interact.clips import Clips
from gocv.interact.labelled import LabelledClips

Float32 = NDArray[np.float32]

KEY = "gocv.interact"
"""Of the metadata that the file carries."""
_SAID = ("classes", "channels", "numbers", "prior", "temperature", "rows")
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
        file, wanted = Path(weights), "a network of 'gocv train interaction'"
        self._network = Network(file, threads=threads, inputs=None, wanted=wanted)
        about = self._network.about(KEY, *_SAID)
        if [port.name for port in self._network.outputs] != ["clips", "rows"]:
            raise DataError("gives something else", file=file, expected=wanted)
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
            given = {"frames": frames[part], "inside": inside[part], "features": features[part]}
            # Without numbers, there is no such input.
            one, other = self._network.run(*(given[port.name] for port in self._network.inputs))
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
