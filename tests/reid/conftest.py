"""Small networks and pictures for tests of re-identification."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel

SMALL = {"backbone": "osnet_x0_25", "height_px": 64, "width_px": 32}


@pytest.fixture(scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def lively(_one_thread: None) -> Callable[..., ReidModel]:
    """Makes networks of random weights whose vectors differ from crop to crop, as those of trained ones do."""

    def made(seed: int = 0, **settings: object) -> ReidModel:
        torch.manual_seed(seed)
        model = ReidModel(ReidModelConfig(**{**SMALL, **settings}), people=3)  # type: ignore[arg-type]
        for part in model.modules():
            if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
                part.momentum = None
                part.weight.data.uniform_(0.5, 1.5)
                part.bias.data.normal_(std=0.2 * part.bias.requires_grad)
        with torch.no_grad():
            model.train()(torch.randn(16, 3, model.config.height_px, model.config.width_px))
        return model.eval()

    return made
