"""Recordings that hold what detectors in simulated cameras find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gocv.data.detections import read_detections
from gocv.data.multiview import MultiviewScene, read_recording_views
from gocv.data.recording import Recording
from gocv.data.recording.check import check_recording
from gocv.sim import Scenario, simulate, simulate_views
from gocv.sim.mishaps import Mishap

SCENARIO = Scenario(
    shoppers=2,
    cameras=2,
    detections=True,
    frames_hz=5.0,
    faults=(Mishap(kind="dead_camera", camera="camera-2", from_s=10.0, until_s=20.0),),
)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("simulated") / "visit"
    simulate(SCENARIO, path, seed=2)
    return path


@pytest.fixture(scope="module")
def scene() -> MultiviewScene:
    return simulate_views(SCENARIO, seed=2)


def test_the_recording_is_sound(recording: Path) -> None:
    assert check_recording(recording) == []


def test_detections_are_those_of_the_views(recording: Path, scene: MultiviewScene) -> None:
    table = read_detections(Recording.open(recording).cameras[0].detections or "", ("person",))
    expected = scene.detections["camera-1"]
    np.testing.assert_array_equal(table.first_row, expected.first_row)
    np.testing.assert_array_equal(table.boxes.xyxy, expected.boxes.xyxy)
    np.testing.assert_array_equal(table.time_s, expected.time_s)


def test_a_dead_camera_finds_nobody_and_its_truth_goes_on(recording: Path, scene: MultiviewScene) -> None:
    camera = Recording.open(recording).cameras[1]
    assert camera.detections is not None
    assert camera.truth is not None
    table, expected = read_detections(camera.detections, ("person",)), scene.detections["camera-2"]
    dead = (table.time_s >= 10) & (table.time_s < 20)
    np.testing.assert_array_equal(np.diff(table.first_row), np.where(dead, 0, np.diff(expected.first_row)))
    assert np.diff(expected.first_row)[dead].any()
    truth = pq.read_table(camera.truth)
    during = (truth["time_s"].to_numpy() >= 10) & (truth["time_s"].to_numpy() < 20)
    assert truth.filter(during)["name"].is_valid().to_numpy().any()


def test_a_scene_read_from_the_recording_has_the_floor_truth(recording: Path, scene: MultiviewScene) -> None:
    read = read_recording_views(recording)
    for time_s in (10.0, 20.0):
        ankles = read.truth[read.truth.time_s == time_s].xy_m
        exact = scene.truth[scene.truth.time_s == time_s].xy_m
        assert len(ankles) == len(exact) == 2
        apart = np.linalg.norm(ankles[:, None] - exact[None], axis=2)
        assert apart.min(axis=0).max() < 0.35
    assert sum(len(table.boxes) for table in read.labels.values()) == sum(len(t.boxes) for t in scene.labels.values())


def test_a_frame_without_people_is_one_empty_row(recording: Path) -> None:
    truth = pq.read_table(Recording.open(recording).cameras[0].truth)
    empty = truth.filter(truth["name"].is_null().to_numpy())
    assert len(empty)
    assert empty["left_px"].null_count == empty["visible_fraction"].null_count == len(empty)
    frames = truth["frame"].to_numpy()
    np.testing.assert_array_equal(np.unique(frames), np.arange(frames.max() + 1))
