"""Poses of one person in several cameras."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError, Poses
from gocv.geometry import PinholeCamera
from gocv.multicamera import match_poses

FIGURE = np.array([[0, 0, 1.65], [0, 0, 1.4], [0.2, 0, 1.4], [-0.2, 0, 1.4], [0.25, 0.1, 1.1], [-0.2, 0.3, 1.2]])


def ring(count: int) -> list[PinholeCamera]:
    size = {"width_px": 640, "height_px": 360, "focal_px": 330.0}
    turns = 0.3 + np.linspace(0, 2 * np.pi, count, endpoint=False)
    return [PinholeCamera.look_at([4 * np.cos(t), 3 * np.sin(t), 2.7], [0, 0, 1], **size) for t in turns]


def crowd(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turn = rng.uniform(0, 2 * np.pi, len(places))
    c, s, zero, one = np.cos(turn), np.sin(turn), np.zeros(len(turn)), np.ones(len(turn))
    rotation = np.moveaxis(np.array([[c, -s, zero], [s, c, zero], [zero, zero, one]]), 2, 0)
    height = rng.uniform(0.92, 1.08, len(places))[:, None, None]
    shift = np.pad(places, ((0, 0), (0, 1)))[:, None]
    return np.asarray(height * np.einsum("nij,kj->nki", rotation, FIGURE) + shift)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_a_crowd_is_told_apart(count: int) -> None:
    rng = np.random.default_rng(0)
    cameras, right, wrong, missed = ring(count + 1)[:count], 0, 0, 0
    for _ in range(10):
        points_m = crowd(rng.uniform([-1.5, -1.2], [1.5, 1.2], (6, 2)), rng)
        whom = [rng.permutation(6)[: rng.integers(4, 7)] for _ in cameras]  # some are not found
        poses = [
            Poses(camera.project(points_m[who])[0] + rng.normal(0, 2, (len(who), 6, 2)), np.full((len(who), 6), 0.9))
            for camera, who in zip(cameras, whom, strict=True)
        ]
        given, true = np.concatenate(match_poses(cameras, poses, 2.0)), np.concatenate(whom)
        together, same = given[:, None] == given, true[:, None] == true
        right, wrong = right + (together & same).sum(), wrong + (together & ~same).sum()
        missed += (same & ~together).sum()
    assert wrong < 0.05 * right
    assert missed < 0.05 * right


def test_nobody_is_twice_in_one_camera() -> None:
    cameras, points_m = ring(3), np.stack([FIGURE, FIGURE + np.array([0.02, 0, 0])])
    poses = [Poses(camera.project(points_m)[0], np.ones((2, 6))) for camera in cameras]
    for whom in match_poses(cameras, poses, 4.0):
        assert len(set(whom.tolist())) == 2


def test_who_is_seen_once_has_a_number_of_their_own() -> None:
    cameras = ring(2)
    far = FIGURE + np.array([1.0, 0.5, 0])
    poses = [Poses(c.project(p[None])[0], np.ones((1, 6))) for c, p in zip(cameras, (FIGURE, far), strict=True)]
    first, second = match_poses(cameras, poses)
    assert first.tolist() == [0]
    assert second.tolist() == [1]


def test_no_pose_and_no_camera_are_valid() -> None:
    nobody = Poses(np.empty((0, 6, 2)), np.empty((0, 6)))
    assert [len(group) for group in match_poses(ring(2), [nobody, nobody])] == [0, 0]
    assert match_poses([], []) == []


def test_tables_that_do_not_fit_are_refused() -> None:
    one, other = (Poses(np.zeros((1, k, 2)), np.ones((1, k))) for k in (6, 7))
    with pytest.raises(DataError, match="1 tables"):
        match_poses(ring(2), [one])
    with pytest.raises(DataError, match=r"\[6, 7\] keypoints"):
        match_poses(ring(2), [one, other])
