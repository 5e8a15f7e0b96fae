"""Ranking against loops."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import ConfigError, DataError
from gocv.metrics.reid import ReidScores, distances, evaluate_reid, rank_queries, rerank


def oracle(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "oracles" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOOPS = oracle("reid_ranking").rank_by_loops
RERANK = oracle("reid_reranking").rerank_by_loops

cases = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 8), st.integers(0, 40), st.integers(1, 6), st.sampled_from([0, 2, 1000])
)


@given(case=cases)
def test_ranks_are_what_loops_give(case: tuple[int, ...]) -> None:
    """With ties where distances are few whole numbers, junk, NaN, and queries without a match."""
    seed, queries, gallery, people, steps = case
    rng = np.random.default_rng(seed)
    distance = (
        rng.random((queries, gallery)) if steps == 0 else rng.integers(0, steps, (queries, gallery)).astype(float)
    )
    distance[rng.random(distance.shape) < 0.05] = np.nan
    person, other = rng.integers(0, people, queries), rng.integers(-1, people, gallery)
    camera, other_camera = rng.integers(0, 3, queries), rng.integers(0, 3, gallery)
    got = rank_queries(distance, person, other, camera, other_camera)
    want = LOOPS(distance, person, other, camera, other_camera)
    assert got.queries == len(want["firsts"])
    assert got.without_match == want["without"]
    assert got.first_at.tolist() == np.bincount(want["firsts"], minlength=51)[1:51].tolist()
    assert got.precision == pytest.approx(sum(want["precisions"]), abs=1e-9)
    assert got.inverse_negative_penalty == pytest.approx(sum(want["penalties"]), abs=1e-9)


def test_the_rule_of_market_1501_by_hand() -> None:
    """Nearest first: junk (same camera), a stranger, a match, junk of nobody, a match."""
    counts = rank_queries(np.array([[0.1, 0.2, 0.3, 0.4, 0.5]]), [7], [7, 8, 7, -1, 7], [1], [1, 2, 2, 2, 3])
    scores = ReidScores.of(counts)
    assert scores.cmc[:3].tolist() == [0, 1, 1]
    assert scores.mean_average_precision == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scores.mean_inverse_negative_penalty == pytest.approx(2 / 3)
    assert scores.json() == {
        "rank_1": 0.0,
        "rank_5": 1.0,
        "rank_10": 1.0,
        "map": pytest.approx((1 / 2 + 2 / 3) / 2),
        "minp": pytest.approx(2 / 3),
        "queries": 1,
        "without_match": 0,
    }


def test_chunks_are_the_whole() -> None:
    rng = np.random.default_rng(0)
    query, gallery = rng.normal(size=(50, 16)).astype(np.float32), rng.normal(size=(300, 16)).astype(np.float32)
    ids = rng.integers(0, 20, 50), rng.integers(-1, 20, 300), rng.integers(0, 4, 50), rng.integers(0, 4, 300)
    for kind in ("cosine", "euclidean"):
        whole = evaluate_reid(query, gallery, *ids, distance=kind)
        parts = evaluate_reid(query, gallery, *ids, distance=kind, chunk=7)
        assert parts.json() == pytest.approx(whole.json())
        alone = ReidScores.of(rank_queries(distances(query, gallery, kind), *ids))
        assert alone.json() == pytest.approx(whole.json())


def test_distances_are_what_they_say() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 8)), rng.normal(size=(9, 8))
    apart = np.linalg.norm(a[:, None] - b[None], axis=2)
    cosine = 1 - a @ b.T / np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
    one, other = a.astype(np.float32), b.astype(np.float32)
    np.testing.assert_allclose(distances(one, other, "euclidean"), apart, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(distances(one, other), cosine, rtol=1e-4, atol=1e-5)
    assert (np.diag(distances(one, one)) < 1e-5).all()
    np.testing.assert_array_equal(one, a.astype(np.float32))


def test_what_cannot_be_ranked_is_refused() -> None:
    row = np.zeros((1, 2))
    with pytest.raises(DataError, match=r"\(1, 2\)"):
        rank_queries(row, [1, 2], [1, 2], [1], [1, 2])
    with pytest.raises(DataError, match="no query"):
        ReidScores.of(rank_queries(row, [1], [2, 3], [1], [1, 2]))
    vectors = np.ones((2, 3), np.float32)
    with pytest.raises(DataError, match="gallery vector 1"):
        distances(vectors, np.float32([[1, 0, 0], [0, 0, 0]]))
    with pytest.raises(DataError, match="shapes"):
        distances(vectors, np.ones((2, 4), np.float32))
    with pytest.raises(ConfigError, match="cosine"):
        distances(vectors, vectors, "manhattan")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="an id and a camera"):
        evaluate_reid(vectors, vectors, [1], [1, 2], [1], [1, 2])


def people(seed: int, queries: int, gallery: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vectors around those of a few people, and whose they are."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(size=(8, 12))
    ids = rng.integers(0, 8, queries + gallery)
    vectors = (centre[ids] + rng.normal(0, 0.9, (len(ids), 12))).astype(np.float32)
    return vectors[:queries], vectors[queries:], ids[:queries], ids[queries:]


@pytest.mark.parametrize(("k1", "k2", "weight"), [(20, 6, 0.3), (7, 1, 0.0), (5, 3, 1.0), (1, 2, 0.5), (12, 13, 0.3)])
@pytest.mark.parametrize("seed", range(3))
def test_reranking_is_that_of_the_paper(seed: int, k1: int, k2: int, weight: float) -> None:
    query, gallery, _, _ = people(seed, 9, 50)
    got = rerank(query, gallery, k1=k1, k2=k2, original_weight=weight, chunk=16)
    np.testing.assert_allclose(got, RERANK(query, gallery, k1, k2, weight), atol=2e-5)


def test_reranking_helps_where_people_form_groups() -> None:
    query, gallery, ids, others = people(3, 60, 400)
    cameras = np.zeros(60), np.ones(400)
    plain = ReidScores.of(rank_queries(distances(query, gallery, "euclidean"), ids, others, *cameras))
    again = ReidScores.of(rank_queries(rerank(query, gallery), ids, others, *cameras))
    assert again.mean_average_precision > plain.mean_average_precision + 0.02


def test_equal_vectors_do_no_harm() -> None:
    got = rerank(np.ones((2, 3), np.float32), np.ones((6, 3), np.float32), k1=3, k2=2)
    assert np.isfinite(got).all()


def test_what_cannot_be_reranked_is_refused() -> None:
    few = np.ones((2, 3), np.float32)
    with pytest.raises(DataError, match="more than k1"):
        rerank(few, few)
    with pytest.raises(DataError, match="vector 3 is not finite"):
        rerank(few, np.float32([[1, 1, 1], [1, np.nan, 1], [0, 0, 0]]), k1=2, k2=1)
    with pytest.raises(DataError, match="shapes"):
        rerank(few, np.ones((2, 4), np.float32))
    for key, value in (("k1", 0), ("k2", 0), ("k2", 30), ("original_weight", 1.5), ("chunk", 0)):
        with pytest.raises(ConfigError, match=key):
            rerank(few, few, **{key: value})
