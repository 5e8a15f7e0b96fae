"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
