"""Query expansion against loops."""

from __future__ import annotations

import importlib.util
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import ConfigError, DataError
from gocv.metrics.reid import evaluate_reid, expand

_PATH = Path(__file__).parents[2] / "oracles" / "reid_expansion.py"
_SPEC = importlib.util.spec_from_file_location("reid_expansion", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_ORACLE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ORACLE)
LOOPS = _ORACLE.expand_by_loops

DYADIC = np.float32([[1, 0, 0, 0], [0, -1, 0, 0], [0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0, 0, 1, 0]])
"""Vectors of length 1 whose cosines are exact, so that ties are ties."""


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(0, 7), st.integers(0, 20)),
    k=st.integers(1, 25),
    alpha=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    cameras=st.booleans(),
    itself=st.booleans(),
    chunk=st.integers(1, 8),
)
def test_it_is_what_loops_give(
    seed: int, sizes: tuple[int, int], k: int, alpha: float, cameras: bool, itself: bool, chunk: int
) -> None:
    rng = np.random.default_rng(seed)
    query = (rng.normal(size=(sizes[0], 12)) + 0.5).astype(np.float32)
    gallery = None if itself else (3 * rng.normal(size=(sizes[1], 12)) + 0.5).astype(np.float32)
    known: dict[str, Any] = {"query_camera": rng.integers(0, 3, sizes[0])} if cameras else {}
    if cameras and not itself:
        known["gallery_camera"] = rng.integers(0, 3, sizes[1])
    got = expand(query, gallery, k=k, alpha=alpha, chunk=chunk, **known)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, LOOPS(query, gallery, k, alpha, **known), atol=2e-5)


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 12), itself=st.booleans())
def test_at_equal_cosine_the_earlier_is_nearer(seed: int, k: int, itself: bool) -> None:
    rng = np.random.default_rng(seed)
    query, gallery = DYADIC[rng.integers(0, 5, 6)], DYADIC[rng.integers(0, 5, 12)]
    got = expand(query, None if itself else gallery, k=k, alpha=0.0)
    np.testing.assert_allclose(got, LOOPS(query, None if itself else gallery, k, 0.0), atol=1e-6)


def test_by_hand() -> None:
    query, gallery = np.float32([[1, 0]]), np.float32([[3, 4], [0, -2], [-1, 0]])
    along = np.array([1 + 0.6**3 * 0.6, 0.6**3 * 0.8])
    np.testing.assert_allclose(expand(query, gallery, k=3), [along / np.linalg.norm(along)], atol=1e-6)
    average = np.array([1 + 0.6, 0.8 - 1])
    np.testing.assert_allclose(expand(query, gallery, k=2, alpha=0.0), [average / np.linalg.norm(average)], atol=1e-6)
    away = expand(query, gallery, k=1, query_camera=[4], gallery_camera=[4, 5, 4])
    np.testing.assert_allclose(away, [[1, 0]], atol=1e-6)


def test_a_vector_is_not_its_own_neighbour() -> None:
    pair = np.float32([[1, 0], [0.6, 0.8]])
    together = pair[0] + 0.6 * pair[1]
    np.testing.assert_allclose(expand(pair, k=1, alpha=1.0)[0], together / np.linalg.norm(together), atol=1e-6)
    np.testing.assert_allclose(expand(pair[:1]), pair[:1])


def test_arguments_are_left_as_they_were() -> None:
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(9, 3)).astype(np.float32)
    kept = query.copy(), gallery.copy()
    expand(query, gallery)
    expand(gallery)
    np.testing.assert_array_equal(query, kept[0])
    np.testing.assert_array_equal(gallery, kept[1])


def test_it_helps_where_people_form_groups() -> None:
    rng = np.random.default_rng(1)
    centre, ids = rng.normal(size=(30, 32)), rng.integers(0, 30, 460)
    vectors = (centre[ids] + rng.normal(0, 1.3, (460, 32))).astype(np.float32)
    query, gallery = vectors[:60], vectors[60:]
    labels = ids[:60], ids[60:], np.zeros(60, int), np.ones(400, int)
    plain = evaluate_reid(query, gallery, *labels).mean_average_precision
    queries = evaluate_reid(expand(query, gallery, k=5), gallery, *labels).mean_average_precision
    both = expand(gallery, k=5)
    sides = evaluate_reid(expand(query, both, k=5), both, *labels).mean_average_precision
    assert queries > plain + 0.05
    assert sides > queries + 0.05


def test_memory_is_that_of_a_chunk() -> None:
    rng = np.random.default_rng(2)
    query, gallery = rng.normal(size=(2000, 8)).astype(np.float32), rng.normal(size=(4000, 8)).astype(np.float32)
    tracemalloc.start()
    try:
        expand(query, gallery, chunk=32)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 32 * 4000 + 1_000_000  # the whole matrix is 32 MB


def test_what_cannot_be_expanded_is_refused() -> None:
    two = np.eye(2, dtype=np.float32)
    with pytest.raises(DataError, match="query vector 1 is 0"):
        expand(np.float32([[1, 0], [0, 0]]), two, chunk=1)
    with pytest.raises(DataError, match="gallery vector 0 is 0 or not finite"):
        expand(two, np.float32([[np.nan, 0]]))
    with pytest.raises(DataError, match="shapes"):
        expand(two, np.ones((2, 3), np.float32))
    opposite = np.float32([[0, -1], [1, 0]])
    with pytest.raises(DataError, match="query vector 1 and its neighbours cancel out"):
        expand(two, opposite, k=2, alpha=0.0, query_camera=[2, 1], gallery_camera=[0, 1])
    with pytest.raises(DataError, match="cameras of both or none"):
        expand(two, two, query_camera=[0, 1])
    with pytest.raises(DataError, match="no gallery"):
        expand(two, query_camera=[0, 1], gallery_camera=[0, 1])
    with pytest.raises(DataError, match=r"\(2,\) and \(1,\)"):
        expand(two, two[:1], query_camera=[0, 1], gallery_camera=[0, 1])
    for key, value in (("k", 0), ("alpha", -1.0), ("alpha", np.nan), ("chunk", 0)):
        with pytest.raises(ConfigError, match=key):
            expand(two, two, **{key: value})
