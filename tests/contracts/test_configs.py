"""Every file in `configs/` does what its folder says."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gocv.data.config import build, load, load_yaml
from gocv.detect.config import DetectorConfig
from gocv.pipeline import PipelineConfig

CONFIGS = Path(__file__).parents[2] / "configs"


def detector(path: Path) -> None:
    config = build(DetectorConfig, load_yaml(path), file=path)
    assert config.name == path.stem
    assert config.class_names


def tracker(path: Path) -> None:
    """Named for the part whose arguments it holds."""
    (entry,) = entry_points(group="gocv.trackers", name=path.stem)
    entry.load()(**load_yaml(path))


def pipeline(path: Path) -> None:
    config = load(PipelineConfig, path)
    described = (config.detect.model_extra or {}).get("model") if config.detect else None
    if described is not None:
        detector(Path(described))


KINDS = {"detectors": detector, "trackers": tracker, "pipelines": pipeline}
FILES = sorted(CONFIGS.rglob("*.y*ml"))


def test_there_are_configs_of_every_kind() -> None:
    assert {path.parent.name for path in FILES} >= set(KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_config_is_what_its_folder_says(path: Path) -> None:
    assert path.parent.parent == CONFIGS
    KINDS[path.parent.name](path)
