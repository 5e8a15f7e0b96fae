"""Weight against time, shelf by shelf, with what was made of it; who was where, and what was in their carts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gocv.core import CartEvent, FloorTracks, PlateId, ScaleSamples, ShelfId, Store, WeightEvent
from gocv.viz.labels import FONTSIZE, Label, Placed, place_in_lanes
from gocv.viz.presence import AXIS_PX, ROW_PX, draw_presence
from gocv.viz.style import (
    FAINT,
    FONT,
    GROUND,
    INK,
    MINUS,
    MUTED,
    bare,
    ink,
    new_figure,
    round_times,
    save,
    shopper_colours,
    signed,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]
"""Left, bottom, width and height in pixels of the figure."""

_GUTTER_PX, _MARGIN_PX = 104, 60
_LANE_PX = 15


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ShelfPanel:
    """One shelf of a timeline.

    Attributes:
        shelf: Which.
        plates: Those whose weights are added up: the plates of its events, sorted.
        time_s: (n,) float64, seconds on the recording's clock.
        weight_g: (n,) float64, grams against the first; NaN where nothing was read.
        events: Weight events of the shelf, in order of time.
    """

    shelf: ShelfId
    plates: tuple[PlateId, ...]
    time_s: NDArray[np.float64]
    weight_g: NDArray[np.float64]
    events: tuple[WeightEvent, ...]


def shelf_panels(
    samples: Iterable[ScaleSamples], events: Sequence[WeightEvent], *, step_s: float = 0.1
) -> list[ShelfPanel]:
    """A panel for every shelf that has events, its weights averaged over steps of time.

    Args:
        samples: Chunks of any groups of plates, times ascending within a group; read once.
        events: Of any shelves.
        step_s: Memory and picture hold a number for each step.
    """
    by_shelf: dict[ShelfId, list[WeightEvent]] = {}
    for event in sorted(events, key=lambda e: e.time_s):
        by_shelf.setdefault(event.shelf, []).append(event)
    plates = {shelf: tuple(sorted({p for e in own for p in e.plates})) for shelf, own in sorted(by_shelf.items())}
    parts: dict[ShelfId, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {shelf: [] for shelf in plates}
    for chunk in samples:
        for shelf, wanted in plates.items():
            columns = [i for i, plate in enumerate(chunk.plates) if plate in wanted]
            if columns and len(chunk):
                parts[shelf].append(_averaged(chunk.time_s, chunk.weight_g[:, columns], step_s))
    panels = []
    for shelf, own in plates.items():
        time = np.concatenate([np.empty(0), *(t for t, _ in parts[shelf])])
        weight = np.concatenate([np.empty(0), *(w for _, w in parts[shelf])])
        known = weight[np.isfinite(weight)]
        start = np.median(known[: max(1, round(1 / step_s))]) if len(known) else 0.0
        panels.append(ShelfPanel(shelf, own, time, weight - start, tuple(by_shelf[shelf])))
    return panels


def draw_timeline(
    path: str | Path,
    *,
    panels: Sequence[ShelfPanel],
    cart_events: Sequence[CartEvent],
    shoppers: FloorTracks,
    store: Store,
    title: str = "",
    width_px: int = 1600,
) -> None:
    """Draw a panel for each shelf, and below them who was near which gondola and what their carts held.

    Args:
        path: Picture to write, whole or not at all; its ending gives the format.
        panels: As `shelf_panels` makes them.
        cart_events: What the weight events were taken for; `event` names the weight event.
        shoppers: Where everyone was.
        store: For the names of products and the places of plates.
        title: Above it all.
        width_px: The height follows from the number of panels.
    """
    rows = len(people(shoppers, cart_events))
    head = 56 if title else 20
    height = head + 84 * max(1, len(panels)) + ROW_PX * max(1, rows) + 70
    figure = new_figure(width_px, height)
    if title:
        whole = bare(figure.add_axes((0, 0, 1, 1)))
        write(whole, 24 / width_px, 1 - 30 / height, title, fontsize=15, weight="bold", va="center")
    plot_timeline(figure, (24, 16, width_px - 48, height - head - 16), panels, cart_events, shoppers, store)
    save(figure, path)


def people(shoppers: FloorTracks, cart_events: Sequence[CartEvent]) -> list[str]:
    """Everyone who was seen or moved something, sorted."""
    return sorted({*shoppers.shoppers, *(e.shopper for e in cart_events if e.shopper is not None)})


def plot_timeline(
    figure: Figure,
    box: Box,
    panels: Sequence[ShelfPanel],
    cart_events: Sequence[CartEvent],
    shoppers: FloorTracks,
    store: Store,
) -> None:
    """Draw the timeline into a part of a figure."""
    left, bottom, width, height = box
    who = people(shoppers, cart_events)
    span = _time_span(panels, cart_events, shoppers)
    strip = ROW_PX * max(1, len(who)) + AXIS_PX
    colours = shopper_colours(who)
    axes = _add_axes(figure, (left + _GUTTER_PX, bottom, width - _GUTTER_PX - _MARGIN_PX, strip), span)
    draw_presence(axes, who, colours, shoppers, cart_events, store)
    by_event: dict[str, list[CartEvent]] = {}
    for moved in cart_events:
        by_event.setdefault(moved.event, []).append(moved)
    wide = width - _GUTTER_PX - _MARGIN_PX
    labels = [place_in_lanes(figure, _labels(p, by_event, colours, store), span, wide) for p in panels]
    lanes = [1 + max((place.lane for place in placed), default=0) for placed, _ in labels]
    spare = (height - strip - 8) / max(1, len(panels)) - sum(lanes) / max(1, len(panels)) * _LANE_PX
    top = bottom + height
    for panel, (placed, left_out), lane_count in zip(panels, labels, lanes, strict=True):
        each = spare + lane_count * _LANE_PX
        axes = _add_axes(figure, (left + _GUTTER_PX, top - each + 5, wide, each - 5), span)
        _draw_panel(axes, panel, by_event, colours, placed, left_out)
        top -= each
    if not panels:
        axes = _add_axes(figure, (left + _GUTTER_PX, bottom + strip + 8, wide, spare - 5), span)
        axes.set_ylim(0, 1)
        write(axes, 0.5, 0.5, "no weight changed", color=MUTED, ha="center", va="center", transform=axes.transAxes)


def _averaged(
    time_s: NDArray[np.float64], weight_g: NDArray[np.float32], step_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean time and summed weight of each step that has samples; a step whose plates are not all known is NaN."""
    step = np.floor(time_s / step_s).astype(np.int64)
    _, first = np.unique(step, return_index=True)
    first = np.sort(first)
    counts = np.diff([*first, len(step)])
    total = weight_g.astype(np.float64).sum(axis=1)
    return np.add.reduceat(time_s, first) / counts, np.add.reduceat(total, first) / counts


def _time_span(
    panels: Sequence[ShelfPanel], cart_events: Sequence[CartEvent], shoppers: FloorTracks
) -> tuple[float, float]:
    times = [t for panel in panels for t in (*panel.time_s[:1], *panel.time_s[-1:])]
    times += [t for panel in panels for event in panel.events for t in (event.start_s, event.end_s)]
    times += [event.time_s for event in cart_events]
    times += [float(shoppers.time_s.min()), float(shoppers.time_s.max())] if len(shoppers) else []
    start, end = (min(times), max(times)) if times else (0.0, 1.0)
    return start, max(end, start + 1.0)


def _add_axes(figure: Figure, box: Box, span: tuple[float, float]) -> Axes:
    """Axes at a place in pixels with a vertical line at every round time."""
    width, height = figure.get_size_inches() * figure.dpi
    axes = bare(figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height)))
    axes.set_xlim(*span)
    for time in round_times(span):
        axes.axvline(time, color=FAINT, linewidth=0.8, zorder=0)
    return axes


def _draw_panel(
    axes: Axes,
    panel: ShelfPanel,
    by_event: Mapping[str, Sequence[CartEvent]],
    colours: Mapping[str | None, str],
    labels: Sequence[Placed],
    left_out: int,
) -> None:
    axes.set_facecolor(GROUND)
    known = panel.weight_g[np.isfinite(panel.weight_g)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (-1.0, 1.0)
    room = max(high - low, 20.0)
    tall = axes.get_window_extent().height
    lanes = 1 + max((place.lane for place in labels), default=0)
    share = min(0.8, (lanes * _LANE_PX + 6) / tall)
    bottom = low - 0.10 * room
    axes.set_ylim(bottom, bottom + 1.22 * room / (1 - share))
    for event in panel.events:
        moved = by_event.get(event.id, ())
        colour = colours[moved[0].shopper] if moved else colours[None]
        start, end = min(event.start_s, event.time_s - 0.15), max(event.end_s, event.time_s + 0.15)
        axes.axvspan(start, end, ymax=1 - share + 0.03, color=colour, alpha=0.20, linewidth=0, zorder=1)
        axes.axvline(event.time_s, ymax=1 - share + 0.03, color=colour, linewidth=1.4, zorder=2)
    axes.plot(panel.time_s, panel.weight_g, color=INK, linewidth=1.1, zorder=3)
    for place in labels:
        y = 1 - (3 + _LANE_PX * (place.lane + 0.5)) / tall
        style = {
            "color": ink(place.label.colour),
            "fontsize": FONTSIZE,
            "weight": "bold",
            "ha": "center",
            "va": "center",
        }
        write(axes, place.x_s, y, place.label.text, transform=axes.get_xaxis_transform(), zorder=4, **style)
    if left_out:
        write(axes, 1.008, 0.68, f"{left_out} hidden", color=MUTED, fontsize=7.5, va="center", transform=axes.transAxes)
    _name_panel(axes, panel, known)


def _name_panel(axes: Axes, panel: ShelfPanel, known: NDArray[np.float64]) -> None:
    """Shelf and plates to the left, what the weight came to on the right."""
    numbers = [plate.plate for plate in panel.plates]
    shown = _runs(numbers)
    style = {"transform": axes.transAxes, "va": "center", "family": FONT}
    write(axes, -0.012, 0.62, f"shelf {panel.shelf}", weight="bold", ha="right", **style)
    write(axes, -0.012, 0.30, f"plate{'s' if len(numbers) > 1 else ''} {shown}", color=MUTED, fontsize=7.5,
          ha="right", **style)  # fmt: skip
    if len(known):
        net = round(float(np.median(known[-10:])))
        sign = MINUS if net < 0 else "+" if net else ""
        write(axes, 1.008, 0.30, f"{sign}{abs(net)} g", color=MUTED, fontsize=8.5, ha="left", **style)


def _runs(numbers: Sequence[int]) -> str:
    """Sorted numbers with runs drawn together.

    >>> _runs([1, 2, 3, 5, 8, 9])
    '1–3, 5, 8–9'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{a}–{b}" if b > a else f"{a}" for a, b in runs)


def _labels(
    panel: ShelfPanel,
    by_event: Mapping[str, Sequence[CartEvent]],
    colours: Mapping[str | None, str],
    store: Store,
) -> list[Label]:
    labels = []
    for event in panel.events:
        moved = by_event.get(event.id, ())
        if not moved:
            total = event.total_g
            text = f"{MINUS if total < 0 else '+'}{abs(total):.0f} g, not explained" if abs(total) >= 1 else "touched"
            labels.append(Label(event.time_s, "", text, 1.0, colours[None]))
        for part in moved:
            name = store.products[part.product].name if part.product in store.products else part.product
            labels.append(
                Label(event.time_s, signed(part.quantity), name, part.probability, colours[part.shopper], True)
            )
    return labels
