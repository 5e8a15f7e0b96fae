"""Rotation vectors and matrices, with the two places where naive formulas fail: no turn and half a turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.geometry import rodrigues, rotation_vector

directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 1e-3)
ANGLES = [0.0, 1e-300, 1e-12, 1e-8, 1e-4, 0.5, 2.0, np.pi - 1e-4, np.pi - 1e-8, np.pi - 1e-12]


@given(directions, st.sampled_from(ANGLES) | st.floats(0, np.pi - 1e-9))
def test_round_trip(direction: tuple[float, ...], angle: float) -> None:
    vector = np.array(direction) / np.linalg.norm(direction) * angle
    matrix = rodrigues(vector)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)
    back = rotation_vector(matrix)
    if angle > np.pi - 1e-9 and back @ vector < 0:  # the same turn, to within rounding
        back *= 1 - 2 * np.pi / np.linalg.norm(back)
    np.testing.assert_allclose(back, vector, atol=1e-14, rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "vector"),
    [
        (np.eye(3), [0, 0, 0]),
        (np.diag([1.0, -1, -1]), [np.pi, 0, 0]),
        (np.diag([-1.0, 1, -1]), [0, np.pi, 0]),
        (np.diag([-1.0, -1, 1]), [0, 0, np.pi]),
        ([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]], [np.pi / np.sqrt(2), np.pi / np.sqrt(2), 0]),
        ([[-0.6, -0.8, 0], [-0.8, 0.6, 0], [0, 0, -1]], [np.pi / np.sqrt(5), -2 * np.pi / np.sqrt(5), 0]),
        ([[0.0, -1, 0], [-1, 0, 0], [0, 0, -1]], [np.pi / np.sqrt(2), -np.pi / np.sqrt(2), 0]),
    ],
)
def test_exact_matrices(matrix, vector) -> None:
    np.testing.assert_allclose(rotation_vector(matrix), vector, atol=1e-15)


def test_angles_past_pi_give_the_same_rotation() -> None:
    vectors = np.random.default_rng(0).normal(0, 10, (200, 3))
    matrices = rodrigues(vectors)
    short = rotation_vector(matrices)
    assert np.linalg.norm(short, axis=1).max() <= np.pi + 1e-12
    np.testing.assert_allclose(rodrigues(short), matrices, atol=1e-13)


def test_any_leading_shape() -> None:
    vectors = np.random.default_rng(0).normal(size=(2, 5, 3))
    matrices = rodrigues(vectors)
    assert matrices.shape == (2, 5, 3, 3)
    np.testing.assert_array_equal(matrices[1, 3], rodrigues(vectors[1, 3]))
    np.testing.assert_allclose(rotation_vector(matrices), vectors, atol=1e-13)
    assert rodrigues([]).shape == (0, 3, 3)
    assert rotation_vector(rodrigues([])).shape == (0, 3)


def test_equals_opencv() -> None:
    cv2 = pytest.importorskip("cv2")
    for vector in np.random.default_rng(1).normal(0, 1, (50, 3)):
        matrix = cv2.Rodrigues(vector)[0]
        np.testing.assert_allclose(rodrigues(vector), matrix, atol=1e-12)
        np.testing.assert_allclose(rotation_vector(matrix), cv2.Rodrigues(matrix)[0][:, 0], atol=1e-12)


@pytest.mark.parametrize("call", [lambda: rodrigues([1.0, 2.0]), lambda: rotation_vector(np.zeros((4, 3)))])
def test_wrong_shapes(call) -> None:
    with pytest.raises(DataError, match="shape"):
        call()
