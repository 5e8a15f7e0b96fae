"""What holds for every encoder that is registered, whoever wrote it. No weights are fetched: they are made up here."""

from __future__ import annotations

import base64
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import Detections, Embeddings, Encoder, Frame

FLAT = """
CAg6VQocCgF4EgF5IgdGbGF0dGVuKgsKBGF4aXMYAaABAhIBbVocCgF4EhcKFQgBEhEKAxIBbgoCCAMKAggECgIIAmIUCgF5Eg8KDQgBEgkKAxIBbgoC
CBhCBAoAEA0=
"""
"""An ONNX network whose vectors are the pixels of its (n, 3, 4, 2) crops."""

RED, BLUE = [0, 0, 30, 60], [50, 0, 80, 60]


def onnx(part: Any, folder: Path) -> Encoder:
    (folder / "flat.onnx").write_bytes(base64.b64decode(FLAT))
    encoder: Encoder = part(folder / "flat.onnx", height_px=4, width_px=2)
    return encoder


def default(part: Any, folder: Path) -> Encoder:
    from gocv.reid.encoder import SHIPPED

    if not SHIPPED.is_file():
        pytest.skip("no trained encoder comes with this version of gocv")
    encoder: Encoder = part()
    return encoder


MAKERS: dict[str, Callable[[Any, Path], Encoder]] = {"default": default, "onnx": onnx}
"""How to make the parts that cannot be made of nothing."""


@pytest.fixture(scope="module", params=entry_points(group="gocv.encoders"), ids=lambda e: e.name)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    entry: EntryPoint = request.param
    maker = MAKERS.get(entry.name, lambda part, folder: part())
    return maker(entry.load(), tmp_path_factory.mktemp(entry.name))


def frame() -> Frame:
    """Somebody red, left, and somebody blue, on noise."""
    image = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    image[:, :30] = image[:, :30] // 8 + np.array([200, 10, 10], np.uint8)
    image[:, 50:80] = image[:, 50:80] // 8 + np.array([10, 10, 200], np.uint8)
    return Frame(image, "1", 0.5, 3)


def people(*boxes: list[float]) -> Detections:
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.9), np.zeros(len(boxes)))


def test_it_is_an_encoder(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)


def test_each_detection_has_a_vector_of_length_one_in_order(encoder: Encoder) -> None:
    found = encoder.encode(frame(), people(RED, BLUE, [-5, -5, 200, 200], [98, 58, 99, 59]))
    assert isinstance(found, Embeddings)
    assert found.row.tolist() == [0, 1, 2, 3]
    assert found.vector.shape[1] > 1
    np.testing.assert_allclose(np.linalg.norm(found.vector, axis=1), 1, atol=1e-4)


def test_a_vector_is_that_of_its_own_box(encoder: Encoder) -> None:
    """Whichever order they stand in, and whoever else there is."""
    red, blue = encoder.encode(frame(), people(RED, BLUE)).vector
    assert red @ blue < 0.999  # so that what follows could fail
    turned = encoder.encode(frame(), people(BLUE, RED)).vector
    np.testing.assert_allclose(turned, [blue, red], atol=1e-4)
    (alone,) = encoder.encode(frame(), people(BLUE)).vector
    np.testing.assert_allclose(alone, blue, atol=1e-4)


def test_the_same_look_is_the_same_vector(encoder: Encoder) -> None:
    crowd = people(*[RED, BLUE] * 40)  # more than go through a network at a time
    vector = encoder.encode(frame(), crowd).vector
    np.testing.assert_allclose(vector, np.tile(vector[:2], (40, 1)), atol=1e-4)


def test_nobody_is_a_valid_answer(encoder: Encoder) -> None:
    found = encoder.encode(frame(), Detections.empty())
    assert len(found) == 0
    assert found.vector.dtype == np.float32
    assert found.row.dtype == np.int64


def test_arguments_are_left_as_they_were(encoder: Encoder) -> None:
    given, boxes = frame(), np.array([RED, BLUE], np.float32)
    encoder.encode(given, Detections(boxes, [0.9, 0.8], [0, 0]))  # holds a view of the boxes, which can be written to
    np.testing.assert_array_equal(given.image, frame().image)
    assert boxes.tolist() == [RED, BLUE]


def test_what_is_done_to_the_arguments_later_does_not_matter(encoder: Encoder) -> None:
    given, boxes = frame(), np.array([RED, BLUE], np.float32)
    found = encoder.encode(given, Detections(boxes, [0.9, 0.8], [0, 0]))
    kept = found.vector.copy()
    boxes[:] = 0
    given.image[:] = 0
    encoder.encode(given, people(BLUE))
    np.testing.assert_array_equal(found.vector, kept)
