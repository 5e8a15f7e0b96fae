"""What all pictures share: colours, type, and how a figure becomes a file."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00", "#332288")
"""Told apart by everyone (Okabe & Ito 2008, Color Universal Design; its yellow darkened, an indigo added)."""
NOBODY = "#7F8790"
INK, MUTED, FAINT, GROUND, FIXTURE = "#1B2430", "#66707C", "#DDE2E8", "#F7F8FA", "#E4E9EF"
RIGHT, WRONG, WARNING = "#00785A", "#B84A00", "#8A6100"
FONT = "DejaVu Sans"
DPI = 100
MINUS = "\N{MINUS SIGN}"


def shopper_colours(shoppers: Iterable[str | None]) -> dict[str | None, str]:
    """A colour for each shopper, the same wherever the same shoppers are drawn; nobody is grey.

    >>> shopper_colours(["b", "a", None])
    {'a': '#0072B2', 'b': '#D55E00', None: '#7F8790'}
    """
    names = sorted({name for name in shoppers if name is not None})
    colours: dict[str | None, str] = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}
    return {**colours, None: NOBODY}


def new_figure(width_px: float, height_px: float) -> Figure:
    """A white figure that no global state knows of, with a canvas to measure text on."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure, whole or not at all, the same bytes each time; the format follows from the file's ending."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        figure.savefig(temporary, format=path.suffix.lstrip(".") or "png", dpi=DPI)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write(axes: Axes, x: float, y: float, text: str, **style: Any) -> Any:
    """Text in the house type; a $ is a dollar."""
    return axes.text(x, y, text, **{"family": FONT, "color": INK, "fontsize": 9, "parse_math": False, **style})


def text_width_px(figure: Figure, text: str, fontsize: float, weight: str = "normal") -> float:
    """How wide `text` comes out, in pixels."""
    from matplotlib.font_manager import FontProperties

    prop = FontProperties(family=FONT, size=fontsize, weight=weight)
    width, _, _ = figure.canvas.get_renderer().get_text_width_height_descent(text, prop, ismath=False)  # type: ignore[attr-defined]
    return float(width)


def shorten(figure: Figure, text: str, room_px: float, fontsize: float, weight: str = "normal") -> str:
    """`text`, or as much of its beginning as goes into `room_px` with an ellipsis."""
    if text_width_px(figure, text, fontsize, weight) <= room_px:
        return text
    while text and text_width_px(figure, text + "…", fontsize, weight) > room_px:
        text = text[:-1]
    return text.rstrip() + "…"


def bare(axes: Axes) -> Axes:
    """Axes without frame or ticks."""
    axes.set_facecolor("none")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def signed(quantity: int) -> str:
    """Change of what stands on the shelf when `quantity` units go into a cart, with a sign.

    >>> signed(2), signed(-1)
    ('\N{MINUS SIGN}2', '+1')
    """
    return f"{MINUS}{quantity}" if quantity > 0 else f"+{-quantity}"


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue in 0 to 255 of "#rrggbb".

    >>> rgb("#0072B2")
    (0, 114, 178)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _brightness(colour: str) -> float:
    """ITU-R BT.601 luma, 0 to 255."""
    red, green, blue = rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def readable_on(colour: str) -> str:
    """White or black, whichever stands out.

    >>> readable_on("#0072B2"), readable_on("#E69F00")
    ('white', 'black')
    """
    return "black" if _brightness(colour) > 150 else "white"


def ink(colour: str) -> str:
    """The colour, dark enough for text on white.

    >>> ink("#0072B2"), ink("#E69F00")
    ('#0072B2', '#956700')
    """
    share = min(1.0, 105.0 / max(_brightness(colour), 1.0))
    return "#" + "".join(f"{round(share * part):02X}" for part in rgb(colour))


def percent(probability: float) -> str:
    """A probability as people read it, never rounded to a certainty.

    >>> percent(0.871), percent(0.999), percent(0.001)
    ('87%', '>99%', '<1%')
    """
    if probability >= 0.995:
        return ">99%"
    return "<1%" if probability < 0.005 else f"{100 * probability:.0f}%"


def round_times(span: tuple[float, float]) -> list[float]:
    """About eight round times within a span, for a grid.

    >>> round_times((0.0, 61.0))
    [0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
    """
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800) if (span[1] - span[0]) / s <= 9), 3600)
    return [float(step * k) for k in range(math.ceil(span[0] / step), math.floor(span[1] / step + 1e-9) + 1)]
