"""Training the network that looks at hands, from a file of settings to an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import rankdata
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from gocv.core import ConfigError, MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import write_json
from gocv.interact.hands.batches import BatchSettings, HandBatch, HandBatches, Steps, VarySettings
from gocv.interact.hands.data import HandPictures, read_hand_pictures
from gocv.interact.hands.export import HoldsCalibration, export_hands
from gocv.interact.hands.network import HandModel, HandModelSettings
from gocv.train import ScheduleSettings
from gocv.train.loop import LoopSettings, fit
from gocv.train.module import LearningModule, one_batch

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error

_AT_A_TIME = 256


class HandDataSettings(Model):
    """What is learnt from.

    Attributes:
        train: Folder of tables as `experiments/hand_crops.py` writes them.
        tune: Another one, of other visits: it chooses the best weights, and the probabilities are made to fit it.
    """

    train: Path = Path("runs/looks/train")
    tune: Path = Path("runs/looks/tune")


class HandLossSettings(Model):
    """Weights of the losses.

    Attributes:
        holds: Cross-entropy of whether there is something in the hand.
        article: Supervised contrastive (Khosla et al. 2020, arXiv:2004.11362, eq. 2) over articles, in hands and in the
            catalogue.
        temperature: Its tau.
    """

    holds: float = Field(default=1.0, ge=0)
    article: float = Field(default=1.0, ge=0)
    temperature: float = Field(default=0.08, gt=0)


class HandTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        model: The network.
        batch: What is in a batch.
        vary: How pictures are varied.
        loss: What the network is told.
        rate: The highest, of AdamW.
        decay: Of the weights.
        schedule: How the rate changes.
        loop: How long, where, and the seed.
    """

    data: HandDataSettings = HandDataSettings()
    model: HandModelSettings = HandModelSettings()
    batch: BatchSettings = BatchSettings()
    vary: VarySettings = VarySettings()
    loss: HandLossSettings = HandLossSettings()
    rate: float = Field(default=2e-3, gt=0)
    decay: float = Field(default=0.02, ge=0)
    schedule: ScheduleSettings = ScheduleSettings(warmup_epochs=0.5)
    loop: LoopSettings = LoopSettings(epochs=14, ema_decay=0.99)


def train_hands(settings: HandTrainSettings, folder: str | Path) -> Path:
    """Train, or go on where `folder` says that a training of the same settings was.

    `folder` gets checkpoints, `metrics.csv`, `settings.json` and at last `hands.onnx`.

    Args:
        settings: Of the training.
        folder: Where to.

    Returns:
        The ONNX file, for `gocv.interact.hands.OnnxHandEncoder`.

    Raises:
        ConfigError: The crops have another size than the network takes.
        DataError: A folder of tables is empty or broken, or ONNX Runtime finds something else than torch.
    """
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    data = HandData(settings)
    module = HandModule(settings, data.tune)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best = fit(module, data, into, settings.loop, "score")
    target = into / "hands.onnx"
    if not module.trainer.is_global_zero:
        return target
    state = torch.load(best, map_location="cpu", weights_only=True)["state_dict"]
    module.load_state_dict(state)
    model = module.model.eval()
    logits, _ = encoded(model, data.tune.crops)
    export_hands(model, target, HoldsCalibration.fit(logits, data.tune.holds, ~data.tune.pasted))
    return target


class HandData(lightning.LightningDataModule):
    """The pictures of a training.

    Attributes:
        tune: Those that choose the best weights.
    """

    def __init__(self, settings: HandTrainSettings) -> None:
        super().__init__()
        self._settings = settings
        self._train, self.tune = (read_hand_pictures(f) for f in (settings.data.train, settings.data.tune))
        for key, part in (("train", self._train), ("tune", self.tune)):
            if part.crops.shape[1] != settings.model.size:
                size = part.crops.shape[1]
                raise ConfigError(f"has crops of {size} pixels", key=f"data.{key}", expected=f"{settings.model.size}")

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of articles and of hands as they are met."""
        s = self._settings
        batches = HandBatches(self._train, s.batch, s.vary, s.loop.seed)
        return DataLoader(batches, batch_size=None, sampler=Steps(s.batch.steps))

    def val_dataloader(self) -> DataLoader[Any]:
        """One batch of nothing: `HandModule` looks at the pictures itself."""
        return one_batch()


class HandModule(LearningModule):
    """A network that learns.

    Args:
        settings: Of the training.
        tune: Pictures that give the score.
    """

    def __init__(self, settings: HandTrainSettings, tune: HandPictures) -> None:
        super().__init__(settings)
        self._tune = tune
        self.model = HandModel(settings.model).to(memory_format=torch.channels_last)

    def training_step(self, batch: HandBatch, _: int) -> Tensor:
        """The sum of the losses of a batch."""
        logit, vector = self.model(batch.pixels.contiguous(memory_format=torch.channels_last))
        known, asked, s = torch.isfinite(batch.holds), batch.article >= 0, self.settings.loss
        parts = {
            "holds": s.holds * F.binary_cross_entropy_with_logits(logit[known], batch.holds[known]),
            "article": s.article * contrastive(vector[asked], batch.article[asked], s.temperature),
        }
        total = torch.stack(list(parts.values())).sum()
        logged = {"loss": total, **{f"loss_{key}": value for key, value in parts.items()}}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch.holds))
        return total

    def validation_step(self, *_: Any) -> None:
        """Score the pictures of other visits, with the averaged weights where weights are averaged."""
        found = scores(self.model, self._tune)
        logged = {"score": found["holds_auc"] + found["top_1"], **found}
        self.log_dict(logged, prog_bar=True, sync_dist=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate changes with every batch."""
        s = self.settings
        optimizer = torch.optim.AdamW(self.parameters(), s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)


def contrastive(vector: Tensor, label: Tensor, temperature: float) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362, eq. 2) of (n, D) unit vectors, (n,) labels."""
    alone = torch.eye(len(vector), dtype=torch.bool, device=vector.device)
    alike = (vector @ vector.T / temperature).masked_fill(alone, -torch.inf)
    log_share = (alike - torch.logsumexp(alike, dim=1, keepdim=True)).masked_fill(alone, 0.0)
    same = (label[:, None] == label[None]) & ~alone
    count = same.sum(dim=1)
    each = -(log_share * same).sum(dim=1) / count.clamp(min=1)
    return each[count > 0].mean()


@torch.inference_mode()
def encoded(model: HandModel, crops: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """(n,) log odds and (n, D) vectors of (n, size, size, 3) uint8 pictures."""
    training = model.training
    model.eval()
    found = []
    for start in range(0, len(crops), _AT_A_TIME):
        pixels = torch.from_numpy(crops[start : start + _AT_A_TIME]).permute(0, 3, 1, 2).float()
        found.append(model(pixels.to(next(model.parameters()).device)))
    model.train(training)
    logit, vector = (torch.cat(part).float().cpu().numpy() for part in zip(*found, strict=True))
    return logit.astype(np.float64), vector


def scores(model: HandModel, pictures: HandPictures) -> dict[str, float]:
    """How well hands that hold something are told from empty ones, and articles by their catalogue pictures.

    Articles are looked for among those of the same visit; pictures that were made of others do not count.
    """
    natural = ~pictures.pasted
    logit, vector = encoded(model, pictures.crops[natural])
    _, shelf = encoded(model, pictures.catalogue.reshape(-1, *pictures.crops.shape[1:]))
    best = (vector @ shelf.T).reshape(len(vector), *pictures.catalogue.shape[:2]).max(axis=2)
    best[pictures.visit[natural][:, None] != pictures.of_visit] = -np.inf
    asked = pictures.shown[natural]
    right = best[asked].argmax(axis=1) == pictures.article[natural][asked]
    return {"holds_auc": _auc(logit, pictures.holds[natural]), "top_1": float(right.mean()) if asked.any() else 0.0}


def _auc(score: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Share of pairs of one of each kind in which the true one has the higher score."""
    full, empty = int(truth.sum()), int((~truth).sum())
    above = float(rankdata(score)[truth].sum()) - full * (full + 1) / 2
    return above / max(full * empty, 1)
