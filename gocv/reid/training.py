"""Training a network, from a file of settings to a file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader

from gocv.core import ConfigError, MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import write_json
from gocv.data.reid import ReidDataset, ReidPictures, read_reid
from gocv.metrics.reid import ReidScores, evaluate_reid
from gocv.reid.checkpoints import Stored, copy_weights, load_model, save_model
from gocv.reid.config import ReidModelConfig
from gocv.reid.crops import encode_files
from gocv.reid.losses import LossSettings, ReidLoss
from gocv.reid.model import ReidModel
from gocv.reid.pictures import (
    Batch,
    TrainingPictures,
    collate,
    hold_out,
    joined,
    readable,
    teacher_vectors,
    unlabelled_pictures,
)
from gocv.train import PeopleSampler, ScheduleSettings
from gocv.train.augment import Augmentation, AugmentSettings
from gocv.train.loop import LoopSettings, fit
from gocv.train.module import LearningModule, one_batch
from gocv.train.weights import load_trunk

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error


class SetSettings(Model):
    """A data set: `format` and `root` as for `gocv.data.reid.read_reid`; `check` whether its counts must be right."""

    format: str = "folder"
    root: str = ""
    check: bool = True

    def read(self) -> ReidDataset:
        """The set."""
        return read_reid(self.format, self.root, check=self.check)


class DataSettings(Model):
    """What is learnt from.

    Attributes:
        labelled: Sets whose training parts are joined. The query and gallery of the first choose the best weights,
            unless some people are held out.
        hold_out: People of the first set who are not learnt from, but choose the best weights; 0 for none.
        unlabelled: Folders of pictures for which there are a teacher's vectors alone.
        teacher: Table of a teacher's vectors, see `gocv.reid.pictures.teacher_vectors`.
        workers: Processes that read pictures; 0 for none but this one.
    """

    labelled: tuple[SetSettings, ...] = ()
    hold_out: int = Field(default=0, ge=0)
    unlabelled: tuple[str, ...] = ()
    teacher: str | None = None
    workers: int = Field(default=0, ge=0)


class BatchSettings(Model):
    """P people, K pictures of each, and some pictures whose person is not known."""

    people: int = Field(default=16, ge=2)
    pictures: int = Field(default=4, ge=1)
    unlabelled: int = Field(default=0, ge=0)


class OptimizerSettings(Model):
    """How weights are moved.

    Attributes:
        name: "adamw" or "sgd", with momentum 0.9.
        rate: Of learning.
        trunk_rate: That of the trunk against `rate`.
        decay: Of the weights.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    rate: float = Field(default=3.5e-4, gt=0)
    trunk_rate: float = Field(default=1.0, gt=0)
    decay: float = Field(default=5e-4, ge=0)


class ReidTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        model: What learns.
        pretrained: Whether the trunk starts with the ImageNet weights that its library fetches.
        trunk: File with weights that the trunk starts with instead.
        start: Weights of such a network, written by an earlier training, that all of it starts with instead.
        frozen: Parts of the trunk, the first ones, that keep the weights they start with; the statistics of their batch
            normalisation follow the pictures.
        batch: What comes together.
        augment: How pictures are varied.
        loss: What counts.
        optimizer: How weights are moved.
        schedule: How fast, when.
        loop: How long and where.
        stored: How the weights are written, as for `gocv.reid.checkpoints.save_model`.
    """

    data: DataSettings = DataSettings()
    model: ReidModelConfig = ReidModelConfig()
    pretrained: bool = False
    trunk: str | None = None
    start: str | None = None
    frozen: int = Field(default=0, ge=0)
    batch: BatchSettings = BatchSettings()
    augment: AugmentSettings = AugmentSettings()
    loss: LossSettings = LossSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    loop: LoopSettings = LoopSettings()
    stored: Stored = "float32"


def train_reid(settings: ReidTrainSettings, folder: str | Path) -> Path:
    """Train a network, or go on with the training in `folder`.

    Args:
        settings: Of the training; those of a training that goes on must be the ones that it began with, but for where
            it runs and for how long.
        folder: Gets checkpoints, `metrics.csv`, `settings.json` and at last `model.safetensors`; of several processes
            that train together the first one writes.

    Returns:
        The weights with the best mAP, in a form that `gocv.reid.Encoder` takes.

    Raises:
        ConfigError: A setting does not fit another, or the training in `folder`.
        DataError: A data set or file is not right.
    """
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    data = ReidData(settings)
    module = ReidModule(settings, data.people, data.teacher_length, data.validation)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best, weights = fit(module, data, into, settings.loop, "map"), into / "model.safetensors"
    if not module.trainer.is_global_zero:
        return weights
    state = torch.load(best, map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    about = {
        "settings": settings.model_dump(mode="json"),
        "epoch": int(state["epoch"]),
        "map": float(module.score(module.model.eval()).mean_average_precision),
    }
    save_model(module.model, weights, about, stored=settings.stored)
    return weights


class ReidData(lightning.LightningDataModule):
    """The pictures of a training.

    Attributes:
        people: In the training set.
        teacher_length: Of the teacher's vectors, 0 without.
        validation: The set that chooses the best weights.
    """

    def __init__(self, settings: ReidTrainSettings) -> None:
        super().__init__()
        self._settings, given = settings, settings.data
        if not given.labelled:
            raise ConfigError("names no data set", key="data.labelled", expected="format and root of at least one")
        sets = [one.read() for one in given.labelled]
        if given.hold_out:
            sets[0] = hold_out(sets[0], given.hold_out)
        self.validation = sets[0]
        others = [unlabelled_pictures(Path(one)) for one in given.unlabelled]
        self._pictures = readable(joined([one.train for one in sets], others))
        self.people = int(self._pictures.person.max(initial=-1)) + 1
        if settings.loss.needs_teacher != (given.teacher is not None):
            raise ConfigError("and the weights loss.teacher, loss.relations go together", key="data.teacher")
        self._teacher = None if given.teacher is None else teacher_vectors(self._pictures, Path(given.teacher))
        self.teacher_length = 0 if self._teacher is None else self._teacher.shape[1]

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of P × K pictures."""
        s, trainer = self._settings, self.trainer
        sampler = PeopleSampler(
            self._pictures.person,
            self._pictures.camera,
            people=s.batch.people,
            pictures=s.batch.pictures,
            unlabelled=s.batch.unlabelled,
            seed=s.loop.seed,
            rank=trainer.global_rank if trainer else 0,
            processes=trainer.world_size if trainer else 1,
        )
        size = (s.model.height_px, s.model.width_px)
        rows = TrainingPictures(self._pictures, size, Augmentation(s.augment, size), self._teacher)
        workers = s.data.workers
        return DataLoader(
            rows, batch_sampler=sampler, collate_fn=collate, num_workers=workers, persistent_workers=workers > 0
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """One batch of nothing: `ReidModule` reads query and gallery itself, as ranks are not a sum over batches."""
        return one_batch()


class ReidModule(LearningModule):
    """A network that learns.

    Args:
        settings: Of the training.
        people: In the training set.
        teacher_length: Of the teacher's vectors, 0 without.
        validation: Its query and gallery give the score.
    """

    _mean: Tensor
    _std: Tensor

    def __init__(self, settings: ReidTrainSettings, people: int, teacher_length: int, validation: ReidDataset) -> None:
        super().__init__(settings)
        classes = people if settings.loss.identity else 0
        fetched = settings.pretrained and settings.trunk is None and settings.start is None
        self.model = ReidModel(settings.model, classes, pretrained=fetched)
        if settings.trunk is not None:
            load_trunk(self.model.backbone, settings.trunk)
        if settings.start is not None:
            copy_weights(load_model(settings.start)[0], self.model, settings.start)
        for part in list(self.model.backbone.children())[: settings.frozen]:
            part.requires_grad_(False)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.loss = ReidLoss(settings.loss, people, self.model.length, teacher_length)
        self._validation = validation
        config = settings.model
        self.register_buffer("_mean", torch.tensor(config.mean).view(3, 1, 1) * 255, persistent=False)
        self.register_buffer("_std", torch.tensor(config.std).view(3, 1, 1) * 255, persistent=False)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The sum of the losses of a batch."""
        learned = self.model.learn(self._normalised(batch.crops))
        parts = self.loss(learned, batch.person, batch.teacher)
        total = torch.stack(list(parts.values())).sum()
        logged = {"loss": total, **{f"loss_{key}": value for key, value in parts.items()}}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch.person))
        return total

    def validation_step(self, *_: Any) -> None:
        """Score query and gallery, with the averaged weights where weights are averaged."""
        scores = self.score(self.model)
        found = {"map": scores.mean_average_precision, "rank_1": float(scores.cmc[0])}
        self.log_dict(found, prog_bar=True, sync_dist=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """AdamW or SGD; the rate changes with every batch."""
        s = self.settings.optimizer
        trunk = {id(p) for p in self.model.backbone.parameters()}
        wanted = [p for p in self.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in wanted if id(p) in trunk], "lr": s.rate * s.trunk_rate},
            {"params": [p for p in wanted if id(p) not in trunk], "lr": s.rate},
        ]
        if s.name == "sgd":
            optimizer: torch.optim.Optimizer = torch.optim.SGD(groups, s.rate, momentum=0.9, weight_decay=s.decay)
        else:
            optimizer = torch.optim.AdamW(groups, s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)

    @torch.inference_mode()
    def score(self, model: ReidModel) -> ReidScores:
        """Scores of the validation set, by cosine; pictures that cannot be decoded are left out."""
        query, gallery = self._validation.query, self._validation.gallery
        (own, asked), (theirs, searched) = (self._encoded(model, part) for part in (query, gallery))
        return evaluate_reid(own, theirs, asked.person, searched.person, asked.camera, searched.camera)

    def _encoded(self, model: ReidModel, pictures: ReidPictures) -> tuple[NDArray[np.float32], ReidPictures]:
        def encode(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            if not len(crops):
                return np.empty((0, model.length), np.float32)
            pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(self.device)
            vectors: NDArray[np.float32] = model(self._normalised(pixels)).float().cpu().numpy()
            return vectors

        size = (model.config.height_px, model.config.width_px)
        vectors, kept, _ = encode_files(encode, pictures.files, size, "score")
        return vectors, pictures[kept]

    def _normalised(self, crops: Tensor) -> Tensor:
        return ((crops - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
