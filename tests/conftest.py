"""Fixtures shared by all tests."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
import yaml

from gocv.data.nanostore import convert_nanostore
from gocv.data.recording import Recording


def _shared(name: str, variable: str) -> Path:
    path = Path(os.environ.get(variable, Path(__file__).parents[2] / "shared" / name))
    if not path.is_dir():
        pytest.skip(f"{path} is absent: set {variable} to the folder of {name} to run this test")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; the test is skipped where it is absent."""
    return _shared("data", "GOCV_SHARED_DATA")


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder of detector weights used as test fixtures; the test is skipped where it is absent."""
    return _shared("models", "GOCV_SHARED_MODELS")


@pytest.fixture(scope="session")
def benchmark_1(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The real recording BENCHMARK-1: scales and joints."""
    path = tmp_path_factory.mktemp("benchmark-1") / "recording"
    convert_nanostore(shared_data / "nanostore" / "BENCHMARK-1", path)
    return Recording.open(path)


@pytest.fixture(scope="session")
def cps_test_01(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The real recording cps-test-01: scales and four uncalibrated clips."""
    path = tmp_path_factory.mktemp("cps-test-01") / "recording"
    convert_nanostore(shared_data / "nanostore" / "cps-test-01", path)
    return Recording.open(path)


MIRROR = """
CAhCAhANOm0KFgoBeAoFc2hhcGUSAXkiB1Jlc2hhcGUSBHRpbnkqJQgDEAdCBXNoYXBlShgAAAAAAAAAAAYAAAAAAAAABAAAAAAAAABaGwoBeBIW
ChQIARIQCgIIAQoCCAMKAggCCgIIBGIJCgF5EgQKAggB
"""


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """The description of an ONNX network that reshapes its (1, 3, 2, 4) picture to (1, 6, 4).

    Those are four boxes of a YOLOv8 head, whose figures are the pixels: 100 stands for 1. The weights are in the folder
    `weights` beside it, and in its own.
    """
    (tmp_path / "weights").mkdir()
    for folder in (tmp_path, tmp_path / "weights"):
        (folder / "mirror.onnx").write_bytes(base64.b64decode(MIRROR))
    description = {
        "name": "mirror",
        "weights": "mirror.onnx",
        "licence": "none",
        "source": "the tests",
        "input": {"width": 4, "height": 2, "channels": "rgb", "scale": 0.01},
        "head": {"kind": "yolov8"},
        "classes": ["person", "dog"],
        "min_score": 0.6,
    }
    (tmp_path / "mirror.yaml").write_text(yaml.safe_dump(description))
    return tmp_path / "mirror.yaml"
