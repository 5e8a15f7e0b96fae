"""Calibrations of real data sets put cameras and people where they really were."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gocv.data.calibrations import read_calibration, read_tsai, write_calibration
from gocv.data.mot.cvml import read_cvml
from gocv.geometry import PinholeCamera

WHERE = {
    "wildtrack": "wildtrack",
    "wildtrack_original": "wildtrack/calibrations",
    "multiviewx": "multiviewx",
    "tsai": "pets09/calibration",
    "nanostore": "nanostore/layout",
    "campus": "campus_auditorium",
    "shelf": "shelf_campus_calibration/calibration_shelf.json",
    "campus3d": "shelf_campus_calibration/calibration_campus.json",
    "towncentre": "towncentre/TownCentre-calibration.ci",
}
COUNTS = {
    "wildtrack": 7,
    "wildtrack_original": 7,
    "multiviewx": 6,
    "tsai": 8,
    "nanostore": 22,
    "campus": 2,
    "shelf": 5,
    "campus3d": 3,
    "towncentre": 1,
}

UPSIDE_DOWN = {"21", "22", "23", "25", "26"}
"""Cameras for depth in the NanoStore, and their colour cameras."""


def walking_m_s(time_s: np.ndarray, person: np.ndarray, xy_m: np.ndarray, over_s: float = 1.0) -> np.ndarray:
    """Speeds of everybody over a span of time."""
    speeds = []
    for who in np.unique(person):
        times, places = time_s[person == who], xy_m[person == who]
        later = np.searchsorted(times, times + over_s - 1e-6)
        now = np.flatnonzero(later < len(times))
        span = times[later[now]] - times[now]
        moved = np.linalg.norm(places[later[now]] - places[now], axis=1)
        speeds.append((moved / span)[span < 1.1 * over_s])
    return np.concatenate(speeds)


def pixels_of(camera: PinholeCamera) -> np.ndarray:
    """(n, 2) pixels that see the floor within 100 m."""
    across, down = (np.linspace(0.0, side - 1, 25) for side in (camera.width_px, camera.height_px))
    pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    away_m = np.linalg.norm(camera.pixels_to_floor(pixels) - camera.position_m[:2], axis=1)
    return pixels[away_m < 100]  # NaN is not


@pytest.mark.parametrize("kind", WHERE)
def test_pixels_go_to_the_floor_and_back(shared_data: Path, kind: str) -> None:
    cameras = read_calibration(shared_data / WHERE[kind], kind)
    assert len(cameras) == COUNTS[kind]
    for name, camera in cameras.items():
        pixels = pixels_of(camera)
        assert len(pixels) > 60, name
        back = camera.floor_to_pixels(camera.pixels_to_floor(pixels))
        np.testing.assert_allclose(back, pixels, rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("kind", WHERE)
def test_cameras_stand_upright_above_the_floor(shared_data: Path, kind: str) -> None:
    for name, camera in read_calibration(shared_data / WHERE[kind], kind).items():
        assert 0.9 < camera.position_m[2] < 9, name
        if kind == "nanostore" and name[:2] in UPSIDE_DOWN:
            continue
        x, y = camera.width_px / 2, camera.height_px / 2
        below = camera.rays([[x, camera.height_px - 1.0], [x, y]])[1]
        assert below[0, 2] < below[1, 2], name  # what is lower in the picture is lower in the world


@pytest.mark.parametrize("kind", WHERE)
def test_cameras_are_the_same_after_writing_and_reading(shared_data: Path, tmp_path: Path, kind: str) -> None:
    cameras = read_calibration(shared_data / WHERE[kind], kind)
    write_calibration(tmp_path / "cameras.yaml", cameras)
    again = read_calibration(tmp_path / "cameras.yaml")
    assert list(again) == list(cameras)
    for name, camera in cameras.items():
        assert (again[name].width_px, again[name].height_px) == (camera.width_px, camera.height_px)
        np.testing.assert_array_equal(again[name].matrix, camera.matrix)
        np.testing.assert_array_equal(again[name].distortion, camera.distortion)
        np.testing.assert_allclose(again[name].camera_T_world, camera.camera_T_world, rtol=0, atol=1e-12)


def test_people_of_pets_walk_at_one_metre_a_second(shared_data: Path) -> None:
    camera = read_calibration(shared_data / "pets09/calibration/View_001.xml", "tsai")["View_001"]
    people = read_cvml(shared_data / "pets09/annotations/PETS2009-S2L1.xml")
    feet = np.stack([people.xyxy[:, [0, 2]].mean(axis=1), people.xyxy[:, 3]], axis=1)
    speed = walking_m_s(people.frame / 7, people.track_id, camera.pixels_to_floor(feet))
    assert len(speed) > 4000
    assert 0.9 < np.median(speed) < 1.05  # 0.965
    assert np.percentile(speed, 90) < 1.4


def test_people_of_towncentre_walk(shared_data: Path) -> None:
    (camera,) = read_calibration(shared_data / WHERE["towncentre"], "towncentre").values()
    table = np.loadtxt(shared_data / "towncentre/gt.csv", delimiter=",")
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    speed = walking_m_s(table[:, 0] / 25, table[:, 1], camera.pixels_to_floor(table[:, 2:4]))
    assert 1.2 < np.nanmedian(speed) < 1.8  # 1.63


def test_lenses_of_pets_are_those_of_tsai(shared_data: Path) -> None:
    """The most by which a pixel is elsewhere: that of view 1 is tested against the formula below."""
    largest = {"View_001": 0.001, "View_002": 1.5, "View_003": 0.04, "View_004": 1e-6, "View_005": 0.6}
    largest |= {"View_006": 0.8, "View_007": 31.0, "View_008": 8.6}
    cameras = read_tsai(shared_data / "pets09/calibration")
    assert set(cameras) == set(largest)
    for name, tsai in cameras.items():
        assert tsai.misfit_px < largest[name], name


def test_view_1_of_pets_is_tsais_model(shared_data: Path) -> None:
    """Pixel to sensor to ray by Tsai's formula."""
    file = shared_data / "pets09/calibration/View_001.xml"
    camera = read_calibration(file, "tsai")["View_001"]
    given = {k: float(v) for part in ElementTree.parse(file).getroot() for k, v in part.attrib.items()}
    pixels = np.stack(np.meshgrid(np.linspace(0, 767, 9), np.linspace(0, 575, 9)), axis=-1)
    sensor_mm = (pixels - [given["cx"], given["cy"]]) * [given["dpx"] / given["sx"], given["dpy"]]
    straight_mm = sensor_mm * (1 + given["kappa1"] * np.square(sensor_mm).sum(axis=-1, keepdims=True))
    in_camera = np.concatenate([straight_mm / given["focal"], np.ones((9, 9, 1))], axis=-1) * 20.0
    points_m = (in_camera - camera.camera_T_world[:3, 3]) @ camera.camera_T_world[:3, :3]
    assert np.linalg.norm(camera.project(points_m)[0] - pixels, axis=-1).max() < 0.001
    np.testing.assert_allclose(1000 * camera.camera_T_world[:3, 3], [given["tx"], given["ty"], given["tz"]])


def test_campus_formula_gives_the_same_floor_points(shared_data: Path) -> None:
    """The formula of the set's README, word by word, for its pixels (y, x)."""
    from scipy.io import loadmat

    cameras = read_calibration(shared_data / "campus_auditorium", "campus")
    views = loadmat(shared_data / "campus_auditorium/cam_param.mat", squeeze_me=True)["cam_param"]
    for view in views:
        camera = cameras[str(view["name"]).removeprefix("view-")]
        turn, centre, place = (np.array(view[k].tolist(), float) for k in ("R", "center", "T"))
        lens = np.array(view["K"].tolist(), float)
        for x, y in ((300.0, 900.0), (1500.0, 700.0)):
            a = np.column_stack([(lens @ turn)[:, :2], [centre[0] - x, centre[1] - y, -1.0]])
            p = np.linalg.solve(a, lens @ turn @ place)
            np.testing.assert_allclose(camera.pixels_to_floor([x, y]), p[:2], atol=1e-9)
