"""What a pack looks like when nobody said: form, size and colours that suit a weight and are the same every time."""

from __future__ import annotations

import colorsys
import dataclasses
import hashlib
from collections.abc import Mapping
from typing import get_args

from gocv.sim.articles import Form

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255 each."""

FORMS: tuple[Form, ...] = get_args(Form)
"""All there are."""

SMALLEST_WIDTH_M = 0.025
"""Nothing on sale is narrower."""

# Of the smallest box around a pack: grams per cubic centimetre, and width : depth : height.
_SHAPES: Mapping[Form, tuple[float, tuple[float, float, float]]] = {
    "box": (0.45, (1.0, 0.45, 1.5)),
    "bag": (0.10, (1.0, 0.50, 1.4)),  # of the lightest; see `_density`
    "bottle": (0.75, (1.0, 1.0, 3.2)),
    "can": (0.78, (1.0, 1.0, 1.6)),
    "jar": (0.80, (1.0, 1.0, 1.3)),
    "carton": (0.98, (1.0, 1.0, 2.6)),
}

# Up to which weight (g), and how often each form is met there.
_FORMS_BY_WEIGHT: tuple[tuple[float, Mapping[Form, float]], ...] = (
    (30.0, {"bag": 0.5, "box": 0.5}),
    (150.0, {"bag": 0.55, "box": 0.35, "can": 0.10}),
    (450.0, {"can": 0.30, "bag": 0.20, "box": 0.20, "jar": 0.15, "bottle": 0.15}),
    (1100.0, {"bottle": 0.45, "carton": 0.20, "jar": 0.15, "can": 0.10, "box": 0.10}),
    (float("inf"), {"bottle": 0.70, "carton": 0.30}),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """Of the smallest upright box around a unit.

    Attributes:
        width_m: Along the shelf.
        depth_m: Into the shelf.
        height_m: Upwards.
    """

    width_m: float
    depth_m: float
    height_m: float

    def within(self, room: Size) -> Size:
        """This size, made to fit: what it loses in width or height it gains in depth, as far as there is room.

        >>> Size(0.10, 0.05, 0.20).within(Size(0.05, 0.40, 0.30))
        Size(width_m=0.05, depth_m=0.1, height_m=0.2)
        """
        width = max(min(self.width_m, room.width_m), SMALLEST_WIDTH_M)
        height = min(self.height_m, room.height_m)
        depth = self.depth_m * (self.width_m / width) * (self.height_m / height)
        return Size(*(round(side_m, 4) for side_m in (width, min(depth, room.depth_m), height)))


def form_of(product: str, weight_g: float) -> Form:
    """A form that is usual at a weight, drawn by the product's id.

    >>> {form_of(str(i), 1500.0) for i in range(20)} == {"bottle", "carton"}
    True
    """
    shares = next(shares for most_g, shares in _FORMS_BY_WEIGHT if weight_g <= most_g)
    draw = _uniform(product, "form")
    for form, share in shares.items():
        draw -= share
        if draw < 0:
            return form
    return next(iter(shares))


def size_of(product: str, weight_g: float, form: Form) -> Size:
    """The size of a pack of that weight: bags are light and wide, bottles heavy and narrow.

    Args:
        product: Its id makes packs of one weight and form a little different, by up to 8 % each way.
        weight_g: Of one unit, grams.
        form: Of the pack.

    >>> size_of("still water", 520.0, "bottle")
    Size(width_m=0.0584, depth_m=0.0584, height_m=0.2035)
    """
    ratio = _SHAPES[form][1]
    volume_m3 = weight_g / _density(form, weight_g) * 1e-6
    scale = (volume_m3 / (ratio[0] * ratio[1] * ratio[2])) ** (1 / 3)
    stretch = 0.92 + 0.16 * _uniform(product, "stretch")
    width, depth, height = (scale * side for side in ratio)
    # Taller or shorter at the same volume.
    return Size(*(round(side, 4) for side in (width / stretch**0.5, depth / stretch**0.5, height * stretch)))


def colours_of(product: str) -> tuple[Colour, Colour]:
    """The main colour of the pack and that of its label, which differ enough to be told apart.

    >>> colours_of("still water")[0] == colours_of("still water")[0] != colours_of("cola")[0]
    True
    """
    hue, bright = _uniform(product, "hue"), 0.55 + 0.4 * _uniform(product, "bright")
    main = _rgb(hue, 0.35 + 0.6 * _uniform(product, "strength"), bright)
    label = _rgb(hue + 0.3 + 0.4 * _uniform(product, "label"), 0.5, 0.95 if bright < 0.75 else 0.35)
    return main, label


def _density(form: Form, weight_g: float) -> float:
    """A heavy bag is one of rice or nuts, a light one is mostly air."""
    least = _SHAPES[form][0]
    return least + 0.55 * min(weight_g / 600.0, 1.0) if form == "bag" else least


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))
    return red, green, blue


def _uniform(product: str, what: str) -> float:
    """A number from 0 to 1 that depends on nothing but the texts: `hash` is salted anew in every process."""
    digest = hashlib.sha256(f"{what}:{product}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
