"""Receipts from weight events and sightings, end to end through the engine."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest

from gocv.core import (
    Answer,
    FloorTracks,
    Fuser,
    Interaction,
    Plate,
    PlateId,
    Product,
    Recognition,
    ShelfId,
    Store,
    WeightEvent,
)
from gocv.fusion import CartFuser, FusionSettings

SHELVES, PLATES = (1, 2), 8
ALL = [PlateId(1, shelf, plate + 1) for shelf in SHELVES for plate in range(PLATES)]


def centre(plate: PlateId) -> np.ndarray:
    return np.array([0.1 * plate.plate, 0.0, 0.4 * plate.shelf])


WEIGHTS = {"tea": 100.0, "milk": 500.0, "soap": 300.0, "jam": 302.0}
STORE = Store(
    {name: Product(name, name.title(), grams, 0.005 * grams) for name, grams in WEIGHTS.items()},
    {p: Plate(p, centre(p), np.eye(3), np.array([0.1, 0.4])) for p in ALL},
    {
        "tea": frozenset({PlateId(1, 1, 1), PlateId(1, 1, 2)}),
        "milk": frozenset({PlateId(1, 1, 5), PlateId(1, 1, 6)}),
        "soap": frozenset({PlateId(1, 2, 1), PlateId(1, 2, 2)}),
        "jam": frozenset({PlateId(1, 2, 5), PlateId(1, 2, 6)}),
    },
)


def event(time_s: float, shelf: int, change: Mapping[int, float], name: str = "") -> WeightEvent:
    """Grams gained by plate number."""
    plates = tuple(PlateId(1, shelf, plate) for plate in sorted(change))
    delta_g = np.array([change[p.plate] for p in plates])
    times = (time_s - 0.1, time_s + 0.1, time_s)
    return WeightEvent(
        name or f"1-{shelf}@{time_s}", ShelfId(1, shelf), *times, plates, delta_g, np.eye(len(plates)), 1.0
    )


def people(*hands: tuple[str, float, int, float], until_s: float = 60.0) -> FloorTracks:
    """Everybody stands a metre off the shelves with hands down, but for (who, when, shelf, plate): a hand is there."""
    names = tuple(sorted({name for name, *_ in hands}))
    time_s = np.arange(0.0, until_s, 0.1)
    joints_m = np.zeros((len(names), len(time_s), 8, 3))
    for row, name in enumerate(names):
        joints_m[row] = [0.5 + row, 1.0, 1.0]
        for _, at_s, shelf, plate in (h for h in hands if h[0] == name):
            near = np.abs(time_s - at_s) < 0.35
            joints_m[row, near, 6:] = centre(PlateId(1, shelf, 1)) * [0, 1, 1] + [0.1 * plate, 0.0, 0.05]
    order = np.argsort(np.tile(time_s, len(names)), kind="stable")
    flat = joints_m.reshape(-1, 8, 3)[order]
    who = np.repeat(np.arange(len(names)), len(time_s))[order]
    return FloorTracks.sightings(
        names,
        np.sort(np.tile(time_s, len(names))),
        who,
        xy_m=flat[:, 0, :2],
        joints_m=flat,
        joint_score=np.full((len(flat), 8), 0.95),
    )


def fuse(events, shoppers, *, answers=(), interactions=(), recognitions=(), **settings):
    fuser = CartFuser(STORE, FusionSettings(**{"gestures": False, **settings}))
    return fuser.fuse(events, shoppers, answers=answers, interactions=interactions, recognitions=recognitions)


def carts(fused):
    return {r.shopper: {line.product: line.quantity for line in r.items} for r in fused.receipts}


TAKE_TEA = event(10, 1, {1: -100.3})
TAKE_MILK = event(20, 1, {5: -499.0})


def test_it_is_a_fuser():
    assert isinstance(CartFuser(STORE), Fuser)


def test_takes_and_returns_make_a_receipt():
    happened = [TAKE_TEA, TAKE_MILK, event(30, 2, {1: -300.0}), event(40, 2, {1: 300.2})]
    hands = [("ann", 10, 1, 1), ("ann", 20, 1, 5), ("ann", 30, 2, 1), ("ann", 40, 2, 1)]
    fused = fuse(happened, people(*hands))
    (receipt,) = fused.receipts
    assert carts(fused) == {"ann": {"tea": 1, "milk": 1}}
    assert receipt.probability > 0.95
    assert [line.events for line in receipt.items] == [("1-1@20",), ("1-1@10",)]
    assert [(c.event, c.product, c.quantity) for c in fused.cart_events] == [
        ("1-1@10", "tea", 1),
        ("1-1@20", "milk", 1),
        ("1-2@30", "soap", 1),
        ("1-2@40", "soap", -1),
    ]


def test_several_units_are_counted():
    fused = fuse([event(10, 1, {1: -200.4, 2: -100.0})], people(("ann", 10, 1, 1.3)))
    assert carts(fused) == {"ann": {"tea": 3}}


def test_the_hand_at_the_plate_gets_it_and_everybody_gets_a_receipt():
    hands = [("ann", 10, 1, 1), ("bob", 10, 2, 7), ("bob", 20, 1, 5), ("ann", 20, 2, 7), ("cid", 50, 2, 8)]
    fused = fuse([TAKE_TEA, TAKE_MILK], people(*hands))
    assert carts(fused) == {"ann": {"tea": 1}, "bob": {"milk": 1}, "cid": {}}
    assert all(r.probability > 0.9 for r in fused.receipts)


def test_two_hands_as_near_leave_it_open():
    fused = fuse([TAKE_TEA], people(("ann", 10, 1, 1), ("bob", 10, 1, 1)))
    assert sorted(len(r.items) for r in fused.receipts) in ([0, 0], [0, 1])
    assert all(0.3 < r.probability < 0.7 for r in fused.receipts)


def test_a_return_settles_who_took_it():
    hands = [("ann", 10, 1, 1), ("bob", 10, 1, 1), ("bob", 40, 1, 1), ("ann", 40, 2, 8)]
    fused = fuse([TAKE_TEA, event(40, 1, {1: 100.2})], people(*hands))
    assert carts(fused) == {"ann": {}, "bob": {}}
    assert all(r.probability > 0.8 for r in fused.receipts)


def test_what_is_put_in_a_wrong_place_is_known_there():
    """Soap among the jam: who takes 300 g from there takes the soap, though jam of 302 g is at home there."""
    happened = [event(10, 2, {1: -299.0}), event(20, 2, {8: 299.1}), event(40, 2, {8: -299.0})]
    hands = [("ann", 10, 2, 1), ("ann", 20, 2, 8), ("bob", 40, 2, 8)]
    fused = fuse(happened, people(*hands))
    assert carts(fused) == {"ann": {}, "bob": {"soap": 1}}
    without = fuse(happened, people(*hands), dynamic_planogram=False)
    of = {r.shopper: r.probability for r in fused.receipts}
    assert (
        carts(without)["bob"] != {"soap": 1} or of["bob"] > {r.shopper: r.probability for r in without.receipts}["bob"]
    )


def episode(*changes: tuple[float, Mapping[int, float]]) -> list[WeightEvent]:
    """Events of one shelf with short rests between them."""
    plates = sorted({plate for _, change in changes for plate in change})
    found = []
    for time_s, change in changes:
        whole = event(time_s, 1, {plate: change.get(plate, 0.0) for plate in plates})
        found.append(whole)
    settled = 0.5 * np.eye(len(plates))
    return [
        WeightEvent(
            e.id, e.shelf, e.start_s, e.end_s, e.time_s, e.plates, e.delta_g, e.covariance_g2, 1.0, found[0].id, settled
        )
        for e in found
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(10.0, {1: 60.0}), (10.5, {1: -160.0})], {"tea": 1}),  # a hand presses, then lifts
        ([(10.0, {5: -210.0}), (11.0, {5: -290.0})], {"milk": 1}),  # a lift in two steps
        ([(10.0, {1: -100.0}), (10.6, {5: -500.0})], {"tea": 1, "milk": 1}),  # two things taken fast
        ([(10.0, {1: 40.0}), (10.7, {1: -40.0})], {}),  # a hand only touches
    ],
)
def test_rests_part_or_join_by_evidence(changes, expected):
    fused = fuse(episode(*changes), people(*(("ann", t, 1, min(c)) for t, c in changes)))
    assert carts(fused) == {"ann": expected}


def test_without_splitting_an_episode_is_one_thing_done():
    happened = episode((10.0, {5: -210.0}), (11.0, {5: -290.0}))
    assert carts(fuse(happened, people(("ann", 10, 1, 5), ("ann", 11, 1, 5)), splitting=False)) == {"ann": {"milk": 1}}


def test_staff_who_restock_owe_nothing():
    happened = [event(10, 1, {5: 500.3}), event(14, 1, {5: 499.6}), event(40, 1, {5: -500.0})]
    fused = fuse(happened, people(("staff", 10, 1, 5), ("staff", 14, 1, 5), ("ann", 40, 1, 5)))
    assert carts(fused) == {"ann": {"milk": 1}, "staff": {}}


def test_what_nobody_could_have_taken_is_on_a_receipt_of_its_own():
    fused = fuse([TAKE_TEA], FloorTracks.empty(shoppers=()))
    (receipt,) = fused.receipts
    assert receipt.shopper is None
    assert receipt.needs_review
    assert carts(fused) == {None: {"tea": 1}}


def test_what_nothing_explains_is_reported_and_the_receipt_is_not_believed():
    fused = fuse([event(10, 1, {1: -761.0})], people(("ann", 10, 1, 1)))
    (receipt,) = fused.receipts
    assert receipt.probability < 0.5 or receipt.needs_review
    assert fused.report[0]["where"] == "event 1-1@10"


def test_an_answer_counts_for_more_than_the_scales():
    shoppers = people(("ann", 10, 1, 1), ("bob", 10, 1, 1))
    for name in ("ann", "bob"):
        fused = fuse([TAKE_TEA], shoppers, answers=[Answer(TAKE_TEA.id, shopper=name)])
        assert carts(fused)[name] == {"tea": 1}
        assert all(r.probability > 0.95 for r in fused.receipts)
    fused = fuse([TAKE_TEA], shoppers, answers=[Answer(TAKE_TEA.id, items=())])
    assert all(not line for line in carts(fused).values())


def test_a_recogniser_tells_apart_what_weighs_the_same():
    """Something of 301 g is put down by who has soap and jam: the picture decides."""
    took = [event(10, 2, {1: -300.0}), event(20, 2, {5: -302.0}), event(40, 1, {8: 301.0})]
    hands = [("ann", 10, 2, 1), ("ann", 20, 2, 5), ("ann", 40, 1, 8)]
    for seen, left in (("soap", "jam"), ("jam", "soap")):
        found = fuse(
            took, people(*hands), recognitions=[Recognition("ann", 39.5, 40.5, {"soap": 0.05, "jam": 0.05, seen: 9.0})]
        )
        assert carts(found) == {"ann": {left: 1}}


def test_an_interaction_classifier_tells_whose_hand_it_was():
    shoppers = people(("ann", 10, 1, 1), ("bob", 10, 1, 1))
    none = {"take": 0.02, "return": 0.02, "touch": 0.9, "none": 0.06}
    take = {"take": 0.94, "return": 0.02, "touch": 0.02, "none": 0.02}
    said = [Interaction("ann", "1/1", 9.5, 10.5, none), Interaction("bob", "1/1", 9.5, 10.5, take)]
    fused = fuse([TAKE_TEA], shoppers, interactions=said)
    assert carts(fused) == {"ann": {}, "bob": {"tea": 1}}


def test_accounts_hold_what_the_probabilities_say():
    fused = fuse([TAKE_TEA], people(("ann", 10, 1, 1), ("bob", 10, 1, 1)))
    for receipt in fused.receipts:
        items = tuple((line.product, line.quantity) for line in receipt.items)
        said = math.fsum(a.probability for a in receipt.accounts if a.cart == items)
        assert said == pytest.approx(receipt.probability, abs=1e-6)
        assert set(receipt.accounts[0].moves) == {TAKE_TEA.id}


def test_a_receipt_waits_for_what_could_still_touch_it():
    shoppers = people(("ann", 10, 1, 1), until_s=10.4)
    fused = fuse([event(10, 1, {1: -100.0})], shoppers, hold_s=1.0)
    (receipt,) = fused.receipts
    assert receipt.left_s == pytest.approx(10.3, abs=0.11)
    assert receipt.released_s == pytest.approx(receipt.left_s + 1.0)


def test_order_of_events_and_rows_does_not_matter():
    happened = [TAKE_TEA, TAKE_MILK, event(30, 2, {1: -300.0})]
    shoppers = people(("ann", 10, 1, 1), ("bob", 20, 1, 5), ("ann", 30, 2, 1))
    shuffled = np.random.default_rng(0).permutation(len(shoppers))
    assert carts(fuse(happened[::-1], shoppers[shuffled])) == carts(fuse(happened, shoppers))
