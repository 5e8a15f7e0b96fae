"""Cameras calibrated from people who walk, without any board.

Each camera alone gives its tilt, roll and height (`single`), people who are seen by two cameras at once give how their
floors lie (`align`), and all boxes together are adjusted, with who is who found anew in between (`people`, `bundle`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, nearest
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration.agreement import Agreement, agreement, suspects
from gocv.multicamera.calibration.align import check_joined, join_floors
from gocv.multicamera.calibration.body import SHAPES
from gocv.multicamera.calibration.bundle import Problem, Solution, State, adjust, free_parameters, stands
from gocv.multicamera.calibration.links import Links, links, shared_moments
from gocv.multicamera.calibration.observations import Observations, observe_walkers
from gocv.multicamera.calibration.people import same_people
from gocv.multicamera.calibration.poses import PARAMETERS, Lens, moved, parameters_of, turned
from gocv.multicamera.calibration.settings import WalkerSettings
from gocv.multicamera.calibration.single import locate, prior_of, start_camera
from gocv.multicamera.views import CameraView

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_FIRST_NOISE = 0.03
_SETTLED, _MORE = 6, 1.1
"""At most so many rounds until it is settled who is who, and how many times as many boxes are many more."""
_BLOCK = 20
_SCALE_OFF, _HEIGHT_OFF_M, _CLEARLY = 0.02, 0.01, 0.5
"""How far off the scale and a person's height are before people are told apart by their known heights."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CameraReport:
    """How well one camera was calibrated.

    Attributes:
        camera: Its name.
        boxes: How many boxes took part.
        rms_px: Root mean square error of the edges of boxes, outliers beyond three robust standard deviations apart.
        rms_share: The same as a share of box height.
        apart_m: Median distance between where this camera and the one it agrees with best put the same person, each
            by its boxes alone; NaN for a camera that shares nobody.
        sd: Standard deviations of what was found, by the names of `PARAMETERS`; 0 for what was given. They hold the
            jitter of boxes and the spread of heights, not that people are no spheroids.
        suspect: What is wrong with it, in words; "" for nothing.
    """

    camera: str
    boxes: int
    rms_px: float
    rms_share: float
    apart_m: float
    sd: Mapping[str, float]
    suspect: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class WalkersCalibration:
    """Cameras on one floor.

    Attributes:
        cameras: By name. The frame: floor at z = 0, the first camera over x = y = 0, looking along x.
        reports: One a camera, in the same order.
        heights_m: (P,) float64, of the people found; one who left and came back is two.
        walked_m: (S, 2) float64, where people stood.
        notes: What was left out or done about what was wrong.
    """

    cameras: Mapping[str, PinholeCamera]
    reports: tuple[CameraReport, ...]
    heights_m: Array
    walked_m: Array
    notes: tuple[str, ...]


def calibrate_walkers(
    views: Sequence[CameraView], lenses: Sequence[Lens], settings: WalkerSettings | None = None
) -> WalkersCalibration:
    """Find where cameras are from the boxes of people who walk about.

    Args:
        views: What each camera saw, on one clock; `seen.track_id` is that of the camera's own tracker, and boxes
            without one are left out. `calibration` is not looked at.
        lenses: What is known of each camera's intrinsics, in the same order.
        settings: See there.

    Raises:
        DataError: A camera saw too few people, or shares nobody with the others; a name is not that of a camera.
    """
    settings = settings or WalkerSettings()
    names = tuple(view.camera for view in views)
    if not views or len(set(names)) < len(names) or len(lenses) != len(views):
        raise DataError(f"{len(views)} views, {len(lenses)} lenses", expected="one lens a view, each camera once")
    for name in [*settings.camera_heights_m, *(n for a, b, _ in settings.distances_m for n in (a, b))]:
        if name not in names:
            raise DataError(f"there is no camera '{name}'", key="camera", expected=nearest(name, names))
    fit = _Fit(names, views, lenses, settings)
    fit.start()
    fit.settle(settings.gates[0])
    for gate in settings.gates[1:]:
        fit.round(gate)
    # Who moved is told before the last round; only what it saw from one place goes into that.
    fit.drop_moved()
    fit.round(settings.gates[-1], last=True)
    return fit.result()


def check_cameras(views: Sequence[CameraView], settings: WalkerSettings | None = None) -> tuple[CameraReport, ...]:
    """How well calibrated cameras explain the boxes of people who walk about; cameras stay as they are.

    Args:
        views: What each camera saw, on one clock, with its `calibration`, all in one frame.
        settings: Those of `calibrate_walkers`.

    Raises:
        DataError: A camera has no calibration, or no box with a track is whole in any picture.
    """
    settings = settings or WalkerSettings()
    cameras = [view.calibration for view in views]
    bare = [view.camera for view in views if view.calibration is None]
    if bare or not views:
        raise DataError(f"{', '.join(bare) or 'nobody'} has no calibration", key="calibration", expected="a camera")
    known = [camera for camera in cameras if camera is not None]
    fit = _Fit(tuple(view.camera for view in views), views, [Lens.of(c) for c in known], settings)
    fit.hold(np.stack([parameters_of(camera) for camera in known]))
    for gate in settings.gates[:1]:
        fit.round(gate)
    fit.round(settings.gates[0], last=True)
    return fit.reports()


class _Fit:
    """The state of a calibration from round to round."""

    def __init__(
        self, names: tuple[str, ...], views: Sequence[CameraView], lenses: Sequence[Lens], settings: WalkerSettings
    ) -> None:
        self._held = False
        self._names, self._lenses, self._settings = names, lenses, settings
        self._shape = SHAPES[settings.body]
        self._seen, _ = observe_walkers(views, lenses, window_s=settings.window_s, edge_share=settings.edge_share)
        self._constants = np.stack([lens.constants() for lens in lenses])
        self._noise = np.full(len(names), _FIRST_NOISE)
        self._notes: list[str] = []
        for view in views:
            without = int((view.seen.track_id < 0).sum())
            if without:
                self._notes.append(f"{view.camera}: {without} boxes without a track are left out")
        self._mean_m = float(np.mean(settings.known_heights_m)) if settings.known_heights_m else settings.height_m
        self._cameras = np.empty((0, 8))
        self._log_scale = np.zeros(self._shape.scales)
        self._heights = np.full(len(self._seen), self._mean_m)
        self._common_m = 0.0
        self._person: Int64 = np.zeros(0, np.int64)
        self._words: list[str] = []

    def start(self) -> None:
        """Each camera alone, then all on one floor."""
        found = []
        for index, (name, lens) in enumerate(zip(self._names, self._lenses, strict=True)):
            own = self._seen[self._seen.camera == index]
            try:
                single = start_camera(own, lens, self._shape, self._mean_m, self._settings.height_sd_m, _FIRST_NOISE)
            except DataError as error:
                raise DataError(f"{name}: {error.problem}", expected=error.expected) from error
            found.append(single.parameters)
        self._cameras = np.stack(found)
        local = self._located()
        placed, _ = join_floors(self._seen, local, np.linalg.norm(local, axis=1), len(self._names))
        check_joined(placed, self._names)
        self._cameras = moved(self._cameras, placed)

    def hold(self, cameras: Array) -> None:
        """Take cameras as they are."""
        if not len(self._seen):
            raise DataError("no whole box with a track", key="track_id", expected="boxes that a tracker numbered")
        self._cameras, self._held = cameras, True

    def settle(self, gate: float) -> None:
        """Rounds at one gate until all cameras share people, and no round brings many more together.

        A focal length by one camera alone may be twice the right one, and its floor as much too large. Of such floors
        only some pairs overlap; those correct each other's focal lengths first, and the rest fits afterwards.
        """
        for _ in range(_SETTLED):
            before = int(self._shared(self._cameras, gate).sum())
            self.round(gate)
            self._rejoin(gate)
            shared = self._shared(self._cameras, gate)
            if shared.sum() <= _MORE * before and not Links(shared, np.zeros_like(shared)).groups().any():
                break

    def _rejoin(self, gate: float) -> None:
        """Join floors anew, now that cameras are better known, if that brings more people together."""
        alone = self._cameras.copy()
        alone[:, 4:7] = 0.0
        local = self._located(alone)
        placed, _ = join_floors(self._seen, local, np.linalg.norm(local, axis=1), len(self._names))
        cameras = moved(alone, placed)
        if np.isfinite(placed).all() and (
            self._shared(cameras, gate).sum() > _MORE * self._shared(self._cameras, gate).sum()
        ):
            self._cameras = cameras

    def _shared(self, cameras: Array, gate: float) -> Int64:
        """(C, C) at how many moments two cameras see one person, were the cameras these."""
        xy, count = self._located(cameras), len(self._names)
        return shared_moments(self._seen, same_people(self._seen, xy, self._range(xy, cameras), count, gate), count)

    def _range(self, xy: Array, cameras: Array) -> Array:
        return np.asarray(np.linalg.norm(xy - cameras[self._seen.camera, 5:7], axis=1))

    def round(self, gate: float, last: bool = False) -> None:
        """Who is who by where the cameras are now, then cameras by who is who."""
        xy = self._located()
        range_m = self._range(xy, self._cameras)
        self._person = same_people(self._seen, xy, range_m, len(self._names), gate)
        rows = self._thinned(self._settings.most_boxes if last else self._settings.most_boxes // 4)
        seen, person = self._seen[rows], self._person[rows]
        kept, person = np.unique(person, return_inverse=True)
        person = person.reshape(-1)
        problem = self._problem(seen, person, kept, last)
        stand, who, _ = stands(seen, person)
        weight = 1 / (1 + range_m[rows]) ** 2
        total = np.bincount(stand, weight)
        mean = np.stack([np.bincount(stand, weight * xy[rows, k]) / total for k in range(2)], axis=1)
        state = State(self._cameras, self._log_scale, self._common_m, np.zeros(len(kept)), mean)
        solution = adjust(
            problem, state, steps=40 if last else 15, tolerance=1e-6 if last else 1e-3, sd=last and not self._held
        )
        self._take(problem, solution, kept)
        if last:
            self._solution, self._used, self._stand_person = solution, seen, who

    def drop_moved(self) -> None:
        """Keep of a camera that moved only what it saw from the place in which it was longer."""
        found = self._agreement()
        self._words = suspects(found, self._noise, self._settings.window_s)
        keep = np.ones(len(self._seen), bool)
        for camera, words in enumerate(self._words):
            if not words.startswith("moved"):
                continue
            own = self._seen.camera == camera
            later = self._seen.moment >= found.first_moment[found.changed_span[camera]]
            dropped = own & (later if (own & later).sum() < (own & ~later).sum() else ~later)
            keep &= ~dropped
            part = "after" if later[dropped].any() else "before"
            self._notes.append(f"{self._names[camera]}: {int(dropped.sum())} boxes from {part} it moved are left out")
        self._seen, self._heights, self._person = self._seen[keep], self._heights[keep], self._person[keep]

    def reports(self) -> tuple[CameraReport, ...]:
        """How well each camera fits."""
        found, seen, solution = self._agreement(), self._used, self._solution
        late = suspects(found, self._noise, self._settings.window_s)
        loose = self._links().suspects(self._names, whole=not self._held)
        reports = []
        for index, name in enumerate(self._names):
            own = seen.camera == index
            off = solution.residual_px[own]
            limit = 3 * 1.4826 * np.median(np.abs(off)) if own.any() else 0.0
            inside = np.abs(off) <= limit
            if not own.any():
                reports.append(_unseen(name))
                continue
            share = off / seen.tall_px[own, None]
            words = (self._words[index] if self._words else "") or late[index] or loose[index]
            reports.append(
                CameraReport(
                    camera=name,
                    boxes=int(own.sum()),
                    rms_px=float(np.sqrt(np.square(off[inside]).mean())),
                    rms_share=float(np.sqrt(np.square(share[inside]).mean())),
                    apart_m=float(found.apart_m[index]),
                    sd=dict(zip(PARAMETERS, solution.camera_sd[index].tolist(), strict=True)),
                    suspect=words,
                )
            )
        return tuple(reports)

    def result(self) -> WalkersCalibration:
        """All that was found."""
        solution = self._solution
        cameras = [lens.camera(row) for lens, row in zip(self._lenses, self._framed(), strict=True)]
        return WalkersCalibration(
            cameras=dict(zip(self._names, cameras, strict=True)),
            reports=self.reports(),
            heights_m=self._person_heights,
            walked_m=turned(solution.state.xy_m, self._to_frame()),
            notes=tuple(self._notes),
        )

    def _to_frame(self) -> Array:
        first = self._cameras[0]
        motion = np.array([-first[4], 0.0, 0.0])
        motion[1:] = -turned(first[None, 5:7], motion)[0]
        return motion

    def _framed(self) -> Array:
        return moved(self._cameras, self._to_frame())

    def _located(self, cameras: Array | None = None) -> Array:
        cameras = self._cameras if cameras is None else cameras
        return locate(self._seen, cameras, self._constants, self._shape, self._heights, self._log_scale)

    def _agreement(self) -> Agreement:
        return agreement(self._seen, self._person, self._located(), self._cameras)

    def _links(self) -> Links:
        size_px = np.array([[lens.width_px, lens.height_px] for lens in self._lenses])
        return links(
            self._seen, self._person, self._located(), self._heights, self._cameras, self._constants, size_px,
            self._shape, self._log_scale, self._settings.edge_share
        )  # fmt: skip

    def _thinned(self, most: int) -> Int64:
        """About so many rows: blocks of moments, evenly over the recording."""
        n = len(self._seen)
        if n <= most:
            return np.arange(n)
        block = self._seen.moment // _BLOCK
        blocks = np.unique(block)
        kept = blocks[np.unique(np.linspace(0, len(blocks) - 1, max(1, len(blocks) * most // n)).astype(np.int64))]
        return np.flatnonzero(np.isin(block, kept))

    def _problem(self, seen: Observations, person: Int64, kept: Int64, last: bool) -> Problem:
        settings, names = self._settings, self._names
        known = np.array([lens.known for lens in self._lenses])
        prior, sd = (np.stack(x) for x in zip(*(prior_of(lens) for lens in self._lenses), strict=True))
        for name, height in settings.camera_heights_m.items():
            prior[names.index(name), 7], sd[names.index(name), 7] = height, settings.measured_sd_m
        sd_m = settings.measured_sd_m
        heights, own_sd, common = self._height_priors(kept, last)
        return Problem(
            shape=self._shape,
            seen=seen,
            person=person,
            constants=self._constants,
            free=free_parameters(known, fixed=0) & (not self._held),
            prior=prior,
            prior_sd=sd,
            height_m=heights,
            height_sd_m=own_sd,
            common_sd_m=common,
            noise_share=self._noise,
            distances=tuple((names.index(a), names.index(b), m, sd_m) for a, b, m in settings.distances_m),
            window_s=settings.window_s,
        )  # fmt: skip

    def _height_priors(self, kept: Int64, last: bool) -> tuple[Array, Array, float]:
        """(P,) heights of people and how surely they are known, and how surely their mean is."""
        settings, known = self._settings, np.sort(self._settings.known_heights_m)
        n = len(kept)
        if len(known) and np.ptp(known) < _HEIGHT_OFF_M:  # nobody needs to be told from anybody
            return np.full(n, self._mean_m), np.full(n, settings.known_height_sd_m), settings.known_height_sd_m
        if len(known) and last:
            now = np.array([np.median(self._heights[self._person == p]) for p in kept])
            boxes = np.array([(self._person == p).sum() for p in kept])
            heights, sure = _matched(now, boxes, known)
            own_sd = np.where(sure, settings.known_height_sd_m, settings.height_sd_m)
            return np.where(sure, heights, self._mean_m), own_sd, settings.known_height_sd_m
        _, at_once = np.unique(np.stack([self._seen.camera, self._seen.moment]), axis=1, return_counts=True)
        walkers = float(np.quantile(at_once, 0.98)) if len(at_once) else 1.0
        common = settings.known_height_sd_m if len(known) else settings.height_sd_m / np.sqrt(max(walkers, 1.0))
        return np.full(n, self._mean_m), np.full(n, settings.height_sd_m), common

    def _take(self, problem: Problem, solution: Solution, kept: Int64) -> None:
        state = solution.state
        self._cameras, self._log_scale, self._common_m = state.cameras, state.log_scale, state.common_m
        self._person_heights = problem.height_m + state.common_m + state.own_m
        heights = np.full(int(self._person.max()) + 1, self._mean_m + state.common_m)
        heights[kept] = self._person_heights
        self._heights = heights[self._person]
        share = np.abs(solution.residual_px) / problem.seen.tall_px[:, None]
        for camera in range(len(self._names)):
            own = share[problem.seen.camera == camera]
            self._noise[camera] = max(float(np.median(own)) / 0.6745, 1e-3) if len(own) else self._noise[camera]


def _matched(found_m: Array, boxes: Int64, known_m: Array) -> tuple[Array, NDArray[np.bool_]]:
    """(P,) the known height of each person, and whether no other is nearly as near.

    All that were found are scaled by one factor so that they fit the known ones best.
    """
    scales = np.exp(np.linspace(-2, 2, 81) * _SCALE_OFF)
    off = np.abs(scales[:, None, None] * found_m[:, None] - known_m).min(axis=2)
    cost = (boxes * np.square(off / _HEIGHT_OFF_M)).sum(axis=1) / boxes.sum() + np.square(np.log(scales) / _SCALE_OFF)
    far = np.abs(scales[cost.argmin()] * found_m[:, None] - known_m)
    nearest_known = known_m[far.argmin(axis=1)]
    others = np.where(np.abs(known_m - nearest_known[:, None]) < _HEIGHT_OFF_M, np.inf, far)
    return nearest_known, far.min(axis=1) < _CLEARLY * others.min(axis=1)


def _unseen(name: str) -> CameraReport:
    nan = float("nan")
    return CameraReport(name, 0, nan, nan, nan, dict.fromkeys(PARAMETERS, 0.0), "it saw nobody whole")
