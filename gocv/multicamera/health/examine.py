"""What is wrong with cameras, from what they saw and the shoppers that were found.

Each camera is held against what all others see. The fault that explains most is taken first, corrected, and everything
looked at again: a bad camera makes its neighbours look a little bad too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera, rotation_vector
from gocv.multicamera.health.clock import clock_of
from gocv.multicamera.health.found import Found
from gocv.multicamera.health.frames import Stretch, blind, gaps
from gocv.multicamera.health.others import Others, SeenByEach
from gocv.multicamera.health.pictures import boxes_of
from gocv.multicamera.health.settings import HealthSettings
from gocv.multicamera.health.turned import turn_of
from gocv.multicamera.health.witness import Witness
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.views import Association, CameraView

Float64 = NDArray[np.float64]

_LOOKS_A_SLOT = 4
_NEIGHBOURS = 0.8
"""A camera is expected to do this well, compared with how well cameras do."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Health:
    """What is wrong with cameras, and what can be done about it. Times are the recording's, each clock set right.

    Attributes:
        late_s: By how much clocks are late, by the name of the camera; only those that are.
        turned: From when on a camera is how it is now, by name; -inf from the start.
        left_out: When a camera is better not believed, by name.
        report: In words: `where` and `problem`.
    """

    late_s: Mapping[str, float]
    turned: Mapping[str, tuple[float, PinholeCamera]]
    left_out: Mapping[str, tuple[Stretch, ...]]
    report: tuple[Mapping[str, str], ...]

    @property
    def sound(self) -> bool:
        """Whether there is nothing to correct."""
        return not (self.late_s or self.turned or self.left_out)


def examine(
    views: Sequence[CameraView],
    association: Association,
    settings: AssociationSettings | None = None,
    health: HealthSettings | None = None,
    *,
    late_s: Mapping[str, float] | None = None,
) -> Health:
    """Find what is wrong with cameras.

    Args:
        views: What each camera saw; uncalibrated ones are passed over.
        association: Who of it is whom, as `associate` found it.
        settings: With which it found that.
        health: What counts as broken.
        late_s: By how much clocks are known to be late; what is found comes on top.
    """
    settings, health = settings or AssociationSettings(), health or HealthSettings()
    given, examination = late_s or {}, _Examination(settings, health)
    cameras = [
        Witness(
            view,
            association.who[view.camera],
            boxes_of(view, settings.boxes, health.boxes),
            given.get(view.camera, 0.0),
            np.nan,
            np.inf,
            view.calibration,
        )
        for view in views
        if view.calibration is not None
    ]
    missing = gaps([camera.frame_s for camera in cameras], health)
    cameras = examination.without_blind(cameras)
    dark = [camera.out for camera in cameras]
    for _ in range(3 * len(cameras)):
        better = examination.better(cameras)
        if better is None:
            break
        cameras = better
    cameras = examination.left_out(cameras)
    report = []
    for camera, own, unseen in zip(cameras, missing, dark, strict=True):
        where = f"camera {camera.view.camera}"
        off_s = camera.late_s - given.get(camera.view.camera, 0.0)
        report += [{"where": where, "problem": problem} for problem in _problems(camera, off_s, own, unseen)]
    off = {c.view.camera: c.late_s - given.get(c.view.camera, 0.0) for c in cameras}
    return Health(
        {name: off_s for name, off_s in off.items() if off_s},
        {c.view.camera: (c.turned_s, c.after) for c in cameras if c.after is not c.before},
        {c.view.camera: c.out for c in cameras if c.out},
        tuple(report),
    )


class _Examination:
    def __init__(self, settings: AssociationSettings, health: HealthSettings) -> None:
        self._boxes, self._health = settings.boxes, health
        self._known: tuple[Sequence[Witness], list[tuple[Witness, Others, Found]]] = ((), [])

    def without_blind(self, cameras: list[Witness]) -> list[Witness]:
        """The cameras without the times in which they saw nobody."""
        dark = [blind(found, camera.boxes(), self._health) for camera, _, found in self._compared(cameras)]
        if not any(dark):
            return cameras
        return [
            camera if out is None else dataclasses.replace(camera, out=(out,))
            for camera, out in zip(cameras, dark, strict=True)
        ]

    def better(self, cameras: list[Witness]) -> list[Witness] | None:
        """The cameras with the fault that explains most corrected; None where there is none."""
        compared = self._compared(cameras)
        middle = float(np.median([found.usual for _, _, found in compared])) if compared else 0.0
        faults = [
            (gained, c, new)
            for c, (camera, others, found) in enumerate(compared)
            for gained, new in self._faults(camera, others, found, _NEIGHBOURS * middle)
        ]
        if not faults:
            return None
        _, c, new = max(faults, key=lambda one: one[0])
        return [*cameras[:c], new, *cameras[c + 1 :]]

    def left_out(self, cameras: list[Witness]) -> list[Witness]:
        """The cameras without what lies on nobody and cannot be helped, the worst first."""
        gone = np.zeros(len(cameras), np.bool_)
        while not gone.all():
            poor = [
                (*since, c)
                for c, (camera, _, found) in enumerate(self._compared(cameras))
                if not gone[c] and (since := self._useless(camera, found)) is not None
            ]
            if not poor:
                break
            _, from_s, c = max(poor)
            gone[c] = True
            cameras = list(cameras)
            cameras[c] = dataclasses.replace(cameras[c], out=(*cameras[c].out, Stretch(from_s, np.inf)))
        return cameras

    def _useless(self, camera: Witness, found: Found) -> tuple[float, float] | None:
        """How much a camera misses and since when, where it finds few and what it does see is of few: both halved."""
        health, time_s = self._health, camera.boxes().time_s
        since = found.poor_since(health.lost, health.people)
        if since is None or since[1] > camera.frame_s[-1] - health.least_s:
            return None
        after = time_s >= since[1]
        if after.any() and not after.all() and found.fit[after].mean() > health.lost * found.fit[~after].mean():
            return None
        return since

    def _faults(
        self, camera: Witness, others: Others, found: Found, neighbours: float
    ) -> Iterator[tuple[float, Witness]]:
        """What corrections of a camera explain, and the camera with them."""
        health, boxes = self._health, camera.boxes()
        share = health.poor * max(1.0, neighbours / max(found.usual, 1e-9))
        poor = found.poor_since(share, health.people)
        turned = camera.after is not camera.before
        own = boxes.time_s >= camera.turned_s if turned else np.ones(len(boxes), np.bool_)
        search = poor is not None and not turned
        clock = clock_of(camera.after, boxes[own], others, self._boxes, health, search=search)
        gained = clock.fit * int(own.sum()) - float(found.fit[own].sum())
        surely = abs(clock.late_s) > health.clock_s + health.surely * clock.sd_s
        if surely and clock.people >= health.people and gained > 0:
            yield gained, dataclasses.replace(camera, late_s=camera.late_s + clock.late_s, late_sd_s=clock.sd_s)
        if poor is None or turned:
            return
        turn = turn_of(camera.before, boxes, found.people, poor[1], self._boxes, health)
        if turn is None or turn.people < health.people or turn.degrees < health.turned_deg or turn.gained < health.gain:
            return
        after = boxes.time_s >= turn.from_s
        yield (turn.fit - found.fit)[after].sum(), dataclasses.replace(camera, turned_s=turn.from_s, after=turn.camera)

    def _compared(self, cameras: Sequence[Witness]) -> list[tuple[Witness, Others, Found]]:
        """Each camera, where the others see people, and whom of them it found; nothing where there is but one."""
        if len(cameras) < 2 or cameras is self._known[0]:
            return self._known[1]
        each = self._seen_by_each(cameras)
        out = []
        for c, camera in enumerate(cameras):
            others = each.without(c, self._health.sd_m)
            out.append((camera, others, camera.compared(camera.boxes(), others, self._boxes, self._health.gate_sd)))
        self._known = cameras, out
        return out

    def _seen_by_each(self, cameras: Sequence[Witness]) -> SeenByEach:
        slot_s = self._health.slot_s
        parts = [camera.looks(self._boxes, slot_s / _LOOKS_A_SLOT) for camera in cameras]
        camera = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        time_s, who, xy, covariance = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return SeenByEach(time_s, camera, who, xy, covariance, slot_s)


def _problems(camera: Witness, off_s: float, missing: Sequence[Stretch], dark: Sequence[Stretch]) -> Iterator[str]:
    for stretch in missing:
        yield f"no frames {_said(stretch)}, while others have"
    for stretch in camera.out:
        what = "saw nobody where others saw people" if stretch in dark else "what it saw lies on nobody whom others see"
        yield f"{what} {_said(stretch)}: left out"
    if off_s:
        how = "late" if off_s > 0 else "early"
        yield f"its clock is {abs(off_s):.3f} s {how} (± {camera.late_sd_s:.3f} s): taken off"
    if camera.after is not camera.before:
        turn = camera.after.camera_T_world[:3, :3] @ camera.before.camera_T_world[:3, :3].T
        degrees = float(np.rad2deg(np.linalg.norm(rotation_vector(turn))))
        yield f"turned by {degrees:.1f}° {_said(Stretch(camera.turned_s, np.inf))}: corrected"


def _said(stretch: Stretch) -> str:
    if np.isneginf(stretch.from_s) and np.isposinf(stretch.until_s):
        return "at all times"
    if np.isneginf(stretch.from_s):
        return f"until {stretch.until_s:.1f} s"
    return f"from {stretch.from_s:.1f} s {'on' if np.isposinf(stretch.until_s) else f'to {stretch.until_s:.1f} s'}"
