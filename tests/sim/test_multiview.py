"""A simulated visit as many cameras and their detectors give it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError
from gocv.data.multiview import MultiviewScene, read_scene, write_scene
from gocv.sim import Scenario, read_scenario, simulate_scene, simulate_views
from gocv.sim.casting import programmes
from gocv.sim.habits import Habits
from gocv.sim.multiview import Views, look
from gocv.sim.stock import Stock

SCENARIOS = Path(__file__).parents[2] / "configs" / "sim" / "scenarios"
SMALL = Scenario(shoppers=4, cameras=3, habits=Habits(stops=(1, 2), returns=1.0, accompanied=0.0))


@pytest.fixture(scope="module")
def views() -> Views:
    return look(simulate_scene(SMALL, seed=5), SMALL.boxes, seed=5, rate_hz=4.0)


def columns(scene: MultiviewScene) -> dict[str, np.ndarray]:
    found = {f"truth {f.name}": getattr(scene.truth, f.name) for f in dataclasses.fields(scene.truth)}
    for kind, tables in (("labels", scene.labels), ("detections", scene.detections)):
        for name, table in tables.items():
            found |= {f"{kind} {name} {f.name}": getattr(table.boxes, f.name) for f in dataclasses.fields(table.boxes)}
            found |= {f"{kind} {name} {key}": getattr(table, key) for key in ("time_s", "first_row", "track_id")}
    return found


def test_all_tables_are_of_the_same_frames(views: Views) -> None:
    scene = views.scene
    tables = [*scene.labels.values(), *scene.detections.values()]
    assert len(tables) == 6
    for table in tables:
        np.testing.assert_array_equal(table.time_s, tables[0].time_s)
        np.testing.assert_array_equal(table.frame, np.arange(len(table)))
    np.testing.assert_allclose(np.diff(tables[0].time_s), 0.25)


def test_the_truth_is_where_everybody_walks(views: Views) -> None:
    scene, visit = views.scene, simulate_scene(SMALL, seed=5)
    for time_s in (10.0, 20.0, 30.0):
        now = scene.truth[scene.truth.time_s == time_s]
        there = [m for m in visit.motions if m.start_s <= time_s <= m.end_s]
        places = np.concatenate([m.at(np.array([time_s]), m.xy_m) for m in there])
        np.testing.assert_allclose(np.sort(now.xy_m, axis=0), np.sort(places, axis=0))


def test_who_comes_in_again_is_the_same_person_and_never_there_twice(views: Views) -> None:
    visit = simulate_scene(SMALL, seed=5)
    by_name = {m.name: m for m in visit.motions}
    again = [m for m in visit.motions if m.again is not None]
    assert len(again) == 4
    for motion in again:
        assert motion.again is not None
        assert motion.start_s > by_name[motion.again].end_s
        assert motion.height_m == by_name[motion.again].height_m
    truth = views.scene.truth
    assert set(truth.person.tolist()) == {0, 1, 2, 3}
    assert len(np.unique(np.column_stack([truth.time_s, truth.person]), axis=0)) == len(truth)


def test_every_box_is_near_the_one_of_whom_it_is(views: Views) -> None:
    for name, table in views.scene.detections.items():
        of, seen = views.of[name], views.sightings[name]
        own = of >= 0
        assert own.mean() > 0.9
        frame = np.repeat(table.frame, np.diff(table.first_row))
        np.testing.assert_array_equal(frame[own], seen.frame[of[own]])
        true = seen.visible_xyxy[of[own]]
        off = np.abs(table.boxes.xyxy[own] - true) / (true[:, 3] - true[:, 1])[:, None]
        assert off.max() < 6 * SMALL.boxes.jitter
        assert (seen.visible_fraction[of[own]] > 0).all()


def test_labels_are_those_of_whom_something_is_seen(views: Views) -> None:
    for name, table in views.scene.labels.items():
        seen = views.sightings[name]
        assert len(table.boxes) == (seen.visible_fraction > 0).sum()
        assert set(table.track_id.tolist()) <= set(views.scene.truth.person.tolist())


def test_the_same_seed_gives_the_same_numbers(views: Views) -> None:
    again = columns(simulate_views(SMALL, seed=5, rate_hz=4.0))
    for name, column in columns(views.scene).items():
        np.testing.assert_array_equal(column, again[name], err_msg=name)


def test_another_seed_gives_others(views: Views) -> None:
    other = simulate_views(SMALL, seed=6, rate_hz=4.0)
    assert len(other.truth) != len(views.scene.truth) or (other.truth.xy_m != views.scene.truth.xy_m).any()


def test_the_scene_goes_through_a_file(views: Views, tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.npz", views.scene)
    read = columns(read_scene(tmp_path / "scene.npz"))
    for name, column in columns(views.scene).items():
        np.testing.assert_array_equal(column, read[name], err_msg=name)


def test_a_part_of_the_visit_has_the_truth_of_the_whole(views: Views) -> None:
    part = simulate_views(SMALL, seed=5, rate_hz=4.0, from_s=10.0, until_s=12.0)
    whole = views.scene.truth
    inside = (whole.time_s >= 10) & (whole.time_s < 12)
    np.testing.assert_array_equal(part.truth.xy_m, whole.xy_m[inside])
    assert all(len(table) == 8 for table in part.detections.values())


@pytest.mark.parametrize("span", [{"rate_hz": 0.0}, {"from_s": 9.0, "until_s": 5.0}, {"from_s": -1.0}])
def test_times_that_cannot_be_are_refused(span: dict[str, float]) -> None:
    with pytest.raises(DataError, match="rate_hz"):
        look(simulate_scene(SMALL, seed=5), SMALL.boxes, seed=5, **span)


@pytest.mark.parametrize("name", ["rush_hour_eight_cameras", "rush_hour_blind_spots"])
def test_rush_hours_have_eight_cameras_children_and_people_who_come_twice(name: str) -> None:
    scenario = read_scenario(SCENARIOS / f"{name}.yaml")
    assert scenario.cameras == 8
    layout = scenario.store.layout()
    stock = Stock(layout, np.random.default_rng(0), scenario.disorder, scenario.fill)
    coming = [one for seed in range(4) for one in programmes(scenario, layout, stock, np.random.default_rng(seed))]
    assert any(one.company is not None and one.height_m < 1.4 for one in coming)
    assert any(one.again is not None for one in coming)
