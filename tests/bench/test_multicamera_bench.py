"""The benchmark of many cameras on a small made-up floor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.bench.multicamera import MEDIAN, bench_multicamera, bench_scene, shown
from gocv.bench.multicamera_cases import RECORDED
from gocv.bench.multicamera_methods import chosen, floor_distance, true_identities, views_of
from gocv.bench.multicamera_scores import score_floor, score_pictures
from gocv.core import ConfigError, DataError, FloorTracks
from gocv.data.multiview import MultiviewScene
from gocv.multicamera.views import Association, CameraView
from gocv.pipeline import PipelineConfig
from gocv.sim.views import ViewNoise
from gocv.sim.walkers import walking_scene

CLEAN = ViewNoise(miss=0.0, jitter=0.0, false_per_frame=0.0, break_per_s=0.0, swap_per_s=0.0)


@pytest.fixture(scope="module")
def scene() -> MultiviewScene:
    return walking_scene(3, 3, seconds=20.0, rate_hz=4.0, seed=2)


def nobody(views: Sequence[CameraView]) -> Association:
    return Association(
        FloorTracks.empty(shoppers=()),
        {view.camera: np.full(len(view.seen.boxes), -1) for view in views},
        ({"where": "camera camera-1", "problem": "is odd"},),
    )


def rows_of(scene: MultiviewScene, method: Any = floor_distance, **settings: Any) -> list[Mapping[str, Any]]:
    return list(bench_scene(scene, {"it": method}, **{"noises": [CLEAN], "seeds": [1], **settings}).rows)


def the_row(rows: Sequence[Mapping[str, Any]], **wanted: Any) -> Mapping[str, Any]:
    (row,) = (r for r in rows if all(r[key] == value for key, value in wanted.items()))
    return row


def test_true_boxes_with_their_names_have_full_scores(scene: MultiviewScene) -> None:
    views = views_of(scene.labels, scene.cameras)
    found = true_identities(views, {name: table.track_id for name, table in scene.labels.items()})
    floor = score_floor(scene, found)
    assert floor is not None
    assert (floor.idf1, floor.switches, floor.people) == (1.0, 0, 3)
    assert score_pictures(scene.labels, views, found).pooled.idf1 == 1


def test_floor_distances_join_true_boxes_and_say_which_box_was_whose(scene: MultiviewScene) -> None:
    views = views_of(scene.labels, scene.cameras)
    found = floor_distance(views)
    floor, pictures = score_floor(scene, found), score_pictures(scene.labels, views, found)
    assert floor is not None
    assert floor.recall > 0.95
    assert pictures.pooled.idr > 0.3
    for view in views:
        who = found.who[view.camera]
        assert len(who) == len(view.seen.boxes)
        assert (who >= 0).all()
        names = {(int(t), int(w)) for t, w in zip(view.seen.track_id, who, strict=True)}
        assert len(names) == len(np.unique(view.seen.track_id))  # a track is one shopper
    assert len(np.unique(found.shoppers.time_s)) == len(scene.labels["camera-1"])
    both = np.stack([found.shoppers.time_s, found.shoppers.shopper])
    assert np.unique(both, axis=1).shape == both.shape  # a row for each shopper and moment


def test_boxes_without_identities_are_tracked_first(scene: MultiviewScene) -> None:
    row = the_row(rows_of(scene, noises=[ViewNoise(ids="none")]), method="it", camera="all", seed=1)
    assert row["recall"] > 0.5


def test_there_is_a_row_for_each_method_and_seed_and_for_each_camera(scene: MultiviewScene) -> None:
    rows = rows_of(scene, nobody, seeds=[1, 2], noises=[CLEAN, ViewNoise(ids="none")])
    methods = 2  # with the mark of true identities
    assert len(rows) == methods * 2 * (2 + 1 + 3)  # a row for each seed, the medians, and those of each camera
    assert len({tuple(row[k] for k in ("method", "ids", "camera", "seed")) for row in rows}) == len(rows)


def test_nobody_found_is_everybody_missed(scene: MultiviewScene) -> None:
    row = the_row(rows_of(scene, nobody), method="it", camera="all", seed=MEDIAN)
    assert (row["recall"], row["mota"], row["idf1"], row["pictures_idf1"]) == (0, 0, 0, 0)


def test_medians_are_those_of_the_seeds(scene: MultiviewScene) -> None:
    rows = rows_of(scene, noises=[ViewNoise(miss=0.3)], seeds=[1, 2, 3])
    own = [row["idf1"] for row in rows if row["method"] == "it" and row["camera"] == "all" and row["seed"] != MEDIAN]
    assert the_row(rows, method="it", camera="all", seed=MEDIAN)["idf1"] == sorted(own)[1]
    assert all(0.2 < row["missed"] < 0.4 for row in rows)


def test_faults_are_measured_beside_the_sound_run(scene: MultiviewScene) -> None:
    rows = rows_of(scene, nobody, faults=True)
    faults = {row["fault"] for row in rows}
    assert faults == {"", "lost after a third", "clock 300 ms ahead", "knocked by 5° half way"}
    for row in rows:
        if row["fault"] and row["method"] == "it" and row["camera"] == "all" and row["seed"] == 1:
            assert row["named"] == (row["faulty"] == "camera-1")
            assert row["report"] == "camera camera-1: is odd"
            assert row["sound_rest_idf1"] == 0
    faulty = {row["faulty"] for row in rows if row["fault"]}
    assert len(faulty) == 1
    assert not [row for row in rows if row["fault"] and row["camera"] in faulty]


def test_faults_reach_the_views(scene: MultiviewScene) -> None:
    seen: list[Sequence[CameraView]] = []

    def remember(views: Sequence[CameraView]) -> Association:
        seen.append(views)
        return nobody(views)

    rows = rows_of(scene, remember, faults=True)
    at = [view.camera for view in seen[0]].index(next(row["faulty"] for row in rows if row["fault"]))
    sound, lost, late, knocked = (views[at].seen for views in seen)
    assert len(lost) < len(sound) / 2
    assert late.time_s - sound.time_s == pytest.approx(0.3)
    first = int((sound.time_s < 5).sum())
    assert np.array_equal(knocked.detections(first).xyxy, sound.detections(first).xyxy)
    assert not np.array_equal(knocked.boxes.xyxy, sound.boxes.xyxy)
    assert {views[at].calibration for views in seen} == {scene.cameras[seen[0][at].camera]}


def test_recorded_detections_are_taken_as_they_are(scene: MultiviewScene) -> None:
    recorded = dataclasses.replace(scene, detections=scene.labels)
    rows = rows_of(recorded, noises=[ViewNoise(miss=0.9)], seeds=[1, 2])
    assert {row["seed"] for row in rows} == {RECORDED}
    assert the_row(rows, method="it", camera="all")["recall"] > 0.9
    assert len(shown(rows)) == 1


def test_a_scene_without_floor_truth_is_scored_in_the_pictures(scene: MultiviewScene) -> None:
    pictures = dataclasses.replace(scene, truth=type(scene.truth).empty())
    row = the_row(rows_of(pictures), method="it", camera="all", seed=1)
    assert "mota" not in row
    assert row["pictures_idf1"] > 0


def test_a_scene_without_labels_is_scored_on_the_floor(scene: MultiviewScene) -> None:
    row = the_row(rows_of(dataclasses.replace(scene, labels={}, detections=scene.labels)), camera="all")
    assert "pictures_idf1" not in row
    assert row["recall"] > 0.9


def test_nothing_labelled_is_refused(scene: MultiviewScene) -> None:
    with pytest.raises(DataError, match="nothing is labelled"):
        rows_of(dataclasses.replace(scene, labels={}))


def test_a_method_that_there_is_not_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="floor distance"):
        chosen(["flor distance"], PipelineConfig())


def test_a_folder_in_which_nothing_is_labelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="wildtrak"):
        bench_multicamera(tmp_path, "wildtrak")


def test_real_labels_with_their_names_are_nearly_whole(shared_data: Path) -> None:
    result = bench_multicamera(shared_data / "multiviewx", "multiviewx", noises=[CLEAN], seeds=[1])
    mark = the_row(result.rows, method="true identities", camera="all", seed=1)
    assert mark["missed"] < 0.05
    assert mark["idf1"] > 0.99
    assert mark["motp_m"] < 0.1
    own = the_row(result.rows, method="floor distance", camera="all", seed=1)
    assert own["moda"] < mark["moda"]
    assert {row["camera"] for row in result.rows} == {"all", *(f"Camera{k}" for k in range(1, 7))}
