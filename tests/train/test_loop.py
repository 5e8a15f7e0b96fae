"""The loop: what a training sees, and that it goes on where it ended."""

from __future__ import annotations

import csv
from pathlib import Path

import lightning
import numpy as np
import torch
from torch.utils.data import DataLoader

from gocv.train import PeopleSampler
from gocv.train.loop import LoopSettings, fit


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
        loss = (self.weight - sum(row for row, _ in batch)).pow(2)
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=4)
        return loss

    def validation_step(self, *_: object) -> None:
        self.log("score", -float((self.current_epoch - 1) ** 2))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def trained(folder: Path, epochs: int) -> Recorder:
    module = Recorder()
    settings = LoopSettings(epochs=epochs, accelerator="cpu", devices=1, tensorboard=False)
    assert fit(module, Data(), folder, settings, "score") == folder / "best.ckpt"
    return module


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as opened:
        return list(csv.DictReader(opened))


def test_every_epoch_shows_other_batches_and_a_training_goes_on_with_its_own(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", 3)
    assert sorted(whole.shown) == [0, 1, 2]
    assert whole.shown[0] != whole.shown[1] != whole.shown[2] != whole.shown[0]
    before, after = trained(tmp_path / "parts", 2), trained(tmp_path / "parts", 3)
    assert {**before.shown, **after.shown} == whole.shown
    assert sorted(after.shown) == [2]
    assert after.weight == whole.weight
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    assert [row["epoch"] for row in curve(tmp_path / "parts")] == ["0", "1", "2"]
    assert len({row["loss"] for row in curve(tmp_path / "parts")}) == 3
    for folder in ("whole", "parts"):
        assert torch.load(tmp_path / folder / "best.ckpt", weights_only=True)["epoch"] == 1


def test_a_row_of_an_epoch_that_was_not_kept_is_written_anew(tmp_path: Path) -> None:
    """As where a training is killed between the row and the checkpoint."""
    trained(tmp_path / "whole", 3)
    trained(tmp_path / "killed", 2)
    with (tmp_path / "killed" / "metrics.csv").open("a") as out:
        out.write("2" + "," * (len(curve(tmp_path / "whole")[0]) - 1) + "\n")
    trained(tmp_path / "killed", 3)
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
