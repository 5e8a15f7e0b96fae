"""What moves: the people and what their hands hold, drawn over the empty store."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.sim.body import Body
from gocv.sim.render.background import SAMPLES_PX, Backdrop, Window, clip_window
from gocv.sim.render.figure import Figure
from gocv.sim.render.light import Lighting
from gocv.sim.render.mesh import join, turn
from gocv.sim.render.packs import pack
from gocv.sim.render.raster import Projected, Rasteriser, project
from gocv.sim.scene import Stay

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_SHADOW_M, _FADE_M, _SHADOW_STEP = 1.9, 0.9, 3
_GRIP_M = 0.008


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A person in one frame.

    Attributes:
        name: Of the person.
        figure: Their surface.
        body: Their body at five moments: that of the frame, then those of `SAMPLES_PX`.
        held: What is in each hand, left first.
    """

    name: str
    figure: Figure
    body: Body
    held: tuple[tuple[Stay, ...], tuple[Stay, ...]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A moving thing on the image plane.

    Attributes:
        name: Unique.
        person: Whose silhouette it is a part of; None for what is held.
        moments: It, at the five moments.
        colours: (n, 3) uint8, lit.
    """

    name: str
    person: str | None
    moments: tuple[Projected, ...]
    colours: NDArray[np.uint8]

    @property
    def extent(self) -> Array:
        """(4,) float64 xyxy px, at the moment of the frame."""
        return self.moments[0].extent


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Silhouettes:
    """Each person alone, at the moment of the frame.

    Attributes:
        depth_m: (h, w) float32 of everything, empty store included.
        windows: By person: the part of the image that they touch.
        alone_m: By person: (h', w') float32 depth of them alone in that part, inf beside them.
    """

    depth_m: Floats
    windows: dict[str, Window]
    alone_m: dict[str, Floats]


class Cast:
    """Draws the moving things of one camera.

    Args:
        camera: Who looks.
        lighting: Of the room.
    """

    def __init__(self, camera: PinholeCamera, lighting: Lighting) -> None:
        self._camera, self._lighting = camera, lighting
        self._raster = Rasteriser(camera.width_px, camera.height_px)
        self._names: set[str] = set()

    def layers(self, actors: Sequence[Actor]) -> list[Layer]:
        """The moving things that meet the image."""
        found: list[Layer] = []
        for actor in actors:
            vertices = actor.figure.vertices(actor.body)
            normals = actor.figure.normals(vertices[0])
            lit = self._lighting.colours(vertices[0], normals, actor.figure.colours)
            found.append(self._layer(actor.name, actor.name, vertices, actor.figure.faces, lit))
            for hand, stays in enumerate(actor.held):
                if stays:
                    found.append(self._held(actor, hand, stays))
        return [layer for layer in found if _is_in(layer.extent, self._camera)]

    def silhouettes(self, layers: Sequence[Layer], backdrop: Backdrop) -> Silhouettes:
        """Who is where, exactly: each person drawn alone, what is held drawn together."""
        self._put(layers, 0)
        depth = backdrop.depth_m.copy()
        windows, alone = {}, {}
        for layer in layers:
            window = clip_window(layer.extent[None], self._camera, 0)
            self._raster.show({layer.name})
            seen = self._raster.draw(window)[1]
            part = slice(window[1], window[3]), slice(window[0], window[2])
            np.minimum(depth[part], seen, out=depth[part])
            if layer.person is not None:
                windows[layer.person], alone[layer.person] = window, seen
        return Silhouettes(depth, windows, alone)

    def paint(self, light: Floats, layers: Sequence[Layer], backdrop: Backdrop, shade: Floats) -> None:
        """Lay the moving things, blurred by their motion, over a picture of the empty store (in place).

        Args:
            light: (h, w, 3) float32, the picture, shaded.
            layers: What moves.
            backdrop: The empty store.
            shade: (h, w) float32, what the picture has been multiplied with.
        """
        if not layers:
            return
        extents = np.array([moment.extent for layer in layers for moment in layer.moments])
        window = clip_window(extents, self._camera, 1)
        if window[0] >= window[2] or window[1] >= window[3]:
            return
        part = slice(window[1], window[3]), slice(window[0], window[2])
        self._raster.show({layer.name for layer in layers})
        picture, factor = light[part], shade[part][..., None] / np.float32(len(SAMPLES_PX))
        for k, shift in enumerate(SAMPLES_PX):
            self._put(layers, k + 1)
            colours, depth = self._raster.draw(window, shift)
            near = depth < backdrop.depths_m[k][part]
            # The picture is the mean of the samples: one of them is taken out, and another one put in.
            picture[near] += (
                colours[near] / np.float32(len(SAMPLES_PX)) - backdrop.colours[k][part][near] * factor[near]
            )

    def close(self) -> None:
        """Give the memory of the graphics library back."""
        self._raster.close()

    def _put(self, layers: Sequence[Layer], moment: int) -> None:
        names = {layer.name for layer in layers}
        for gone in self._names - names:
            self._raster.remove(gone)
        self._names = names
        for layer in layers:
            self._raster.put(layer.name, layer.moments[moment], layer.colours)

    def _held(self, actor: Actor, hand: int, stays: Sequence[Stay]) -> Layer:
        """Units in a hand, side by side, upright, their fronts towards the holder."""
        yaws = np.arctan2(actor.body.forward[:, 1], actor.body.forward[:, 0]) - np.pi / 2
        width = sum(stay.article.width_m for stay in stays)
        parts, left = [], -width / 2
        for stay in stays:
            article = stay.article
            middle = left + article.width_m / 2
            left += article.width_m
            parts.append(
                pack(article).placed(np.eye(3), [middle, article.depth_m / 2 + _GRIP_M, -article.height_m / 2])
            )
        mesh = join(parts)
        moments = [mesh.placed(turn(yaw), at) for yaw, at in zip(yaws, actor.body.hands_m[:, hand], strict=True)]
        lit = self._lighting.colours(moments[0].vertices, moments[0].normals, mesh.colours)
        vertices = np.stack([moment.vertices for moment in moments])
        return self._layer(f"{actor.name}:{hand}", None, vertices, mesh.faces, lit)

    def _layer(
        self, name: str, person: str | None, vertices: Array, faces: NDArray[np.int64], lit: NDArray[np.uint8]
    ) -> Layer:
        moments = tuple(project(self._camera, points, faces) for points in vertices)
        return Layer(name, person, moments, lit)


def shadows(actors: Sequence[Actor], backdrop: Backdrop, lighting: Lighting) -> Floats:
    """(h, w) factor on the empty store's colours: the people's shadows on it."""
    coarse = backdrop.points_m[::_SHADOW_STEP, ::_SHADOW_STEP]
    normals = backdrop.normals[::_SHADOW_STEP, ::_SHADOW_STEP]
    shade = np.ones(coarse.shape[:2], np.float32)
    for actor in actors:
        middle = actor.body.keypoints_m[0, 11:13, :2].mean(axis=0)
        away = coarse[..., :2] - middle.astype(np.float32)
        distance = np.sqrt(np.einsum("ijk,ijk->ij", away, away))
        near = distance < _SHADOW_M
        dark = 1 - lighting.shade_of(coarse[near], normals[near], *_balls(actor.body))
        # Far off it is faint and not worth the time; it fades out so that no edge is seen.
        shade[near] *= 1 - dark * np.minimum(1.0, (_SHADOW_M - distance[near]) / _FADE_M)
    h, w = backdrop.depth_m.shape
    return _enlarged(_enlarged(shade, h).T, w).T


def _balls(body: Body) -> tuple[Array, Array]:
    """Spheres that fill a person: head, trunk, thighs, knees, shins and feet."""
    k, h = body.keypoints_m[0], body.height_m
    hips, chest = k[11:13].mean(axis=0), k[5:7].mean(axis=0)
    middle = [body.head_m[0], 0.8 * chest + 0.2 * hips, 0.4 * chest + 0.6 * hips, hips]
    legs = [*((k[11:13] + k[13:15]) / 2), *k[13:15], *((k[13:15] + k[15:17]) / 2), *(0.5 * (k[15:17] + body.toes_m[0]))]
    radii = h * np.array([0.06, 0.10, 0.10, 0.095, *[0.055] * 2, *[0.045] * 2, *[0.04] * 2, *[0.045] * 2])
    return np.array([*middle, *legs]), radii


def _enlarged(coarse: Floats, rows: int) -> Floats:
    """(rows, c) linear interpolation of what is given for every `_SHADOW_STEP`th row."""
    low, share = np.divmod(np.arange(rows), _SHADOW_STEP)
    share = (share / np.float32(_SHADOW_STEP)).astype(np.float32)[:, None]
    return np.asarray(coarse[low] * (1 - share) + coarse[np.minimum(low + 1, len(coarse) - 1)] * share)


def _is_in(extent: Array, camera: PinholeCamera) -> bool:
    """Whether a box touches the image; one of NaN does not."""
    left, top, right, bottom = extent
    return bool(left < camera.width_px - 0.5 and right > -0.5 and top < camera.height_px - 0.5 and bottom > -0.5)
