"""Encoders that others trained, as ONNX or OpenVINO files; and ours, written to ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError
from gocv.data.networks import Network
from gocv.reid.crop_encoder import CropEncoder
from gocv.reid.crops import UInt8

Float32 = NDArray[np.float32]


class OnnxEncoder(CropEncoder):
    """A network in a file: `.onnx` by ONNX Runtime, `.xml` by OpenVINO, which is an optional extra.

    Its input is (n, 3, height, width) float32, its first output (n, D) or (n, D, 1, 1).

    Args:
        weights: The file.
        height_px: Crops are brought to this size.
        width_px: As `height_px`.
        mean: Of the channels in [0, 255], taken away.
        std: By which the rest is divided.
        colours: Order of the channels.
        batch: Crops at a time; a network that is made for one gets them one by one.
        threads: That the runtime may use; None leaves it to the runtime.

    Raises:
        ConfigError: A number is out of range.
        DataError: The file is missing, cannot be read, or takes no crops of that size.
        MissingDependencyError: OpenVINO is needed and not installed.
    """

    def __init__(
        self,
        weights: str | Path,
        *,
        height_px: int = 256,
        width_px: int = 128,
        mean: tuple[float, float, float] = (123.675, 116.28, 103.53),
        std: tuple[float, float, float] = (58.395, 57.12, 57.375),
        colours: Literal["rgb", "bgr"] = "rgb",
        batch: int = 16,
        threads: int | None = None,
    ) -> None:
        if min(height_px, width_px, batch, threads or 1) < 1 or min(std) <= 0:
            raise ConfigError("is out of range", key="height_px, width_px, batch, threads, std", expected="above 0")
        file = Path(weights)
        self._network = Network(
            file,
            runtime="openvino" if file.suffix == ".xml" else "onnxruntime",
            threads=threads,
            any_batch=True,
            wanted="an .onnx or .xml file of a network of (n, 3, height_px, width_px) float32",
        )
        self._mean, self._std = np.array(mean, np.float32), np.array(std, np.float32)
        self._step = 1 if colours == "rgb" else -1
        self.size_px, self._batch = (height_px, width_px), batch
        try:
            probe = self._vectors(np.zeros((1, height_px, width_px, 3), np.uint8))
        except Exception as error:
            problem = f"does not take a crop of {height_px} x {width_px}: {str(error).splitlines()[0]}"
            raise DataError(problem, file=file, expected="a network of (n, 3, height_px, width_px) float32") from error
        super().__init__(self.size_px, probe.shape[1], batch)

    def _vectors(self, crops: UInt8) -> Float32:
        given = (crops[..., :: self._step] - self._mean) / self._std
        pixels = np.asarray(given.transpose(0, 3, 1, 2), np.float32)
        parts = [pixels] if self._network.inputs[0].shape[0] is None else [row[None] for row in pixels]
        return np.concatenate([self._network.run(part)[0] for part in parts]).reshape(len(crops), -1)
