from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gocv.core import DataError, HandLooks
from gocv.interact.evidence import UNKNOWN, LookEvidence, Pooled, fit_evidence, pooled

X, Y, Z = np.eye(3)
SHELF = np.array([X, Y], np.float32)
EVIDENCE = LookEvidence(scale=8.0, power=0.3, unknown=0.5, slope=1.0, offset=0.0)


def looks(vectors: list[np.ndarray], holds: list[float], side_px: float = 60.0) -> HandLooks:
    n = len(vectors)
    zeros = np.zeros(n, np.int64)
    columns = {"time_s": np.arange(n) / 5, "shopper": zeros, "hand": zeros, "camera": zeros}
    return HandLooks(
        ("ann",),
        ("door",),
        **columns,
        side_px=np.full(n, side_px),
        holds=holds,
        vector=np.array(vectors).reshape(n, 3),
    )


def test_looks_count_as_much_as_they_seem_to_hold_something() -> None:
    look = pooled(looks([X, Y], [0.9, 0.1]))
    np.testing.assert_allclose(look.vector, np.array([0.729, 0.001, 0.0]) / 0.73, atol=1e-6)
    assert look.count == pytest.approx(0.73)
    assert look.log_odds == pytest.approx(np.log(9) * 0.728 / 0.73, abs=1e-5)


def test_a_hand_that_was_empty_at_first_may_hold_something_in_the_end() -> None:
    look = pooled(looks([Y, Y, Y, X], [0.1, 0.1, 0.1, 0.9]))
    assert look.vector[0] > 0.99
    assert look.log_odds > 2.0


def test_small_pictures_count_less() -> None:
    assert pooled(looks([X], [0.8], side_px=24.0)).count == pytest.approx(0.256)


def test_where_nobody_looked_nothing_is_said() -> None:
    look = pooled(HandLooks.empty(shoppers=(), cameras=(), vector=np.empty((0, 3))))
    assert EVIDENCE.holds(look) == 0.0
    np.testing.assert_allclose(EVIDENCE.likelihoods(look, SHELF), 1.0)
    assert EVIDENCE.likelihoods(look, SHELF[:0]).shape == (0,)


def test_an_empty_hand_says_nothing_and_a_full_one_names_its_product() -> None:
    empty, full = (Pooled(X, 4.0, odds) for odds in (-12.0, 12.0))
    np.testing.assert_allclose(EVIDENCE.likelihoods(empty, SHELF), 1.0, atol=1e-4)
    high, low = EVIDENCE.likelihoods(full, SHELF)
    assert high > 1.8
    assert low < 0.01


def test_likelihoods_relative_to_any_product_have_the_mean_1() -> None:
    look = Pooled(0.7 * X + 0.2 * Y, 3.0, 2.0)
    h, shares = EVIDENCE.holds(look), EVIDENCE.shares(look, SHELF)
    assert shares.sum() == pytest.approx(1.0)
    known = (1 - UNKNOWN) * EVIDENCE.likelihoods(look, SHELF).mean()
    unknown = h * shares[-1] + UNKNOWN * (1 - h)
    assert known + unknown == pytest.approx(1.0)


def test_what_looks_like_no_product_speaks_against_all() -> None:
    assert (EVIDENCE.likelihoods(Pooled(Z, 4.0, 12.0), SHELF) < 1).all()


def test_a_fit_finds_how_much_looks_say() -> None:
    rng = np.random.default_rng(1)
    shelf = rng.normal(size=(6, 8))
    shelf = (shelf / np.linalg.norm(shelf, axis=1, keepdims=True)).astype(np.float32)

    def drawn(noise: float) -> tuple[list[Pooled], list[int | None]]:
        found: list[Pooled] = []
        truth: list[int | None] = []
        for i in range(300):
            row = i % 7
            vector = rng.normal(0, noise, 8) + (shelf[row] if row < 6 else 0)
            vector /= np.linalg.norm(vector)
            found.append(Pooled(vector, 2.0, float(rng.normal(2.0 if row < 6 else -2.0, 1.0))))
            truth.append(row if row < 6 else None)
        return found, truth

    clear, poor = (fit_evidence(*drawn(noise), [shelf] * 300) for noise in (0.2, 0.6))
    assert clear.scale * 2**clear.power > poor.scale * 2**poor.power
    assert clear.made["log_loss"] < poor.made["log_loss"]
    # Log odds of two normal distributions 4 apart of standard deviation 1, six full hands for an empty one.
    assert clear.slope == pytest.approx(4.0, rel=0.5)
    look = drawn(0.2)[0][0]
    assert clear.likelihoods(look, shelf).argmax() == 0


def test_a_fit_takes_empty_and_full_hands() -> None:
    with pytest.raises(DataError, match="some of each"):
        fit_evidence([Pooled(X, 1.0, 0.0)], [0], [SHELF])


def test_what_is_saved_is_read_again_and_another_file_is_refused(tmp_path: Path) -> None:
    EVIDENCE.save(tmp_path / "evidence.json")
    assert LookEvidence.load(tmp_path / "evidence.json") == EVIDENCE
    for text in ("", "[]", '{"scale": -1}', '{"scales": 2}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(DataError):
            LookEvidence.load(tmp_path / "other.json")
