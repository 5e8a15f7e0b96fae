"""What the scales say of hands at one shelf."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import PlateId, ShelfId, WeightEvent
from gocv.interact.episodes import Episodes
from gocv.interact.labelled import CLASSES
from gocv.interact.self_label import SelfLabelSettings, self_labels


def at_shelf(*spans: tuple[str, float, float], zone: str = "1/1") -> Episodes:
    """Episodes of right hands."""
    names = tuple(sorted({name for name, _, _ in spans}))
    n = len(spans)
    start, end = (np.array([span[i] for span in spans], float) for i in (1, 2))
    return Episodes(
        names,
        (zone,),
        shopper=[names.index(name) for name, _, _ in spans],
        hand=np.ones(n, int),
        zone=np.zeros(n, int),
        start_s=start,
        end_s=end,
        deepest_s=(start + end) / 2,
    )


def change(time_s: float, grams: float, *, number: int = 1, probability: float = 1.0, shelf: int = 1) -> WeightEvent:
    plate = PlateId(1, shelf, 1)
    delta, covariance = np.array([grams]), np.array([[1.0]])
    spans = {"start_s": time_s - 0.1, "end_s": time_s + 0.1, "time_s": time_s}
    return WeightEvent(
        f"e{number}",
        ShelfId(1, shelf),
        **spans,
        plates=(plate,),
        delta_g=delta,
        covariance_g2=covariance,
        probability=probability,
    )


def said(episodes: Episodes, events: list[WeightEvent], who: dict, inside_s: float = 0.5) -> list[str]:
    target = self_labels(episodes, np.full(len(episodes), inside_s), events, who)
    return [CLASSES[row.argmax()] if row.any() else "" for row in target]


ANN = {"ann": 0.97}


@pytest.mark.parametrize(
    ("grams", "label"),
    [
        ((-90.0,), "take"),
        ((90.0,), "return"),
        ((30.0, -30.2), "touch"),
        ((30.0, -430.0), "take"),
        ((400.0, -30.0), "return"),
    ],
    ids=["gone", "come", "pressed", "pressed and gone", "come and let go"],
)
def test_all_that_one_hand_did_together_is_its_class(grams, label) -> None:
    events = [change(1.2 + 0.3 * i, g, number=i) for i, g in enumerate(grams)]
    assert said(at_shelf(("ann", 1.0, 1.8)), events, {event.id: ANN for event in events}) == [label]


def test_a_hand_of_which_nothing_was_felt_did_nothing() -> None:
    episodes = at_shelf(("ann", 1.0, 1.8))
    assert said(episodes, [], {}) == ["none"]
    assert said(episodes, [change(9.0, -80.0)], {"e1": ANN}) == ["none"]
    assert said(episodes, [change(1.3, -80.0, shelf=2)], {"e1": ANN}) == ["none"]


def test_but_nobody_knows_of_one_that_stayed_inside_for_long() -> None:
    assert said(at_shelf(("ann", 1.0, 4.8)), [], {}, inside_s=3.0) == [""]


@pytest.mark.parametrize(
    ("who", "probability"),
    [({"ann": 0.6, "bob": 0.4}, 1.0), ({"ann": 0.95}, 0.5), ({}, 1.0)],
    ids=["who", "whether anything", "nobody known"],
)
def test_what_is_in_doubt_has_no_label(who, probability) -> None:
    events = [change(1.3, -90.0, probability=probability)]
    assert said(at_shelf(("ann", 1.0, 1.8), ("bob", 1.1, 1.9)), events, {"e1": who}) == ["", ""]


def test_what_another_event_undoes_may_have_been_a_press() -> None:
    events = [change(1.3, 45.0, number=1), change(2.4, -45.0, number=2)]
    who = {"e1": ANN, "e2": ANN}
    assert said(at_shelf(("ann", 1.0, 1.8), ("ann", 2.2, 2.9)), events, who) == ["", ""]
    late = [events[0], change(6.4, -45.0, number=2)]
    assert said(at_shelf(("ann", 1.0, 1.8), ("ann", 6.2, 6.9)), late, who) == ["return", "take"]


def test_an_event_close_by_that_may_be_another_hands_makes_a_doubt() -> None:
    episodes = at_shelf(("ann", 1.0, 1.8), ("ann", 2.35, 2.9))
    events = [change(1.3, -90.0, number=1), change(2.25, -200.0, number=2)]
    assert said(episodes, events, {"e1": ANN, "e2": ANN}) == ["", "take"]


def test_two_hands_of_the_one_who_moved_it_are_in_doubt_and_so_is_another_hand_meanwhile() -> None:
    events, who = [change(1.3, -90.0)], {"e1": ANN}
    assert said(at_shelf(("ann", 1.0, 1.8), ("ann", 1.1, 1.7)), events, who) == ["", ""]
    assert said(at_shelf(("ann", 1.0, 1.8), ("bob", 1.1, 1.7)), events, who) == ["take", ""]


def test_a_label_weighs_as_much_as_it_is_probable() -> None:
    target = self_labels(at_shelf(("ann", 1.0, 1.8)), np.array([0.5]), [change(1.3, -90.0)], {"e1": ANN})
    np.testing.assert_allclose(target, [[0.97, 0, 0, 0]], rtol=1e-6)


def test_little_weight_is_no_goods() -> None:
    settings = SelfLabelSettings(least_g=20.0)
    for grams, label in ((-15.0, "touch"), (-25.0, "take")):
        target = self_labels(at_shelf(("ann", 1.0, 1.8)), np.array([0.5]), [change(1.3, grams)], {"e1": ANN}, settings)
        assert CLASSES[target[0].argmax()] == label


def test_nobody_at_any_shelf_has_no_labels() -> None:
    empty = Episodes.empty(shoppers=(), zones=("1/1",))
    assert self_labels(empty, np.empty(0), [change(1.0, -90.0)], {"e1": ANN}).shape == (0, 4)
