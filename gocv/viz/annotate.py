"""Boxes, names and trails on a picture, and heads made unrecognisable."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError
from gocv.viz.style import FONT, readable_on, rgb

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

_HEAD_OF_HEIGHT, _HEAD_OF_WIDTH = 0.2, 0.5
"""A standing person's head is within a fifth of the box's height of its top. Of somebody cut off by the edge of the
picture there is less height, so half of the width where that is more."""


def annotate(
    image: NDArray[np.uint8],
    xyxy: ArrayLike,
    labels: Sequence[str],
    colours: Sequence[str],
    *,
    trails: Sequence[ArrayLike] | None = None,
    banner: str | None = None,
    blur: ArrayLike | None = None,
) -> NDArray[np.uint8]:
    """A copy of the picture with boxes and what belongs to them drawn in.

    Args:
        image: (H, W, 3) uint8, RGB; not changed.
        xyxy: (n, 4) boxes in pixels; parts outside the picture are cut off.
        labels: (n,) what to write on each box; "" for nothing.
        colours: (n,) "#rrggbb".
        trails: (n,) of (k, 2) points in pixels, the oldest first: where each box's person was.
        banner: A line at the bottom of the picture.
        blur: (m, 4) boxes of people in pixels whose heads are blurred before anything is drawn: the upper fifth, or
            half as much as the box is wide where that is more.

    Raises:
        DataError: The picture is not RGB of 8 bits, or labels, colours or trails are not one a box.
    """
    from PIL import Image, ImageDraw

    boxes = _boxes(xyxy, "xyxy")
    _check(image, len(boxes), labels=labels, colours=colours, trails=trails)
    picture = Image.fromarray(np.ascontiguousarray(image))
    for box in _boxes(() if blur is None else blur, "blur"):
        _blur_head(picture, box)
    draw = ImageDraw.Draw(picture, "RGBA")
    size = max(11, round(0.022 * max(picture.size)))
    thick = max(2, round(0.0028 * max(picture.size)))
    for colour, trail in zip(colours, () if trails is None else trails, strict=trails is not None):
        _draw_trail(draw, np.asarray(trail, dtype=np.float64).reshape(-1, 2), colour, thick)
    for box, colour in zip(boxes, colours, strict=True):
        draw.rectangle(_inside(box, picture), outline=colour, width=thick)
    for box, label, colour in zip(boxes, labels, colours, strict=True):
        if label:
            _draw_label(draw, picture, box, label, colour, size)
    if banner:
        _draw_banner(draw, picture, banner, size)
    return np.array(picture, dtype=np.uint8)


def _boxes(value: ArrayLike, name: str) -> NDArray[np.float64]:
    boxes = np.asarray(value, dtype=np.float64)
    if boxes.size == 0:
        return np.empty((0, 4))
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise DataError(f"boxes of shape {boxes.shape}", key=name, expected="(n, 4) finite numbers")
    return boxes


def _check(image: NDArray[np.uint8], boxes: int, **per_box: Sequence[Any] | None) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f"a picture of {image.dtype} and shape {image.shape}", expected="(H, W, 3) uint8")
    for key, values in per_box.items():
        if values is not None and len(values) != boxes:
            raise DataError(f"{len(values)} given for {boxes} boxes", key=key, expected="one a box")


def _inside(box: NDArray[np.float64], picture: Image.Image) -> tuple[float, float, float, float]:
    """The part of a box within the picture, corners in order."""
    (left, right), (top, bottom) = np.sort(box[[0, 2]]), np.sort(box[[1, 3]])
    width, height = picture.size
    x = np.clip([left, right], 0, width - 1)
    y = np.clip([top, bottom], 0, height - 1)
    return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def _blur_head(picture: Image.Image, box: NDArray[np.float64]) -> None:
    """Blur by far more than a face's features: the blurred part is reduced to a few values and smoothed."""
    from PIL import Image, ImageFilter

    tall, wide = abs(box[3] - box[1]), abs(box[2] - box[0])
    height = min(tall, max(_HEAD_OF_HEIGHT * tall, _HEAD_OF_WIDTH * wide))
    left, top, right, bottom = _inside(
        np.array([box[0], min(box[1], box[3]), box[2], min(box[1], box[3]) + height]), picture
    )
    region = (int(left), int(top), int(np.ceil(right)) + 1, int(np.ceil(bottom)) + 1)
    if right <= left or bottom <= top:
        return
    head = picture.crop(region)
    few = (max(1, head.width // 16), max(1, head.height // 16))
    coarse = head.resize(few, Image.Resampling.BOX).resize(head.size, Image.Resampling.BILINEAR)
    picture.paste(coarse.filter(ImageFilter.GaussianBlur(max(2.0, head.height / 6))), region)


def _draw_trail(draw: ImageDraw.ImageDraw, points: NDArray[np.float64], colour: str, thick: int) -> None:
    """Older parts fade."""
    points = points[np.isfinite(points).all(axis=1)]
    for i, (a, b) in enumerate(itertools.pairwise(points)):
        fade = round(60 + 195 * (i + 1) / (len(points) - 1))
        draw.line([*a, *b], fill=(*rgb(colour), fade), width=thick)


def _draw_label(
    draw: ImageDraw.ImageDraw, picture: Image.Image, box: NDArray[np.float64], label: str, colour: str, size: int
) -> None:
    """On top of the box, or inside it where the picture ends."""
    font = _font(size)
    left, top, _, _ = _inside(box, picture)
    pad = max(2, size // 4)
    width, height = round(font.getlength(label)) + 2 * pad, size + 2 * pad
    x = float(np.clip(left, 0, max(0, picture.width - width)))
    y = top - height if top >= height else top
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + pad, y + height / 2), label, font=font, fill=readable_on(colour), anchor="lm")


def _draw_banner(draw: ImageDraw.ImageDraw, picture: Image.Image, banner: str, size: int) -> None:
    font = _font(size)
    height = 2 * size
    draw.rectangle((0, picture.height - height, picture.width, picture.height), fill=(27, 36, 48, 215))
    draw.text((size // 2, picture.height - height / 2), banner, font=font, fill="white", anchor="lm")


@functools.lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The type of the figures: it comes with matplotlib and has the letters of most languages."""
    from pathlib import Path

    import matplotlib
    from PIL import ImageFont

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{FONT.replace(' ', '')}-Bold.ttf"
    return ImageFont.truetype(str(file), size)
