"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
