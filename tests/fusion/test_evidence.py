"""What hands were seen to do and to hold, as evidence of one event."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gocv.core import FloorTracks, Interaction, PlateId, Recognition, ShelfId, Store, WeightEvent
from gocv.fusion.evidence import Sightings
from gocv.fusion.nearness import NearnessSettings

EVENT = WeightEvent("e", ShelfId(1, 2), 9.9, 10.1, 10.0, (PlateId(1, 2, 3),), np.array([-100.0]), np.eye(1), 1.0)


def sightings(*seen: Interaction | Recognition) -> Sightings:
    people = FloorTracks.sightings(("ann", "bob"), [9.0, 9.0], [0, 1])
    did = {n: [s for s in seen if isinstance(s, Interaction) and s.shopper == n] for n in people.shoppers}
    held = {n: [s for s in seen if isinstance(s, Recognition) and s.shopper == n] for n in people.shoppers}
    return Sightings(people, Store({}, {}, {}), NearnessSettings(), 1e-4, did, held)


def did(hand: int, take: float, *, zone: str = "1/2", at_s: float = 10.0) -> Interaction:
    rest = (1 - take) / 3
    said = {"take": take, "return": rest, "touch": rest, "none": rest}
    return Interaction("ann", zone, at_s - 0.3, at_s + 0.3, said, hand)


def held(hand: int, at_s: float = 10.0, moved: str = "take", **likelihoods: float) -> Recognition:
    return Recognition("ann", at_s - 0.3, at_s + 0.3, likelihoods, moved, hand)  # type: ignore[arg-type]


def test_a_hand_that_did_nothing_says_nothing_of_the_other() -> None:
    both = sightings(did(0, 0.01), did(1, 0.9)).log_seen(0, "tea", 1, EVENT)
    assert both == pytest.approx(math.log(0.9 * 4))


def test_hands_at_another_shelf_say_nothing() -> None:
    assert sightings(did(1, 0.9, zone="1/3")).log_seen(0, "tea", 1, EVENT) == 0.0
    assert sightings(did(1, 0.9)).log_seen(1, "tea", 1, EVENT) == 0.0


def test_of_two_moments_of_one_hand_the_nearer_counts() -> None:
    found = sightings(did(1, 0.9), did(1, 0.01, at_s=11.0))
    assert found.log_seen(0, "tea", 1, EVENT) == pytest.approx(math.log(0.9 * 4))


def test_what_came_to_a_shelf_was_not_taken_there() -> None:
    found = sightings(held(1, moved="return", tea=9.0))
    assert found.log_seen(0, "tea", 1, EVENT) == 0.0
    assert found.log_seen(0, "tea", -1, EVENT) == pytest.approx(math.log(9))


def test_a_thing_was_in_one_of_two_hands() -> None:
    found = sightings(held(0, tea=9.0, jam=0.5), held(1, tea=0.5, jam=9.0))
    assert found.log_seen(0, "tea", 1, EVENT) == pytest.approx(math.log(9.5 / 2))
    assert found.log_seen(0, "jam", 1, EVENT) == pytest.approx(math.log(9.5 / 2))


def test_no_word_counts_more_than_fifty_to_one() -> None:
    assert sightings(held(1, tea=1e6)).log_seen(0, "tea", 1, EVENT) == pytest.approx(math.log(50))
    assert sightings(held(1, tea=1e-6)).log_seen(0, "tea", 1, EVENT) == pytest.approx(-math.log(50))


def test_the_search_is_told_what_was_seen_in_anybodys_hands() -> None:
    found = sightings(held(1, tea=9.0, jam=0.5))
    likely = found.likely(EVENT, [0, 1])
    assert likely["tea", True] == pytest.approx(math.log(9))
    assert likely["jam", True] == pytest.approx(math.log(0.5))
    assert likely["tea", False] == 0.0
    assert found.likely(EVENT, [1]) == {}
