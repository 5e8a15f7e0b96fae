"""Large frames looked at tile by tile, so that people far away keep their pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gocv.core import Detections, Detector, Frame
from gocv.data.config import Model
from gocv.geometry import ioa, nms

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]

_EDGE_PX = 3.0
"""A box that ends this near to an inner edge of its tile is cut there."""
_COVERED = 0.6
"""Share of a cut box inside a whole one from which it is a piece of it."""
_IN_LINE = 0.5
"""IoU, along the edge, of the extents of two pieces that are one thing."""


class TileSettings(Model):
    """How a frame is cut.

    Attributes:
        width_px: Of a tile. A frame that is no larger than a tile is looked at as it is.
        height_px: Of a tile.
        overlap: Least share of a tile that its neighbour has too. What fits into the overlap is in one of them whole.
        whole: Whether the whole frame is looked at as well, for what is larger than a tile.
        batch: Most tiles that are looked at in one go.
        nms_iou: Of two boxes of a class that overlap by more, the better is kept.
    """

    width_px: Annotated[int, Field(gt=0)] = 640
    height_px: Annotated[int, Field(gt=0)] = 640
    overlap: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    whole: bool = True
    batch: Annotated[int, Field(gt=0)] = 16
    nms_iou: Annotated[float, Field(ge=0, le=1)] = 0.5


class TiledDetector:
    """Another detector, on overlapping tiles of each frame and on the whole of it.

    Boxes of one thing in several tiles become one: of those that no edge cuts, the best is kept; a piece that lies in
    such a box is dropped; pieces that continue one another across an edge are joined.

    Args:
        detector: Looks at the tiles; it must have no memory of the frames before.
        settings: How a frame is cut.

    Attributes:
        classes: Those of the other detector.
    """

    def __init__(self, detector: Detector, settings: TileSettings | None = None) -> None:
        self._detector = detector
        self._settings = settings or TileSettings()
        self.classes = detector.classes

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """Boxes of each frame in its own pixels, best first."""
        places = [self._places(frame) for frame in frames]
        pictures = [
            dataclasses.replace(frame, image=frame.image[top:bottom, left:right])
            for frame, own in zip(frames, places, strict=True)
            for left, top, right, bottom in own
        ]
        found: list[Detections] = []
        for first in range(0, len(pictures), self._settings.batch):
            found += self._detector.detect(pictures[first : first + self._settings.batch])
        ends = np.cumsum([len(own) for own in places]).tolist()
        return [
            found[end - 1]
            if len(own) == 1
            else merge_tiles(found[end - len(own) : end], own, frame.image.shape[:2], self._settings.nms_iou)
            for frame, own, end in zip(frames, places, ends, strict=True)
        ]

    def _places(self, frame: Frame) -> list[tuple[int, int, int, int]]:
        height, width = frame.image.shape[:2]
        chosen = self._settings
        across = tile_starts(width, chosen.width_px, chosen.overlap)
        down = tile_starts(height, chosen.height_px, chosen.overlap)
        tiles = [
            (left, top, min(left + chosen.width_px, width), min(top + chosen.height_px, height))
            for top in down
            for left in across
        ]
        return tiles if len(tiles) == 1 or not chosen.whole else [*tiles, (0, 0, width, height)]


def tile_starts(length: int, tile: int, overlap: float) -> list[int]:
    """Where tiles of a length begin, evenly, so that all of it is covered with at least the overlap.

    >>> tile_starts(1920, 640, 0.25)
    [0, 427, 853, 1280]
    >>> tile_starts(500, 640, 0.25)
    [0]
    """
    if length <= tile:
        return [0]
    count = 1 + int(np.ceil((length - tile) / max(1.0, tile * (1 - overlap))))
    return [int(start) for start in np.linspace(0, length - tile, count).round()]


def merge_tiles(
    found: Sequence[Detections],
    tiles: Sequence[tuple[int, int, int, int]],
    shape: tuple[int, ...],
    nms_iou: float,
) -> Detections:
    """One list of boxes from those of overlapping tiles.

    Args:
        found: Of each tile, in its own pixels.
        tiles: Left, top, right and bottom of each, pixels of the frame.
        shape: Height and width of the frame.
        nms_iou: Of two boxes of a class that overlap by more, the better is kept.

    Returns:
        In pixels of the frame, best first.
    """
    moved = [
        dataclasses.replace(one, xyxy=one.xyxy + np.array([tile[0], tile[1]] * 2, np.float32))
        for one, tile in zip(found, tiles, strict=True)
    ]
    boxes = Detections.concatenate([Detections.empty(), *moved])
    tile = np.repeat(np.arange(len(tiles)), [len(one) for one in found])
    cut = _cut(boxes.xyxy, np.array(tiles, np.float32)[tile], shape)
    whole, pieces, origin = boxes[~cut], boxes[cut], tile[cut]
    whole = whole[nms(whole.xyxy, whole.score, nms_iou, whole.label)]
    same = pieces.label[:, None] == whole.label
    alone = ~((ioa(pieces.xyxy, whole.xyxy) >= _COVERED) & same).any(axis=1)
    joined = _joined(pieces[alone], origin[alone])
    # What was joined may be what the whole frame showed, cut at no edge but less sure.
    every = Detections.concatenate([whole, joined])
    return every[nms(every.xyxy, every.score, nms_iou, every.label)]


def _cut(xyxy: Float32, tile: Float32, shape: tuple[int, ...]) -> Bool:
    """(n,) whether a box ends at an edge of its tile that is not one of the frame."""
    inner = tile != np.array([0, 0, shape[1], shape[0]], np.float32)
    ends: Bool = ((np.abs(xyxy - tile) <= _EDGE_PX) & inner).any(axis=1)
    return ends


def _joined(pieces: Detections, tile: NDArray[np.int64]) -> Detections:
    """One box around pieces of a class, from different tiles, that overlap and are in line, as sure as the surest."""
    if not len(pieces):
        return pieces
    left, top, right, bottom = pieces.xyxy.T
    across, wide = _extents(left, right)
    down, high = _extents(top, bottom)
    one = (across > 0) & (down > 0) & (np.maximum(across / wide, down / high) >= _IN_LINE)
    one &= (tile[:, None] != tile) & (pieces.label[:, None] == pieces.label)
    count, group = connected_components(coo_array(one), directed=False)
    xyxy = np.zeros((count, 4), np.float32)
    xyxy[:, :2] = np.inf
    np.minimum.at(xyxy[:, :2], group, pieces.xyxy[:, :2])
    np.maximum.at(xyxy[:, 2:], group, pieces.xyxy[:, 2:])
    score = np.zeros(count, np.float32)
    np.maximum.at(score, group, pieces.score)
    label = np.zeros(count, np.int64)
    label[group] = pieces.label
    return Detections(xyxy, score, label)


def _extents(first: Float32, last: Float32) -> tuple[Float32, Float32]:
    """(n, n) lengths of what two stretches share, and of both together."""
    shared = np.minimum(last[:, None], last) - np.maximum(first[:, None], first)
    together = np.maximum(last[:, None], last) - np.minimum(first[:, None], first)
    return np.maximum(shared, 0), np.maximum(together, np.float32(1e-6))
