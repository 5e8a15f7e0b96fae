"""Training the temporal network, from a file of settings to an ONNX file. Needs torch and lightning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from scipy.special import log_softmax
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from gocv.core import ConfigError, MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import write_json
from gocv.interact.calibrate import fit_temperature
from gocv.interact.clips import CHANNELS, blind
from gocv.interact.export import export_network
from gocv.interact.features import FEATURES
from gocv.interact.labelled import LabelledClips, read_clips
from gocv.interact.network import InteractionNet, NetworkSettings
from gocv.metrics.classes import confusion, macro_f1
from gocv.train import ScheduleSettings
from gocv.train.loop import LoopSettings, fit
from gocv.train.module import LearningModule

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error


class ClipDataSettings(Model):
    """What is learnt from.

    Attributes:
        train: Files of labelled clips, as `gocv.interact.labelled.write_clips` writes them; they are joined.
        held_out: Files of clips of other visits, which choose the best weights and set the temperature.
        blind: Share of the clips that are learnt from as if nobody had looked at the hands.
    """

    train: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    blind: float = Field(default=0.2, ge=0, le=1)


class ClipOptimizerSettings(Model):
    """AdamW: clips in a batch, rate of learning, decay of the weights."""

    batch: int = Field(default=64, ge=1)
    rate: float = Field(default=2e-3, gt=0)
    decay: float = Field(default=1e-2, ge=0)


class InteractionTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        network: What learns.
        start: Checkpoint of an earlier training of such a network (`best.ckpt`), that all of it starts with.
        optimizer: How weights are moved.
        schedule: How fast, when.
        loop: How long and where.
    """

    data: ClipDataSettings = ClipDataSettings()
    network: NetworkSettings = NetworkSettings()
    start: str | None = None
    optimizer: ClipOptimizerSettings = ClipOptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    loop: LoopSettings = LoopSettings(epochs=15, clip=1.0, tensorboard=False)


def train_interaction(settings: InteractionTrainSettings, folder: str | Path) -> Path:
    """Train a network, or go on with the training in `folder`.

    Clips have a class, or each of their rows has; classes, channels and numbers are those of the files.

    Args:
        settings: Of the training.
        folder: Gets checkpoints, `metrics.csv`, `settings.json` and at last `model.onnx`.

    Returns:
        The network with the best macro F1 on what was held out, as `gocv.interact.HandNetwork` takes it.

    Raises:
        ConfigError: No file is named.
        DataError: A file is not right, or those of a training differ in what they hold.
    """
    given = settings.data
    for key in ("train", "held_out"):
        if not getattr(given, key):
            raise ConfigError("names no file", key=f"data.{key}", expected="clips that write_clips wrote")
    train, held_out = (
        LabelledClips.concatenate([read_clips(Path(f)) for f in files]) for files in (given.train, given.held_out)
    )
    return train_on(settings, train, held_out, folder)


def train_on(
    settings: InteractionTrainSettings, train: LabelledClips, held_out: LabelledClips, folder: str | Path
) -> Path:
    """As `train_interaction`, of clips that were read already."""
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    known = (train.target.sum(axis=1) > 0) | (train.label >= 0).any(axis=1)
    train = train[known & train.inside.any(axis=1)]
    module = InteractionModule(settings, train, held_out)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best, weights = fit(module, _Data(settings, train), into, settings.loop, "macro_f1"), into / "model.onnx"
    if not module.trainer.is_global_zero:
        return weights
    module.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
    logits, target = module.held_out_logits()
    share = _shares(train)
    about = {
        "classes": train.classes,
        "channels": train.channels,
        "numbers": train.numbers,
        "rows": bool((train.label >= 0).any()),
        "prior": [float(f"{value:.6g}") for value in share / share.sum()],
        "temperature": fit_temperature(log_softmax(logits, axis=1), target),
    }
    export_network(module.net, weights, about, frames=train.frames.shape[1])
    return weights


def _shares(clips: LabelledClips) -> np.ndarray[Any, np.dtype[np.float64]]:
    rows = np.bincount(clips.label[clips.label >= 0], minlength=len(clips.classes))
    return np.asarray(clips.target.sum(axis=0, dtype=np.float64) if clips.target.any() else rows)


class _Rows(Dataset[tuple[Tensor, ...]]):
    """Clips, some of them without what hands looked like, drawn anew each time."""

    def __init__(self, clips: LabelledClips, share: float) -> None:
        self._columns = _tensors(clips)
        ours = clips.channels == CHANNELS and clips.numbers == FEATURES
        self._share = share if ours else 0.0
        self._blind = [torch.from_numpy(a) for a in blind(clips.frames, clips.features)] if ours else []

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, row: int) -> tuple[Tensor, ...]:
        frames, inside, features, *rest = (column[row] for column in self._columns)
        if self._share and torch.rand(()).item() < self._share:
            frames, features = (column[row] for column in self._blind)
        return frames, inside, features, *rest


class _Data(lightning.LightningDataModule):
    def __init__(self, settings: InteractionTrainSettings, clips: LabelledClips) -> None:
        super().__init__()
        self._rows, self._batch, self._seed = (
            _Rows(clips, settings.data.blind),
            settings.optimizer.batch,
            settings.loop.seed,
        )

    def train_dataloader(self) -> DataLoader[Any]:
        epoch = self.trainer.current_epoch if self.trainer else 0
        order = torch.Generator().manual_seed(self._seed * 100_003 + epoch)
        return DataLoader(
            self._rows, self._batch, shuffle=True, generator=order, drop_last=len(self._rows) > self._batch
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """One batch of nothing: `InteractionModule` holds what it is scored on."""
        return DataLoader([0])  # type: ignore[arg-type]


class InteractionModule(LearningModule):
    """A network that learns.

    Args:
        settings: Of the training.
        train: What it learns from sets the scales of its inputs.
        held_out: Gives the score.
    """

    def __init__(self, settings: InteractionTrainSettings, train: LabelledClips, held_out: LabelledClips) -> None:
        super().__init__(settings)
        self.net = InteractionNet(len(train.channels), len(train.numbers), len(train.classes), settings.network)
        frames = train.frames[train.inside].reshape(-1, len(train.channels))
        self.net.frame_mean.copy_(torch.from_numpy(frames.mean(axis=0)))
        self.net.frame_sd.copy_(torch.from_numpy(np.maximum(frames.std(axis=0), 0.05)))
        if train.numbers:
            known = np.where(np.isfinite(train.features).any(axis=0), train.features, np.float32(0))
            self.net.number_mean.copy_(torch.from_numpy(np.nanmean(known, axis=0)))
            self.net.number_sd.copy_(torch.from_numpy(np.maximum(np.nanstd(known, axis=0), 1e-3)))
        if settings.start is not None:
            state = torch.load(settings.start, map_location="cpu", weights_only=True)["state_dict"]
            self.load_state_dict(state)
        self._held_out = held_out
        self._columns = _tensors(held_out)

    def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
        """Cross entropy of the clips and of the rows, as far as their classes are known."""
        frames, inside, features, target, label = batch
        whole, rows = self.net(frames, inside, features)
        weight = target.sum().clamp(min=1e-6)
        loss = -(target * functional.log_softmax(whole, dim=1)).sum() / weight
        if (label >= 0).any():
            loss = loss * bool(target.any()) + functional.cross_entropy(rows.transpose(1, 2), label, ignore_index=-1)
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(frames))
        return loss

    def validation_step(self, *_: Any) -> None:
        """Macro F1 of what was held out."""
        logits, target = self.held_out_logits()
        found = confusion(target.argmax(axis=1), logits.argmax(axis=1), logits.shape[1])
        self.log_dict({"macro_f1": macro_f1(found)}, prog_bar=True, sync_dist=True, batch_size=1)

    def held_out_logits(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """(m, C) log odds of what was held out, and (m, C) its classes: of clips, or of rows where those have them."""
        self.net.eval()
        with torch.inference_mode():
            frames, inside, features, target, label = (column.to(self.device) for column in self._columns)
            parts = [
                self.net(*(a[i : i + 256] for a in (frames, inside, features))) for i in range(0, len(frames), 256)
            ]
        whole, rows = (torch.cat([part[k] for part in parts]).float().cpu().numpy() for k in (0, 1))
        wanted, of_row = target.cpu().numpy(), label.cpu().numpy()
        if wanted.any():
            known = (wanted.sum(axis=1) > 0) & self._held_out.inside.any(axis=1)
            return whole[known], wanted[known]
        known = of_row >= 0
        return rows[known], np.eye(rows.shape[2], dtype=np.float32)[of_row[known]]

    def configure_optimizers(self) -> Any:
        """AdamW; the rate changes with every batch."""
        s = self.settings.optimizer
        optimizer = torch.optim.AdamW(self.parameters(), s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)


def _tensors(clips: LabelledClips) -> list[Tensor]:
    columns = (clips.frames, clips.inside.astype(np.float32), clips.features, clips.target, clips.label)
    return [torch.from_numpy(np.array(column)) for column in columns]
