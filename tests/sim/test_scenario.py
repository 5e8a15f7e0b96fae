"""The scenarios that come with gocv, each simulated, checked and detected in; and settings that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from gocv.core import ConfigError
from gocv.data.recording import Recording, check_recording
from gocv.shelf.faim import FaimDetector
from gocv.sim import Scenario, read_scenario, simulate

SCENARIOS = Path(__file__).parents[2] / "configs" / "sim" / "scenarios"
FILES = {path.stem: path for path in sorted(SCENARIOS.glob("*.yaml"))}
QUICK = {
    "busy_day": ["shoppers=6", "hours=0.05"],
    "drifting_scales": ["shoppers=2", "hours=0.1"],
    "plain_day": ["shoppers=6", "hours=0.1"],
    "rush_hour": ["shoppers=6", "hours=0.05"],
}
"""Overrides that cut long scenarios down."""
MEANT = {
    "dead_plates": {"gave no reading at all"},
    "lost_zeros": {"lost its leading zeros"},
    "clock_skew": {"samples lie outside the recording's clock"},
    "start_offset": {"samples lie outside the recording's clock"},
}
"""Warnings that a scenario is about."""
FAILURES = {
    "same-weight swap": "same_weight_swap",
    "two very close": "very_close",
    "crossing hands": "crossing_arms",
    "handed over": "hand_over",
    "simultaneous takes": "simultaneous_takes",
    "returns to wrong places": "wrong_returns",
    "held long, then lifted slowly": "slow_lifts",
    "mixed return": "mixed_return",
    "fast series": "fast_series",
    "misplaced item of close weight": "misplaced_close_weight",
    "left on the floor": "left_on_floor",
    "planogram wrong for a gondola": "wrong_planogram",
    "wrong weight on file": "wrong_weights",
    "start offset": "start_offset",
    "lost leading zero": "lost_zeros",
}
"""What real systems failed at, as published, and the scenario that has it."""


def test_there_is_a_scenario_for_every_published_failure() -> None:
    assert set(FAILURES.values()) <= set(FILES)
    for name in FAILURES.values():
        scenario = read_scenario(FILES[name])
        assert scenario.features == (name,) or scenario.paperwork != Scenario().paperwork


@pytest.mark.parametrize("name", FILES)
def test_seeds_for_tests_are_kept_apart(name) -> None:
    seeds = read_scenario(FILES[name]).seeds
    assert seeds.development[1] < seeds.test[0] or seeds.test[1] < seeds.development[0]


@pytest.mark.parametrize("name", FILES)
def test_a_scenario_becomes_a_sound_recording_in_which_weight_events_are_found(tmp_path, name) -> None:
    scenario = read_scenario(FILES[name], QUICK.get(name, ()))
    truth = simulate(scenario, tmp_path / "r", seed=scenario.seeds.development[0] + 3)
    assert len(truth.events) >= 3
    assert truth.planogram
    problems = check_recording(tmp_path / "r")
    unmeant = [
        p for p in problems if p.severity == "error" or not any(text in p.message for text in MEANT.get(name, ()))
    ]
    assert unmeant == []
    recording = Recording.open(tmp_path / "r")
    assert recording.truth is not None
    assert len(recording.truth.events) == len(truth.events)
    found = 0
    for group in recording.scales:
        detector = FaimDetector(rate_hz=group.rate_hz)
        for chunk in recording.scale_chunks(group):
            found += len(list(detector.update(chunk)))
        found += len(list(detector.flush()))
    assert found >= 0.2 * sum(event.kind == "shelf" for event in truth.events)


@pytest.mark.parametrize("name", set(MEANT) - {"start_offset", "clock_skew"})
def test_warnings_that_are_meant_come(tmp_path, name) -> None:
    simulate(read_scenario(FILES[name]), tmp_path / "r", seed=3)
    messages = [problem.message for problem in check_recording(tmp_path / "r")]
    assert all(any(text in message for message in messages) for text in MEANT[name])


def test_all_defaults_are_an_ordinary_visit() -> None:
    assert read_scenario(None) == Scenario()
    assert read_scenario(FILES["plain_visit"]).model_dump(exclude={"about"}) == Scenario().model_dump(exclude={"about"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shopers: 3", "key 'shopers'.*'shoppers'"),
        ("habits: {stop: 3}", "key 'habits.stop'.*'stops'"),
        ("shoppers: 0", "key 'shoppers'"),
        ("shoppers: many", "key 'shoppers'"),
        ("hours: 0", "key 'hours'"),
        ("hours: .nan", "key 'hours'"),
        ("fill: 1.5", "key 'fill'"),
        ("fill: 0", "key 'fill'"),
        ("features: [crosing_arms]", "key 'features.0'.*got 'crosing_arms', expected 'crossing_arms'"),
        ("{features: [hand_over], shoppers: 1}", "at least 2 shoppers for its features"),
        ("habits: {returned: 1.1}", "key 'habits.returned'"),
        ("disorder: {astride: -0.1}", "key 'disorder.astride'"),
        ("joints: {swap: 2}", "key 'joints.*swap|key 'swap'"),
        ("joints: {slow_s: -1}", "slow_s"),
        ("joints_hz: 0", "key 'joints_hz'"),
        ("scale_offset_s: [1, 0]", "key 'scale_offset_s'.*the smaller one first"),
        ("scale_drift_ppm: -1", "key 'scale_drift_ppm'"),
        ("paperwork: {start_offset_s: [3, 1]}", "key 'paperwork.start_offset_s'"),
        ("faults: [{kind: melted}]", "key 'faults.0.kind'"),
        ("faults: [{kind: stuck, from_s: 9, until_s: 3}]", "key 'faults.0'.*end after it begins"),
        ("seeds: {test: [500, 1500]}", "keep the test seeds apart"),
        ("seeds: {development: [5, 1]}", "the smaller seed first"),
        ("store: {name: demos}", "key 'store.name'.*got 'demos', expected 'demo'"),
        ("store: {name: demo, parametric: {seed: 1}}", "key 'store'.*choose one store"),
        ("store: {parametric: {aisles: 0}}", "key 'store.parametric.aisles'"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_file_and_key(tmp_path, text, message) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message) as refusal:
        read_scenario(path)
    assert refusal.value.file == str(path)
    with pytest.raises(ConfigError, match=f"command line, {message}" if message.startswith("key") else message):
        read_scenario(FILES["plain_visit"], _as_overrides(text))


def _as_overrides(text: str) -> list[str]:
    settings = yaml.safe_load(text)
    return [f"{key}={json.dumps(value)}" for key, value in settings.items()]


def test_scenarios_differ_in_what_they_are_about_alone(tmp_path) -> None:
    """The same seed is the same visit where only scales, paperwork or cameras are broken."""
    base = simulate(read_scenario(FILES["plain_visit"]), tmp_path / "base", seed=4)
    for name in ("dead_plates", "clock_skew", "dead_camera", "swapped_plates"):
        truth = simulate(read_scenario(FILES[name]), tmp_path / name, seed=4)
        assert truth.events == base.events, name
        np.testing.assert_equal([dict(r.items) for r in truth.receipts], [dict(r.items) for r in base.receipts])
