"""Pictures of packs as a store's catalogue has them: each alone, before white."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.geometry import PinholeCamera
from gocv.sim.articles import Article
from gocv.sim.render.background import SAMPLES_PX
from gocv.sim.render.packs import pack
from gocv.sim.render.raster import Rasteriser, project

SIDE_PX = 96
_FROM = ((0.0, -1.0, 0.12), (0.75, -1.0, 0.6), (0.5, 1.0, 0.6))
"""From where a pack is seen: before it, and from two corners above."""
_AWAY, _FOCAL = 8.0, 6.0
"""In sizes of the pack, and in sides of the picture: the pack fills three quarters of it."""
_OF_DIAGONAL = 0.8
"""The size of a pack is its longest side, or this share of its diagonal."""
_AMBIENT = 0.8


class Catalogue:
    """Takes pictures of packs."""

    def __init__(self) -> None:
        self._raster = Rasteriser(SIDE_PX, SIDE_PX)

    def close(self) -> None:
        """Let go of the graphics library."""
        self._raster.close()

    def pictures(self, article: Article) -> NDArray[np.uint8]:
        """(3, SIDE_PX, SIDE_PX, 3) uint8 RGB: from before it, and from two corners above."""
        mesh = pack(article)
        sides_m = np.array([article.width_m, article.depth_m, article.height_m])
        size_m = max(sides_m.max(), _OF_DIAGONAL * np.linalg.norm(sides_m))
        middle, found = np.array([0.0, 0.0, article.height_m / 2]), []
        for direction in _FROM:
            towards = np.array(direction) / np.linalg.norm(direction)
            camera = PinholeCamera.look_at(
                middle + _AWAY * size_m * towards,
                middle,
                focal_px=_FOCAL * SIDE_PX,
                width_px=SIDE_PX,
                height_px=SIDE_PX,
            )
            light = np.clip(_AMBIENT + (1 - _AMBIENT) * mesh.normals @ towards, 0, 1)[:, None]
            colours = np.clip(255 * mesh.colours * light, 0, 255).astype(np.uint8)
            self._raster.put("pack", project(camera, mesh.vertices, mesh.faces), colours)
            drawn = [self._raster.draw((0, 0, SIDE_PX, SIDE_PX), shift) for shift in SAMPLES_PX]
            samples = [np.where(np.isfinite(depth)[..., None], colour, 255) for colour, depth in drawn]
            found.append(np.mean(samples, axis=0).round().astype(np.uint8))
        return np.array(found)


def write_catalogue(folder: str | Path, articles: Iterable[Article]) -> None:
    """Write `ID.png`, `ID-2.png` and `ID-3.png` of each article, in a process of its own.

    Raises:
        MissingDependencyError: The graphics library is not installed, or cannot draw here.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(_write, Path(folder), list(articles)).result()


def _write(folder: Path, articles: list[Article]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = Catalogue()
    for article in articles:
        for number, picture in enumerate(catalogue.pictures(article), start=1):
            name = article.id if number == 1 else f"{article.id}-{number}"
            Image.fromarray(picture).save(folder / f"{name}.png")
    catalogue.close()
