from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Product, ShelfId, Store, WeightEvent
from gocv.fusion.baselines import mps_carts, mps_outcome, mps_receipts
from gocv.metrics import score_receipts

PLATES = tuple(PlateId(1, 1, k) for k in range(1, 13))
WHERE = {"cola": [1, 2, 3], "tea": [5, 6], "soap": [8], "gum": [10], "salt": [11]}
GRAMS = {"cola": 350.0, "tea": 120.0, "soap": 90.0, "gum": 15.0, "salt": 500.0, "secret": float("nan")}
STORE = Store(
    {name: Product(name, name, grams) for name, grams in GRAMS.items()},
    {p: Plate(p, np.array([p.plate, 0.0, 1.0]), np.eye(3), np.array([0.9, 0.4])) for p in PLATES},
    {name: frozenset(PLATES[k - 1] for k in on) for name, on in WHERE.items()},
)


def event(time_s, **grams):
    """An event from p1=..., p2=..., whose variance peaked at `time_s`."""
    plates = tuple(PLATES[int(name[1:]) - 1] for name in grams)
    delta_g = np.array(list(grams.values()), float)
    place = f"{time_s}:{','.join(grams)}"
    return WeightEvent(
        place, ShelfId(1, 1), time_s - 0.5, time_s + 0.5, time_s, plates, delta_g, np.eye(len(plates)), 1.0
    )


def bodies(*rows):
    """Rows of (shopper, seconds, joint, metres from x = 0 along the shelf[, score])."""
    names = tuple(dict.fromkeys(r[0] for r in rows))
    joints_m, score = np.full((len(rows), len(JOINTS), 3), np.nan), np.zeros((len(rows), len(JOINTS)))
    for i, (_, _, joint, x, *sure) in enumerate(rows):
        joints_m[i, JOINTS.index(joint)] = [x, 0.0, 1.0]
        score[i, JOINTS.index(joint)] = sure[0] if sure else 0.95
    index = np.array([names.index(r[0]) for r in rows], np.int64)
    return FloorTracks.sightings(
        names, np.array([r[1] for r in rows], float), index, joints_m=joints_m, joint_score=score
    )


ANN = bodies(*(("ann", t, "r_wrist", 5.0) for t in range(20)))


def moves(events, shoppers=ANN, **switches):
    found = mps_carts(events, shoppers, STORE, **switches)
    return found.carts, [(d.shopper, d.product, d.quantity) for d in found.decisions]


class TestProducts:
    @pytest.mark.parametrize(
        ("grams", "found"),
        [
            ({"p1": -351}, ("cola", 1)),
            ({"p1": -700}, ("cola", 2)),
            ({"p5": -60, "p6": -61}, ("tea", 1)),
            ({"p8": -200}, ("soap", 2)),
            ({"p8": -50}, ("soap", 1)),
            ({"p8": -35}, None),
            ({"p8": -37}, ("soap", 1)),
            ({"p4": -90}, None),
            ({"p12": -500}, None),
        ],
        ids=[
            *("one", "two", "over two plates", "units are rounded", "one at least", "under 0.4 of a unit"),
            *("just over 0.4 of a unit", "nothing stands there", "nor there"),
        ],
    )
    def test_takes(self, grams, found):
        carts, decided = moves([event(3, **grams)])
        assert decided == ([("ann", *found)] if found else [])
        assert carts == {"ann": dict([found]) if found else {}}

    def test_the_score(self):
        """0.8 · 1 + 0.2 · the overlap of two normals of 10 g that are 20 g apart."""
        (decision,) = mps_carts([event(3, p5=-140)], ANN, STORE).decisions
        assert decision.score == pytest.approx(0.8 + 0.2 * 2 * stats.norm.cdf(-1))
        assert (decision.event, decision.time_s) == ("3:p5", 3)

    def test_arrangement_is_the_share_of_the_change_where_a_product_stands(self):
        (decision,) = mps_carts([event(3, p5=-90, p4=-30)], ANN, STORE, event_splitting=False).decisions
        assert decision.product == "tea"
        assert decision.score == pytest.approx(0.8 * 90 / 120 + 0.2)

    def test_place_outweighs_weight(self):
        """Two plates without products beside soap: gum's weight, but three quarters of the change are soap's."""
        store = Store(STORE.products, STORE.plates, {**STORE.planogram, "gum": frozenset({PLATES[8]})})
        found = mps_carts([event(3, p8=-67.5, p9=-22.5)], ANN, store, event_splitting=False)
        assert [d.product for d in found.decisions] == ["soap"]

    @pytest.mark.parametrize(("grams", "found"), [(-100, "b"), (-350, "a"), (-225, "b")])
    def test_weight_parts_what_stands_together(self, grams, found):
        store = two_on_one_plate(350.0, 100.0)
        assert [d.product for d in mps_carts([event(3, p1=grams)], ANN, store).decisions] == [found]

    def test_ties_go_to_the_first_in_the_planogram(self):
        store = two_on_one_plate(100.0, 100.0)
        assert [d.product for d in mps_carts([event(3, p1=-100)], ANN, store).decisions] == ["a"]

    def test_a_product_without_a_weight_is_no_candidate(self):
        store = two_on_one_plate(float("nan"), 100.0)
        assert [d.product for d in mps_carts([event(3, p1=-130)], ANN, store).decisions] == ["b"]


def two_on_one_plate(a_g, b_g):
    products = {"a": Product("a", "a", a_g), "b": Product("b", "b", b_g)}
    return Store(products, STORE.plates, {name: frozenset({PLATES[0]}) for name in products})


class TestSplitting:
    def test_two_products_of_one_event(self):
        happened = [event(3, p2=-351, p5=-119)]
        assert moves(happened)[0] == {"ann": {"cola": 1, "tea": 1}}
        assert moves(happened, event_splitting=False)[0] == {"ann": {"cola": 1}}

    def test_a_take_and_a_return_of_one_event(self):
        happened = [event(2, p8=-90), event(3, p2=-351, p8=90)]
        assert moves(happened)[0] == {"ann": {"cola": 1}}
        # Taken as one take of 261 g, most of it where cola stands.
        assert moves(happened, event_splitting=False)[0] == {"ann": {"soap": 1, "cola": 1}}

    def test_a_product_connects_its_plates_over_one_that_did_not_change(self):
        assert moves([event(3, p1=-170, p3=-180)])[1] == [("ann", "cola", 1)]

    @pytest.mark.parametrize(("beside_g", "total_g"), [(-4.9, 340.0), (-5.1, 345.1)])
    def test_plates_that_changed_little_are_in_no_part(self, beside_g, total_g):
        """A third of the lightest unit, gum's 15 g, is 5 g."""
        (decision,) = mps_carts([event(3, p1=-340, p2=beside_g)], ANN, STORE).decisions
        assert decision.product == "cola"
        assert decision.score == pytest.approx(0.8 + 0.2 * 2 * stats.norm.cdf(-(350 - total_g) / 20))

    def test_one_part_can_come_of_several_products_in_a_chain(self):
        chain = {"a": [1, 2], "b": [2, 3], "c": [3, 4]}
        store = Store(
            {name: Product(name, name, 100.0) for name in chain},
            STORE.plates,
            {name: frozenset(PLATES[k - 1] for k in on) for name, on in chain.items()},
        )
        found = mps_carts([event(3, p1=-40, p2=-40, p3=-40, p4=-80)], ANN, store)
        assert [(d.product, d.quantity) for d in found.decisions] == [("c", 2)]
        apart = mps_carts([event(3, p1=-100, p4=-100)], ANN, store)
        assert [(d.product, d.quantity) for d in apart.decisions] == [("a", 1), ("c", 1)]


class TestReturns:
    def test_only_what_the_cart_holds_comes_back(self):
        assert moves([event(2, p8=90)]) == ({"ann": {}}, [])
        assert moves([event(1, p2=-350), event(2, p8=90)])[0] == {"ann": {"cola": 1}}
        assert moves([event(1, p8=-90), event(2, p8=180)])[1] == [("ann", "soap", 1), ("ann", "soap", -1)]
        assert moves([event(1, p8=-180), event(2, p8=90)])[0] == {"ann": {"soap": 1}}

    def test_the_cart_is_that_of_whoever_puts_it_back(self):
        shoppers = bodies(
            ("ann", 1, "r_wrist", 8), ("bob", 1, "head", 2), ("ann", 2, "head", 2), ("bob", 2, "l_wrist", 8)
        )
        carts, decided = moves([event(1, p8=-90), event(2, p8=90)], shoppers)
        assert decided == [("ann", "soap", 1)]
        assert carts == {"ann": {"soap": 1}, "bob": {}}

    def test_what_was_put_back_in_a_wrong_place_is_found_there_by_the_dynamic_planogram_alone(self):
        happened = [event(1, p8=-90), event(2, p4=90), event(3, p4=-90)]
        assert moves(happened) == ({"ann": {"soap": 1}}, [("ann", "soap", 1), ("ann", "soap", -1), ("ann", "soap", 1)])
        assert moves(happened, dynamic_planogram=False)[0] == {"ann": {}}

    def test_in_a_place_of_something_else_too(self):
        happened = [event(1, p8=-90), event(2, p5=90), event(3, p5=-90)]
        assert moves(happened)[0] == {"ann": {"soap": 1}}
        assert moves(happened, dynamic_planogram=False)[0] == {"ann": {"tea": 1}}

    def test_it_stands_where_a_fifth_of_it_was_put(self):
        def then(**taken):
            return moves([event(1, p8=-90), event(2, p4=73, p12=17), event(3, **taken)], event_splitting=False)[1][2:]

        assert then(p4=-90) == [("ann", "soap", 1)]
        assert then(p12=-90) == []
        assert moves([event(1, p8=-90), event(2, p4=71, p12=19), event(3, p12=-90)], event_splitting=False)[1][2:] == [
            ("ann", "soap", 1)
        ]

    def test_the_store_is_left_as_it_was(self):
        before = dict(STORE.planogram)
        moves([event(1, p8=-90), event(2, p4=90)])
        assert STORE.planogram == before


class TestShoppers:
    @pytest.mark.parametrize(
        ("rows", "who"),
        [
            ([("ann", 3, "head", 6), ("bob", 3, "r_wrist", 7.5)], "bob"),
            ([("ann", 3, "head", 7.9), ("bob", 3, "r_wrist", 7.5)], "ann"),
            ([("ann", 3, "l_elbow", 8), ("bob", 3, "r_wrist", 2)], "bob"),
            ([("ann", 3, "head", 8, 0.8), ("bob", 3, "r_wrist", 2)], "bob"),
            ([("ann", 3.1, "head", 2), ("ann", 3.3, "head", 8), ("bob", 3, "r_wrist", 5)], "bob"),
            ([("ann", 3.6, "head", 8), ("bob", 3, "r_wrist", 2)], "bob"),
            ([("bob", 3, "head", 7), ("ann", 3, "head", 9)], "bob"),
            ([("ann", 3, "head", 8, 0.5)], None),
            ([("ann", 9, "head", 8)], None),
        ],
        ids=[
            *("nearest wrist", "nearest head", "no elbows", "unsure joints", "the moment counts", "long ago"),
            *("as near", "nobody is sure", "nobody is there"),
        ],
    )
    def test_the_nearest_at_the_peak(self, rows, who):
        carts, decided = moves([event(3, p8=-90)], bodies(*rows))
        assert decided == [(who, "soap", 1)]
        assert carts == {name: {"soap": 1} if name == who else {} for name in {r[0] for r in rows}}

    def test_nobody_at_all(self):
        assert moves([event(3, p8=-90), event(4, p8=90)], FloorTracks.empty(shoppers=())) == ({}, [(None, "soap", 1)])

    def test_plates_that_were_not_surveyed_name_nobody(self):
        store = Store(STORE.products, {p: Plate.unsurveyed(p) for p in PLATES}, STORE.planogram)
        (decision,) = mps_carts([event(3, p8=-90)], ANN, store).decisions
        assert decision.shopper is None

    def test_the_order_of_events_and_rows_does_not_matter(self):
        happened = [event(1, p8=-90), event(2, p4=90), event(3, p4=-90)]
        assert moves(happened[::-1], ANN[np.arange(len(ANN))[::-1]]) == moves(happened)


class TestRealRecordings:
    @pytest.mark.parametrize("dynamic_planogram", [True, False])
    @pytest.mark.parametrize("event_splitting", [True, False])
    def test_benchmark_1(self, benchmark_1, dynamic_planogram, event_splitting):
        truth = {r.shopper: r.items for r in benchmark_1.truth.receipts}
        found = mps_receipts(benchmark_1, dynamic_planogram=dynamic_planogram, event_splitting=event_splitting)
        assert score_receipts(found, truth).f1 == 1
        assert found == truth

    def test_cps_test_01_names_the_products_and_has_no_joints_to_name_the_shopper(self, cps_test_01):
        found = mps_outcome(cps_test_01)
        assert [(d.shopper, d.product, d.quantity) for d in found.decisions] == [
            (None, "071063437089", 1),
            (None, "632565000012", 1),
        ]
        assert found.carts == {}

    def test_cps_test_01_with_somebody_there(self, cps_test_01):
        (receipt,) = cps_test_01.truth.receipts
        somebody = bodies(*((receipt.shopper, t / 10, "head", 1.0) for t in range(340)))
        assert mps_receipts(cps_test_01, shoppers=somebody) == {receipt.shopper: receipt.items}
