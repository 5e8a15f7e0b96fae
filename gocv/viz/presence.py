"""Who was near which gondola, and how full their carts were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gocv.core import CartEvent, FloorTracks, Store
from gocv.viz.style import GROUND, MUTED, ink, readable_on, round_times, shorten, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_PX, AXIS_PX = 36, 40
"""Height of a shopper's row, and of the time axis below the rows."""
NEAR_M = 0.95
"""Closer than this to the middle of a plate, seen from above, counts as near its gondola."""
_GAP_S = 1.0
_LINE = 0.14  # how far below the middle of its row a shopper's line runs
_SHORTEST_S = 1.2


def draw_presence(
    axes: Axes,
    who: Sequence[str],
    colours: Mapping[str | None, str],
    shoppers: FloorTracks,
    cart_events: Sequence[CartEvent],
    store: Store,
) -> None:
    """A row for each shopper, and the axis of time below.

    A line while the shopper is seen, a bar while near a gondola, and a dot with the units held after each movement:
    filled where the cart gained, hollow where it lost.
    """
    rows = max(1, len(who))
    axes.set_facecolor(GROUND)
    axes.set_ylim(-0.5 - AXIS_PX / ROW_PX, rows - 0.5)
    start, end = axes.get_xlim()
    for i, name in enumerate(who):
        y, colour = rows - 1 - i, colours[name]
        _draw_visits(axes, y, colour, name, shoppers, store)
        _draw_cart(axes, y, colour, [e for e in cart_events if e.shopper == name])
    figure = axes.get_figure(root=True)
    assert figure is not None
    for i, name in enumerate(who):
        style = {"color": ink(colours[name]), "weight": "bold", "ha": "right", "va": "center"}
        text = shorten(figure, name, 92, 9, "bold")
        write(axes, -0.012, rows - 1 - i, text, transform=axes.get_yaxis_transform(), **style)
    axes.axhspan(-0.5 - AXIS_PX / ROW_PX, -0.5, color="white", zorder=1)
    for time in round_times((start, end)):
        write(axes, time, -0.72, f"{time:g}", fontsize=8.5, color=MUTED, ha="center", va="top")
    below = {"fontsize": 8.5, "color": MUTED, "va": "top", "transform": axes.get_yaxis_transform()}
    write(axes, 1.008, -0.72, "s", **below)
    write(axes, -0.012, -0.72, "units held", ha="right", **below)


def _draw_visits(axes: Axes, y: float, colour: str, name: str, shoppers: FloorTracks, store: Store) -> None:
    if name not in shoppers.shoppers:
        return
    own = shoppers[shoppers.shopper == shoppers.shoppers.index(name)]
    order = np.argsort(own.time_s, kind="stable")
    time, near = own.time_s[order], near_gondola(own.xy_m[order], store)
    for first, last in _stretches(time, np.zeros(len(time), dtype=np.int64)):
        axes.plot([time[first], time[last]], [y - _LINE, y - _LINE], color=colour, linewidth=1.2, alpha=0.55, zorder=2)
    per_px = (axes.get_xlim()[1] - axes.get_xlim()[0]) / axes.get_window_extent().width
    for first, last in _stretches(time, near):
        width = time[last] - time[first]
        if near[first] == 0 or width < _SHORTEST_S:
            continue
        axes.barh(y, width, left=time[first], height=0.88, color=colour, alpha=0.22, linewidth=0, zorder=2)
        if width / per_px > 22:
            text = f"gondola {near[first]}" if width / per_px > 56 else f"G{near[first]}"
            write(axes, time[first] + 4 * per_px, y + 0.26, text, fontsize=7.5, va="center", zorder=3)


def _draw_cart(axes: Axes, y: float, colour: str, events: Sequence[CartEvent]) -> None:
    """A dot after each movement; movements at one moment share one."""
    by_time: dict[float, int] = {}
    for event in sorted(events, key=lambda e: e.time_s):
        by_time[event.time_s] = by_time.get(event.time_s, 0) + event.quantity
    held = 0
    for time, quantity in by_time.items():
        held += quantity
        face, number = (colour, readable_on(colour)) if quantity >= 0 else ("white", ink(colour))
        axes.plot([time], [y - _LINE], "o", markersize=11, color=face, markeredgecolor=colour, zorder=4)
        style = {"fontsize": 7.5, "weight": "bold", "ha": "center", "va": "center_baseline"}
        write(axes, time, y - _LINE, f"{held}", color=number, zorder=5, **style)


def near_gondola(xy_m: NDArray[np.float64], store: Store) -> NDArray[np.int64]:
    """(n,) number of the gondola that each of (n, 2) places is near; 0 where none is, or nothing is known."""
    near = np.zeros(len(xy_m), dtype=np.int64)
    best = np.full(len(xy_m), NEAR_M)
    columns = {(p.id.gondola, *np.round(p.centre_m[:2], 3).tolist()) for p in store.plates.values()}
    for gondola, x, y in sorted(c for c in columns if np.isfinite(c[1:]).all()):
        distance = np.hypot(xy_m[:, 0] - x, xy_m[:, 1] - y)
        closer = distance < best
        near[closer], best[closer] = gondola, distance[closer]
    return near


def _stretches(time: NDArray[np.float64], value: NDArray[np.int64]) -> list[tuple[int, int]]:
    """First and last row of each stretch of one value without a gap in time."""
    if not len(time):
        return []
    cuts = np.flatnonzero((np.diff(time) > _GAP_S) | (np.diff(value) != 0)) + 1
    return [(int(a), int(b) - 1) for a, b in zip([0, *cuts], [*cuts, len(time)], strict=True)]
