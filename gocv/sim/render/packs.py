"""What a unit of an article looks like: its body and the artwork on it."""

from __future__ import annotations

import functools
import zlib

import numpy as np
from numpy.typing import NDArray

from gocv.sim.articles import Article
from gocv.sim.render.mesh import Mesh, cells, join, patch, turn, turned
from gocv.sim.scene import Stay

Array = NDArray[np.float64]

_ROUND = 12
_PALE = np.array([0.94, 0.93, 0.90])
_METAL = np.array([0.72, 0.73, 0.75])


def pack(article: Article) -> Mesh:
    """A unit that stands: the middle of its base at the origin, its front towards -y, its width along x."""
    return _pack(
        article.id, article.form, article.width_m, article.depth_m, article.height_m, article.colour, article.accent
    )


def unit_mesh(stay: Stay) -> Mesh:
    """A unit where it stands or lies, in the store's frame; `stay.position_m` must not be None."""
    assert stay.position_m is not None
    return tipped(pack(stay.article), stay).placed(turn(stay.yaw_rad), stay.position_m)


def tipped(mesh: Mesh, stay: Stay) -> Mesh:
    """The mesh on its back if the unit lies, else as it is."""
    if not stay.lies:
        return mesh
    article = stay.article
    back = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    return mesh.placed(back, (0.0, -article.height_m / 2, article.depth_m / 2))


@functools.lru_cache(maxsize=4096)
def _pack(
    name: str,
    form: str,
    width_m: float,
    depth_m: float,
    height_m: float,
    colour: tuple[int, int, int],
    accent: tuple[int, int, int],
) -> Mesh:
    art = Artwork(name, np.array(colour) / 255, np.array(accent) / 255)
    if form == "bag":
        return _bag(width_m, depth_m, height_m, art)
    if form == "box":
        return _box(width_m, depth_m, height_m, art)
    if form == "carton":
        return _carton(width_m, depth_m, height_m, art)
    rings, radii, band, ends = _PROFILES[form]
    front = art.on(2 * (len(rings) - 1), _ROUND)[::2]
    colours = np.where(np.array(band)[:, None, None], front, np.array([_paint(e, art) for e in ends])[:, None])
    radius = np.array(radii)
    mesh = turned(height_m * np.array(rings), width_m / 2 * radius, depth_m / 2 * radius, colours)
    return mesh


class Artwork:
    """The print on a pack, the same for all units of an article.

    Args:
        name: Of the article; layout and lettering follow from it.
        colour: (3,) main colour, in [0, 1].
        accent: (3,) colour of the label.
    """

    def __init__(self, name: str, colour: Array, accent: Array) -> None:
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.colour, self.accent = colour, accent
        self._layout = int(rng.integers(4))
        self._middle = rng.uniform(0.42, 0.6)
        self._letters = rng.random(64) < 0.6
        self._ink = _PALE if accent.mean() < 0.6 else np.array([0.12, 0.12, 0.14])

    def on(self, rows: int, columns: int) -> Array:
        """(rows, columns, 3) colours, the lowest row first."""
        v, u = np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij")
        label = (
            np.abs(v - self._middle) < 0.2,
            np.hypot((u - 0.5) / 0.42, (v - self._middle) / 0.27) < 1,
            v + 0.5 * (u - 0.5) > self._middle + 0.05,
            (v > 0.62) | (v < 0.12),
        )[self._layout]
        picture = np.where(label[..., None], self.accent, self.colour)
        row = np.floor(v * 12).astype(int)
        lettering = label & self._letters[(np.floor(u * 9).astype(int) + 7 * row) % 64]
        lettering &= (np.abs(v - self._middle - 0.06) < 0.07) & (np.abs(u - 0.5) < 0.36)
        picture[lettering] = self._ink
        return picture


# Heights and radii of the rings, as shares of the unit's; whether the band above each ring carries the print; else
# what it is made of.
_PROFILES: dict[str, tuple[tuple[float, ...], tuple[float, ...], tuple[bool, ...], tuple[str, ...]]] = {
    "can": (
        (0.0, 0.01, 0.05, 0.25, 0.4, 0.55, 0.7, 0.93, 0.985, 0.99, 0.995),
        (0.0, 0.86, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.86, 0.84, 0.0),
        (False, False, True, True, True, True, True, False, False, False),
        ("metal",) * 10,
    ),
    "bottle": (
        (0.0, 0.01, 0.04, 0.25, 0.35, 0.45, 0.58, 0.66, 0.8, 0.88, 0.881, 0.99, 1.0),
        (0.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 0.92, 0.5, 0.38, 0.46, 0.46, 0.0),
        (False, False, False, True, True, True, False, False, False, False, False, False),
        (*("glass",) * 9, *("cap",) * 3),
    ),
    "jar": (
        (0.0, 0.01, 0.06, 0.2, 0.35, 0.5, 0.65, 0.76, 0.82, 0.821, 0.98, 1.0),
        (0.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.84, 0.92, 0.92, 0.0),
        (False, False, False, True, True, True, False, False, False, False, False),
        (*("glass",) * 8, *("cap",) * 3),
    ),
}


def _paint(material: str, art: Artwork) -> Array:
    if material == "metal":
        return _METAL
    return np.asarray(art.accent * 0.8 if material == "cap" else art.colour * 0.8)


def _box(w: float, d: float, h: float, art: Artwork, top: bool = True) -> Mesh:
    side = np.broadcast_to(art.on(6, 6).mean(axis=1, keepdims=True) * 0.93, (6, 2, 3))
    x, y, z = np.diag([w, d, h])
    low = np.array([-w / 2, -d / 2, 0.0])
    faces = [
        patch(low, x, z, art.on(10, 7)),
        patch(low + x, y, z, side),
        patch(low + x + y, -x, z, art.on(10, 7)),
        patch(low + y, -y, z, side),
    ]
    if top:
        faces.append(patch(low + z, x, y, art.on(3, 4)))
    return join(faces)


def _carton(w: float, d: float, h: float, art: Artwork) -> Mesh:
    """A drink carton: a box with a gable and a cap."""
    shoulder = 0.82 * h
    low, x, y = np.array([-w / 2, -d / 2, shoulder]), np.array([w, 0.0, 0.0]), np.array([0.0, d, 0.0])
    rise = np.array([0.0, d / 2, 0.15 * h])
    roof = [patch(low, x, rise, art.accent[None, None]), patch(low + x + y, -x, rise * [1, -1, 1], art.accent * 0.9)]
    ridge = patch([-w / 2, 0.0, 0.96 * h], x, [0.0, 0.0, 0.04 * h], art.accent * 0.95)
    return join([_box(w, d, shoulder, art, top=False), *roof, ridge])


def _bag(w: float, d: float, h: float, art: Artwork) -> Mesh:
    """A pillow pack: full in the middle, flat and crimped at both ends."""
    rows, columns = 8, 6
    v, u = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(-1, 1, columns + 1), indexing="ij")
    full = np.sqrt(np.clip(1 - u**2, 0, 1)) * np.clip(np.sin(np.pi * np.clip(v, 0.04, 0.96)), 0, 1) ** 0.6
    narrow = 1 - 0.10 * np.sin(np.pi * v) ** 2
    faces = []
    for side in (-1.0, 1.0):
        grid = np.stack([-side * u * w / 2 * narrow, side * d / 2 * full, v * h], axis=2)
        normals = np.cross(np.gradient(grid, axis=1), np.gradient(grid, axis=0))
        normals += np.array([0.0, side * 1e-6, 0.0])
        normals /= np.linalg.norm(normals, axis=2, keepdims=True)
        print_ = art.on(rows, columns)
        print_[[0, -1]] = 0.6 * _METAL + 0.4 * art.colour
        faces.append(cells(grid, normals, print_))
    return join(faces)
