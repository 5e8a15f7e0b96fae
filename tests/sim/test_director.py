"""What deeds do to units, scales and truth; all three agree at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gocv.core import ShelfId
from gocv.sim import Scenario, Stock, StoreLayout
from gocv.sim.acts import Act, Deed, Manner
from gocv.sim.director import Director
from gocv.sim.features import SCENES
from gocv.sim.load_changes import load_signal
from gocv.sim.stock import Disorder

FAR = Manner(press_g=45.0, hold_s=1.0)
VISITS: dict[str, dict[str, Any]] = {
    "plain": {"shoppers": 3},
    "every scene": {"shoppers": 3, "features": tuple(SCENES), "disorder": {"jostled": 0.2, "misplaced": 0.1}},
    "with staff": {"shoppers": 15, "hours": 0.5, "staff": True, "fill": 0.5},
}


@pytest.fixture(params=VISITS)
def visit(request, play, stores) -> Any:
    return play(Scenario.model_validate(VISITS[request.param]), stores["demo"], 3)


@pytest.fixture
def stage(stores) -> tuple[Director, Stock, StoreLayout]:
    layout = stores["small"]
    stock = Stock(layout, np.random.default_rng(0))
    articles = {facing.article.id: facing.article for facing in layout.facings}
    return Director(stock, articles, frozenset({"staff-1"})), stock, layout


def _act(
    layout: StoreLayout, kind: Any, *, product: str | None = None, units: int = 1, shelf: Any = "own", **more: Any
) -> Act:
    facing = layout.facings[0]
    where = facing.shelf if shelf == "own" else shelf
    return Act(kind, facing.article.id if product is None else product, units, where, facing.centre_m, 2.0, FAR, **more)


def test_receipts_carts_and_events_agree(visit) -> None:
    truth = visit.truth
    assert {receipt.shopper for receipt in truth.receipts} == {p.name for p in visit.programmes if p.role == "shopper"}
    for receipt in truth.receipts:
        assert dict(receipt.items) == visit.stock.cart(receipt.shopper) == truth.cart(receipt.shopper, np.inf)
        assert all(units >= 1 for units in receipt.items.values())


def test_nobody_ever_holds_less_than_nothing(visit) -> None:
    shoppers = [p.name for p in visit.programmes if p.role == "shopper"]
    for event in visit.director.events:
        for shopper in shoppers:
            assert min(visit.truth.cart(shopper, event.time_s).values(), default=0) >= 0


def test_what_stands_where_follows_from_the_rows_of_the_planogram(visit) -> None:
    standing: dict[tuple[str, Any], int] = {}
    times = [row.time_s for row in visit.director.standings]
    assert times == sorted(times)
    for row in visit.director.standings:
        assert standing.get((row.product, row.plate), 0) != row.units
        standing[row.product, row.plate] = row.units
    at_the_end: dict[tuple[str, Any], int] = {}
    for shelf in visit.stock.shelves():
        at_the_end.update(visit.stock.standing(shelf))
    assert {place: units for place, units in standing.items() if units} == at_the_end


def test_shelves_weigh_what_they_weighed_and_what_changed(visit) -> None:
    for shelf, before in visit.loads_g.items():
        changes = sum((change.delta_g for change in visit.director.changes.get(shelf, [])), np.zeros(len(before)))
        np.testing.assert_allclose(visit.stock.loads_g(shelf), before + changes, atol=1e-6)


def test_each_event_at_a_shelf_is_one_change_on_its_plates_at_its_time(visit) -> None:
    weights = {f.article.id: f.article.weight_g for f in visit.layout.facings}
    events = [event for event in visit.director.events if event.kind == "shelf"]
    moving = [(shelf, c) for shelf, of in visit.director.changes.items() for c in of if c.delta_g.any()]
    assert len(moving) == len(events)
    knocked_s = {passage.time_s for passage in visit.director.passages if not passage.person}
    undisturbed = [event for event in events if event.time_s not in knocked_s]
    assert len(undisturbed) >= 10
    for event in undisturbed:
        (shelf,) = {plate.shelf_id for plate in event.plates}
        (change,) = [c for s, c in moving if s == shelf and c.time_s == event.time_s]
        expected = -event.quantity * weights[event.product]
        felt = change.delta_g.sum() / expected
        assert 0.95 - Disorder().lean_share < felt < 1.05  # the frame carries a part of what leans on it
    assert [event.time_s for event in visit.director.events] == sorted(e.time_s for e in visit.director.events)


def test_staff_bring_units_and_get_no_receipt(play, stores) -> None:
    visit = play(Scenario.model_validate(VISITS["with staff"]), stores["demo"], 3)
    brought = [event for event in visit.director.events if event.shopper.startswith("staff")]
    assert brought
    assert all(event.quantity < 0 and event.kind == "shelf" for event in brought)
    assert not any(receipt.shopper.startswith("staff") for receipt in visit.truth.receipts)
    on_sale = len(visit.units) + sum(-event.quantity for event in brought)
    held = sum(sum(receipt.items.values()) for receipt in visit.truth.receipts)
    assert len(visit.stock.units()) + held == on_sale


@pytest.mark.parametrize(
    ("kind", "more"),
    [("take", {"units": 500}), ("take", {"product": "no such"}), ("put", {}), ("touch", {"product": "", "units": 0})],
    ids=["more than there is", "what is not there", "what is not held", "nothing meant"],
)
def test_a_hand_that_moves_nothing_is_felt_and_is_no_event(stage, kind, more) -> None:
    director, stock, layout = stage
    act, before = _act(layout, kind, **more), stock.loads_g(layout.facings[0].shelf)
    rows = len(director.standings)
    director.settle(Deed(5.0, "anna", act, 1))
    (change,) = director.changes[act.shelf]
    assert not change.delta_g.any()
    signal = load_signal(change, np.array([0.0, 5.0, 10.0]))
    assert signal[1].sum() == pytest.approx(45.0)
    assert signal[[0, 2]].sum() == 0.0
    assert signal[1].argmax() == stock.under(act.shelf, act.along_m).argmax()
    assert director.failed == ([] if kind == "touch" else [Deed(5.0, "anna", act, 1)])
    (done,) = director.done
    assert (done.time_s, done.shopper, done.hand, done.act.shelf) == (5.0, "anna", 1, act.shelf)
    assert (done.act.kind, done.act.product, done.act.units) == ("touch", "", 0)
    assert director.events == []
    assert director.passages == []
    assert len(director.standings) == rows
    np.testing.assert_array_equal(stock.loads_g(act.shelf), before)


@pytest.mark.parametrize("kind", ["give", "drop", "pick_up", "look", "receive"])
def test_what_cannot_be_done_away_from_a_shelf_leaves_no_trace(stage, kind) -> None:
    director, _, layout = stage
    director.settle(Deed(5.0, "anna", _act(layout, kind, shelf=None, partner="bert"), 0))
    assert (director.events, director.passages, dict(director.changes)) == ([], [], {})


def test_a_hand_without_weight_is_not_felt(stage) -> None:
    director, _, layout = stage
    act = Act("touch", "", 0, layout.facings[0].shelf, 0.2, 2.0, Manner(press_g=0.0))
    director.settle(Deed(5.0, "anna", act, 1))
    assert dict(director.changes) == {}


def _story(director: Director, deed: Callable[..., Deed]) -> None:
    director.settle(deed(1.0, "anna", "take"))
    director.settle(deed(2.0, "anna", "give", shelf=None, partner="bert"))
    director.settle(deed(2.0, "bert", "receive", shelf=None, partner="anna"))
    director.settle(deed(3.0, "bert", "drop", shelf=None))
    director.settle(deed(4.0, "cleo", "pick_up", shelf=None))
    director.settle(deed(5.0, "cleo", "put", shelf=ShelfId(2, 1)))
    director.settle(deed(6.0, "staff-1", "put"))


def test_one_unit_from_hand_to_hand_to_the_floor_and_back_to_a_shelf(stage) -> None:
    director, stock, layout = stage
    product = layout.facings[0].article.id
    _story(director, lambda time_s, who, kind, **more: Deed(time_s, who, _act(layout, kind, **more), 0))
    assert [(e.time_s, e.shopper, e.quantity, e.kind, e.to, bool(e.plates)) for e in director.events] == [
        (1.0, "anna", 1, "shelf", "", True),
        (2.0, "anna", -1, "hand_over", "bert", False),
        (3.0, "bert", -1, "floor", "", False),
        (4.0, "cleo", 1, "floor", "", False),
        (5.0, "cleo", -1, "shelf", "", True),
        (6.0, "staff-1", -1, "shelf", "", True),
    ]
    assert {event.product for event in director.events} == {product}
    way = [
        (p.time_s, p.place, p.person) for p in director.passages if p.unit.number == director.passages[0].unit.number
    ]
    assert way == [
        (1.0, "hand", "anna"),
        (2.0, "hand", "bert"),
        (3.0, "floor", "bert"),
        (4.0, "hand", "cleo"),
        (5.0, "shelf", "cleo"),
    ]
    assert [stock.cart(name) for name in ("anna", "bert", "cleo")] == [{}, {}, {}]
    assert director.passages[-1].unit.number == len(stock.units())


def test_the_scales_feel_the_manner(stage) -> None:
    director, _, layout = stage
    manner = Manner(2.5, press_g=60.0, hold_s=3.0, first_share=0.4, step_pause_s=0.7, bounce=0.0)
    facing = layout.facings[0]
    act = Act("take", facing.article.id, 1, facing.shelf, facing.centre_m, 2.0, manner)
    director.settle(Deed(5.0, "anna", act, 1))
    (change,) = director.changes[facing.shelf]
    felt = (change.duration_s, change.press_g, change.hold_s, change.first_share, change.pause_s, change.overshoot)
    assert felt == (2.5, 60.0, 3.0, 0.4, 0.7, 0.0)
