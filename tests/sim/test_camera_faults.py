"""Cameras that are lost, late or knocked."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.data.detections import DetectionTable
from gocv.data.multiview.tables import table_of_people
from gocv.geometry import PinholeCamera
from gocv.sim.camera_faults import knock_camera, lose_camera, seen_through, skew_clock

CAMERA = PinholeCamera.look_at(
    [0, 0, 5], [8, 0, 0], width_px=1000, height_px=600, focal_px=600, distortion=[-0.1, 0.02, 0, 0, 0]
)
FEET_M = np.array([[7.0, 0.0], [8.0, 1.5], [9.0, -1.5], [10.0, 0.5]])


def upright(camera: PinholeCamera, feet_m: np.ndarray) -> np.ndarray:
    """(n, 4) boxes of thin people 1.7 m tall."""
    foot, head = camera.floor_to_pixels(feet_m), camera.floor_to_pixels(feet_m, 1.7)
    x, half = (foot[:, 0] + head[:, 0]) / 2, 0.15 * (foot[:, 1] - head[:, 1])
    return np.stack([x - half, head[:, 1], x + half, foot[:, 1]], axis=1)


def table(frames: int = 10) -> DetectionTable:
    people = len(FEET_M)
    return table_of_people(
        np.arange(frames),
        np.arange(frames) / 2,
        position=np.repeat(np.arange(frames), people),
        xyxy=np.tile(upright(CAMERA, FEET_M), (frames, 1)),
        person=np.tile(np.arange(people), frames),
    )


def test_a_lost_camera_has_no_frames() -> None:
    got = lose_camera(table(), 1.0, 3.0)
    assert got.time_s.tolist() == [0.0, 0.5, 3.0, 3.5, 4.0, 4.5]
    assert got.frame.tolist() == [0, 1, 6, 7, 8, 9]
    assert len(got.boxes) == len(got.track_id) == got.first_row[-1] == 6 * len(FEET_M)
    assert got.track_ids(2).tolist() == [0, 1, 2, 3]


def test_a_camera_may_be_lost_for_good() -> None:
    assert lose_camera(table(), 1.0).time_s.tolist() == [0.0, 0.5]


def test_a_clock_that_is_ahead_stamps_later_times() -> None:
    assert (skew_clock(table(), 0.3).time_s - table().time_s == pytest.approx(0.3)) is True


@pytest.mark.parametrize("axis", [None, [1, 0, 0], [0, 1, 0], [0, 0, 1]])
def test_a_knocked_camera_stays_where_it_is_and_looks_elsewhere(axis: list[float] | None) -> None:
    moved = knock_camera(CAMERA, 5.0, axis=axis, seed=2)
    assert moved.position_m == pytest.approx(CAMERA.position_m)
    turn = moved.camera_T_world[:3, :3] @ CAMERA.camera_T_world[:3, :3].T
    assert np.rad2deg(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(5.0)


@pytest.mark.parametrize("axis", [[1, 0, 0], [0, 1, 0]])
def test_boxes_of_a_knocked_camera_are_where_it_sees_the_people(axis: list[float]) -> None:
    moved = knock_camera(CAMERA, 5.0, axis=axis)
    got = seen_through(table(), CAMERA, moved).detections(0).xyxy
    want = upright(moved, FEET_M)
    height = (want[:, 3] - want[:, 1])[:, None]
    assert np.abs(got - want).max() > 0
    assert (np.abs(got - want) / height).max() < 0.04
    before = CAMERA.pixels_to_floor(np.stack([(got[:, 0] + got[:, 2]) / 2, got[:, 3]], axis=1))
    assert np.linalg.norm(before - FEET_M, axis=1).min() > 0.3  # whoever believes in the old camera is wrong


def test_a_camera_is_as_it_was_until_it_is_knocked() -> None:
    got = seen_through(table(), CAMERA, knock_camera(CAMERA, 5.0, axis=[1, 0, 0]), from_s=2.0)
    same = [np.array_equal(got.detections(i).xyxy, table().detections(i).xyxy) for i in range(10)]
    assert same == [True] * 4 + [False] * 6


def test_a_camera_that_has_not_moved_sees_the_same() -> None:
    got = seen_through(table(), CAMERA, CAMERA)
    assert got.boxes.xyxy == pytest.approx(table().boxes.xyxy, abs=1e-3)


def test_who_leaves_the_picture_is_gone_and_the_frames_remain() -> None:
    got = seen_through(table(), CAMERA, knock_camera(CAMERA, 60.0, axis=[0, 1, 0]))
    assert (len(got), len(got.boxes), got.first_row.tolist()) == (10, 0, [0] * 11)
