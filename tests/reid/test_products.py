from __future__ import annotations

import numpy as np

from gocv.metrics.reid import distances, evaluate_reid
from gocv.reid.products import DeviceProduct


def test_scores_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    query, gallery = (rng.normal(size=(n, 16)).astype(np.float32) for n in (40, 60))
    labels = rng.integers(0, 6, 40), rng.integers(0, 6, 60), rng.integers(0, 3, 40), rng.integers(0, 3, 60)
    plain = evaluate_reid(query, gallery, *labels, chunk=7)
    moved = evaluate_reid(query, gallery, *labels, chunk=7, product=DeviceProduct("cpu"))
    assert moved.mean_average_precision == plain.mean_average_precision
    np.testing.assert_array_equal(moved.cmc, plain.cmc)


def test_another_gallery_is_noticed() -> None:
    rng, product = np.random.default_rng(1), DeviceProduct("cpu")
    query, one, other = (rng.normal(size=(5, 4)).astype(np.float32) for _ in range(3))
    for gallery in (one, other, one):
        found = distances(query, gallery, "euclidean", product=product)
        np.testing.assert_allclose(found, distances(query, gallery, "euclidean"), rtol=1e-5)
