"""Training a network for products, from a file of settings to a file of weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.utils.data import DataLoader

from gocv.core import ConfigError, MissingDependencyError
from gocv.data.config import Model
from gocv.data.files import write_json
from gocv.data.products import ProductDataset, ProductPictures, middle_crop, read_grocerystore
from gocv.interact.products.config import ProductModelConfig
from gocv.interact.products.encoder import squeezed
from gocv.interact.products.export import export_onnx
from gocv.interact.products.losses import ProductLoss, ProductLossSettings
from gocv.interact.products.model import ProductModel
from gocv.interact.products.pictures import Batch, ProductAugmentSettings, TrainingPictures, collate
from gocv.train import PeopleSampler, ScheduleSettings
from gocv.train.loop import LoopSettings, fit
from gocv.train.module import LearningModule
from gocv.train.weights import load_trunk

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error


class ProductDataSettings(Model):
    """What is learnt from: photos of the training part and catalogue pictures.

    Attributes:
        root: Of GroceryStoreDataset, as for `gocv.data.products.read_grocerystore`.
        parts: Products are dealt out in turn to so many parts,
        left_out: and this part, from 0, is not learnt; None for none.
        made_up: Products that nobody sells, learnt besides.
    """

    root: str = ""
    parts: int = Field(default=3, ge=2)
    left_out: int | None = Field(default=None, ge=0)
    made_up: int = Field(default=0, ge=0)

    def held_out(self, products: int) -> NDArray[np.bool_]:
        """(products,) whether each is left out of the training."""
        numbers = np.arange(products)
        return numbers < 0 if self.left_out is None else numbers % self.parts == self.left_out


class ProductBatchSettings(Model):
    """P products, K pictures of each, one of them the catalogue's where there is one."""

    products: int = Field(default=8, ge=2)
    pictures: int = Field(default=4, ge=2)


class ProductOptimizerSettings(Model):
    """AdamW (arXiv:1711.05101).

    Attributes:
        rate: Of learning, of what comes after the trunk.
        trunk_rate: That of the trunk against `rate`.
        decay: Of the weights.
    """

    rate: float = Field(default=1e-3, gt=0)
    trunk_rate: float = Field(default=0.25, gt=0)
    decay: float = Field(default=0.01, ge=0)


class ProductTrainSettings(Model):
    """A training.

    Attributes:
        data: What is learnt from.
        model: What learns.
        trunk: File with the weights that the trunk starts with, see `gocv.train.weights.load_trunk`.
        frozen: Parts of the trunk, the first ones, that keep them; the statistics of their batch normalisation follow
            the pictures.
        batch: What comes together.
        augment: How pictures are varied.
        loss: What counts.
        optimizer: How weights are moved.
        schedule: How fast, when.
        loop: How long and where.
    """

    data: ProductDataSettings = ProductDataSettings()
    model: ProductModelConfig = ProductModelConfig()
    trunk: str | None = None
    frozen: int = Field(default=7, ge=0, le=18)
    batch: ProductBatchSettings = ProductBatchSettings()
    augment: ProductAugmentSettings = ProductAugmentSettings()
    loss: ProductLossSettings = ProductLossSettings()
    optimizer: ProductOptimizerSettings = ProductOptimizerSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    loop: LoopSettings = LoopSettings()


def train_product(settings: ProductTrainSettings, folder: str | Path) -> Path:
    """Train a network, or go on with the training in `folder`.

    Where products are left out, their photos, looked up in their catalogue pictures, choose the best weights. Else the
    last ones are taken: photos that were learnt say little.

    Args:
        settings: Of the training; those of a training that goes on must be the ones that it began with, but for where
            it runs and for how long.
        folder: Gets checkpoints, `metrics.csv`, `settings.json` and at last `model.onnx`.

    Returns:
        The file for `gocv.interact.products.ProductEncoder`.

    Raises:
        ConfigError: A setting does not fit another, or the training in `folder`.
        DataError: A data set or file is not right.
    """
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    data = ProductData(settings)
    module = ProductModule(settings, data.pictures.products, data.scored)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best, weights = fit(module, data, into, settings.loop, "catalogue_rank_1"), into / "model.onnx"
    if not module.trainer.is_global_zero:
        return weights
    chosen = into / "last.ckpt" if settings.data.left_out is None else best
    state = torch.load(chosen, map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    said = {**settings.model_dump(mode="json"), "trunk": Path(settings.trunk or "").name}
    said["data"] = {**said["data"], "root": Path(settings.data.root).name}
    export_onnx(module.model, weights, {"settings": said, "epoch": int(state["epoch"])})
    return weights


class ProductData(lightning.LightningDataModule):
    """The pictures of a training.

    Attributes:
        pictures: What is learnt from.
        scored: Photos and catalogue pictures that give the score: of the products that are left out, or of all.
    """

    def __init__(self, settings: ProductTrainSettings) -> None:
        super().__init__()
        self._settings, given = settings, settings.data
        if not given.root:
            raise ConfigError("names no data set", key="data.root", expected="the folder of GroceryStoreDataset")
        if given.left_out is not None and given.left_out >= given.parts:
            raise ConfigError(f"is {given.left_out}", key="data.left_out", expected=f"below {given.parts}")
        dataset = read_grocerystore(given.root)
        out = given.held_out(len(dataset.products))
        self.scored = dataset if not out.any() else _only(dataset, out)
        learnt = _only(dataset, ~out)
        self.pictures = TrainingPictures(
            learnt.train, learnt.catalogue, given.made_up, settings.model.size_px, settings.augment
        )

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of P × K pictures."""
        s, trainer = self._settings, self.trainer
        sampler = PeopleSampler(
            self.pictures.product,
            self.pictures.source,
            people=s.batch.products,
            pictures=s.batch.pictures,
            seed=s.loop.seed,
            rank=trainer.global_rank if trainer else 0,
            processes=trainer.world_size if trainer else 1,
        )
        return DataLoader(self.pictures, batch_sampler=sampler, collate_fn=collate)

    def val_dataloader(self) -> list[int]:
        """One batch of nothing: `ProductModule` reads its pictures itself."""
        return [0]


class ProductModule(LearningModule):
    """A network that learns.

    Args:
        settings: Of the training.
        products: That are learnt.
        scored: Photos and catalogue pictures that give the score.
    """

    def __init__(self, settings: ProductTrainSettings, products: int, scored: ProductDataset) -> None:
        super().__init__(settings)
        self.model = ProductModel(settings.model, settings.frozen)
        if settings.trunk is not None:
            load_trunk(self.model.trunk, settings.trunk)
        self.model = self.model.to(memory_format=torch.channels_last)
        self.loss = ProductLoss(settings.loss, products, settings.model.vector)
        self._photos, self._fronts = scored.train, scored.catalogue

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The sum of the losses of a batch."""
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        parts = self.loss(self.model(pixels), batch.product)
        total = torch.stack(list(parts.values())).sum()
        logged = {"loss": total, **{f"loss_{key}": value for key, value in parts.items()}}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(pixels))
        return total

    def validation_step(self, *_: Any) -> None:
        """Share of photos whose nearest catalogue picture is that of their product."""
        photos = self._vectors(self._photos, self.settings.model.share)
        fronts = self._vectors(self._fronts, 1.0)
        found = self._fronts.product[(photos @ fronts.T).argmax(axis=1)]
        right = float((found == self._photos.product).mean())
        self.log("catalogue_rank_1", right, prog_bar=True, sync_dist=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate changes with every batch."""
        s = self.settings.optimizer
        trunk = [p for p in self.model.trunk.parameters() if p.requires_grad]
        ours = {id(p) for p in self.model.trunk.parameters()}
        rest = [p for p in self.parameters() if id(p) not in ours]
        groups = [{"params": trunk, "lr": s.rate * s.trunk_rate}, {"params": rest, "lr": s.rate}]
        optimizer = torch.optim.AdamW([g for g in groups if g["params"]], s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)

    @torch.inference_mode()
    def _vectors(self, pictures: ProductPictures, share: float, at_a_time: int = 32) -> NDArray[np.float32]:
        size, found = self.settings.model.size_px, []
        for start in range(0, len(pictures), at_a_time):
            rows = range(start, min(start + at_a_time, len(pictures)))
            crops = np.stack([squeezed(middle_crop(pictures.picture(row), share), size) for row in rows])
            pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(self.device).float()
            found.append(self.model(pixels.contiguous(memory_format=torch.channels_last)).cpu().numpy())
        return np.concatenate(found)


def _only(dataset: ProductDataset, wanted: NDArray[np.bool_]) -> ProductDataset:
    parts = (part[wanted[part.product]] for part in (dataset.catalogue, dataset.train, dataset.val))
    return ProductDataset(dataset.name, dataset.kinds, *parts)
