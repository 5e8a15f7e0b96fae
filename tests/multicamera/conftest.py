"""A room with four cameras, and people who walk through it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from gocv.core import Detections
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera
from gocv.multicamera.views import Association, CameraView

Array = np.ndarray
_ROUND = np.stack([np.cos(np.arange(12) * np.pi / 6), np.sin(np.arange(12) * np.pi / 6)], axis=1)


def corner(x_m: float, y_m: float) -> PinholeCamera:
    return PinholeCamera.look_at([x_m, y_m, 3.0], [0, 0, 0.8], width_px=1280, height_px=720, focal_px=700)


CORNERS = {
    "north-east": corner(5.0, 5.0),
    "south-east": corner(5.0, -5.0),
    "south-west": corner(-5.0, -5.0),
    "north-west": corner(-5.0, 5.0),
}


def boxes(camera: PinholeCamera, xy_m: Array, height_m: float = 1.7, radius_m: float = 0.25) -> Array:
    """(n, 4) pixels: rectangles around the pictures of upright people, NaN where the camera does not see them.

    People are cylinders `radius_m` wide to either side and less deep.
    """
    place = np.asarray(xy_m, np.float64).reshape(-1, 1, 2)
    along = place - camera.position_m[:2]
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    across = along[..., ::-1] * [1, -1]
    ring = place + radius_m * (0.4 * along * _ROUND[:, :1] + across * _ROUND[:, 1:])
    ends = [np.concatenate([ring, np.full((*ring.shape[:2], 1), z)], axis=2) for z in (0.0, height_m)]
    px = camera.project(np.concatenate(ends, axis=1))[0]
    box = np.concatenate([px.min(axis=1), px.max(axis=1)], axis=1)
    size = np.array([camera.width_px - 1, camera.height_px - 1], np.float64)
    middle = (box[:, :2] + box[:, 2:]) / 2
    outside = ~((middle >= 0) & (middle <= size)).all(axis=1)
    box[outside] = np.nan
    return np.clip(box, 0, np.tile(size, 2))


@dataclasses.dataclass(frozen=True)
class Walk:
    """Somebody: where they are at each time at which they are there."""

    time_s: Array
    xy_m: Array
    height_m: float = 1.7

    def at(self, time_s: Array) -> Array:
        """(n, 2) metres; NaN when they are not there."""
        place = np.column_stack([np.interp(time_s, self.time_s, self.xy_m[:, k]) for k in (0, 1)])
        away = (time_s < self.time_s[0] - 1e-9) | (time_s > self.time_s[-1] + 1e-9)
        place[away] = np.nan
        return place


def straight(start: Sequence[float], end: Sequence[float], from_s: float = 0.0, to_s: float = 6.0) -> Walk:
    return Walk(np.array([from_s, to_s]), np.array([start, end], np.float64))


@dataclasses.dataclass(frozen=True)
class Film:
    """What cameras saw, and of whom each box is: by camera, -1 for nobody."""

    views: list[CameraView]
    person: dict[str, Array]

    def names_of(self, found: Association, person: int) -> list[int]:
        """Shoppers that the person's boxes were taken for, each once, -1 for nobody."""
        own = [found.who[name][who == person] for name, who in self.person.items()]
        return np.unique(np.concatenate(own)).tolist()

    def right(self, found: Association) -> float:
        """Share of people's boxes that are of the shopper whom most of that person's boxes are of, one to one."""
        who = np.concatenate([found.who[name] for name in self.person])
        person = np.concatenate(list(self.person.values()))
        real = person >= 0
        table = np.zeros((person.max(initial=-1) + 1, who.max(initial=-1) + 2))
        np.add.at(table, (person[real], who[real]), 1)
        total, taken = 0.0, set()
        for i, j in sorted(np.ndindex(table[:, :-1].shape), key=lambda ij: -table[ij]):
            if i not in {a for a, _ in taken} and j not in {b for _, b in taken}:
                taken.add((i, j))
                total += table[i, j]
        return total / max(int(real.sum()), 1)


def film(
    walks: Sequence[Walk],
    *,
    cameras: Mapping[str, PinholeCamera] = CORNERS,
    rate_hz: float | Mapping[str, float] = 10.0,
    late_s: Mapping[str, float] | None = None,
    until_s: float = 6.0,
    noise_px: float = 2.0,
    missed: float = 0.1,
    false: float = 0.0,
    own: bool = True,
    looks: Array | None = None,
    hide: Mapping[str, tuple[float, float]] | None = None,
    seed: int = 0,
) -> Film:
    """Let cameras look at people.

    Args:
        walks: The people.
        cameras: By name.
        rate_hz: Frames a second, of all cameras or by name.
        late_s: By how much each camera's first frame is later than 0.
        until_s: When it ends.
        noise_px: Standard deviation of each edge.
        missed: Share of boxes that are not found.
        false: Mean number of false boxes in a frame.
        own: Whether cameras' own trackers number people; without mistakes.
        looks: (people, D) what people look like.
        hide: Of a camera, from when to when it films nothing.
        seed: Of all this.
    """
    views, person = [], {}
    for name, camera in cameras.items():
        rng = np.random.default_rng([seed, *name.encode()])
        rate = rate_hz if isinstance(rate_hz, float) else rate_hz[name]
        time_s = np.arange(0, until_s, 1 / rate) + (late_s or {}).get(name, 0.0)
        gap = (hide or {}).get(name, (np.inf, np.inf))
        time_s = time_s[(time_s < gap[0]) | (time_s >= gap[1])]
        xyxy, frame, who = [np.empty((0, 4))], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, walk in enumerate(walks):
            box = boxes(camera, walk.at(time_s), walk.height_m) + rng.normal(0, noise_px, (len(time_s), 4))
            shown = np.flatnonzero(np.isfinite(box[:, 0]) & (rng.random(len(time_s)) >= missed))
            xyxy.append(box[shown])
            frame.append(shown)
            who.append(np.full(len(shown), number))
        wrong = np.repeat(np.arange(len(time_s)), rng.poisson(false, len(time_s)))
        xyxy.append(boxes(camera, rng.uniform(-3, 3, (len(wrong), 2))))
        frame.append(wrong)
        who.append(np.full(len(wrong), -1))
        at, of, box = np.concatenate(frame), np.concatenate(who), np.concatenate(xyxy)
        keep = np.isfinite(box[:, 0])
        at, of, box = at[keep], of[keep], box[keep]
        order = np.lexsort((rng.random(len(at)), at))
        at, of, box = at[order], of[order], box[order]
        found = Detections(box.astype(np.float32), np.ones(len(at), np.float32), np.zeros(len(at), np.int64))
        ids = np.where((of >= 0) & own, of + 1, -1)
        first = np.searchsorted(at, np.arange(len(time_s) + 1))
        vector = None
        if looks is not None:
            vector = np.full((len(at), looks.shape[1]), np.nan, np.float32)
            vector[of >= 0] = looks[of[of >= 0]]
        table = DetectionTable(("person",), np.arange(len(time_s)), time_s, first, found, ids)
        views.append(CameraView(name, camera, table, vector))
        person[name] = of
    return Film(views, person)


def kept(view: CameraView, rows: Array) -> CameraView:
    """The view with some of its boxes only; frames remain."""
    seen = view.seen
    frame = np.repeat(np.arange(len(seen)), np.diff(seen.first_row))
    first = np.searchsorted(frame[rows], np.arange(len(seen) + 1))
    table = dataclasses.replace(seen, first_row=first, boxes=seen.boxes[rows], track_id=seen.track_id[rows])
    return dataclasses.replace(view, seen=table, vector=None if view.vector is None else view.vector[rows])


@dataclasses.dataclass(frozen=True)
class Room:
    """What tests need of this module, as tests cannot import one another."""

    cameras = CORNERS
    boxes = staticmethod(boxes)
    film = staticmethod(film)
    kept = staticmethod(kept)
    straight = staticmethod(straight)
    Walk = Walk
    Film = Film


@pytest.fixture(scope="session")
def room() -> Room:
    return Room()
