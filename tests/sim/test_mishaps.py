"""Each kind of mishap breaks what it says, in the recording as well, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gocv.core import ConfigError, PlateId, ScaleSamples
from gocv.data.recording import Recording
from gocv.sim import Scenario, simulate
from gocv.sim.faults import (
    BlindArea,
    ClockSkew,
    DeadGondola,
    DriftingPlate,
    MissingPlate,
    NoisyPlate,
    StuckPlate,
    SwappedPlates,
)
from gocv.sim.mishaps import Mishap

PLATE = PlateId(1, 1, 3)
ALWAYS = {"from_s": -1.0}
SPAN = {"from_s": 10.0, "until_s": 30.0}
CALM = {"breaks_per_h": 0.0, "away_per_h": 0.0, "swap": 0.0}


def _drawn(layout: Any, seed: int = 0, **settings: Any) -> list[Any]:
    return Mishap.model_validate(settings).draw(layout, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "stuck", "plate": "1/1/3"}, StuckPlate(PLATE, **ALWAYS)),
        ({"kind": "missing", "plate": "1/1/3", **SPAN}, MissingPlate(PLATE, **SPAN)),
        ({"kind": "drifting", "plate": "1/1/3", "g_per_h": -9.0}, DriftingPlate(PLATE, -9.0, **ALWAYS)),
        ({"kind": "noisy", "plate": "1/1/3", "factor": 4.0}, NoisyPlate(PLATE, 4.0, **ALWAYS)),
        ({"kind": "swapped", "plate": "1/1/3"}, SwappedPlates(PLATE, PlateId(1, 1, 4), **ALWAYS)),
        ({"kind": "swapped", "plate": "1/1/8"}, SwappedPlates(PlateId(1, 1, 8), PlateId(1, 1, 7), **ALWAYS)),
        ({"kind": "dead_gondola", "gondola": 2, **SPAN}, DeadGondola(2, **SPAN)),
        ({"kind": "clock_skew", "gondola": 2, "offset_s": 1.5, "drift_ppm": 9.0}, ClockSkew(2, 1.5, 9.0)),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_what_is_named_is_what_breaks(stores, settings, expected) -> None:
    assert _drawn(stores["small"], **settings) == [expected]


def test_a_noisy_plate_trembles_more_than_its_own_gondola_does(stores) -> None:
    (fault,) = _drawn(stores["demo"], kind="noisy", plate="1/1/3", factor=4.0)
    assert fault.sd_g == stores["demo"].gondolas[1].noise.sd_g


@pytest.mark.parametrize("kind", ["stuck", "missing", "noisy", "drifting", "swapped"])
def test_the_seed_picks_plates_that_carry_something(stores, kind) -> None:
    carrying = set().union(*stores["demo"].store.planogram.values())
    picked = set()
    for seed in range(5):
        faults = _drawn(stores["demo"], seed, kind=kind, count=4)
        plates = {fault.first if kind == "swapped" else fault.plate for fault in faults}
        assert len(plates) == 4
        assert plates <= carrying
        picked |= plates
    assert len(picked) > 10
    assert _drawn(stores["demo"], 3, kind=kind, count=4) == _drawn(stores["demo"], 3, kind=kind, count=4)


@pytest.mark.parametrize("settings", [{"kind": "dead_gondola"}, {"kind": "clock_skew", "drift_ppm": 5}])
def test_the_seed_picks_gondolas(stores, settings) -> None:
    picked = {fault.gondola for seed in range(20) for fault in _drawn(stores["demo"], seed, **settings)}
    assert picked == set(stores["demo"].gondolas)


def test_the_seed_picks_cameras(stores) -> None:
    picked = {fault.camera for seed in range(30) for fault in _drawn(stores["demo"], seed, kind="dead_camera")}
    assert picked == set(stores["demo"].cameras)


def test_a_plate_breaks_once_however_many_faults_there_are(stores) -> None:
    for seed in range(5):
        rng, broken = np.random.default_rng(seed), set()
        plates = []
        for kind, count in (("missing", 12), ("swapped", 6), ("stuck", 8)):
            for fault in Mishap.model_validate({"kind": kind, "count": count}).draw(stores["small"], rng, broken):
                plates += [fault.first, fault.second] if kind == "swapped" else [fault.plate]
        assert len(plates) == len(set(plates)) == 32
        assert set(plates) == broken


def test_a_dead_camera_hides_the_floor_in_the_middle_of_its_picture(stores) -> None:
    layout = stores["demo"]
    for name, camera in layout.cameras.items():
        (area,) = _drawn(layout, kind="dead_camera", camera=name, **SPAN)
        assert isinstance(area, BlindArea)
        assert (area.from_s, area.until_s) == (10.0, 30.0)
        middle = np.mean(area.polygon_m, axis=0)
        (pixel,) = camera.project(np.array([[*middle, 0.0]]))[0]
        np.testing.assert_allclose(pixel, [camera.width_px / 2, camera.height_px / 2], atol=2.0)
        assert area.hides(np.array([20.0]), middle[None])[0]
        assert not area.hides(np.array([20.0]), middle[None] + 1.3)[0]
        assert not area.hides(np.array([40.0]), middle[None])[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "missing", "plate": "1/1/99"}, "key 'plate': there is no plate 1/1/99"),
        ({"kind": "missing", "plate": "one"}, r"key 'plate'.*gondola/shelf/plate"),
        ({"kind": "dead_gondola", "gondola": 77}, "key 'gondola': there is no gondola 77"),
        ({"kind": "dead_camera", "camera": "ceiling-9"}, "key 'camera': there is no camera ceiling-9 .expected"),
        ({"kind": "stuck", "count": 5000}, r"key 'count': \d+ plates are all there are"),
        ({"kind": "dead_gondola", "count": 3}, "key 'count': there are 2 to pick from"),
        ({"kind": "drifting", "g_per_h": float("inf")}, "key 'g_per_h'"),
        ({"kind": "clock_skew", "drift_ppm": 1e6}, "key 'drift_ppm'"),
    ],
)
def test_what_is_not_there_cannot_break(stores, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        _drawn(stores["small"], **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "melted"}, "kind"),
        ({"kind": "stuck", "until_s": 5.0, "from_s": 5.0}, "end after it begins"),
        ({"kind": "stuck", "until_s": -1.0}, "end after it begins"),
        ({"kind": "stuck", "from_s": -1.0}, "from_s"),
        ({"kind": "stuck", "gondola": 1}, "name a plate for kind stuck"),
        ({"kind": "dead_gondola", "plate": "1/1/1"}, "name a gondola for kind dead_gondola"),
        ({"kind": "dead_camera", "gondola": 1}, "name a camera for kind dead_camera"),
        ({"kind": "missing", "plate": "1/1/3", "count": 2}, "count 1 where it names the plate"),
        ({"kind": "noisy", "factor": 0.5}, "factor"),
        ({"kind": "stuck", "count": 0}, "count"),
        ({"kind": "clock_skew", "offset_s": 1.0, "until_s": 20.0}, "all the time"),
        ({"kind": "clock_skew"}, "nothing would break"),
        ({"kind": "drifting", "g_per_h": 0.0}, "nothing would break"),
        ({"kind": "stuck", "factor": 3.0}, "should not have factor for kind stuck"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Mishap.model_validate(settings)


def _samples(recording: Recording) -> dict[PlateId, np.ndarray]:
    found = {}
    for group in recording.scales:
        samples = ScaleSamples.concatenate(list(recording.scale_chunks(group)))
        found.update({plate: samples.weight_g[:, i] for i, plate in enumerate(samples.plates)})
    return found


@pytest.fixture(scope="module")
def sound(tmp_path_factory, stores) -> Recording:
    path = tmp_path_factory.mktemp("sound") / "r"
    simulate(Scenario.model_validate({"joints": CALM}), path, seed=5, layout=stores["small"])
    return Recording.open(path)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ({"kind": "missing", "plate": "1/2/4"}, {PlateId(1, 2, 4)}),
        ({"kind": "stuck", "plate": "2/1/1"}, {PlateId(2, 1, 1)}),
        ({"kind": "noisy", "plate": "2/3/2", "factor": 9}, {PlateId(2, 3, 2)}),
        ({"kind": "drifting", "plate": "1/1/2", "g_per_h": 900}, {PlateId(1, 1, 2)}),
        ({"kind": "swapped", "plate": "1/3/6"}, {PlateId(1, 3, 6), PlateId(1, 3, 7)}),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_one_broken_plate_breaks_no_other(tmp_path, stores, sound, fault, broken) -> None:
    scenario = Scenario.model_validate({"joints": CALM, "faults": [fault]})
    truth = simulate(scenario, tmp_path / "r", seed=5, layout=stores["small"])
    recording = Recording.open(tmp_path / "r")
    before, after = _samples(sound), _samples(recording)
    assert {plate for plate, weight in after.items() if not np.array_equal(weight, before[plate])} == broken
    assert [(e.shopper, e.product) for e in truth.events] == [(e.shopper, e.product) for e in sound.truth.events]
    assert recording.joints.read_bytes() == sound.joints.read_bytes()


def test_what_is_missing_from_the_beginning_never_gave_a_reading(tmp_path, stores) -> None:
    scenario = Scenario.model_validate({"faults": [{"kind": "missing", "count": 3}]})
    simulate(scenario, tmp_path / "r", seed=5, layout=stores["small"])
    samples = _samples(Recording.open(tmp_path / "r"))
    assert sum(bool(np.isnan(weight).all()) for weight in samples.values()) == 3
    assert sum(bool(np.isnan(weight).any()) for weight in samples.values()) == 3


def test_a_dead_gondola_sends_nothing_while_it_is_dead(tmp_path, stores, sound) -> None:
    scenario = Scenario.model_validate({"joints": CALM, "faults": [{"kind": "dead_gondola", "gondola": 2, **SPAN}]})
    simulate(scenario, tmp_path / "r", seed=5, layout=stores["small"])
    recording = Recording.open(tmp_path / "r")
    for group, whole in zip(recording.scales, sound.scales, strict=True):
        time_s = np.concatenate([chunk.time_s for chunk in recording.scale_chunks(group)])
        all_s = np.concatenate([chunk.time_s for chunk in sound.scale_chunks(whole)])
        assert (np.diff(time_s).max() > 15) == (group.plates[0].gondola == 2)
        dead = group.plates[0].gondola == 2
        assert len(time_s) == pytest.approx(len(all_s) - 1200 * dead, abs=24)


def test_a_skewed_clock_is_of_one_gondola(tmp_path, stores, sound) -> None:
    fault = {"kind": "clock_skew", "gondola": 1, "offset_s": 1.5}
    simulate(
        Scenario.model_validate({"joints": CALM, "faults": [fault]}), tmp_path / "r", seed=5, layout=stores["small"]
    )
    recording = Recording.open(tmp_path / "r")
    for group, whole in zip(recording.scales, sound.scales, strict=True):
        skewed = next(recording.scale_chunks(group)).time_s[0] - next(sound.scale_chunks(whole)).time_s[0]
        assert skewed == pytest.approx(1.5 if group.plates[0].gondola == 1 else 0.0, abs=1e-3)


def test_under_a_dead_camera_joints_are_unknown(tmp_path, stores, sound) -> None:
    scenario = Scenario.model_validate({"joints": CALM, "faults": [{"kind": "dead_camera"}]})
    truth = simulate(scenario, tmp_path / "r", seed=5, layout=stores["small"])
    whole, blind = sound.floor_tracks(), Recording.open(tmp_path / "r").floor_tracks()
    assert len(blind) < len(whole) or np.isnan(blind.joints_m).sum() > 2 * np.isnan(whole.joints_m).sum()
    assert truth.receipts is not None
    assert [dict(r.items) for r in truth.receipts] == [dict(r.items) for r in sound.truth.receipts]
