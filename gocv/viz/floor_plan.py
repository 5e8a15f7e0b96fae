"""The floor plan of cameras: where each hangs, what of the floor it sees, where people walked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import Store, Zone
from gocv.geometry import PinholeCamera
from gocv.viz.style import FAINT, FIXTURE, GROUND, INK, MUTED, PALETTE, bare, ink, new_figure, save, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_EDGE_POINTS = 40
_MARGIN_SHARE = 0.07
_HEAD_PX = 64
_LENGTHS_M = (0.5, 1, 2, 5, 10, 20, 50, 100)


def visible_floor(camera: PinholeCamera, far_m: float) -> Array:
    """The part of the floor that a camera has in its picture, clipped at a distance.

    Args:
        camera: The camera.
        far_m: Floor further than this from the point below the camera counts as not seen.

    Returns:
        (k, 2) float64, corners of the polygon in the store's frame, metres; (0, 2) for a camera that sees no floor so
        near.
    """
    w, h, n = camera.width_px - 1, camera.height_px - 1, _EDGE_POINTS
    t = np.linspace(0.0, 1.0, n, endpoint=False)
    zero, one = np.zeros(n), np.ones(n)
    border = np.concatenate(
        [np.stack(side, axis=1) for side in ((t, zero), (one, t), (1 - t, one), (zero, 1 - t))]
    ) * [w, h]  # fmt: skip
    origin, ray = camera.rays(border)
    known = np.isfinite(ray).all(axis=1)
    ray = ray[known]
    level = np.hypot(ray[:, 0], ray[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(ray[:, 2] < 0, origin[2] / -ray[:, 2] * level, np.inf)
    if origin[2] <= 0 or not (reach < far_m).any():
        return np.empty((0, 2))
    # What is too far, or over the horizon, ends at the circle, in the same direction.
    outwards = ray[:, :2] / np.maximum(level, 1e-9)[:, None]
    edge: Array = origin[:2] + outwards * np.minimum(reach, far_m)[:, None]
    return edge


def draw_floor_plan(
    path: str | Path,
    *,
    cameras: Mapping[str, PinholeCamera],
    zones: Sequence[Zone] = (),
    store: Store | None = None,
    walked_m: ArrayLike = (),
    suspects: Mapping[str, str] | None = None,
    far_m: float | None = None,
    title: str = "",
    size_px: tuple[int, int] = (1100, 820),
) -> None:
    """Draw cameras from above, to scale, each with the floor that it sees.

    Args:
        path: Picture to write, whole or not at all; its ending gives the format.
        cameras: By name.
        zones: Named areas of the floor.
        store: Whose plates are drawn as fixtures, and its zones.
        walked_m: (n, 2) where people walked, in the same frame.
        suspects: Of cameras that are suspect, why; "" for the others.
        far_m: Where views end; None for two thirds of the longer side of what else is drawn, 4 m at least.
        title: Above it.
        size_px: Width and height.
    """
    walked = np.asarray(walked_m, np.float64).reshape(-1, 2)
    walked = walked[np.isfinite(walked).all(axis=1)]
    zones = [*zones, *(store.zones if store is not None else ())]
    fixtures = [] if store is None else [_outline(p.centre_m, p.size_m, p.rotation) for p in store.plates.values()]
    fixtures = [corners for corners in fixtures if np.isfinite(corners).all()]
    places = np.array([camera.position_m[:2] for camera in cameras.values()]).reshape(-1, 2)
    core = np.concatenate([places, *(zone.polygon_m for zone in zones), *fixtures, _inner(walked)])
    if not len(core):
        core = np.array([[0.0, 0.0], [1.0, 1.0]])
    reach = far_m if far_m is not None else max(4.0, float(np.ptp(core, axis=0).max()) * 2 / 3)
    views = {name: visible_floor(camera, reach) for name, camera in cameras.items()}
    extent = np.concatenate([core, *views.values()])
    figure = new_figure(*size_px)
    whole = bare(figure.add_axes((0, 0, 1, 1)))
    head = _HEAD_PX if title else 12
    if title:
        write(whole, 24 / size_px[0], 1 - 32 / size_px[1], title, fontsize=15, weight="bold", va="center")
    side = 270 / size_px[0]
    axes = bare(figure.add_axes((0.015, 0.02, 0.975 - side, 0.98 - head / size_px[1])))
    axes.set_aspect("equal")
    margin_m = _MARGIN_SHARE * float(np.ptp(extent, axis=0).max())
    low, high = extent.min(axis=0) - margin_m, extent.max(axis=0) + margin_m
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    _draw_ground(axes, zones, fixtures, low, high)
    if len(walked):
        axes.plot(*walked.T, ".", color=INK, markersize=1.6, alpha=min(0.6, 800 / len(walked) + 0.08), zorder=3)
    _draw_cameras(axes, cameras, views, suspects or {})
    _draw_scale(axes, low, high)
    _draw_legend(
        whole, cameras, views, suspects or {}, len(walked) > 0, (1 - side + 0.005, 1 - (head + 24) / size_px[1])
    )
    save(figure, path)


def _draw_ground(axes: Axes, zones: Sequence[Zone], fixtures: Sequence[Array], low: Array, high: Array) -> None:
    from matplotlib.patches import Polygon

    step = next(s for s in (1, 2, 5, 10, 20, 50, 1000) if (high - low).max() / s <= 24)
    for axis, line in ((0, axes.axvline), (1, axes.axhline)):
        for at in np.arange(np.ceil(low[axis] / step), np.floor(high[axis] / step) + 1) * step:
            line(at, color=FAINT, linewidth=0.6, zorder=0.2)
    for zone in zones:
        axes.add_patch(Polygon(zone.polygon_m, facecolor=GROUND, edgecolor="#AEB7C2", linewidth=1.2, zorder=0.5))
        x, y = zone.polygon_m.mean(axis=0)
        write(axes, x, y, zone.name, color="#9AA4B0", fontsize=9, ha="center", va="center", zorder=0.8)
    for corners in fixtures:
        axes.add_patch(Polygon(corners, facecolor=FIXTURE, edgecolor="white", linewidth=0.6, zorder=1))


def _draw_cameras(
    axes: Axes, cameras: Mapping[str, PinholeCamera], views: Mapping[str, Array], suspects: Mapping[str, str]
) -> None:
    from matplotlib.patches import Polygon

    for index, name in enumerate(cameras):
        colour, view = PALETTE[index % len(PALETTE)], views[name]
        if len(view):
            axes.add_patch(Polygon(view, facecolor=colour, alpha=0.10, linewidth=0, zorder=2))
            dashes = (0, (4, 3)) if suspects.get(name) else "solid"
            edge = Polygon(view, facecolor="none", edgecolor=colour, alpha=0.75, linewidth=1.5, linestyle=dashes)
            edge.set_zorder(2.5)
            axes.add_patch(edge)
    placed: list[Array] = []
    for index, (name, camera) in enumerate(cameras.items()):
        colour = PALETTE[index % len(PALETTE)]
        at, ahead = camera.position_m[:2], camera.camera_T_world[2, :2]
        length = float(np.hypot(*ahead))
        px = _px_per_m(axes)
        if length > 1e-6:
            tip = at + ahead / length * 34 / px
            arrow = {"arrowstyle": "-|>", "color": colour, "lw": 2.2, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 17}
            axes.annotate("", tuple(tip), tuple(at), arrowprops=arrow, zorder=6, annotation_clip=False)
        axes.plot(*at, "o", markersize=11, color=colour, markeredgecolor="white", markeredgewidth=1.8, zorder=7)
        spot = _free_spot(at, -ahead / max(length, 1e-6), placed, px)
        placed.append(spot)
        mark = f"{name} !" if suspects.get(name) else name
        label = {"boxstyle": "round,pad=0.28", "facecolor": "white", "edgecolor": colour, "linewidth": 1.1}
        style = {"fontsize": 9.5, "weight": "bold", "ha": "center", "va": "center", "zorder": 8, "bbox": label}
        write(axes, float(spot[0]), float(spot[1]), mark, color=ink(colour), **style)


def _free_spot(at: Array, away: Array, placed: Sequence[Array], px: float) -> Array:
    """Behind the camera, or as near to that as no other name is."""
    base = float(np.arctan2(away[1], away[0]))
    spots = [
        at + np.array([np.cos(base + turn), np.sin(base + turn)]) * [reach * 1.5, reach] / px
        for reach in (27, 50)
        for turn in (0, 0.8, -0.8, 1.6, -1.6, 2.4, -2.4)
    ]
    for spot in spots:
        if all(abs(spot[0] - o[0]) * px > 85 or abs(spot[1] - o[1]) * px > 24 for o in placed):
            return np.asarray(spot)
    return np.asarray(spots[0])


def _draw_scale(axes: Axes, low: Array, high: Array) -> None:
    px = _px_per_m(axes)
    length = next((m for m in _LENGTHS_M if m * px > 60), _LENGTHS_M[-1])
    x, y = low[0] + 14 / px, low[1] + 14 / px
    axes.plot([x, x + length], [y, y], color=INK, linewidth=2, solid_capstyle="butt", zorder=9)
    write(axes, x + length + 8 / px, y, f"{length:g} m", fontsize=9, color=MUTED, va="center", zorder=9)


def _draw_legend(
    whole: Axes,
    cameras: Mapping[str, PinholeCamera],
    views: Mapping[str, Array],
    suspects: Mapping[str, str],
    walked: bool,
    corner: tuple[float, float],
) -> None:
    """Name, height, tilt and field of view of each camera."""
    import textwrap

    whole.set_xlim(0, 1)
    whole.set_ylim(0, 1)
    x, y = corner
    line = 17 / (whole.figure.bbox.height)
    for index, (name, camera) in enumerate(cameras.items()):
        colour = PALETTE[index % len(PALETTE)]
        whole.plot([x + 0.008], [y], "o", markersize=9, color=colour, zorder=3)
        write(whole, x + 0.024, y, name, fontsize=10, weight="bold", va="center")
        tilt = np.degrees(np.arcsin(np.clip(-camera.camera_T_world[2, 2], -1, 1)))
        across = np.degrees(2 * np.arctan(camera.width_px / 2 / camera.matrix[0, 0]))
        what = f"{camera.position_m[2]:.2f} m up, {tilt:.0f}° down, {across:.0f}° wide"
        write(whole, x + 0.024, y - line, what, fontsize=8.5, color=MUTED, va="center")
        y -= 2 * line
        words = suspects.get(name) or ("" if len(views[name]) else "sees no floor so near")
        for part in textwrap.wrap(words, 38):
            write(whole, x + 0.024, y, part, fontsize=8.5, color="#B84A00", va="center")
            y -= line
        y -= 0.5 * line
    if walked:
        whole.plot([x + 0.008], [y], ".", markersize=4, color=INK)
        write(whole, x + 0.024, y, "where people walked", fontsize=8.5, color=MUTED, va="center")


def _px_per_m(axes: Axes) -> float:
    axes.apply_aspect()
    return float(axes.get_window_extent().width / np.ptp(axes.get_xlim()))


def _inner(walked: Array) -> Array:
    """(2, 2) corners of where almost everybody walked; a lone outlier makes no plan larger."""
    return np.quantile(walked, [0.005, 0.995], axis=0) if len(walked) else np.empty((0, 2))


def _outline(centre_m: Array, size_m: Array, rotation: Array) -> Array:
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size_m / 2
    return np.asarray(centre_m[:2] + half @ rotation[:2, :2].T)
