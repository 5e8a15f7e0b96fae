"""From crops of people to appearance vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from gocv.core import ConfigError
from gocv.data.config import build, load_yaml
from gocv.reid.checkpoints import load_foreign, load_model
from gocv.reid.config import ReidModelConfig
from gocv.reid.crop_encoder import CropEncoder
from gocv.reid.model import ReidModel

SHIPPED = Path(__file__).parent / "shipped" / "default.safetensors"
"""The encoder that comes with gocv."""


class Encoder(CropEncoder):
    """A network of gocv, on the GPU where there is one.

    Args:
        weights: What `gocv train reid` wrote; or, with `model`, a state dict of others; None takes the encoder that
            comes with gocv.
        model: YAML of `gocv.reid.config.ReidModelConfig`, for weights that do not say themselves what they are. With
            `weights` None the trunk's library fetches its ImageNet weights.
        device: "cpu", "cuda", or "auto": CUDA where there is some.
        batch: Crops at a time.
        flip: Whether a vector is the mean of the crop's and its mirror image's: a little better, twice the time.

    Attributes:
        size_px: Height and width to which crops are brought.
        length: Of the vectors.

    Raises:
        ConfigError: The YAML file or an argument is wrong.
        DataError: The weights are missing or do not fit.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        model: str | Path | None = None,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        batch: int = 64,
        flip: bool = False,
    ) -> None:
        if batch < 1:
            raise ConfigError(f"is {batch}", key="batch", expected="at least 1")
        if device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("there is no CUDA device", key="device", expected="cpu or auto")
        chosen = "cuda" if device == "auto" and torch.cuda.is_available() else device
        self._device = torch.device("cpu" if chosen == "auto" else chosen)
        net = _network(weights, model).to(self._device).eval()
        self._net = net.to(memory_format=torch.channels_last)
        self._flip = flip
        config = self._net.config
        self._mean = torch.tensor(config.mean, device=self._device).view(3, 1, 1) * 255
        self._std = torch.tensor(config.std, device=self._device).view(3, 1, 1) * 255
        super().__init__((config.height_px, config.width_px), self._net.length, batch)

    @torch.inference_mode()
    def _vectors(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        plain = np.require(crops, requirements=["C", "W"])  # torch takes no other arrays
        pixels = torch.from_numpy(plain).to(self._device, non_blocking=True).permute(0, 3, 1, 2)
        given = ((pixels - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
        found = self._net(given)
        if self._flip:
            found = torch.nn.functional.normalize(found + self._net(given.flip(3)), dim=1)
        vectors: NDArray[np.float32] = found.float().cpu().numpy()
        return vectors


def _network(weights: str | Path | None, model: str | Path | None) -> ReidModel:
    if model is None:
        return load_model(SHIPPED if weights is None else weights)[0]
    config = build(ReidModelConfig, load_yaml(Path(model)), file=model)
    return ReidModel(config, pretrained=True) if weights is None else load_foreign(config, weights)
