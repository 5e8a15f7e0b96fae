"""The ONNX detector on networks small enough to know every answer, and on a real one."""

from __future__ import annotations

import hashlib
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gocv.core import ConfigError, DataError, Detections, Detector, Frame, MissingDependencyError
from gocv.detect import OnnxDetector

HAS_OPENVINO = True
try:
    import openvino  # noqa: F401
except ImportError:
    HAS_OPENVINO = False
RUNTIMES = [
    "onnxruntime",
    pytest.param("openvino", marks=pytest.mark.skipif(not HAS_OPENVINO, reason="OpenVINO is not installed")),
]

# Pixels are the answer: the network reshapes its 4 x 2 input of 24 values to (4 + 2 classes, 4 cells).
MIRROR = {
    "name": "mirror",
    "weights": "mirror.onnx",
    "licence": "none",
    "source": "this test",
    "input": {"width": 4, "height": 2, "channels": "rgb", "scale": 0.01, "resize": "stretch"},
    "head": {"kind": "yolov8"},
    "classes": ["person", "dog"],
    "min_score": 0.3,
    "nms_iou": 0.5,
}


def mirror(batch: int | str) -> bytes:
    shape = np.array([0, 6, 4], np.int64)
    return network((batch, 3, 2, 4), ["y"], [("Reshape", ("x", "shape"), "y")], {"shape": shape})


def write(folder: Path, content: bytes, **changes: Any) -> Path:
    config = {**MIRROR, **changes}
    (folder / str(config["weights"])).write_bytes(content)
    (folder / "model.yaml").write_text(yaml.safe_dump(config))
    return folder / "model.yaml"


def frame(*cells: tuple[float, float, float, float, float, float]) -> Frame:
    """A 4 x 2 picture whose network output is these cells: cx, cy, w, h, person, dog."""
    output = np.zeros((6, 4))
    output[:, : len(cells)] = np.array(cells).T
    pixels = np.round(output * 100).astype(np.uint8).reshape(3, 2, 4).transpose(1, 2, 0)
    return Frame(np.ascontiguousarray(pixels), "1", 0.0, 0)


PERSON = (1.0, 1.0, 2.0, 2.0, 0.8, 0.1)
DOUBLE = (1.1, 1.0, 2.0, 2.0, 0.6, 0.1)
DOG = (1.0, 1.0, 2.0, 2.0, 0.2, 0.7)
WEAK = (2.5, 1.0, 1.0, 1.0, 0.2, 0.1)
OVER_THE_EDGE = (0.2, 0.2, 2.0, 2.0, 0.9, 0.0)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("batch", [1, "N"])
def test_every_step_of_the_way(tmp_path: Path, runtime: Any, batch: int | str) -> None:
    detector = OnnxDetector(write(tmp_path, mirror(batch)), runtime=runtime, threads=1)
    assert isinstance(detector, Detector)
    assert detector.classes == ("person",)
    found = detector.detect([frame(DOUBLE, PERSON, DOG, WEAK), frame(), frame(OVER_THE_EDGE)])
    assert [len(d) for d in found] == [1, 0, 1]
    np.testing.assert_allclose(found[0].xyxy, [[0, 0, 2, 2]], atol=1e-5)
    np.testing.assert_allclose(found[0].score, [0.8], rtol=1e-5)
    np.testing.assert_allclose(found[2].xyxy, [[0, 0, 1.2, 1.2]], atol=1e-5)
    assert all(isinstance(d, Detections) and (d.label == 0).all() for d in found)
    assert detector.detect([]) == []


def test_classes_are_numbered_as_they_are_asked_for(tmp_path: Path) -> None:
    detector = OnnxDetector(write(tmp_path, mirror(1)), classes=("dog", "person"))
    (found,) = detector.detect([frame(PERSON, DOG)])
    np.testing.assert_allclose(found.score, [0.8, 0.7], rtol=1e-5)
    assert found.label.tolist() == [1, 0]


@pytest.mark.parametrize(("min_score", "count"), [(None, 1), (0.1, 2), (0.85, 0)])
def test_min_score(tmp_path: Path, min_score: float | None, count: int) -> None:
    detector = OnnxDetector(write(tmp_path, mirror(1)), min_score=min_score)
    assert len(detector.detect([frame(PERSON, WEAK)])[0]) == count


@pytest.mark.parametrize(
    ("resize", "size", "box"),
    [
        ("stretch", (8, 16), [0, 0, 8, 8]),
        ("stretch", (20, 20), [0, 0, 10, 20]),
        ("letterbox", (16, 16), [0, 0, 16, 16]),
        ("letterbox_centred", (16, 16), [-8, 0, 8, 16]),
    ],
)
def test_boxes_are_in_pixels_of_the_frame(tmp_path: Path, resize: str, size: tuple[int, int], box: list[float]) -> None:
    """A picture of one colour: centre (1, 1) and size (2, 2) in the input, class "person", in every cell it fills."""
    model = write(tmp_path, mirror(1), input={**MIRROR["input"], "resize": resize, "pad": 0})
    colour = np.full((*size, 3), [100, 200, 80], np.uint8)
    (found,) = OnnxDetector(model).detect([Frame(colour, "1", 0.0, 0)])
    np.testing.assert_allclose(found.xyxy, [np.clip(box, 0, [size[1], size[0]] * 2)], atol=1e-4)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("kind", "outputs"),
    [("boxes", None), ("boxes", ["boxes", "scores", "labels"]), ("ssd", None)],
)
def test_networks_that_decode_for_themselves(tmp_path: Path, runtime: Any, kind: str, outputs: Any) -> None:
    if kind == "ssd":
        rows = np.array([[0, 1, 0.9, 0, 0, 0.5, 1], [0, 2, 0.8, 0, 0, 1, 1], [-1, 0, 0, 0, 0, 0, 0]], np.float32)
        values = {"found": rows[None, None]}
    else:
        boxes = np.array([[0, 0, 2, 2], [0, 0, 4, 2]], np.float32)
        values = {
            "boxes": boxes,
            "scores": np.array([0.9, 0.8], np.float32),
            "labels": np.array([1.0, 2.0], np.float32),
        }
    # In another order than the head takes them, unless the order is all there is to go by.
    names = list(values) if outputs is None else list(values)[::-1]
    # The input takes part, so that no runtime removes it.
    constants = {f"{k}_constant": v for k, v in values.items()} | {"zero": np.zeros(1, np.float32)}
    nodes = [
        ("ReduceMax", ("x",), "most"),
        ("Mul", ("most", "zero"), "nothing"),
        ("Reshape", ("nothing", "one"), "none"),
    ]
    nodes += [("Add", (f"{k}_constant", "none"), k) for k in values]
    content = network((1, 3, 2, 4), names, nodes, {**constants, "one": np.array([1], np.int64)})
    model = write(tmp_path, content, head={"kind": kind, "first_label": 1, "outputs": outputs}, nms_iou=None)
    (found,) = OnnxDetector(model, runtime=runtime, classes=("dog", "person")).detect([frame()])
    np.testing.assert_allclose(found.xyxy, [[0, 0, 2, 2], [0, 0, 4, 2]], atol=1e-5)
    assert found.label.tolist() == [1, 0]


def test_weights_lie_beside_the_description_or_are_given(tmp_path: Path) -> None:
    model = write(tmp_path, mirror(1))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "mirror.onnx").rename(elsewhere / "m.onnx")
    assert OnnxDetector(model, weights=elsewhere / "m.onnx").detect([frame(PERSON)])
    with pytest.raises(DataError, match=r"mirror\.onnx.*weights=PATH"):
        OnnxDetector(model)


def test_other_weights_than_described_are_refused(tmp_path: Path) -> None:
    digest = hashlib.sha256(mirror(1)).hexdigest()
    OnnxDetector(write(tmp_path, mirror(1), sha256=digest))
    with pytest.raises(DataError) as caught:
        OnnxDetector(write(tmp_path, mirror("N"), sha256=digest))
    for part in ("mirror.onnx", digest, hashlib.sha256(mirror("N")).hexdigest()):
        assert part in str(caught.value)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_no_network_is_refused_by_name(tmp_path: Path, runtime: Any) -> None:
    with pytest.raises(DataError, match=r"mirror\.onnx"):
        OnnxDetector(write(tmp_path, b"not a network"), runtime=runtime)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"min_scor": 0.5}, ("min_scor", "'min_score'")),
        ({"input": {**MIRROR["input"], "widht": 4}}, ("input.widht", "'width'")),
        ({"head": {"kind": "yolov8", "stride": [8]}}, ("head.stride", "'strides'")),
        ({"head": {"kind": "yolo"}}, ("head.kind", "yolov8")),
        ({"min_score": 2.0}, ("min_score", "less than or equal to 1")),
        ({"sha256": "abc"}, ("sha256",)),
        ({"input": {**MIRROR["input"], "width": 8}}, ("input", "(1, 3, 2, 4)")),
        ({"head": {"kind": "yolov8", "outputs": ["z"]}}, ("head.outputs", "'y'")),
        ({"head": {"kind": "yolov8", "outputs": ["y", "y"]}}, ("head.outputs", "1 for this head")),
    ],
)
def test_a_wrong_description_is_explained(tmp_path: Path, changes: dict[str, Any], parts: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        OnnxDetector(write(tmp_path, mirror(1), **changes))
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"classes": ("persn",)}, "'person'"),
        ({"min_score": 1.5}, "min_score"),
        ({"runtime": "tensorrt"}, "'onnxruntime' or 'openvino'"),
    ],
)
def test_wrong_arguments_are_explained(tmp_path: Path, options: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        OnnxDetector(write(tmp_path, mirror(1)), **options)


def test_a_class_beyond_the_description_is_refused(tmp_path: Path) -> None:
    detector = OnnxDetector(write(tmp_path, mirror(1), classes=["person"]))
    with pytest.raises(DataError, match="class 1"):
        detector.detect([frame(DOG)])


def test_a_missing_openvino_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gocv\[openvino\]"):
        OnnxDetector(write(tmp_path, mirror(1)), runtime="openvino")


# ---- Networks of a few nodes, written as ONNX byte by byte: no library that makes them is needed ----

_TYPES = {np.dtype(np.float32): 1, np.dtype(np.int64): 7}


def network(
    input_shape: Sequence[int | str],
    outputs: Sequence[str],
    nodes: Sequence[tuple[str, Sequence[str], str]],
    constants: Mapping[str, np.ndarray],
) -> bytes:
    """An ONNX model with the input "x" of `input_shape` (names are free axes).

    Args:
        input_shape: Of the input.
        outputs: Names of values that are given out.
        nodes: (operator, inputs, output).
        constants: Values by name.
    """
    graph = b""
    for operator, inputs, output in nodes:
        graph += _field(
            1,
            b"".join(_field(1, i.encode()) for i in inputs) + _field(2, output.encode()) + _field(4, operator.encode()),
        )
    graph += _field(2, b"tiny")
    for name, value in constants.items():
        dims = b"".join(_number(1, d) for d in value.shape)
        kind = _number(2, _TYPES[value.dtype])
        graph += _field(5, dims + kind + _field(8, name.encode()) + _field(9, value.tobytes()))
    graph += _field(11, _value("x", input_shape, 1))
    for name in outputs:
        graph += _field(12, _value(name, None, _TYPES[constants[name].dtype] if name in constants else 1))
    return _number(1, 8) + _field(8, _number(2, 13)) + _field(7, graph)


def _value(name: str, shape: Sequence[int | str] | None, kind: int) -> bytes:
    tensor = _number(1, kind)
    if shape is not None:
        axes = (_number(1, d) if isinstance(d, int) else _field(2, d.encode()) for d in shape)
        tensor += _field(2, b"".join(_field(1, axis) for axis in axes))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += struct.pack("B", value & 127 | 128)
        value >>= 7
    return out + struct.pack("B", value)
