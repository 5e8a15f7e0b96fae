"""From boxes to shoppers, in a made-up room and on WILDTRACK."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gocv.core import ConfigError, Zone
from gocv.data.multiview import FloorTruth, MultiviewScene, read_wildtrack
from gocv.metrics.floor import FloorScores, FloorSequence, count_floor
from gocv.multicamera.associate import associate
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.views import Association, CameraView
from gocv.sim.views import ViewNoise, noisy_view

METHODS = ["offline", "online"]
CROSSING = [((-2, -2), (2, 2)), ((-2, 2), (2, -2))]
NO_ROUNDS = AssociationSettings.model_validate({"refine": {"rounds": 0}})


def crossing(room, **changes):
    return room.film([room.straight(*way) for way in CROSSING], **changes)


def crowd(room, people: int = 6, until_s: float = 12.0, seed: int = 0, **changes):
    rng = np.random.default_rng(seed)
    corners = np.arange(0, until_s + 3, 3.0)
    ways = [room.Walk(corners, rng.uniform(-2.5, 2.5, (len(corners), 2))) for _ in range(people)]
    return room.film(ways, until_s=until_s, seed=seed, **changes), ways


def same_shoppers(one: Association, other: Association) -> None:
    for name, who in one.who.items():
        assert np.array_equal(who, other.who[name])
    assert one.shoppers.shoppers == other.shoppers.shoppers
    assert np.array_equal(one.shoppers.shopper, other.shoppers.shopper)
    np.testing.assert_allclose(one.shoppers.time_s, other.shoppers.time_s, atol=1e-9)
    np.testing.assert_allclose(one.shoppers.xy_m, other.shoppers.xy_m, atol=1e-6)


def well_formed(views: list[CameraView], found: Association) -> None:
    """What holds of everything that is found, right or wrong."""
    shoppers = found.shoppers
    assert (np.diff(shoppers.time_s) >= 0).all()
    assert np.unique(np.stack([shoppers.time_s, shoppers.shopper]), axis=1).shape[1] == len(shoppers)
    assert np.isfinite(shoppers.xy_m).all()
    assert (np.linalg.eigvalsh(shoppers.covariance_m2) > 0).all()
    names = len(shoppers.shoppers)
    assert shoppers.shoppers == tuple(f"shopper-{k + 1}" for k in range(names))
    assert np.array_equal(np.unique(shoppers.shopper), np.arange(names))
    assert set(found.who) == {view.camera for view in views}
    for view in views:
        who = found.who[view.camera]
        assert who.shape == (len(view.seen.boxes),)
        assert who.min(initial=-1) >= -1
        assert who.max(initial=-1) < names
        frame = np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))
        known = who >= 0
        assert np.unique(np.stack([frame, who])[:, known], axis=1).shape[1] == known.sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("own", [True, False], ids=["own tracks", "no own tracks"])
@pytest.mark.parametrize("cameras", [1, 2, 4])
def test_two_who_cross_are_two_shoppers_and_every_box_is_theirs(room, method: str, own: bool, cameras: int) -> None:
    some = dict(list(room.cameras.items())[:cameras])
    film = crossing(room, own=own, cameras=some)
    found = associate(film.views, method=method)
    well_formed(film.views, found)
    assert len(found.shoppers.shoppers) == 2
    assert film.right(found) > 0.95
    for way in CROSSING:
        walk = room.straight(*way)
        off = [
            np.median(np.linalg.norm(rows.xy_m - walk.at(rows.time_s), axis=1))
            for rows in (found.shoppers[found.shoppers.shopper == k] for k in (0, 1))
        ]
        assert min(off) < (0.15 if cameras > 1 else 0.3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("settings", [AssociationSettings(), NO_ROUNDS], ids=["as it is", "no rounds"])
def test_a_shopper_is_once_in_a_picture_and_at_one_place_at_a_time(room, method: str, settings) -> None:
    for seed in range(2):
        film, _ = crowd(room, people=8, seed=seed, own=False, missed=0.4, false=0.5, noise_px=10.0)
        found = associate(film.views, settings, method=method)
        well_formed(film.views, found)
        assert len(found.shoppers.shoppers) >= 4


@pytest.mark.parametrize("method", METHODS)
def test_false_boxes_are_nobody(room, method: str) -> None:
    film = crossing(room, false=0.5)
    found = associate(film.views, method=method)
    assert len(found.shoppers.shoppers) == 2
    false = np.concatenate([found.who[name][who < 0] for name, who in film.person.items()])
    assert len(false) > 50
    assert (false >= 0).mean() < 0.15


@pytest.mark.parametrize("method", METHODS)
def test_false_boxes_alone_make_no_shoppers(room, method: str) -> None:
    film = room.film([], false=0.3)
    found = associate(film.views, method=method)
    well_formed(film.views, found)
    assert len(found.shoppers.shoppers) <= 1


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_views_changes_nothing(room, method: str) -> None:
    film, _ = crowd(room)
    found = associate(film.views, method=method)
    same_shoppers(found, associate(film.views[::-1], method=method))


@pytest.mark.parametrize("method", METHODS)
def test_the_same_views_give_the_same_shoppers_to_the_last_bit(room, method: str) -> None:
    film, _ = crowd(room)
    one, other = (associate(film.views, method=method).shoppers for _ in range(2))
    assert np.array_equal(one.xy_m, other.xy_m)
    assert np.array_equal(one.covariance_m2, other.covariance_m2)


def test_views_are_left_as_they_were(room) -> None:
    film, _ = crowd(room)
    before = [view.seen.boxes.xyxy.copy() for view in film.views]
    associate(film.views)
    assert all(np.array_equal(a, view.seen.boxes.xyxy) for a, view in zip(before, film.views, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_uncalibrated_cameras_are_left_out_and_named(room, method: str) -> None:
    film = crossing(room)
    blind = dataclasses.replace(film.views[1], calibration=None)
    found = associate([film.views[0], blind, *film.views[2:]], method=method)
    assert [entry["where"] for entry in found.report] == ["camera south-east"]
    assert (found.who["south-east"] == -1).all()
    same_shoppers(
        associate([film.views[0], *film.views[2:]], method=method),
        dataclasses.replace(found, who={k: v for k, v in found.who.items() if k != "south-east"}),
    )


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_a_valid_input(room, method: str) -> None:
    for views in ([], room.film([]).views, room.film([], until_s=0.0).views):
        found = associate(views, method=method)
        well_formed(views, found)
        assert (len(found.shoppers), found.report) == (0, ())


def test_a_method_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigError, match="offline or online"):
        associate([], method="ofline")


@pytest.mark.parametrize("frames", [1, 2])
def test_very_short_recordings_are_valid(room, frames: int) -> None:
    film = crossing(room, until_s=frames / 10 - 0.01)
    well_formed(film.views, associate(film.views))


@pytest.mark.parametrize("stretch_s", [2.0, 3.0, 5.95, 6.0, 100.0])
def test_stretches_give_what_the_whole_gives(room, stretch_s: float) -> None:
    film = crossing(room)
    whole = associate(film.views)
    settings = AssociationSettings.model_validate({"refine": {"stretch_s": stretch_s}})
    cut = associate(film.views, settings)
    assert cut.shoppers.shoppers == whole.shoppers.shoppers
    for name, who in whole.who.items():
        assert (cut.who[name] == who).mean() > 0.97


@pytest.mark.parametrize("stretch_s", [4.0, 7.0, 13.0])
def test_shoppers_keep_their_names_over_the_seams_of_stretches(room, stretch_s: float) -> None:
    film, _ = crowd(room, people=5, until_s=36.0, own=False)
    settings = AssociationSettings.model_validate({"refine": {"stretch_s": stretch_s}})
    found = associate(film.views, settings)
    well_formed(film.views, found)
    whole = film.right(associate(film.views))
    assert whole > 0.9
    assert film.right(found) > whole - 0.06


def test_who_is_away_over_a_seam_is_still_the_same_where_nobody_can_leave(room) -> None:
    film = room.film([room.straight((0, 0), (0.3, 0), 0.0, 40.0)], until_s=40.0, rate_hz=5.0, own=False)
    views = []
    for view in film.views:
        time_s = view.seen.time_s[np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))]
        views.append(room.kept(view, (time_s < 18) | (time_s >= 22)))
    door = Zone("door", np.array([[-9.0, -9.0], [-8.0, -9.0], [-8.0, -8.0], [-9.0, -8.0]]))
    for stretch_s in (100.0, 20.0):
        settings = AssociationSettings.model_validate({"refine": {"stretch_s": stretch_s}})
        assert len(associate(views, settings, entrances=[door]).shoppers.shoppers) == 1


def ratio(cosine: np.ndarray) -> np.ndarray:
    return 12 * cosine - 6


@pytest.mark.parametrize("method", METHODS)
def test_appearance_tells_apart_who_met_where_geometry_cannot(room, method: str) -> None:
    """Two walk to the middle, nobody sees them for a while, and both go back whence they came; or on."""
    there = [((-2.0, 0.0), (-0.2, 0.0)), ((2.0, 0.0), (0.2, 0.0))]
    right = {}
    for back in (False, True):
        ways = []
        for start, middle in there:
            end = start if back else (-start[0], 0.0)
            time_s = np.array([0.0, 3.0, 5.0, 8.0])
            ways.append(room.Walk(time_s, np.array([start, middle, (-middle[0], 0.0) if not back else middle, end])))
        film = room.film(ways, until_s=8.0, own=False, looks=np.eye(2, dtype=np.float32), false=0.0)
        views = []
        for view in film.views:
            time_s = view.seen.time_s[np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))]
            keep = (time_s < 2.9) | (time_s > 5.1)
            film.person[view.camera] = film.person[view.camera][keep]
            views.append(room.kept(view, keep))
        for likeness in (None, ratio):
            right[back, likeness is not None] = film.right(associate(views, method=method, likeness=likeness))
    assert min(right[False, True], right[True, True]) > 0.95
    assert min(right[False, False], right[True, False]) < 0.8


@pytest.mark.parametrize("method", METHODS)
def test_children_are_where_their_feet_are(room, method: str) -> None:
    child = dataclasses.replace(room.straight((-2, -1), (2, 1)), height_m=1.2)
    film = room.film([child])
    found = associate(film.views, method=method)
    assert len(found.shoppers.shoppers) == 1
    off = np.linalg.norm(found.shoppers.xy_m - child.at(found.shoppers.time_s), axis=1)
    assert np.median(off) < 0.2
    assert film.right(found) > 0.8


def test_a_clock_that_is_said_to_be_late_is_set_right(room) -> None:
    film = crossing(room, late_s={"north-east": 0.0})
    late = [
        dataclasses.replace(view, seen=dataclasses.replace(view.seen, time_s=view.seen.time_s + 0.5))
        if view.camera == "north-east"
        else view
        for view in film.views
    ]
    same_shoppers(associate(film.views), associate(late, late_s={"north-east": 0.5}))


@pytest.mark.parametrize("method", METHODS)
def test_cameras_out_of_step_with_other_rates_and_gaps_find_the_same_people(room, method: str) -> None:
    film = crossing(
        room,
        rate_hz={"north-east": 10.0, "south-east": 15.0, "south-west": 5.0, "north-west": 7.0},
        late_s={"south-east": 0.03, "north-west": 0.05},
        hide={"south-west": (2.0, 4.0)},
    )
    found = associate(film.views, method=method)
    well_formed(film.views, found)
    assert len(found.shoppers.shoppers) == 2
    assert film.right(found) > 0.95


def test_gaps_are_filled_up_to_the_time_that_is_set_and_no_longer(room) -> None:
    film = room.film([room.straight((-1, 0), (1, 0), 0.0, 6.0)], missed=0.0)
    for gap_s, filled in ((0.6, True), (1.6, False)):
        views = []
        for view in film.views:
            time_s = view.seen.time_s[np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))]
            views.append(room.kept(view, (time_s < 3.0) | (time_s >= 3.0 + gap_s)))
        shoppers = associate(views).shoppers
        assert (len(shoppers.shoppers), len(shoppers)) == (1, 60 if filled else 60 - round(gap_s * 10))


def cut(scene: MultiviewScene, frames: int) -> MultiviewScene:
    labels = {}
    for name, table in scene.labels.items():
        rows = int(table.first_row[frames])
        labels[name] = dataclasses.replace(
            table,
            frame=table.frame[:frames],
            time_s=table.time_s[:frames],
            first_row=table.first_row[: frames + 1],
            boxes=table.boxes[:rows],
            track_id=table.track_id[:rows],
        )
    end_s = max(table.time_s[-1] for table in labels.values())
    truth: FloorTruth = scene.truth[scene.truth.time_s <= end_s + 1e-9]
    return dataclasses.replace(scene, labels=labels, truth=truth)


@pytest.mark.parametrize(("method", "idf1", "mota"), [("offline", 0.88, 0.88), ("online", 0.75, 0.65)])
def test_a_stretch_of_wildtrack_with_misses_and_jitter_is_followed(shared_data: Path, method, idf1, mota) -> None:
    scene = cut(read_wildtrack(shared_data / "wildtrack"), 60)
    cameras = scene.cameras
    views = [
        CameraView(name, cameras[name], noisy_view(table, name, cameras[name], ViewNoise(), seed=1).seen)
        for name, table in scene.labels.items()
    ]
    found = associate(views, method=method)
    well_formed(views, found)
    truth, got = scene.truth, found.shoppers
    both = (truth.time_s, truth.person, truth.xy_m, got.time_s, got.shopper, got.xy_m)
    moments = np.unique(truth.time_s)
    scores = FloorScores.of(count_floor(FloorSequence.of(*both, gate_m=0.5, moment_s=moments, area_m=scene.area_m)))
    assert scores.idf1 > idf1
    assert scores.mota > mota
