"""Hands in rendered footage: what they did and held, on the way to receipts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from gocv.core import ConfigError
from gocv.data.config import load
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.hand_looks import read_hand_looks
from gocv.data.recording import Recording
from gocv.pipeline import PipelineConfig, run
from gocv.pipeline.folder import RunFolder
from gocv.pipeline.tables import interactions_from, read_table, recognitions_from
from gocv.sim import Scenario, simulate

pytest.importorskip("vtkmodules")
HANDS = Path(__file__).parents[2] / "configs" / "pipelines" / "hands.yaml"


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A visit at two frames a second: enough to see hands, too few to see what they do."""
    path = tmp_path_factory.mktemp("filmed") / "recording"
    simulate(Scenario(shoppers=1, frames_hz=2.0), path, seed=3, video=True)
    return Recording.open(path)


@pytest.fixture(scope="module")
def ran(filmed: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ran") / "run"
    run(filmed, path, load(PipelineConfig, HANDS))
    return path


def report_of(path: Path, recording: Recording, config: PipelineConfig) -> list[str]:
    found = RunFolder(path, recording, config).report_of("interact")
    assert found is not None
    return [f"{entry['where']}: {entry['problem']}" for entry in found]


def test_every_camera_has_a_table_of_hands_near_shelves(filmed: Recording, ran: Path) -> None:
    shoppers = read_floor_tracks(ran / "shoppers.parquet")
    tables = {camera.name: ran / f"hands-{camera.name}.parquet" for camera in filmed.cameras}
    looks = read_hand_looks(tables, shoppers.shoppers)
    assert set(looks.camera) == set(range(len(filmed.cameras)))
    assert len(looks) > 50
    np.testing.assert_allclose(np.linalg.norm(looks.vector, axis=1), 1, atol=1e-3)
    step_s = np.diff(np.unique(looks.time_s))
    assert step_s.min() > 0.49


def test_what_hands_did_and_held_is_written_and_true_takes_are_among_it(filmed: Recording, ran: Path) -> None:
    interactions = interactions_from(read_table(ran / "interactions.parquet"))
    recognitions = recognitions_from(read_table(ran / "recognitions.parquet"))
    assert filmed.truth is not None
    taken = [event for event in filmed.truth.events if event.quantity > 0]
    met = [
        any(i.zone == str(e.plates[0].shelf_id) and i.start_s - 0.5 < e.time_s < i.end_s + 0.5 for i in interactions)
        for e in taken
    ]
    assert np.mean(met) > 0.8
    assert {r.moved for r in recognitions} <= {"take", "return"}
    assert all(set(r.likelihoods) == set(filmed.store.products) for r in recognitions)


def test_without_settings_nobody_looks_at_hands(filmed: Recording, tmp_path: Path) -> None:
    run(filmed, tmp_path / "run")
    assert list((tmp_path / "run").glob("hands-*.parquet")) == []
    assert read_table(tmp_path / "run" / "interactions.parquet") == []
    assert read_table(tmp_path / "run" / "recognitions.parquet") == []


def test_a_broken_camera_and_missing_pictures_are_reported_and_the_rest_goes_on(
    filmed: Recording, tmp_path: Path
) -> None:
    path = tmp_path / "broken"
    shutil.copytree(filmed.path, path)
    (path / "video" / "camera-2.mp4").write_bytes(b"no video")
    shutil.rmtree(path / "store" / "pictures")
    recording, config = Recording.open(path), load(PipelineConfig, HANDS)
    assert recording.problems[0].key == "store.pictures"
    run(recording, tmp_path / "run", config)
    said = report_of(tmp_path / "run", recording, config)
    assert any(line.startswith("camera camera-2: hands are not looked at") for line in said)
    assert any("no pictures of products" in line for line in said)
    assert not (tmp_path / "run" / "hands-camera-2.parquet").exists()
    assert (tmp_path / "run" / "hands-camera-3.parquet").exists()
    assert read_table(tmp_path / "run" / "interactions.parquet")
    assert read_table(tmp_path / "run" / "recognitions.parquet") == []


def test_an_unknown_part_is_refused_before_any_work_is_done(filmed: Recording, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"interact\.encoder"):
        run(filmed, tmp_path / "run", load(PipelineConfig, HANDS, ["interact.encoder.part=defualt"]))
    assert not (tmp_path / "run").exists()
