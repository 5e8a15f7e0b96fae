"""3-D joints of Campus: they project onto their marks, and are triangulated from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from gocv.core import DataError
from gocv.data.calibrations import read_calibration
from gocv.data.multiview import ACTOR_JOINTS, Actors, read_actors
from gocv.geometry import PinholeCamera, triangulate


@pytest.fixture(scope="module")
def campus(shared_data: Path) -> tuple[Actors, list[PinholeCamera]]:
    folder = shared_data / "shelf_campus_calibration"
    cameras = read_calibration(folder / "calibration_campus.json", "campus3d")
    return read_actors(folder / "actorsGT.mat"), list(cameras.values())


def test_joints_project_onto_their_marks(campus: tuple[Actors, list[PinholeCamera]]) -> None:
    """1.0 and 0.9 px in the median; the marks of the third camera are the joints projected."""
    actors, cameras = campus
    assert actors.joints_px.shape == (3, len(cameras), 14, 2)
    for view, (camera, median_px) in enumerate(zip(cameras, (2.0, 2.0, 1e-3), strict=True)):
        off_px = np.linalg.norm(camera.project(actors.joints_m)[0] - actors.joints_px[:, view], axis=-1)
        assert np.median(off_px) < median_px
        assert off_px.max() < 3


def test_joints_are_triangulated_from_their_marks(campus: tuple[Actors, list[PinholeCamera]]) -> None:
    actors, cameras = campus
    marks = actors.joints_px.swapaxes(0, 1).reshape(len(cameras), -1, 2)
    points_m, _ = triangulate(cameras[:2], marks[:2])
    assert np.linalg.norm(points_m - actors.joints_m.reshape(-1, 3), axis=1).max() < 0.01


def test_joints_are_in_the_order_of_a_standing_body(campus: tuple[Actors, list[PinholeCamera]]) -> None:
    actors, _ = campus
    height_m = {name: actors.joints_m[:, k, 2].mean() for k, name in enumerate(ACTOR_JOINTS)}
    for side in "lr":
        order = [height_m[f"{side}_{joint}"] for joint in ("ankle", "knee", "hip", "elbow", "shoulder")]
        order += [height_m["neck"], height_m["head_top"]]
        assert order == sorted(order)
    assert height_m["head_top"] == pytest.approx(1.95, abs=0.05)


def cells(*values: object) -> np.ndarray:
    row = np.empty((1, len(values)), object)
    row[0] = values
    return row


def test_who_is_absent_has_no_row(tmp_path: Path) -> None:
    body, none = np.arange(42.0).reshape(14, 3), np.empty((1, 0))
    marks = cells(body[:, :2], none)
    absent = cells(none, none)
    people = cells(cells(none, body), cells(body, body))
    seen = cells(cells(absent, marks), cells(marks, marks))
    for name, outer in (("plain", lambda x: x), ("wrapped", cells)):
        savemat(tmp_path / f"{name}.mat", {"actor3D": outer(people), "actor2D": outer(seen)})
        actors = read_actors(tmp_path / f"{name}.mat")
        assert actors.frame.tolist() == [0, 1, 1]
        assert actors.person.tolist() == [1, 0, 1]
        np.testing.assert_array_equal(actors.joints_m[0], body)
        np.testing.assert_array_equal(actors.joints_px[0, 0], body[:, :2])
        assert np.isnan(actors.joints_px[:, 1]).all()


def test_nobody_at_all_is_valid(tmp_path: Path) -> None:
    none = np.empty((1, 0))
    savemat(
        tmp_path / "a.mat", {"actor3D": cells(cells(none, none)), "actor2D": cells(cells(cells(none), cells(none)))}
    )
    assert len(read_actors(tmp_path / "a.mat")) == 0


@pytest.mark.parametrize(
    ("joints", "marks", "key", "expected"),
    [
        (np.zeros((13, 3)), np.zeros((14, 2)), "actor3D.0.0", "14 × 3"),
        (np.full((14, 3), np.nan), np.zeros((14, 2)), "actor3D.0.0", "finite"),
        (np.zeros((14, 3)), np.zeros((14, 3)), "actor2D.0.0.0", "14 × 2"),
    ],
)
def test_a_wrong_matrix_is_named(
    tmp_path: Path, joints: np.ndarray, marks: np.ndarray, key: str, expected: str
) -> None:
    savemat(
        tmp_path / "a.mat",
        {"actor3D": cells(cells(joints, joints)), "actor2D": cells(cells(cells(marks), cells(marks)))},
    )
    with pytest.raises(DataError, match=expected) as error:
        read_actors(tmp_path / "a.mat")
    assert error.value.key == key


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"other": np.zeros(3)})
    with pytest.raises(DataError, match="actor3D"):
        read_actors(tmp_path / "a.mat")
