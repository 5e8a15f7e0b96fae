"""What no scale feels: hands of two shoppers that meet, and hands that go to the floor.

Tracks are put on one grid of times. A candidate is a stretch of time in which a lifted wrist of one shopper is near
one of another, or in which a wrist is near the floor; of each stretch the most telling moment is measured, and a
logistic regression says how probable it is that something changed hands, or was put on or taken from the floor:

    P = 1 / (1 + exp(-(w_0 + Σ_k w_k·f_k))).

For hands that meet, f is: how far the less extended of the two reaches towards the other shopper, how far the meeting
is from any shelf, how low the lower wrist hangs under its shoulder, and how fast the faster shopper walks; how near the
wrists come only makes a candidate, for two hands that hold one thing are as far apart as the thing is long. For a hand
at the floor: its height, how far it is from any shelf, how far it is from the body, and how far the other hand is from
any shelf. The weights are fitted by `experiments/fit_gestures.py`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import JOINTS, FloorTracks, Store
from gocv.data.config import Model

Array = NDArray[np.float64]
Bool = NDArray[np.bool_]

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_SHOULDERS = [JOINTS.index("l_shoulder"), JOINTS.index("r_shoulder")]
_GRID_S, _BRIDGE_S = 0.1, 0.5
"""Times are this far apart; joints that are lost no longer than this are where they were before and after."""
_SMOOTH = 3
_HANGS_M = 0.45
"""A wrist this far under its shoulder hangs: it offers nothing, and takes nothing."""
_FAR_M = 0.6
"""What is further from any shelf than this is away from shelves."""


class GestureSettings(Model):
    """What is taken for a gesture.

    Attributes:
        meet_m: Wrists that come closer than this may hand something over.
        together_m: Shoppers further apart don't.
        low_m: Wrists lower than this may be at the floor.
        apart_s: Encounters of the same hands with less time between them are one.
        hand_over: w_0 and the weights of the features of hands that meet, in the order of the module's text; per metre
            and per metre a second.
        floor: The same for a hand at the floor; per metre.
        least_probability: Candidates less probable than this are not reported.
        most_probability: No candidate is surer than this: not all people do it as the simulated ones.
        least_score: Joints scored lower are ignored.
    """

    meet_m: float = Field(default=0.35, gt=0)
    together_m: float = Field(default=1.6, gt=0)
    low_m: float = Field(default=0.35, gt=0)
    apart_s: float = Field(default=1.0, ge=0)
    hand_over: tuple[float, float, float, float, float] = (-9.1, 29.1, 19.6, -17.6, -6.99)
    floor: tuple[float, float, float, float, float] = (9.72, -39.0, 16.4, -11.6, 3.46)
    least_probability: float = Field(default=0.02, ge=0, le=1)
    most_probability: float = Field(default=0.98, gt=0, lt=1)
    least_score: float = Field(default=0.3, ge=0, le=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Gesture:
    """Something that may have changed hands, or the floor.

    Attributes:
        id: Unique within a run.
        kind: Which of the two.
        time_s: The middle of it, seconds on the recording's clock.
        shoppers: The two whose hands met, sorted; or the one whose hand was at the floor.
        probability: That it was so.
    """

    id: str
    kind: Literal["hand_over", "floor"]
    time_s: float
    shoppers: tuple[str, ...]
    probability: float


class Candidate(NamedTuple):
    """A gesture before it is judged.

    Attributes:
        kind: Which.
        time_s: When.
        shoppers: Who, as `Gesture` has them.
        features: What the regression is of.
    """

    kind: Literal["hand_over", "floor"]
    time_s: float
    shoppers: tuple[str, ...]
    features: tuple[float, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """One shopper on the grid: row r is tick `first` + r. NaN where not known.

    Attributes:
        name: Who.
        first: Tick of the first row.
        xy_m: (n, 2) where they stand.
        wrist_m: (n, 2, 3) smoothed.
        shoulder_z_m: (n,) height of the shoulders.
        speed_m_s: (n,) of the body.
    """

    name: str
    first: int
    xy_m: Array
    wrist_m: Array
    shoulder_z_m: Array
    speed_m_s: Array

    @property
    def end(self) -> int:
        return self.first + len(self.xy_m)


def gestures(shoppers: FloorTracks, store: Store, settings: GestureSettings | None = None) -> list[Gesture]:
    """All that may have changed hands, or been left on the floor or picked up from it.

    Args:
        shoppers: Where everybody was, any order of rows.
        store: Where the shelves are: hands that meet in a shelf are after its goods.
        settings: What is taken for a gesture.

    Returns:
        In order of time; one entry for each encounter.
    """
    settings = settings or GestureSettings()
    found = []
    for candidate in candidates(shoppers, store, settings):
        weights = settings.hand_over if candidate.kind == "hand_over" else settings.floor
        logit = weights[0] + math.fsum(w * f for w, f in zip(weights[1:], candidate.features, strict=True))
        probability = 1 / (1 + math.exp(-min(max(logit, -700.0), 700.0)))
        if probability >= settings.least_probability:
            found.append((candidate, min(probability, settings.most_probability)))
    return [
        Gesture(f"gesture-{number}", c.kind, c.time_s, c.shoppers, probability)
        for number, (c, probability) in enumerate(found, start=1)
    ]


def candidates(shoppers: FloorTracks, store: Store, settings: GestureSettings) -> list[Candidate]:
    """What `gestures` judges, in order of time."""
    shelves = _Shelves(store)
    paths = [_path(shoppers, index, settings) for index in np.unique(shoppers.shopper).tolist()]
    paths.sort(key=lambda path: path.first)
    found: list[Candidate] = []
    present: list[_Path] = []
    for path in paths:
        present = [other for other in present if other.end > path.first]
        for other in present:
            one, two = sorted((path, other), key=lambda p: p.name)
            found.extend(_meetings(one, two, shelves, settings))
        present.append(path)
        found.extend(_at_floor(path, shelves, settings))
    return sorted(found, key=lambda c: (c.time_s, c.shoppers))


class _Shelves:
    """Where the shelves are on the floor: a rectangle over the surveyed plates of each gondola."""

    def __init__(self, store: Store) -> None:
        plates: dict[int, list[Array]] = {}
        turned: dict[int, Array] = {}
        for plate in store.plates.values():
            if math.isfinite(plate.centre_m.sum() + plate.size_m.sum()):
                axes = turned.setdefault(plate.id.gondola, plate.rotation[:2, :2])
                corners = plate.centre_m[:2] @ axes + 0.5 * np.outer((-1.0, 1.0), plate.size_m)
                plates.setdefault(plate.id.gondola, []).append(corners)
        spans = {n: np.concatenate(corners) for n, corners in plates.items()}
        self._boxes = [(turned[n], span.min(axis=0), span.max(axis=0)) for n, span in spans.items()]

    def away_m(self, xy_m: Array) -> Array:
        """(n,) from (n, 2) to the nearest shelf, 0 inside; no more than `_FAR_M`."""
        away_m = np.full(len(xy_m), _FAR_M)
        for axes, low, high in self._boxes:
            local_m = xy_m @ axes
            outside_m = np.maximum(np.maximum(low - local_m, local_m - high), 0.0)
            away_m = np.fmin(away_m, np.hypot(outside_m[:, 0], outside_m[:, 1]))
        return away_m


def _path(shoppers: FloorTracks, index: int, settings: GestureSettings) -> _Path:
    """One shopper's rows on the grid."""
    rows = np.flatnonzero(shoppers.shopper == index)
    rows = rows[np.argsort(shoppers.time_s[rows], kind="stable")]
    time_s = shoppers.time_s[rows]
    first = math.floor(time_s[0] / _GRID_S)
    grid_s = _GRID_S * np.arange(first, math.ceil(time_s[-1] / _GRID_S) + 1)
    joints_m = shoppers.joints_m[rows]
    joints_m = np.where((shoppers.joint_score[rows] >= settings.least_score)[..., None], joints_m, np.nan)
    wrist_m = np.stack([_on_grid(grid_s, time_s, joints_m[:, joint]) for joint in _WRISTS], axis=1)
    shoulder = np.stack([_on_grid(grid_s, time_s, joints_m[:, joint, 2:]) for joint in _SHOULDERS], axis=1)
    xy_m = _on_grid(grid_s, time_s, shoppers.xy_m[rows])
    step = np.gradient(xy_m, _GRID_S, axis=0) if len(xy_m) > 1 else np.zeros_like(xy_m)
    speed = _smoothed(np.hypot(step[:, 0], step[:, 1])[:, None])[:, 0]
    highest = np.fmax(shoulder[:, 0, 0], shoulder[:, 1, 0])
    return _Path(shoppers.shoppers[index], first, xy_m, _smoothed(wrist_m), highest, speed)


def _on_grid(grid_s: Array, time_s: Array, values: Array) -> Array:
    """(m, k) values at the grid's times, linear between rows (n, k) that are no further apart than `_BRIDGE_S`."""
    known = np.isfinite(values).all(axis=1)
    out = np.full((len(grid_s), values.shape[1]), np.nan)
    if not known.any():
        return out
    at_s, values = time_s[known], values[known]
    after = np.clip(np.searchsorted(at_s, grid_s), 1, max(len(at_s) - 1, 1))
    before_s, after_s = at_s[after - 1], at_s[np.minimum(after, len(at_s) - 1)]
    near = np.minimum(np.abs(grid_s - before_s), np.abs(grid_s - after_s)) <= _GRID_S
    inside = (grid_s >= at_s[0]) & (grid_s <= at_s[-1]) & (after_s - before_s <= _BRIDGE_S)
    rows = near | inside
    for column in range(values.shape[1]):
        out[rows, column] = np.interp(grid_s[rows], at_s, values[:, column])
    return out


def _smoothed(values: Array) -> Array:
    """The mean over `_SMOOTH` rows, of those that are known."""
    known = np.isfinite(values)
    pad = [(_SMOOTH // 2, _SMOOTH // 2)] + [(0, 0)] * (values.ndim - 1)
    filled, counted = (np.pad(a, pad) for a in (np.where(known, values, 0.0), known.astype(np.float64)))
    windows = [slice(k, k + len(values)) for k in range(_SMOOTH)]
    total = np.sum([filled[window] for window in windows], axis=0)
    count = np.sum([counted[window] for window in windows], axis=0)
    smooth: Array = np.where(known, total / np.maximum(count, 1.0), np.nan)
    return smooth


def _meetings(one: _Path, other: _Path, shelves: _Shelves, settings: GestureSettings) -> Iterator[Candidate]:
    """Stretches of time in which a wrist of one is near one of the other."""
    first, end = max(one.first, other.first), min(one.end, other.end)
    a, b = (slice(first - path.first, end - path.first) for path in (one, other))
    between_m = other.xy_m[b] - one.xy_m[a]
    distance_m = np.hypot(between_m[:, 0], between_m[:, 1])
    rows = np.flatnonzero(distance_m <= settings.together_m)
    if not len(rows):
        return
    pair = (_lifted(one, a)[rows], _lifted(other, b)[rows])
    apart_m = np.linalg.norm(pair[0][:, :, None] - pair[1][:, None], axis=3).reshape(len(rows), 4)
    close = np.where(np.isfinite(apart_m), apart_m, np.inf).min(axis=1) <= settings.meet_m
    for run in _runs(rows[close] + first, settings.apart_s):
        at = np.flatnonzero(np.isin(rows + first, run))
        towards = between_m[rows[at]] / np.maximum(distance_m[rows[at], None], 1e-9)
        reach_a = ((pair[0][at, :, :2] - one.xy_m[a][rows[at], None]) * towards[:, None]).sum(axis=2)
        reach_b = -((pair[1][at, :, :2] - other.xy_m[b][rows[at], None]) * towards[:, None]).sum(axis=2)
        reach_m = np.minimum(reach_a[:, :, None], reach_b[:, None]).reshape(len(at), 4)
        score = np.where(np.isfinite(apart_m[at] + reach_m), apart_m[at] - np.minimum(reach_m, _FAR_M), np.inf)
        moment, hands = np.unravel_index(int(score.argmin()), score.shape)
        if not np.isfinite(score[moment, hands]):
            continue
        wrist_a, wrist_b = pair[0][at[moment], hands // 2], pair[1][at[moment], hands % 2]
        row = rows[at[moment]]
        drops = (one.shoulder_z_m[a][row] - wrist_a[2], other.shoulder_z_m[b][row] - wrist_b[2])
        speeds = (one.speed_m_s[a][row], other.speed_m_s[b][row])
        features = (
            float(reach_m[moment, hands]),
            float(shelves.away_m((wrist_a[None, :2] + wrist_b[None, :2]) / 2)[0]),
            _largest(drops, 0.3),
            _largest(speeds, 0.3),
        )
        yield Candidate("hand_over", _GRID_S * float(row + first), (one.name, other.name), features)


def _lifted(path: _Path, span: slice) -> Array:
    """(m, 2, 3) wrists in a span of rows; NaN where the arm hangs."""
    wrist_m = path.wrist_m[span]
    hangs = path.shoulder_z_m[span, None] - wrist_m[..., 2] > _HANGS_M
    return np.where(hangs[..., None], np.nan, wrist_m)


def _at_floor(path: _Path, shelves: _Shelves, settings: GestureSettings) -> Iterator[Candidate]:
    """Stretches of time in which a wrist is near the floor."""
    height_m = np.where(np.isfinite(path.wrist_m[..., 2]), path.wrist_m[..., 2], np.inf)
    for run in _runs(np.flatnonzero(height_m.min(axis=1) <= settings.low_m), settings.apart_s):
        away_m = np.stack([shelves.away_m(path.wrist_m[run, hand, :2]) for hand in (0, 1)], axis=1)
        score = height_m[run] - np.minimum(away_m, 0.1)
        moment, hand = np.unravel_index(int(score.argmin()), score.shape)
        row = run[moment]
        body_m = path.wrist_m[row, :, :2] - path.xy_m[row]
        out_m = np.hypot(body_m[:, 0], body_m[:, 1])
        other = shelves.away_m(path.wrist_m[row, 1 - hand, None, :2])[0]
        features = (
            float(height_m[row, hand]),
            float(away_m[moment, hand]),
            _largest((float(out_m[hand]),), 0.3),
            float(other),
        )
        yield Candidate("floor", _GRID_S * float(path.first + row), (path.name,), features)


def _largest(values: tuple[float, ...], unknown: float) -> float:
    """The largest of what is known."""
    known = [float(v) for v in values if math.isfinite(v)]
    return max(known, default=unknown)


def _runs(ticks: NDArray[np.int64], apart_s: float) -> list[NDArray[np.int64]]:
    """Ticks in stretches with no longer breaks than `apart_s`."""
    if not len(ticks):
        return []
    return np.split(ticks, np.flatnonzero(np.diff(ticks) > apart_s / _GRID_S) + 1)
