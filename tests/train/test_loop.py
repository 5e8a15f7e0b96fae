"""The loop: what a training sees, and that it goes on where it ended."""

from __future__ import annotations

from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from gocv.train import LoopSettings, PeopleSampler, fit

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",  # few batches, few processes
    "ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning",  # Lightning is warned by torch
)


class Echo(torch.utils.data.Dataset):
    def __getitem__(self, which: tuple[int, int]) -> tuple[int, int]:
        return which


class Data(lightning.LightningDataModule):
    def train_dataloader(self) -> DataLoader:
        sampler = PeopleSampler(np.arange(12) // 3, np.arange(12) % 2, people=2, pictures=2)
        return DataLoader(Echo(), batch_sampler=sampler, collate_fn=list)

    def val_dataloader(self) -> DataLoader:
        return DataLoader([torch.empty(0)])


class Recorder(lightning.LightningModule):
    """Learns next to nothing, and notes what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.shown: dict[int, list] = {}

    def training_step(self, batch: list[tuple[int, int]], _: int) -> torch.Tensor:
        self.shown.setdefault(self.current_epoch, []).append(batch)
        return (self.weight - sum(row for row, _ in batch)).pow(2)

    def validation_step(self, *_: object) -> None:
        self.log("score", self.weight.detach())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def trained(folder: Path, epochs: int) -> Recorder:
    module = Recorder()
    settings = LoopSettings(epochs=epochs, accelerator="cpu", devices=1, tensorboard=False)
    assert fit(module, Data(), folder, settings, "score") == folder / "best.ckpt"
    return module


def test_every_epoch_shows_other_batches_and_a_training_goes_on_with_its_own(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", 3)
    assert sorted(whole.shown) == [0, 1, 2]
    assert whole.shown[0] != whole.shown[1] != whole.shown[2] != whole.shown[0]
    before, after = trained(tmp_path / "parts", 2), trained(tmp_path / "parts", 3)
    assert {**before.shown, **after.shown} == whole.shown
    assert sorted(after.shown) == [2]
    assert after.weight == whole.weight
