"""What an encoder is, as its checkpoint says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gocv.data.config import Model


class ReidModelConfig(Model):
    """A network from crops to vectors.

    Attributes:
        backbone: As for `gocv.reid.backbones.make_backbone`.
        last_stride: Of the last stage of the backbone.
        height_px: Crops are brought to this size.
        width_px: As `height_px`.
        mean: Of red, green and blue in [0, 1], taken away.
        std: By which the rest is divided.
        pooling: Mean over the map, or the generalised mean of Radenović et al. 2019 (arXiv:1711.02512, eq. 3) with an
            exponent that is learnt.
        vector: Length of the vector, by a linear layer after the pooling; None keeps that of the backbone.
        neck: What makes the vector that is compared of the one that metric losses see: "bn", batch normalisation
            without shift (BNNeck, arXiv:1903.07071, §3.6); "bn_relu", with shift and ReLU, as OSNet's authors; "none".
    """

    backbone: str = "osnet_x0_25"
    last_stride: Literal[1, 2] = 1
    height_px: int = Field(default=256, ge=32)
    width_px: int = Field(default=128, ge=32)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    pooling: Literal["mean", "gem"] = "mean"
    vector: int | None = Field(default=None, ge=8)
    neck: Literal["bn", "bn_relu", "none"] = "bn"
