"""A simulated visit, or a day of them, written as a recording with its exact truth."""

from __future__ import annotations

import heapq
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from gocv.core import DataError, ShelfId
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, RecordingWriter, Truth, TruthName, TruthReceipt
from gocv.sim.acts import Deed
from gocv.sim.casting import programmes
from gocv.sim.director import Director
from gocv.sim.faults import BlindArea, ClockSkew, ScaleFault
from gocv.sim.layout import StoreLayout
from gocv.sim.observe import JointStream
from gocv.sim.play import Stage
from gocv.sim.replay import TimedEvent, extended, replayed
from gocv.sim.scales import RATE_HZ, draw_clock
from gocv.sim.scenario import Scenario
from gocv.sim.scene import Scene, stays_of
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Disorder, Stock
from gocv.sim.weighing import GondolaTask, weigh

Item = TypeVar("Item")

ORIGIN_UNIX_S = 1_760_000_000.0
_AFTERWARDS_S = 3.0
_JOINTS_EVERY_S = 30.0


def simulate_visit(
    path: str | Path, *, seed: int, layout: StoreLayout | None = None, shoppers: int = 3, overwrite: bool = False
) -> Truth:
    """Simulate an ordinary visit of some shoppers, without video; see `simulate`.

    Args:
        path: Folder to write.
        seed: Of everything random.
        layout: The store; the one that comes with gocv where None.
        shoppers: How many.
        overwrite: Replace a recording that is there.
    """
    if shoppers < 1:
        raise DataError(f"{shoppers} shoppers", key="shoppers", expected="1 or more")
    return simulate(Scenario(shoppers=shoppers), path, seed=seed, layout=layout, overwrite=overwrite)


def simulate(
    scenario: Scenario,
    path: str | Path,
    *,
    seed: int,
    layout: StoreLayout | None = None,
    video: bool = False,
    overwrite: bool = False,
) -> Truth:
    """Simulate a scenario and write it as a recording.

    The same arguments write the same bytes, but for video; another seed gives other shoppers, units, noise and a scale
    clock of its own in the same store.

    Args:
        scenario: What happens.
        path: Folder to write.
        seed: Of everything random.
        layout: The store, instead of the scenario's own.
        video: Also render the footage of the store's cameras; it needs the extra `sim`, and a script that asks for it
            does so under `if __name__ == "__main__":`, as each core films with a process of its own.
        overwrite: Replace a recording that is there.

    Returns:
        What happened, exactly: also in the recording.

    Raises:
        ConfigError: The scenario is impossible in this store. Nothing has been written then.
        DataError: The seed is negative, or the folder is there already.
    """
    if seed < 0:
        raise DataError(f"{seed} cannot seed a visit", key="seed", expected="a whole number from 0")
    events = None if scenario.replay is None else scenario.replay.events()
    if layout is None:
        layout = scenario.store.layout() if events is None else scenario.store.layout(lambda s: extended(s, events))
    return _Visit(scenario, layout, seed, events).write(Path(path), video, overwrite)


class _Visit:
    """A visit on its way from a scenario into a recording; all that is random is drawn from streams of its own."""

    def __init__(
        self, scenario: Scenario, layout: StoreLayout, seed: int, events: Sequence[TimedEvent] | None
    ) -> None:
        streams = np.random.SeedSequence(seed).spawn(9)
        stocking, planning, acting, filing, breaking, clock, *self._streams = streams
        self._scenario, self._layout, self._seed = scenario, layout, seed
        misplaced = min(scenario.disorder.misplaced + scenario.paperwork.misplaced, 1.0)
        disorder = Disorder.model_validate({**scenario.disorder.model_dump(), "misplaced": misplaced})
        self._stock = Stock(layout, np.random.default_rng(stocking), disorder, scenario.fill)
        planner = np.random.default_rng(planning)
        if events is None:
            self._programmes = programmes(scenario, layout, self._stock, planner)
        else:
            self._programmes = replayed(events, layout, scenario.habits, planner)
        self._stage = Stage(layout, np.random.default_rng(acting))
        filer = np.random.default_rng(filing)
        self._store = scenario.paperwork.written(layout, filer)
        late_s = float(filer.uniform(*scenario.paperwork.start_offset_s))
        self._scale_faults, self._blind = _faults(scenario, layout, late_s, np.random.default_rng(breaking))
        self._clock = draw_clock(
            np.random.default_rng(clock), offset_s=scenario.scale_offset_s, drift_ppm=scenario.scale_drift_ppm
        )

    def write(self, path: Path, video: bool, overwrite: bool) -> Truth:
        seeing, weighing, showing = self._streams
        staff = frozenset(p.name for p in self._programmes if p.role == "staff")
        articles = {f.article.id: f.article for f in self._layout.facings}
        units = self._stock.units() if video else []
        loads = {shelf: self._stock.loads_g(shelf) for shelf in self._stock.shelves()}
        director = Director(self._stock, articles, staff)
        # How long it lasts is known once everybody has left; the writer needs it before.
        with RecordingWriter(
            path, name=f"simulated-{self._seed}", origin_unix_s=ORIGIN_UNIX_S, store=self._store, overwrite=overwrite
        ) as writer:
            joints = JointStream(
                self._scenario.joints, seeing, rate_hz=self._scenario.joints_hz, blind=self._blind
            )
            motions = self._act(writer, joints, director, keep=video)
            hours_s = 3600.0 * (self._scenario.hours or 0.0)
            duration_s = float(np.ceil(max(60.0, hours_s, self._left_s + _AFTERWARDS_S)))
            writer.set_duration(duration_s)
            self._weigh(writer, loads, director, duration_s, weighing)
            truth = self._truth(director, joints, staff)
            writer.write_truth(truth)
            if video:
                stays = stays_of(self._layout, motions, units, director.passages, duration_s)
                scene = Scene(self._layout, tuple(motions.values()), staff, stays, duration_s)
                self._film(writer, scene, showing)
            else:
                for name, camera in self._layout.cameras.items():
                    writer.add_camera(Camera(name, calibration=camera))
            writer.note(f"Simulated with seed {self._seed}: there is no such store, nobody was filmed or weighed.")
            writer.note(self._scenario.about)
        return truth

    def _act(
        self, writer: RecordingWriter, joints: JointStream, director: Director, keep: bool
    ) -> dict[str, Motion]:
        """Let everybody come, in order; write their joints and settle their deeds as time goes on."""
        coming: list[tuple[float, int, Motion]] = []
        due: list[tuple[float, int, Deed]] = []
        kept: dict[str, Motion] = {}
        written_s, count, self._left_s = 0.0, 0, 0.0
        for programme in with_progress(self._programmes, "shoppers", len(self._programmes)):
            for motion in _until(coming, programme.entry_s):
                joints.add(motion)
            for deed in _until(due, programme.entry_s):
                director.settle(deed)
            if programme.entry_s - written_s > _JOINTS_EVERY_S:
                writer.write_joints(joints.rows_until(programme.entry_s))
                written_s = programme.entry_s
            motion, deeds = self._stage.perform(programme)
            self._left_s = max(self._left_s, motion.end_s)
            count += 1
            heapq.heappush(coming, (motion.start_s, count, motion))
            for deed in deeds:
                count += 1
                heapq.heappush(due, (deed.time_s, count, deed))
            if keep:
                kept[programme.name] = motion
        for motion in _until(coming, np.inf):
            joints.add(motion)
        for deed in _until(due, np.inf):
            director.settle(deed)
        writer.write_joints(joints.finish())
        return kept

    def _weigh(
        self,
        writer: RecordingWriter,
        loads: dict[ShelfId, np.ndarray],
        director: Director,
        duration_s: float,
        seed: np.random.SeedSequence,
    ) -> None:
        writer.set_scale_clock(self._clock.offset_s, self._clock.drift_ppm)
        shaking, *streams = seed.spawn(1 + len(self._layout.gondolas))
        tasks = []
        for gondola, stream in zip(self._layout.gondolas.values(), streams, strict=True):
            shelves = gondola.shelf_ids()
            file = writer.reserve_scale_group(f"gondola-{gondola.number}", RATE_HZ)
            own_loads = {shelf: loads[shelf] for shelf in shelves}
            changes = {shelf: director.changes[shelf] for shelf in shelves if shelf in director.changes}
            faults, clock = self._scale_faults, self._clock
            tasks.append(GondolaTask(gondola, file, own_loads, changes, faults, clock, duration_s, stream, shaking))
        weigh(tasks)

    def _film(self, writer: RecordingWriter, scene: Scene, looks: np.random.SeedSequence) -> None:
        """Render the footage of all cameras, and copy it into the recording."""
        from gocv.sim.render import render_visit

        seed = int(looks.generate_state(1)[0])
        with tempfile.TemporaryDirectory() as folder:
            cores = os.cpu_count() or 1
            render_visit(scene, folder, rate_hz=self._scenario.frames_hz, seed=seed, workers=cores)
            for name, camera in self._layout.cameras.items():
                video = Path(folder) / "video" / f"{name}.mp4"
                truth = Path(folder) / "truth" / "frames" / f"{name}.parquet"
                writer.add_camera(Camera(name, video, calibration=camera, truth=truth))

    def _truth(self, director: Director, joints: JointStream, staff: frozenset[str]) -> Truth:
        shoppers = [p.name for p in self._programmes if p.name not in staff]
        receipts = tuple(TruthReceipt(name, self._stock.cart(name)) for name in shoppers)
        names = tuple(TruthName(span.from_s, span.name, span.person) for span in joints.names())
        broken = names if any(name.name != name.shopper for name in names) else ()
        return Truth(tuple(director.events), receipts, tuple(director.standings), broken)


def _faults(
    scenario: Scenario, layout: StoreLayout, late_s: float, rng: np.random.Generator
) -> tuple[list[ScaleFault], list[BlindArea]]:
    drawn = [fault for mishap in scenario.faults for fault in mishap.draw(layout, rng)]
    scales: list[ScaleFault] = [fault for fault in drawn if not isinstance(fault, BlindArea)]
    if late_s:
        scales += [ClockSkew(gondola, late_s) for gondola in layout.gondolas]
    return scales, [fault for fault in drawn if isinstance(fault, BlindArea)]


def _until(heap: list[tuple[float, int, Item]], time_s: float) -> Iterator[Item]:
    """What is due before a time, in order."""
    while heap and heap[0][0] < time_s:
        yield heapq.heappop(heap)[2]
