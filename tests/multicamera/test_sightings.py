"""Boxes put on the floor, exact ones and noisy ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from gocv.geometry import PinholeCamera
from gocv.multicamera.settings import BoxSettings
from gocv.multicamera.sightings import sight

CAMERA = PinholeCamera.look_at([0, 0, 3.0], [5, 0, 0.8], width_px=1280, height_px=720, focal_px=700)
PLACES = np.stack(np.meshgrid(np.linspace(3.5, 7, 6), np.linspace(-1.5, 1.5, 5)), axis=-1).reshape(-1, 2)


def off_m(place: np.ndarray, xy_m: np.ndarray) -> np.ndarray:
    return np.linalg.norm(place - xy_m, axis=1)


def test_exact_boxes_go_back_to_where_people_stand(room) -> None:
    got = sight(CAMERA, room.boxes(CAMERA, PLACES), BoxSettings())
    assert off_m(got.xy_m, PLACES).max() < 0.12


@given(x_m=st.floats(3.5, 7), y_m=st.floats(-1.5, 1.5), height_m=st.floats(1.6, 1.85))
@settings(max_examples=50, deadline=None)
def test_tall_and_small_adults_stand_where_they_stand(room, x_m: float, y_m: float, height_m: float) -> None:
    place = np.array([[x_m, y_m]])
    got = sight(CAMERA, room.boxes(CAMERA, place, height_m), BoxSettings())
    assert off_m(got.xy_m, place).max() < 0.35


def test_hidden_feet_do_not_bring_people_far_from_the_camera(room) -> None:
    box = room.boxes(CAMERA, PLACES)
    box[:, 3] -= 0.45 * (box[:, 3] - box[:, 1])
    got = sight(CAMERA, box, BoxSettings())
    assert np.median(off_m(got.xy_m, PLACES)) < 0.4
    by_feet = CAMERA.pixels_to_floor(np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1))
    assert np.median(off_m(by_feet, PLACES)) > 1.0


def test_feet_below_the_picture_leave_the_head(room) -> None:
    near = np.array([[2.0, 0.0], [2.2, 0.4]])
    box = room.boxes(CAMERA, near)
    assert (box[:, 3] >= CAMERA.height_px - 1).all()
    got = sight(CAMERA, box, BoxSettings())
    assert off_m(got.xy_m, near).max() < 0.35


def test_a_head_above_the_picture_leaves_the_feet() -> None:
    low = PinholeCamera.look_at([0, 0, 1.2], [3, 0, 0.3], width_px=1280, height_px=720, focal_px=1100)
    place = np.array([[3.0, 0.0]])
    foot = low.floor_to_pixels(place)[0]
    box = np.array([[foot[0] - 60, 0.0, foot[0] + 60, foot[1]]])
    assert off_m(sight(low, box, BoxSettings()).xy_m, place).max() < 0.35


def test_neither_head_nor_feet_is_no_place_or_an_uncertain_one(room) -> None:
    got = sight(CAMERA, np.array([[500.0, 0.0, 700.0, 719.0]]), BoxSettings())
    sd_m = np.sqrt(np.trace(got.covariance_m2[0]))
    assert np.isnan(got.xy_m).all() or sd_m > 0.3


def test_boxes_that_the_sides_cut_off_are_less_certain(room) -> None:
    whole = room.boxes(CAMERA, np.array([[5.0, 0.0]]))
    side = whole - [[whole[0, 0] + 30, 0, whole[0, 0] + 30, 0]]
    side[:, 0] = 0
    spread = [np.trace(sight(CAMERA, box, BoxSettings()).covariance_m2[0]) for box in (whole, side)]
    assert spread[1] > spread[0]


def test_errors_are_as_large_as_their_covariances_say(room) -> None:
    rng = np.random.default_rng(0)
    many = 4000
    xy = PLACES[rng.integers(len(PLACES), size=many)]
    heights = rng.normal(1.7, 0.1, many)
    box = np.concatenate([room.boxes(CAMERA, xy[i : i + 1], heights[i]) for i in range(many)])
    tall = (box[:, 3] - box[:, 1])[:, None]
    sd_px = np.maximum(3.0, 0.05 * tall)
    got = sight(CAMERA, box + rng.normal(size=box.shape) * sd_px, BoxSettings(bias_m=0.0))
    known = np.isfinite(got.xy_m[:, 0])
    assert known.mean() > 0.98
    off = (got.xy_m - xy)[known]
    squared = np.einsum("ni,nij,nj->n", off, np.linalg.inv(got.covariance_m2[known]), off)
    inside = {share: float((squared < chi2.ppf(share, 2)).mean()) for share in (0.5, 0.9)}
    assert 0.4 < inside[0.5] < 0.75
    assert 0.82 < inside[0.9] < 0.98


def test_covariances_are_symmetric_and_positive(room) -> None:
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, [1280, 720], (2000, 2))
    got = sight(CAMERA, np.concatenate([corner, corner + rng.uniform(1, 500, (2000, 2))], axis=1), BoxSettings())
    known = np.isfinite(got.xy_m[:, 0])
    assert 100 < known.sum() < 2000
    of = got.covariance_m2[known]
    np.testing.assert_allclose(of, np.swapaxes(of, 1, 2), rtol=1e-9)
    assert (np.linalg.eigvalsh(of) > 0).all()
    assert np.isnan(got.covariance_m2[~known]).all()


@pytest.mark.parametrize(
    "box",
    [
        [np.nan, 10, 20, 30],
        [np.nan] * 4,
        [10, 10, 10, 10],
        [50, 300, 20, 200],
        [-np.inf, 0, 50, 100],
        [0, 0, 1e30, 1e30],
    ],
    ids=["one nan", "all nan", "a point", "turned over", "infinite", "huge"],
)
def test_boxes_that_make_no_sense_harm_nobody_else(room, box: list[float]) -> None:
    good = room.boxes(CAMERA, PLACES[:3])
    alone = sight(CAMERA, good, BoxSettings())
    both = sight(CAMERA, np.concatenate([good, [box]]), BoxSettings())
    np.testing.assert_allclose(both.xy_m[:3], alone.xy_m)
    finite = np.isfinite(both.covariance_m2[3]).all()
    assert finite == np.isfinite(both.xy_m[3]).all()
    assert not finite or np.linalg.eigvalsh(both.covariance_m2[3]).min() > 0


@pytest.mark.parametrize("height_m", [0.8, 1.7, 2.2])
def test_a_camera_at_or_below_heads_puts_people_on_the_floor_too(room, height_m: float) -> None:
    low = PinholeCamera.look_at([0, 0, height_m], [5, 0, 0.8], width_px=1280, height_px=720, focal_px=700)
    places = PLACES[PLACES[:, 0] > 4]
    got = sight(low, room.boxes(low, places), BoxSettings())
    assert off_m(got.xy_m, places).max() < 0.4


def test_no_boxes_are_no_places() -> None:
    got = sight(CAMERA, np.empty((0, 4), np.float32), BoxSettings())
    assert (got.xy_m.shape, got.covariance_m2.shape) == ((0, 2), (0, 2, 2))
