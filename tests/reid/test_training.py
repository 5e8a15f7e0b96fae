from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from PIL import Image

from gocv.core import ConfigError, DataError, Detections, Frame
from gocv.reid.checkpoints import load_model
from gocv.reid.encoder import Encoder
from gocv.reid.model import ReidModel
from gocv.reid.training import ReidModule, ReidTrainSettings, train_reid

PEOPLE, EPOCHS = 8, 3


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People in colours of their own, under lamps of another colour in each of two cameras."""
    root = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    colours, lamps = rng.uniform(40, 215, (3 * PEOPLE, 2, 3)), rng.uniform(0.6, 1.0, (2, 3))
    for part, first in (("bounding_box_train", 1), ("query", PEOPLE + 1), ("bounding_box_test", PEOPLE + 1)):
        (root / part).mkdir()
        for person in range(first, first + PEOPLE):
            for camera in (1, 2):
                for shot in range(2):
                    body = np.repeat(colours[person], (20, 20), axis=0)[:, None] * lamps[camera - 1]
                    image = np.clip(body + rng.normal(0, 8, (40, 20, 3)), 0, 255).astype(np.uint8)
                    name = f"{person:04d}_c{camera}s1_{shot:06d}_{part == 'query':02d}.png"
                    Image.fromarray(image).save(root / part / name)
    return root


def settings(root: Path, **changes: Any) -> ReidTrainSettings:
    loop = {"epochs": EPOCHS, "ema_decay": 0.9, "accelerator": "cpu", "devices": 1, "tensorboard": False}
    values = {
        "data": {"labelled": [{"root": str(root)}]},
        "model": {"backbone": "osnet_x0_25", "height_px": 64, "width_px": 32, "vector": 16},
        "batch": {"people": 4, "pictures": 2},
        "augment": {"hide_part": 0.3, "erase": 0.3},
        "optimizer": {"rate": 0.003},
        "loop": loop,
        **changes,
    }
    return ReidTrainSettings.model_validate(values)


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    assert train_reid(settings(pictures), folder) == folder / "model.safetensors"
    return folder


def test_the_same_seed_gives_the_same_curve_and_weights(pictures: Path, trained: Path, tmp_path: Path) -> None:
    train_reid(settings(pictures), tmp_path)
    assert curve(tmp_path) == curve(trained)
    assert len(curve(trained)) == EPOCHS
    ours, theirs = (load_model(folder / "model.safetensors")[0].state_dict() for folder in (tmp_path, trained))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_another_seed_gives_another_curve(pictures: Path, trained: Path, tmp_path: Path) -> None:
    loop = {**settings(pictures).loop.model_dump(), "seed": 2}
    train_reid(settings(pictures, loop=loop), tmp_path)
    assert curve(tmp_path) != curve(trained)


def test_a_training_that_was_killed_goes_on_to_the_same_end(
    pictures: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = ReidModule.training_step

    def killed(self: ReidModule, batch: Any, number: int) -> Any:
        if self.current_epoch == 2 and number == 1:
            raise RuntimeError("killed")
        return step(self, batch, number)

    monkeypatch.setattr(ReidModule, "training_step", killed)
    with pytest.raises(RuntimeError, match="killed"):
        train_reid(settings(pictures), tmp_path)
    assert len(curve(tmp_path)) == 2
    assert not (tmp_path / "model.safetensors").exists()
    monkeypatch.undo()
    train_reid(settings(pictures), tmp_path)
    assert curve(tmp_path) == curve(trained)
    ours, theirs = (load_model(folder / "model.safetensors")[0].state_dict() for folder in (tmp_path, trained))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_training_does_not_go_on_with_other_settings(pictures: Path, trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    with pytest.raises(ConfigError, match="augment"):
        train_reid(settings(pictures, augment={"erase": 0.0}), tmp_path / "copy")


def test_what_is_written_is_the_best_epoch_and_says_how_it_was_made(pictures: Path, trained: Path) -> None:
    model, about = load_model(trained / "model.safetensors")
    best = max(curve(trained), key=lambda row: float(row["map"]))
    assert about["epoch"] == int(best["epoch"])
    assert about["map"] == pytest.approx(float(best["map"]))
    assert ReidTrainSettings.model_validate(about["settings"]) == settings(pictures)
    assert model.length == 16


def test_what_is_frozen_stays_as_it_was(pictures: Path, trained: Path, tmp_path: Path) -> None:
    loop = {**settings(pictures).loop.model_dump(), "epochs": 1, "ema_decay": None}
    train_reid(settings(pictures, frozen=2, loop=loop), tmp_path)
    wanted = settings(pictures, frozen=2, loop=loop)
    found = load_model(tmp_path / "model.safetensors")[0]
    lightning.seed_everything(wanted.loop.seed, verbose=False)
    started = ReidModel(wanted.model, PEOPLE)
    for name, part in started.backbone.named_children():
        own, after = dict(part.named_parameters()), dict(found.backbone.get_submodule(name).named_parameters())
        same = all(torch.equal(own[key], after[key]) for key in own)
        assert same == (name in ("conv1", "maxpool")), name
    assert not torch.equal(started.backbone.conv1.bn.running_mean, found.backbone.conv1.bn.running_mean)


def test_it_learns(trained: Path) -> None:
    rows = curve(trained)
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_the_encoder_takes_what_was_written(trained: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    found = Encoder(trained / "model.safetensors", device="cpu").encode(
        Frame(image, "one", 0.0, 0), Detections([[10, 10, 40, 90], [60, 20, 90, 100]], [0.9, 0.8], [0, 0])
    )
    assert found.vector.shape == (2, 16)
    assert np.linalg.norm(found.vector, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_broken_picture_is_left_out_and_named(pictures: Path, tmp_path: Path) -> None:
    root = tmp_path / "some"
    shutil.copytree(pictures, root)
    broken = min((root / "bounding_box_train").iterdir())
    broken.write_bytes(b"no picture")
    loop = {**settings(root).loop.model_dump(), "epochs": 1}
    with pytest.warns(UserWarning, match=broken.name):
        train_reid(settings(root, loop=loop), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"data": {}}, "names no data set"),
        ({"loss": {"teacher": 1.0}}, "go together"),
        ({"batch": {"people": 100}}, "100"),
        ({"trunk": "nowhere.pt"}, "nowhere.pt"),
    ],
)
def test_what_cannot_be_is_refused(pictures: Path, tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    with pytest.raises((ConfigError, DataError), match=match):
        train_reid(settings(pictures, **changes), tmp_path)
