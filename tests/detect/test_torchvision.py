"""The torchvision adapter, on networks of random weights and on a stand-in. Nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import detection

from gocv.core import ConfigError, DataError, Detector, Frame
from gocv.data.poses import COCO17
from gocv.detect import TorchvisionDetector

LITE = "ssdlite320_mobilenet_v3_large"
POSES = "keypointrcnn_resnet50_fpn"


class StandIn(nn.Module):
    """Finds the same in every picture, and remembers the pictures."""

    def __init__(self, **more: torch.Tensor) -> None:
        super().__init__()
        self.asked: list[list[torch.Tensor]] = []
        self.more = more

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        self.asked.append(images)
        boxes = torch.tensor([[-5.0, 3, 9, 8], [1, 2, 30, 40], [0, 0, 9, 9], [90, 0, 99, 9], [2, 2, 8, 8]])
        scores, labels = torch.tensor([0.8, 0.9, 0.2, 0.7, 0.6]), torch.tensor([1, 18, 1, 1, 3])
        return [{"boxes": boxes, "scores": scores, "labels": labels, **self.more} for _ in images]


def frame(height: int = 48, width: int = 64, seed: int = 0) -> Frame:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Frame(image, "1", 0.0, 0)


@pytest.fixture(scope="module")
def lite() -> TorchvisionDetector:
    torch.manual_seed(0)
    return TorchvisionDetector(LITE, "random", classes=("person", "bottle"), min_score=0.0)


def test_what_goes_in_and_what_comes_out(lite: TorchvisionDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn()
    detector = TorchvisionDetector(LITE, "random", classes=("dog", "person"), min_score=0.3)
    monkeypatch.setattr(detector, "_network", stand_in)
    assert isinstance(detector, Detector)
    given = [frame(), frame(32, 20), frame(seed=1)]
    found, other, again = detector.detect(given)
    np.testing.assert_allclose(found.xyxy, [[1, 2, 30, 40], [0, 3, 9, 8]])
    np.testing.assert_allclose(found.score, [0.9, 0.8])
    assert found.label.tolist() == [0, 1]
    np.testing.assert_allclose(other.xyxy, [[1, 2, 20, 32], [0, 3, 9, 8]])
    assert len(again) == 2
    # Frames of one size go together, RGB from 0 to 1.
    assert [len(images) for images in stand_in.asked] == [2, 1]
    np.testing.assert_allclose(stand_in.asked[0][1].permute(1, 2, 0).numpy() * 255, given[2].image, atol=1e-3)


def test_a_poses_row_is_its_boxs(monkeypatch: pytest.MonkeyPatch) -> None:
    place = torch.arange(5 * 17 * 3, dtype=torch.float32).reshape(5, 17, 3)
    detector = TorchvisionDetector(POSES, "random", min_score=0.3)
    stand_in = StandIn(keypoints=place, keypoints_scores=torch.linspace(-9, 9, 85).reshape(5, 17))
    stand_in_labels = {"labels": torch.ones(5, dtype=torch.int64)}
    stand_in.more.update(stand_in_labels)
    monkeypatch.setattr(detector, "_network", stand_in)
    assert detector.keypoints == COCO17
    ((found, poses),) = detector.detect_poses([frame()])
    np.testing.assert_allclose(found.score, [0.9, 0.8, 0.6])
    np.testing.assert_allclose(poses.keypoints_px, place[[1, 0, 4], :, :2])
    assert ((poses.score > 0) & (poses.score < 1)).all()
    assert poses.score[2, 0] > poses.score[0, 0] > poses.score[1, 0]
    np.testing.assert_array_equal(detector.detect([frame()])[0].xyxy, found.xyxy)


def test_keypoint_r_cnn_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    detector = TorchvisionDetector(POSES, "random", min_score=0.0)
    detector._network.transform.min_size, detector._network.transform.max_size = (64,), 64
    ((found, poses),) = detector.detect_poses([frame()])
    assert len(found) == len(poses) > 0
    assert poses.keypoints_px.shape == (len(found), 17, 2)


def test_what_finds_no_keypoints_says_so(lite: TorchvisionDetector) -> None:
    assert lite.keypoints == ()
    with pytest.raises(ConfigError, match="finds no keypoints"):
        lite.detect_poses([frame()])


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_and_classes_of_ones_own(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(1)
    network = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    file = tmp_path / f"hands{suffix}"
    save: Any = save_file if suffix == ".safetensors" else torch.save
    save(network.state_dict(), file)
    detector = TorchvisionDetector(LITE, file, classes=("product",), names=("hand", "product"), min_score=0.0)
    network.score_thresh = 0.0
    with torch.inference_mode():
        (raw,) = network.eval()([torch.from_numpy(frame().image).permute(2, 0, 1).float() / 255])
    (found,) = detector.detect([frame()])
    assert len(found) == int((raw["labels"] == 2).sum()) > 0
    assert found.score[0] == pytest.approx(float(raw["scores"][raw["labels"] == 2].max()), abs=1e-5)
    with pytest.raises(DataError, match="are not weights of this network"):
        TorchvisionDetector(LITE, file)


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "evil.pth"
    torch.save({"weights": Path("x")}, file)
    with pytest.raises(DataError, match=r"evil\.pth: are not weights"):
        TorchvisionDetector(LITE, file)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"model": "fasterrcnn_resnet50"}, "'model'.*expected 'fasterrcnn_resnet50_fpn'"),
        ({"weights": "DEFALT"}, "'weights'.*expected 'DEFAULT', 'random'"),
        ({"weights": "DEFAULT", "names": ("hand",)}, "'names'.*they have their own"),
        ({"classes": ("persn",)}, "'classes'.*expected 'person'"),
        ({"min_score": 2}, "'min_score'"),
        ({"device": "cud"}, "'device'"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        TorchvisionDetector(**{"model": LITE, "weights": "random", **arguments})
