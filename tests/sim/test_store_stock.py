"""Every unit of a store has one place, and the plates under it feel it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError, PlateId, Product, ShelfId
from gocv.sim import Article, Stock, demo_layout
from gocv.sim.layout import Gondola
from gocv.sim.stock import Disorder, Unit, spread
from gocv.sim.stores.parametric import ParametricStore

SMALL = ParametricStore(aisles=1, gondolas_per_row=1, shelves=3, plates_per_shelf=8, products=20, seed=1).layout()
LAYOUTS = {"demo": demo_layout(), "small": SMALL}
TIDY = Disorder(astride=0.0, misplaced=0.0, leaning=0.0)
WILD = Disorder(astride=1.0, misplaced=0.2, leaning=1.0, jostled=0.8, jostle_m=0.05)
HERE = ShelfId(1, 1)
THREE_PLATES = Gondola(1, (0.0, 0.0), 0.0, 3, (0.5,), pitch_m=0.1)


def _unit(along_m: float, width_m: float = 0.1, lean: tuple[float, float, float] = (0, 0, 0), g: float = 100) -> Unit:
    article = Article(Product("1", "tea", g), g, 1.0, width_m, 0.1)
    return Unit(1, article, g, HERE, along_m, 0.1, lean)


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([], [0, 0, 0]),
        ([_unit(0.15)], [0, 100, 0]),
        ([_unit(0.20)], [0, 50, 50]),
        ([_unit(0.15, width_m=0.2)], [25, 50, 25]),
        ([_unit(0.12), _unit(0.22)], [30, 70 + 30, 70]),
        ([_unit(0.15, lean=(0.4, 0, 0))], [40, 60, 0]),
        ([_unit(0.15, lean=(0, 0.4, 0))], [0, 60, 40]),
        ([_unit(0.15, lean=(0, 0, 0.4))], [0, 60, 0]),
        ([_unit(0.20, lean=(0.2, 0, 0))], [10, 40 + 10, 40]),
        ([_unit(0.05, lean=(0.4, 0, 0))], [100, 0, 0]),
        ([_unit(0.25, lean=(0, 0.4, 0))], [0, 0, 100]),
    ],
)
def test_plates_carry_the_units_over_them_and_what_leans_on_those(units, expected) -> None:
    np.testing.assert_allclose(spread(units, THREE_PLATES), expected, atol=1e-9)


@pytest.mark.parametrize("disorder", [TIDY, Disorder(), WILD], ids=["tidy", "usual", "wild"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("fill", [1.0, 0.3])
def test_shelves_weigh_what_stands_on_them_less_what_the_frame_carries(layout, disorder, fill) -> None:
    stock = Stock(layout, np.random.default_rng(5), disorder, fill)
    for shelf in stock.shelves():
        carried = sum(unit.weight_g * (1 - unit.lean[2]) for unit in stock.units(shelf))
        assert stock.loads_g(shelf).sum() == pytest.approx(carried, abs=1e-6)
        assert (stock.loads_g(shelf) >= 0).all()


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_tidy_shelf_is_as_the_planogram_says(layout) -> None:
    stock = Stock(layout, np.random.default_rng(2), TIDY)
    for shelf in stock.shelves():
        plates = layout.gondolas[shelf.gondola].plate_ids(shelf)
        for product in {unit.article.id for unit in stock.units(shelf)}:
            own = [plate in layout.store.planogram[product] for plate in plates]
            on_plates = spread(
                [u for u in stock.units(shelf) if u.article.id == product], layout.gondolas[shelf.gondola]
            )
            assert on_plates[own].sum() == pytest.approx(on_plates.sum(), rel=1e-9), (shelf, product)


def test_an_untidy_store_differs_from_the_planogram_in_each_way_that_is_asked_for() -> None:
    layout = LAYOUTS["demo"]

    def astray_g(**changed: float) -> float:
        stock = Stock(layout, np.random.default_rng(3), Disorder.model_validate({**TIDY.model_dump(), **changed}))
        total = 0.0
        for unit in stock.units():
            gondola = layout.gondolas[unit.shelf.gondola]
            own = [plate in layout.store.planogram[unit.article.id] for plate in gondola.plate_ids(unit.shelf)]
            total += unit.weight_g - spread([unit], gondola)[own].sum()
        return total

    tidy = astray_g()
    assert all(astray_g(**{key: 1.0}) > tidy + 1000 for key in ("astride", "misplaced", "leaning"))


def test_limp_packs_lean_more_often_and_nothing_on_a_peg_does() -> None:
    leans: Counter[tuple[str, bool]] = Counter()
    hung: list[Unit] = []
    for layout in LAYOUTS.values():
        pegs = {(f.article.id, f.shelf) for f in layout.facings if f.display == "peg"}
        for unit in Stock(layout, np.random.default_rng(1), Disorder(leaning=0.5)).units():
            if (unit.article.id, unit.shelf) in pegs:
                hung.append(unit)
            else:
                leans[unit.article.form, any(unit.lean)] += 1

    def share(form: str) -> float:
        return leans[form, True] / (leans[form, True] + leans[form, False])

    assert share("bag") > share("box") > share("can") > 0
    assert hung
    assert not any(any(unit.lean) for unit in hung)


@pytest.mark.parametrize("disorder", [TIDY, WILD], ids=["tidy", "wild"])
def test_units_stand_on_their_shelf_and_on_the_plate_under_their_middle(disorder) -> None:
    for layout in LAYOUTS.values():
        stock = Stock(layout, np.random.default_rng(4), disorder)
        for shelf in stock.shelves():
            pitch_m = layout.gondolas[shelf.gondola].pitch_m
            expected = Counter(
                (unit.article.id, PlateId(*shelf, int(unit.along_m // pitch_m) + 1)) for unit in stock.units(shelf)
            )
            assert stock.standing(shelf) == expected
            assert {plate for _, plate in expected} <= set(layout.gondolas[shelf.gondola].plate_ids(shelf))


@settings(deadline=None)
@given(st.floats(-1.0, 3.0))
def test_a_hand_weighs_on_the_two_nearest_plates(along_m) -> None:
    share = Stock(SMALL, np.random.default_rng(0)).under(HERE, along_m)
    middles = (np.arange(len(share)) + 0.5) * SMALL.gondolas[1].pitch_m
    assert share.sum() == pytest.approx(1.0)
    assert share.min() >= 0
    assert share.argmax() == np.abs(middles - along_m).argmin()
    assert (
        np.abs(middles - along_m)[share > 1e-6] <= max(SMALL.gondolas[1].pitch_m, np.abs(middles - along_m).min())
    ).all()


class _Ledger:
    """A second book of where each unit is, kept from what the stock says of each move."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        self.place: dict[int, Any] = {unit.number: unit.shelf for unit in stock.units()}
        self.made = 0

    def move(self, units, source, goal) -> None:
        for unit in units:
            if source is None:
                assert unit.number not in self.place
                self.made += 1
            else:
                assert self.place[unit.number] == source
            self.place[unit.number] = goal

    def check(self, total: int) -> None:
        assert len(self.place) == total + self.made
        for shelf in self.stock.shelves():
            assert [u.number for u in self.stock.units(shelf)] == sorted(n for n, p in self.place.items() if p == shelf)
        for shopper in ("anna", "bert"):
            assert sum(self.stock.cart(shopper).values()) == sum(p == shopper for p in self.place.values())


_STEPS = st.tuples(
    st.sampled_from(["take", "put", "restock", "hand_over", "drop", "pick_up"]),
    st.integers(0, len(SMALL.facings) - 1),
    st.integers(1, 3),
    st.floats(0.0, 0.8),
    st.booleans(),
)


def _step(ledger: _Ledger, kind: str, row: int, units: int, along_m: float, swap: bool) -> None:
    """Do one thing with the product of a facing, on its own shelf or the first one."""
    stock, facing = ledger.stock, SMALL.facings[row]
    product, shelf = facing.article.id, HERE if swap else facing.shelf
    who, other = ("anna", "bert") if swap else ("bert", "anna")
    loads = stock.loads_g(shelf)
    if kind == "hand_over":
        ledger.move(stock.hand_over(who, other, product, units), who, other)
    elif kind == "drop":
        ledger.move(stock.drop(who, product, units), who, "floor")
    elif kind == "pick_up":
        ledger.move(stock.pick_up(who, product, units), "floor", who)
    else:
        if kind == "take":
            movement = stock.take(who, product, units, shelf, along_m)
            ledger.move(movement.units, shelf, who)
        elif kind == "put":
            movement = stock.put(who, product, units, shelf, along_m)
            ledger.move(movement.units, who, shelf)
        else:
            movement = stock.restock(facing.article, units, shelf, along_m)
            ledger.move(movement.units, None, shelf)
        assert len(movement.units) == units
        assert movement.plates
        loads = loads + movement.delta_g
    np.testing.assert_allclose(stock.loads_g(shelf), loads, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([TIDY, WILD]), st.lists(_STEPS, min_size=1, max_size=25))
def test_units_move_from_place_to_place_and_none_is_lost_or_made_twice(seed, disorder, steps) -> None:
    stock = Stock(SMALL, np.random.default_rng(seed), disorder)
    ledger, total = _Ledger(stock), len(stock.units())
    for step in steps:
        before = (dict(ledger.place), ledger.made)
        try:
            _step(ledger, *step)
        except DataError:
            assert (dict(ledger.place), ledger.made) == before
        ledger.check(total)


def test_the_front_unit_nearest_to_the_hand_goes_first_and_the_last_one_taken_comes_back_first() -> None:
    stock = Stock(SMALL, np.random.default_rng(0), TIDY)
    facing = max(SMALL.facings, key=lambda f: stock.count(f.article.id, f.shelf))
    there = [unit for unit in stock.units(facing.shelf) if unit.article.id == facing.article.id]
    nearest = min(abs(unit.along_m - facing.right_m) for unit in there)
    first = stock.take("anna", facing.article.id, 1, facing.shelf, facing.right_m).units[0]
    assert abs(first.along_m - facing.right_m) < nearest + 0.02
    assert first.inward_m == min(unit.inward_m for unit in there)
    second = stock.take("anna", facing.article.id, 1, facing.shelf, facing.left_m).units[0]
    back = stock.put("anna", facing.article.id, 2, ShelfId(2, 1), 0.4)
    assert [unit.number for unit in back.units] == [second.number, first.number]
    assert all(unit.shelf == ShelfId(2, 1) and abs(unit.along_m - 0.4) < 0.06 for unit in back.units)
    assert back.units[0].inward_m < back.units[1].inward_m


def test_who_takes_something_may_knock_what_stands_beside_it() -> None:
    stock = Stock(LAYOUTS["demo"], np.random.default_rng(0), Disorder(jostled=1.0, jostle_m=0.03))
    facing = LAYOUTS["demo"].facings[0]
    before = {unit.number: unit for unit in stock.units(facing.shelf)}
    movement = stock.take("anna", facing.article.id, 1, facing.shelf, facing.centre_m)
    knocked = {unit.number: unit for unit in movement.jostled}
    assert knocked
    assert movement.units[0].number not in knocked
    for unit in stock.units(facing.shelf):
        assert (unit is not before[unit.number]) == (unit.number in knocked)
    own = Stock(LAYOUTS["demo"], np.random.default_rng(0), Disorder(jostled=0.0))
    assert own.take("anna", facing.article.id, 1, facing.shelf, facing.centre_m).jostled == ()


_PRODUCT = SMALL.facings[0].article.id


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda s: s.take("anna", _PRODUCT, 500, SMALL.facings[0].shelf, 0.1), r"stand on shelf .*500 or more"),
        (lambda s: s.take("anna", "no such", 1, HERE, 0.1), "0 units of no such stand on shelf 1/1"),
        (lambda s: s.put("anna", _PRODUCT, 1, HERE, 0.1), f"cart of anna holds 0 units of {_PRODUCT}"),
        (lambda s: s.hand_over("anna", "bert", _PRODUCT, 1), "cart of anna holds 0"),
        (lambda s: s.drop("anna", _PRODUCT, 1), "cart of anna holds 0"),
        (lambda s: s.pick_up("anna", _PRODUCT, 1), f"0 units of {_PRODUCT} lie on the floor"),
    ],
)
def test_what_is_not_there_cannot_be_moved(attempt, message) -> None:
    stock = Stock(SMALL, np.random.default_rng(0))
    numbers = [unit.number for unit in stock.units()]
    with pytest.raises(DataError, match=message):
        attempt(stock)
    assert [unit.number for unit in stock.units()] == numbers
    assert stock.cart("anna") == stock.cart("bert") == {}


@pytest.mark.parametrize("key", ["weight_g", "width_m", "depth_m", "height_m", "weight_sd_g"])
def test_articles_have_weight_and_size(key) -> None:
    sizes = {"weight_g": 100.0, "weight_sd_g": 1.0, "width_m": 0.1, "depth_m": 0.1, "height_m": 0.1, key: -0.5}
    with pytest.raises(Exception, match=key):
        Article(Product("1", "tea", 100.0), **sizes)
