"""The files of a store's scales: the same on any number of cores, and true to what happened."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gocv.core import PlateId, ScaleSamples, ShelfId
from gocv.data.recording.scales import read_samples
from gocv.data.recording.schema import ScaleClock
from gocv.sim import SHAKY, ScaleNoise
from gocv.sim.faults import MissingPlate
from gocv.sim.layout import Gondola
from gocv.sim.load_changes import LoadChange
from gocv.sim.scales import RATE_HZ
from gocv.sim.weighing import GondolaTask, weigh

SILENT = ScaleNoise(sd_g=0.0, bursts_per_min=0.0, wander_g=0.0, spill=(0.0, 0.0), spill_far=(0.0, 0.0))
CLOCK = ScaleClock(offset_s=-1000.0, drift_ppm=50.0)


def _tasks(folder: Path, duration_s: float = 20.0, noise: ScaleNoise = SHAKY, plates: int = 5) -> list[GondolaTask]:
    """Three gondolas of two shelves; 300 g come off the third plate of each first shelf at 8 s."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = np.random.SeedSequence(9)
    shaking, *own = seeds.spawn(4)
    tasks = []
    for number, seed in enumerate(own, start=1):
        gondola = Gondola(number, (0.0, 0.0), 0.0, plates, (0.5, 1.0), noise=noise)
        delta = np.zeros(plates)
        delta[2] = -300.0
        tasks.append(
            GondolaTask(
                gondola,
                folder / f"{number}.parquet",
                {shelf: np.arange(plates) * 100.0 for shelf in gondola.shelf_ids()},
                {ShelfId(number, 1): [LoadChange(8.0, 0.4, delta)]},
                [MissingPlate(PlateId(2, 2, 1), from_s=-1.0)],
                CLOCK,
                duration_s,
                seed,
                shaking,
            )
        )
    return tasks


def _read(task: GondolaTask) -> ScaleSamples:
    return ScaleSamples.concatenate(list(read_samples(task.file, 10_000)))


@pytest.mark.parametrize("cores", [1, 2, 7, None])
def test_the_same_bytes_come_out_on_any_number_of_cores(tmp_path, monkeypatch, cores) -> None:
    alone, together = _tasks(tmp_path / "alone"), _tasks(tmp_path / "together")
    for task in alone:
        weigh([task])
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    weigh(together)
    for one, other in zip(alone, together, strict=True):
        assert one.file.read_bytes() == other.file.read_bytes()


def test_each_gondola_has_noise_of_its_own(tmp_path) -> None:
    tasks = _tasks(tmp_path)
    weigh(tasks)
    first, second = _read(tasks[0]).weight_g, _read(tasks[2]).weight_g
    rows = min(len(first), len(second))
    assert np.abs(np.corrcoef(np.diff(first[:rows, 7]), np.diff(second[:rows, 7]))[0, 1]) < 0.2


@pytest.mark.parametrize("plates", [3, 5])
def test_quiet_scales_show_the_change_alone(tmp_path, plates) -> None:
    (task, *_) = _tasks(tmp_path, noise=SILENT, plates=plates)
    weigh([task])
    samples = _read(task)
    assert samples.plates == tuple(PlateId(1, s, p) for s in (1, 2) for p in range(1, plates + 1))
    time_s = CLOCK.offset_s + (1 + CLOCK.drift_ppm * 1e-6) * samples.time_s
    before, after = samples.weight_g[time_s < 7.0], samples.weight_g[time_s > 12.0]
    expected = np.zeros(2 * plates)
    expected[2] = -300.0
    np.testing.assert_allclose(after.mean(axis=0) - before.mean(axis=0), expected, atol=0.2)
    assert np.ptp(before, axis=0).max() < 0.2


def test_nobody_zeroed_the_plates(tmp_path) -> None:
    tasks = _tasks(tmp_path, noise=SILENT)
    weigh(tasks)
    zeros = _read(tasks[0]).weight_g[0] - np.tile(np.arange(5) * 100.0, 2)
    assert len(np.unique(zeros.round())) == 10
    assert zeros.min() >= -301
    assert zeros.max() <= 901


def test_samples_cover_the_recording_on_the_stated_clock(tmp_path) -> None:
    tasks = _tasks(tmp_path, duration_s=200.0)  # more than a chunk
    weigh(tasks)
    for task in tasks:
        samples = _read(task)
        time_s = CLOCK.offset_s + (1 + CLOCK.drift_ppm * 1e-6) * samples.time_s
        assert (np.diff(samples.time_s) > 0).all()
        assert abs(time_s[0]) < 0.3
        assert abs(time_s[-1] - 200.0) < 0.3
        assert len(samples) == pytest.approx(200 * RATE_HZ, rel=0.01)


def test_faults_reach_the_file_of_their_gondola_only(tmp_path) -> None:
    tasks = _tasks(tmp_path)
    weigh(tasks)
    missing = {plate for task in tasks for plate, all_nan in _all_nan(_read(task)).items() if all_nan}
    assert missing == {PlateId(2, 2, 1)}


def _all_nan(samples: ScaleSamples) -> dict[PlateId, bool]:
    return dict(zip(samples.plates, np.isnan(samples.weight_g).all(axis=0).tolist(), strict=True))


def test_an_error_in_one_gondola_is_not_lost(tmp_path) -> None:
    tasks = _tasks(tmp_path)
    tasks[1].file.parent.rmdir()
    with pytest.raises(OSError, match="parquet"):
        weigh(tasks)
