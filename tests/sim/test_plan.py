"""Planned visits never take more than there is, whatever the store and the seed."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from gocv.core import ConfigError
from gocv.sim import Scenario, Stock, StoreLayout
from gocv.sim.features import SCENES
from gocv.sim.habits import Habits
from gocv.sim.plan import Planner
from gocv.sim.stock import Disorder

USUAL = Habits()
IDLE = Habits(stops=(0, 0), returned=0.0, misplaced=0.0)
GREEDY = {"stops": [4, 6], "takes": [2, 3], "two_at_once": 0.5, "series": 1.0, "returned": 1.0, "misplaced": 1.0}


def _planner(layout: StoreLayout, habits: Habits = USUAL, fill: float = 1.0, seed: int = 0) -> Planner:
    stock = Stock(layout, np.random.default_rng(seed), fill=fill)
    return Planner(layout, stock, habits, np.random.default_rng(seed + 1))


@pytest.mark.parametrize("store", ["demo", "small"])
@pytest.mark.parametrize(
    "settings",
    [
        {"shoppers": 4, "habits": GREEDY},
        {"shoppers": 6, "fill": 0.4},
        {"shoppers": 3, "features": tuple(SCENES), "disorder": {"misplaced": 0.1, "jostled": 0.5}},
        {"shoppers": 20, "hours": 0.5, "staff": True, "features": ("fast_series", "left_on_floor", "hand_over")},
        {"shoppers": 12, "hours": 1.0, "staff": True, "habits": GREEDY},
    ],
    ids=["greedy", "half empty", "every scene", "half an hour with staff", "a greedy hour"],
)
def test_no_hand_finds_less_than_was_planned(play, stores, store, settings) -> None:
    scenario = Scenario.model_validate(settings)
    for seed in range(3):
        played = play(scenario, stores[store], seed)
        moving = [d for d in played.deeds if d.act.kind in ("take", "put", "give", "drop", "pick_up")]
        happened = {(event.time_s, event.shopper, event.product) for event in played.director.events}
        assert [d for d in moving if (d.time_s, d.shopper, d.act.product) not in happened] == [], seed
        assert len(moving) == len(played.director.events)


@pytest.mark.parametrize(
    "settings", [{"shoppers": 150}, {"fill": 0.05, "shoppers": 60}, {"shoppers": 40, "habits": GREEDY}]
)
def test_more_than_is_stocked_is_refused_with_the_key(play, stores, settings) -> None:
    with pytest.raises(ConfigError, match="key 'shoppers': more is to be taken than is stocked") as refusal:
        play(Scenario.model_validate(settings), stores["small"], 0)
    assert refusal.value.expected == "fewer shoppers or stops, or restocking"


def test_every_taken_unit_is_reserved(stores) -> None:
    planner = _planner(stores["small"])
    facing = planner.facing(units=3)
    before = dict(planner.left)
    draft = planner.draft("anna", 1.0)
    act = planner.take(draft, facing, 3)
    assert {f: before[f] - left for f, left in planner.left.items() if left != before[f]} == {facing: 3}
    assert draft.cart == [facing] * 3
    assert (act.kind, act.product, act.units, act.shelf) == ("take", facing.article.id, 3, facing.shelf)
    assert facing.left_m < act.along_m < facing.right_m


def test_two_facings_of_one_product_on_a_shelf_share_its_units(stores) -> None:
    layout = stores["small"]
    twin = dataclasses.replace(layout.facings[0], units=3)
    again = dataclasses.replace(
        twin, first_plate=twin.first_plate + 4, left_m=twin.left_m + 0.4, right_m=twin.right_m + 0.4
    )
    pair = StoreLayout.build(
        list(layout.gondolas.values()), [twin, again], zones=[], size_m=layout.size_m, door_m=layout.door_m
    )
    assert sum(_planner(pair).left.values()) == len(Stock(pair, np.random.default_rng(0)).units())


def test_what_is_left_elsewhere_is_left_on_no_plate_of_its_own(stores) -> None:
    for seed in range(30):
        planner = _planner(stores["small"], seed=seed)
        draft = planner.draft("anna", 1.0)
        facing = planner.facing()
        planner.take(draft, facing)
        planner.leave_elsewhere(draft, 0)
        put = draft.stops[0].acts[0]
        plates = stores["small"].gondolas[put.shelf.gondola].plate_ids(put.shelf)
        under = plates[int(put.along_m / stores["small"].gondolas[put.shelf.gondola].pitch_m)]
        assert put.kind == "put"
        assert under not in stores["small"].store.planogram[facing.article.id]


def _emptied(planner: Planner, facings: int) -> Counter:
    """Take everything that some facings have."""
    missing: Counter = Counter()
    draft = planner.draft("anna", 1.0)
    for facing in list(planner.left)[:facings]:
        missing[facing.article.id, facing.shelf] += planner.left[facing]
        planner.take(draft, facing, planner.left[facing])
    return missing


def test_staff_bring_what_is_missing_and_it_counts_only_later(stores) -> None:
    planner = _planner(stores["small"], IDLE)
    assert planner.restock("staff-1", 500.0) is None
    missing = _emptied(planner, 3)
    helper = planner.restock("staff-1", 1000.0)
    assert helper is not None
    assert helper.programme.role == "staff"
    brought: Counter = Counter()
    for act in (act for stop in helper.stops for act in stop.acts):
        assert act.kind == "put"
        brought[act.product, act.shelf] += act.units
    assert brought == missing
    assert planner.restock("staff-2", 1100.0) is None
    emptied = list(planner.left)[:3]
    planner.shop(planner.draft("bert", 1230.0))
    assert [planner.left[facing] for facing in emptied] == [0, 0, 0]
    planner.shop(planner.draft("cleo", 1250.0))
    assert [planner.left[facing] for facing in emptied] == [planner.full[facing] for facing in emptied]


def test_only_what_runs_low_is_restocked(stores) -> None:
    planner = _planner(stores["demo"], IDLE)
    low, high = [facing for facing in planner.left if planner.left[facing] >= 5][:2]
    draft = planner.draft("anna", 1.0)
    planner.take(draft, low, int(0.7 * planner.full[low]) + 1)
    planner.take(draft, high, int(0.5 * planner.full[high]))
    helper = planner.restock("staff-1", 500.0)
    assert helper is not None
    assert {act.product for stop in helper.stops for act in stop.acts} == {low.article.id}


@pytest.mark.parametrize(
    ("habits", "check"),
    [
        ({"stops": [3, 3], "takes": [1, 1], "series": 0}, lambda acts: sum(a.kind == "take" for a in acts) == 3),
        ({"touched": 1.0}, lambda acts: any(a.kind == "touch" and a.units == 0 for a in acts)),
        ({"touched": 0.0}, lambda acts: not any(a.kind == "touch" for a in acts)),
        ({"returned": 1.0, "misplaced": 0.0}, lambda acts: sum(a.kind == "put" for a in acts) == 1),
        ({"returned": 0.0, "misplaced": 1.0}, lambda acts: sum(a.kind == "put" for a in acts) == 1),
        ({"returned": 0.0, "misplaced": 0.0}, lambda acts: not any(a.kind == "put" for a in acts)),
        (
            {"two_at_once": 1.0, "both_hands": 0.0, "series": 0.0},
            lambda acts: {a.units for a in acts if a.kind == "take"} == {2},
        ),
        ({"two_at_once": 0.0, "looked_at": 1.0}, lambda acts: any(a.kind == "look" for a in acts)),
        ({"slow": 1.0}, lambda acts: all(a.manner.hold_s >= 1 for a in acts if a.kind in ("take", "put"))),
        ({"two_steps": 1.0, "slow": 0.0}, lambda acts: all(a.manner.first_share < 1 for a in acts if a.kind == "take")),
        ({"press_g": 0.0}, lambda acts: all(a.manner.press_g == 0 for a in acts if a.kind == "take")),
        ({"stops": [0, 0]}, lambda acts: acts == []),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_shoppers_do_what_their_habits_say(stores, habits, check) -> None:
    usual = {"both_hands": 0.0, "taken_again": 0.0}
    for seed in range(5):
        planner = _planner(stores["demo"], Habits.model_validate({**usual, **habits}), seed=seed)
        draft = planner.draft("anna", 1.0)
        planner.shop(draft)
        assert check([act for stop in draft.finished().stops for act in stop.acts])


@pytest.mark.parametrize("key", ["stops", "takes", "dwell_s"])
def test_ranges_of_habits_are_in_order(key) -> None:
    with pytest.raises(ValueError, match=f"the smaller number of {key} first"):
        Habits.model_validate({key: [3, 2]})


def test_the_stock_is_not_touched_by_planning(play, stores) -> None:
    stock = Stock(stores["small"], np.random.default_rng(0), Disorder())
    before = [dataclasses.astuple(unit) for unit in stock.units()]
    planner = Planner(stores["small"], stock, Habits(), np.random.default_rng(1))
    planner.shop(planner.draft("anna", 1.0))
    assert [dataclasses.astuple(unit) for unit in stock.units()] == before
