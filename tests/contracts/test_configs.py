"""Every file in `configs/` does what its folder says."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gocv.bench.store import StoreBenchmark
from gocv.bench.suite import read_suite
from gocv.data.config import build, load, load_yaml
from gocv.detect.config import DetectorConfig
from gocv.interact.products.training import ProductTrainSettings
from gocv.interact.training import InteractionTrainSettings
from gocv.pipeline import PipelineConfig
from gocv.pipeline.parts import PartSettings, check_part
from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel
from gocv.reid.training import ReidTrainSettings
from gocv.sim import read_scenario
from gocv.sim.stores import read_store

CONFIGS = Path(__file__).parents[2] / "configs"


def detector(path: Path) -> None:
    config = build(DetectorConfig, load_yaml(path), file=path)
    assert config.name == path.stem
    assert config.class_names


def tracker(path: Path) -> None:
    """Named for the part whose arguments it holds."""
    (entry,) = entry_points(group="gocv.trackers", name=path.stem)
    entry.load()(**load_yaml(path))


def search(path: Path) -> None:
    """Ranges of the arguments of the part that it is named for."""
    (entry,) = entry_points(group="gocv.trackers", name=path.stem)
    for key, entry_range in load_yaml(path).items():
        assert entry_range["low"] < entry_range["high"]
        entry.load()(**{key: entry_range["low"]})


def pipeline(path: Path) -> None:
    config = load(PipelineConfig, path)
    described = (config.detect.model_extra or {}).get("model") if config.detect else None
    if described is not None:
        detector(Path(described))


def simulated_store(path: Path) -> None:
    layout = read_store(path)
    assert layout.cameras
    assert layout.facings


def folder(path: Path) -> str:
    """The one that says of which kind a file is, such as "trackers"."""
    return path.parent.relative_to(CONFIGS).as_posix()


def scenario(path: Path) -> None:
    assert read_scenario(path).about


def suite(path: Path) -> None:
    cases = read_suite(path).cases
    assert len({case.name for case in cases}) == len(cases)


def benchmark(path: Path) -> None:
    """What it names is there, and settings that it changes are settings."""
    chosen = load(StoreBenchmark, path)
    names = {scenario.stem for scenario in chosen.scenarios.glob("*.yaml")}
    assert names >= {*chosen.left_out, *chosen.overrides}
    assert read_suite(chosen.suite).cases
    for name, overrides in chosen.overrides.items():
        read_scenario(chosen.scenarios / f"{name}.yaml", overrides)
    whole = load(PipelineConfig)
    assert all(load(PipelineConfig, None, given) != whole for given in chosen.ablations.values())


def encoder(path: Path) -> None:
    """Says which part it is, and settings that the part has."""
    values = load_yaml(path)
    if "model" in values:
        network(path.parent / values["model"])
    check_part("encoders", "encode", PartSettings(**values))


def network(path: Path) -> None:
    config = build(ReidModelConfig, load_yaml(path), file=path)
    if not config.backbone.startswith("timm:"):  # whose may be large
        assert ReidModel(config).length


def product(path: Path) -> None:
    assert load(ProductTrainSettings, path).loop.epochs


def training(path: Path) -> None:
    assert load(ReidTrainSettings, path).loop.epochs


def detector_training(path: Path) -> None:
    pytest.importorskip("lightning")
    from gocv.detect.training.settings import DetectorTrainSettings

    assert load(DetectorTrainSettings, path).data.sources


def pose_training(path: Path) -> None:
    pytest.importorskip("lightning")
    from gocv.detect.pose.training import PoseTrainSettings

    assert load(PoseTrainSettings, path).loop.epochs


def hands(path: Path) -> None:
    pytest.importorskip("lightning")
    from gocv.interact.hands.training import HandTrainSettings

    assert load(HandTrainSettings, path).loop.epochs


def interaction_training(path: Path) -> None:
    assert load(InteractionTrainSettings, path).data.train


KINDS = {
    "detect_training": detector_training,
    "encoders": encoder,
    "encoders/networks": network,
    "hands": hands,
    "pose": pose_training,
    "product": product,
    "reid": training,
    "interaction": interaction_training,
    "benchmarks": benchmark,
    "sim/suites": suite,
    "sim/scenarios": scenario,
    "detectors": detector,
    "trackers": tracker,
    "trackers/search": search,
    "pipelines": pipeline,
    "sim/stores": simulated_store,
}
FILES = sorted(CONFIGS.rglob("*.y*ml"))


def test_there_are_configs_of_every_kind() -> None:
    assert {folder(path) for path in FILES} >= set(KINDS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{folder(p)}/{p.name}")
def test_a_config_is_what_its_folder_says(path: Path) -> None:
    KINDS[folder(path)](path)
