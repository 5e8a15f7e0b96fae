"""Cameras that share nobody are joined anew, and named where that does not help."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.multicamera.calibration import Lens, WalkerSettings, calibrate_walkers, floor_errors, walkers
from gocv.multicamera.calibration.body import SHAPES, boxes_of
from gocv.multicamera.calibration.links import Links, links, shared_moments
from gocv.multicamera.calibration.observations import Observations
from gocv.multicamera.calibration.poses import parameters_of
from gocv.multicamera.calibration.single import SingleView
from gocv.multicamera.views import CameraView
from gocv.sim.layout import StoreLayout
from gocv.sim.routes import Floor
from gocv.sim.stores import with_cameras
from gocv.sim.strollers import BoxFaults, boxes_seen, stroll

HALL = with_cameras(StoreLayout.build((), (), zones=(), size_m=(12.0, 8.0), door_m=(0.15, 4.0)), 4)
HEIGHTS = (1.73, 1.56)
FAR_OFF = ((1000, 10.2, 3.2), (400, 25.8, 2.9), (1000, 10.3, 3.2), (400, 25.4, 2.9))
"""Focal length, tilt in degrees and height as one camera alone may find them; right are 330, 31 and 2.7."""
NAMES = ("a", "b", "c", "d")


def pairs(**count: int) -> np.ndarray:
    """(4, 4) symmetric counts of pairs of cameras by their names."""
    table = np.zeros((4, 4), np.int64)
    for (one, other), value in count.items():
        table[NAMES.index(one), NAMES.index(other)] = table[NAMES.index(other), NAMES.index(one)] = value
    return table


@pytest.mark.parametrize(
    ("shared", "odd", "whole", "group", "named"),
    [
        (pairs(ab=90, bc=90, cd=90), pairs(), True, [0, 0, 0, 0], {}),
        (pairs(ab=90, bc=90, cd=90), pairs(ad=30), True, [0, 0, 0, 0], {}),  # they hang together by others
        (pairs(ab=90, bc=90), pairs(), True, [0, 0, 0, 1], {"d": "shares hardly anybody with a, b, c"}),
        (pairs(ab=90, bc=90), pairs(), False, [0, 0, 0, 1], {}),  # it may look at another room
        (pairs(ab=90, bc=90), pairs(bd=80), False, [0, 0, 0, 1], {"d": "sees other people than b"}),
        (pairs(ab=90, bc=90, cd=30), pairs(cd=80), True, [0, 0, 0, 1], {"d": "sees other people than c"}),
        (pairs(bc=90, cd=90), pairs(ad=80), True, [1, 0, 0, 0], {"a": "sees other people than d"}),
        (
            pairs(ac=90, bd=80),
            pairs(ab=50),
            True,
            [0, 1, 0, 1],
            {"b": "sees other", "d": "shares hardly anybody"},
        ),
    ],
)
def test_cameras_apart_from_the_largest_group_are_named(shared, odd, whole, group, named) -> None:
    found = Links(shared, odd)
    assert found.groups().tolist() == group
    words = dict(zip(NAMES, found.suspects(NAMES, whole), strict=True))
    assert {name for name, text in words.items() if text} == set(named)
    assert all(words[name].startswith(text) for name, text in named.items())


def test_two_people_in_one_place_are_odd_where_both_cameras_look() -> None:
    cameras = np.stack([parameters_of(camera) for camera in HALL.cameras.values()])
    constants = np.stack([Lens.of(camera).constants() for camera in HALL.cameras.values()])
    xy, shape = np.array([[5.0, 4.0], [7.0, 4.0], [6.0, 4.5]]), SHAPES["person"]
    moment, camera = np.tile(np.arange(3), 2), np.repeat([0, 2], 3)
    where, tall = xy[moment], np.full(6, 1.7)
    edges = boxes_of(shape, cameras[camera], constants[camera], where, tall, np.zeros(2))
    seen = Observations(camera=camera, track=camera, moment=moment, edges_px=edges, sd_px=np.ones(6))
    size = np.array([[c.width_px, c.height_px] for c in HALL.cameras.values()])

    def found(person: np.ndarray, at: np.ndarray) -> Links:
        return links(seen, person, at, tall, cameras, constants, size, shape, np.zeros(2), 0.05)

    one = found(np.zeros(6, np.int64), where)
    assert one.shared[0, 2] == one.shared[2, 0] == 3
    assert one.odd.sum() == 0
    two = found(camera, where)
    assert two.shared.sum() == 0
    assert two.odd[0, 2] == two.odd[2, 0] == 3
    assert two.odd.sum() == 6
    # Whom the other's picture does not hold, or stands behind it, it need not see.
    behind = np.where((camera == 0)[:, None], cameras[2, 5:7] - 3 * _ahead(cameras[2]), where)
    assert found(camera, behind).odd.sum() == 0


def test_no_boxes_share_nobody() -> None:
    assert shared_moments(Observations.empty(), np.zeros(0, np.int64), 3).tolist() == [[0] * 3] * 3


def _ahead(camera: np.ndarray) -> np.ndarray:
    return np.array([np.cos(camera[4]), np.sin(camera[4])])


@pytest.fixture(scope="module")
def walked() -> tuple[list[CameraView], np.ndarray]:
    rng, floor, time_s = np.random.default_rng(3), Floor(HALL), np.arange(0, 60, 0.1)
    people = [stroll(floor, f"p{i}", h, 60.0, rng) for i, h in enumerate(HEIGHTS)]
    views = [
        CameraView(name, None, boxes_seen(camera, people, time_s, BoxFaults(), rng, None)[0])
        for name, camera in HALL.cameras.items()
    ]
    return views, np.concatenate([person.at(time_s, person.xy_m) for person in people])


@pytest.fixture
def started_far_off(monkeypatch) -> None:
    starts = iter(FAR_OFF)

    def start(*_: object) -> SingleView:
        focal, tilt, height = next(starts)
        return SingleView(np.array([np.log(focal), 0, np.radians(tilt), 0, 0, 0, 0, height]), 1.0)

    monkeypatch.setattr(walkers, "start_camera", start)


@pytest.mark.usefixtures("started_far_off")
def test_cameras_with_thrice_their_focal_length_are_joined_once_those_are_mended(walked) -> None:
    views, xy_m = walked
    found = calibrate_walkers(views, [Lens(640, 360)] * 4, WalkerSettings(known_heights_m=HEIGHTS))
    assert np.median(np.concatenate(list(floor_errors(found.cameras, HALL.cameras, xy_m).values()))) < 0.15
    assert [report.suspect for report in found.reports] == [""] * 4


@pytest.mark.usefixtures("started_far_off")
def test_cameras_that_stay_apart_are_named_although_each_fits_its_boxes(walked, monkeypatch) -> None:
    monkeypatch.setattr(walkers, "_SETTLED", 1)
    views, xy_m = walked
    found = calibrate_walkers(views, [Lens(640, 360)] * 4, WalkerSettings(known_heights_m=HEIGHTS))
    assert np.median(np.concatenate(list(floor_errors(found.cameras, HALL.cameras, xy_m).values()))) > 1.0
    assert all(report.rms_share < 0.04 for report in found.reports)
    assert {report.camera for report in found.reports if report.suspect} == {"camera-2", "camera-4"}
