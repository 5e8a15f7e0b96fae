"""People cut out of frames for a network, and its pixels brought back to those of the frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

GREY = 114
"""What is put beyond the edge of a picture."""

Float64 = NDArray[np.float64]


def windows(xyxy: ArrayLike, size_px: tuple[int, int], room: float) -> Float64:
    """The part of a frame that a network is to see of each person, in the network's proportions.

    Args:
        xyxy: (n, 4) boxes of people, pixels of the frame counted from its edge.
        size_px: Height and width of the network's input.
        room: The part against the box, which lies in its middle.

    Returns:
        (n, 4) float64 xyxy, of which parts may lie beyond the frame; at least 1 pixel high.

    >>> windows([[10, 10, 30, 50]], (192, 160), 1.2)
    array([[ 0.,  6., 40., 54.]])
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    height, width = size_px
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    across, down = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).T
    high = np.maximum(np.maximum(down, across * height / width) * room, 1.0)
    half = np.stack([high * width / height, high], axis=1) / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def cut(image: NDArray[np.uint8], parts: Iterable[NDArray[np.float64]], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Cut parts out of a picture and bring them to one size, averaging what shrinks (Pillow's bilinear filter).

    Args:
        image: (H, W, 3) uint8.
        parts: (4,) xyxy each, in the proportions of `size_px`.
        size_px: Height and width.

    Returns:
        (n, height, width, 3) uint8, grey beyond the picture.
    """
    rows = [_cut(image, part, size_px) for part in parts]
    return np.stack(rows) if rows else np.empty((0, *size_px, 3), np.uint8)


def to_frame(points: ArrayLike, parts: Float64, size_px: tuple[int, int]) -> Float64:
    """Points of crops as points of the frame.

    Args:
        points: (n, K, 2) x and y in pixels of each crop, (0, 0) the middle of its first.
        parts: (n, 4) as `windows` gives them.
        size_px: Height and width of the crops.

    Returns:
        (n, K, 2) float64 in pixels of the frame, (0, 0) the middle of its first.
    """
    scale = (parts[:, 2:] - parts[:, :2]) / np.array([size_px[1], size_px[0]])
    return np.asarray((np.asarray(points, np.float64) + 0.5) * scale[:, None] + parts[:, None, :2] - 0.5)


def _cut(image: NDArray[np.uint8], part: NDArray[np.float64], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size_px
    canvas = np.full((height, width, 3), GREY, np.uint8)
    per_px = (part[2:] - part[:2]) / np.array([width, height])
    limit = np.array([image.shape[1], image.shape[0]])
    # Whole pixels of the crop whose source lies within the picture, so that none is stretched.
    first = np.maximum(np.ceil(-part[:2] / per_px - 1e-9), 0).astype(int)
    last = np.minimum(np.floor((limit - part[:2]) / per_px + 1e-9), [width, height]).astype(int)
    if (last <= first).any():
        return canvas
    source = np.clip(np.concatenate([part[:2] + first * per_px, part[:2] + last * per_px]), 0, np.tile(limit, 2))
    inside = source.astype(int)[:2], np.minimum(np.ceil(source[2:]).astype(int) + 1, limit)
    near = image[inside[0][1] : inside[1][1], inside[0][0] : inside[1][0]]
    box = tuple((source - np.tile(inside[0], 2)).tolist())
    resized = Image.fromarray(np.ascontiguousarray(near)).resize(
        tuple((last - first).tolist()), Image.Resampling.BILINEAR, box=box
    )
    canvas[first[1] : last[1], first[0] : last[0]] = np.asarray(resized)
    return canvas
