"""What a camera sees when nobody is there: drawn once, and again only where a unit came or went."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.sim.layout import Gondola
from gocv.sim.render.light import CREVICE_PX, Lighting, crevices, normals_of
from gocv.sim.render.mesh import Mesh, join
from gocv.sim.render.packs import unit_mesh
from gocv.sim.render.raster import Rasteriser, project_mesh
from gocv.sim.render.room import gondola_mesh, room, shelter
from gocv.sim.scene import Scene, Stay

Window = tuple[int, int, int, int]

SAMPLES_PX = ((-0.156, -0.469), (0.469, -0.156), (0.156, 0.469), (-0.469, 0.156))
"""Where a pixel is sampled: a rotated grid, a little wider than the pixel as a lens is a little soft."""
_MARGIN_PX = CREVICE_PX + 2


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Pictures of the empty store; (h, w) are those of the camera.

    Attributes:
        colours: (4, h, w, 3) uint8, one for each of `SAMPLES_PX`.
        depths_m: (4, h, w) float32, along the optical axis; inf where nothing is.
        depth_m: (h, w) float32, at the middles of the pixels.
        points_m: (h, w, 3) float32, what is seen there, in the store's frame.
        normals: (h, w, 3) float32.
    """

    colours: NDArray[np.uint8]
    depths_m: NDArray[np.float32]
    depth_m: NDArray[np.float32]
    points_m: NDArray[np.float32]
    normals: NDArray[np.float32]


class Background:
    """The empty store before one camera, as it changes with time.

    Args:
        scene: The visit.
        camera: Who looks.
        lighting: Of the room.
        seed: Of the floor's tiles.
    """

    def __init__(self, scene: Scene, camera: PinholeCamera, lighting: Lighting, seed: int) -> None:
        self._camera, self._lighting = camera, lighting
        self._gondolas = list(scene.layout.gondolas.values())
        self._stays = [stay for stay in scene.stays if stay.position_m is not None]
        self._from_s = np.array([stay.from_s for stay in self._stays])
        self._until_s = np.array([stay.until_s for stay in self._stays])
        self._shelf = np.array([self._shelf_of(stay) for stay in self._stays], np.int64)
        self._there = np.zeros(len(self._stays), bool)
        h, w = camera.height_px, camera.width_px
        self._raster = Rasteriser(w, h)
        self._extents: dict[str, NDArray[np.float64]] = {}
        self._put("room", room(scene.layout, lighting, seed))
        for gondola in self._gondolas:
            self._put(f"gondola-{gondola.number}", gondola_mesh(scene.layout, gondola))
        columns, rows = np.meshgrid(np.arange(w), np.arange(h))
        x, y = np.moveaxis(np.nan_to_num(camera.undistort(np.stack([columns, rows], axis=-1).astype(float))), -1, 0)
        directions = np.stack([x, y, np.ones_like(x)], axis=-1) @ camera.camera_T_world[:3, :3]
        self._directions = directions.astype(np.float32)
        self.now = Backdrop(
            np.zeros((4, h, w, 3), np.uint8),
            np.zeros((4, h, w), np.float32),
            np.zeros((h, w), np.float32),
            np.zeros((h, w, 3), np.float32),
            np.zeros((h, w, 3), np.float32),
        )
        self._drawn = False

    def update(self, time_s: float) -> Window | None:
        """Bring `now` to a time; the part of the image that was drawn again, None where nothing was."""
        there = (self._from_s <= time_s) & (time_s < self._until_s)
        changed = np.flatnonzero(there != self._there)
        if self._drawn and not len(changed):
            return None
        self._there = there
        for shelf in np.unique(self._shelf[changed]):
            stays = [self._stays[i] for i in np.flatnonzero(there & (self._shelf == shelf))]
            self._put(f"shelf-{shelf}", join([self._lit(stay) for stay in stays]))
        window: Window = (0, 0, self._camera.width_px, self._camera.height_px)
        if self._drawn:
            extents = [project_mesh(self._camera, unit_mesh(self._stays[i])).extent for i in changed]
            window = clip_window(np.array(extents), self._camera, _MARGIN_PX)
        if window[0] >= window[2] or window[1] >= window[3]:
            return None
        self._draw(window)
        self._drawn = True
        return window

    def close(self) -> None:
        """Give the memory of the graphics library back."""
        self._raster.close()

    def _draw(self, window: Window) -> None:
        """Draw a part of the image; more is looked at, so that its crevices are those that the whole would have."""
        around = clip_window(np.array([[*window[:2], window[2] - 1, window[3] - 1]]), self._camera, _MARGIN_PX)
        outer = _part(around)
        self._raster.show({name for name, extent in self._extents.items() if _meets(extent, around)})
        depth = self._raster.draw(around)[1]
        finite = np.where(np.isfinite(depth), depth, np.float32(0))
        points: NDArray[np.float32] = finite[..., None] * self._directions[outer]
        points += self._camera.position_m.astype(np.float32)
        normals = normals_of(points)
        shade = crevices(points, normals, finite, float(self._camera.matrix[0, 0]))
        now, part = self.now, _part(window)
        left, top = window[0] - around[0], window[1] - around[1]
        own = _part((left, top, left + window[2] - window[0], top + window[3] - window[1]))
        now.depth_m[part], now.points_m[part], now.normals[part] = depth[own], points[own], normals[own]
        for k, shift in enumerate(SAMPLES_PX):
            colours, now.depths_m[k][part] = self._raster.draw(window, shift)
            now.colours[k][part] = colours * shade[own][..., None]

    def _lit(self, stay: Stay) -> Mesh:
        mesh = unit_mesh(stay)
        gondola = self._under(stay)
        if gondola is None:
            return mesh
        own = (mesh.vertices - [*gondola.corner_m, 0.0]) @ gondola.rotation
        return mesh.tinted(shelter(gondola, own)[:, None])

    def _put(self, name: str, mesh: Mesh) -> None:
        projected = project_mesh(self._camera, mesh)
        self._extents[name] = projected.extent
        self._raster.put(name, projected, self._lighting.colours(mesh.vertices, mesh.normals, mesh.colours))

    def _under(self, stay: Stay) -> Gondola | None:
        assert stay.position_m is not None
        return next((g for g in self._gondolas if g.covers(stay.position_m[None, :2], 0.02)[0]), None)

    def _shelf_of(self, stay: Stay) -> int:
        """A number for all that stands together: that is drawn together."""
        gondola = self._under(stay)
        if gondola is None or stay.position_m is None:
            return 0
        heights = np.array(gondola.heights_m)
        return 100 * gondola.number + int(np.argmin(np.abs(heights + 0.02 - stay.position_m[2])))


def clip_window(extents: NDArray[np.float64], camera: PinholeCamera, margin_px: int) -> Window:
    """The pixels that hold all of (k, 4) boxes and a margin around them, inside the image; empty where there are none.

    Rows of NaN are left out.
    """
    extents = extents[~np.isnan(extents).any(axis=1)]
    if not len(extents):
        return (0, 0, 0, 0)
    size = np.array([camera.width_px, camera.height_px])
    low = np.clip(np.floor(extents[:, :2].min(axis=0)) - margin_px, 0, size).astype(int)
    high = np.clip(np.ceil(extents[:, 2:].max(axis=0)) + 1 + margin_px, 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _part(window: Window) -> tuple[slice, slice]:
    return slice(window[1], window[3]), slice(window[0], window[2])


def _meets(extent: NDArray[np.float64], window: Window) -> bool:
    left, top, right, bottom = window
    low, high = extent[:2] - 1, extent[2:] + 1
    return bool(low[0] < right and high[0] > left and low[1] < bottom and high[1] > top)
