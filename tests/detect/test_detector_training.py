"""A training from pictures to a detector."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

pytest.importorskip("onnxscript")

from gocv.core import ConfigError, DataError, Frame
from gocv.detect import OnnxDetector
from gocv.detect.training.export import export_detector
from gocv.detect.training.module import DetectorData, DetectorModule, check_export, train_detector
from gocv.detect.training.network import PersonNet
from gocv.detect.training.settings import DetectorTrainSettings, ExportSettings

SIDE = 96


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Grey rooms with somebody red in each, labelled as YOLO does."""
    root, rng = tmp_path_factory.mktemp("people"), np.random.default_rng(0)
    for part in ("images", "labels"):
        (root / part / "train").mkdir(parents=True)
    for number in range(8):
        image = rng.integers(90, 130, (64, 96, 3)).astype(np.uint8)
        left, top = rng.integers(5, 40, 2) // [1, 3]
        image[top : top + 44, left : left + 26] = [200, 40, 40]
        Image.fromarray(image).save(root / "images" / "train" / f"{number}.png")
        line = f"0 {(left + 13) / 96} {(top + 22) / 64} {26 / 96} {44 / 64}\n"
        (root / "labels" / "train" / f"{number}.txt").write_text(line)
    return root


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("start") / "model.safetensors"
    net = PersonNet()
    with torch.no_grad():
        net.stem[0].conv.weight /= 64
    save_file(net.state_dict(), file)
    return file


def settings(pictures: Path, start: Path, **changes: Any) -> DetectorTrainSettings:
    source = {"format": "yolo", "root": str(pictures), "distil": 0.1, "hold_out": 0.25}
    loop = {"epochs": 2, "accelerator": "cpu", "devices": 1, "tensorboard": False}
    values = {
        "data": {"sources": [source], "sizes_px": [64, SIDE]},
        "start": str(start),
        "optimizer": {"rate": 0.001, "batch": 2, "steps": 2},
        "loop": loop,
        "export": {"longest_px": SIDE, "int8": False},
        **changes,
    }
    return DetectorTrainSettings.model_validate(values)


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(pictures: Path, start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    assert train_detector(settings(pictures, start), folder) == folder / "person.yaml"
    return folder


def test_what_is_written_is_a_detector(trained: Path, pictures: Path, start: Path) -> None:
    detector = OnnxDetector(trained / "person.yaml", min_score=0.01)
    module = DetectorModule(settings(pictures, trained / "model.safetensors"), [])
    rng = np.random.default_rng(1)
    for size in ((64, 96, 3), (50, 30, 3)):
        frame = Frame(rng.integers(0, 256, size, dtype=np.uint8), "", 0.0, 0)
        (ours,), theirs = detector.detect([frame]), module.detect(frame)
        assert len(ours) == len(theirs) > 0
        np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=0.05)
        np.testing.assert_allclose(ours.score, theirs.score, atol=1e-3)


def test_a_training_goes_on_where_it_was(trained: Path, pictures: Path, start: Path, tmp_path: Path) -> None:
    given = settings(pictures, start)
    train_detector(given.model_copy(update={"loop": given.loop.model_copy(update={"epochs": 1})}), tmp_path)
    (first,) = curve(tmp_path)
    train_detector(given, tmp_path)
    assert curve(tmp_path)[0] == first
    assert [(row["epoch"], row["steps"]) for row in curve(tmp_path)] == [("0", "2"), ("1", "4")]


def test_a_training_does_not_go_on_with_other_settings(
    trained: Path, pictures: Path, start: Path, tmp_path: Path
) -> None:
    shutil.copy(trained / "last.ckpt", tmp_path)
    longer = {"epochs": 3, "accelerator": "cpu", "devices": 1, "tensorboard": False}
    with pytest.raises(ConfigError, match="frozen"):
        train_detector(settings(pictures, start, frozen=1, loop=longer), tmp_path)


def test_parts_that_are_frozen_stay_and_others_move(trained: Path, pictures: Path, start: Path) -> None:
    before, after = (
        DetectorModule(settings(pictures, file), []).net.state_dict() for file in (start, trained / "model.safetensors")
    )
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any(name.startswith("stem") for name in moved)
    assert {"coarse_head.weight", "blocks.1.first.conv.weight"} <= moved


def test_weights_may_be_mixed_with_those_of_the_start(pictures: Path, start: Path) -> None:
    module = DetectorModule(settings(pictures, start), [])
    before = module.net.fine_head.bias.detach().clone()
    with torch.no_grad():
        module.net.fine_head.bias += 1.0
    module.mix(0.25)
    torch.testing.assert_close(module.net.fine_head.bias.detach(), before + 0.75)


def test_eight_bits_say_nearly_the_same_in_a_quarter_of_the_room(trained: Path, pictures: Path, tmp_path: Path) -> None:
    module = DetectorModule(settings(pictures, trained / "model.safetensors"), [])
    files = sorted((pictures / "images" / "train").iterdir())
    described = export_detector(module.net, tmp_path, ExportSettings(longest_px=SIDE), files)
    frame = Frame(np.asarray(Image.open(files[0])), "", 0.0, 0)
    found = OnnxDetector(described, min_score=0.01).detect([frame])[0]
    assert len(found) > 0
    assert abs(float(found.score.max()) - float(module.detect(frame).score.max())) < 0.1
    room = [(folder / "person.onnx").stat().st_size for folder in (tmp_path, trained)]
    assert room[0] < 0.3 * room[1]


def test_a_file_that_finds_less_than_was_trained_is_refused(
    trained: Path, pictures: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(pictures, start)
    module = DetectorModule(given, DetectorData(given).validation)
    check_export(trained / "person.yaml", module)
    monkeypatch.setattr(module, "score", lambda detect=None: {"people": 0.9 if detect is None else 0.8})
    with pytest.raises(DataError, match=r"0.800 of people"):
        check_export(trained / "person.yaml", module)


@pytest.mark.parametrize("hold_out", [0.0, None])
def test_a_training_needs_pictures_and_some_that_are_held_out(
    pictures: Path, start: Path, tmp_path: Path, hold_out: float | None
) -> None:
    source = [] if hold_out is None else [{"format": "yolo", "root": str(pictures), "hold_out": hold_out}]
    with pytest.raises(ConfigError, match=r"data\.sources"):
        train_detector(settings(pictures, start, data={"sources": source}), tmp_path)
