"""The detector that comes with gocv, as it is installed: no file, no argument, no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, Detections, Frame
from gocv.data.coco import read_yolo
from gocv.data.pictures import read_picture
from gocv.data.video import VideoReader
from gocv.detect import PersonDetector
from gocv.detect.training.export import description
from gocv.detect.training.settings import ExportSettings
from gocv.geometry import iou


def shopper(shared_data: Path) -> Frame:
    path = shared_data / "nanostore" / "cps-test-01" / "video" / "cam1.mp4"
    return next(iter(VideoReader(path, camera="1", start_s=9.0 - 1e-6)))


def found(frame: Frame, **options: Any) -> Detections:
    return PersonDetector(threads=1, **options).detect([frame])[0]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_it_finds_the_shopper_and_nothing_else(shared_data: Path, runtime: Any) -> None:
    pytest.importorskip(runtime)
    there = found(shopper(shared_data), runtime=runtime)
    assert len(there) == 1
    assert iou(there.xyxy, np.array([[337.0, 0.0, 459.0, 205.0]]))[0, 0] > 0.75


def test_the_runtimes_agree_as_far_as_eight_bits_let_them(shared_data: Path) -> None:
    pytest.importorskip("openvino")
    a, b = (found(shopper(shared_data), runtime=runtime) for runtime in ("onnxruntime", "openvino"))
    np.testing.assert_allclose(a.score, b.score, atol=0.1)
    assert iou(a.xyxy, b.xyxy)[0, 0] > 0.85


def test_frames_of_many_shapes_come_back_as_they_went_in(shared_data: Path) -> None:
    dataset = read_yolo(shared_data / "coco_person", "val2017").of_classes(["person"])[:8]
    frames = [Frame(read_picture(file), "", 0.0, i) for i, file in enumerate(dataset.files)]
    detector = PersonDetector(threads=1)
    tall = right = 0
    for row, one in enumerate(detector.detect(frames)):
        boxes = dataset.of(row).xyxy
        boxes = boxes[boxes[:, 3] - boxes[:, 1] >= 100]
        tall, right = tall + len(boxes), right + int((iou(boxes, one.xyxy) >= 0.5).any(axis=1).sum())
    assert tall >= 8
    assert right >= 0.6 * tall


def test_it_knows_people_alone() -> None:
    with pytest.raises(ConfigError, match="no class 'dog'"):
        PersonDetector(classes=("dog",))


def test_its_description_is_what_the_training_writes() -> None:
    told = {"name", "sha256", "licence", "source"}
    ours = PersonDetector(threads=1).config
    assert ours.model_dump(exclude=told) == description(ExportSettings()).model_dump(exclude=told)
