from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.metrics.poses import correct_keypoints, keypoint_similarity

BOX = np.array([[0.0, 0.0, 40.0, 100.0]])


@pytest.mark.parametrize(
    ("point", "right"),
    [([10.0, 0.0], True), ([0.0, 10.01], False), ([6.0, 8.0], True), ([np.nan, 0.0], False)],
)
def test_a_keypoint_is_right_within_a_tenth_of_the_larger_side(point: list[float], right: bool) -> None:
    assert correct_keypoints([[point]], [[[0.0, 0.0]]], BOX).tolist() == [[right]]


def test_similarity_falls_as_coco_says() -> None:
    """At a distance of s k, which is twice sigma of the root of the area, it is e^-0.5."""
    sigma = np.array([0.05, 0.1])
    away = 2 * sigma * np.sqrt(40.0 * 100.0)
    truth = np.zeros((1, 2, 2))
    points = np.array([[[away[0], 0.0], [0.0, away[1]]]])
    assert keypoint_similarity(points, truth, BOX, [[True, True]], sigma) == pytest.approx(np.exp(-0.5))
    assert keypoint_similarity(points * [0, 1], truth, BOX, [[True, False]], sigma) == pytest.approx(1.0)


def test_keypoints_that_were_not_found_count_nothing() -> None:
    points = np.array([[[0.0, 0.0], [np.nan, np.nan]]])
    found = keypoint_similarity(points, np.zeros((1, 2, 2)), BOX, [[True, True]], [0.1, 0.1])
    assert found.tolist() == [0.5]
    assert np.isnan(keypoint_similarity(points, np.zeros((1, 2, 2)), BOX, [[False, False]], [0.1, 0.1])).all()


def test_nobody_is_a_valid_input() -> None:
    nobody = np.empty((0, 17, 2))
    assert correct_keypoints(nobody, nobody, np.empty((0, 4))).shape == (0, 17)
    assert keypoint_similarity(nobody, nobody, np.empty((0, 4)), np.empty((0, 17)), np.ones(17)).shape == (0,)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="xyxy"):
        correct_keypoints(np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), BOX)
    with pytest.raises(DataError, match="points_px"):
        correct_keypoints(np.zeros((1, 3, 2)), np.zeros((1, 2, 2)), BOX)
    with pytest.raises(DataError, match="known"):
        keypoint_similarity(np.zeros((1, 3, 2)), np.zeros((1, 3, 2)), BOX, [[True]], np.ones(3))
