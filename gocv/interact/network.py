"""A small temporal network over the rows of a clip. Needs torch."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn

from gocv.data.config import Model


class NetworkSettings(Model):
    """How large the network is.

    Attributes:
        width: Channels of each layer.
        blocks: Layers; each looks twice as far as the one before, so that the last one sees 2^(blocks + 1) rows.
        dropout: Share of what is forgotten while it learns.
    """

    width: int = Field(default=48, ge=4)
    blocks: int = Field(default=5, ge=1, le=12)
    dropout: float = Field(default=0.1, ge=0, lt=1)


class InteractionNet(nn.Module):
    """Dilated convolutions over time, and what is known of the whole clip.

    The convolutions are those of Bai, Kolter & Koltun 2018 (arXiv:1803.01271, §3), but see both past and future.

    Args:
        channels: F, of each row.
        numbers: K, of the whole clip; may be 0.
        classes: C.
        settings: How large.
    """

    frame_mean: Tensor
    frame_sd: Tensor
    number_mean: Tensor
    number_sd: Tensor

    def __init__(self, channels: int, numbers: int, classes: int, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width
        for name, size in (("frame", channels), ("number", numbers)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_sd", torch.ones(size))
        self.stem = nn.Conv1d(channels + 1, width, 1)
        self.blocks = nn.ModuleList(_Block(width, 2**k, settings.dropout) for k in range(settings.blocks))
        self.rows = nn.Conv1d(width, classes, 1)
        self.whole = (
            nn.Sequential(nn.Linear(2 * numbers, width), nn.ReLU(), nn.Dropout(settings.dropout)) if numbers else None
        )
        told = 3 * width if numbers else 2 * width
        self.head = nn.Sequential(
            nn.Linear(told, width), nn.ReLU(), nn.Dropout(settings.dropout), nn.Linear(width, classes)
        )

    def forward(self, frames: Tensor, inside: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Log odds of each clip and of each of its rows.

        Args:
            frames: (n, T, F) float32.
            inside: (n, T) float32, 1 in the rows that the clip is about.
            features: (n, K) float32; NaN where not known.

        Returns:
            (n, C) of the clips, (n, T, C) of the rows.
        """
        x = torch.cat([(frames - self.frame_mean) / self.frame_sd, inside[..., None]], dim=2).transpose(1, 2)
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        weight = inside[:, None]
        mean = (x * weight).sum(dim=2) / weight.sum(dim=2).clamp(min=1.0)
        largest = (x - 1e4 * (1 - weight)).amax(dim=2).clamp(min=-1e3)
        told = [mean, largest]
        if self.whole is not None:
            known = (~torch.isnan(features)).to(x.dtype)
            scaled = ((torch.nan_to_num(features) - self.number_mean) / self.number_sd).clamp(-5.0, 5.0) * known
            told.append(self.whole(torch.cat([scaled, known], dim=1)))
        return self.head(torch.cat(told, dim=1)), self.rows(x).transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.norm = nn.LayerNorm(width)  # of each row alone, so that how long a clip is does not matter
        self.mix = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        rows = torch.relu(self.norm(self.conv(x).transpose(1, 2)))
        found: Tensor = x + self.drop(self.mix(rows)).transpose(1, 2)
        return found
