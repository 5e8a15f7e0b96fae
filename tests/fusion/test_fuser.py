from __future__ import annotations

import math
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError, Explanation, FloorTracks, Fuser, Plate, PlateId, Product, ShelfId, Store, WeightEvent
from gocv.fusion import UNKNOWN, FusionSettings, NearestHandFuser

PLACES = 40
PLATES = [PlateId(1, 1, k + 1) for k in range(PLACES)]
STORE = Store(
    {name: Product(name, name.title(), 100.0) for name in ("tea", "milk", "soap")},
    {p: Plate(p, np.array([5.0 * k, 0.0, 1.0]), np.eye(3), np.array([0.1, 0.4])) for k, p in enumerate(PLATES)},
    {},
)


def moved(time_s, place, *explanations, grams=-100.0, probability=1.0):
    """An event at the plate that stands at x = 5·place, and its explanations: (items, probability)."""
    event = WeightEvent(
        f"{place}@{time_s}",
        ShelfId(1, 1),
        *(time_s - 0.1, time_s + 0.1, time_s),
        (PLATES[place],),
        np.array([grams]),
        np.eye(1),
        probability,
    )
    return event, [Explanation(tuple(sorted(items.items())), p) for items, p in explanations]


def take(time_s, place, **items):
    return moved(time_s, place, (items, 1.0))


def put(time_s, place, **items):
    return moved(time_s, place, ({name: -n for name, n in items.items()}, 1.0), grams=100.0)


def standing(*rows, shoppers=None):
    """Rows of (shopper, seconds, metres from x = 0 along the shelf)."""
    names = shoppers or tuple(sorted({r[0] for r in rows}))
    xy_m = np.array([[r[2], 0.5] for r in rows], float).reshape(-1, 2)
    index = np.array([names.index(r[0]) for r in rows], np.int64)
    return FloorTracks.sightings(names, np.array([r[1] for r in rows], float), index, xy_m=xy_m)


def fuse(happened, shoppers, **kwargs):
    fuser = NearestHandFuser(STORE, FusionSettings(**kwargs))
    return fuser.fuse([e for e, _ in happened], {e.id: x for e, x in happened}, shoppers)


def items(receipt):
    return {line.product: line.quantity for line in receipt.items}


def by_name(fused):
    return {r.shopper: r for r in fused.receipts}


class TestReceipts:
    def test_takes_and_returns_make_a_receipt(self):
        happened = [
            take(1, 0, tea=2),
            take(2, 0, milk=1),
            take(3, 0, soap=1),
            put(4, 0, soap=1),
            put(5, 0, tea=1),
        ]
        fused = fuse(happened, standing(*(("ann", t, 0) for t in range(7))))
        (receipt,) = fused.receipts
        assert receipt.shopper == "ann"
        assert [(line.product, line.name, line.quantity, line.events) for line in receipt.items] == [
            ("milk", "Milk", 1, ("0@2",)),
            ("tea", "Tea", 1, ("0@1", "0@5")),
        ]
        assert receipt.probability > 0.99
        assert not receipt.needs_review
        assert [(c.event, c.product, c.quantity) for c in fused.cart_events] == [
            ("0@1", "tea", 2),
            ("0@2", "milk", 1),
            ("0@3", "soap", 1),
            ("0@4", "soap", -1),
            ("0@5", "tea", -1),
        ]
        assert fused.report == ()

    def test_the_nearest_gets_it_and_everybody_gets_a_receipt(self):
        shoppers = standing(("ann", 1, 0.1), ("bob", 1, 5.2), ("cid", 1, 30))
        fused = fuse([take(1, 0, tea=1), take(1.2, 1, milk=1)], shoppers)
        assert [(r.shopper, items(r)) for r in fused.receipts] == [
            ("ann", {"tea": 1}),
            ("bob", {"milk": 1}),
            ("cid", {}),
        ]
        assert by_name(fused)["cid"].probability == 1
        assert not by_name(fused)["cid"].needs_review

    def test_two_who_were_as_near_need_a_review_and_one_of_them_is_charged(self):
        fused = fuse([take(1, 0, tea=1)], standing(("ann", 1, 0), ("bob", 1, 0)))
        assert sorted(len(r.items) for r in fused.receipts) == [0, 1]
        for receipt in fused.receipts:
            assert receipt.probability == pytest.approx(0.5, abs=1e-3)
            assert receipt.needs_review

    def test_three_who_were_nearly_as_near_do_not_make_it_vanish(self):
        fused = fuse([take(1, 0, tea=1)], standing(("ann", 1, 0), ("bob", 1, 0.6), ("cid", 1, 0.61)))
        assert sum(len(r.items) for r in fused.receipts) == 1
        assert items(by_name(fused)["ann"]) == {"tea": 1}
        assert by_name(fused)["ann"].probability < 0.5
        assert all(r.needs_review for r in fused.receipts)

    def test_a_later_return_settles_who_took_it(self):
        shoppers = standing(("ann", 1, 0), ("bob", 1, 0), ("bob", 60, 5))
        fused = fuse([take(1, 0, tea=1), put(60, 1, tea=1)], shoppers)
        assert {c.shopper for c in fused.cart_events} == {"bob"}
        assert [items(r) for r in fused.receipts] == [{}, {}]
        assert all(r.probability > 0.98 for r in fused.receipts)

    def test_what_nothing_explains_is_told_and_reviewed(self):
        fused = fuse([moved(1, 0, ({}, 1.0))], standing(("ann", 1, 0)))
        (receipt,) = fused.receipts
        assert receipt.items == ()
        assert receipt.needs_review
        assert receipt.probability < 0.01
        assert fused.cart_events == ()
        assert fused.report == (
            {
                "where": "event 0@1",
                "problem": "nothing in the catalogue explains -100.0 g at 1.00 s (shopper ann)",
            },
        )

    @pytest.mark.parametrize("review_below", [0.0, 1.0])
    def test_when_a_review_is_asked_for(self, review_below):
        shoppers = standing(("ann", 1, 0))
        assert fuse([take(1, 0, tea=1)], shoppers, review_below=review_below).receipts[0].needs_review == (
            review_below == 1.0
        )
        assert fuse([moved(1, 0, ({}, 1.0))], shoppers, review_below=review_below).receipts[0].needs_review

    def test_an_event_that_probably_was_none_charges_nobody(self):
        event = moved(1, 0, ({"tea": 1}, 1.0), probability=0.2)
        (receipt,) = fuse([event], standing(("ann", 1, 0))).receipts
        assert receipt.items == ()
        assert receipt.probability == pytest.approx(0.8, abs=1e-3)


class TestNobody:
    def test_what_nobody_can_be_named_for(self):
        happened = [take(1, 0, tea=2), take(2, 1, milk=1), take(3, 2, soap=1), put(4, 2, soap=1), put(5, 0, tea=1)]
        fused = fuse(happened, FloorTracks.empty(shoppers=()))
        (receipt,) = fused.receipts
        assert receipt.shopper is None
        assert receipt.needs_review
        assert items(receipt) == {"milk": 1, "tea": 1}
        assert receipt.items[1].events == ("0@1", "0@5")

    def test_its_probability_is_the_product_of_independent_ones(self):
        happened = [
            moved(1, 0, ({"tea": 1}, 0.8), ({"milk": 1}, 0.2)),
            moved(2, 1, ({"milk": 1}, 0.9), ({"tea": 1}, 0.1)),
        ]
        (receipt,) = fuse(happened, FloorTracks.empty(shoppers=())).receipts
        assert [line.probability for line in receipt.items] == pytest.approx([0.9, 0.8])
        assert receipt.probability == pytest.approx(0.72)

    def test_who_was_lost_for_a_while_may_have_done_it(self):
        shoppers = standing(("ann", 1, 0), ("ann", 30, 0), ("bob", 1, 0), ("cid", 30, 0))
        fused = fuse([take(15, 0, tea=1)], shoppers)
        assert [(r.shopper, items(r)) for r in fused.receipts] == [("ann", {"tea": 1}), ("bob", {}), ("cid", {})]
        assert fused.receipts[0].probability == pytest.approx(0.02 / 0.021)

    def test_it_comes_after_the_others_and_only_if_need_be(self):
        shoppers = standing(("ann", 1, 0), ("ann", 2, 0))
        fused = fuse([take(1, 0, tea=1), take(2, 9, milk=1)], shoppers)
        assert [(r.shopper, items(r)) for r in fused.receipts] == [("ann", {"tea": 1}), (None, {"milk": 1})]

    def test_no_events(self):
        fused = fuse([], standing(("ann", 1, 0), ("bob", 2, 0)))
        assert [(r.shopper, r.items, r.probability, r.needs_review) for r in fused.receipts] == [
            ("ann", (), 1.0, False),
            ("bob", (), 1.0, False),
        ]
        assert fuse([], FloorTracks.empty(shoppers=())).receipts == ()

    def test_an_event_without_explanations_is_refused(self):
        event, _ = take(1, 0, tea=1)
        with pytest.raises(DataError, match="event 0@1 has no explanations"):
            NearestHandFuser(STORE).fuse([event], {}, standing(("ann", 1, 0)))


@st.composite
def days(draw):
    """Events at a few places and shoppers who were about, some of them near each other."""
    events = []
    for k in range(draw(st.integers(0, 5))):
        place = draw(st.integers(0, 2))
        listed = draw(
            st.lists(
                st.dictionaries(st.sampled_from(["tea", "milk", "soap"]), st.sampled_from([-2, -1, 1, 2]), max_size=2),
                min_size=1,
                max_size=3,
                unique_by=lambda items_: tuple(sorted(items_.items())),
            )
        )
        share = [draw(st.floats(0.05, 1)) for _ in listed]
        explanations = [(x, s / math.fsum(share)) for x, s in zip(listed, share, strict=True)]
        probability = draw(st.sampled_from([1.0, 0.97, 0.4]))
        events.append(moved(k + draw(st.floats(0, 0.5)), place, *explanations, probability=probability))
    near = st.floats(-2, 12)
    rows = [(name, float(t), draw(near)) for name in "abc"[: draw(st.integers(0, 3))] for t in range(6)]
    return events, standing(*rows) if rows else FloorTracks.empty(shoppers=())


class TestProperties:
    def test_it_is_a_fuser(self):
        assert isinstance(NearestHandFuser(STORE), Fuser)

    @settings(max_examples=60, deadline=None)
    @given(day=days(), data=st.data())
    def test_what_always_holds(self, day, data):
        events, shoppers = day
        fused = fuse(events, shoppers)
        assert [r.shopper for r in fused.receipts if r.shopper is not None] == list(shoppers.shoppers)
        carts = {name: Counter() for name in (*shoppers.shoppers, None)}
        for c in fused.cart_events:
            cart = carts[c.shopper]
            cart[c.product] += c.quantity
            if c.shopper is not None:
                cart[c.product] = max(0, cart[c.product])
        for receipt in fused.receipts:
            assert items(receipt) == {p: n for p, n in sorted(carts[receipt.shopper].items()) if n > 0}
            assert -1e-9 <= receipt.probability <= 1 + 1e-9
            for line in receipt.items:
                assert line.events
                assert line.probability >= receipt.probability - 1e-9
                assert UNKNOWN not in line.product
        assert all(0 < c.probability <= 1 + 1e-9 for c in fused.cart_events)

        rows = data.draw(st.permutations(range(len(shoppers))))
        again = fuse(data.draw(st.permutations(events)), shoppers[rows])
        assert again == fused

    def test_shoppers_who_do_not_meet_do_not_matter_to_each_other(self):
        here = [take(1, 0, tea=1), moved(2, 0, ({"tea": -1}, 0.6), ({"milk": 1}, 0.4))]
        there = [moved(1.5, 7, ({"soap": 1}, 0.7), ({"milk": 2}, 0.3))]
        one = fuse(here, standing(("ann", 1, 0), ("ann", 2, 0.3), ("bob", 1, 0.6), ("bob", 2, 0.9)))
        both = fuse(
            here + there,
            standing(("ann", 1, 0), ("ann", 2, 0.3), ("bob", 1, 0.6), ("bob", 2, 0.9), ("zoe", 1.5, 35)),
        )
        assert both.receipts[:2] == one.receipts
        assert both.receipts[2].probability == pytest.approx(0.7, abs=1e-2)

    def test_hundreds_of_shoppers_who_all_hang_together(self):
        """Five takes each; everybody shares every event with a neighbour in the queue."""
        rng = np.random.default_rng(0)
        names = tuple(f"s{k:03}" for k in range(200))
        events, rows = [], []
        for k, j in np.ndindex(200, 5):
            at_s = 10.0 * k + 2 * j
            events.append(moved(at_s, j, ({"tea": 1}, 0.95), ({"milk": 1}, 0.05)))
            rows += [(names[k], at_s, 5 * j + rng.uniform(0, 0.5)), (names[k - 1], at_s, 5 * j + 1.2)]
        started = time.perf_counter()
        fused = fuse(events, standing(*rows, shoppers=names), beam=64)
        assert time.perf_counter() - started < 60
        assert len(fused.receipts) == 200
        assert np.mean([items(r) == {"tea": 5} for r in fused.receipts]) > 0.95
