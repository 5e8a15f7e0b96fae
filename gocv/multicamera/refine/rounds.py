"""The rounds of refinement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import Zone
from gocv.multicamera.likeness import Likeness
from gocv.multicamera.refine.blocks import Blocks
from gocv.multicamera.refine.reassign import reassign
from gocv.multicamera.refine.relink import relink
from gocv.multicamera.refine.same import join_same
from gocv.multicamera.refine.swaps import undo_swaps
from gocv.multicamera.settings import AssociationSettings

_SETTLED = 0.01
"""When a round changes less than this share of the looks, there is no other."""


def refine(
    blocks: Blocks, entrances: Sequence[Zone], settings: AssociationSettings, likeness: Likeness | None = None
) -> Blocks:
    """Better shoppers for the same looks.

    There are rounds until one changes little. Each gives looks to whom they fit, undoes exchanges of names, cuts and
    links shoppers, and joins those who are one. At last looks are given out again, and who was hardly seen is nobody.

    Args:
        blocks: Looks with the shoppers they are of so far.
        entrances: Where people come and go, as far as that is known.
        settings: How.
        likeness: What appearance tells, or None.
    """
    for _ in range(settings.refine.rounds):
        before = blocks.who
        blocks = reassign(blocks, settings.refine, settings.look, likeness)
        blocks = undo_swaps(blocks)
        blocks = relink(blocks, entrances, settings, likeness)
        blocks = join_same(blocks, settings.refine)
        if _partition(before, blocks.who):
            break
    if settings.refine.rounds:
        blocks = reassign(blocks, settings.refine, settings.look, likeness)
    return _without_glimpses(blocks, settings.refine.least_looks)


def _partition(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether two ways to share looks out among shoppers are nearly one, whatever the shoppers are called."""
    pairs, count = np.unique(np.stack([one, other]), axis=1, return_counts=True)
    most = np.zeros(len(pairs[0]), np.int64)
    _, index = np.unique(pairs[0], return_inverse=True)
    np.maximum.at(most, index, count)
    return bool(most.sum() >= (1 - _SETTLED) * len(one))


def _without_glimpses(blocks: Blocks, least: int) -> Blocks:
    """Without shoppers of fewer looks than that."""
    names, index, count = np.unique(blocks.who, return_inverse=True, return_counts=True)
    return blocks.owned(np.where(count[index] >= least, names[index], -1))
