from __future__ import annotations

import numpy as np
import pytest

from gocv.bench.products_scores import figures, look_up
from gocv.interact.products import ProductLikelihood

EYE = np.eye(6, dtype=np.float32)
SURE = ProductLikelihood(slope=100.0, offset=-50.0, by_count=0.0)


def test_each_picture_is_looked_up_among_the_products() -> None:
    whose = np.array([0, 0, 2, 5])
    gallery = np.stack([EYE[0], EYE[1], EYE[2], EYE[3]])
    found = look_up(np.stack([EYE[1], EYE[3]]), np.array([0, 2]), gallery, whose)
    assert found.cosine.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert found.count.tolist() == [2, 1, 1]
    assert found.answer.tolist() == [0, 1]
    assert figures([found], None) == {"top_1": 0.5, "top_5": 1.0}


def test_a_perfect_recogniser_is_perfect_in_every_figure() -> None:
    found = figures([look_up(EYE, np.arange(6), EYE, np.arange(6))], SURE)
    assert found["top_1"] == found["auroc"] == found["detected"] == 1.0
    assert found["ece"] == pytest.approx(0.0, abs=1e-6)
    assert found["nll"] == pytest.approx(0.0, abs=1e-6)


def test_one_that_is_sure_and_wrong_pays_for_it() -> None:
    found = figures([look_up(EYE, np.roll(np.arange(6), 1), EYE, np.arange(6))], SURE)
    assert found["top_1"] == 0.0
    assert found["ece"] > 0.9
    assert found["nll"] > 10


def test_draws_give_a_mean_and_a_spread() -> None:
    right = look_up(EYE, np.arange(6), EYE, np.arange(6))
    wrong = look_up(EYE, np.roll(np.arange(6), 1), EYE, np.arange(6))
    assert figures([right, wrong], SURE)["top_1"] == 0.5
    assert figures([right, wrong], SURE)["top_1_sd"] == 0.5
