"""Packages that nobody sells, and packages before other backgrounds: so that a network learns prints, not products."""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

UInt8 = NDArray[np.uint8]
Colour = tuple[int, int, int]

_SISTERS = 4
"""Made-up products that share a layout, as the tastes of one brand do."""

_WHITE = 243


def package(number: int) -> tuple[UInt8, NDArray[np.bool_]]:
    """The front of a made-up package: shapes, words and colours drawn by lot.

    Four successive ones share shapes and some words, and differ in a colour, a word and small things.

    Args:
        number: Which; the same always looks the same.

    Returns:
        (h, w, 3) uint8 picture; (h, w) where the package is.

    >>> bool((package(3)[0] == package(3)[0]).all()), package(3)[0].shape == package(2)[0].shape
    (True, True)
    """
    brand, own = np.random.default_rng([7, number // _SISTERS]), np.random.default_rng([8, number])
    wide, high = int(brand.integers(110, 240)), int(brand.integers(200, 300))
    colours = [_colour(brand) for _ in range(4)]
    colours[int(brand.integers(4))] = _colour(own)
    if own.random() < 0.5:
        colours[0] = _colour(own)
    image = Image.new("RGB", (wide, high), colours[0])
    draw = ImageDraw.Draw(image)
    for _ in range(int(brand.integers(2, 6))):
        _shape(draw, brand, (wide, high), colours[int(brand.integers(1, 4))])
    for rng in (brand, brand, own):
        _word(draw, rng, (wide, high), colours)
    for _ in range(int(own.integers(0, 3))):
        left, top, side = int(own.integers(wide - 20)), int(own.integers(high - 20)), int(own.integers(15, 60))
        draw.ellipse((left, top, left + side, top + side), fill=_colour(own))
    return np.asarray(image), np.ones((high, wide), bool)


def cut_out(picture: UInt8) -> NDArray[np.bool_]:
    """(h, w) where the product is in a catalogue's picture: all but the white that touches the border."""
    white = np.pad(picture.min(axis=2) > _WHITE, 1, constant_values=True)
    parts, _ = ndimage.label(white)
    return np.asarray(parts != parts[0, 0])[1:-1, 1:-1]


def set_before(picture: UInt8, mask: NDArray[np.bool_], background: UInt8, rng: np.random.Generator) -> UInt8:
    """A product before a background: shrunk, turned, moved and seen from aside, by lot.

    Args:
        picture: (h, w, 3).
        mask: (h, w) where the product is in it.
        background: (H, W, 3).
        rng: Draws how.

    Returns:
        (H, W, 3) uint8, the product about in the middle.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return background
    inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    product, shape = picture[inner], mask[inner]
    high, wide = background.shape[:2]
    size = np.array(product.shape[1::-1]) * rng.uniform(0.5, 0.95) * high / max(product.shape[:2])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2 * (1 + rng.normal(0, 0.08, (4, 2)))
    angle = rng.normal(0, 0.35)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T + np.array([wide, high]) / 2 + rng.normal(0, 0.05, 2) * (wide, high)
    small = Image.fromarray(np.dstack([product, np.uint8(255) * shape]))
    small.thumbnail((int(np.ceil(size.max())),) * 2, Image.Resampling.BILINEAR)
    across = np.array([[0, 0], [small.width, 0], [small.width, small.height], [0, small.height]], np.float64)
    seen = small.transform((wide, high), Image.Transform.PERSPECTIVE, _homography(corners, across), 2)
    whole = Image.fromarray(background).convert("RGBA")
    return np.asarray(Image.alpha_composite(whole, seen).convert("RGB"))


def _homography(source: NDArray[np.float64], target: NDArray[np.float64]) -> list[float]:
    """Pillow's eight numbers that take four source points (4, 2) to the target's."""
    (x, y), (u, v) = source.T, target.T
    zero, one = np.zeros(4), np.ones(4)
    left = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1),
        ]
    )
    found: list[float] = np.linalg.lstsq(left, np.concatenate([u, v]), rcond=None)[0].tolist()
    return found


def _colour(rng: np.random.Generator) -> Colour:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _shape(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int], colour: Colour) -> None:
    left, top = int(rng.integers(-20, size[0])), int(rng.integers(-20, size[1]))
    box = (left, top, left + int(rng.integers(20, size[0])), top + int(rng.integers(15, size[1] // 2)))
    kind = int(rng.integers(3))
    if kind == 0:
        draw.ellipse(box, fill=colour)
    elif kind == 1:
        draw.rectangle(box, fill=colour)
    else:
        draw.rounded_rectangle(box, min(12, (box[3] - box[1]) // 2), fill=colour)


def _word(draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int], colours: list[Colour]) -> None:
    text = "".join(rng.choice(list(string.ascii_lowercase), int(rng.integers(3, 8))).tolist())
    text = text.upper() if rng.random() < 0.5 else text
    place = int(rng.integers(size[0] // 2)), int(rng.integers(size[1] - 40))
    colour = ((0, 0, 0), (255, 255, 255), colours[1], colours[2])[int(rng.integers(4))]
    draw.text(place, text, fill=colour, font=ImageFont.load_default(int(rng.integers(18, 60))))
