"""From pictures of hands to what they look like, by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError

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
        import onnxruntime

        if min(batch, threads or 1) < 1:
            raise ConfigError("is not above 0", key="batch, threads", expected="at least 1")
        file, self._batch = SHIPPED if weights is None else Path(weights), batch
        wanted = "a network that gocv train hands wrote"
        if not file.is_file():
            raise DataError("is not there", file=file, expected=wanted)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        # Threads that wait for work by spinning take the cores from the video decoder in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises classes that it does not export
            raise DataError(f"cannot be read: {str(error).splitlines()[0]}", file=file, expected=wanted) from error
        (given, *_), found = self._session.get_inputs(), self._session.get_outputs()
        if given.type != "tensor(uint8)" or len(given.shape) != 4 or [one.name for one in found] != ["holds", "vector"]:
            raise DataError("takes or gives something else", file=file, expected=wanted)
        self._input, self.size, self.length = given.name, int(given.shape[1]), int(found[1].shape[1])

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
            holds[part], vector[part] = self._session.run(None, {self._input: np.ascontiguousarray(crops[part])})
        return holds, vector
