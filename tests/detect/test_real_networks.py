"""Real networks on real footage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gocv.core import Frame
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.geometry import iou
from gocv.track import SortTracker

CONFIGS = Path(__file__).parents[2] / "configs" / "detectors"


def store_frames(shared_data: Path, camera: str, start_s: float, end_s: float) -> list[Frame]:
    path = shared_data / "nanostore" / "cps-test-01" / "video" / f"cam{camera}.mp4"
    return list(VideoReader(path, camera=camera, start_s=start_s - 1e-6, end_s=end_s - 1e-6))


def yolox(shared_models: Path, runtime: Any = "onnxruntime", **options: Any) -> OnnxDetector:
    pytest.importorskip(runtime)
    weights = shared_models / "yolox_nano.onnx"
    return OnnxDetector(CONFIGS / "yolox_nano.yaml", weights=weights, runtime=runtime, **options)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_one_person_in_camera_1_is_one_track(shared_data: Path, shared_models: Path, runtime: Any) -> None:
    """From 8 to 13 s the shopper reaches into the shelf and is given two boxes at times."""
    detector, tracker = yolox(shared_models, runtime), SortTracker()
    tracked, total = [], 0
    for one in store_frames(shared_data, "1", 8.0, 13.0):
        total += 1
        (found,) = detector.detect([one])
        tracked += tracker.update(found, time_s=one.time_s).track_id.tolist()
    assert set(tracked) <= {-1, 1}
    assert tracked.count(1) >= 0.9 * total


def test_the_chair_in_camera_5_becomes_no_track(shared_data: Path, shared_models: Path) -> None:
    chair = np.array([[342.0, 59.0, 401.0, 126.0]])
    detector, tracker = yolox(shared_models), SortTracker()
    seen, best = 0, 0.0
    for one in store_frames(shared_data, "5", 28.8, 33.8):
        (found,) = detector.detect([one])
        on_chair = iou(found.xyxy, chair)[:, 0] > 0.5
        seen, best = seen + int(on_chair.any()), max(best, float(found.score[on_chair].max(initial=0)))
        tracks = tracker.update(found, time_s=one.time_s)
        assert (tracks.track_id[on_chair] == -1).all()
    assert seen > 10  # so that the test could fail
    assert best < 0.45


def test_resizing_without_opencv_finds_what_the_authors_way_finds(shared_data: Path, shared_models: Path) -> None:
    """OpenCV's resize and a loop over the cells, as in the demo of the network's authors."""
    cv2 = pytest.importorskip("cv2")
    ort = pytest.importorskip("onnxruntime")
    session = ort.InferenceSession(str(shared_models / "yolox_nano.onnx"), providers=["CPUExecutionProvider"])
    (one,) = store_frames(shared_data, "1", 3.0, 3.1)
    ratio = min(416 / one.image.shape[0], 416 / one.image.shape[1])
    size = (int(one.image.shape[1] * ratio), int(one.image.shape[0] * ratio))
    canvas = np.full((416, 416, 3), 114, np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(one.image[..., ::-1], size, interpolation=cv2.INTER_LINEAR)
    (output,) = session.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})
    best, best_box, row = 0.0, [0.0] * 4, 0
    for stride in (8, 16, 32):
        for y in range(416 // stride):
            for x in range(416 // stride):
                dx, dy, log_w, log_h, objectness, person = output[0, row, :6]
                row += 1
                if objectness * person > best:
                    best = float(objectness * person)
                    cx, cy, w, h = (x + dx) * stride, (y + dy) * stride, np.exp(log_w) * stride, np.exp(log_h) * stride
                    best_box = [(cx - w / 2) / ratio, (cy - h / 2) / ratio, (cx + w / 2) / ratio, (cy + h / 2) / ratio]
    (found,) = yolox(shared_models).detect([one])
    assert best > 0.5
    assert iou(found.xyxy[:1], [best_box])[0, 0] > 0.9
    assert found.score[0] == pytest.approx(best, abs=0.08)


def test_the_runtimes_agree(shared_data: Path, shared_models: Path) -> None:
    (one,) = store_frames(shared_data, "1", 3.0, 3.1)
    a, b = (yolox(shared_models, runtime).detect([one])[0] for runtime in ("onnxruntime", "openvino"))
    np.testing.assert_allclose(a.score, b.score, atol=0.02)
    np.testing.assert_allclose(a.xyxy, b.xyxy, atol=2.0)


def test_fastestdet_finds_the_person(shared_data: Path, shared_models: Path) -> None:
    detector = OnnxDetector(CONFIGS / "fastestdet.yaml", weights=shared_models / "FastestDet.onnx")
    (one,) = store_frames(shared_data, "1", 3.0, 3.1)
    (found,), (same,) = detector.detect([one]), yolox(shared_models).detect([one])
    assert iou(found.xyxy[:1], same.xyxy[:1])[0, 0] > 0.5


def test_an_exported_ultralytics_network_finds_the_person(
    shared_data: Path, shared_models: Path, tmp_path: Path
) -> None:
    pytest.importorskip("openvino")
    weights = shared_models / "agpl" / "yolov8n_int8_openvino_model" / "yolov8n.xml"
    if not weights.is_file():
        pytest.skip(f"{weights.name} is absent")
    size = {"width": 640, "height": 640, "channels": "rgb", "scale": 1 / 255, "resize": "letterbox_centred"}
    head = {"kind": "yolov8"}
    config = {
        "name": "y",
        "weights": "y.xml",
        "licence": "AGPL-3.0",
        "source": "ultralytics",
        "input": size,
        "head": head,
    }
    model = tmp_path / "model.yaml"
    model.write_text(yaml.safe_dump({**config, "classes": "coco"}))
    (one,) = store_frames(shared_data, "1", 3.0, 3.1)
    (found,) = OnnxDetector(model, weights=weights, runtime="openvino").detect([one])
    (same,) = yolox(shared_models).detect([one])
    assert iou(found.xyxy[:1], same.xyxy[:1])[0, 0] > 0.7
