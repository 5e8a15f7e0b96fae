"""What is believed of cameras' own tracks, against the hidden Markov chain written out."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.multicamera.beliefs import _KEPT, _MOST, OwnTracks

CHANGES_PER_S, STRANGERS = 1.0, 0.01


def forward(looks: list[tuple[float, dict[int, float]]], people: int) -> np.ndarray:
    """(people,) log-odds against nobody of whom a track means; `looks` are times and densities, λ where not given."""
    states = people + 1
    belief = np.full(states, 1 / states)
    last_s = looks[0][0]
    for time_s, near in looks:
        stays = np.exp(-CHANGES_PER_S * (time_s - last_s))
        last_s = time_s
        density = np.full(states, STRANGERS)
        for person, value in near.items():
            density[person] = max(value, STRANGERS)  # a track may be of somebody who is elsewhere for a moment
        belief = (belief @ (np.full((states, states), (1 - stays) / states) + stays * np.eye(states))) * density
        belief /= belief.sum()
    return np.log(belief[:-1] / belief[-1])


@pytest.mark.parametrize("seed", range(5))
def test_beliefs_are_those_of_the_forward_algorithm(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, tracks = 3, [40, 7]
    own = OwnTracks(CHANGES_PER_S, STRANGERS, 10.0)
    own.appear(people)
    seen: dict[int, list[tuple[float, dict[int, float]]]] = {track: [] for track in tracks}
    for time_s in np.cumsum(rng.uniform(0.05, 0.5, 12)).tolist():
        now = [track for track in tracks if rng.random() < 0.8]
        chain = own.rows(np.array([*now, -1]), time_s)
        assert chain[-1] == -1
        row, who, density = [], [], []
        for i, track in enumerate(now):
            near = {int(j): float(rng.uniform(0.001, 0.5)) for j in np.flatnonzero(rng.random(people) < 0.7)}
            seen[track].append((time_s, near))
            for j, value in near.items():
                row.append(i), who.append(j), density.append(np.log(value))
        own.learn(chain, np.array(row, int), np.array(who, int), np.array(density))
        for track in now:
            odds = own.log_odds(np.full(people, chain[now.index(track)]), np.arange(people))
            right = forward(seen[track], people)
            assert np.abs(right).max() < _MOST, "nothing was cut off"
            np.testing.assert_allclose(odds, right, atol=1e-9)


def test_looks_of_no_track_say_nothing_and_leave_nothing() -> None:
    own = OwnTracks(CHANGES_PER_S, STRANGERS, 10.0)
    own.appear(2)
    chain = own.rows(np.array([-1, -1]), 0.0)
    own.learn(chain, np.array([0]), np.array([1]), np.array([5.0]))
    assert own.log_odds(chain, np.array([0, 1])).tolist() == [0.0, 0.0]


def test_a_new_track_and_a_new_person_are_unknown_to_each_other() -> None:
    own = OwnTracks(CHANGES_PER_S, STRANGERS, 10.0)
    own.appear(1)
    first = own.rows(np.array([5]), 0.0)
    own.learn(first, np.array([0]), np.array([0]), np.array([3.0]))
    own.appear(1)
    both = own.rows(np.array([5, 6]), 0.1)
    odds = own.log_odds(both[[0, 0, 1, 1]], np.array([0, 1, 0, 1]))
    assert odds[0] > 1
    assert odds[1:].tolist() == [0.0, 0.0, 0.0]


def test_who_goes_takes_their_column_along_and_who_is_joined_leaves_theirs() -> None:
    own = OwnTracks(CHANGES_PER_S, STRANGERS, 10.0)
    own.appear(3)
    chain = own.rows(np.array([5]), 0.0)
    own.learn(chain, np.array([0]), np.array([2]), np.array([3.0]))
    meant = float(own.log_odds(chain, np.array([2]))[0])
    own.join(0, 2)
    own.keep(np.array([True, False, False]), 0.0)
    assert own.log_odds(chain, np.array([0]))[0] == meant


def test_certainty_is_bounded_so_that_a_track_can_change_its_mind() -> None:
    own = OwnTracks(1e-7, STRANGERS, 10.0)
    own.appear(2)
    chain = own.rows(np.array([5]), 0.0)
    for _ in range(200):
        own.learn(chain, np.array([0]), np.array([0]), np.array([300.0]))
    odds = own.log_odds(chain[[0, 0]], np.array([0, 1]))
    assert np.isfinite(odds).all()
    assert np.abs(odds).max() <= _MOST


def test_silent_tracks_are_forgotten_and_the_rest_keep_what_is_believed_of_them() -> None:
    own = OwnTracks(CHANGES_PER_S, STRANGERS, 1.0)
    own.appear(1)
    largest = 0
    for k in range(20_000):
        chain = own.rows(np.array([0, k + 1]), 0.01 * k)
        own.learn(chain, np.array([0]), np.array([0]), np.array([3.0]))
        own.keep(np.array([True]), 0.01 * k)
        largest = max(largest, len(own._belief), len(own._row), len(own._last_s))
    assert own.log_odds(own.rows(np.array([0]), 200.0), np.array([0]))[0] > 1
    assert largest < 3 * _KEPT
