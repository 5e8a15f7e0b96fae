"""Pictures of a visit as a camera would have taken them, each with its exact truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, nearest
from gocv.geometry import PinholeCamera
from gocv.sim.body import Body, body
from gocv.sim.render.actors import Actor, Cast, Layer, Silhouettes, shadows
from gocv.sim.render.background import SAMPLES_PX, Background
from gocv.sim.render.figure import Figure
from gocv.sim.render.light import Lighting
from gocv.sim.render.people import People
from gocv.sim.render.sensor import Sensor
from gocv.sim.render.wardrobe import look
from gocv.sim.scene import Scene, Stay

Array = NDArray[np.float64]

EXPOSURE_S = 1 / 40
_FLESH = 0.075
"""A joint may lie this share of the height behind the skin over it, and is still seen."""
_CHUNK = 64


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class RenderedFrame:
    """One picture.

    Attributes:
        index: Of the frame; frame 0 is the first of the visit, not of what was asked for.
        time_s: Of the middle of the exposure, on the visit's clock.
        image: (h, w, 3) uint8 RGB.
        people: Who is in it; None where no truth was asked for.
        depth_m: (h, w) float32, along the optical axis, of what is seen at the middle of each pixel; inf where nothing
            is; None where it was not asked for.
        identity: (h, w) int16, the row of `people` that is seen there, -1 where there is none; None as `depth_m`.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]
    people: People | None
    depth_m: NDArray[np.float32] | None
    identity: NDArray[np.int16] | None


def render_camera(
    scene: Scene,
    name: str,
    *,
    rate_hz: float = 10.0,
    seed: int,
    from_s: float = 0.0,
    until_s: float | None = None,
    truth: bool = True,
    depth: bool = False,
    noise: bool = True,
) -> Iterator[RenderedFrame]:
    """Film a visit with one camera of the store.

    Frame i is of the moment i / rate_hz. The same arguments give the same truth everywhere, and the same pictures on
    one machine. What a person looks like follows from `seed` and their name alone.

    Args:
        scene: The visit.
        name: Of the camera.
        rate_hz: Frames a second.
        seed: Of looks, floor and noise.
        from_s: First moment that is wanted.
        until_s: Where to stop, exclusive; the end of the visit where None.
        truth: Whether `people` is wanted.
        depth: Whether `depth_m` and `identity` are wanted; takes `truth`.
        noise: Whether exposure, flicker and noise of the sensor are wanted.

    Raises:
        DataError: There is no such camera, a number is out of range, or depth is asked for without truth.
        MissingDependencyError: The graphics library is not installed, or cannot draw here.
    """
    camera = scene.layout.cameras.get(name)
    if camera is None:
        raise DataError(f"there is no camera {name}", key="name", expected=nearest(name, scene.layout.cameras))
    until_s = scene.duration_s if until_s is None else until_s
    for key, value, fits in (
        ("rate_hz", rate_hz, 0 < rate_hz < np.inf),
        ("seed", seed, seed >= 0),
        ("from_s", from_s, from_s >= 0),
        ("until_s", until_s, from_s <= until_s < np.inf),
    ):
        if not fits:
            raise DataError(f"{value} does not do", key=key, expected="a finite number, from_s before until_s")
    if depth and not truth:
        raise DataError("depth comes with the truth", key="depth", expected="truth=True")
    frames = np.arange(np.ceil(from_s * rate_hz - 1e-9), np.ceil(until_s * rate_hz - 1e-9), dtype=np.int64)
    studio = _Studio(scene, name, camera, seed)
    return studio.film(frames, rate_hz, truth=truth, depth=depth, noise=noise)


class _Studio:
    """Everything that one camera's pictures are made with."""

    def __init__(self, scene: Scene, name: str, camera: PinholeCamera, seed: int) -> None:
        self._scene, self._camera = scene, camera
        self._lighting = Lighting(scene.layout)
        self._background = Background(scene, camera, self._lighting, seed)
        self._cast = Cast(camera, self._lighting)
        self._sensor = Sensor(name, (camera.width_px, camera.height_px), seed)
        self._figures = {m.name: Figure(look(m.person, seed, staff=m.name in scene.staff)) for m in scene.motions}
        self._held = [stay for stay in scene.stays if stay.holder is not None and stay.hand is not None]
        self._clean = np.zeros((camera.height_px, camera.width_px, 3), np.float32)

    def film(
        self, frames: NDArray[np.int64], rate_hz: float, *, truth: bool, depth: bool, noise: bool
    ) -> Iterator[RenderedFrame]:
        try:
            for start in range(0, len(frames), _CHUNK):
                chunk = frames[start : start + _CHUNK]
                bodies = self._bodies(chunk / rate_hz)
                for row, frame in enumerate(chunk):
                    time_s = float(frame / rate_hz)
                    actors = self._actors(time_s, bodies, row)
                    yield self._frame(int(frame), time_s, actors, truth=truth, depth=depth, noise=noise)
        finally:
            self._background.close()
            self._cast.close()

    def _bodies(self, time_s: Array) -> dict[str, Body]:
        """Everybody's bodies at the five moments of each frame."""
        shares = (np.arange(len(SAMPLES_PX)) + 0.5) / len(SAMPLES_PX) - 0.5
        moments = (time_s[:, None] + np.array([0.0, *shares]) * EXPOSURE_S).ravel()
        present = [m for m in self._scene.motions if m.start_s <= time_s[-1] and m.end_s >= time_s[0]]
        return {m.name: body(m, moments) for m in present}

    def _actors(self, time_s: float, bodies: dict[str, Body], row: int) -> list[Actor]:
        actors = []
        for motion in self._scene.motions:
            if motion.start_s <= time_s <= motion.end_s:
                held: tuple[list[Stay], list[Stay]] = ([], [])
                for stay in self._held:
                    if stay.holder == motion.name and stay.from_s <= time_s < stay.until_s and stay.hand is not None:
                        held[stay.hand].append(stay)
                now = _moments(bodies[motion.name], 5 * row)
                actors.append(Actor(motion.name, self._figures[motion.name], now, (tuple(held[0]), tuple(held[1]))))
        return actors

    def _frame(
        self, index: int, time_s: float, actors: list[Actor], *, truth: bool, depth: bool, noise: bool
    ) -> RenderedFrame:
        window = self._background.update(time_s)
        backdrop = self._background.now
        if window is not None:
            part = slice(window[1], window[3]), slice(window[0], window[2])
            self._clean[part] = backdrop.colours[(slice(None), *part)].mean(axis=0, dtype=np.float32)
        layers = self._cast.layers(actors)
        shade = shadows(actors, backdrop, self._lighting)
        light = self._clean * shade[..., None]
        people = deep = identity = None
        if truth:
            seen = self._cast.silhouettes(layers, backdrop)
            people, shown = self._truth(actors, layers, seen)
            deep, identity = (seen.depth_m, shown) if depth else (None, None)
        self._cast.paint(light, layers, backdrop, shade)
        image = self._sensor.expose(light, index, time_s) if noise else np.clip(light, 0, 255).astype(np.uint8)
        return RenderedFrame(index, time_s, image, people, deep, identity)

    def _truth(self, actors: list[Actor], layers: list[Layer], seen: Silhouettes) -> tuple[People, NDArray[np.int16]]:
        extents = {layer.person: layer.extent for layer in layers if layer.person is not None}
        identity = np.full(seen.depth_m.shape, -1, np.int16)
        rows: list[dict[str, Any]] = []
        for actor in actors:
            if actor.name not in extents:
                continue
            left, top, right, bottom = seen.windows[actor.name]
            alone = seen.alone_m[actor.name]
            there = np.isfinite(alone)
            if not there.any():
                continue
            shown = there & (alone <= seen.depth_m[top:bottom, left:right])
            identity[top:bottom, left:right][shown] = len(rows)
            row = {
                "name": actor.name,
                "staff": actor.name in self._scene.staff,
                "xyxy": extents[actor.name],
                "visible_xyxy": _around(shown, left, top),
                "visible_fraction": shown.sum() / there.sum(),
                "held": ["+".join(sorted({stay.article.id for stay in stays})) for stays in actor.held],
                "held_units": [len(stays) for stays in actor.held],
            }
            rows.append({**row, **self._points(actor, seen)})
        return People.of(rows), identity

    def _points(self, actor: Actor, seen: Silhouettes) -> dict[str, Any]:
        keypoints, hands = actor.body.keypoints_m[0], actor.body.hands_m[0]
        flesh_m = _FLESH * actor.body.height_m
        behind_m = np.array([flesh_m + max((s.article.depth_m for s in stays), default=0.0) for stays in actor.held])
        pixels, visible = self._look_up(keypoints, flesh_m, seen)
        hands_px, hands_visible = self._look_up(hands, behind_m, seen)
        return {
            "keypoints_m": keypoints,
            "keypoints_px": pixels,
            "keypoint_visible": visible,
            "hands_m": hands,
            "hands_px": hands_px,
            "hand_visible": hands_visible,
        }

    def _look_up(self, points_m: Array, flesh_m: Array | float, seen: Silhouettes) -> tuple[Array, NDArray[np.bool_]]:
        pixels, depth = self._camera.project(points_m)
        h, w = seen.depth_m.shape
        nearest_px = np.nan_to_num(np.round(pixels), nan=-1.0)
        inside = (nearest_px >= 0).all(axis=1) & (nearest_px[:, 0] < w) & (nearest_px[:, 1] < h)
        x, y = np.where(inside[:, None], nearest_px, 0).astype(int).T
        return pixels, inside & (seen.depth_m[y, x] > depth - flesh_m)


def _moments(all_: Body, first: int) -> Body:
    """The five rows of one frame."""
    part = slice(first, first + 5)
    return dataclasses.replace(
        all_,
        **{f.name: getattr(all_, f.name)[part] for f in dataclasses.fields(Body) if f.name != "height_m"},
    )


def _around(shown: NDArray[np.bool_], left: int, top: int) -> Array:
    """(4,) box of the pixels that are set."""
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if not len(rows):
        return np.full(4, np.nan)
    return np.array([left + columns[0], top + rows[0], left + columns[-1], top + rows[-1]], np.float64)
