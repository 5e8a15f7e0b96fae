"""From pictures of hands to what they look like, by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError
from gocv.data.networks import Network

Float32 = NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "shipped" / "hands.onnx"
"""The network that comes with gocv."""


class OnnxHandEncoder:
    """A network that `gocv train hands` wrote; it has the method of the protocol `gocv.core.HandEncoder`.

    Args:
        weights: The file; None takes the network that comes with gocv.
        batch: Crops at a time.
        threads: That the runtime may use; None leaves it to the runtime.

    Attributes:
        size: Of the crops that it takes, pixels.
        length: Of its vectors.

    Raises:
        ConfigError: A number is not above 0.
        DataError: The file is missing, or no such network.
    """

    def __init__(self, weights: str | Path | None = None, *, batch: int = 64, threads: int | None = None) -> None:
        if batch < 1:
            raise ConfigError(f"is {batch}", key="batch", expected="at least 1")
        file, self._batch = SHIPPED if weights is None else Path(weights), batch
        wanted = "a network that gocv train hands wrote"
        self._network = Network(file, threads=threads, wanted=wanted)
        takes, gives = self._network.inputs[0], {port.name: port.shape for port in self._network.outputs}
        ours = takes.dtype == np.uint8 and len(takes.shape) == 4 and list(gives) == ["holds", "vector"]
        size, length = (takes.shape[1], gives["vector"][-1]) if ours else (None, None)
        if size is None or length is None:
            raise DataError("takes or gives something else", file=file, expected=wanted)
        self.size, self.length = size, length

    def encode(self, crops: NDArray[np.uint8]) -> tuple[Float32, Float32]:
        """What pictures of hands show.

        Args:
            crops: (n, size, size, 3) uint8, RGB, as `gocv.interact.crops.cut` gives them.

        Returns:
            (n,) float32, probability that there is something in the hand; (n, D) float32 of length 1, what it looks
            like.

        Raises:
            DataError: The crops have another shape or type.
        """
        if crops.shape[1:] != (self.size, self.size, 3) or crops.dtype != np.uint8:
            raise DataError(
                f"crops are {crops.shape} {crops.dtype}", expected=f"(n, {self.size}, {self.size}, 3) uint8"
            )
        holds, vector = np.zeros(len(crops), np.float32), np.zeros((len(crops), self.length), np.float32)
        for start in range(0, len(crops), self._batch):
            part = slice(start, start + self._batch)
            holds[part], vector[part] = self._network.run(crops[part])
        return holds, vector
