"""What breaks: each fault does what it says, from when and until when it says, however the samples are cut."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import ConfigError, PlateId, ScaleSamples
from gocv.sim.faults import (
    BlindArea,
    ClockSkew,
    DeadGondola,
    DriftingPlate,
    FaultyScales,
    MissingPlate,
    NoisyPlate,
    ScaleFault,
    StuckPlate,
    SwappedPlates,
)
from gocv.sim.scales import ScaleNoise

PLATES = tuple(PlateId(2, shelf, plate) for shelf in (1, 2) for plate in (1, 2, 3))
TIME = np.arange(600) / 60.0
WEIGHT = (1000.0 * (1 + np.arange(6)) + np.arange(600)[:, None]).astype(np.float32)
STAMPS = TIME + 700.0


def _broken(*faults: ScaleFault, cuts: tuple[int, ...] = ()) -> ScaleSamples:
    scales = FaultyScales(PLATES, faults, np.random.SeedSequence(1))
    pieces = [
        scales.apply(ScaleSamples(PLATES, time_s=STAMPS[rows], weight_g=WEIGHT[rows]), TIME[rows])
        for rows in np.split(np.arange(600), cuts)
    ]
    return ScaleSamples.concatenate(pieces)


def test_sound_scales_stay_as_they_are() -> None:
    samples = ScaleSamples(PLATES, time_s=STAMPS, weight_g=WEIGHT)
    assert FaultyScales(PLATES, (), np.random.SeedSequence(0)).apply(samples, TIME) is samples
    other = (DeadGondola(7), StuckPlate(PlateId(7, 1, 1)), ClockSkew(7, 5.0))
    assert FaultyScales(PLATES, other, np.random.SeedSequence(0)).apply(samples, TIME) is samples


def test_a_stuck_plate_repeats_its_last_reading() -> None:
    weight = _broken(StuckPlate(PLATES[1], from_s=2.0, until_s=5.0)).weight_g
    np.testing.assert_array_equal(weight[120:300, 1], WEIGHT[119, 1])
    np.testing.assert_array_equal(np.delete(weight, 1, axis=1), np.delete(WEIGHT, 1, axis=1))
    np.testing.assert_array_equal(weight[300:], WEIGHT[300:])
    np.testing.assert_array_equal(weight[:120], WEIGHT[:120])
    assert set(_broken(StuckPlate(PLATES[1])).weight_g[:, 1]) == {WEIGHT[0, 1]}


def test_a_missing_plate_gives_nothing_for_a_while() -> None:
    weight = _broken(MissingPlate(PLATES[4], from_s=1.0, until_s=2.0)).weight_g
    missing = np.zeros(WEIGHT.shape, bool)
    missing[60:120, 4] = True
    np.testing.assert_array_equal(np.isnan(weight), missing)


def test_swapped_plates_give_each_others_readings() -> None:
    weight = _broken(SwappedPlates(PLATES[0], PLATES[5], from_s=5.0)).weight_g
    np.testing.assert_array_equal(weight[:300], WEIGHT[:300])
    np.testing.assert_array_equal(weight[300:], WEIGHT[300:][:, [5, 1, 2, 3, 4, 0]])


def test_a_dead_gondola_gives_no_samples() -> None:
    samples = _broken(DeadGondola(2, from_s=3.0, until_s=4.0))
    np.testing.assert_array_equal(samples.time_s, np.concatenate([STAMPS[:180], STAMPS[240:]]))
    np.testing.assert_array_equal(samples.weight_g, np.concatenate([WEIGHT[:180], WEIGHT[240:]]))


def test_a_drifting_plate_runs_away_and_stays_where_it_got_to() -> None:
    drift = _broken(DriftingPlate(PLATES[2], 3600.0, from_s=2.0, until_s=7.0)).weight_g[:, 2] - WEIGHT[:, 2]
    assert not drift[:120].any()
    assert drift[270] == pytest.approx(2.5, abs=0.25)
    np.testing.assert_allclose(drift[420:], 5.0, atol=0.15)


def test_a_noisy_plate_trembles_by_its_factor() -> None:
    noise = _broken(NoisyPlate(PLATES[3], 5.0, 0.7, from_s=2.0)).weight_g[:, 3] - WEIGHT[:, 3]
    assert not noise[:120].any()
    assert noise[120:].std() == pytest.approx(0.7 * np.sqrt(24), rel=0.1)
    np.testing.assert_allclose(noise / ScaleNoise().step_g, np.round(noise / ScaleNoise().step_g), atol=0.01)


def test_a_skewed_clock_stamps_wrongly_and_in_order() -> None:
    samples = _broken(ClockSkew(2, offset_s=0.75, drift_ppm=2000.0))
    np.testing.assert_allclose(samples.time_s - STAMPS, 0.75 + 0.002 * TIME)
    assert (np.diff(samples.time_s) > 0).all()
    np.testing.assert_array_equal(samples.weight_g, WEIGHT)


@pytest.mark.parametrize("cuts", [(1,), (7, 100, 119, 120, 121, 333), tuple(range(12, 600, 12))])
def test_the_same_comes_out_however_it_is_cut(cuts) -> None:
    faults = (
        SwappedPlates(PLATES[0], PLATES[1], from_s=1.0),
        StuckPlate(PLATES[0], from_s=2.0, until_s=6.0),
        NoisyPlate(PLATES[1], 3.0, from_s=0.5, until_s=8.0),
        NoisyPlate(PLATES[0], 3.0),
        DriftingPlate(PLATES[2], -9000.0),
        DeadGondola(2, from_s=4.0, until_s=5.0),
        ClockSkew(2, 0.1, -50.0),
        MissingPlate(PLATES[5], from_s=9.0),
    )
    whole, cut = _broken(*faults), _broken(*faults, cuts=cuts)
    np.testing.assert_array_equal(whole.time_s, cut.time_s)
    np.testing.assert_array_equal(whole.weight_g, cut.weight_g)


def test_a_blind_area_hides_what_is_above_it_for_a_while() -> None:
    area = BlindArea(((0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)), from_s=10.0, until_s=20.0)
    places = np.array([[0.5, 0.5], [3.0, 0.5], [np.nan, 0.5]])
    hidden = area.hides(np.array([5.0, 10.0, 20.0]), np.stack([places] * 3))
    np.testing.assert_array_equal(hidden, [[False] * 3, [True, False, False], [False] * 3])


@pytest.mark.parametrize(
    ("key", "make"),
    [
        ("until_s", lambda: StuckPlate(PLATES[0], from_s=3.0, until_s=3.0)),
        ("until_s", lambda: BlindArea(((0, 0), (1, 0), (1, 1)), from_s=3.0, until_s=1.0)),
        ("from_s", lambda: MissingPlate(PLATES[0], from_s=float("nan"))),
        ("g_per_h", lambda: DriftingPlate(PLATES[0], float("inf"))),
        ("factor", lambda: NoisyPlate(PLATES[0], 0.5)),
        ("sd_g", lambda: NoisyPlate(PLATES[0], 2.0, -1.0)),
        ("second", lambda: SwappedPlates(PLATES[0], PLATES[0])),
        ("second", lambda: SwappedPlates(PLATES[0], PlateId(3, 1, 1))),
        ("offset_s", lambda: ClockSkew(2, float("nan"))),
        ("drift_ppm", lambda: ClockSkew(2, 0.0, 1e6)),
        ("polygon_m", lambda: BlindArea(((0.0, 0.0), (1.0, 1.0)))),
        ("polygon_m", lambda: BlindArea(((0.0, 0.0), (1.0, np.nan), (1.0, 0.0)))),
        ("plate", lambda: FaultyScales(PLATES, [StuckPlate(PlateId(2, 9, 9))], np.random.SeedSequence(0))),
        (
            "second",
            lambda: FaultyScales(PLATES, [SwappedPlates(PLATES[0], PlateId(2, 9, 9))], np.random.SeedSequence(0)),
        ),
    ],
)
def test_senseless_faults_are_refused_by_name(key, make) -> None:
    with pytest.raises(ConfigError) as caught:
        make()
    assert caught.value.key == key
