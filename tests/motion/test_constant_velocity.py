"""The box filter against the paper's per-frame model written out in plain numpy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.motion import BoxFilter

RATE_HZ = 10.0


class PaperFilter:
    """SORT's filter, one step a frame: textbook equations, no library."""

    def __init__(self, box: np.ndarray) -> None:
        self.x = np.zeros(7)
        self.x[:4] = self.z(box)
        self.P = np.diag([10, 10, 10, 10, 1e4, 1e4, 1e4])
        self.F = np.eye(7)
        self.F[0, 4] = self.F[1, 5] = self.F[2, 6] = 1
        self.Q = np.diag([1, 1, 1, 1, 0.01, 0.01, 0.0001])
        self.H = np.eye(4, 7)
        self.R = np.diag([1.0, 1, 10, 10])

    @staticmethod
    def z(box: np.ndarray) -> np.ndarray:
        w, h = box[2] - box[0], box[3] - box[1]
        return np.array([box[0] + w / 2, box[1] + h / 2, w * h, w / h])

    def predict(self) -> np.ndarray:
        if self.x[6] + self.x[2] <= 0:
            self.x[6] = 0
        self.x = self.F @ self.x
        self.P = self.F @ self.P @ self.F.T + self.Q
        return self.box()

    def update(self, box: np.ndarray) -> np.ndarray:
        S = self.H @ self.P @ self.H.T + self.R
        K = self.P @ self.H.T @ np.linalg.inv(S)
        self.x = self.x + K @ (self.z(box) - self.H @ self.x)
        self.P = (np.eye(7) - K @ self.H) @ self.P
        return self.box()

    def box(self) -> np.ndarray:
        w = np.sqrt(self.x[2] * self.x[3])
        h = self.x[2] / w
        return np.array([self.x[0] - w / 2, self.x[1] - h / 2, self.x[0] + w / 2, self.x[1] + h / 2])


def walk(frames: int, seed: int) -> np.ndarray:
    """(frames, 4) boxes of someone walking to the right, seen with noise."""
    rng = np.random.default_rng(seed)
    left = 50 + 6.0 * np.arange(frames)
    boxes = np.stack([left, np.full(frames, 80.0), left + 40, np.full(frames, 180.0)], axis=1)
    return boxes + rng.normal(0, 1.5, boxes.shape)


@pytest.mark.parametrize("seed", range(5))
def test_one_nominal_frame_a_step_is_the_papers_filter(seed: int) -> None:
    boxes = walk(40, seed)
    ours, paper = BoxFilter(boxes[0], rate_hz=RATE_HZ), PaperFilter(boxes[0])
    for number, box in enumerate(boxes[1:]):
        np.testing.assert_allclose(ours.predict(1 / RATE_HZ), paper.predict(), rtol=1e-9)
        if number % 7 != 3:  # some frames are missed
            np.testing.assert_allclose(ours.update(box), paper.update(box), rtol=1e-9)
        np.testing.assert_allclose(ours.covariance, paper.P, rtol=1e-6, atol=1e-9)


def test_velocity_does_not_depend_on_when_frames_were_taken() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.03, 0.4, 60))
    speed = 55.0
    at = lambda t: np.array([50 + speed * t, 80, 90 + speed * t, 180])  # noqa: E731
    tracked = BoxFilter(at(times[0]), rate_hz=RATE_HZ)
    for before, now in itertools.pairwise(times):
        tracked.predict(now - before)
        tracked.update(at(now))
    np.testing.assert_allclose(tracked.velocity_px_s, [speed, 0], atol=0.3)
    np.testing.assert_allclose(tracked.predict(2.0), at(times[-1] + 2.0), atol=2.0)


@given(parts=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_where_a_box_is_predicted_does_not_depend_on_the_steps_taken_there(parts: list[float]) -> None:
    whole, stepped = (BoxFilter([0, 0, 10, 20], rate_hz=RATE_HZ) for _ in range(2))
    for one in (whole, stepped):
        one.predict(0.1)
        one.update([5, 1, 15, 21])
    for part in parts:
        stepped.predict(part)
    np.testing.assert_allclose(stepped.xyxy, whole.predict(sum(parts)), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(np.diag(stepped.covariance)[3:], np.diag(whole.covariance)[3:], rtol=1e-9)


def test_no_time_changes_nothing() -> None:
    tracked = BoxFilter([0, 0, 10, 20], rate_hz=RATE_HZ)
    before = tracked.covariance
    np.testing.assert_allclose(tracked.predict(0.0), [0, 0, 10, 20])
    np.testing.assert_array_equal(tracked.covariance, before)


def test_a_shrinking_box_never_turns_inside_out() -> None:
    tracked = BoxFilter([0, 0, 100, 100], rate_hz=RATE_HZ)
    for size in (80, 50, 20, 4):
        tracked.predict(0.1)
        tracked.update([0, 0, size, size])
    for _ in range(50):
        left, top, right, bottom = tracked.predict(0.3)
        assert np.isfinite([left, top, right, bottom]).all()
        assert right >= left
        assert bottom >= top


def test_filters_share_nothing() -> None:
    one, other = (BoxFilter([0, 0, 10, 20], rate_hz=RATE_HZ) for _ in range(2))
    one.predict(1.0)
    one.update([50, 50, 70, 90])
    np.testing.assert_allclose(other.xyxy, [0, 0, 10, 20])
    np.testing.assert_allclose(other.covariance, BoxFilter([0, 0, 1, 1], rate_hz=RATE_HZ).covariance)


@pytest.mark.parametrize("box", [[0, 0, 0, 5], [0, 0, 5, -1], [0, 0, np.nan, 5], [0, 0, 5], [[0, 0, 5, 5]]])
def test_what_is_no_box_is_refused(box: list[float]) -> None:
    with pytest.raises(DataError, match="not a box"):
        BoxFilter(box, rate_hz=RATE_HZ)
    with pytest.raises(DataError, match="not a box"):
        BoxFilter([0, 0, 10, 20], rate_hz=RATE_HZ).update(box)


@pytest.mark.parametrize("elapsed_s", [-0.1, np.nan])
def test_time_does_not_run_backward(elapsed_s: float) -> None:
    with pytest.raises(DataError, match="at least 0"):
        BoxFilter([0, 0, 10, 20], rate_hz=RATE_HZ).predict(elapsed_s)
