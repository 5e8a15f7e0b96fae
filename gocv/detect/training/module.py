"""Training the detector, from a file of settings to an ONNX file and the YAML file that describes it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader

from gocv.core import ConfigError, DataError, Detections, Frame, MissingDependencyError
from gocv.data.coco import DetectionSet
from gocv.data.files import write_json, written_whole
from gocv.data.pictures import read_picture
from gocv.detect import heads
from gocv.detect.onnx import OnnxDetector
from gocv.detect.preprocess import prepare
from gocv.detect.training.export import description, export_detector
from gocv.detect.training.loss import detection_loss, distillation_loss
from gocv.detect.training.network import ANCHORS, STRETCH, STRIDES, PersonNet, decode
from gocv.detect.training.pictures import SeededBatches, Shown, Squares, collate, held_out
from gocv.detect.training.settings import DetectorTrainSettings
from gocv.detect.training.weights import load_weights
from gocv.geometry import clip_to_image, nms
from gocv.metrics.detection import Boxes, evaluate_detections
from gocv.train.loop import fit
from gocv.train.module import LearningModule, one_batch

try:
    import lightning
except ImportError as error:
    raise MissingDependencyError("training needs lightning: pip install 'gocv[train]'") from error

Detect = Callable[[Frame], Detections]
_LEAST_SCORE, _INT8_LOSS = 0.01, 0.03
"""Of detections that are scored; AP50 that eight bits may cost."""


def train_detector(settings: DetectorTrainSettings, folder: str | Path) -> Path:
    """Train the detector, or go on with the training in `folder`.

    Args:
        settings: Of the training; those of a training that goes on must be the ones that it began with, but for where
            it runs, for how long, and what is written.
        folder: Gets checkpoints, `metrics.csv`, `settings.json`, and at last `model.safetensors`, `NAME.onnx` and
            `NAME.yaml`; of several processes that train together the first one writes.

    Returns:
        The YAML file of the weights with the best AP50, which `gocv.detect.OnnxDetector` takes.

    Raises:
        ConfigError: A setting does not fit another, or the training in `folder`.
        DataError: A data set or file is not right, or what was written finds less than what was trained.
    """
    into = Path(folder)
    lightning.seed_everything(settings.loop.seed, workers=True, verbose=False)
    data = DetectorData(settings)
    module = DetectorModule(settings, data.validation)
    write_json(into / "settings.json", settings.model_dump(mode="json"))
    best = fit(module, data, into, settings.loop, "ap50")
    described = into / f"{settings.export.name}.yaml"
    if not module.trainer.is_global_zero:
        return described
    module.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
    module.mix(settings.export.start_share)
    with written_whole(into / "model.safetensors") as temporary:
        save_file({key: value.contiguous() for key, value in module.net.state_dict().items()}, temporary)
    described = export_detector(module.net, into, settings.export, data.calibration)
    check_export(described, module)
    return described


def check_export(described: Path, module: DetectorModule) -> None:
    """Score what was written on what was held out, beside the network.

    Raises:
        DataError: The AP50 is lower by more than eight bits may cost.
    """
    detector = OnnxDetector(described, min_score=_LEAST_SCORE)
    before, after = module.score(), module.score(lambda frame: detector.detect([frame])[0])
    for name, score in before.items():
        if not after[name] >= score - _INT8_LOSS:
            raise DataError(
                f"finds AP50 {after[name]:.3f} of {name}", file=described, expected=f"{score:.3f}, as torch"
            )


class DetectorData(lightning.LightningDataModule):
    """The pictures of a training.

    Attributes:
        validation: What chooses the best weights: of each data set that holds out, those pictures.
        calibration: Pictures to measure ranges by, of all data sets in turn.
    """

    def __init__(self, settings: DetectorTrainSettings) -> None:
        super().__init__()
        self._settings, sources = settings, settings.data.sources
        if not sources:
            raise ConfigError("names no data set", key="data.sources", expected="format and root of at least one")
        split = [held_out(one.read(), one.hold_out) for one in sources]
        self._sets = [learnt for learnt, _ in split]
        self.validation = [out for _, out in split if len(out)]
        if not self.validation:
            raise ConfigError("hold nothing out", key="data.sources.hold_out", expected="a share of one of them")
        most = max(map(len, self._sets))
        spread = [[one.files[i * len(one) // most] for one in self._sets if len(one)] for i in range(most)]
        order = np.random.default_rng(0).permutation(most)
        self.calibration = list(dict.fromkeys(file for i in order for file in spread[i]))

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of squares."""
        s, trainer = self._settings, self.trainer
        sources = s.data.sources
        squares = Squares(self._sets, [o.share for o in sources], [o.distil for o in sources], s.data, s.augment)
        rank = trainer.global_rank if trainer else 0
        batches = SeededBatches(s.optimizer.batch, s.optimizer.steps, s.data.sizes_px, seed=s.loop.seed, rank=rank)
        workers = s.data.workers
        return DataLoader(
            squares, batch_sampler=batches, collate_fn=collate, num_workers=workers, persistent_workers=workers > 0
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """One batch of nothing: `DetectorModule` reads the pictures itself, as AP50 is not a sum over batches."""
        return one_batch()


class DetectorModule(LearningModule):
    """A network that learns.

    Args:
        settings: Of the training.
        validation: Data sets that give the score.
    """

    free = ("loop", "export")

    def __init__(self, settings: DetectorTrainSettings, validation: Sequence[DetectionSet]) -> None:
        super().__init__(settings)
        self.net = PersonNet()
        load_weights(self.net, settings.start)
        for part in [*self.net.stem, *self.net.blocks][: settings.frozen]:
            part.requires_grad_(False)
        self.net = self.net.to(memory_format=torch.channels_last)
        # Not a part of the module, or it would be saved and averaged with it.
        self._before = [copy.deepcopy(self.net).requires_grad_(False)]
        self._validation = validation

    @torch.no_grad()
    def mix(self, start_share: float) -> None:
        """Move the weights back towards those that the training started with, by this share of the way."""
        for now, before in zip(self.net.parameters(), self._before[0].parameters(), strict=True):
            now.lerp_(before.to(now), start_share)

    def training_step(self, batch: Shown, _: int) -> Tensor:
        """The sum of the losses of a batch."""
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        said = decode(self.net(pixels))
        parts = detection_loss(said, batch, self.settings.loss)
        if bool((batch.distil > 0).any()):
            with torch.no_grad():
                before = decode(self._before[0].to(self.device)(pixels))
            parts["distil"] = distillation_loss(said, before, batch.distil, self.settings.loss)
        total = torch.stack(list(parts.values())).sum()
        logged = {"loss": total, **{f"loss_{key}": value for key, value in parts.items()}}
        self.log_dict(logged, on_step=False, on_epoch=True, sync_dist=True, batch_size=len(batch.pixels))
        return total

    def validation_step(self, *_: Any) -> None:
        """AP50 of what was held out, the mean over data sets, with the averaged weights where weights are averaged."""
        scores = self.score()
        self.log("ap50", float(np.mean(list(scores.values()))), prog_bar=True, sync_dist=True, batch_size=1)
        for number, score in enumerate(scores.values()):
            self.log(f"ap50_{number}", score, sync_dist=True, batch_size=1)

    def configure_optimizers(self) -> Any:
        """AdamW; the rate changes with every batch."""
        s = self.settings.optimizer
        wanted = [p for p in self.net.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(wanted, s.rate, weight_decay=s.decay)
        return self.scheduled(optimizer)

    def score(self, detect: Detect | None = None) -> dict[str, float]:
        """AP50 of each data set's held out pictures, by number and name; of the network unless `detect` is given."""
        sets = enumerate(self._validation)
        return {f"{number} {one.name}": ap50(detect or self.detect, one) for number, one in sets}

    @torch.inference_mode()
    def detect(self, frame: Frame) -> Detections:
        """What the network finds in a frame, as `OnnxDetector` would."""
        config = description(self.settings.export)
        tensor, place = prepare(frame.image, config.input)
        maps = self.net(torch.from_numpy(tensor[None]).to(self.device))
        found = heads.anchored(
            *(m[0].float().cpu().numpy() for m in maps),
            strides=STRIDES,
            anchors=ANCHORS,
            stretch=STRETCH,
            min_score=_LEAST_SCORE,
        )
        kept = nms(found.xyxy, found.score, self.settings.export.nms_iou)
        xyxy = clip_to_image(place.to_frame(found.xyxy[kept]), frame.image.shape[1], frame.image.shape[0])
        return Detections(xyxy, found.score[kept], found.label[kept])


def ap50(detect: Detect, dataset: DetectionSet) -> float:
    """Average precision at IoU 0.5 on a data set of one class."""
    found = [detect(Frame(read_picture(file), "", 0.0, i)) for i, file in enumerate(dataset.files)]
    rows = Detections.concatenate([Detections.empty(), *found])
    image = np.repeat(np.arange(len(found)), [len(one) for one in found])
    truth = dataset.boxes
    there = Boxes(truth.image, truth.xyxy, truth.label, ignore=truth.ignore)
    seen = Boxes(image, rows.xyxy, rows.label, rows.score)
    return float(evaluate_detections(there, seen, images=len(dataset)).ap50)
