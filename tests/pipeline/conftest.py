"""Recordings and runs that several tests look at; each is made once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gocv.data.config import load
from gocv.data.recording import Recording
from gocv.pipeline import PipelineConfig, run
from gocv.sim import simulate_visit

CONFIGS = Path(__file__).parents[2] / "configs"
DEMO_SEED = 1


@pytest.fixture(scope="session")
def yolox(shared_models: Path) -> PipelineConfig:
    """Settings with the detector that the real clips are run with."""
    weights = shared_models / "yolox_nano.onnx"
    return load(PipelineConfig, CONFIGS / "pipelines" / "yolox_nano.yaml", [f"detect.weights={weights}"])


@pytest.fixture(scope="session")
def cps_test_01_run(cps_test_01: Recording, yolox: PipelineConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of cps-test-01."""
    path = tmp_path_factory.mktemp("cps-test-01-run") / "run"
    run(cps_test_01, path, yolox)
    return path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The visit of `gocv demo`."""
    path = tmp_path_factory.mktemp("demo") / "recording"
    simulate_visit(path, seed=DEMO_SEED)
    return Recording.open(path)


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Recording], Path]:
    """Makes a copy of a recording's folder that a test may break."""

    def copy(recording: Recording) -> Path:
        path = tmp_path / "broken"
        shutil.copytree(recording.path, path)
        return path

    return copy
