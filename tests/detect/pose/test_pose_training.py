from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import models

from gocv.core import ConfigError, DataError, Detections, Frame
from gocv.detect.pose import DefaultPose
from gocv.detect.pose.export import export_pose
from gocv.detect.pose.net import PoseModelConfig, PoseNet
from gocv.detect.pose.pictures import PosePictures, write_pose_pictures
from gocv.detect.pose.training import LossSettings, PoseTrainSettings, place_loss, train_pose

EPOCHS = 2
SMALL = {"height_px": 64, "width_px": 64, "channels": (16, 16, 16)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs on grey: every keypoint is the middle of the disc."""
    root, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    n = 24
    middle = rng.uniform(20, 44, (n, 2))
    rows, columns = np.mgrid[:64, :64]
    (root / "pictures").mkdir()
    for i, (x, y) in enumerate(middle):
        image = np.full((64, 64, 3), 90, np.uint8)
        image[(columns - x) ** 2 + (rows - y) ** 2 < 49] = 240
        Image.fromarray(image).save(root / "pictures" / f"{i}.png")
    table = PosePictures(
        picture=np.array([f"pictures/{i}.png" for i in range(n)], dtype=np.str_),
        source=np.array(["other" if i < 6 else "some" for i in range(n)], dtype=np.str_),
        xyxy=np.tile([6.0, 6.0, 58.0, 58.0], (n, 1)),
        keypoints_px=np.repeat(middle[:, None], 17, axis=1),
        seen=np.ones((n, 17)),
        weight=np.ones((n, 17)),
    )
    write_pose_pictures(root, table)
    return root


def settings(root: Path, **changes: Any) -> PoseTrainSettings:
    loop = {"epochs": EPOCHS, "ema_decay": 0.5, "accelerator": "cpu", "devices": 1, "tensorboard": False}
    values = {
        "data": {"sets": [{"root": str(root), "times": 2}], "held_out": ["other"]},
        "model": SMALL,
        "batch": 6,
        "vary": {"colour": 0.0, "coarse": 0.0, "cover": 0.0},
        "loop": loop,
        **changes,
    }
    return PoseTrainSettings.model_validate(values)


def curve(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_pose(settings(pictures), folder)
    return folder


def test_places_are_learnt_and_the_network_is_written(trained: Path) -> None:
    rows = curve(trained)
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert float(rows[1]["loss_place"]) < float(rows[0]["loss_place"])
    frame = Frame(np.full((64, 64, 3), 90, np.uint8), "camera", 0.0, 0)
    boxes = Detections(np.array([[6.0, 6, 58, 58]] * 3), np.ones(3), np.zeros(3))
    (found,) = DefaultPose(trained / "pose.onnx", min_score=0.0).estimate([frame], [boxes])
    assert found.keypoints_px.shape == (3, 17, 2)


def test_a_training_that_was_killed_goes_on_to_the_same_end(
    pictures: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gocv.detect.pose.training.export_pose", lambda *_: 0.0)
    before = tmp_path / "half"
    first = settings(pictures)
    train_pose(first.model_copy(update={"loop": first.loop.model_copy(update={"epochs": 1})}), before)
    assert [row["epoch"] for row in curve(before)] == ["0"]
    train_pose(first, before)
    assert [row["epoch"] for row in curve(before)] == ["0", "1"]
    ends = [torch.load(folder / "last.ckpt", map_location="cpu", weights_only=True) for folder in (trained, before)]
    assert ends[0]["global_step"] == ends[1]["global_step"] == 2 * 6
    with pytest.raises(ConfigError, match="batch"):
        train_pose(settings(pictures, batch=4), before)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"sets": [], "held_out": ["other"]}}, "names no set"),
        ({"data": {"held_out": ["nowhere"]}}, "nowhere"),
        ({"data": {"held_out": []}}, "to choose by"),
    ],
)
def test_sets_that_will_not_do_are_refused(pictures: Path, tmp_path: Path, changes: Any, said: str) -> None:
    changes["data"] = {"sets": [{"root": str(pictures)}], **changes["data"]}
    with pytest.raises(ConfigError, match=said):
        train_pose(settings(pictures, **changes), tmp_path)


def test_the_loss_is_least_where_the_truth_is() -> None:
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(12.0), indexing="ij")
    points, weight, loss = torch.tensor([[[21.5, 29.5]]]), torch.ones(1, 1), LossSettings()

    def at(x: float, y: float) -> float:
        maps = -0.5 * ((columns - x) ** 2 + (rows - y) ** 2)
        return float(place_loss(maps[None, None], points, weight, 4.0, loss))

    # Pixel 21.5 of a crop is the border of the 22nd: 22 / 4 cells from the edge, which is 0.5 before the first middle.
    here = at(5.0, 7.0)
    assert all(here < at(5.0 + dx, 7.0 + dy) for dx, dy in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)))
    far = torch.tensor([[[0.0, 0.0], [21.5, 29.5]]])
    maps = (-0.5 * ((columns - 5) ** 2 + (rows - 7) ** 2)).expand(1, 2, 16, 12)
    assert float(place_loss(maps, far, torch.tensor([[0.0, 1.0]]), 4.0, loss)) == pytest.approx(here, abs=1e-5)


def test_rounded_kernels_take_a_quarter_of_the_room_and_give_nearly_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = PoseNet(PoseModelConfig(**SMALL)).eval()  # type: ignore[arg-type]
    assert export_pose(net, tmp_path / "whole.onnx") < 1e-3
    export_pose(net, tmp_path / "float.onnx", whole_numbers=False)
    assert (tmp_path / "whole.onnx").stat().st_size < 0.35 * (tmp_path / "float.onnx").stat().st_size


def test_the_trunk_starts_with_the_weights_of_a_file(tmp_path: Path) -> None:
    whole = models.mobilenet_v2(weights=None).features.state_dict()
    torch.save({f"theirs.{i}": value for i, value in enumerate(whole.values())}, tmp_path / "trunk.pt")
    net = PoseNet(PoseModelConfig(**SMALL), tmp_path / "trunk.pt")  # type: ignore[arg-type]
    assert all(torch.equal(value, whole[key]) for key, value in net.trunk.state_dict().items())
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(DataError, match="has not the weights"):
        PoseNet(PoseModelConfig(**SMALL), tmp_path / "other.pt")  # type: ignore[arg-type]
