"""Writing what the scales of a store give: a file for each gondola, on several cores where there is much of it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gocv.core import ScaleSamples, ShelfId
from gocv.data.progress import with_progress
from gocv.data.recording import ScaleWriter
from gocv.data.recording.schema import ScaleClock
from gocv.sim.faults import FaultyScales, ScaleFault
from gocv.sim.layout import Gondola
from gocv.sim.load_changes import LoadChange
from gocv.sim.scales import SAMPLES_PER_MESSAGE, ShelfScales, message_times
from gocv.sim.vibration import Bursts

_CHUNK = 500 * SAMPLES_PER_MESSAGE
_ZERO_G = (-300.0, 900.0)
"""Nobody zeroed the plates: what each reads while nothing stands on it."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class GondolaTask:
    """What one gondola's scales weigh.

    Attributes:
        gondola: Which.
        file: The Parquet file to write.
        loads_g: (P,) grams on the plates of each shelf at the beginning.
        changes: What happens to each shelf.
        faults: Of any plates.
        clock: The scales', as the recording states it.
        duration_s: Of the recording.
        seed: Own stream of random numbers.
        shaking: The stream of the bursts that shake the whole store.
    """

    gondola: Gondola
    file: Path
    loads_g: Mapping[ShelfId, np.ndarray]
    changes: Mapping[ShelfId, Sequence[LoadChange]]
    faults: Sequence[ScaleFault]
    clock: ScaleClock
    duration_s: float
    seed: np.random.SeedSequence
    shaking: np.random.SeedSequence


def weigh(tasks: Sequence[GondolaTask]) -> None:
    """Write the files of all gondolas, one on each core at a time. The same bytes come out on any number of cores."""
    # Threads, not processes: noise, filters and Parquet all run outside the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in with_progress(pool.map(weigh_gondola, tasks), "scales", len(tasks)):
            pass


def weigh_gondola(task: GondolaTask) -> None:
    """Write one gondola's file, a chunk at a time."""
    gondola, noise = task.gondola, task.gondola.noise
    stamping, breaking, *own = task.seed.spawn(2 + len(gondola.heights_m))
    shaking = Bursts(noise.bursts_per_min, noise.burst_gain, noise.burst_decay_s, task.shaking)
    scales = [
        _shelf_scales(task, shelf, shelf_seed, shaking)
        for shelf, shelf_seed in zip(gondola.shelf_ids(), own, strict=True)
    ]
    plates = tuple(plate for shelf in gondola.shelf_ids() for plate in gondola.plate_ids(shelf))
    broken = FaultyScales(plates, task.faults, breaking)
    offset_s, rate = task.clock.offset_s, 1.0 + task.clock.drift_ppm * 1e-6
    stamps = message_times(-offset_s / rate, (task.duration_s - offset_s) / rate, noise, stamping)
    writer = ScaleWriter(task.file, plates)
    for first in range(0, len(stamps), _CHUNK):
        stamp = stamps[first : first + _CHUNK]
        time_s = offset_s + rate * stamp
        weight = np.concatenate([shelf.read(time_s) for shelf in scales], axis=1)
        writer.write(broken.apply(ScaleSamples(plates, time_s=stamp, weight_g=weight), time_s))
    writer.close()


def _shelf_scales(task: GondolaTask, shelf: ShelfId, seed: np.random.SeedSequence, shaking: Bursts) -> ShelfScales:
    zeroing, noise = seed.spawn(2)
    load_g = task.loads_g[shelf]
    zero_g = np.random.default_rng(zeroing).uniform(*_ZERO_G, len(load_g))
    return ShelfScales(load_g + zero_g, task.changes.get(shelf, ()), task.gondola.noise, noise, shaking)
