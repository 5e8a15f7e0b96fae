"""The network written to ONNX, its probabilities made to fit, and checked there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_expit

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.interact.hands.encoder import OnnxHandEncoder
from gocv.interact.hands.network import HandModel
from gocv.train.export import check_close, free_batch, write_onnx

_TOLERANCE = 1e-3
_BATCHES = (1, 3)


@dataclasses.dataclass(frozen=True, slots=True)
class HoldsCalibration:
    """A line from the network's log odds to those that fit what was seen (Platt 1999).

    Attributes:
        slope: Above 0.
        offset: Added.
    """

    slope: float = 1.0
    offset: float = 0.0

    @classmethod
    def fit(cls, logit: NDArray[np.float64], holds: NDArray[np.bool_], counted: NDArray[np.bool_]) -> HoldsCalibration:
        """The line with the least log loss.

        Args:
            logit: (n,) log odds by the network.
            holds: (n,) the truth.
            counted: (n,) which of them count.

        Raises:
            DataError: Those that count are all empty, or none is.
        """
        x, y = logit[counted], holds[counted]
        if y.all() or not y.any():
            raise DataError("hands all hold something, or none does", expected="some of each")

        def loss(line: NDArray[np.float64]) -> float:
            found = np.exp(line[0]) * x + line[1]
            return float(-np.mean(np.where(y, log_expit(found), log_expit(-found))))

        slope, offset = minimize(loss, np.zeros(2)).x
        return cls(float(np.exp(slope)), float(offset))


class _FromPictures(torch.nn.Module):
    """The network with the arithmetic around it: pictures in, probabilities and vectors out."""

    def __init__(self, model: HandModel, calibration: HoldsCalibration) -> None:
        super().__init__()
        self.model, self.calibration = model, calibration

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, size, size, 3) uint8 to (n,) and (n, D) float32."""
        logit, vector = self.model(crops.permute(0, 3, 1, 2).float())
        return torch.sigmoid(self.calibration.slope * logit + self.calibration.offset), vector


def export_hands(model: HandModel, path: str | Path, calibration: HoldsCalibration, *, seed: int = 0) -> float:
    """Write a network to ONNX and run it there; the file stays only if both agree.

    Args:
        model: The network.
        path: Of the file.
        calibration: Of its log odds.
        seed: Of the random pictures on which they must agree.

    Returns:
        The largest difference of a value.

    Raises:
        DataError: They differ by more than 1e-3.
        MissingDependencyError: The exporter is not installed.
    """
    net, size = _FromPictures(model, calibration).eval(), model.settings.size
    crops = np.random.default_rng(seed).integers(0, 256, (max(_BATCHES), size, size, 3), dtype=np.uint8)
    with written_whole(Path(path)) as temporary:
        write_onnx(
            net,
            (torch.from_numpy(crops),),
            temporary,
            inputs=["crops"],
            outputs=["holds", "vector"],
            axes=free_batch("crops"),
        )
        written = OnnxHandEncoder(temporary)
        with torch.inference_mode():
            wanted = [part.numpy() for part in net(torch.from_numpy(crops))]
        found = [value for n in _BATCHES for value in written.encode(crops[:n])]
        return check_close(found, [value[:n] for n in _BATCHES for value in wanted], most=_TOLERANCE, file=path)
