"""Following people window by window."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.multicamera.follow import Follower, Step
from gocv.multicamera.looks import Looks, look_at
from gocv.multicamera.settings import AssociationSettings

CROSSING = [((-2, -2), (2, 2)), ((-2, 2), (2, -2))]


def follow(film, settings: AssociationSettings | None = None, **more) -> tuple[list[Step], Looks, Follower]:
    settings = settings or AssociationSettings()
    seen = look_at(film.views, settings.boxes)
    follower = Follower([view.calibration for view in film.views], settings, **more)
    steps = []
    for k, time_s in enumerate(seen.time_s.tolist()):
        own = slice(int(seen.first[k]), int(seen.first[k + 1]))
        vector = None if seen.vector is None else seen.vector[own]
        steps.append(follower.step(time_s, seen.present[k], seen.looks[own], vector))
    return steps, seen.looks, follower


def confirmed(steps: list[Step]) -> set[int]:
    """Serials that became shoppers, those of joined ones under one name."""
    into = {gone: one for step in steps for gone, one in step.joined}
    names = set()
    for serial in {s for step in steps for s in step.serial[step.confirmed].tolist()}:
        while serial in into:
            serial = into[serial]
        names.add(serial)
    return names


def well_formed(steps: list[Step]) -> None:
    for step in steps:
        n = len(step.serial)
        assert step.mean.shape == (n, 4)
        assert step.covariance.shape == (n, 4, 4)
        assert len(step.seen) == len(step.confirmed) == n
        assert (np.diff(step.serial) > 0).all()
        assert np.isin(step.who[step.who >= 0], step.serial).all()
        assert np.isfinite(step.mean).all()
        assert (np.linalg.eigvalsh(step.covariance) > 0).all()


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("cameras", [1, 2, 4])
def test_two_who_cross_are_followed_each_under_one_number(room, own: bool, cameras: int) -> None:
    film = room.film(
        [room.straight(*way) for way in CROSSING], own=own, cameras=dict(list(room.cameras.items())[:cameras])
    )
    steps, _, _ = follow(film)
    well_formed(steps)
    assert len(confirmed(steps)) == 2
    step = steps[45]
    true = np.stack([room.straight(*way).at(np.array([step.time_s]))[0] for way in CROSSING])
    sure = step.mean[step.confirmed, :2]
    assert (np.linalg.norm(true[:, None] - sure[None], axis=2).min(axis=1) < 0.4).all()


def test_who_is_hidden_for_a_moment_keeps_their_number(room) -> None:
    two = dict(list(room.cameras.items())[:2])
    film = room.film([room.straight(*CROSSING[0])], own=False, missed=0.0, cameras=two)
    views = []
    for view in film.views:
        time_s = view.seen.time_s[np.repeat(np.arange(len(view.seen)), np.diff(view.seen.first_row))]
        views.append(room.kept(view, (time_s < 3.0) | (time_s > 3.15)))
    assert len(confirmed(follow(room.Film(views, {}))[0])) == 1


def test_a_false_box_is_nobody_and_soon_forgotten(room) -> None:
    film = room.film([], false=0.2, until_s=10.0)
    steps, _, _ = follow(film)
    well_formed(steps)
    assert len(confirmed(steps)) <= 1
    assert max(len(step.serial) for step in steps[20:]) < 12


def test_a_ghost_that_one_camera_sees_and_the_others_should_dies(room) -> None:
    """The same false box again and again is somebody for as long as nobody else should see it."""
    ghost = room.film([room.straight((0, 0), (0.1, 0))], own=False)
    others = [room.kept(view, np.zeros(len(view.seen.boxes), np.bool_)) for view in ghost.views[1:]]
    assert not confirmed(follow(room.Film([ghost.views[0], *others], {}))[0])
    assert len(confirmed(follow(room.Film(ghost.views[:1], {}))[0])) == 1


def test_somebody_who_is_followed_twice_becomes_one(room) -> None:
    """Half the cameras place a person 0.8 m off at first."""
    film = room.film([room.straight((0, 0), (0, 0.5), 0.0, 12.0)], until_s=12.0, own=False, missed=0.3)
    seen = look_at(film.views, AssociationSettings().boxes)
    follower = Follower([view.calibration for view in film.views], AssociationSettings())
    steps = []
    for k, time_s in enumerate(seen.time_s.tolist()):
        own = seen.looks[int(seen.first[k]) : int(seen.first[k + 1])]
        off = 0.8 * np.clip(1 - (time_s - 1.0) / 2, 0, 1)
        moved = own._replace({"xy_m": own.xy_m + np.where(own.camera >= 2, off, 0.0)[:, None] * [[1.0, 0.0]]})
        steps.append(follower.step(time_s, seen.present[k], moved))
    well_formed(steps)
    assert max(int(step.confirmed.sum()) for step in steps) == 2
    assert int(steps[-1].confirmed.sum()) == 1
    assert len(steps[-1].serial) == 1


def test_two_who_walk_side_by_side_stay_two(room) -> None:
    film = room.film([room.straight((-2, 0.25), (2, 0.25)), room.straight((-2, -0.25), (2, -0.25))], own=False)
    steps, _, _ = follow(film)
    assert len(confirmed(steps)) == 2
    assert int(steps[-1].confirmed.sum()) == 2


def test_who_is_not_seen_for_long_is_lost(room) -> None:
    film = room.film([room.straight((-1, 0), (1, 0), 0.0, 3.0)], until_s=8.0)
    steps, _, _ = follow(film)
    assert int(steps[25].confirmed.sum()) == 1
    assert len(steps[-1].serial) == 0


def test_numbers_are_never_given_again(room) -> None:
    steps, _, _ = follow(room.film([], false=1.0, until_s=6.0))
    gone: set[int] = set()
    last: set[int] = set()
    for step in steps:
        now = set(step.serial.tolist())
        assert not now & gone
        gone |= last - now
        last = now


def test_no_box_is_two_people_and_no_person_has_two_boxes_of_a_camera(room) -> None:
    rng = np.random.default_rng(2)
    ways = [room.Walk(np.arange(9.0), rng.uniform(-2, 2, (9, 2))) for _ in range(8)]
    steps, looks, _ = follow(room.film(ways, until_s=8.0, own=False, false=0.5, noise_px=10.0))
    who = np.concatenate([step.who for step in steps])
    known = who >= 0
    seats = np.stack([looks.window, looks.camera, who])[:, known]
    assert np.unique(seats, axis=1).shape[1] == known.sum()


def test_empty_windows_no_cameras_and_nobody_are_valid(room) -> None:
    follower = Follower([], AssociationSettings())
    for time_s in (0.0, 1.0):
        step = follower.step(time_s, np.empty(0, np.bool_), Looks.empty())
        assert (len(step.serial), len(step.who), step.joined) == (0, 0, ())
    steps, _, _ = follow(room.film([]))
    assert all(not len(step.serial) for step in steps)


@pytest.mark.parametrize("time_s", [1.0, 0.5, np.nan, np.inf])
def test_times_that_do_not_go_on_are_refused(time_s: float) -> None:
    follower = Follower([], AssociationSettings())
    follower.step(1.0, np.empty(0, np.bool_), Looks.empty())
    with pytest.raises(DataError, match=r"times that go on"):
        follower.step(time_s, np.empty(0, np.bool_), Looks.empty())


def test_what_people_look_like_is_remembered_by_number(room) -> None:
    looks = np.eye(2, dtype=np.float32)
    film = room.film([room.straight(*way) for way in CROSSING], looks=looks)
    steps, _, follower = follow(film, likeness=lambda cosine: 4 * cosine - 2)
    vectors = [follower.look_of(serial) for serial in steps[-1].serial[steps[-1].confirmed].tolist()]
    assert {tuple(np.round(one / np.linalg.norm(one), 3)) for one in vectors} == {(1.0, 0.0), (0.0, 1.0)}
    assert follower.look_of(10_000) is None


def test_who_no_other_camera_could_see_is_overlooked_surely(room) -> None:
    film = room.film([room.straight((0, 0), (0.1, 0))], missed=0.0, until_s=1.0)
    seen = look_at(film.views, AssociationSettings().boxes)
    follower = Follower(seen.cameras, AssociationSettings())
    own = seen.looks[: int(seen.first[1])]
    step = follower.step(0.0, seen.present[0], own)
    told = follower.overlooked(step, seen.present[0], own)
    np.testing.assert_allclose(told, 3 * np.log(0.3))
    only = own.camera == 0
    alone = follower.overlooked(step, np.array([True, False, False, False]), own)
    assert (alone[only] == 0).all()
