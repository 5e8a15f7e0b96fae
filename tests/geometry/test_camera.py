"""The camera: round trips, OpenCV as the oracle, what has no answer is NaN."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.geometry import PinholeCamera
from gocv.geometry.distortion import fold_radius

K = np.array([[1100.0, 0, 961.3], [0, 1093.0, 538.8], [0, 0, 1]])
LENSES = {
    "none": (0, 0, 0, 0, 0),
    "ceiling wide angle": (-0.31, 0.12, 0.0008, -0.0005, -0.02),
    "surveillance": (-0.43248599, 0.610623, 0.008234, 0.00186, -0.692371),
    "pincushion": (0.15, 0.05, 0.001, 0.002, 0.01),
    "tangential only": (0, 0, 0.01, -0.01, 0),
}
lens = pytest.mark.parametrize("distortion", LENSES.values(), ids=LENSES.keys())


def camera(distortion=LENSES["none"], position=(1.0, -2.0, 3.2), target=(3.0, 1.0, 0.4)) -> PinholeCamera:
    pose = PinholeCamera.look_at(position, target, width_px=1920, height_px=1080, focal_px=1100).camera_T_world
    return PinholeCamera(1920, 1080, K, np.array(distortion, float), pose)


def image_grid(step: int = 40) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(0, 1920.0, step), np.arange(0, 1080.0, step)), axis=-1).reshape(-1, 2)


def points_before(cam: PinholeCamera, share: float, n: int = 500) -> np.ndarray:
    """Store points whose undistorted radius is at most `share` of the fold's, and at most 1 (90 degrees of view)."""
    rng = np.random.default_rng(0)
    radius = min(share * fold_radius(cam.distortion), 1.0) * np.sqrt(rng.random(n))
    turn = rng.uniform(0, 2 * np.pi, n)
    depth = rng.uniform(0.5, 20, n)
    in_camera = np.stack([radius * np.cos(turn) * depth, radius * np.sin(turn) * depth, depth], axis=1)
    return (in_camera - cam.camera_T_world[:3, 3]) @ cam.camera_T_world[:3, :3]


@lens
def test_project_equals_opencv(distortion) -> None:
    cv2 = pytest.importorskip("cv2")
    cam = camera(distortion)
    points = points_before(cam, 0.95)
    pixels, depth = cam.project(points)
    pose = cam.camera_T_world
    theirs = cv2.projectPoints(points, cv2.Rodrigues(pose[:3, :3].copy())[0], pose[:3, 3].copy(), K, cam.distortion)[0]
    np.testing.assert_allclose(pixels, theirs[:, 0], atol=1e-8)
    np.testing.assert_allclose(depth, points @ pose[2, :3] + pose[2, 3])


@lens
def test_undistort_equals_opencv(distortion) -> None:
    cv2 = pytest.importorskip("cv2")
    cam = camera(distortion)
    pixels = cam.project(points_before(cam, 0.8))[0]
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 1000, 1e-14)
    theirs = cv2.undistortPoints(pixels[:, None], K, cam.distortion, criteria=stop)[:, 0]
    np.testing.assert_allclose(cam.undistort(pixels), theirs, atol=1e-8)


@lens
def test_pixel_ray_pixel_is_exact_wherever_there_is_a_ray(distortion) -> None:
    cam = camera(distortion)
    pixels = image_grid()
    origin, direction = cam.rays(pixels)
    found = np.isfinite(direction).all(axis=1)
    assert found.mean() > (0.6 if distortion == LENSES["surveillance"] else 0.999)  # that lens is of a longer camera
    pixels, direction = pixels[found], direction[found]
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-14)
    np.testing.assert_array_equal(origin, cam.position_m)
    np.testing.assert_allclose(cam.project(origin + 7.5 * direction)[0], pixels, atol=1e-9)


@lens
def test_point_pixel_point_is_exact_before_the_fold(distortion) -> None:
    cam = camera(distortion)
    points = points_before(cam, 0.98)
    pixels, depth = cam.project(points)
    assert np.isfinite(pixels).all()
    pose = cam.camera_T_world
    in_camera = points @ pose[:3, :3].T + pose[:3, 3]
    np.testing.assert_allclose(cam.undistort(pixels), in_camera[:, :2] / depth[:, None], atol=1e-9)


@given(
    st.floats(-0.5, 0.3),
    st.floats(-0.3, 0.7),
    st.floats(-0.01, 0.01),
    st.floats(-0.01, 0.01),
    st.floats(-0.7, 0.3),
)
def test_round_trip_for_any_realistic_lens(k1: float, k2: float, p1: float, p2: float, k3: float) -> None:
    cam = camera((k1, k2, p1, p2, k3))
    points = points_before(cam, 0.9, 60)
    pixels = cam.project(points)[0]
    origin, direction = cam.rays(pixels)
    towards = points - origin
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    np.testing.assert_allclose(direction, towards, atol=1e-9)


def test_past_the_fold_there_is_no_answer() -> None:
    cam = camera((-0.3, 0, 0, 0, 0))
    limit = fold_radius(cam.distortion)
    assert limit == pytest.approx(np.sqrt(1 / 0.9))
    radius = np.array([0.0, 0.5, 0.999, 1.001, 1.5, 3.0]) * limit
    in_camera = np.stack([radius, np.zeros(6), np.ones(6)], axis=1)
    pixels, depth = cam.project((in_camera - cam.camera_T_world[:3, 3]) @ cam.camera_T_world[:3, :3])
    assert np.isfinite(pixels).all(axis=1).tolist() == [True, True, True, False, False, False]
    np.testing.assert_allclose(depth, 1)
    edge = K[0, 0] * limit * 2 / 3  # where the fold lands: r (1 - 0.3 r^2) at r = limit
    columns = K[0, 2] + edge * np.array([0.999, 1.001, 2.0])
    assert np.isfinite(cam.undistort([[c, K[1, 2]] for c in columns])).all(axis=1).tolist() == [True, False, False]


def test_past_the_fold_of_a_tilted_lens_there_is_no_answer() -> None:
    # On the y axis the Jacobian of p1 alone is diag(1 + 2 p1 y, 1 + 6 p1 y): of signs ++, +- and --.
    cam = PinholeCamera(1920, 1080, K, np.array([0, 0, 0.2, 0, 0]), np.eye(4))
    found = np.isfinite(cam.project([[0, -0.8, 1], [0, -0.9, 1], [0, -4, 1], [0, 4, 1]])[0]).all(axis=1)
    assert found.tolist() == [True, False, False, True]


def test_behind_the_camera_there_is_no_pixel_but_a_depth() -> None:
    cam = PinholeCamera.look_at([0, 0, 2], [1, 0, 2], width_px=640, height_px=480, focal_px=500)
    pixels, depth = cam.project([[2, 0, 2], [0, 1, 2], [-2, 0.5, 2]])
    assert np.isfinite(pixels).all(axis=1).tolist() == [True, False, False]
    np.testing.assert_allclose(depth, [2, 0, -2], atol=1e-15)


@lens
def test_floor_round_trip(distortion) -> None:
    cam = camera(distortion)
    xy = np.random.default_rng(0).uniform([2, 0], [4, 2], (50, 2))
    for height in (0.0, 1.1):
        np.testing.assert_allclose(cam.pixels_to_floor(cam.floor_to_pixels(xy, height), height), xy, atol=1e-9)


def test_floor_is_one_plane_among_all() -> None:
    cam = camera(LENSES["surveillance"])
    pixels = image_grid(100)
    for height in (0.0, 1.7, 5.0):
        plane = cam.pixels_to_plane(pixels, [3, 4, height], [0, 0, -2.5])
        np.testing.assert_allclose(plane[:, :2], cam.pixels_to_floor(pixels, height), atol=1e-9)
        np.testing.assert_allclose(plane[np.isfinite(plane[:, 2]), 2], height, atol=1e-9)


def test_hits_of_a_slanted_plane_lie_on_it_and_project_back() -> None:
    cam = camera(LENSES["ceiling wide angle"])
    pixels, normal, point = image_grid(100), np.array([0.3, -1.0, 0.4]), np.array([2.0, 3.0, 1.0])
    hit = cam.pixels_to_plane(pixels, point, normal)
    found = np.isfinite(hit).all(axis=1)
    assert found.any()
    np.testing.assert_allclose((hit[found] - point) @ normal, 0, atol=1e-9)
    np.testing.assert_allclose(cam.project(hit[found])[0], pixels[found], atol=1e-8)


def test_rays_that_miss_the_floor_are_nan() -> None:
    level = PinholeCamera.look_at([0, 0, 2], [1, 0, 2], width_px=641, height_px=481, focal_px=500)
    rows = [[320.0, 0.0], [320.0, 239.0], [320.0, 240.0], [320.0, 241.0], [320.0, 480.0]]
    assert np.isfinite(level.pixels_to_floor(rows)).all(axis=1).tolist() == [False, False, False, True, True]
    assert np.isfinite(level.pixels_to_floor(rows, 3.0)).all(axis=1).tolist() == [True, True, False, False, False]
    assert np.isnan(level.pixels_to_floor(rows, 2.0)).all()
    assert np.isnan(level.floor_covariance(rows, 1.0)[:3]).all()


@lens
def test_floor_covariance_equals_differences_and_samples(distortion) -> None:
    cam = camera(distortion)
    pixels = image_grid(200)
    pixels = pixels[(np.hypot(*(pixels - K[:2, 2]).T) < 700) & (pixels[:, 1] > 400)]
    step = 1e-3
    by_x, by_y = (
        (cam.pixels_to_floor(pixels + d) - cam.pixels_to_floor(pixels - d)) / (2 * step)
        for d in (np.array([step, 0]), np.array([0, step]))
    )
    j = np.stack([by_x, by_y], axis=-1)
    sd = np.linspace(1, 3, len(pixels))
    expected = sd[:, None, None] ** 2 * (j @ j.swapaxes(1, 2))
    np.testing.assert_allclose(cam.floor_covariance(pixels, sd), expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(cam.floor_covariance(pixels[0], 2.0), expected[0] * 4, rtol=1e-5, atol=1e-9)
    noisy = pixels[0] + np.random.default_rng(0).normal(0, 0.5, (20000, 2))
    spread = np.cov(cam.pixels_to_floor(noisy).T)
    np.testing.assert_allclose(spread, cam.floor_covariance(pixels[0], 0.5), rtol=0.05, atol=0.02 * spread.max())


def test_skew() -> None:
    matrix = K.copy()
    matrix[0, 1] = 12
    cam = PinholeCamera(1920, 1080, matrix, np.zeros(5), np.eye(4))
    pixels = cam.project([[0.2, 0.5, 1.0]])[0]
    np.testing.assert_allclose(pixels, [[220 + 6 + 961.3, 546.5 + 538.8]])
    np.testing.assert_allclose(cam.undistort(pixels), [[0.2, 0.5]], atol=1e-15)


def test_from_pose_and_look_at_agree() -> None:
    cv2 = pytest.importorskip("cv2")
    looked = camera()
    vector = cv2.Rodrigues(looked.camera_T_world[:3, :3].copy())[0][:, 0]
    posed = PinholeCamera.from_pose(1920, 1080, K, position_m=looked.position_m, rotation_vector=vector)
    np.testing.assert_allclose(posed.camera_T_world, looked.camera_T_world, atol=1e-12)


@pytest.mark.parametrize("target", [(4, 0, 0), (-4, 1, 9), (0, -3, 3), (0, 0, 0), (0, 0, 9)])
def test_look_at_puts_the_target_in_the_middle_and_up_above(target) -> None:
    cam = PinholeCamera.look_at([0, 0, 3], target, width_px=640, height_px=480, focal_px=500)
    np.testing.assert_allclose(cam.project(target)[0], [319.5, 239.5], atol=1e-9)
    np.testing.assert_allclose(cam.position_m, [0, 0, 3], atol=1e-12)
    straight = target[:2] == (0, 0)
    above = np.array(target, float) + ([0, 0.1, 0] if straight else [0, 0, 0.1])
    pixel = cam.project(above)[0]
    assert pixel[0] == pytest.approx(319.5)
    assert pixel[1] < 239.5


def test_any_leading_shape_empty_and_nan() -> None:
    cam = camera(LENSES["surveillance"])
    points = np.tile([3.0, 1.0, 0.4], (2, 8, 1))
    points[1, 3, 0] = np.nan
    pixels, depth = cam.project(points)
    assert (pixels.shape, depth.shape) == ((2, 8, 2), (2, 8))
    assert np.argwhere(np.isnan(depth)).tolist() == [[1, 3]]
    assert np.isnan(cam.pixels_to_floor(pixels)).any(axis=-1).sum() == 1
    assert cam.floor_covariance(pixels, 1.0).shape == (2, 8, 2, 2)
    np.testing.assert_array_equal(cam.project(points[0, 0])[0], pixels[0, 0])
    np.testing.assert_allclose(cam.undistort(pixels[0, 0]), cam.undistort(pixels)[0, 0], atol=1e-12)
    assert [a.shape for a in cam.project([])] == [(0, 2), (0,)]
    assert [a.shape for a in cam.rays([])] == [(3,), (0, 3)]
    assert cam.pixels_to_plane([], [0, 0, 0], [0, 0, 1]).shape == (0, 3)
    assert cam.pixels_to_floor([]).shape == cam.floor_to_pixels([]).shape == (0, 2)
    assert cam.floor_covariance([], 1.0).shape == (0, 2, 2)


def test_fields_are_copies_that_cannot_be_written() -> None:
    matrix = K.copy()
    cam = PinholeCamera(1920, 1080, matrix, np.zeros(5), np.eye(4))
    matrix[0, 0] = 1
    assert cam.matrix[0, 0] == K[0, 0]
    with pytest.raises(ValueError, match="read-only"):
        cam.matrix[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        cam.width_px = 3  # type: ignore[misc]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c)), dataclasses.replace])
def test_copies_work(duplicate) -> None:
    cam = camera(LENSES["surveillance"])
    np.testing.assert_array_equal(duplicate(cam).undistort(image_grid(200)), cam.undistort(image_grid(200)))


def test_a_printed_rotation_is_made_true_and_a_true_one_is_kept() -> None:
    pose = camera().camera_T_world
    np.testing.assert_array_equal(PinholeCamera(1, 1, K, np.zeros(5), pose).camera_T_world, pose)
    rotation = PinholeCamera(1, 1, K, np.zeros(5), pose.round(5)).camera_T_world[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(rotation, pose[:3, :3], atol=1e-5)


GOOD = {"width_px": 640, "height_px": 480, "matrix": K, "distortion": np.zeros(5), "camera_T_world": np.eye(4)}


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("width_px", 0, "0"),
        ("height_px", 480.5, "480.5"),
        ("width_px", True, "True"),
        ("matrix", np.eye(4), "shape (4, 4)"),
        ("matrix", K.T, "not a camera matrix"),
        ("matrix", np.diag([1.0, -1, 1]), "focal length"),
        ("matrix", K * np.nan, "finite"),
        ("matrix", "nonsense", "numbers"),
        ("distortion", np.zeros(4), "shape (4,)"),
        ("distortion", np.zeros((1, 5)), "shape (1, 5)"),
        ("camera_T_world", np.eye(4)[:3], "shape (3, 4)"),
        ("camera_T_world", np.diag([1.0, 1, -1, 1]), "rotation"),
        ("camera_T_world", np.diag([1.01, 1, 1, 1]), "rotation"),
        ("camera_T_world", np.eye(4) * 2, "last row"),
    ],
)
def test_a_camera_that_cannot_be_says_why(key: str, value: object, problem: str) -> None:
    with pytest.raises(DataError) as caught:
        PinholeCamera(**{**GOOD, key: value})
    assert caught.value.key == key
    assert problem in str(caught.value)
    assert caught.value.expected


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda c: c.project([[1, 2]]), "points_m"),
        (lambda c: c.undistort([[1, 2, 3]]), "pixels"),
        (lambda c: c.floor_to_pixels([1, 2, 3]), "xy_m"),
        (lambda c: c.pixels_to_plane([[1, 2]], [0, 0, 0], [0, 0, 0]), "normal"),
        (lambda c: c.look_at([0, 0, 1], [0, 0, 1], width_px=9, height_px=9, focal_px=9), "target"),
        (lambda c: c.from_pose(9, 9, K, position_m=[0, 0], rotation_vector=[0, 0, 0]), "position_m"),
    ],
)
def test_errors_name_what_is_wrong(call, named: str) -> None:
    with pytest.raises(DataError) as caught:
        call(camera())
    assert named in str(caught.value)
