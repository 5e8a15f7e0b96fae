"""Each scene really happens, whatever the seed and the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gocv.core import JOINTS, ConfigError, PlateId
from gocv.data.recording import Recording, TruthEvent
from gocv.sim import Scenario, StoreLayout, simulate
from gocv.sim.acts import Deed
from gocv.sim.features import SCENES

WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]


def _takes(played: Any, shopper: str | None = None) -> list[TruthEvent]:
    events = [e for e in played.director.events if e.kind == "shelf" and e.quantity > 0]
    return [e for e in events if shopper in (None, e.shopper)]


def _puts(played: Any, shopper: str | None = None) -> list[TruthEvent]:
    events = [e for e in played.director.events if e.kind == "shelf" and e.quantity < 0]
    return [e for e in events if shopper in (None, e.shopper)]


def _deed(played: Any, event: TruthEvent) -> Deed:
    return next(
        d for d in played.deeds if (d.time_s, d.shopper, d.act.product) == (event.time_s, event.shopper, event.product)
    )


def _stand_m(played: Any, event: TruthEvent) -> float:
    """Where along the gondola the shopper of an event stands."""
    gondola, motion = played.layout.gondolas[event.plates[0].gondola], played.motions[event.shopper]
    xy = motion.at(np.array([event.time_s]), motion.xy_m)[0]
    return float((xy - np.array(gondola.corner_m)) @ gondola.rotation[:2, 0])


def _reach_miss_m(played: Any, event: TruthEvent) -> float:
    """How far the wrist is from where it should be at an event."""
    deed = _deed(played, event)
    assert deed.act.shelf is not None
    gondola = played.layout.gondolas[deed.act.shelf.gondola]
    target = gondola.point(deed.act.along_m, 0.1, gondola.heights_m[deed.act.shelf.shelf - 1] + 0.1)
    joints = played.motions[event.shopper].joints_m(np.array([event.time_s]))
    return float(np.linalg.norm(joints[0, WRISTS[deed.hand]] - target))


def _lies_wrong(played: Any, event: TruthEvent) -> bool:
    """Whether what was put down stands where the planogram does not have it."""
    own = played.layout.store.planogram[event.product]
    return any(
        s.time_s == event.time_s and s.product == event.product and s.units and s.plate not in own
        for s in played.director.standings
    )


def _weights(layout: StoreLayout) -> dict[str, float]:
    return {facing.article.id: facing.article.weight_g for facing in layout.facings}


def _pairs(played: Any, within_s: float) -> list[tuple[TruthEvent, TruthEvent]]:
    """Takes of two shoppers at about the same moment, shoulder to shoulder, both hands where they should be."""
    takes, pairs = _takes(played), []
    for i, one in enumerate(takes):
        for other in takes[i + 1 :]:
            if one.shopper == other.shopper or other.time_s - one.time_s > within_s:
                continue
            if (
                one.plates[0].gondola != other.plates[0].gondola
                or abs(_stand_m(played, one) - _stand_m(played, other)) > 0.75
            ):
                continue
            apart_m = abs(_deed(played, one).act.along_m - _deed(played, other).act.along_m)
            if apart_m <= 0.8 and max(_reach_miss_m(played, one), _reach_miss_m(played, other)) < 0.05:
                pairs.append((one, other))
    return pairs


def _crossed(played: Any, one: TruthEvent, other: TruthEvent) -> bool:
    hands = _deed(played, one).act.along_m - _deed(played, other).act.along_m
    return (_stand_m(played, one) - _stand_m(played, other)) * hands < 0


def _same_weight_swap(played: Any) -> bool:
    weight = _weights(played.layout)
    return any(
        abs(weight[put.product] / weight[take.product] - 1) < 0.0101 and put.product != take.product
        for put in _puts(played)
        if _lies_wrong(played, put)
        for take in _takes(played, put.shopper)
        if 0 < take.time_s - put.time_s < 10 and take.plates[0].shelf_id == put.plates[0].shelf_id
    )


def _misplaced_close_weight(played: Any) -> bool:
    weight = _weights(played.layout)
    return any(
        take.product == put.product and take.shopper != put.shopper and take.time_s > put.time_s
        for put in _puts(played)
        for beside in played.layout.facings
        if beside.shelf == put.plates[0].shelf_id and beside.article.id != put.product
        if abs(beside.article.weight_g - weight[put.product]) <= 6.0
        for take in _takes(played)
        if take.plates[0].shelf_id == put.plates[0].shelf_id
    )


def _very_close(played: Any) -> bool:
    return any(not _crossed(played, *pair) for pair in _pairs(played, 0.5))


def _crossing_arms(played: Any) -> bool:
    return any(_crossed(played, *pair) for pair in _pairs(played, 0.5))


def _simultaneous_takes(played: Any) -> bool:
    return any(one.product == other.product for one, other in _pairs(played, 0.3))


def _hand_over(played: Any) -> bool:
    (event,) = [e for e in played.director.events if e.kind == "hand_over"]
    assert event.quantity < 0
    assert event.to not in ("", event.shopper)
    now = np.array([event.time_s])
    wrists = [played.motions[name].joints_m(now)[0, WRISTS] for name in (event.shopper, event.to)]
    assert min(np.linalg.norm(one - other) for one in wrists[0] for other in wrists[1]) < 0.2
    before, after = (played.truth.cart(event.to, event.time_s + late_s) for late_s in (-0.01, 0.0))
    assert after[event.product] == before.get(event.product, 0) + 1
    kept = played.stock.cart(event.to).get(event.product, 0)
    return kept > 0 or any(e.product == event.product for e in _puts(played, event.to))


def _wrong_returns(played: Any) -> bool:
    return all(sum(_lies_wrong(played, e) for e in _puts(played, p.name)) >= 2 for p in played.programmes)


def _slow_lifts(played: Any) -> bool:
    changes = [c for of_shelf in played.director.changes.values() for c in of_shelf if c.delta_g.sum() < 0]
    for programme in played.programmes:
        times = {e.time_s for e in _takes(played, programme.name)}
        own = [c for c in changes if c.time_s in times]
        slow = any(c.duration_s >= 1.5 and c.hold_s >= 1.0 for c in own)
        if not (slow and any(c.first_share < 1 and c.pause_s >= 0.3 for c in own)):
            return False
    return True


def _mixed_return(played: Any) -> bool:
    for first in _puts(played):
        together = [e for e in _puts(played, first.shopper) if 0 <= e.time_s - first.time_s <= 1.0]
        if len({e.product for e in together if e.plates[0].shelf_id == first.plates[0].shelf_id}) >= 2:
            return True
    return False


def _fast_series(played: Any) -> bool:
    for programme in played.programmes:
        gaps = np.diff([e.time_s for e in _takes(played, programme.name)])
        runs = "".join("x" if gap < 0.8 else " " for gap in gaps).split()
        if max(map(len, runs), default=0) < 3:
            return False
    return True


def _left_on_floor(played: Any) -> bool:
    events = [e for e in played.director.events if e.kind == "floor"]
    (drop,) = [e for e in events if e.quantity < 0]
    (found,) = [e for e in events if e.quantity > 0] or [None]
    planned = any(act.kind == "pick_up" for p in played.programmes for stop in p.stops for act in stop.acts)
    assert (found is not None) == planned
    if found is not None:
        assert (found.product, found.quantity) == (drop.product, 1)
        assert found.shopper != drop.shopper
        assert found.time_s > drop.time_s
    taken = sum(e.quantity for e in _takes(played) + _puts(played) if e.product == drop.product)
    kept = sum(played.stock.cart(p.name).get(drop.product, 0) for p in played.programmes)
    return kept == taken - (found is None)


HAPPENED: dict[str, tuple[int, Callable[[Any], bool]]] = {
    "same_weight_swap": (1, _same_weight_swap),
    "misplaced_close_weight": (2, _misplaced_close_weight),
    "very_close": (2, _very_close),
    "crossing_arms": (2, _crossing_arms),
    "simultaneous_takes": (2, _simultaneous_takes),
    "hand_over": (2, _hand_over),
    "wrong_returns": (3, _wrong_returns),
    "slow_lifts": (2, _slow_lifts),
    "mixed_return": (1, _mixed_return),
    "fast_series": (2, _fast_series),
    "left_on_floor": (2, _left_on_floor),
}
"""Of each scene, how many shoppers play it here, and whether it came about."""


def test_each_scene_is_checked() -> None:
    assert HAPPENED.keys() == SCENES.keys()


@pytest.mark.parametrize("store", ["demo", "small"])
@pytest.mark.parametrize("scene", HAPPENED)
def test_a_scene_comes_about_with_every_seed(play, stores, scene, store) -> None:
    shoppers, happened = HAPPENED[scene]
    scenario = Scenario(shoppers=shoppers, features=(scene,))
    failed = [seed for seed in range(10) if not happened(play(scenario, stores[store], seed))]
    assert failed == []


def test_a_plain_visit_has_none_of_the_rare_scenes(play, stores) -> None:
    """The checks can fail."""
    played = [play(Scenario(shoppers=3), stores["demo"], seed) for seed in range(5)]
    for scene in (
        "same_weight_swap",
        "crossing_arms",
        "simultaneous_takes",
        "wrong_returns",
        "slow_lifts",
        "mixed_return",
    ):
        assert not all(HAPPENED[scene][1](visit) for visit in played), scene
    assert {e.kind for visit in played for e in visit.director.events} == {"shelf"}


@pytest.mark.parametrize("store", ["demo", "small"])
def test_all_scenes_come_about_in_one_visit(play, stores, store) -> None:
    everyone = {"wrong_returns", "slow_lifts", "fast_series"}
    played = play(Scenario(shoppers=3, features=tuple(SCENES)), stores[store], 4)
    assert [name for name, (_, happened) in HAPPENED.items() if not happened(played) and name not in everyone] == []
    assert all(HAPPENED[name][1](played) for name in everyone)


def test_no_scene_is_left_out_because_everybody_came_in_company(play, stores) -> None:
    scenario = Scenario.model_validate({"shoppers": 4, "features": ["hand_over"], "habits": {"accompanied": 1.0}})
    assert all(HAPPENED["hand_over"][1](play(scenario, stores["demo"], seed)) for seed in range(3))


def test_in_a_long_simulation_scenes_are_played_every_hour_by_those_who_come_in_together(play, stores) -> None:
    features = ("hand_over", "crossing_arms", "left_on_floor")
    played = play(Scenario(shoppers=30, hours=3.0, staff=True, features=features), stores["demo"], 1)
    entry_s = {p.name: p.entry_s for p in played.programmes}
    given = [e for e in played.director.events if e.kind == "hand_over"]
    assert len(given) == 3
    assert len([pair for pair in _pairs(played, 0.5) if _crossed(played, *pair)]) >= 3
    assert len([e for e in played.director.events if e.kind == "floor" and e.quantity < 0]) == 3
    for event in given:
        assert abs(entry_s[event.shopper] - entry_s[event.to]) == pytest.approx(2.0)
        assert event.time_s - entry_s[event.shopper] < 120.0


def test_a_store_too_small_for_a_scene_is_refused(play, stores) -> None:
    layout = stores["small"]
    alone = StoreLayout.build(
        list(layout.gondolas.values()), layout.facings[:1], zones=[], size_m=layout.size_m, door_m=layout.door_m
    )
    for scene in ("same_weight_swap", "misplaced_close_weight", "crossing_arms", "wrong_returns", "mixed_return"):
        with pytest.raises(ConfigError, match=r"key 'features'|key 'shoppers'"):
            play(Scenario(shoppers=2, features=(scene,)), alone, 0)


@pytest.mark.parametrize("scene", ["crossing_arms", "hand_over", "left_on_floor"])
def test_the_recording_shows_the_scene_to_those_who_read_it(tmp_path, stores, scene) -> None:
    truth = simulate(Scenario(shoppers=2, features=(scene,)), tmp_path / "r", seed=6, layout=stores["demo"])
    recording = Recording.open(tmp_path / "r")
    assert recording.truth is not None
    assert [(e.kind, e.to, e.shopper, e.quantity) for e in recording.truth.events] == [
        (e.kind, e.to, e.shopper, e.quantity) for e in truth.events
    ]
    tracks = recording.floor_tracks()
    for event in truth.events:
        rows = (np.array(tracks.shoppers)[tracks.shopper] == event.shopper) & (abs(tracks.time_s - event.time_s) < 0.31)
        place = _place_m(stores["demo"], event, tracks.xy_m[rows])
        wrists = tracks.joints_m[rows][:, WRISTS].reshape(-1, 3)
        near = np.linalg.norm((wrists - place)[:, :2], axis=1)
        assert np.nanmin(near) < 0.45, event


def _place_m(layout: StoreLayout, event: TruthEvent, xy_m: np.ndarray) -> np.ndarray:
    """(3,) about where something happens: at its plates, or before the shopper."""
    if not event.plates:
        return np.array([*np.nanmean(xy_m, axis=0), 0.0])
    plates: list[PlateId] = list(event.plates)
    return np.mean([layout.store.plates[plate].centre_m for plate in plates], axis=0)
