"""What holds for every detector that is registered, whoever wrote it. No weights are fetched: they are made up here."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gocv.core import Detections, Detector, Frame

MIRROR = """
CAhCAhANOm0KFgoBeAoFc2hhcGUSAXkiB1Jlc2hhcGUSBHRpbnkqJQgDEAdCBXNoYXBlShgAAAAAAAAAAAYAAAAAAAAABAAAAAAAAABaGwoBeBIW
ChQIARIQCgIIAQoCCAMKAggCCgIIBGIJCgF5EgQKAggB
"""
"""An ONNX network that reshapes its (1, 3, 2, 4) picture to (1, 6, 4): four boxes whose figures are its pixels."""


def onnx(part: Any, folder: Path) -> Detector:
    (folder / "mirror.onnx").write_bytes(base64.b64decode(MIRROR))
    description = {
        "name": "mirror",
        "weights": "mirror.onnx",
        "licence": "none",
        "source": "this test",
        "input": {"width": 4, "height": 2, "channels": "rgb", "scale": 0.01},
        "head": {"kind": "yolov8"},
        "classes": ["person", "dog"],
    }
    (folder / "mirror.yaml").write_text(yaml.safe_dump(description))
    detector: Detector = part(folder / "mirror.yaml", classes=("dog", "person"))
    return detector


def ultralytics(part: Any, folder: Path) -> Detector:
    with np.printoptions():  # importing it changes them
        package = pytest.importorskip("ultralytics")
    model = package.YOLO("yolov8n.yaml")  # random weights; its classes are "0" to "79"
    detector: Detector = part(model, classes=tuple(map(str, range(80))), min_score=1e-6, image_size=64, device="cpu")
    return detector


def default(part: Any, folder: Path) -> Detector:
    detector: Detector = part(min_score=1e-4)
    return detector


def torchvision(part: Any, folder: Path) -> Detector:
    import torch

    torch.manual_seed(0)
    names = ("person", "bottle")
    detector: Detector = part("ssdlite320_mobilenet_v3_large", "random", classes=names, names=names, min_score=0.0)
    return detector


MAKERS: dict[str, Callable[[Any, Path], Detector]] = {
    "default": default,
    "onnx": onnx,
    "torchvision": torchvision,
    "ultralytics": ultralytics,
}
"""How to make the parts that cannot be made of nothing, or find nothing in noise."""


@pytest.fixture(scope="module", params=entry_points(group="gocv.detectors"), ids=lambda e: e.name)
def detector(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Detector:
    entry: EntryPoint = request.param
    maker = MAKERS.get(entry.name, lambda part, folder: part())
    return maker(entry.load(), tmp_path_factory.mktemp(entry.name))


def frames() -> list[Frame]:
    """Pictures of three sizes: noise, black, grey, noise."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, size) for size in ((48, 64, 3), (64, 100, 3))]
    images = [noise[0], np.zeros((30, 20, 3)), np.full((64, 100, 3), 120), noise[1]]
    return [Frame(image.astype(np.uint8), "1", 0.1 * i, i) for i, image in enumerate(images)]


def test_it_is_a_detector(detector: Detector) -> None:
    assert isinstance(detector, Detector)
    assert isinstance(detector.classes, tuple)
    assert all(isinstance(name, str) for name in detector.classes)


def test_each_frame_has_boxes_in_its_own_pixels(detector: Detector) -> None:
    found = detector.detect(frames())
    assert len(found) == len(frames())
    assert sum(map(len, found)) > 0  # so that what follows could fail
    for frame, boxes in zip(frames(), found, strict=True):
        assert isinstance(boxes, Detections)
        height, width, _ = frame.image.shape
        left, top, right, bottom = boxes.xyxy.T
        assert (left >= 0).all()
        assert (top >= 0).all()
        assert (right <= width).all()
        assert (bottom <= height).all()
        assert (right > left).all()
        assert (bottom > top).all()
        assert ((boxes.score >= 0) & (boxes.score <= 1)).all()
        assert ((boxes.label >= 0) & (boxes.label < len(detector.classes))).all()


def test_no_frames_have_no_detections(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_frames_together_are_as_frames_alone(detector: Detector) -> None:
    together = detector.detect(frames())
    alone = [boxes for frame in frames() for boxes in detector.detect([frame])]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.1)
        np.testing.assert_allclose(one.score, other.score, atol=1e-3)
        np.testing.assert_array_equal(one.label, other.label)


def test_pictures_are_left_as_they_were(detector: Detector) -> None:
    given = frames()
    detector.detect(given)
    for frame, original in zip(given, frames(), strict=True):
        np.testing.assert_array_equal(frame.image, original.image)
