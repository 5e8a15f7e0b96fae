"""The loop: Lightning's, set up so that a training that was killed goes on to the same end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gocv.core import MissingDependencyError
from gocv.data.config import Model

try:
    import lightning
    from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, LearningRateMonitor, ModelCheckpoint
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error


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
    lightning.seed_everything(settings.seed, workers=True, verbose=False)
    last = folder / "last.ckpt"
    best = ModelCheckpoint(
        folder,
        filename="best",
        monitor=score,
        mode="max",
        save_last=False,
        enable_version_counter=False,
        auto_insert_metric_name=False,
        every_n_epochs=settings.every_epochs,
    )
    each = ModelCheckpoint(
        folder,
        filename="last",
        enable_version_counter=False,
        save_top_k=1,
        every_n_epochs=1,
        save_on_train_epoch_end=True,
    )
    callbacks: list[Callback] = [best, each, LearningRateMonitor("step"), *_averaging(settings)]
    loggers: list[Any] = [CSVLogger(folder, name="", version="")]
    if settings.tensorboard:
        loggers.append(TensorBoardLogger(folder, name="", version=""))
    trainer = lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=settings.strategy,
        precision=settings.precision,
        max_epochs=settings.epochs,
        gradient_clip_val=settings.clip,
        check_val_every_n_epoch=settings.every_epochs,
        callbacks=callbacks,
        logger=loggers,
        log_every_n_steps=10,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
    )
    trainer.fit(module, datamodule=data, ckpt_path=str(last) if last.is_file() else None)
    return Path(best.best_model_path)


def _averaging(settings: LoopSettings) -> list[Callback]:
    return [] if settings.ema_decay is None else [EMAWeightAveraging(decay=settings.ema_decay, use_buffers=True)]
