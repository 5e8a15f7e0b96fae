"""Pairs of all frames at once against all pairs of each frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gocv.geometry import iou
from gocv.metrics.mot.similar import box_pairs, point_pairs


def frames_of(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.sort(rng.choice([1, 2, 5, 6, 90], count))


def dense(a: np.ndarray, b: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    return np.where(a[:, None] == b[None], similarity, 0.0)


def table(pairs: tuple[np.ndarray, ...], shape: tuple[int, int]) -> np.ndarray:
    row, col, similarity = pairs
    assert (np.diff(row) >= 0).all()
    assert (similarity > 0).all()
    assert len(np.unique(row * max(shape[1], 1) + col)) == len(row)
    full = np.zeros(shape)
    full[row, col] = similarity
    return full


def boxes(rng: np.random.Generator, count: int, grid: bool, outliers: bool) -> np.ndarray:
    corner = rng.uniform(-50, 50, (count, 2))
    size = rng.uniform(-2, 30, (count, 2))  # some are without area
    if outliers:
        corner[rng.random(count) < 0.2] *= 1e7
        size[rng.random(count) < 0.2] *= 1e7
    both = np.concatenate([corner, corner + size], axis=1)
    return both.round(-1) if grid else both


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40), st.booleans(), st.booleans())
@example(seed=36, n=37, m=29, grid=False, outliers=True)  # boxes with their edges far the wrong way round
def test_boxes(seed: int, n: int, m: int, grid: bool, outliers: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = frames_of(rng, n), frames_of(rng, m)
    one, other = boxes(rng, n, grid, outliers), boxes(rng, m, grid, outliers)
    got = table(box_pairs(a, one, b, other), (n, m))
    real = ((one[:, 2:] > one[:, :2]).all(axis=1)[:, None]) & ((other[:, 2:] > other[:, :2]).all(axis=1)[None])
    want = dense(a, b, np.where(real, np.asarray(iou(one, other)).reshape(n, m), 0.0))
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40), st.sampled_from([0.01, 1.0, 2.0, 1e3]))
def test_points(seed: int, n: int, m: int, zero_at_m: float) -> None:
    rng = np.random.default_rng(seed)
    a, b = frames_of(rng, n), frames_of(rng, m)
    one, other = rng.uniform(0, 5, (n, 2)).round(1), rng.uniform(0, 5, (m, 2)).round(1)
    got = table(point_pairs(a, one, b, other, zero_at_m), (n, m))
    far = np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))
    np.testing.assert_allclose(got, dense(a, b, np.maximum(0, 1 - far / zero_at_m)), rtol=0, atol=1e-12)


def test_more_candidates_than_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    a, b = frames_of(rng, 200), frames_of(rng, 200)
    one, other = boxes(rng, 200, False, False), boxes(rng, 200, False, False)
    want = box_pairs(a, one, b, other)
    monkeypatch.setattr("gocv.metrics.mot.similar._AT_ONCE", 7)
    for got, part in zip(box_pairs(a, one, b, other), want, strict=True):
        np.testing.assert_array_equal(got, part)
