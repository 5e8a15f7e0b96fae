"""A scene of many cameras in one file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError, Detections
from gocv.data.detections import DetectionTable
from gocv.data.multiview import FloorTruth, MultiviewScene, read_scene, write_scene
from gocv.geometry import PinholeCamera

CAMERA = PinholeCamera.look_at(
    [0, 0, 2.8], [3, 2, 1], width_px=640, height_px=360, focal_px=330, distortion=(-0.1, 0.01, 0.001, -0.002, 0.0)
)


def table(counts: tuple[int, ...]) -> DetectionTable:
    n = sum(counts)
    boxes = Detections(np.arange(4 * n).reshape(n, 4) / 3, np.linspace(0, 1, n), np.zeros(n, int))
    first_row = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    frames = np.arange(len(counts))
    return DetectionTable(("person",), 5 + frames, frames / 10, first_row, boxes, np.arange(n) - 1)


def scene() -> MultiviewScene:
    truth = FloorTruth([0.0, 0.0, 0.1], [1, 0, 1], [[1, 2], [3, 4], [1.1, 2]])
    tables = {"left": table((2, 0, 1)), "right, high": table((0, 0))}
    area = np.array([[0.0, 0], [5, 0], [5, 5]])
    return MultiviewScene(
        "a shop", {"left": CAMERA, "right, high": None}, tables, {"left": table((1,))}, truth, area, ("made up",)
    )


def assert_same(one: object, other: object) -> None:
    if dataclasses.is_dataclass(one):
        assert type(one) is type(other)
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, dict):
        assert isinstance(other, dict)
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.npz", scene())
    assert_same(scene(), read_scene(tmp_path / "scene.npz"))


def test_a_scene_of_nothing_is_a_scene(tmp_path: Path) -> None:
    nothing = MultiviewScene("nothing", {}, {}, {}, FloorTruth.empty())
    write_scene(tmp_path / "scene.npz", nothing)
    assert_same(nothing, read_scene(tmp_path / "scene.npz"))


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_scene_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "broken.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.npz"):
        read_scene(file)


def test_pickles_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "scene.npz", head=np.array([{"name": "x"}], object))
    with pytest.raises(DataError):
        read_scene(tmp_path / "scene.npz")
