"""From a frame to a network's input, and back from its pixels to the frame's. Pillow and numpy."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gocv.detect.config import Input


class Placement(NamedTuple):
    """Where a frame lies in the network's input: input = frame * scale + offset, along x and y."""

    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float

    def to_frame(self, xyxy: NDArray[Any]) -> NDArray[np.float32]:
        """(n, 4) boxes in pixels of the input to pixels of the frame."""
        offset = np.array([self.offset_x, self.offset_y] * 2)
        scale = np.array([self.scale_x, self.scale_y] * 2)
        return np.asarray((xyxy - offset) / scale, np.float32)


def prepare(image: NDArray[np.uint8], wanted: Input) -> tuple[NDArray[np.float32], Placement]:
    """Resize a frame, pad it, and put its values as the network wants them.

    Resizing is Pillow's bilinear filter, which averages what it shrinks.

    Args:
        image: (H, W, 3) uint8 RGB.
        wanted: The network's input. "letterbox" keeps the shape of things and puts the frame at the top left,
            "letterbox_centred" in the middle; "stretch" fills the input.

    Returns:
        The input, (3, h, w) or (h, w, 3) float32, smaller than `width` x `height` where `multiple` lets it be, and
        where the frame lies in it.
    """
    height, width = image.shape[:2]
    if wanted.resize == "stretch":
        size = (wanted.width, wanted.height)
    else:
        ratio = min(wanted.width / width, wanted.height / height)
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    centred = wanted.resize == "letterbox_centred"
    across, down = wanted.width, wanted.height
    if wanted.multiple is not None:
        step = wanted.multiple
        across, down = (min(most, -(-of // step) * step) for most, of in zip((across, down), size, strict=True))
    left, top = ((across - size[0]) // 2, (down - size[1]) // 2) if centred else (0, 0)
    canvas = np.full((down, across, 3), wanted.pad, np.uint8)
    resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
    canvas[top : top + size[1], left : left + size[0]] = np.asarray(resized)
    ordered = canvas[..., ::-1] if wanted.channels == "bgr" else canvas
    # Bytes are moved before they become floats: a quarter of the memory to walk through.
    values: NDArray[Any] = np.ascontiguousarray(ordered.transpose(2, 0, 1)).astype(np.float32)
    if wanted.scale != 1.0 or any(wanted.mean) or wanted.std != (1.0, 1.0, 1.0):
        mean, std = (np.array(v, np.float32)[:, None, None] for v in (wanted.mean, wanted.std))
        values = (values * np.float32(wanted.scale) - mean) / std
    tensor = values if wanted.layout == "nchw" else values.transpose(1, 2, 0)
    return np.ascontiguousarray(tensor, np.float32), Placement(size[0] / width, size[1] / height, left, top)
