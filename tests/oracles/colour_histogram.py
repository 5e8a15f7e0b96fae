"""Colour histograms by loops over pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image


def colour_by_loops(crop: np.ndarray, stripes: int) -> np.ndarray:
    """Stripe by stripe 16 hues x 4 saturations and 16 values, as square roots of shares; of length 1."""
    picture = Image.fromarray(crop).convert("HSV")
    width, height = picture.size
    longer, row, result = height % stripes, 0, []
    for stripe in range(stripes):
        rows = height // stripes + (stripe < longer)
        colour, values = [0] * 64, [0] * 16
        for y in range(row, row + rows):
            for x in range(width):
                hue, saturation, value = picture.getpixel((x, y))
                colour[(hue // 16) * 4 + saturation // 64] += 1
                values[value // 16] += 1
        result += [(count / (rows * width)) ** 0.5 for count in (*colour, *values)]
        row += rows
    return np.array(result) / np.linalg.norm(result)
