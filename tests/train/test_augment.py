"""How pictures are varied."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.train.augment import Augmentation, AugmentSettings, HidePart

SIZE = (64, 32)
NOTHING = dict.fromkeys(AugmentSettings.model_fields, 0.0)
EVERYTHING = AugmentSettings(
    upside_down=0.5, rotate_deg=30, shift=0.2, colour=0.7, blur=0.5, compress=0.5, hide_part=0.5, erase=0.7
)


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Smooth, so that what is moved by little looks alike, and different everywhere."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    noise = np.random.default_rng(seed).integers(0, 9, (*size, 3))
    return (np.stack([3 * rows, 7 * columns, rows + columns], axis=2) % 240 + noise).astype(np.uint8)


def test_a_seed_gives_a_picture_whatever_came_before() -> None:
    one, other = Augmentation(EVERYTHING, SIZE), Augmentation(EVERYTHING, SIZE)
    first = [one(picture(), seed) for seed in range(30)]
    backwards = [other(picture(), seed) for seed in reversed(range(30))][::-1]
    other(picture(1), 3)
    np.testing.assert_array_equal(first, backwards)
    np.testing.assert_array_equal(other(picture(), 3), first[3])


def test_another_seed_gives_another_picture() -> None:
    varied = {Augmentation(EVERYTHING, SIZE)(picture(), seed).tobytes() for seed in range(30)}
    assert len(varied) == 30


@pytest.mark.parametrize("size", [(64, 32), (37, 50), (128, 96)])
@pytest.mark.parametrize("settings", [EVERYTHING, AugmentSettings(), AugmentSettings(**NOTHING)])
def test_shape_and_type_stay_and_the_argument_too(settings: AugmentSettings, size: tuple[int, int]) -> None:
    augmentation, given_ = Augmentation(settings, size), picture(size=size)
    for seed in range(20):
        varied = augmentation(given_, seed)
        assert (varied.shape, varied.dtype) == ((*size, 3), np.uint8)
    np.testing.assert_array_equal(given_, picture(size=size))


def test_nothing_changes_nothing() -> None:
    augmentation = Augmentation(AugmentSettings(**NOTHING), SIZE)
    for seed in range(40):
        np.testing.assert_array_equal(augmentation(picture(), seed), picture())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"mirror": 1.0}, picture()[:, ::-1]),
        ({"upside_down": 1.0}, picture()[::-1]),
    ],
)
def test_one_thing_alone(settings: dict[str, float], expected: np.ndarray) -> None:
    augmentation = Augmentation(AugmentSettings(**{**NOTHING, **settings}), SIZE)
    for seed in range(5):
        np.testing.assert_array_equal(augmentation(picture(), seed), expected)


@pytest.mark.parametrize("name", ["mirror", "upside_down", "colour", "blur", "compress", "hide_part", "erase"])
def test_shares_are_of_the_pictures(name: str) -> None:
    augmentation = Augmentation(AugmentSettings(**{**NOTHING, name: 0.4}), SIZE)
    changed = np.mean([not np.array_equal(augmentation(picture(), seed), picture()) for seed in range(300)])
    assert changed == pytest.approx(0.4, abs=0.1)


def test_a_shift_is_of_that_share_at_most_and_either_way() -> None:
    """Found again by where the inner part of the picture lies."""
    augmentation = Augmentation(AugmentSettings(**{**NOTHING, "shift": 0.1}), SIZE)
    found = {moved(augmentation(picture(), seed)) for seed in range(200)}
    down, right = zip(*found, strict=True)
    assert (min(down), max(down), min(right), max(right)) == (-6, 6, -3, 3)


def moved(varied: np.ndarray) -> tuple[int, int]:
    inner, places = picture()[20:40, 10:20], [(y, x) for y in range(-8, 9) for x in range(-8, 9)]
    (place,) = [(y, x) for y, x in places if np.array_equal(varied[20 + y : 40 + y, 10 + x : 20 + x], inner)]
    return place


def test_erasing_leaves_the_rest() -> None:
    augmentation = Augmentation(AugmentSettings(**{**NOTHING, "erase": 1.0}), SIZE)
    for seed in range(20):
        gone = (augmentation(picture(), seed) != picture()).any(axis=2)
        rows, columns = gone.any(axis=1), gone.any(axis=0)
        assert 0.01 < rows.sum() * columns.sum() / gone.size < 0.35
        assert gone[np.ix_(rows, columns)].mean() > 0.95


SIDES = {
    "bottom": (lambda a: a, lambda a: a),
    "top": (lambda a: a[::-1], lambda a: a[::-1]),
    "right": (lambda a: a.swapaxes(0, 1), lambda a: a.swapaxes(0, 1)),
    "left": (lambda a: a[:, ::-1].swapaxes(0, 1), lambda a: a.swapaxes(0, 1)[:, ::-1]),
}
"""There the side is the lowest, and back."""


@pytest.mark.parametrize("side", SIDES)
@settings(deadline=None)
@given(seed=st.integers(0, 99), height=st.integers(2, 40), width=st.integers(2, 40), hidden=st.floats(0.0, 1.0))
def test_a_part_is_covered(side: str, seed: int, height: int, width: int, hidden: float) -> None:
    image, cover = picture(seed, (height, width)), np.full((10, 3), 251, np.uint8)
    there, _ = SIDES[side]
    found = HidePart().apply(image, hidden, side, False, cover)
    assert found.shape == image.shape
    rows = len(there(image))
    rest = max(1, round(rows * (1 - hidden)))
    np.testing.assert_array_equal(there(found)[:rest], there(image)[:rest])
    assert (there(found)[rest:] == 251).all()
    np.testing.assert_array_equal(image, picture(seed, (height, width)))


@pytest.mark.parametrize("side", SIDES)
@settings(deadline=None)
@given(seed=st.integers(0, 99), height=st.integers(2, 40), width=st.integers(2, 40), hidden=st.floats(0.0, 1.0))
def test_a_part_is_cut_and_the_rest_fills_the_picture(
    side: str, seed: int, height: int, width: int, hidden: float
) -> None:
    image, (there, back) = picture(seed, (height, width)), SIDES[side]
    rows = len(there(image))
    rest = max(1, round(rows * (1 - hidden)))
    expected = back(np.array([there(image)[row * rest // rows] for row in range(rows)]))
    np.testing.assert_array_equal(HidePart().apply(image, hidden, side, True), expected)


def test_what_hides_is_drawn() -> None:
    hide = HidePart(0.3, 0.5)
    hide.set_random_seed(0)
    drawn = [hide.get_params() for _ in range(600)]
    sides = [one["side"] for one in drawn]
    assert [sides.count(side) / 600 for side in ("bottom", "left", "right", "top")] == pytest.approx(
        [0.6, 0.15, 0.15, 0.1], abs=0.07
    )
    shares = [one["hidden"] for one in drawn]
    assert 0.3 <= min(shares) < 0.31
    assert 0.49 < max(shares) <= 0.5
    assert np.mean([one["cut"] for one in drawn]) == pytest.approx(0.5, abs=0.08)
    colours = np.array([one["cover"].mean(axis=0) for one in drawn])
    assert colours.std(axis=0).min() > 50
    assert all(one["cover"].dtype == np.uint8 and 1 < one["cover"].std(axis=0).max() < 15 for one in drawn)
