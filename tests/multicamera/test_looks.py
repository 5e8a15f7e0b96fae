"""Windows of time in which each camera looks once at most."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.multicamera.looks import Seen, look_at
from gocv.multicamera.settings import BoxSettings


def windows_of(seen: Seen, frames: dict[str, np.ndarray]) -> None:
    """What must hold whatever was filmed."""
    assert (np.diff(seen.time_s) > 0).all()
    assert seen.present.shape == (len(seen.time_s), len(frames))
    # Each frame is in one window, and no two of a camera in one.
    assert seen.present.sum(axis=0).tolist() == [len(times) for times in frames.values()]
    assert seen.present.any(axis=1).all()
    assert seen.first[0] == 0
    assert seen.first[-1] == len(seen.looks)
    assert np.array_equal(np.repeat(np.arange(len(seen.time_s)), np.diff(seen.first)), seen.looks.window)
    assert seen.present[seen.looks.window, seen.looks.camera].all()


def look(film, **changes) -> Seen:
    return look_at(film.views, BoxSettings(), **changes)


def times_of(film) -> dict[str, np.ndarray]:
    return {view.camera: view.seen.time_s for view in film.views}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"late_s": {"north-east": 0.03, "south-west": 0.07}},
        {"rate_hz": {"north-east": 10.0, "south-east": 25.0, "south-west": 5.0, "north-west": 7.3}},
        {"hide": {"south-east": (1.0, 3.0)}},
        {"hide": {"south-east": (0.0, 99.0)}},
    ],
    ids=["together", "out of step", "other rates", "a gap", "one that films nothing"],
)
def test_every_frame_is_in_one_window_and_no_window_has_two_of_a_camera(room, changes) -> None:
    film = room.film([room.straight((-2, -2), (2, 2))], **changes)
    seen = look(film)
    windows_of(seen, times_of(film))
    for c, view in enumerate(film.views):
        own = seen.looks[seen.looks.camera == c]
        frame = np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))[own.row]
        np.testing.assert_allclose(seen.time_s[own.window] + own.late_s, view.seen.time_s[frame], atol=1e-9)


def test_cameras_that_film_together_share_their_windows(room) -> None:
    seen = look(room.film([room.straight((-2, -2), (2, 2))]))
    assert seen.present.all()
    assert np.abs(seen.looks.late_s).max() < 1e-9


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_windows_hold_for_any_times(room, data) -> None:
    film = room.film([room.straight((-2, -2), (2, 2))], until_s=2.0)
    views = []
    for view in film.views:
        count = len(view.seen)
        steps = data.draw(st.lists(st.floats(1e-3, 2.0), min_size=count, max_size=count))
        views.append(dataclasses.replace(view, seen=dataclasses.replace(view.seen, time_s=np.cumsum(steps))))
    seen = look_at(views, BoxSettings())
    windows_of(seen, {view.camera: view.seen.time_s for view in views})
    longest = min(np.median(np.diff(view.seen.time_s)) for view in views)
    assert np.abs(seen.looks.late_s).max(initial=0.0) <= longest


def test_a_clock_that_is_known_to_be_late_is_set_right(room) -> None:
    film = room.film([room.straight((-2, -2), (2, 2))], late_s={"north-east": 0.3})
    seen = look(film, late_s={"north-east": 0.3})
    assert seen.present.all()


def test_own_tracks_of_different_cameras_are_different_tracks(room) -> None:
    film = room.film([room.straight((-2, -2), (2, 2)), room.straight((-2, 2), (2, -2))])
    looks = look(film).looks
    pairs = np.unique(np.stack([looks.own, looks.camera]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1] == 8
    for c, view in enumerate(film.views):
        own = looks[looks.camera == c]
        assert len(np.unique(np.stack([own.own, view.seen.track_id[own.row]]), axis=1).T) == 2


def test_boxes_without_own_tracks_have_none(room) -> None:
    assert (look(room.film([room.straight((-2, -2), (2, 2))], own=False)).looks.own == -1).all()


def test_boxes_without_a_place_are_left_out(room) -> None:
    film = room.film([room.straight((-2, -2), (2, 2))])
    view = film.views[0]
    boxes = view.seen.boxes.xyxy.copy()
    boxes[::2] = np.nan
    spoilt = dataclasses.replace(view.seen, boxes=dataclasses.replace(view.seen.boxes, xyxy=boxes))
    looks = look_at([dataclasses.replace(view, seen=spoilt)], BoxSettings()).looks
    assert set(looks.row.tolist()) == set(range(1, len(boxes), 2))


def test_vectors_go_with_their_boxes(room) -> None:
    film = room.film([room.straight((-2, -2), (2, 2))], looks=np.eye(3, dtype=np.float32))
    marked = []
    for c, view in enumerate(film.views):
        vector = np.stack([np.full(len(view.seen.boxes), c), np.arange(len(view.seen.boxes))], axis=1)
        marked.append(dataclasses.replace(view, vector=vector.astype(np.float32)))
    marked[2] = dataclasses.replace(marked[2], vector=None)
    seen = look_at(marked, BoxSettings())
    own = seen.looks.camera != 2
    assert np.array_equal(seen.vector[own], np.stack([seen.looks.camera, seen.looks.row], axis=1)[own])
    assert np.isnan(seen.vector[~own]).all()


def test_vectors_that_do_not_fit_are_refused(room) -> None:
    views = room.film([room.straight((-2, -2), (2, 2))], looks=np.eye(3, dtype=np.float32)).views
    short = dataclasses.replace(views[0], vector=views[0].vector[1:])
    with pytest.raises(DataError, match="north-east"):
        look_at([short, *views[1:]], BoxSettings())
    narrow = dataclasses.replace(views[1], vector=views[1].vector[:, :2])
    with pytest.raises(DataError, match="south-east"):
        look_at([views[0], narrow], BoxSettings())


def test_one_name_for_two_cameras_is_refused(room) -> None:
    views = room.film([room.straight((-2, -2), (2, 2))]).views
    with pytest.raises(DataError, match="north-east"):
        look_at([*views, views[0]], BoxSettings())


def test_times_that_do_not_go_on_are_refused(room) -> None:
    view = room.film([room.straight((-2, -2), (2, 2))]).views[0]
    times = view.seen.time_s.copy()
    times[3] = times[2]
    with pytest.raises(DataError, match="north-east"):
        look_at([dataclasses.replace(view, seen=dataclasses.replace(view.seen, time_s=times))], BoxSettings())


def test_no_cameras_and_cameras_that_saw_nobody_are_valid(room) -> None:
    nothing = look_at([], BoxSettings())
    assert (len(nothing.time_s), nothing.present.shape, len(nothing.looks)) == (0, (0, 0), 0)
    film = room.film([])
    seen = look(film)
    windows_of(seen, times_of(film))
    assert (len(seen.time_s), len(seen.looks)) == (60, 0)
