"""What all trainings have in common: settings that must not change under way, seeds, the course of the rate."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch.utils.data import DataLoader, Dataset

from gocv.core import ConfigError, MissingDependencyError
from gocv.train.schedule import factor

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error


class LearningModule(lightning.LightningModule):
    """A network that learns as its settings say.

    Args:
        settings: A pydantic model; its `loop` and `schedule` are `LoopSettings` and `ScheduleSettings`.

    Attributes:
        settings: As given.
        free: Names of the settings that may be others when a training goes on.
    """

    free: ClassVar[tuple[str, ...]] = ("loop",)

    def __init__(self, settings: Any) -> None:
        super().__init__()
        self.settings = settings

    def on_train_epoch_start(self) -> None:
        """What is random in the network follows from seed and epoch, so that a training can go on."""
        torch.manual_seed(self.settings.loop.seed * 100_003 + self.current_epoch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the settings."""
        checkpoint["gocv_settings"] = self.settings.model_dump(mode="json")

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse to go on with other settings.

        Raises:
            ConfigError: They differ in more than what is `free`.
        """
        before, now = checkpoint["gocv_settings"], self.settings.model_dump(mode="json")
        for key in now:
            if key not in self.free and before.get(key) != now[key]:
                raise ConfigError(f"was {before.get(key)} when this training began", key=key, expected="the same")

    def scheduled(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """The optimiser as Lightning takes it, with a rate that changes with every batch; see `factor`."""
        epochs = self.settings.loop.epochs
        steps = max(1, int(self.trainer.estimated_stepping_batches) // epochs)
        course = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: factor(self.settings.schedule, step / steps, epochs)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": course, "interval": "step"}}


class OneRow(Dataset[int]):
    """A row of nothing."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _: int) -> int:
        return 0


def one_batch() -> DataLoader[Any]:
    """One batch of nothing, for a module that reads itself what it is scored on."""
    return DataLoader(OneRow())
