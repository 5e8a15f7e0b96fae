"""Shoppers as the frames come: final, soon, and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gocv.core import DataError, Zone
from gocv.geometry import PinholeCamera
from gocv.multicamera.live import Final, LiveShoppers, as_floor_tracks
from gocv.multicamera.looks import look_at
from gocv.multicamera.settings import AssociationSettings


def windows(film, settings: AssociationSettings) -> Iterator[tuple]:
    seen = look_at(film.views, settings.boxes)
    for k, time_s in enumerate(seen.time_s.tolist()):
        own = slice(int(seen.first[k]), int(seen.first[k + 1]))
        yield time_s, seen.present[k], seen.looks[own], None if seen.vector is None else seen.vector[own]


def live(film, settings: AssociationSettings | None = None, **more) -> tuple[list[Final], LiveShoppers]:
    settings = settings or AssociationSettings()
    shoppers = LiveShoppers([view.calibration for view in film.views], settings, **more)
    done = [final for window in windows(film, settings) for final in shoppers.update(*window)]
    return done + shoppers.flush(), shoppers


def with_delay(delay_s: float, **link) -> AssociationSettings:
    return AssociationSettings.model_validate({"online": {"delay_s": delay_s}, "link": link})


CROSSING = [((-2, -2), (2, 2)), ((-2, 2), (2, -2))]


def crossing(room, **changes):
    return room.film([room.straight(*way) for way in CROSSING], **changes)


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 2.0])
def test_every_window_is_final_once_and_not_later_than_the_delay_says(room, delay_s: float) -> None:
    settings = with_delay(delay_s)
    film = crossing(room)
    shoppers = LiveShoppers([view.calibration for view in film.views], settings)
    times, given = [], []
    for window in windows(film, settings):
        times.append(window[0])
        final = shoppers.update(*window)
        given += [one.time_s for one in final]
        waiting = [t for t in times if t not in given]
        assert all(t > window[0] - delay_s for t in waiting)
    given += [one.time_s for one in shoppers.flush()]
    assert given == times
    assert shoppers.flush() == []


def test_what_was_said_does_not_depend_on_what_comes_later(room) -> None:
    film, settings = crossing(room), AssociationSettings()
    whole = live(film)[0]
    shoppers = LiveShoppers([view.calibration for view in film.views], settings)
    cut = [final for window in list(windows(film, settings))[:40] for final in shoppers.update(*window)]
    assert len(cut) > 15
    for early, late in zip(cut, whole, strict=False):
        assert np.array_equal(early.shopper, late.shopper)
        assert np.array_equal(early.xy_m, late.xy_m)
        assert np.array_equal(early.who, late.who)


def test_two_who_cross_keep_their_numbers(room) -> None:
    film = crossing(room)
    done, shoppers = live(film)
    assert shoppers.shoppers == 2
    tracks = as_floor_tracks(done, shoppers.shoppers)
    assert tracks.shoppers == ("shopper-1", "shopper-2")
    ways = [room.straight(*way) for way in CROSSING]
    for one in (0, 1):
        rows = tracks[tracks.shopper == one]
        errors = [np.linalg.norm(rows.xy_m - way.at(rows.time_s), axis=1).max() for way in ways]
        assert min(errors) < 0.5


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 2.0])
def test_a_shopper_is_in_one_place_at_a_time(room, delay_s: float) -> None:
    rng = np.random.default_rng(0)
    ways = [room.Walk(np.arange(13.0), rng.uniform(-3, 3, (13, 2))) for _ in range(8)]
    film = room.film(ways, until_s=12.0, missed=0.5, false=0.3, own=False)
    done, _ = live(film, with_delay(delay_s))
    for one in done:
        assert len(np.unique(one.shopper)) == len(one.shopper)
        assert np.isin(one.who[one.who >= 0], one.shopper).all()


@pytest.mark.parametrize("delay_s", [0.0, 2.0])
def test_no_camera_has_two_boxes_of_one_shopper_in_a_window(room, delay_s: float) -> None:
    rng = np.random.default_rng(1)
    ways = [room.Walk(np.arange(13.0), rng.uniform(-2, 2, (13, 2))) for _ in range(8)]
    film = room.film(ways, until_s=12.0, missed=0.4, false=0.5, own=False, noise_px=12.0)
    done, _ = live(film, with_delay(delay_s))
    looks = look_at(film.views, AssociationSettings().boxes).looks
    who = np.concatenate([one.who for one in done])
    known = who >= 0
    seats = np.stack([looks.window, looks.camera, who])[:, known]
    assert np.unique(seats, axis=1).shape[1] == known.sum()


def hidden_for_a_while(room, gap_s: float, **changes):
    """Somebody stands still, and all cameras are covered for a while."""
    film = room.film([room.straight((0, 0), (0.2, 0), 0.0, 20.0)], until_s=20.0, own=False, **changes)
    views = []
    for view in film.views:
        frame = np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))
        time_s = view.seen.time_s[frame]
        keep = (time_s < 6.0) | (time_s >= 6.0 + gap_s)
        views.append(room.kept(view, keep))
    return room.Film(views, film.person)


def test_who_comes_back_after_a_blind_spot_has_their_number_again(room) -> None:
    done, shoppers = live(hidden_for_a_while(room, 4.0), with_delay(2.0, blind_gap_s=6.0), entrances=[DOOR])
    assert shoppers.shoppers == 1
    assert {n for one in done if one.time_s > 12 for n in one.shopper.tolist()} == {0}
    assert all(not len(one.shopper) for one in done if 6.5 < one.time_s < 9.5)


DOOR = Zone("door", np.array([[-9.0, -9.0], [-8.0, -9.0], [-8.0, -8.0], [-9.0, -8.0]]))


def test_a_number_is_kept_through_coasting_that_outlasts_all_memory(room) -> None:
    """All cameras but one that looks elsewhere film nothing for a second."""
    away = PinholeCamera.look_at([5, 5, 3], [9, 9, 0], width_px=1280, height_px=720, focal_px=700)
    film = room.film(
        [room.straight((0, 0), (0.2, 0))],
        cameras={**room.cameras, "away": away},
        hide=dict.fromkeys(room.cameras, (3.0, 4.0)),
        own=False,
    )
    done, shoppers = live(film, with_delay(0.0, longest_s=0.2))
    assert shoppers.shoppers == 1
    assert {n for one in done for n in one.shopper.tolist()} == {0}


def size(thing: object) -> int:
    """How many things are held: lengths of all tables, of one level of parts."""
    total = 0
    for value in vars(thing).values():
        if isinstance(value, np.ndarray):
            total += value.size
        elif hasattr(value, "__len__"):
            total += len(value)
        elif hasattr(value, "__dict__"):
            total += size(value)
    return total


def test_memory_is_of_those_who_are_there_and_not_of_all_who_ever_were(room) -> None:
    ways = [room.straight((-3, -2), (3, 2), 3.0 * k, 3.0 * k + 3) for k in range(60)]
    film = room.film(ways, until_s=180.0, false=0.5, rate_hz=5.0)
    settings = with_delay(1.0, longest_s=5.0)
    shoppers = LiveShoppers([view.calibration for view in film.views], settings)
    sizes = []
    for window in windows(film, settings):
        shoppers.update(*window)
        sizes.append(size(shoppers))
    assert shoppers.shoppers >= 50
    early, late = np.array(sizes[200:500]).max(), np.array(sizes[-300:]).max()
    assert late < 2 * early


def test_times_that_do_not_go_on_are_refused(room) -> None:
    film = crossing(room, until_s=0.5)
    given = list(windows(film, AssociationSettings()))
    shoppers = LiveShoppers([view.calibration for view in film.views])
    shoppers.update(*given[1])
    for time_s in (given[1][0], given[0][0], np.nan):
        with pytest.raises(DataError, match="times that go on"):
            shoppers.update(time_s, *given[0][1:])


def test_vectors_may_be_missing_in_some_windows(room) -> None:
    rng = np.random.default_rng(0)
    film = room.film(
        [room.straight(*way) for way in CROSSING], looks=np.eye(2, dtype=np.float32), false=1.0, until_s=4.0
    )
    settings = AssociationSettings()
    shoppers = LiveShoppers([v.calibration for v in film.views], settings, likeness=lambda cosine: 4 * cosine - 2)
    done = []
    for time_s, present, looks, vector in windows(film, settings):
        done += shoppers.update(time_s, present, looks, vector if rng.random() < 0.5 else None)
    done += shoppers.flush()
    assert shoppers.shoppers == 2


def test_nobody_and_nothing_are_valid(room) -> None:
    done, shoppers = live(room.film([], until_s=1.0))
    assert (len(done), shoppers.shoppers) == (10, 0)
    assert len(as_floor_tracks(done, 0)) == len(as_floor_tracks([], 0)) == 0


def test_the_number_of_somebody_who_is_looked_for_yet_is_not_given_to_who_appears(room) -> None:
    """One is not seen for a frame, and just then a twin appears a step away, and is named at once."""
    cameras = dict(list(room.cameras.items())[:2])
    ways = [room.straight((0, 0), (0, 0)), room.straight((0.9, 0), (0.9, 0), 2.95, 6.0)]
    film = room.film(
        ways, cameras=cameras, own=False, missed=0.0, noise_px=1.0, looks=np.ones((2, 1), dtype=np.float32)
    )
    views = []
    for view in film.views:
        time_s = view.seen.time_s[np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))]
        views.append(room.kept(view, (film.person[view.camera] == 1) | (np.abs(time_s - 3.0) > 0.01)))
    settings = AssociationSettings.model_validate(
        {"online": {"delay_s": 0.0, "confirm": -0.5}, "link": {"inside": 1e-9}}
    )
    done, shoppers = live(
        room.Film(views, {}), settings, entrances=[DOOR], likeness=lambda cosine: np.full(len(cosine), 4.0)
    )
    assert all(len(np.unique(one.shopper)) == len(one.shopper) for one in done)
    assert shoppers.shoppers == 2
