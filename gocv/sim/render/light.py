"""Light: ceiling panels, what reaches a surface, crevices that it doesn't reach, and people's shadows.

Colours are display-encoded (gamma 2.2), so that a factor on the light becomes its 1 / 2.2th power on the colour.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.sim.layout import StoreLayout

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

GAMMA = 2.2
_AMBIENT, _BOUNCE = 0.42, 0.10
_PANEL_EVERY_M = 2.6
_AO_RADIUS_M, _AO_SAMPLES = 0.30, 12
CREVICE_PX = 24
"""How far off a surface darkens another one, at most."""


class Lighting:
    """The lamps of a room.

    Args:
        layout: The store, whose room it is.

    Attributes:
        panels_m: (k, 3) middles of the panels, in the store's frame.
    """

    def __init__(self, layout: StoreLayout) -> None:
        along = [
            first + (np.arange(n) + 0.5) * size / n
            for first, size in zip(layout.origin_m, layout.size_m, strict=True)
            for n in [max(1, round(size / _PANEL_EVERY_M))]
        ]
        x, y = (grid.ravel() for grid in np.meshgrid(*along))
        self.panels_m = np.stack([x, y, np.full(len(x), layout.ceiling_m)], axis=1)
        middle = np.array([[*(np.array(layout.origin_m) + np.array(layout.size_m) / 2), 0.0]])
        self._strength = 1.0 / self._direct(middle, np.array([[0.0, 0.0, 1.0]]))[0]

    def colours(self, points_m: Array, normals: Array, colours: Array) -> NDArray[np.uint8]:
        """(n, 3) uint8, what (n, 3) unlit colours in [0, 1] look like at (n, 3) points with (n, 3) normals."""
        up = normals[:, 2]
        light = _AMBIENT * (0.8 + 0.2 * up) + _BOUNCE * np.clip(-up, 0.0, 1.0)
        light = light + (1 - _AMBIENT) * self._strength * self._direct(points_m, normals)
        lit = colours * np.minimum(light, 1.6)[:, None] ** (1 / GAMMA)
        return np.asarray(np.clip(255 * lit, 0.0, 255.0) + 0.5).clip(0, 255).astype(np.uint8)

    def _direct(self, points_m: Array, normals: Array) -> Array:
        total = np.zeros(len(points_m))
        for panel in self.panels_m:
            ray = panel - points_m
            square = np.einsum("ij,ij->i", ray, ray) + 0.15
            facing = np.einsum("ij,ij->i", ray, normals) / np.sqrt(square)
            total += np.clip(facing * 0.85 + 0.15, 0.0, None) * np.clip(ray[:, 2], 0.0, None) / np.sqrt(square) / square
        return total

    def shade_of(self, points_m: Floats, normals: Floats, balls_m: Array, radii_m: Array) -> Floats:
        """(n,) factor on colours that people leave of the light at (n, 3) points.

        Args:
            points_m: In the store's frame.
            normals: (n, 3) of the surfaces there.
            balls_m: (b, 3) spheres that fill the people.
            radii_m: (b,) of them.
        """
        nearest = np.argsort(((self.panels_m - balls_m.mean(axis=0)) ** 2).sum(axis=1))[:2]
        share = np.float32(0.6 / len(nearest))
        # About the people's middle, so that single precision is enough for differences of squares.
        middle = balls_m.mean(axis=0)
        points, balls = (points_m - middle).astype(np.float32), (balls_m - middle).astype(np.float32)
        radii = radii_m.astype(np.float32)
        own = np.einsum("ij,ij->i", points, points)[:, None]
        square = own - 2 * points @ balls.T + (balls**2).sum(axis=1)
        square = np.maximum(square, radii**2)
        facing = normals @ balls.T - np.einsum("ij,ij->i", points, normals)[:, None]
        facing /= np.sqrt(square)
        light = (1 - 0.9 * np.clip(facing * 0.9 + 0.1, 0, 1) * (radii**2 / square)).prod(axis=1)
        for panel in (self.panels_m[nearest] - middle).astype(np.float32):
            ray = panel - points
            length = np.einsum("ij,ij->i", ray, ray)[:, None]
            along = np.clip((ray @ balls.T - np.einsum("ij,ij->i", points, ray)[:, None]) / length, 0, 1)
            miss = np.sqrt(np.maximum(square - along * along * length, 0)) / radii
            # The panel is a metre wide: its shadow is soft, and softer far from what throws it.
            soft = 0.5 + 0.45 * along * np.sqrt(length)
            hidden = 0.95 / (1 + 0.35 * soft) * np.clip((1 + soft - miss) / (2 * soft), 0, 1) * (along > 0)
            light *= 1 - share * (1 - (1 - hidden).prod(axis=1))
        # Spheres leave gaps, so this is taken for the colours' factor as it is, and not its 1 / 2.2th power.
        return np.asarray(light, np.float32)


def normals_of(points_m: Floats) -> Floats:
    """(h, w, 3) unit normals towards the camera of an (h, w, 3) map of points seen."""
    across, down = np.gradient(points_m, axis=1), np.gradient(points_m, axis=0)
    normal = np.cross(down, across)
    length = np.linalg.norm(normal, axis=2, keepdims=True)
    return np.asarray(normal / np.maximum(length, 1e-12), np.float32)


def crevices(points_m: Floats, normals: Floats, depth_m: Floats, focal_px: float) -> Floats:
    """(h, w) factor on colours: how much light gets into corners (ambient occlusion in image space).

    McGuire et al., "The Alchemy screen-space ambient obscurance algorithm", HPG 2011, equation 10, with fixed samples.
    """
    h, w = depth_m.shape
    rows, columns = np.mgrid[:h, :w]
    radius_px = np.clip(focal_px * _AO_RADIUS_M / np.maximum(depth_m, 0.2), 2.0, CREVICE_PX)
    hidden = np.zeros((h, w), np.float32)
    for k in range(_AO_SAMPLES):
        angle, far = 2.39996 * k, np.sqrt((k + 0.5) / _AO_SAMPLES)
        y = np.clip(rows + radius_px * (far * np.sin(angle)), 0, h - 1).astype(np.int64)
        x = np.clip(columns + radius_px * (far * np.cos(angle)), 0, w - 1).astype(np.int64)
        gap = points_m[y, x] - points_m
        square = np.einsum("ijk,ijk->ij", gap, gap)
        above = np.einsum("ijk,ijk->ij", gap, normals) - 0.01
        hidden += np.clip(above, 0, None) / (square + 0.01) * (square < 4 * _AO_RADIUS_M**2)
    light = np.clip(1 - 2 * 0.11 / _AO_SAMPLES * hidden, 0.30, 1.0)
    return np.asarray(light ** (1 / GAMMA), np.float32)
