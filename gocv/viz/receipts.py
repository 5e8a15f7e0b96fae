"""The report: floor plan, timeline and receipts of a run in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gocv.core import CartEvent, FloorTracks, Receipt, ReceiptLine, Store
from gocv.viz.floor import floor_limits, plot_floor
from gocv.viz.style import (
    FAINT,
    GROUND,
    INK,
    MUTED,
    RIGHT,
    WARNING,
    WRONG,
    bare,
    ink,
    new_figure,
    percent,
    save,
    shopper_colours,
    shorten,
    text_width_px,
    write,
)
from gocv.viz.timeline import Box, ShelfPanel, people, plot_timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD_PX, _EDGE_PX = 84, 28
_LEFT_SHARE = 0.42
_LEAST_PANEL_PX = 44
_CARD_HEAD_PX, _LINE_PX, _GAP_PX = 54, 23, 12.0
_MOST_ACROSS = 3
_FONTSIZE = 9.5
_MISSED = "missed"
_READING = (
    ("Curves", "weight of the plates named, from zero"),
    ("Shades", "the scales saw a change; grey: nobody's"),
    ("Percent", "how sure that exactly this is right"),
    ("Dots", "units a shopper held after each event"),
)


def draw_report(
    path: str | Path,
    *,
    title: str,
    store: Store,
    shoppers: FloorTracks,
    panels: Sequence[ShelfPanel],
    cart_events: Sequence[CartEvent],
    receipts: Sequence[Receipt],
    truth: Mapping[str, Mapping[str, int]] | None = None,
    size_px: tuple[int, int] = (1600, 1000),
) -> None:
    """Draw a run: the floor plan with the receipts below it, and the timeline beside them.

    Args:
        path: Picture to write, whole or not at all; its ending gives the format.
        title: Such as the recording's name.
        store: Products, plates and zones.
        shoppers: Where everyone was.
        panels: As `shelf_panels` makes them; where there are too many, the shelves with most events are drawn.
        cart_events: What the weight events were taken for.
        receipts: Of everyone.
        truth: Units by product by shopper, where known: each line is then marked right or wrong.
        size_px: Width and height.
    """
    width, height = size_px
    figure = new_figure(width, height)
    page = bare(figure.add_axes((0, 0, 1, 1)))
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    weight_events = [event for panel in panels for event in panel.events]
    body = height - _HEAD_PX
    left = _LEFT_SHARE * width
    inner = left - 2 * _EDGE_PX
    limits = floor_limits(store, shoppers)
    natural = 0.45 * body if limits is None else inner * np.divide(*(limits[1] - limits[0])[::-1])
    across, needed = _arrange([_lines(r, store, truth) for r in receipts], max(body - natural - 40, 0.45 * body))
    plan_px = min(natural, body - needed - 40)
    plan = figure.add_axes((_EDGE_PX / width, (body - plan_px) / height, inner / width, plan_px / height))
    plot_floor(plan, store=store, shoppers=shoppers, weight_events=weight_events, cart_events=cart_events)
    _draw_head(page, title, shoppers, cart_events, len(weight_events), receipts, truth)
    names = [*people(shoppers, cart_events), *(r.shopper for r in receipts)]
    cards = (_EDGE_PX, 18, inner, body - plan_px - 18 - 14)
    _draw_receipts(page, cards, across, receipts, store, truth, shopper_colours(names))
    _draw_shelves(figure, page, (left, 18, width - left - _EDGE_PX, body - 18), panels, cart_events, shoppers, store)
    save(figure, path)


def _arrange(lines: Sequence[Sequence[_Line]], room_px: float) -> tuple[int, float]:
    """How many cards to put side by side, as few as fit, and how tall they all come out together."""
    for across in range(1, _MOST_ACROSS + 1):
        tall = sum(_row_px(lines[i : i + across]) + _GAP_PX for i in range(0, len(lines), across))
        if tall <= room_px:
            return across, max(tall, 40.0)
    return _MOST_ACROSS, room_px


def _row_px(lines: Sequence[Sequence[_Line]]) -> float:
    return _CARD_HEAD_PX + _LINE_PX * max(1, *(len(own) for own in lines)) + 12.0


def _draw_head(
    page: Axes,
    title: str,
    shoppers: FloorTracks,
    cart_events: Sequence[CartEvent],
    weight_events: int,
    receipts: Sequence[Receipt],
    truth: Mapping[str, Mapping[str, int]] | None,
) -> None:
    width, top = page.get_xlim()[1], page.get_ylim()[1]
    write(page, _EDGE_PX, top - 34, title, fontsize=20, weight="bold", va="center")
    taken = sum(e.quantity for e in cart_events if e.quantity > 0)
    back = -sum(e.quantity for e in cart_events if e.quantity < 0)
    review = sum(r.needs_review for r in receipts)
    facts = [
        _counted(len(people(shoppers, cart_events)), "shopper"),
        _counted(weight_events, "weight event"),
        f"{_counted(taken, 'unit')} taken, {back} put back",
        f"{_counted(review, 'receipt')} for a person to look at",
    ]
    write(page, _EDGE_PX, top - 64, "   ·   ".join(facts), fontsize=11, color=MUTED, va="center")
    named = [r for r in receipts if r.shopper is not None]
    if truth is not None and named:
        right = sum(_is_right(r, truth) for r in named)
        colour = RIGHT if right == len(named) else WRONG
        text = f"{right} of {len(named)} receipts exactly right"
        write(page, width - _EDGE_PX, top - 34, text, fontsize=13, weight="bold", color=colour, ha="right", va="center")


def _draw_shelves(
    figure: Figure,
    page: Axes,
    box: Box,
    panels: Sequence[ShelfPanel],
    cart_events: Sequence[CartEvent],
    shoppers: FloorTracks,
    store: Store,
) -> None:
    """As many shelves as there is room for, in their order, and a word on those left out."""
    most = max(1, int((box[3] - 150) / _LEAST_PANEL_PX))
    busiest = sorted(panels, key=lambda p: (-len(p.events), p.shelf))[:most]
    shown = [panel for panel in panels if any(panel is kept for kept in busiest)]
    if len(shown) < len(panels):
        events = sum(len(p.events) for p in panels) - sum(len(p.events) for p in shown)
        text = f"{_counted(len(panels) - len(shown), 'more shelf', 'more shelves')}, {_counted(events, 'event')}"
        write(page, box[0] + box[2], box[1] + box[3] + 8, text, color=MUTED, fontsize=8.5, ha="right", va="center")
    plot_timeline(figure, box, shown, cart_events, shoppers, store)


def _draw_receipts(
    page: Axes,
    box: Box,
    across: int,
    receipts: Sequence[Receipt],
    store: Store,
    truth: Mapping[str, Mapping[str, int]] | None,
    colours: Mapping[str | None, str],
) -> None:
    """The cards, row by row from the top; the rows share what room there is when it is too little for all lines."""
    left, bottom, width, height = box
    top = bottom + height
    if not receipts:
        write(page, left, top - 20, "no receipts", color=MUTED, fontsize=11, va="center")
        return
    rows = [receipts[i : i + across] for i in range(0, len(receipts), across)]
    tall = [_row_px([_lines(r, store, truth) for r in row]) for row in rows]
    shrink = min(1.0, (height - _GAP_PX * (len(rows) - 1)) / sum(tall))
    each = (width - _GAP_PX * (across - 1)) / across
    for row, wanted in zip(rows, tall, strict=True):
        card = wanted * shrink
        for column, receipt in enumerate(row):
            place = (left + column * (each + _GAP_PX), top - card, each, card)
            _draw_card(page, place, receipt, store, truth, colours[receipt.shopper])
        if len(row) < across and each > 270:
            _draw_reading(page, left + len(row) * (each + _GAP_PX) + 12, top)
        top -= card + _GAP_PX


def _draw_reading(page: Axes, x: float, top: float) -> None:
    """How to read the picture, where a card would have room."""
    for row, (what, meaning) in enumerate(_READING):
        y = top - 21 - row * 20
        write(page, x, y, what, fontsize=8.5, color=MUTED, weight="bold", va="center")
        write(page, x + 60, y, meaning, fontsize=8, color=MUTED, va="center")


def _draw_card(
    page: Axes,
    box: Box,
    receipt: Receipt,
    store: Store,
    truth: Mapping[str, Mapping[str, int]] | None,
    colour: str,
) -> None:
    from matplotlib.patches import Rectangle

    figure = page.get_figure(root=True)
    assert figure is not None
    x, y, width, height = box
    top = y + height
    page.add_patch(Rectangle((x, y), width, height, facecolor=GROUND, edgecolor=FAINT, linewidth=1.0, zorder=1))
    page.add_patch(Rectangle((x, top - 4), width, 4, facecolor=colour, linewidth=0, zorder=2))
    name = shorten(figure, receipt.shopper or "nobody", width - 24, 11, "bold")
    write(page, x + 12, top - 21, name, fontsize=11, weight="bold", color=ink(colour), va="center")
    sure = f"exactly right: {percent(receipt.probability)}"
    write(page, x + 12, top - 39, sure, fontsize=9, color=MUTED, va="center")
    if receipt.needs_review:
        style = {"fontsize": 9, "weight": "bold", "color": WARNING, "ha": "right", "va": "center"}
        note = "a person should look" if width > 240 else "review"
        write(page, x + width - 12, top - 39, note, **style)
    page.plot([x + 12, x + width - 12], [top - 49, top - 49], color=FAINT, linewidth=1.0, zorder=2)
    lines = _lines(receipt, store, truth)
    room = max(1, int((height - _CARD_HEAD_PX - 6) / _LINE_PX))
    shown = lines if len(lines) <= room else lines[: room - 1]
    for row, line in enumerate(shown):
        _draw_line(figure, page, x + 12, top - _CARD_HEAD_PX - 13 - row * _LINE_PX, width - 24, line)
    under = top - _CARD_HEAD_PX - 13 - len(shown) * _LINE_PX
    if not lines:
        write(page, x + 12, under, "nothing taken", color=MUTED, style="italic", va="center")
    elif len(shown) < len(lines):
        write(page, x + 12, under, f"and {len(lines) - len(shown)} more", color=MUTED, style="italic", va="center")


_Line = tuple[int, str, str, bool | None]
"""Units, name, a remark (probability, or what is wrong), and whether it is right where that is known."""


def _lines(receipt: Receipt, store: Store, truth: Mapping[str, Mapping[str, int]] | None) -> list[_Line]:
    """Lines of the receipt in their order, then what is missing from it."""
    known = None if truth is None or receipt.shopper is None else truth.get(receipt.shopper)
    lines = [_line(item, known) for item in receipt.items]
    listed = {item.product for item in receipt.items}
    for product, quantity in sorted((known or {}).items()):
        if product not in listed:
            name = store.products[product].name if product in store.products else product
            lines.append((quantity, name, _MISSED, False))
    return lines


def _line(item: ReceiptLine, known: Mapping[str, int] | None) -> _Line:
    sure = percent(item.probability)
    if known is None:
        return item.quantity, item.name, sure, None
    true = known.get(item.product, 0)
    if true == item.quantity:
        return item.quantity, item.name, sure, True
    return item.quantity, item.name, f"{sure}, truly {true}", False


def _draw_line(figure: Figure, page: Axes, x: float, y: float, width: float, line: _Line) -> None:
    quantity, name, remark, right = line
    colour = {True: RIGHT, False: WRONG, None: MUTED}[right]
    text = {"fontsize": _FONTSIZE, "color": MUTED if remark == _MISSED else INK, "va": "center"}
    end = x + width - (0 if right is None else 18)
    write(page, x, y, f"{quantity} ×", **text)
    room = end - x - 42 - text_width_px(figure, remark, _FONTSIZE)
    write(page, x + 30, y, shorten(figure, name, room, _FONTSIZE), **text)
    write(page, end, y, remark, fontsize=_FONTSIZE, color=MUTED if right else colour, ha="right", va="center")
    if right is not None:
        write(page, x + width, y, "✓" if right else "✗", fontsize=11, color=colour, ha="right", va="center")


def _is_right(receipt: Receipt, truth: Mapping[str, Mapping[str, int]]) -> bool:
    bought = {item.product: item.quantity for item in receipt.items}
    return receipt.shopper is not None and bought == dict(truth.get(receipt.shopper, {}))


def _counted(count: int, one: str, many: str | None = None) -> str:
    """Such as "1 shopper" or "3 shoppers".

    >>> _counted(1, "shopper"), _counted(0, "shopper")
    ('1 shopper', '0 shoppers')
    """
    return f"{count} {one if count == 1 else many or one + 's'}"
