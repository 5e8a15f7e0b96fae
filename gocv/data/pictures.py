"""Pictures in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.core import DataError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Of what is taken for a picture; data sets also hold `Thumbs.db` and the like."""


def read_picture(file: Path) -> NDArray[np.uint8]:
    """(h, w, 3) uint8, RGB.

    Raises:
        DataError: It is missing or cannot be decoded.
    """
    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError, ImportError, Image.DecompressionBombError) as error:
        # What Pillow and its plugins raise.
        raise DataError(f"cannot be decoded: {error}", file=file, expected="a picture") from error
