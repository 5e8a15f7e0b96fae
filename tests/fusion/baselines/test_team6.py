from __future__ import annotations

import math

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Product, ShelfId, Store, WeightEvent
from gocv.fusion.baselines import team6_carts, team6_outcome, team6_receipts
from gocv.metrics import score_receipts

PLATES = tuple(PlateId(1, 1, k) for k in range(1, 13))
WHERE = {"cola": [1, 2, 3], "tea": [3, 5], "soap": [8], "mint": [8], "salt": [11]}
GRAMS = {"cola": 350.0, "tea": 120.0, "soap": 90.0, "mint": 40.0, "salt": 500.0}
STORE = Store(
    {name: Product(name, name, grams) for name, grams in GRAMS.items()},
    {p: Plate(p, np.array([p.plate, 0.0, 1.0]), np.eye(3), np.array([1.0, 0.4])) for p in PLATES},
    {name: frozenset(PLATES[k - 1] for k in on) for name, on in WHERE.items()},
)


def event(time_s, **grams):
    """An event from p1=..., p2=..., half a second long on either side of `time_s`."""
    plates = tuple(PLATES[int(name[1:]) - 1] for name in grams)
    delta_g = np.array(list(grams.values()), float)
    name = f"{time_s}:{','.join(grams)}"
    return WeightEvent(
        name, ShelfId(1, 1), time_s - 0.5, time_s + 0.5, time_s, plates, delta_g, np.eye(len(plates)), 1.0
    )


def wrists(*rows):
    """Rows of (shopper, seconds, right wrist in metres[, joint])."""
    names = tuple(dict.fromkeys(r[0] for r in rows))
    joints_m, score = np.full((len(rows), len(JOINTS), 3), np.nan), np.zeros((len(rows), len(JOINTS)))
    for i, (_, _, place_m, *joint) in enumerate(rows):
        joints_m[i, JOINTS.index(joint[0] if joint else "r_wrist")] = place_m
        score[i, JOINTS.index(joint[0] if joint else "r_wrist")] = 0.1
    index = np.array([names.index(r[0]) for r in rows], np.int64)
    return FloorTracks.sightings(
        names, np.array([r[1] for r in rows], float), index, joints_m=joints_m, joint_score=score
    )


def decided(events, store=STORE, shoppers=None):
    found = team6_carts(events, FloorTracks.empty(shoppers=()) if shoppers is None else shoppers, store)
    return [(d.shopper, d.product, d.quantity) for d in found.decisions]


class TestProducts:
    @pytest.mark.parametrize(
        ("grams", "found"),
        [
            ({"p1": -351}, ("cola", 1)),
            ({"p1": -350, "p2": -345}, ("cola", 2)),
            ({"p3": -120}, ("tea", 1)),
            ({"p3": -60, "p5": -58}, ("tea", 1)),
            ({"p8": -90}, ("soap", 1)),
            ({"p8": -81}, ("mint", 2)),
            ({"p8": -120}, ("mint", 3)),
            ({"p8": 92}, ("soap", -1)),
            ({"p8": -19}, None),
            ({"p11": -249}, None),
            ({"p11": -251}, ("salt", 1)),
            ({"p4": -90}, None),
            ({"p8": -90, "p11": -480}, ("soap", 1)),
        ],
        ids=[
            *("one", "two over two plates", "a plate that two share", "the plates of a product are summed"),
            *("weight decides", "two of the lighter", "three of the lighter", "put back", "less than half a unit"),
            *("of a heavy one too", "no fit is too bad", "nothing stands there", "one product an event"),
        ],
    )
    def test_of_an_event(self, grams, found):
        assert decided([event(3, **grams)]) == ([(None, *found)] if found else [])

    def test_the_score_is_a_normal_density(self):
        (decision,) = team6_carts([event(3, p11=-990)], FloorTracks.empty(shoppers=()), STORE).decisions
        assert (decision.product, decision.quantity) == ("salt", 2)
        assert decision.score == pytest.approx(math.exp(-0.5 * 0.5**2) / math.sqrt(2 * math.pi))

    def test_the_spread_on_file_counts(self):
        products = {"narrow": Product("narrow", "narrow", 100.0, 1.0), "wide": Product("wide", "wide", 90.0, 10.0)}
        store = Store(products, STORE.plates, {name: frozenset({PLATES[0]}) for name in products})
        assert decided([event(3, p1=-102)], store) == [(None, "wide", 1)]
        assert decided([event(3, p1=-101)], store) == [(None, "narrow", 1)]

    def test_ties_go_to_the_first_in_the_planogram(self):
        products = {name: Product(name, name, 100.0) for name in "ab"}
        store = Store(products, STORE.plates, {name: frozenset({PLATES[0]}) for name in "ba"})
        assert decided([event(3, p1=-103)], store) == [(None, "b", 1)]

    def test_a_product_without_a_weight_is_none(self):
        store = Store({"a": Product("a", "a")}, STORE.plates, {"a": frozenset({PLATES[0]})})
        assert decided([event(3, p1=-103)], store) == []


class TestShoppers:
    # Soap's box: plate 8, 1 × 0.4 m, from 1 to 1.25 m above the floor; inflated it is 1.7 × 0.68 × 0.425 m.
    @pytest.mark.parametrize(
        ("rows", "who"),
        [
            ([("ann", 3, (8.84, 0.0, 1.1)), ("bob", 3, (8.86, 0.0, 1.1))], "ann"),
            ([("ann", 3, (8.0, 0.35, 1.1)), ("bob", 3, (8.0, -0.33, 1.1))], "bob"),
            ([("ann", 3, (8.0, 0.0, 1.35)), ("bob", 3, (8.0, 0.0, 1.33))], "bob"),
            ([("ann", 3, (8.0, 0.0, 0.90)), ("bob", 3, (8.0, 0.0, 0.92))], "bob"),
            ([("ann", 3, (8.0, 0.0, 1.1), "head"), ("bob", 3, (8.0, 0.0, 1.1), "l_wrist")], "bob"),
            ([("ann", 2.4, (8.0, 0.0, 1.1)), ("bob", 3.5, (8.0, 0.0, 1.1))], "bob"),
            ([("ann", t / 10, (8.0, 0.0, 1.1)) for t in (28, 29)] + [("bob", 3.0, (8.0, 0.0, 1.1))], "ann"),
            ([("bob", 3, (8.0, 0.0, 1.1)), ("ann", 3, (8.0, 0.0, 1.1))], "bob"),
            ([("ann", 3, (5.0, 0.0, 1.1))], None),
        ],
        ids=[
            *("along", "across", "above", "below", "wrists only", "during the event", "most rows", "as many rows"),
            "nobody",
        ],
    )
    def test_whose_wrist_was_in_the_box(self, rows, who):
        found = team6_carts([event(3, p8=-90)], wrists(*rows), STORE)
        assert [(d.shopper, d.product, d.quantity) for d in found.decisions] == [(who, "soap", 1)]
        assert found.carts == {name: {"soap": 1} if name == who else {} for name in {r[0] for r in rows}}

    def test_the_box_is_over_all_plates_of_the_product(self):
        far = wrists(("ann", 3, (3.9, 0.0, 1.1)))
        assert decided([event(3, p1=-350)], shoppers=far) == [("ann", "cola", 1)]

    def test_the_box_turns_with_the_shelf(self):
        turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        plates = {p: Plate(p, turn @ STORE.plates[p].centre_m, turn, STORE.plates[p].size_m) for p in PLATES}
        store = Store(STORE.products, plates, STORE.planogram)
        shoppers = wrists(*(("ann", 3, turn @ m) for m in [(8.84, 0.0, 1.1)]), ("bob", 3, turn @ (8.0, 0.84, 1.1)))
        assert decided([event(3, p8=-90)], store, shoppers) == [("ann", "soap", 1)]

    def test_plates_that_were_not_surveyed_name_nobody(self):
        store = Store(STORE.products, {p: Plate.unsurveyed(p) for p in PLATES}, STORE.planogram)
        assert decided([event(3, p8=-90)], store, wrists(("ann", 3, (8, 0, 1)))) == [(None, "soap", 1)]

    def test_carts_hold_no_less_than_nothing(self):
        shoppers = wrists(*(("ann", t, (8.0, 0.0, 1.1)) for t in (1, 2, 3, 4)))
        happened = [event(1, p8=90), event(2, p8=-270), event(3, p8=90)]
        assert team6_carts(happened, shoppers, STORE).carts == {"ann": {"soap": 2}}
        assert team6_carts([*happened[::-1], event(4, p8=270)], shoppers, STORE).carts == {"ann": {}}


class TestRealRecordings:
    def test_benchmark_1(self, benchmark_1):
        truth = {r.shopper: r.items for r in benchmark_1.truth.receipts}
        found = team6_receipts(benchmark_1)
        assert score_receipts(found, truth).f1 == 1
        assert found == truth

    def test_cps_test_01_names_the_products_and_has_no_joints_to_name_the_shopper(self, cps_test_01):
        found = team6_outcome(cps_test_01)
        assert [(d.shopper, d.product, d.quantity) for d in found.decisions] == [
            (None, "071063437089", 1),
            (None, "632565000012", 1),
        ]
        assert found.carts == {}
