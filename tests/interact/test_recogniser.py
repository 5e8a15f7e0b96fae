from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import CartEvent, ConfigError, HandLooks, Interaction, ProductRecogniser
from gocv.interact.evidence import LookEvidence
from gocv.interact.gallery import Gallery
from gocv.interact.recogniser import ShelfRecogniser

X, Y = np.eye(3)[:2]
TEA, CUP = X, Y
EVIDENCE = LookEvidence(scale=8.0, power=0.3, unknown=0.5, slope=2.0, offset=0.0)


def recogniser() -> ShelfRecogniser:
    return ShelfRecogniser(Gallery(["tea", "cup"], [TEA, CUP]), EVIDENCE)


def looks(rows: list[tuple[float, str, int, float, np.ndarray]]) -> HandLooks:
    """Rows of time, shopper, hand, holds and vector."""
    names = tuple(sorted({row[1] for row in rows}))
    return HandLooks(
        names,
        ("door",),
        time_s=[row[0] for row in rows],
        shopper=[names.index(row[1]) for row in rows],
        hand=[row[2] for row in rows],
        camera=[0] * len(rows),
        side_px=[50.0] * len(rows),
        holds=[row[3] for row in rows],
        vector=np.array([row[4] for row in rows]),
    )


def reach(start_s: float, hand: int = 0, shopper: str = "ann") -> Interaction:
    return Interaction(shopper, "1/1", start_s, start_s + 1.0, {"take": 0.5, "return": 0.5}, hand)


def taken(at_s: float = 10.0, hand: int = 0, what: np.ndarray = TEA) -> list[tuple[float, str, int, float, np.ndarray]]:
    """An empty hand, which comes back full a second later."""
    return [
        *((at_s - 0.3 * i, "ann", hand, 0.01, CUP) for i in range(1, 4)),
        *((at_s + 1 + 0.3 * i, "ann", hand, 0.99, what) for i in range(1, 4)),
    ]


def test_it_is_what_the_pipeline_calls_a_recogniser() -> None:
    assert isinstance(recogniser(), ProductRecogniser)


def test_what_is_in_the_hand_afterwards_may_have_been_taken() -> None:
    (found,) = recogniser().recognise(looks(taken()), [reach(10.0)])
    assert (found.shopper, found.moved, found.start_s, found.end_s) == ("ann", "take", 10.0, 11.0)
    assert found.likelihoods["tea"] > 1.5
    assert found.likelihoods["cup"] < 0.1


def test_what_was_in_the_hand_before_may_have_been_put_back() -> None:
    rows = [(21 - row[0], *row[1:]) for row in taken()]
    (found,) = recogniser().recognise(looks(rows), [reach(10.0)])
    assert found.moved == "return"
    assert max(found.likelihoods, key=lambda product: found.likelihoods[product]) == "tea"


@pytest.mark.parametrize(("hand", "count"), [(0, 1), (1, 0), (-1, 1)])
def test_only_the_hand_that_was_at_the_shelf_counts(hand: int, count: int) -> None:
    assert len(recogniser().recognise(looks(taken()), [reach(10.0, hand)])) == count


@pytest.mark.parametrize("one", [reach(20.0), reach(10.0, shopper="bob")], ids=["later", "of another one"])
def test_other_looks_do_not_count(one: Interaction) -> None:
    assert recogniser().recognise(looks(taken()), [one]) == []


def test_looks_count_up_to_the_next_reach_of_the_same_hand() -> None:
    rows = [*taken(), (12.5, "ann", 0, 0.99, CUP)]
    alone = recogniser().recognise(looks(rows), [reach(10.0)])
    with_next = recogniser().recognise(looks(rows), [reach(10.0), reach(12.3)])
    assert with_next[0].likelihoods["tea"] > alone[0].likelihoods["tea"]
    other_hand = recogniser().recognise(looks(rows), [reach(10.0), reach(12.3, 1)])
    assert other_hand[0].likelihoods == alone[0].likelihoods


CHANGED = np.array([0.6, 0.1, 0.8])


def move(time_s: float = 10.5, quantity: int = 1, probability: float = 0.99, shopper: str = "ann") -> CartEvent:
    return CartEvent(f"e{time_s}", time_s, shopper, "tea", quantity, probability)


def sure(start_s: float = 10.0) -> Interaction:
    return Interaction("ann", "1/1", start_s, start_s + 1.0, {"take": 0.9, "return": 0.1}, 0)


def test_a_product_that_was_certainly_taken_is_recognised_from_then_on() -> None:
    ours, seen = recogniser(), looks(taken(what=CHANGED))
    before = ours.recognise(seen, [sure()])[0].likelihoods["tea"]
    for _ in range(4):
        assert ours.learn(seen, [sure()], [move()]) == 1
    assert ours.recognise(seen, [sure()])[0].likelihoods["tea"] > before


@pytest.mark.parametrize(
    "moves",
    [
        [move(probability=0.9)],
        [move(quantity=2)],
        [move(quantity=-1)],
        [move(), move(12.5)],
        [move(14.0)],
        [move(shopper="bob")],
        [],
    ],
    ids=["not certain", "two units", "put back", "another one near", "another time", "somebody else", "nothing"],
)
def test_nothing_is_learnt_of_what_may_have_been_otherwise(moves: list[CartEvent]) -> None:
    ours = recogniser()
    assert ours.learn(looks(taken(what=CHANGED)), [sure()], moves) == 0
    assert ours.gallery.learnt().sum() == 0


def test_nothing_is_learnt_of_an_empty_hand_nor_of_one_that_took_nothing() -> None:
    empty = [(*row[:3], 0.01, row[4]) for row in taken(what=CHANGED)]
    assert recogniser().learn(looks(empty), [sure()], [move()]) == 0
    touched = Interaction("ann", "1/1", 10.0, 11.0, {"take": 0.1, "touch": 0.9}, 0)
    assert recogniser().learn(looks(taken(what=CHANGED)), [touched], [move()]) == 0


def test_nothing_is_valid() -> None:
    empty = HandLooks.empty(shoppers=(), cameras=(), vector=np.empty((0, 3)))
    assert recogniser().recognise(empty, [reach(10.0)]) == []
    assert recogniser().recognise(looks(taken()), []) == []


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    recogniser().save(tmp_path)
    loaded = ShelfRecogniser.load(tmp_path)
    assert loaded.recognise(looks(taken()), [reach(10.0)]) == recogniser().recognise(looks(taken()), [reach(10.0)])


def test_a_catalogue_is_enough_to_start(tmp_path: Path) -> None:
    class MeanColour:
        size = 48

        def encode(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            middle = crops[:, 20:28, 20:28].mean(axis=(1, 2))
            return np.ones(len(crops), np.float32), middle / np.linalg.norm(middle, axis=1, keepdims=True)

    for name, colour in (("tea", (250, 0, 0)), ("cup", (0, 250, 0))):
        picture = np.full((60, 60, 3), 255, np.uint8)
        picture[10:50, 20:40] = colour
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    ours = ShelfRecogniser.from_catalogue(tmp_path, ["tea", "cup", "milk"], MeanColour())
    assert ours.gallery.products == ("cup", "tea")
    np.testing.assert_allclose(ours.gallery.prototypes(), [[0, 1, 0], [1, 0, 0]], atol=0.05)


def test_a_duration_below_0_is_refused() -> None:
    with pytest.raises(ConfigError, match="below 0"):
        ShelfRecogniser(Gallery(["tea"], [TEA]), EVIDENCE, window_s=-1)
