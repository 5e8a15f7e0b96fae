"""The ultralytics adapter: its glue on a network of random weights, and without ultralytics on a stand-in."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, DataError, Detector, Frame, MissingDependencyError
from gocv.detect import UltralyticsDetector


class Array:
    """As much of a torch tensor as the adapter uses."""

    def __init__(self, values: Any) -> None:
        self.values = np.array(values, np.float32)

    def cpu(self) -> Array:
        return self

    def numpy(self) -> np.ndarray:
        return self.values


class StandIn:
    """Answers every picture with the same three boxes, the last one outside of it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.names = {0: "person", 1: "bicycle", 16: "dog"}

    def predict(self, images: list[np.ndarray], **options: Any) -> list[Any]:
        self.images, self.options = images, options
        boxes = SimpleNamespace(
            xyxy=Array([[1, 2, 30, 40], [-5, 3, 9, 8], [90, 0, 99, 9]]),
            conf=Array([0.9, 0.8, 0.7]),
            cls=Array([16, 0, 0]),
        )
        return [SimpleNamespace(boxes=boxes) for _ in images]


def frame(height: int = 48, width: int = 64) -> Frame:
    return Frame(np.full((height, width, 3), [10, 20, 30], np.uint8), "1", 0.0, 0)


def test_what_goes_in_and_what_comes_out() -> None:
    model = StandIn()
    detector = UltralyticsDetector(model, classes=("person", "dog"), min_score=0.4, image_size=320, device="cpu")
    assert isinstance(detector, Detector)
    found, other = detector.detect([frame(), frame(32, 20)])
    assert model.images[0][0, 0].tolist() == [30, 20, 10]
    assert model.options == {"classes": [0, 16], "conf": 0.4, "imgsz": 320, "device": "cpu", "verbose": False}
    np.testing.assert_array_equal(found.xyxy, [[1, 2, 30, 40], [0, 3, 9, 8]])
    np.testing.assert_allclose(found.score, [0.9, 0.8])
    assert found.label.tolist() == [1, 0]
    np.testing.assert_array_equal(other.xyxy, [[1, 2, 20, 32], [0, 3, 9, 8]])
    assert detector.detect([]) == []


def test_wrong_settings_are_explained() -> None:
    with pytest.raises(ConfigError, match="'person'"):
        UltralyticsDetector(StandIn(), classes=("persn",))
    with pytest.raises(ConfigError, match="min_score"):
        UltralyticsDetector(StandIn(), min_score=30)


def test_a_missing_package_is_named_with_its_licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(MissingDependencyError, match=r"AGPL-3\.0.*pip install gocv\[ultralytics\]"):
        UltralyticsDetector("yolo11n.pt")


def test_weights_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    path = tmp_path / "broken.pt"
    path.write_bytes(b"not weights")
    with pytest.raises(DataError, match=r"broken\.pt"):
        UltralyticsDetector(path)


def test_a_real_network_of_random_weights() -> None:
    ultralytics = pytest.importorskip("ultralytics")
    model = ultralytics.YOLO("yolov8n.yaml")  # its classes are called "0" to "79"
    detector = UltralyticsDetector(model, classes=("7", "0"), min_score=0.0, image_size=64, device="cpu")
    rng = np.random.default_rng(0)
    frames = [Frame(rng.integers(0, 256, size, np.uint8), "1", 0.0, 0) for size in ((48, 64, 3), (90, 50, 3))]
    found = detector.detect(frames)
    assert sum(map(len, found)) > 0
    for one, rows in zip(frames, found, strict=True):
        assert set(rows.label.tolist()) <= {0, 1}
        assert (rows.xyxy >= 0).all()
        assert (rows.xyxy[:, 2] <= one.image.shape[1]).all()
        assert (rows.xyxy[:, 3] <= one.image.shape[0]).all()


def test_a_poses_row_is_its_boxs() -> None:
    """The last box lies outside of the picture; of the first one a keypoint is not seen."""
    model = StandIn()
    model.task, model.model = "pose", SimpleNamespace(kpt_shape=[2, 3])
    points = Array([[[0, 0, 0.1], [5, 6, 0.9]], [[7, 8, 0.8], [9, 10, 0.7]], [[1, 1, 1], [1, 1, 1]]])
    plain = model.predict

    def predict(images: list[np.ndarray], **options: Any) -> list[Any]:
        results = plain(images, **options)
        for result in results:
            result.keypoints = SimpleNamespace(data=points)
        return results

    model.predict = predict  # type: ignore[method-assign]
    detector = UltralyticsDetector(model, classes=("person", "dog"))
    assert detector.keypoints == ("0", "1")
    ((found, poses),) = detector.detect_poses([frame()])
    assert len(found) == len(poses) == 2
    np.testing.assert_allclose(poses.keypoints_px, [[[np.nan, np.nan], [5, 6]], [[7, 8], [9, 10]]])
    np.testing.assert_allclose(poses.score, [[0.1, 0.9], [0.8, 0.7]])


def test_what_finds_no_keypoints_says_so() -> None:
    detector = UltralyticsDetector(StandIn())
    assert detector.keypoints == ()
    with pytest.raises(ConfigError, match="finds no keypoints"):
        detector.detect_poses([frame()])


def test_a_network_for_poses_finds_them() -> None:
    with np.printoptions():  # importing it changes them
        ultralytics = pytest.importorskip("ultralytics")
        model = ultralytics.YOLO("yolov8n-pose.yaml")  # random weights; its class is "0"
    detector = UltralyticsDetector(model, classes=("0",), min_score=1e-6, image_size=64, device="cpu")
    assert detector.keypoints[9] == "l_wrist"
    ((found, poses),) = detector.detect_poses([frame()])
    assert len(found) == len(poses) > 0
