from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save_file

from gocv.core import ConfigError, DataError
from gocv.interact.products import ProductGallery, ProductLikelihood, Trial, fit_likelihood

LIKELIHOOD = ProductLikelihood(slope=20.0, offset=-12.0, by_count=-0.5, encoder="e")
EYE = np.eye(8, dtype=np.float32)


def tilted(axis: int, other: int, cosine: float) -> NDArray[np.float32]:
    """(1, 8) of length 1, with this cosine to `axis`."""
    return (cosine * EYE[axis] + np.sqrt(1 - cosine**2) * EYE[other])[None].astype(np.float32)


@pytest.fixture
def gallery() -> ProductGallery:
    made = ProductGallery(LIKELIHOOD, keep=2)
    made.enrol("cola", EYE[:1])
    made.enrol("diet", EYE[1:3])
    return made


def test_match_is_bayes_rule_over_the_equations_of_the_docstring(gallery: ProductGallery) -> None:
    asked = tilted(0, 1, 0.8)
    found = gallery.match(asked, prior={"cola": 3.0, "diet": 1.0}, prior_unknown=0.2)
    ratio = np.exp([20 * 0.8 - 12, 20 * 0.6 - 12 - 0.5 * np.log(2)])
    joint = np.array([0.8 * 0.75 * ratio[0], 0.8 * 0.25 * ratio[1], 0.2])
    assert found.products == ("cola", "diet")
    np.testing.assert_allclose([*found.probability[0], found.unknown[0]], joint / joint.sum(), rtol=1e-5)
    np.testing.assert_allclose(np.exp(found.log_likelihood_ratio[0]), ratio, rtol=1e-4)


def test_vectors_of_one_look_give_one_row_by_the_mean_of_their_ratios(gallery: ProductGallery) -> None:
    vectors = np.concatenate([tilted(0, 1, 0.8), tilted(2, 3, 0.9), tilted(0, 4, 0.5)])
    single = np.exp(gallery.match(vectors).log_likelihood_ratio)
    found = gallery.match(vectors, look=[7, 3, 7])
    assert found.look.tolist() == [3, 7]
    np.testing.assert_allclose(np.exp(found.log_likelihood_ratio[1]), single[[0, 2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(np.exp(found.log_likelihood_ratio[0]), single[1], rtol=1e-6)


def test_only_candidates_are_considered(gallery: ProductGallery) -> None:
    found = gallery.match(EYE[:1], candidates=["diet"])
    assert found.products == ("diet",)
    assert found.unknown[0] > 0.9
    nothing = gallery.match(EYE[:1], candidates=[])
    assert nothing.unknown.tolist() == [1.0]
    assert nothing.probability.shape == (1, 0)


def test_what_has_no_weight_is_not_believed_whatever_it_looks_like(gallery: ProductGallery) -> None:
    found = gallery.match(EYE[:1], prior={"diet": 0.3})
    assert found.probability[0, 0] == 0.0


def test_no_vectors_and_no_products_are_fine() -> None:
    empty = ProductGallery(LIKELIHOOD)
    assert empty.match(EYE[:2]).unknown.tolist() == [1.0, 1.0]
    assert empty.match(EYE[:0]).probability.shape == (0, 0)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 0.99))
def test_probabilities_sum_to_one(seed: int, prior_unknown: float) -> None:
    rng = np.random.default_rng(seed)
    gallery = ProductGallery(LIKELIHOOD)
    for name in "abc":
        gallery.enrol(name, rng.normal(size=(int(rng.integers(1, 4)), 5)).astype(np.float32))
    found = gallery.match(rng.normal(size=(6, 5)).astype(np.float32), prior_unknown=prior_unknown)
    np.testing.assert_allclose(found.probability.sum(axis=1) + found.unknown, 1)
    assert (found.probability >= 0).all()


@pytest.mark.parametrize(
    ("vector", "probability", "kept"),
    [
        (tilted(0, 5, 0.7), 0.99, 1),
        (tilted(0, 5, 0.7), 0.90, 0),  # not sure
        (tilted(0, 5, 0.95), 0.99, 0),  # nothing new
        (tilted(0, 1, 0.6), 0.99, 0),  # closer to another product
        (EYE[:0], 0.99, 0),
    ],
)
def test_only_sure_safe_and_new_looks_are_learnt(
    gallery: ProductGallery, vector: NDArray[np.float32], probability: float, kept: int
) -> None:
    assert gallery.learn("cola", vector, probability) == kept
    assert gallery.counts()["cola"] == (1, kept)


def test_a_learnt_look_is_recognised_afterwards_and_can_be_forgotten(gallery: ProductGallery) -> None:
    side = tilted(0, 5, 0.5)
    before = gallery.match(side).probability[0, 0]
    assert gallery.learn("cola", side, 1.0) == 1
    assert gallery.match(side).probability[0, 0] > max(before, 0.9)
    gallery.forget("cola", learnt_only=True)
    assert gallery.match(side).probability[0, 0] == pytest.approx(before)
    gallery.forget("cola")
    assert gallery.products == ("diet",)


def test_memory_is_bounded_and_keeps_what_is_farthest_apart(gallery: ProductGallery) -> None:
    looks = [tilted(0, 5, 0.85), tilted(0, 6, 0.5), tilted(0, 7, 0.4)]
    assert gallery.learn("cola", np.concatenate(looks), 1.0) == 2
    assert gallery.counts()["cola"] == (1, 2)
    assert gallery.match(looks[2]).probability[0, 0] > 0.9
    assert gallery.match(looks[1]).probability[0, 0] > 0.9
    assert gallery.match(looks[0]).log_likelihood_ratio[0, 0] < 20 * 0.9 - 12


def test_a_file_gives_the_same_gallery_back(gallery: ProductGallery, tmp_path: Path) -> None:
    gallery.learn("cola", tilted(0, 5, 0.7), 1.0)
    gallery.save(tmp_path / "g.safetensors")
    again = ProductGallery.load(tmp_path / "g.safetensors")
    assert again.counts() == gallery.counts()
    assert again.likelihood == LIKELIHOOD
    assert again.keep == 2
    asked = tilted(0, 5, 0.3)
    assert (again.match(asked).probability == gallery.match(asked).probability).all()
    ProductGallery(LIKELIHOOD).save(tmp_path / "none.safetensors")
    assert ProductGallery.load(tmp_path / "none.safetensors").products == ()


def test_files_that_hold_no_gallery_are_refused(gallery: ProductGallery, tmp_path: Path) -> None:
    file = tmp_path / "g.safetensors"
    with pytest.raises(DataError, match=r"g\.safetensors"):
        ProductGallery.load(file)
    file.write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"g\.safetensors"):
        ProductGallery.load(file)
    save_file({"vectors": EYE}, file)
    with pytest.raises(DataError, match=r"g\.safetensors"):
        ProductGallery.load(file)
    said = {"version": 1, "settings": {"keep": 1, "sure": 1, "alike": 1, "prior_unknown": 0.1}, "products": ["a"]}
    said |= {"enrolled": [3], "learnt": [0], "likelihood": {"slope": 1, "offset": 0, "by_count": 0}}
    save_file({"vectors": EYE}, file, {"gocv.product_gallery": json.dumps(said)})
    with pytest.raises(DataError, match="no gallery"):
        ProductGallery.load(file)


def test_what_cannot_be_is_refused(gallery: ProductGallery) -> None:
    with pytest.raises(DataError, match="not enrolled"):
        gallery.match(EYE[:1], candidates=["colla"])
    with pytest.raises(DataError, match="not enrolled"):
        gallery.learn("tea", EYE[:1], 1.0)
    with pytest.raises(DataError, match="0 or not finite"):
        gallery.match(np.zeros((1, 8), np.float32))
    with pytest.raises(DataError, match="shape"):
        gallery.enrol("tea", np.ones((1, 7), np.float32))
    with pytest.raises(DataError, match="at least one"):
        gallery.enrol("tea", EYE[:0])
    with pytest.raises(DataError, match="prior"):
        gallery.match(EYE[:1], prior={"cola": -1.0, "diet": 1.0})
    with pytest.raises(DataError, match="look"):
        gallery.match(EYE[:2], look=[1])
    with pytest.raises(ConfigError, match="prior_unknown"):
        gallery.match(EYE[:1], prior_unknown=1.0)
    with pytest.raises(ConfigError, match="keep"):
        ProductGallery(LIKELIHOOD, keep=-1)


def test_the_likelihood_that_made_the_answers_is_found_again() -> None:
    """Cosines of the right product and of others from normal distributions: λ is then a straight line of the cosine."""
    rng = np.random.default_rng(0)
    near, far, sd = 0.7, 0.3, 0.1
    slope, offset = (near - far) / sd**2, (far**2 - near**2) / (2 * sd**2)
    trials = []
    for _ in range(20):
        answer = np.where(rng.random(300) < 0.5, -1, rng.integers(0, 6, 300))
        cosine = rng.normal(far, sd, (300, 6))
        there = np.flatnonzero(answer >= 0)
        cosine[there, answer[there]] = rng.normal(near, sd, len(there))
        trials.append(Trial(cosine, np.full(6, 1), answer))
    found = fit_likelihood(trials)
    assert found.slope == pytest.approx(slope, rel=0.1)
    assert found.offset == pytest.approx(offset, rel=0.1)


def test_a_likelihood_needs_products_that_are_there_and_that_are_not() -> None:
    with pytest.raises(DataError, match="lack"):
        fit_likelihood([Trial(np.ones((2, 1)), np.ones(1, np.int64), np.array([0, 0]))])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"slope": 0, "offset": 1, "by_count": 1}'])
def test_a_spoilt_likelihood_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(DataError, match=r"l\.json"):
        ProductLikelihood.load(tmp_path / "l.json")
