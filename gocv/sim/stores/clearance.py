"""How much room a shelf has for what stands on it."""

from __future__ import annotations

from gocv.core import ShelfId
from gocv.sim.layout import Gondola
from gocv.sim.stores.packs import Size

_BOARD_M = 0.03
"""Thickness of a shelf and its plate, and a little air."""
_BESIDE_M = 0.005


def room_of(gondola: Gondola, shelf: ShelfId, width_m: float) -> Size:
    """In which one unit must fit: a width along a shelf, its depth, and up to the shelf above, with a little air.

    Shelves that are very close, such as those of drawers, still count as 4 cm apart.
    """
    heights = (*gondola.heights_m, gondola.top_m)
    clear_m = heights[shelf.shelf] - heights[shelf.shelf - 1] - _BOARD_M
    return Size(width_m - _BESIDE_M, gondola.depth_m - _BOARD_M, max(clear_m, 0.04))
