"""The loop: Lightning's, set up so that a training that was killed goes on to the same end."""

from __future__ import annotations

import csv
import logging
import sys
import warnings
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gocv.core import MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import written_whole

try:
    import lightning
    from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint
    from lightning.pytorch.loggers import TensorBoardLogger
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error

_IDLE_WARNINGS = (
    ".*Checkpoint directory .* exists and is not empty.*",  # so that a training goes on
    ".*does not have many workers.*",
    ".*isinstance\\(treespec, LeafSpec\\).*",  # between Lightning and torch
    ".*`torch.jit.*",
)


class LoopSettings(Model):
    """How a training runs.

    Attributes:
        epochs: How many.
        accelerator: As Lightning names it: "auto", "cpu", "gpu".
        devices: How many, or "auto".
        strategy: As Lightning names it; "ddp" for several processes, "auto" leaves it to Lightning.
        precision: As Lightning names it: "32-true", "16-mixed", "bf16-mixed".
        ema_decay: Of the moving average of the weights, which is what is scored and kept; None for none.
        clip: Largest norm of the gradient; None for any.
        every_epochs: Epochs between two scorings.
        tensorboard: Whether TensorBoard's files are written beside `metrics.csv`.
        seed: Of everything random.
    """

    epochs: int = Field(default=60, ge=1)
    accelerator: str = "auto"
    devices: int | str = "auto"
    strategy: str = "auto"
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    ema_decay: float | None = Field(default=None, gt=0, lt=1)
    clip: float | None = Field(default=None, gt=0)
    every_epochs: int = Field(default=1, ge=1)
    tensorboard: bool = True
    seed: int = Field(default=1, ge=0)


class EpochTable(Callback):
    """`metrics.csv`: a row for each epoch with everything that was logged; one that goes on keeps the rows before it.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the row."""
        if not trainer.is_global_zero:
            return
        logged = {key: repr(float(value)) for key, value in sorted(trainer.callback_metrics.items())}
        row = {"epoch": str(trainer.current_epoch), "steps": str(trainer.global_step), **logged}
        kept = [old for old in self._rows() if int(old["epoch"]) < trainer.current_epoch]
        columns = list(dict.fromkeys(key for one in [*kept, row] for key in one))
        with written_whole(self._path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns, restval="")
            table.writeheader()
            table.writerows([*kept, row])

    def _rows(self) -> list[dict[str, str]]:
        if not self._path.is_file():
            return []
        with self._path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def fit(module: lightning.LightningModule, data: Any, folder: Path, settings: LoopSettings, score: str) -> Path:
    """Train, or go on where `folder` says that a training was.

    `folder` gets `last.ckpt` after every epoch, `best.ckpt` of the best score, `metrics.csv`, and TensorBoard's files.

    Args:
        module: What learns; it logs `score` when it validates, the higher the better.
        data: A LightningDataModule.
        folder: Where to.
        settings: How.
        score: Name of what is logged.

    Returns:
        The checkpoint with the best score.
    """
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    plain: dict[str, Any] = {"enable_version_counter": False, "auto_insert_metric_name": False}
    best = ModelCheckpoint(folder, "best", score, mode="max", every_n_epochs=settings.every_epochs, **plain)
    each = ModelCheckpoint(folder, "last", every_n_epochs=1, save_on_train_epoch_end=True, **plain)
    trainer = lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=settings.strategy,
        precision=settings.precision,
        max_epochs=settings.epochs,
        gradient_clip_val=settings.clip,
        check_val_every_n_epoch=settings.every_epochs,
        callbacks=[best, each, EpochTable(folder / "metrics.csv"), *_averaging(settings)],
        logger=TensorBoardLogger(folder, name="", version="") if settings.tensorboard else False,
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
    )
    last = folder / "last.ckpt"
    with warnings.catch_warnings():
        for message in _IDLE_WARNINGS:
            warnings.filterwarnings("ignore", message)
        trainer.fit(module, datamodule=data, ckpt_path=last if last.is_file() else None, weights_only=True)
    return Path(best.best_model_path)


def _averaging(settings: LoopSettings) -> list[Callback]:
    return [] if settings.ema_decay is None else [EMAWeightAveraging(decay=settings.ema_decay, use_buffers=True)]
