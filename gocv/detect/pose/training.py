"""Training a pose network, from a file of settings to a file of weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from gocv.core import ConfigError, MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import write_json
from gocv.data.pictures import read_picture
from gocv.data.poses import COCO17
from gocv.detect.pose.decode import decode
from gocv.detect.pose.export import export_pose
from gocv.detect.pose.net import PoseModelConfig, PoseNet
from gocv.detect.pose.pictures import PosePictures, joined, read_pose_pictures
from gocv.detect.pose.variations import Variations, VariationSettings
from gocv.train import ScheduleSettings
from gocv.train.loop import LoopSettings, fit
from gocv.train.module import LearningModule

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error

_SHARP = 0.1
"""A place is right that is within this share of the larger side of the box: PCK at 0.1."""


class SetSettings(Model):
    """A folder of pictures, see `gocv.detect.pose.pictures`; each is shown `times` times in an epoch."""

    root: str
    times: float = Field(default=1.0, gt=0)


class DataSettings(Model):
    """What is learnt from.

    Attributes:
        sets: Folders.
        held_out: Sources, or how their names begin, that are not learnt from, but choose the best weights.
        workers: Processes that read pictures; 0 for none but this one.
    """

    sets: tuple[SetSettings, ...] = ()
    held_out: tuple[str, ...] = ()
    workers: int = Field(default=0, ge=0)


class LossSettings(Model):
    """What counts.

    Attributes:
        spread: Standard deviation of the distribution that a map is to be, in cells of the map.
        seen: Weight of whether a keypoint is seen.
        wrists: Weight of a wrist's place against that of others.
        elbows: As `wrists`.
    """

    spread: float = Field(default=1.0, gt=0)
    seen: float = Field(default=1.0, ge=0)
    wrists: float = Field(default=2.0, gt=0)
    elbows: float = Field(default=1.5, gt=0)


class PoseTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        model: What learns.
        trunk: File with weights of MobileNetV2 that the trunk starts with; None draws them.
        start: Checkpoint of an earlier training (`best.ckpt`) that all of the network starts with instead.
        frozen: Blocks of the trunk, the first ones, that keep what they start with.
        batch: Pictures at a time.
        vary: How pictures are varied.
        loss: What counts.
        rate: Of learning (AdamW).
        trunk_rate: That of the trunk against `rate`.
        decay: Of the weights.
        schedule: How fast, when.
        loop: How long and where.
    """

    data: DataSettings = DataSettings()
    model: PoseModelConfig = PoseModelConfig()
    trunk: str | None = None
    start: str | None = None
    frozen: int = Field(default=0, ge=0)
    batch: int = Field(default=32, ge=2)
    vary: VariationSettings = VariationSettings()
    loss: LossSettings = LossSettings()
    rate: float = Field(default=2e-3, gt=0)
    trunk_rate: float = Field(default=0.3, gt=0)
    decay: float = Field(default=1e-3, ge=0)
    schedule: ScheduleSettings = ScheduleSettings()
    loop: LoopSettings = LoopSettings()


class Batch(NamedTuple):
    """Rows of a training set: `Varied` of each, and the larger side of the box.

    Attributes:
        crops: (n, h, w, 3) uint8.
        points: (n, 17, 2) float32, pixels of the crop.
        seen: (n, 17) float32; NaN where not known.
        weight: (n, 17) float32.
    """

    crops: Tensor
    points: Tensor
    seen: Tensor
    weight: Tensor


def train_pose(settings: PoseTrainSettings, folder: str | Path) -> Path:
    """Train a network, or go on with the training in `folder`.

    Args:
        settings: Of the training; those of a training that goes on must be the ones that it began with, but for where
            it runs and for how long.
        folder: Gets checkpoints, `metrics.csv`, `settings.json` and at last `pose.onnx`; of several processes that
            train together the first one writes.

    Returns:
        The network with the best PCK, in a form that `DefaultPose` takes.

    Raises:
        ConfigError: A setting does not fit another, or the training in `folder`.
        DataError: A set or file is not right.
    """
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    data, module = PoseData(settings), PoseModule(settings)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best, weights = fit(module, data, into, settings.loop, "pck"), into / "pose.onnx"
    if not module.trainer.is_global_zero:
        return weights
    module.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
    export_pose(module.net, weights)
    return weights


class PoseData(lightning.LightningDataModule):
    """The pictures of a training."""

    def __init__(self, settings: PoseTrainSettings) -> None:
        super().__init__()
        self._settings, given = settings, settings.data
        if not given.sets:
            raise ConfigError("names no set", key="data.sets", expected="root of at least one")
        sets = [read_pose_pictures(one.root) for one in given.sets]
        pictures = joined(sets)
        held = np.zeros(len(pictures), bool)
        for name in given.held_out:
            of = np.char.startswith(pictures.source, name)
            if not of.any():
                raise ConfigError(f"no source begins with '{name}'", key="data.held_out")
            held |= of
        times = np.repeat([one.times for one in given.sets], [len(one) for one in sets])
        self._learnt, self._times, self._held = pictures[~held], times[~held], pictures[held]
        if len(self._learnt) < settings.batch or not held.any():
            problem = f"leaves {len(self._learnt)} pictures to learn from and {len(self._held)} to choose by"
            raise ConfigError(problem, key="data.held_out", expected=f"at least {settings.batch} and 1")

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of varied pictures."""
        s, trainer = self._settings, self.trainer
        rank, processes = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        batches = _Batches(self._times, s.batch, s.loop.seed, rank, processes)
        return self._loader(_Pictures(self._learnt, Variations(s.vary, _size(s))), batches)

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches of the pictures held out, as they are."""
        rows = [(row, 0) for row in range(len(self._held))]
        batches = [rows[i : i + self._settings.batch] for i in range(0, len(rows), self._settings.batch)]
        return self._loader(_Pictures(self._held, Variations(None, _size(self._settings))), batches)

    def _loader(self, rows: _Pictures, batches: Any) -> DataLoader[Any]:
        workers = self._settings.data.workers
        return DataLoader(
            rows, batch_sampler=batches, collate_fn=_collate, num_workers=workers, persistent_workers=workers > 0
        )


class PoseModule(LearningModule):
    """A network that learns."""

    _emphasis: Tensor

    def __init__(self, settings: PoseTrainSettings) -> None:
        super().__init__(settings)
        self.net = PoseNet(settings.model, settings.trunk if settings.start is None else None)
        if settings.start is not None:
            state = torch.load(settings.start, map_location="cpu", weights_only=True)["state_dict"]
            self.load_state_dict(state)
        for block in list(self.net.trunk)[: settings.frozen]:
            block.requires_grad_(False)
        self.net = self.net.to(memory_format=torch.channels_last)
        by_name = {"wrist": settings.loss.wrists, "elbow": settings.loss.elbows}
        emphasis = torch.tensor([by_name.get(name.partition("_")[2], 1.0) for name in COCO17])
        self.register_buffer("_emphasis", emphasis, persistent=False)

    def on_train_epoch_start(self) -> None:
        """What is random in the network follows from seed and epoch; frozen blocks keep their statistics."""
        super().on_train_epoch_start()
        for block in list(self.net.trunk)[: self.settings.frozen]:
            block.eval()

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The loss of a batch: cross-entropy of places, and of whether keypoints are seen."""
        maps, seen = self.net(batch.crops)
        place = place_loss(maps, batch.points, batch.weight * self._emphasis, _stride(batch, maps), self.settings.loss)
        known = torch.isfinite(batch.seen)
        each = F.binary_cross_entropy_with_logits(seen, torch.nan_to_num(batch.seen), reduction="none")
        shown = (each * known).sum() / known.sum().clamp(min=1)
        total: Tensor = place + self.settings.loss.seen * shown
        logged = {"loss": total, "loss_place": place, "loss_seen": shown}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(seen))
        return total

    def validation_step(self, batch: Batch, _: int) -> None:
        """PCK at 0.1 of the crop's room for the box, of all keypoints that surely are seen, and of wrists."""
        maps, seen = self.net(batch.crops)
        stride = _stride(batch, maps)
        points = torch.from_numpy(decode(maps.float().cpu().numpy(), seen.float().cpu().numpy()).points)
        apart = ((points + 0.5) * stride - 0.5 - batch.points.cpu()).norm(dim=2)
        right = apart <= _SHARP * batch.crops.shape[1] / 1.25
        counted = (batch.weight.cpu() > 0.5) & (batch.seen.cpu() > 0.5)
        wrists = counted.clone()
        wrists[:, [i for i, name in enumerate(COCO17) if not name.endswith("wrist")]] = False
        for name, of in (("pck", counted), ("pck_wrists", wrists)):
            if of.any():
                found = right[of].float().mean()
                self.log(name, found, prog_bar=True, sync_dist=True, batch_size=int(of.sum()))

    def configure_optimizers(self) -> Any:
        """AdamW; the rate changes with every batch."""
        s = self.settings
        wanted = [(name, p) for name, p in self.net.named_parameters() if p.requires_grad]
        groups = [
            {"params": [p for name, p in wanted if name.startswith("trunk.")], "lr": s.rate * s.trunk_rate},
            {"params": [p for name, p in wanted if not name.startswith("trunk.")], "lr": s.rate},
        ]
        optimizer = torch.optim.AdamW(groups, s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)


def place_loss(maps: Tensor, points: Tensor, weight: Tensor, stride: float, settings: LossSettings) -> Tensor:
    """Cross-entropy of maps against a normal distribution around the true place, the weighted mean.

    Args:
        maps: (n, K, h, w) float.
        points: (n, K, 2) float, pixels of the crop.
        weight: (n, K) float.
        stride: Pixels of the crop to a cell of the map.
        settings: For `spread`.
    """
    cells = (points + 0.5) / stride - 0.5
    along = []
    for axis, length in ((0, maps.shape[3]), (1, maps.shape[2])):
        place = torch.arange(length, device=maps.device, dtype=torch.float32)
        along.append(torch.softmax(-0.5 * ((place - cells[..., axis, None]) / settings.spread) ** 2, dim=-1))
    wanted = along[1][..., :, None] * along[0][..., None, :]
    logs = F.log_softmax(maps.float().flatten(2), dim=2)
    each = -(wanted.flatten(2) * logs).sum(dim=2)
    return (each * weight).sum() / weight.sum().clamp(min=1e-6)


class _Pictures(Dataset[tuple[Any, ...]]):
    """Pictures, read when they are asked for, by row and seed."""

    def __init__(self, pictures: PosePictures, variations: Variations) -> None:
        self._pictures, self._variations = pictures, variations

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, which: tuple[int, int]) -> tuple[Any, ...]:
        row, seed = which
        p = self._pictures
        image = read_picture(Path(str(p.picture[row])))
        return self._variations(image, p.xyxy[row], p.keypoints_px[row], p.seen[row], p.weight[row], seed)


class _Batches:
    """Rows with the seed of how each is varied: both follow from seed and epoch, so that a training can go on."""

    def __init__(self, times: NDArray[np.float64], size: int, seed: int, rank: int, processes: int) -> None:
        self._times, self._size, self._seed, self._rank = times, size, seed, rank
        self._length = max(1, int(times.sum()) // (size * processes))
        self.set_epoch(0)

    def __len__(self) -> int:
        return self._length

    @property
    def sampler(self) -> _Batches:
        """Itself: Lightning tells the epoch to the sampler of a batch sampler, and to no other."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        rng = np.random.default_rng([self._seed, self._epoch, self._rank])
        whole = np.floor(self._times + rng.random(len(self._times))).astype(np.int64)
        rows = rng.permutation(np.repeat(np.arange(len(whole)), whole))
        rows = np.resize(rows, self._length * self._size).reshape(self._length, self._size)
        for batch in rows:
            yield list(zip(batch.tolist(), rng.integers(0, 2**31, self._size).tolist(), strict=True))


def _collate(rows: list[Any]) -> Batch:
    return Batch(*(torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)))


def _size(settings: PoseTrainSettings) -> tuple[int, int]:
    return settings.model.height_px, settings.model.width_px


def _stride(batch: Batch, maps: Tensor) -> float:
    return float(batch.crops.shape[1] / maps.shape[2])
