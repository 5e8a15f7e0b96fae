"""What a hand does to a shelf: exact before and after, half done at its time, and the shapes in between."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ConfigError
from gocv.sim.load_changes import LoadChange, load_signal, minimum_jerk

NONE = np.zeros(4)
TAKEN = np.array([0.0, -150.0, -50.0, 0.0])
ALL_PLATES = np.ones(4)


@pytest.mark.parametrize("delta", [TAKEN, -TAKEN, np.array([-80.0, 80.0, 0.0, 0.0])])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"press_g": 40.0, "overshoot": 0.08},
        {"press_g": 40.0, "hold_s": 6.0},
        {"first_share": 0.3, "pause_s": 1.5, "overshoot": 0.1},
        {"first_share": 0.7, "pause_s": 1.5, "press_g": 15.0},
        {"press_g": 900.0, "press_share": ALL_PLATES},
    ],
)
def test_a_change_begins_and_ends_exactly(delta, more) -> None:
    change = LoadChange(5.0, 0.6, delta, **more)
    before = np.linspace(change.start_s - 3.0, change.start_s, 50)
    after = np.linspace(change.settled_s, change.settled_s + 9.0, 50)
    assert not load_signal(change, before).any()
    np.testing.assert_array_equal(load_signal(change, after), np.tile(delta, (50, 1)))
    assert change.start_s < 5.0 < change.settled_s
    between = load_signal(change, np.linspace(change.start_s, change.settled_s, 500))
    assert np.abs(np.diff(between, axis=0)).max() > 0


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.05, 8.0),
    st.floats(0.05, 1.0).filter(lambda share: abs(share - 0.5) > 0.01),
    st.floats(0.0, 5.0),
    st.floats(0.0, 30.0),
)
def test_half_of_the_weight_has_moved_at_its_time(duration_s, first_share, pause_s, hold_s) -> None:
    change = LoadChange(20.0, duration_s, TAKEN, hold_s=hold_s, first_share=first_share, pause_s=pause_s)
    np.testing.assert_allclose(load_signal(change, np.array([20.0]))[0], TAKEN / 2, rtol=1e-6)


def test_a_lift_in_two_steps_rests_in_between() -> None:
    change = LoadChange(10.0, 1.0, np.array([-100.0]), first_share=0.25, pause_s=2.0)
    level = load_signal(change, np.arange(5.0, 14.0, 0.01))[:, 0]
    assert np.isclose(level, -25.0, atol=0.01).sum() >= 195
    assert (np.diff(level) <= 1e-9).all()


def test_a_slow_lift_takes_its_time() -> None:
    when = np.arange(0.0, 20.0, 0.01)
    slow = load_signal(LoadChange(10.0, 6.0, np.array([-100.0])), when)[:, 0]
    assert 5.5 < ((slow < -0.01) & (slow > -99.99)).sum() * 0.01 < 6.0


@pytest.mark.parametrize(("delta", "begins", "ends"), [(TAKEN, 0.0, 9.8), (-TAKEN, 10.2, 30.0)])
def test_the_hand_rests_before_a_lift_and_after_a_put_down(delta, begins, ends) -> None:
    change = LoadChange(10.0, 0.2, delta, press_g=120.0, hold_s=8.0)
    when = np.arange(0.0, 30.0, 0.01)
    press = change.press(when)
    assert (press == 120.0).sum() * 0.01 == pytest.approx(8.0, abs=0.4)
    inside = (when >= begins) & (when <= ends)
    assert press[inside].sum() > 0.95 * press.sum()
    share = load_signal(change, when)[press == 120.0].mean(axis=0) - (0.0 if delta is TAKEN else delta)
    np.testing.assert_allclose(share, 120.0 * np.abs(delta) / 200.0, atol=2.0)


def test_a_hand_may_lean_on_other_plates_than_those_of_the_goods() -> None:
    share = np.array([3.0, 0.0, 0.0, 1.0])
    change = LoadChange(10.0, 0.3, TAKEN, press_g=400.0, hold_s=2.0, press_share=share)
    signal = load_signal(change, np.array([9.0]))[0]
    np.testing.assert_allclose(signal, [300.0, 0.0, 0.0, 100.0], atol=1e-6)


def test_leaning_without_taking_leaves_nothing() -> None:
    change = LoadChange(10.0, 0.5, NONE, press_g=300.0, hold_s=1.0, press_share=ALL_PLATES)
    signal = load_signal(change, np.arange(8.0, 12.0, 0.01))
    assert signal.max() == pytest.approx(75.0)
    assert change.start_s == pytest.approx(9.25)
    assert change.settled_s == pytest.approx(10.75)
    np.testing.assert_allclose(load_signal(change, np.array([10.0]))[0], 75.0)
    assert not load_signal(change, np.array([change.start_s, change.settled_s])).any()


def test_a_hand_presses_before_it_lifts_and_the_plate_rings() -> None:
    change = LoadChange(5.0, 0.3, np.array([-200.0]), press_g=40.0, overshoot=0.10)
    signal = load_signal(change, np.arange(3.0, 8.0, 0.005))[:, 0]
    assert signal.max() > 35.0
    assert -220.0 <= signal.min() < -206.0
    bounced = load_signal(LoadChange(5.0, 0.3, np.array([200.0]), overshoot=0.10), np.arange(3.0, 8.0, 0.005))[:, 0]
    assert 206.0 < bounced.max() <= 220.0


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("duration_s", {"duration_s": 0.0}),
        ("duration_s", {"duration_s": float("inf")}),
        ("time_s", {"time_s": float("nan")}),
        ("press_g", {"press_g": -1.0}),
        ("overshoot", {"overshoot": -0.1}),
        ("hold_s", {"hold_s": -1.0}),
        ("pause_s", {"pause_s": -1.0}),
        ("first_share", {"first_share": 0.0}),
        ("first_share", {"first_share": 1.1}),
        ("delta_g", {"delta_g": np.array([np.nan])}),
        ("delta_g", {"delta_g": np.zeros((2, 2))}),
        ("press_share", {"press_share": np.ones(3)}),
        ("press_share", {"press_share": np.array([1.0, -1.0, 0.0, 0.0])}),
        ("press_share", {"press_share": np.zeros(4)}),
        ("press_share", {"delta_g": np.zeros(4), "press_g": 10.0}),
    ],
)
def test_senseless_changes_are_refused_by_name(key, change) -> None:
    with pytest.raises(ConfigError) as caught:
        LoadChange(**{"time_s": 1.0, "duration_s": 0.3, "delta_g": TAKEN, **change})
    assert caught.value.key == key


def test_minimum_jerk_rises_without_a_jolt() -> None:
    step = minimum_jerk(np.linspace(-0.5, 1.5, 401))
    assert (np.diff(step) >= 0).all()
    assert np.abs(np.diff(step, 2)).max() < 4e-4
