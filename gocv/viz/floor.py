"""The floor plan: what stands where, who walked where, and what was moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import CartEvent, FloorTracks, Plate, PlateId, Store, WeightEvent
from gocv.viz.style import (
    FIXTURE,
    GROUND,
    INK,
    MUTED,
    bare,
    ink,
    new_figure,
    readable_on,
    round_times,
    save,
    shopper_colours,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]

_MARK_M = 0.095
_GAP_S = 1.0
_MARGIN_M = 0.38


def draw_floor(
    path: str | Path,
    *,
    store: Store,
    shoppers: FloorTracks,
    weight_events: Sequence[WeightEvent] = (),
    cart_events: Sequence[CartEvent] = (),
    title: str = "",
    size_px: tuple[int, int] = (1000, 760),
) -> None:
    """Draw the store from above, to scale, with everyone's path and a mark on the plate of every movement.

    Args:
        path: Picture to write, whole or not at all; its ending gives the format.
        store: Plates that were not surveyed are left out.
        shoppers: Rows without a place are left out.
        weight_events: Where each movement was: its plates.
        cart_events: Filled marks for what was taken, hollow ones for what was put back.
        title: Above it.
        size_px: Width and height.
    """
    figure = new_figure(*size_px)
    head = 48 if title else 8
    if title:
        whole = bare(figure.add_axes((0, 0, 1, 1)))
        write(whole, 20 / size_px[0], 1 - 26 / size_px[1], title, fontsize=15, weight="bold", va="center")
    axes = figure.add_axes((0.01, 0.01, 0.98, 1 - 0.01 - head / size_px[1]))
    plot_floor(axes, store=store, shoppers=shoppers, weight_events=weight_events, cart_events=cart_events)
    save(figure, path)


def plot_floor(
    axes: Axes,
    *,
    store: Store,
    shoppers: FloorTracks,
    weight_events: Sequence[WeightEvent],
    cart_events: Sequence[CartEvent],
) -> None:
    """Draw the plan into axes, which take its scale."""
    bare(axes).set_aspect("equal")
    limits = floor_limits(store, shoppers)
    if limits is None:
        axes.set_xlim(0, 1)
        write(axes, 0.5, 0.5, "nothing here was surveyed", color=MUTED, ha="center", transform=axes.transAxes)
        return
    low, high = limits
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    _draw_zones(axes, store)
    _draw_gondolas(axes, _surveyed(store))
    colours = shopper_colours([*shoppers.shoppers, *(e.shopper for e in cart_events)])
    _draw_paths(axes, shoppers, colours)
    _draw_marks(axes, store, weight_events, cart_events, colours)
    _draw_scale(axes, low, high)


def floor_limits(store: Store, shoppers: FloorTracks) -> tuple[Array, Array] | None:
    """Lowest and highest (x, y) in metres of the plan with its margin; None where no place is known."""
    corners = [zone.polygon_m for zone in store.zones] + [_outline(plate) for plate in _surveyed(store)]
    extent = np.concatenate([np.empty((0, 2)), *corners, shoppers.xy_m[np.isfinite(shoppers.xy_m).all(axis=1)]])
    return (extent.min(axis=0) - _MARGIN_M, extent.max(axis=0) + _MARGIN_M) if len(extent) else None


def _surveyed(store: Store) -> list[Plate]:
    return [p for p in store.plates.values() if np.isfinite(p.centre_m).all() and np.isfinite(p.size_m).all()]


def _outline(plate: Plate) -> Array:
    """(4, 2) corners of a plate seen from above."""
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * plate.size_m / 2
    return np.asarray(plate.centre_m[:2] + half @ plate.rotation[:2, :2].T)


def _draw_zones(axes: Axes, store: Store) -> None:
    from matplotlib.patches import Polygon

    for zone in sorted(store.zones, key=lambda z: z.name == "entrance"):
        entrance = zone.name == "entrance"
        fill, line = ("#E3F1EA", "#9CC9B4") if entrance else (GROUND, "#AEB7C2")
        axes.add_patch(Polygon(zone.polygon_m, facecolor=fill, edgecolor=line, linewidth=1.2, zorder=0.5 + entrance))
        if entrance:
            (x, y), (right, _) = zone.polygon_m.min(axis=0), zone.polygon_m.max(axis=0)
            style = {"color": "#3D7A5E", "fontsize": 8.5, "ha": "center", "va": "top", "zorder": 2}
            write(axes, (x + right) / 2, y - 0.05, zone.name, **style)


def _draw_gondolas(axes: Axes, plates: Sequence[Plate]) -> None:
    """Every plate once, seen from above, and the gondola's number along its back."""
    from matplotlib.patches import Polygon

    by_gondola: dict[int, list[Plate]] = {}
    for plate in plates:
        by_gondola.setdefault(plate.id.gondola, []).append(plate)
    for number, own in sorted(by_gondola.items()):
        seen: set[tuple[float, ...]] = set()
        for plate in own:
            corners = _outline(plate)
            place = tuple(np.round(corners, 2).ravel().tolist())
            if place not in seen:
                seen.add(place)
                patch = Polygon(corners, facecolor=FIXTURE, edgecolor="white", linewidth=0.8, zorder=2)
                axes.add_patch(patch)
        outlines = np.concatenate([_outline(p) for p in own])
        inward = own[0].rotation[:2, 1]
        deepest = (outlines @ inward).max()
        middle = np.mean([p.centre_m[:2] for p in own], axis=0)
        back = middle + inward * (deepest - middle @ inward + 0.24)
        angle = float(np.degrees(np.arctan2(own[0].rotation[1, 0], own[0].rotation[0, 0])) + 90) % 180 - 90
        style: dict[str, Any] = {"rotation": angle, "ha": "center", "va": "center", "rotation_mode": "anchor"}
        write(
            axes,
            float(back[0]),
            float(back[1]),
            f"gondola {number}",
            color=MUTED,
            fontsize=8.5,
            weight="bold",
            zorder=3,
            **style,
        )


def _draw_paths(axes: Axes, shoppers: FloorTracks, colours: Mapping[str | None, str]) -> None:
    """Each path, broken where the shopper was lost, with the time on it now and then."""
    times = round_times((float(shoppers.time_s.min()), float(shoppers.time_s.max()))) if len(shoppers) else []
    placed: list[Array] = []
    for index, name in enumerate(shoppers.shoppers):
        own = shoppers[shoppers.shopper == index]
        own = own[np.flatnonzero(np.isfinite(own.xy_m).all(axis=1))]
        if not len(own):
            continue
        own = own[np.argsort(own.time_s, kind="stable")]
        cuts = np.flatnonzero(np.diff(own.time_s) > _GAP_S) + 1
        for xy in np.split(own.xy_m, cuts):
            smooth = _smooth(xy)
            axes.plot(*smooth.T, color="white", linewidth=4.0, alpha=0.7, solid_capstyle="round", zorder=3)
            axes.plot(*smooth.T, color=colours[name], linewidth=1.9, alpha=0.9, solid_capstyle="round", zorder=4)
        for time in times:
            at = own.xy_m[int(np.abs(own.time_s - time).argmin())]
            inside = own.time_s[0] <= time <= own.time_s[-1]
            if inside and all(np.linalg.norm(at - other) > 0.24 for other in placed):
                placed.append(at)
                dot: dict[str, Any] = {"markeredgecolor": colours[name], "markeredgewidth": 1.4, "zorder": 5}
                axes.plot(*at, "o", markersize=14, color="white", **dot)
                _number(axes, at, f"{time:g}", ink(colours[name]))


def _smooth(xy: Array, width: int = 5) -> Array:
    """A moving mean that leaves the ends where they are: the noise of a tracker is not worth showing."""
    if len(xy) < width:
        return xy
    kernel = np.ones(width) / width
    padded = np.pad(xy, ((width // 2, width // 2), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, k], kernel, mode="valid") for k in (0, 1)], axis=1)


def _draw_marks(
    axes: Axes,
    store: Store,
    weight_events: Sequence[WeightEvent],
    cart_events: Sequence[CartEvent],
    colours: Mapping[str | None, str],
) -> None:
    """A mark on the plate of each movement; where marks would meet, the later one lies further in."""
    from matplotlib.patches import Circle

    by_id = {event.id: event for event in weight_events}
    placed: list[Array] = []
    for moved in sorted(cart_events, key=lambda e: e.time_s):
        event = by_id.get(moved.event)
        plate = None if event is None else store.plates.get(_plate_of(moved, event, store))
        if plate is None or not np.isfinite(plate.centre_m).all():
            continue
        front = plate.centre_m[:2] - plate.rotation[:2, 1] * (plate.size_m[1] / 2 - 0.07)
        spots = [front + plate.rotation[:2, 1] * _MARK_M * k for k in range(6)]
        free = (s for s in spots if all(np.linalg.norm(s - other) > 0.98 * _MARK_M for other in placed))
        at = next(free, spots[-1])
        placed.append(at)
        colour = colours[moved.shopper]
        taken = moved.quantity > 0
        face = colour if taken else "white"
        axes.add_patch(Circle((at[0], at[1]), 0.045, facecolor=face, edgecolor=colour, linewidth=1.6, zorder=7))
        if abs(moved.quantity) > 1:
            _number(axes, at, f"{abs(moved.quantity)}", readable_on(colour) if taken else ink(colour))


def _plate_of(moved: CartEvent, event: WeightEvent, store: Store) -> PlateId:
    """Of the event's plates the one that changed most, those where the product belongs first."""
    home = store.planogram.get(moved.product, frozenset())
    change = {plate: float(abs(grams)) for plate, grams in zip(event.plates, event.delta_g, strict=True)}
    return max(change, key=lambda plate: (plate in home, change[plate]))


def _draw_scale(axes: Axes, low: Array, high: Array) -> None:
    """A length to measure by, and what the marks mean where there is room to say it."""
    box = axes.get_window_extent()
    width, height = high - low
    m_per_px = max(width / box.width, height / box.height)
    x, y = low[0] + _MARGIN_M, low[1] + 8 * m_per_px
    length = next((m for m in (1, 2, 5, 10, 20, 50) if m / m_per_px > 40), 100)
    axes.plot([x, x + length], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt", clip_on=False, zorder=9)
    _note(axes, x + length + 8 * m_per_px, y, f"{length} m")
    right = high[0] - _MARGIN_M
    if right - 250 * m_per_px < x + length + 50 * m_per_px:
        return
    marks = ((236, MUTED, 8, "taken"), (176, "white", 8, "put back"), (86, "white", 14, "second 10"))
    for offset, face, size, text in marks:
        at = right - offset * m_per_px
        axes.plot([at], [y], "o", markersize=size, color=face, markeredgecolor=MUTED, markeredgewidth=1.4,
                  clip_on=False, zorder=9)  # fmt: skip
        _note(axes, at + (5 + size / 1.6) * m_per_px, y, text)
    _number(axes, np.array([right - 86 * m_per_px, y]), "10", MUTED)


def _note(axes: Axes, x: float, y: float, text: str) -> None:
    write(axes, x, y, text, fontsize=8.5, color=MUTED, va="center", zorder=9)


def _number(axes: Axes, at: Array, text: str, colour: str) -> None:
    """A number within a mark."""
    style: dict[str, Any] = {"fontsize": 6.8, "weight": "bold", "ha": "center", "va": "center_baseline", "zorder": 10}
    write(axes, float(at[0]), float(at[1]), text, color=colour, **style)
