"""Probabilities of one person against posteriors that are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from gocv.core import ConfigError, DataError
from gocv.metrics.calibration import calibration_error
from gocv.reid import SamePerson

OTHERS, ALIKE = stats.norm(0.2, 0.12), stats.norm(0.5, 0.12)
"""Similarities of two people, and of one person."""

UNSEEN = {"line": 0.0, "curve": 0.4}
"""Share of pairs of one person that look like two people, as front and back do. Where it is 0, λ is a line."""


def pairs(shape: str, share: float, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    same = rng.random(count) < share
    seen = same & (rng.random(count) >= UNSEEN[shape])
    drawn = np.where(seen, ALIKE.rvs(count, random_state=rng), OTHERS.rvs(count, random_state=rng))
    return np.clip(drawn, -1, 1), same


def true_ratio(shape: str, similarity: np.ndarray) -> np.ndarray:
    unseen = UNSEEN[shape]
    return np.log(unseen + (1 - unseen) * np.exp(ALIKE.logpdf(similarity) - OTHERS.logpdf(similarity)))


@pytest.mark.parametrize("share", [0.5, 0.05], ids=["as many", "few"])
@pytest.mark.parametrize(("shape", "method"), [("line", "platt"), ("curve", "isotonic")])
class TestKnownPosteriors:
    def test_the_better_curve_is_found(self, shape: str, method: str, share: float) -> None:
        fitted = SamePerson.fit(*pairs(shape, share, 20_000, 0))
        assert fitted.made["method"] == method
        grid = np.linspace(-0.2, 0.85, 40)
        apart = np.abs(fitted.log_likelihood_ratio(grid) - true_ratio(shape, grid))
        assert np.median(apart) < 0.25
        assert fitted.prior == pytest.approx(share, abs=0.02)

    @pytest.mark.parametrize("prior", [0.5, 0.1, 0.02])
    def test_probabilities_come_true_also_where_the_prior_is_another(
        self, shape: str, method: str, share: float, prior: float
    ) -> None:
        fitted = SamePerson.fit(*pairs(shape, share, 20_000, 1))
        met, same = pairs(shape, prior, 60_000, 2)
        found = calibration_error(fitted.probability(met, prior=prior), same)
        best = calibration_error(expit(true_ratio(shape, met) + logit(prior)), same)
        assert found.error < (0.012 if share == 0.5 else 0.02)
        assert found.brier < best.brier + 0.002
        unmoved = calibration_error(fitted.probability(met, prior=0.9), same)
        assert unmoved.error > 0.15


def test_the_curve_beats_the_line_where_there_is_none() -> None:
    learnt, met = pairs("curve", 0.3, 10_000, 3), pairs("curve", 0.3, 50_000, 4)
    losses = {
        method: calibration_error(SamePerson.fit(*learnt, method=method).probability(met[0]), met[1])
        for method in ("platt", "isotonic")
    }
    assert losses["isotonic"].log_loss < losses["platt"].log_loss - 0.002
    assert losses["isotonic"].error < losses["platt"].error / 2


def test_a_curve_that_is_better_by_chance_is_not_taken() -> None:
    """On few pairs whose curve is a line, isotonic regression is cheaper now and then."""
    fits = [SamePerson.fit(*pairs("line", 0.5, 600, seed)).made for seed in range(40)]
    cheaper = [made["held_out_bits"]["isotonic"] < made["held_out_bits"]["platt"] for made in fits]
    taken = [made["method"] == "isotonic" for made in fits]
    assert sum(taken) < sum(cheaper) < 20
    assert not any(took and not less for took, less in zip(taken, cheaper, strict=True))


def test_the_line_is_that_of_weighted_logistic_regression() -> None:
    """Smoothed targets are each pair twice: as one of one person and as another, with weights."""
    s, same = pairs("line", 0.2, 300, 5)
    above = np.where(same, (same.sum() + 1) / (same.sum() + 2), 1 / ((~same).sum() + 2))
    twice = np.concatenate([s, s])[:, None]
    labels = np.repeat([1, 0], len(s))
    model = LogisticRegression(C=1e9, tol=1e-10, max_iter=10_000)
    model.fit(twice, labels, sample_weight=np.concatenate([above, 1 - above]))
    grid = np.linspace(-1, 1, 9)
    wanted = model.intercept_[0] + model.coef_[0, 0] * grid - logit(above.mean())
    fitted = SamePerson.fit(s, same, method="platt")
    np.testing.assert_allclose(fitted.log_likelihood_ratio(grid), wanted, rtol=1e-3, atol=1e-3)


def test_isotonic_by_hand() -> None:
    """Pools of 4 others and of 2 of one person; a third of all are."""
    fitted = SamePerson.fit([0.0, 0.1, 0.2, 0.3, 0.6, 0.7], [0, 0, 0, 0, 1, 1], method="isotonic")
    assert fitted.similarity[1:-1] == pytest.approx([0.15, 0.65])
    ratios = logit([(0 + 1 / 3) / 5, (2 + 1 / 3) / 3]) - logit(1 / 3)
    assert fitted.log_ratio[1:-1] == pytest.approx(ratios)
    assert fitted.log_likelihood_ratio([0.15, 0.4]) == pytest.approx([ratios[0], ratios.mean()])


def test_a_small_pool_does_not_fall_below_a_larger_one() -> None:
    """1 of 1 is worth less than 9 of 10, so that they stand together."""
    s, same = np.repeat([0.1, 0.5, 0.9], [4, 10, 1]), np.repeat([0, 1, 0, 1], [4, 9, 1, 1])
    fitted = SamePerson.fit(s, same, method="isotonic")
    share = 10 / 15
    together = (10 * (9 + share) / 11 + (1 + share) / 2) / 11
    assert fitted.similarity[1:-1] == pytest.approx([0.1, 5.9 / 11])
    assert fitted.log_ratio[1:-1] == pytest.approx(logit([share / 5, together]) - logit(share))


def test_the_prior_moves_log_odds_and_nothing_else() -> None:
    fitted = SamePerson.fit(*pairs("line", 0.5, 2000, 6), prior=0.3)
    s = np.linspace(-1, 1, 12).reshape(3, 4)
    ratio = fitted.log_likelihood_ratio(s)
    assert ratio.shape == (3, 4)
    np.testing.assert_allclose(fitted.probability(s), expit(ratio + logit(0.3)))
    priors = np.array([0.1, 0.2, 0.5, 0.9])
    np.testing.assert_allclose(fitted.probability(s, prior=priors), expit(ratio + logit(priors)))
    assert fitted.probability([]).shape == (0,)


@given(
    values=st.lists(st.tuples(st.integers(-10, 10), st.booleans()), min_size=2, max_size=60),
    method=st.sampled_from(["platt", "isotonic"]),
)
def test_it_rises_whatever_it_learnt(values: list[tuple[int, bool]], method: str) -> None:
    s, same = np.array([v[0] for v in values]) / 10, np.array([v[1] for v in values])
    if same.all() or not same.any() or s[same].mean() - s[~same].mean() < 1e-9:
        with pytest.raises(DataError):
            SamePerson.fit(s, same, method=method)
        return
    fitted = SamePerson.fit(s, same, method=method)
    ratio = fitted.log_likelihood_ratio(np.linspace(-1, 1, 101))
    assert np.isfinite(ratio).all()
    assert (np.diff(ratio) >= 0).all()
    assert ratio[-1] > ratio[0]
    assert SamePerson.from_dict(json.loads(json.dumps(fitted.to_dict()))).to_dict() == fitted.to_dict()


def test_what_never_overlapped_is_not_certain() -> None:
    s, same = np.repeat([0.1, 0.9], 50), np.repeat([False, True], 50)
    for method in ("platt", "isotonic"):
        ends = SamePerson.fit(s, same, method=method).probability([0.1, 0.9])
        assert 0.001 < ends[0] < 0.05
        assert 0.95 < ends[1] < 0.999


class TestFile:
    def test_there_and_back(self, tmp_path: Path) -> None:
        fitted = SamePerson.fit(*pairs("curve", 0.4, 3000, 7), prior=0.01)
        fitted.save(tmp_path / "new" / "same.json")
        again = SamePerson.load(tmp_path / "new" / "same.json")
        s = np.linspace(-1, 1, 50)
        np.testing.assert_array_equal(again.probability(s), fitted.probability(s))
        assert again.to_dict() == fitted.to_dict()
        assert again.made["pairs"] == 3000

    def test_a_file_is_whole_or_not_there(self, tmp_path: Path) -> None:
        path = tmp_path / "same.json"
        good = SamePerson(np.array([-1.0, 1.0]), np.array([-2.0, 2.0]), 0.5)
        good.save(path)
        before = path.read_bytes()
        with pytest.raises(ValueError, match="JSON"):
            SamePerson(good.similarity, np.array([-2.0, np.nan]), 0.5).save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"version": 2}, "version"),
            ({"similarity": [0.5, 0.5]}, "'similarity': does not rise"),
            ({"log_ratio": [1.0, 0.0]}, "'log_ratio': does not rise"),
            ({"log_ratio": [0.0, 1.0, 2.0]}, "another length"),
            ({"prior": 1.0}, "prior"),
            ({"priors": 0.5}, "'prior'"),
        ],
    )
    def test_another_content_is_refused(self, tmp_path: Path, change: dict, message: str) -> None:
        path = tmp_path / "same.json"
        good = SamePerson(np.array([-1.0, 1.0]), np.array([-2.0, 2.0]), 0.5).to_dict()
        path.write_text(json.dumps({**good, **change}))
        with pytest.raises(DataError, match=message) as refusal:
            SamePerson.load(path)
        assert refusal.value.file == str(path)

    @pytest.mark.parametrize("text", ["", "[1]", '{"version": 1'])
    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "same.json"
        path.write_text(text)
        with pytest.raises(DataError, match=r"same\.json"):
            SamePerson.load(path)
        with pytest.raises(DataError, match="cannot be read"):
            SamePerson.load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("similarity", "same", "message"),
    [
        ([0.1, 1.5], [0, 1], "row 2, key 'similarity': 1.5 is no cosine"),
        ([0.1, np.nan], [0, 1], "no cosine"),
        ([0.1], [0, 1], "shapes"),
        ([0.1, 0.2], [0, 2], "neither true nor false"),
        ([0.1, 0.2], [1, 1], "2 of 2 pairs"),
        ([], [], "0 of 0 pairs"),
        ([0.1, 0.2], [1, 0], "no more alike"),
        ([0.2, 0.2], [1, 0], "no more alike"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(similarity: list, same: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SamePerson.fit(similarity, same)


def test_settings_out_of_range_are_refused() -> None:
    for prior in (0.0, 1.0, np.nan):
        with pytest.raises(ConfigError, match="prior"):
            SamePerson.fit([0.1, 0.2], [0, 1], prior=prior)
        with pytest.raises(ConfigError, match="prior"):
            SamePerson.fit([0.1, 0.2], [0, 1]).probability(0.5, prior=prior)
    with pytest.raises(ConfigError, match="method"):
        SamePerson.fit([0.1, 0.2], [0, 1], method="spline")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no cosine"):
        SamePerson.fit([0.1, 0.2], [0, 1]).log_likelihood_ratio([[0.3], [-2.0]])
