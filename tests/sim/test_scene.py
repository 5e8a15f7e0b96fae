"""Where each unit is at each moment: on its shelf, in a hand, put away, on the floor."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gocv.sim import Scenario, simulate_scene
from gocv.sim.features import SCENES
from gocv.sim.scene import Stay, stays_of

DURATION_S = 400.0


@pytest.fixture(scope="module", params=["demo", "small"])
def visit(request, play, stores) -> tuple[Any, dict[int, list[Stay]]]:
    """A visit with every scene and with staff, and the stays of each unit in order."""
    settings = {"shoppers": 4, "features": tuple(SCENES), "disorder": {"jostled": 0.5}}
    played = play(Scenario.model_validate(settings), stores[request.param], 2)
    stays = stays_of(played.layout, played.motions, played.units, played.director.passages, DURATION_S)
    ways: defaultdict[int, list[Stay]] = defaultdict(list)
    for stay in stays:
        ways[stay.unit].append(stay)
    return played, dict(ways)


def test_every_unit_is_somewhere_all_the_time_and_in_one_place_only(visit) -> None:
    played, ways = visit
    assert set(ways) == {unit.number for unit in played.units}
    for way in ways.values():
        assert way[0].from_s == 0.0
        assert way[-1].until_s == DURATION_S
        assert all(before.until_s == after.from_s for before, after in pairwise(way))
        assert all(stay.from_s < stay.until_s for stay in way)
        assert len({id(stay.article) for stay in way}) == 1


def test_a_unit_has_a_place_or_a_holder(visit) -> None:
    played, ways = visit
    for stay in (stay for way in ways.values() for stay in way):
        assert (stay.position_m is None) == (stay.holder is not None)
        assert stay.holder is None or stay.holder in played.motions
        assert stay.hand in (None, 0, 1)
        assert stay.holder is not None or stay.hand is None


def test_who_holds_a_unit_is_who_has_it_in_the_truth(visit) -> None:
    played, ways = visit
    for time_s in (30.0, 75.0, 140.0, DURATION_S - 1):
        held: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for way in ways.values():
            (stay,) = [stay for stay in way if stay.from_s <= time_s < stay.until_s]
            if stay.holder is not None:
                held[stay.holder][stay.article.id] = held[stay.holder].get(stay.article.id, 0) + 1
        for name in played.motions:
            assert held[name] == played.truth.cart(name, time_s)


def test_what_stands_is_on_its_shelf_and_what_was_dropped_lies_before_its_shopper(visit) -> None:
    played, ways = visit
    lying = 0
    for stay in (stay for way in ways.values() for stay in way if stay.position_m is not None):
        if stay.lies:
            lying += 1
            assert stay.position_m[2] == 0.0
            (event,) = [e for e in played.director.events if e.time_s == stay.from_s and e.kind == "floor"]
            motion = played.motions[event.shopper]
            here = motion.at(np.array([stay.from_s]), motion.xy_m)[0]
            assert 0.3 < np.linalg.norm(stay.position_m[:2] - here) < 0.5
        else:
            on = [g for g in played.layout.gondolas.values() if g.covers(stay.position_m[None, :2], 1e-6)[0]]
            assert len(on) == 1
            assert stay.position_m[2] in on[0].heights_m
            assert stay.yaw_rad == on[0].yaw_rad
    assert lying >= 1


def test_what_was_taken_is_seen_for_a_while_then_put_away_and_fetched_out_again(visit) -> None:
    _, ways = visit
    hidden = 0
    for way in ways.values():
        for before, stay in pairwise(way):
            if stay.holder is None:
                continue
            if before.holder != stay.holder:
                assert stay.hand is not None
                assert stay.until_s - stay.from_s <= 4.5 or stay.until_s == DURATION_S
            if stay.hand is None:
                hidden += 1
                assert before.holder == stay.holder
        for stay, after in pairwise(way):
            if stay.holder is not None and after.holder != stay.holder:
                assert stay.hand is not None
                assert stay.until_s - stay.from_s >= 0.0
    assert hidden


def test_knocked_units_stay_on_their_shelf(visit) -> None:
    played, ways = visit
    knocked = [p for p in played.director.passages if p.place == "shelf" and not p.person]
    moved = 0
    for passage in knocked:
        (before, after) = [s for s in ways[passage.unit.number] if passage.time_s in (s.until_s, s.from_s)]
        assert before.position_m is not None
        assert after.position_m is not None
        assert np.linalg.norm(before.position_m - after.position_m) < 0.1
        assert before.position_m[2] == after.position_m[2]
        moved += bool((before.position_m != after.position_m).any())
    assert moved > 0.8 * len(knocked) > 0  # what stands at the end of a shelf has nowhere to go


def test_what_staff_bring_is_there_from_then_on(play, stores) -> None:
    scenario = Scenario(shoppers=12, hours=0.5, staff=True, fill=0.5)
    played = play(scenario, stores["small"], 1)
    stays = stays_of(played.layout, played.motions, played.units, played.director.passages, 3600.0)
    first_s = {}
    for stay in stays:
        first_s[stay.unit] = min(stay.from_s, first_s.get(stay.unit, np.inf))
    brought = [e for e in played.director.events if e.shopper.startswith("staff")]
    assert sorted(s for s in first_s.values() if s) == sorted(e.time_s for e in brought for _ in range(-e.quantity))


def test_a_scene_tells_what_hands_did_as_the_truth_has_it() -> None:
    scene = simulate_scene(Scenario(shoppers=2), seed=3)
    assert [deed.time_s for deed in scene.deeds] == sorted(deed.time_s for deed in scene.deeds)
    hands = {(round(r.time_s, 6), m.name, r.hand) for m in scene.motions for r in m.reaches}
    assert {(round(d.time_s, 6), d.shopper, d.hand) for d in scene.deeds} <= hands
    taken = sum(deed.act.units for deed in scene.deeds if deed.act.kind == "take")
    put = sum(deed.act.units for deed in scene.deeds if deed.act.kind == "put")
    held = {stay.unit for stay in scene.stays if stay.holder is not None and stay.until_s == scene.duration_s}
    assert taken - put == len(held) > 0
