"""Keeping somebody company: walking at their side."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.sim.gait import FASTEST_M_S, ROW_S
from gocv.sim.routes import Floor

Array = NDArray[np.float64]

BESIDE_M = 0.50
DELAY_ROWS = 3
_FADE_ROWS = 12


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Lead:
    """A walk of the one who leads.

    Attributes:
        row: When it begins, in rows of `ROW_S` from time 0.
        xy_m: (n, 2) where they are from then on.
    """

    row: int
    xy_m: Array


def alongside(floor: Floor, lead: Lead, here_m: Array, spot_m: Array) -> list[Array]:
    """Walks (n - 1, 2) beside somebody, on their left and on their right, as far as there is room.

    Args:
        floor: Where there is room.
        lead: The walk of the other one.
        here_m: (2,) from where, in the store's frame.
        spot_m: (2,) to where.
    """
    n = len(lead.xy_m)
    if n < 2 * _FADE_ROWS:
        return []
    step = np.gradient(lead.xy_m, axis=0)
    # Which way is left while the other one hardly moves is a matter of a few millimetres: look at a second around.
    around = np.stack([np.convolve(np.pad(step[:, k], 5, mode="edge"), np.ones(11), mode="valid") for k in (0, 1)], 1)
    left = np.stack([-around[:, 1], around[:, 0]], axis=1)
    left *= BESIDE_M / np.maximum(np.hypot(left[:, 0], left[:, 1]), 1e-9)[:, None]
    begun = np.clip(np.arange(n) / _FADE_ROWS, 0.0, 1.0)
    begun = (begun * begun * (3 - 2 * begun))[:, None]
    ended = begun[::-1]
    ends = (1 - begun) * (here_m - lead.xy_m[0]) + (1 - ended) * (spot_m - lead.xy_m[-1])
    walks = []
    for side in (1.0, -1.0):
        walk = lead.xy_m + ends + begun * ended * side * left
        fast = np.hypot(*np.diff(walk, axis=0).T).max() > FASTEST_M_S * ROW_S
        if not fast and floor.clear(walk[:-1], walk[1:]).all():
            walks.append(walk[1:])
    return walks
