"""Routes: the shortest way around gondolas, and how it is walked."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gocv.core import ConfigError
from gocv.sim.gait import ROW_S, curve_between, hurried, lengths, swerved, walked
from gocv.sim.layout import Gondola, StoreLayout
from gocv.sim.routes import Floor
from gocv.sim.stores.demo import demo_layout

_HEIGHTS = (0.3, 0.9, 1.5)


def _layout(gondolas, size_m=(12.0, 10.0), door_m=(0.15, 5.0)) -> StoreLayout:
    return StoreLayout.build(gondolas, [], zones=[], size_m=size_m, door_m=door_m)


def _row(first: int, x: float, y: float, gondolas: int, plates: int = 10) -> list[Gondola]:
    """A double-sided row along x: gondolas side by side that face down, others back to back that face up."""
    row = []
    for k in range(gondolas):
        left = x + k * plates * 0.1
        row.append(Gondola(first + 2 * k, (left, y), 0.0, plates, _HEIGHTS))
        row.append(Gondola(first + 2 * k + 1, (left + plates * 0.1, y + 0.8), np.pi, plates, _HEIGHTS))
    return row


def _two_aisles() -> StoreLayout:
    return _layout([*_row(1, 2.5, 2.5, 6), *_row(13, 2.5, 5.5, 6)])


def _turned() -> StoreLayout:
    return _layout([Gondola(1, (4.0, 3.0), 0.5, 30, _HEIGHTS), Gondola(2, (7.0, 8.0), -2.0, 20, _HEIGHTS)])


_LAYOUTS = {"demo": demo_layout, "two aisles": _two_aisles, "turned": _turned}


@pytest.fixture(params=_LAYOUTS.values(), ids=_LAYOUTS.keys())
def layout(request) -> StoreLayout:
    return request.param()


def _places(layout: StoreLayout, floor: Floor, count: int, seed: int = 0) -> np.ndarray:
    places = np.random.default_rng(seed).uniform(0.0, layout.size_m, (20 * count, 2))
    return places[floor.free(places)][:count]


def test_what_is_free_to_walk_on_is_free_to_stand_on(layout) -> None:
    floor = Floor(layout)
    places = np.random.default_rng(1).uniform(-0.5, np.array(layout.size_m) + 0.5, (5000, 2))
    assert layout.is_free(places[floor.free(places)]).all()
    assert (floor.free(places) == layout.is_free(places)).mean() > 0.97


def test_walks_keep_clear_of_gondolas_and_arrive(layout) -> None:
    floor = Floor(layout)
    places = _places(layout, floor, 120)
    away = np.random.default_rng(2).normal(size=(len(places), 2))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    for k in range(0, len(places) - 1, 2):
        curve = curve_between(floor, places[k], places[k + 1], away[k : k + 2])
        leg = walked(curve, 1.3)
        np.testing.assert_allclose(curve[0], places[k])
        np.testing.assert_allclose(leg[-1], places[k + 1])
        fine = np.concatenate([places[k][None], leg])
        for u in (0.0, 0.25, 0.5, 0.75):
            assert layout.is_free(fine[:-1] + u * np.diff(fine, axis=0)).all()


def _slow_shortest_m(layout: StoreLayout, start: np.ndarray, end: np.ndarray, step_m: float = 0.1) -> float:
    """Length of the shortest way over a grid of places, by Dijkstra with steps to 48 neighbours."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    axes = [np.arange(0.15, size - 0.1, step_m) for size in layout.size_m]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    free = layout.is_free(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    index = np.arange(free.size).reshape(free.shape)
    rows, columns, costs = [], [], []
    for dx, dy in itertools.product(range(-3, 4), repeat=2):
        if np.gcd(dx, dy) != 1:
            continue
        a = (slice(max(0, -dx), free.shape[0] - max(0, dx)), slice(max(0, -dy), free.shape[1] - max(0, dy)))
        b = (slice(max(0, dx), free.shape[0] + min(0, dx)), slice(max(0, dy), free.shape[1] + min(0, dy)))
        both = free[a] & free[b]
        rows.append(index[a][both])
        columns.append(index[b][both])
        costs.append(np.full(both.sum(), np.hypot(dx, dy) * step_m))
    graph = coo_array((np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))), shape=(free.size,) * 2)
    spread = np.where(free, 0.0, np.inf)
    ends = [int((np.linalg.norm(grid - place, axis=2) + spread).argmin()) for place in (start, end)]
    return float(dijkstra(graph.tocsr(), indices=ends[0])[ends[1]])


def test_paths_are_about_as_short_as_a_search_over_the_whole_floor_finds(layout) -> None:
    floor = Floor(layout)
    places = _places(layout, floor, 24, seed=3)
    for start, end in zip(places[::2], places[1::2], strict=True):
        length = lengths(floor.path(start, end))[-1]
        slow = _slow_shortest_m(layout, start, end)
        assert np.linalg.norm(end - start) - 1e-9 <= length <= slow + 0.45
        assert length >= 0.95 * slow - 0.3


def test_gondolas_side_by_side_leave_no_gap_to_slip_through() -> None:
    one = [Gondola(1, (3.0, 5.0), 0.0, 20, _HEIGHTS), Gondola(2, (5.0, 5.0), 0.0, 20, _HEIGHTS)]
    near = [one[0], Gondola(2, (5.3, 5.0), 0.0, 20, _HEIGHTS)]
    wide = [one[0], Gondola(2, (6.2, 5.0), 0.0, 20, _HEIGHTS)]
    start, end = np.array([5.1, 4.3]), np.array([5.1, 6.2])
    assert lengths(Floor(_layout(one)).path(start, end))[-1] > 4.0
    assert lengths(Floor(_layout(near)).path(start, end))[-1] > 4.0
    assert lengths(Floor(_layout(wide)).path(start, end))[-1] < 3.0


def test_a_place_that_nobody_can_walk_to_is_named() -> None:
    ring = [
        Gondola(1, (3.0, 3.0), 0.0, 30, _HEIGHTS),
        Gondola(2, (6.0, 6.0), np.pi, 30, _HEIGHTS),
        Gondola(3, (3.0, 6.0), -np.pi / 2, 30, _HEIGHTS),
        Gondola(4, (6.0, 3.0), np.pi / 2, 30, _HEIGHTS),
    ]
    floor = Floor(_layout(ring))
    with pytest.raises(ConfigError, match=r"no way leads from \(1\.00, 1\.00\) m"):
        floor.path(np.array([1.0, 1.0]), np.array([4.5, 4.7]))


def test_the_nearest_free_place_is_free_and_near() -> None:
    floor = Floor(_two_aisles())
    free = np.array([1.0, 1.0])
    assert floor.nearest_free(free) is free
    taken = np.array([4.0, 2.45])
    near = floor.nearest_free(taken)
    assert floor.free(near[None])[0]
    assert np.linalg.norm(near - taken) < 0.35


@pytest.mark.parametrize("length_m", [0.0, 0.05, 0.5, 3.0, 30.0])
@pytest.mark.parametrize("speed_m_s", [0.8, 1.2, 2.2])
def test_a_walk_rises_holds_and_falls(length_m, speed_m_s) -> None:
    curve = np.stack([np.linspace(1.0, 1.0 + length_m, 60), np.ones(60)], axis=1)
    leg = np.concatenate([curve[:1], walked(curve, speed_m_s)])
    np.testing.assert_allclose(leg[-1], curve[-1])
    speed = np.linalg.norm(np.diff(leg, axis=0), axis=1) / ROW_S
    assert (np.diff(leg[:, 0]) >= 0).all()
    assert speed.max() <= speed_m_s + 1e-6
    assert np.abs(np.diff(speed, prepend=0.0, append=0.0)).max() / ROW_S < 2.5 * speed_m_s
    if length_m == 30.0:
        assert np.median(speed) > 0.97 * speed_m_s


def test_bends_are_taken_slower() -> None:
    angle = np.linspace(0.0, np.pi, 60)[:, None]
    bend = np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * 0.3
    straight = np.stack([np.linspace(0.0, 0.3 * np.pi, 60), np.zeros(60)], axis=1)
    assert len(walked(bend, 1.2)) > len(walked(straight, 1.2))


def test_who_is_late_hurries_as_much_as_it_takes_and_no_more() -> None:
    curve = np.stack([np.linspace(0.0, 12.0, 151), np.zeros(151)], axis=1)
    easy = len(walked(curve, 1.1))
    assert len(hurried(curve, 1.1, easy + 20)) == easy
    for rows in (easy - 5, easy - 20, easy - 35):
        assert rows - 4 <= len(hurried(curve, 1.1, rows)) <= rows
    assert len(hurried(curve, 1.1, 10)) == len(walked(curve, 2.2))


def test_a_swerve_leaves_the_ends_where_they_are() -> None:
    curve = np.stack([np.linspace(0.0, 6.0, 76), np.zeros(76)], axis=1)
    left, right = swerved(curve, np.array([3.0, 0.1]), np.array([0.6, -0.6]))
    np.testing.assert_allclose(left[[0, -1]], curve[[0, -1]], atol=1e-9)
    assert left[38, 1] == pytest.approx(0.6, abs=0.02)
    np.testing.assert_allclose(right[:, 1], -left[:, 1])
