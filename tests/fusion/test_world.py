"""The state of the store: what counts as the same, and clusters that are as good as one joint list."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ShelfId
from gocv.fusion.world import FLOOR, Cart, Done, Hypothesis, Log, Place, Unit, World, entries, merged

SHELF = ShelfId(1, 1)


def cart(*products: str) -> Cart:
    return Cart.of(Unit(product, "e") for product in products)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (cart("tea", "jam"), cart("jam", "tea"), True),
        (cart("tea"), cart("tea", "tea"), False),
        (Cart.of([Unit("tea", "e1", 100.0)]), Cart.of([Unit("tea", "e2", 90.0)]), True),
        (cart("tea"), Cart.of([Unit("tea", "e")], staff=True), False),
    ],
)
def test_carts_are_the_same_where_they_hold_the_same(one, other, same):
    assert (one.key == other.key) is same


def test_places_remember_which_unit_it_is():
    assert Place.of([Unit("tea", "e1")]).key != Place.of([Unit("tea", "e2")]).key


def test_items_of_staff_are_none():
    assert Cart.of([Unit("tea", "e")], staff=True).items == ()
    assert cart("tea", "jam", "tea").items == (("jam", 1), ("tea", 2))


def test_merging_adds_up_and_keeps_the_more_probable_details():
    light = Hypothesis(math.log(0.2), {0: Cart.of([Unit("tea", "early", 99.0)])})
    heavy = Hypothesis(math.log(0.3), {0: Cart.of([Unit("tea", "late", 101.0)])})
    other = Hypothesis(math.log(0.5), {0: cart("jam")})
    found = merged([light, heavy, other], beam=10)
    assert [math.exp(h.log_weight) for h in found] == pytest.approx([0.5, 0.5])
    assert {h.cart(0).units[0].episode for h in found} == {"late", "e"}


def test_the_beam_keeps_the_best_and_they_sum_to_one():
    many = [Hypothesis(math.log(w), {0: cart(*["tea"] * n)}) for n, w in enumerate((0.1, 0.6, 0.3))]
    found = merged(many, beam=2)
    assert [h.cart(0).count("tea") for h in found] == [1, 2]
    assert math.fsum(math.exp(h.log_weight) for h in found) == pytest.approx(1)


def test_what_was_done_can_keep_the_same_state_apart():
    same = [Hypothesis(0.0, {0: cart("tea")}, (Done(who, "tea", 1, 0.0),)) for who in (0, 1)]
    assert len(merged(same, 10)) == 1
    assert len(merged(same, 10, with_done=True)) == 2


def test_a_sure_variable_needs_no_cluster():
    world = World(beam=8)
    known = world.gather([0, 1, SHELF, FLOOR])
    assert len(known) == 1
    after = [Hypothesis(math.log(w), {**known[0].state, 0: cart(p)}) for w, p in ((0.7, "tea"), (0.3, "jam"))]
    world.scatter(merged(after, 8))
    assert len(world.gather([1])) == 1
    assert len(world.gather([1, 0])) == 2
    assert [round(w, 9) for _, w in world.release(0)] == [0.7, 0.3]
    assert world.release(0) == [(Cart.of(()), 1.0)]


WEIGHTS = st.lists(st.floats(0.05, 1.0), min_size=2, max_size=3)
STEPS = st.lists(st.tuples(st.sets(st.integers(0, 3), min_size=1, max_size=2), WEIGHTS), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_clusters_are_as_good_as_one_joint_list(steps):
    """Each step gives one of some shoppers a thing, or nobody; brute force keeps also what is hardly probable."""
    world = World(beam=100_000)
    joint = [(1.0, dict.fromkeys(range(4), 0))]
    for shoppers, weights in steps:
        choices = list(zip([None, *sorted(shoppers)], weights, strict=False))
        known = world.gather(sorted(shoppers))
        after = []
        for h, (who, weight) in itertools.product(known, choices):
            state = h.state if who is None else {**h.state, who: cart(*["tea"] * (h.cart(who).count("tea") + 1))}
            after.append(Hypothesis(h.log_weight + math.log(weight), state))
        world.scatter(merged(after, 100_000))
        joint = [
            (p * w, {**held, **({} if who is None else {who: held[who] + 1})})
            for (p, held), (who, w) in itertools.product(joint, choices)
        ]
    whole = math.fsum(p for p, _ in joint)
    for shopper in (2, 0, 3, 1):
        found: dict[int, float] = {}
        for value, weight in world.release(shopper):
            found[value.count("tea")] = found.get(value.count("tea"), 0.0) + weight
        for count in range(6):
            expected = math.fsum(p for p, held in joint if held[shopper] == count) / whole
            assert found.get(count, 0.0) == pytest.approx(expected, abs=2e-3)


def test_entries_are_in_order_of_time():
    log = Log("b", (), Log("a", (Done(0, "tea", 1, 1.0),), None))
    assert [name for name, _ in entries(log)] == ["a", "b"]
