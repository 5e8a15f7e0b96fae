"""Joints from keypoints in several cameras."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.geometry import PinholeCamera
from gocv.multicamera import JointSettings, triangulate_joints

LENS = (-0.10, 0.015, 0.0, 0.0, 0.0)


def ring(count: int) -> list[PinholeCamera]:
    """Cameras under a ceiling, around a place."""
    turns = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [camera_at(4 * np.cos(turn), 3 * np.sin(turn)) for turn in turns]


def camera_at(x_m: float, y_m: float) -> PinholeCamera:
    return PinholeCamera.look_at([x_m, y_m, 2.7], [0, 0, 1], width_px=640, height_px=360, focal_px=330, distortion=LENS)


def people(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform([-1, -1, 0.5], [1, 1, 1.8], (count, 8, 3))


def seen_by(cameras: list[PinholeCamera], joints_m: np.ndarray) -> np.ndarray:
    return np.stack([camera.project(joints_m)[0] for camera in cameras])


@pytest.mark.parametrize("count", [2, 3, 5, 12])
def test_exact_keypoints_give_exact_joints(count: int) -> None:
    cameras, truth = ring(5)[:2] if count == 2 else ring(count), people(40)
    found = triangulate_joints(cameras, seen_by(cameras, truth), np.ones((count, 40, 8)))
    np.testing.assert_allclose(found.joints_m, truth, atol=1e-9)
    assert found.used.all()
    assert (found.score > 0.9).all()


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_the_errors_are_those_that_the_covariance_says(count: int) -> None:
    cameras, truth, rng = ring(5)[:2] if count == 2 else ring(count), people(500), np.random.default_rng(1)
    score = rng.uniform(0.5, 1.0, (count, 500, 8))
    sd_px = 3.0 / score[..., None] ** JointSettings().power
    seen = seen_by(cameras, truth)
    found = triangulate_joints(cameras, seen + sd_px * rng.standard_normal(seen.shape), score, 3.0)
    error = found.joints_m - truth
    squared = np.einsum("nki,nkij,nkj->nk", error, np.linalg.inv(found.covariance_m2), error)
    assert 2.8 < squared.mean() < 3.4  # of chi square with three degrees of freedom: 3
    assert 0.92 < (squared < 7.815).mean() < 0.97  # its 95 %
    assert 2.2 < np.median(squared) < 2.6  # its median is 2.37


def test_the_covariance_grows_with_errors_that_are_larger_than_stated() -> None:
    cameras, truth, rng = ring(6), people(300), np.random.default_rng(2)
    seen = seen_by(cameras, truth)
    seen += rng.normal(0, 4, seen.shape)
    found = triangulate_joints(cameras, seen, np.ones(seen.shape[:3]), 2.0, JointSettings(gate=12.0))
    error = found.joints_m - truth
    squared = np.einsum("nki,nkij,nkj->nk", error, np.linalg.inv(found.covariance_m2), error)
    assert squared.mean() < 4.0  # 12 if the stated ones were believed


def test_one_outlying_view_of_four_is_rejected() -> None:
    cameras, truth, rng = ring(4), people(500), np.random.default_rng(3)
    seen = seen_by(cameras, truth)
    seen += rng.normal(0, 2, seen.shape)
    bad = rng.integers(4, size=(500, 8))
    turn = rng.uniform(0, 2 * np.pi, bad.shape)
    away = 60 * np.stack([np.cos(turn), np.sin(turn)], axis=2)
    wrong = np.arange(4)[:, None, None] == bad
    found = triangulate_joints(cameras, seen + wrong[..., None] * away, np.full(wrong.shape, 0.9), 2.0)
    assert found.used[wrong].mean() < 0.02
    assert found.used[~wrong].mean() > 0.98
    clean = triangulate_joints(cameras, seen, np.full(wrong.shape, 0.9), 2.0)
    off, clean_off = (np.linalg.norm(f.joints_m - truth, axis=2) for f in (found, clean))
    assert np.median(off) < 1.4 * np.median(clean_off)
    assert found.score.mean() < clean.score.mean()


def test_a_camera_that_is_wrong_about_a_person_is_found_by_all_their_joints() -> None:
    cameras, truth, rng = ring(3), people(400), np.random.default_rng(4)
    seen = seen_by(cameras, truth)
    seen += rng.normal(0, 2, seen.shape)
    seen[2] += 40 * np.array([0.8, 0.6])
    whole = triangulate_joints(cameras, seen, np.full((3, 400, 8), 0.9), 2.0)
    alone = [seen[:, :, [k]] for k in range(8)]
    single = [triangulate_joints(cameras, part, np.full((3, 400, 1), 0.9), 2.0).used[2].mean() for part in alone]
    assert whole.used[2].mean() < 0.7 * np.mean(single)


def test_one_view_gives_no_joint_and_two_that_disagree_none_either() -> None:
    cameras, truth = ring(4), people(10)
    seen = seen_by(cameras, truth)
    seen[1:, :, 0] = np.nan
    seen[2:, :, 1] = np.nan
    seen[1, :, 1] += [0, 90]
    found = triangulate_joints(cameras, seen, np.full((4, 10, 8), 0.9))
    assert np.isnan(found.joints_m[:, :2]).all()
    assert np.isnan(found.covariance_m2[:, :2]).all()
    assert (found.score[:, :2] == 0).all()
    assert not found.used[:, :, :2].any()
    assert np.isfinite(found.joints_m[:, 2:]).all()


def test_two_views_from_nearly_one_side_are_unsure_along_their_rays() -> None:
    truth = np.array([[[0.0, 0.0, 1.2]]])
    sd_m = {}
    for name, cameras in (
        ("narrow", [camera_at(4, 0), camera_at(4, 0.15)]),
        ("wide", [camera_at(4, 0), camera_at(0, 4)]),
    ):
        found = triangulate_joints(cameras, seen_by(cameras, truth), np.ones((2, 1, 1)), 2.0)
        values, vectors = np.linalg.eigh(found.covariance_m2[0, 0])
        sd_m[name] = np.sqrt(values[-1])
        if name == "narrow":
            towards = truth[0, 0] - cameras[0].position_m
            assert abs(vectors[:, -1] @ towards) / np.linalg.norm(towards) > 0.999
    assert sd_m["narrow"] > 10 * sd_m["wide"]


def test_surer_keypoints_weigh_more() -> None:
    cameras = ring(4)
    seen = seen_by(cameras, np.array([[[0.0, 0.0, 1.2]]]))
    seen[0] += [6.0, 0.0]
    moved = [
        np.linalg.norm(triangulate_joints(cameras, seen, np.array([[[s]], *[[[0.9]]] * 3])).joints_m - [0, 0, 1.2])
        for s in (0.3, 0.9)
    ]
    assert moved[0] < 0.5 * moved[1]


def test_keypoints_of_a_low_score_are_not_looked_at() -> None:
    cameras, truth = ring(3), people(5)
    score = np.full((3, 5, 8), 0.9)
    score[0] = 0.05
    found = triangulate_joints(cameras, seen_by(cameras, truth), score)
    assert not found.used[0].any()
    np.testing.assert_allclose(found.joints_m, truth, atol=1e-9)


@pytest.mark.parametrize(("cameras", "people_count"), [(0, 0), (0, 3), (1, 3), (4, 0)])
def test_nobody_or_no_camera_is_valid(cameras: int, people_count: int) -> None:
    shape = (cameras, people_count, 8)
    found = triangulate_joints(ring(4)[:cameras], np.zeros((*shape, 2)), np.ones(shape))
    assert found.joints_m.shape == (people_count, 8, 3)
    assert found.covariance_m2.shape == (people_count, 8, 3, 3)
    assert found.used.shape == shape
    assert np.isnan(found.joints_m).all()


@pytest.mark.parametrize(
    ("keypoints", "score", "sd_px", "key"),
    [
        (np.zeros((2, 1, 8, 2)), np.ones((3, 1, 8)), 1.0, "keypoints_px"),
        (np.zeros((3, 1, 8, 2)), np.ones((3, 2, 8)), 1.0, "score"),
        (np.zeros((3, 1, 8, 2)), np.full((3, 1, 8), 1.5), 1.0, "score"),
        (np.zeros((3, 1, 8, 2)), np.ones((3, 1, 8)), 0.0, "sd_px"),
        (np.zeros((3, 1, 8, 2)), np.ones((3, 1, 8)), np.ones((4, 1)), "sd_px"),
    ],
)
def test_what_does_not_fit_is_refused(keypoints: np.ndarray, score: np.ndarray, sd_px: float, key: str) -> None:
    with pytest.raises(DataError) as refused:
        triangulate_joints(ring(3), keypoints, score, sd_px)
    assert refused.value.key == key


def test_arguments_stay_as_they_were() -> None:
    cameras = ring(3)
    seen, score = seen_by(cameras, people(3)), np.full((3, 3, 8), 0.05)
    before = seen.copy()
    triangulate_joints(cameras, seen, score)
    np.testing.assert_array_equal(seen, before)
