"""A simulated visit, or a day of them, written as a recording with its exact truth."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from gocv.core import ConfigError, DataError, FloorTracks, PlateId
from gocv.data.multiview.scene import MultiviewScene
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, RecordingWriter, Truth, TruthName, TruthReceipt
from gocv.sim.acts import Deed
from gocv.sim.casting import programmes
from gocv.sim.director import Director
from gocv.sim.faults import BlindArea, ClockSkew, ScaleFault
from gocv.sim.layout import StoreLayout
from gocv.sim.multiview import look
from gocv.sim.observe import JointStream
from gocv.sim.play import Stage
from gocv.sim.replay import TimedEvent, extended, plates_of, replayed
from gocv.sim.scales import RATE_HZ, draw_clock
from gocv.sim.scenario import Scenario
from gocv.sim.scene import Scene, stays_of
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Disorder, Stock
from gocv.sim.stores import with_cameras
from gocv.sim.view_tables import write_views
from gocv.sim.weighing import GondolaTask, weigh

Item = TypeVar("Item")

ORIGIN_UNIX_S = 1_760_000_000.0
_SHORTEST_S, _AFTERWARDS_S = 60.0, 3.0
_CAMERAS = 4
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
    poses: bool = False,
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
        video: Also render the footage of the store's cameras and pictures of its products; it needs the extra `sim`,
            and a script that asks for it does so under `if __name__ == "__main__":`, as each core films with a process
            of its own.
        poses: In place of joints, each camera has a table of the boxes of the people that it sees, as with the
            scenario's `detections`, and one of their poses; everybody's way is kept in memory to the end.
        overwrite: Replace a recording that is there.

    Returns:
        What happened, exactly: also in the recording.

    Raises:
        ConfigError: The scenario is impossible in this store. Nothing has been written then.
        DataError: The seed is negative, or the folder is there already.
    """
    return _Visit(scenario, seed, layout).write(Path(path), video, poses, overwrite)


def simulate_scene(scenario: Scenario, *, seed: int, layout: StoreLayout | None = None) -> Scene:
    """What there is to see of the visit that `simulate` writes: for `gocv.sim.render`, without scales or files.

    Args:
        scenario: What happens.
        seed: Of everything random.
        layout: The store, instead of the scenario's own.

    Raises:
        ConfigError: The scenario is impossible in this store.
        DataError: The seed is negative.
    """
    return _Visit(scenario, seed, layout).scene()


def simulate_views(
    scenario: Scenario,
    *,
    seed: int,
    rate_hz: float | None = None,
    from_s: float = 0.0,
    until_s: float | None = None,
) -> MultiviewScene:
    """Boxes of all cameras of a simulated visit, and who stood where: see `gocv.sim.multiview.look`.

    The same arguments give the same numbers.

    Args:
        scenario: What happens, with how many cameras.
        seed: Of everything random.
        rate_hz: Frames a second; the scenario's where None.
        from_s: First moment that is wanted.
        until_s: Where to stop, exclusive; the end of the visit where None.

    Raises:
        ConfigError: The scenario is impossible in its store.
        DataError: The seed is negative, or a number is out of range.
    """
    scene = simulate_scene(scenario, seed=seed)
    rate_hz = scenario.frames_hz if rate_hz is None else rate_hz
    return look(scene, scenario.boxes, seed=seed, rate_hz=rate_hz, from_s=from_s, until_s=until_s).scene


class _Visit:
    """A visit on its way from a scenario into a recording; all that is random is drawn from streams of its own."""

    def __init__(self, scenario: Scenario, seed: int, layout: StoreLayout | None) -> None:
        if seed < 0:
            raise DataError(f"{seed} cannot seed a visit", key="seed", expected="a whole number from 0")
        events = None if scenario.replay is None else scenario.replay.events()
        layout = layout or _layout(scenario, events)
        if scenario.cameras is not None or not layout.cameras:
            layout = with_cameras(layout, scenario.cameras or _CAMERAS)
        streams = np.random.SeedSequence(seed).spawn(9)
        stocking, planning, acting, filing, breaking, clock, seeing, self._weighing, self._looks = streams
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
        self._staff = frozenset(p.name for p in self._programmes if p.role == "staff")
        self._units = self._stock.units()
        self._loads_g = {shelf: self._stock.loads_g(shelf) for shelf in self._stock.shelves()}
        self._director = Director(self._stock, {f.article.id: f.article for f in layout.facings}, self._staff)
        self._joints = JointStream(scenario.joints, seeing, rate_hz=scenario.joints_hz, blind=self._blind)
        self._motions: dict[str, Motion] = {}
        self._left_s = 0.0

    @property
    def _duration_s(self) -> float:
        hours_s = 3600.0 * (self._scenario.hours or 0.0)
        return float(np.ceil(max(_SHORTEST_S, hours_s, self._left_s + _AFTERWARDS_S)))

    def write(self, path: Path, video: bool, poses: bool, overwrite: bool) -> Truth:
        looking = poses or self._scenario.detections
        with RecordingWriter(
            path, name=f"simulated-{self._seed}", origin_unix_s=ORIGIN_UNIX_S, store=self._store, overwrite=overwrite
        ) as writer:
            self._act(_nowhere if poses else writer.write_joints, keep=video or looking)
            writer.set_duration(self._duration_s)
            self._weigh(writer)
            truth = self._truth(names=not poses)
            writer.write_truth(truth)
            with tempfile.TemporaryDirectory() as folder:
                cameras = {name: Camera(name, calibration=camera) for name, camera in self._layout.cameras.items()}
                cameras = self._looked_at(Path(folder), poses) if looking else cameras
                if video:
                    cameras = self._filmed(Path(folder), cameras)
                    writer.add_pictures(Path(folder) / "pictures")
                for camera in cameras.values():
                    writer.add_camera(camera)
            writer.note(f"Simulated with seed {self._seed}: there is no such store, nobody was filmed or weighed.")
            for note in self._notes():
                writer.note(note)
        return truth

    def _notes(self) -> Iterator[str]:
        """What whoever reads the recording should know, and the recording does not say otherwise."""
        yield self._scenario.about
        yield from self._layout.notes
        for fault in (*self._scale_faults, *self._blind):
            yield f"broken on purpose: {fault}"
        for deed in self._director.failed:
            what = f"{deed.act.kind} {deed.act.product}"
            yield f"at {deed.time_s:.1f} s {deed.shopper} could not {what}: it was not there"

    def scene(self) -> Scene:
        """Let everything happen, and nothing be written."""
        self._act(_nowhere, keep=True)
        return self._seen()

    def _act(self, write_joints: Callable[[FloorTracks], None], *, keep: bool) -> None:
        """Let everybody come, in order; hand out their joints and settle their deeds as time goes on."""
        coming: list[tuple[float, int, Motion]] = []
        due: list[tuple[float, int, Deed]] = []
        written_s, count = 0.0, itertools.count()
        for programme in with_progress(self._programmes, "shoppers", len(self._programmes)):
            self._settle(coming, due, programme.entry_s)
            if programme.entry_s - written_s > _JOINTS_EVERY_S:
                write_joints(self._joints.rows_until(programme.entry_s))
                written_s = programme.entry_s
            motion, deeds = self._stage.perform(programme)
            self._left_s = max(self._left_s, motion.end_s)
            heapq.heappush(coming, (motion.start_s, next(count), motion))
            for deed in deeds:
                heapq.heappush(due, (deed.time_s, next(count), deed))
            if keep:
                self._motions[programme.name] = motion
        self._settle(coming, due, np.inf)
        write_joints(self._joints.finish())

    def _settle(
        self, coming: list[tuple[float, int, Motion]], due: list[tuple[float, int, Deed]], time_s: float
    ) -> None:
        """What happens before a time: later programmes cannot change it any more."""
        for motion in _until(coming, time_s):
            self._joints.add(motion)
        for deed in _until(due, time_s):
            self._director.settle(deed)

    def _weigh(self, writer: RecordingWriter) -> None:
        writer.set_scale_clock(self._clock.offset_s, self._clock.drift_ppm)
        shaking, *streams = self._weighing.spawn(1 + len(self._layout.gondolas))
        changes = self._director.changes
        tasks = [
            GondolaTask(
                gondola,
                writer.reserve_scale_group(f"gondola-{gondola.number}", RATE_HZ),
                {shelf: self._loads_g[shelf] for shelf in gondola.shelf_ids()},
                {shelf: changes[shelf] for shelf in gondola.shelf_ids() if shelf in changes},
                self._scale_faults,
                self._clock,
                self._duration_s,
                stream,
                shaking,
            )
            for gondola, stream in zip(self._layout.gondolas.values(), streams, strict=True)
        ]
        weigh(tasks)

    def _looked_at(self, folder: Path, poses: bool) -> dict[str, Camera]:
        """Boxes that a detector would find in each camera, also their poses, and the truth of each frame."""
        scenario = self._scenario
        return write_views(
            self._seen(),
            scenario.boxes,
            folder / "boxes",
            seed=self._seed,
            rate_hz=scenario.frames_hz,
            dark=self._dark(),
            poses=scenario.poses if poses else None,
        )

    def _dark(self) -> dict[str, list[tuple[float, float]]]:
        """By camera, from when until when it is dead."""
        dark: dict[str, list[tuple[float, float]]] = {}
        for area in self._blind:
            dark.setdefault(area.camera, []).append((area.from_s, area.until_s))
        return dark

    def _filmed(self, folder: Path, cameras: Mapping[str, Camera]) -> dict[str, Camera]:
        """Render the footage of all cameras, and the catalogue's pictures of what is sold."""
        from gocv.sim.render import render_visit, write_catalogue  # drawing is an extra: not everybody has it

        seed = int(self._looks.generate_state(1)[0])
        rate_hz, cores = self._scenario.frames_hz, os.cpu_count() or 1
        render_visit(self._seen(), folder, rate_hz=rate_hz, seed=seed, workers=cores, dark=self._dark())
        write_catalogue(folder / "pictures", {f.article.id: f.article for f in self._layout.facings}.values())
        return {
            name: dataclasses.replace(
                camera,
                video=folder / "video" / f"{name}.mp4",
                truth=folder / "truth" / "frames" / f"{name}.parquet",
            )
            for name, camera in cameras.items()
        }

    def _seen(self) -> Scene:
        duration_s = self._duration_s
        stays = stays_of(self._layout, self._motions, self._units, self._director.passages, duration_s)
        deeds = tuple(self._director.done)
        return Scene(self._layout, tuple(self._motions.values()), self._staff, stays, duration_s, deeds)

    def _truth(self, *, names: bool) -> Truth:
        shoppers = [p.name for p in self._programmes if p.name not in self._staff]
        receipts = tuple(TruthReceipt(name, self._stock.cart(name)) for name in shoppers)
        spans = self._joints.names() if names else ()
        named = tuple(TruthName(span.from_s, span.name, span.person) for span in spans)
        broken = named if any(name.name != name.shopper for name in named) else ()
        return Truth(tuple(self._director.events), receipts, tuple(self._director.standings), broken)


def _layout(scenario: Scenario, events: Sequence[TimedEvent] | None) -> StoreLayout:
    try:
        if events is None:
            return scenario.store.layout()
        return scenario.store.layout(lambda store: extended(store, events), plates_of(events))
    except ConfigError as error:
        raise error.within(key="store") from None


def _faults(
    scenario: Scenario, layout: StoreLayout, late_s: float, rng: np.random.Generator
) -> tuple[list[ScaleFault], list[BlindArea]]:
    drawn: list[ScaleFault | BlindArea] = []
    broken: set[PlateId] = set()
    for row, mishap in enumerate(scenario.faults):
        try:
            drawn += mishap.draw(layout, rng, broken)
        except ConfigError as error:
            raise error.within(key=f"faults.{row}") from None
    scales: list[ScaleFault] = [fault for fault in drawn if not isinstance(fault, BlindArea)]
    if late_s:
        scales += [ClockSkew(gondola, late_s) for gondola in layout.gondolas]
    return scales, [fault for fault in drawn if isinstance(fault, BlindArea)]


def _nowhere(rows: FloorTracks) -> None:
    """Where joints go that are not wanted."""


def _until(heap: list[tuple[float, int, Item]], time_s: float) -> Iterator[Item]:
    """What is due before a time, in order."""
    while heap and heap[0][0] < time_s:
        yield heapq.heappop(heap)[2]
