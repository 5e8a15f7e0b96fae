"""Cameras brought onto one floor: who walks how, and when, tells how the floor of one camera lies in another's.

Nobody knows who of one camera is who of another. A piece of a track of one camera and one of another at the same time
give a rigid motion if they are the same person (Umeyama 1991); the right ones put everybody else into place too, and
put nobody into place once the recordings are shifted in time against each other.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from gocv.core import DataError
from gocv.multicamera.calibration.observations import Observations
from gocv.multicamera.calibration.poses import rigid_fit, turned

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

BASE_M, RANGE_SHARE = 0.35, 0.06
"""How far apart the places of one person by two cameras may be: so much, and so much of the distances to both."""
_PIECE = 20
_FEWEST, _LEAST_SPREAD_M = 5, 0.4
_TRIED, _MOMENTS, _FINISHED, _ROUNDS = 240, 160, 6, 8
_SHIFTS = (0.31, 0.47, 0.64)
_CERTAIN = 12.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """All pairs of boxes of two cameras at the same moment: (k,) rows of the observations each."""

    one: Int64
    other: Int64


def pairs_between(seen: Observations, i: int, j: int, shift: int = 0) -> Pairs:
    """Every box of camera `i` with every box of camera `j` at the same moment, or `shift` moments later."""
    a, b = np.flatnonzero(seen.camera == i), np.flatnonzero(seen.camera == j)
    b = b[np.argsort(seen.moment[b], kind="stable")]
    first = np.searchsorted(seen.moment[b], seen.moment[a] + shift, "left")
    last = np.searchsorted(seen.moment[b], seen.moment[a] + shift, "right")
    count = last - first
    start = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    return Pairs(np.repeat(a, count), b[start + np.arange(int(count.sum()))])


def join_floors(seen: Observations, local_m: Array, range_m: Array, cameras: int) -> tuple[Array, Array]:
    """Where the floor of each camera lies in that of the first.

    Args:
        seen: Boxes of all cameras.
        local_m: (n, 2) where each box's person stands on the camera's own floor.
        range_m: (n,) how far from the camera that is.
        cameras: How many there are.

    Returns:
        (C, 3) angle and shift of each camera's floor in the first one's, NaN for cameras that share nobody.
        (C, C) how many more moments' boxes the joined floors put together than chance would; 0 where too few.
    """
    motion = np.full((cameras, cameras, 3), np.nan)
    support = np.zeros((cameras, cameras))
    tolerance = BASE_M + RANGE_SHARE * range_m
    for i in range(cameras):
        for j in range(i + 1, cameras):
            found = _best_motion(seen, local_m, tolerance, i, j)
            if found is not None:
                motion[i, j], support[i, j] = found
                motion[j, i] = inverse(motion[i, j])
                support[j, i] = support[i, j]
    tree = minimum_spanning_tree(csr_matrix(np.where(support > 0, -support, 0.0)))
    order, before = breadth_first_order(tree, 0, directed=False)
    placed = np.full((cameras, 3), np.nan)
    placed[0] = 0.0
    for camera in order[1:]:
        # motion[a, b] takes places of a's floor to b's.
        placed[camera] = combined(motion[camera, before[camera]], placed[before[camera]])
    return placed, support


def inverse(motion: Array) -> Array:
    """(3,) the motion back."""
    back = np.array([-motion[0], 0.0, 0.0])
    back[1:] = -turned(motion[None, 1:], back)[0]
    return back


def combined(first: Array, then: Array) -> Array:
    """(3,) one motion after another."""
    return np.array([first[0] + then[0], *turned(first[None, 1:], then)[0]])


def _best_motion(seen: Observations, local_m: Array, tolerance: Array, i: int, j: int) -> tuple[Array, float] | None:
    """The motion of camera i's floor onto camera j's and what speaks for it, or None."""
    together = pairs_between(seen, i, j)
    tried = _hypotheses(seen, local_m, together)
    if not len(tried):
        return None
    moments = np.unique(seen.moment[together.one])
    chosen = moments[np.unique(np.linspace(0, len(moments) - 1, _MOMENTS).astype(np.int64))]
    sample = _of_moments(seen, together, chosen)
    scores = np.array([_support(m, local_m, tolerance, sample) for m in tried])
    finished = []
    for motion in _distinct(tried[np.argsort(-scores)]):
        for _ in range(_ROUNDS):
            kept = _matched(motion, local_m, tolerance, together)
            if kept.sum() < _FEWEST:
                break
            a, b = together.one[kept], together.other[kept]
            weight = 1 / (tolerance[a] + tolerance[b]) ** 2
            motion = rigid_fit(local_m[a], local_m[b], weight)
        finished.append((_support(motion, local_m, tolerance, together), motion))
    span = int(np.ptp(seen.moment)) + 1
    best = max(finished, key=lambda one: one[0])
    chance = [_support(best[1], local_m, tolerance, pairs_between(seen, i, j, int(s * span) * sign))
              for s in _SHIFTS for sign in (1, -1)]  # fmt: skip
    # A shift leaves a part of the recordings without the other: what is left is scaled up.
    overlap = [1 - s for s in _SHIFTS for _ in (1, -1)]
    excess = best[0] - max(float(np.median(np.array(chance) / overlap)), 0.0)
    return (best[1], excess) if excess > _CERTAIN else None


def _hypotheses(seen: Observations, local_m: Array, together: Pairs) -> Array:
    """(h, 3) motions by pieces of one track of each camera, the most telling first."""
    if not len(together.one):
        return np.empty((0, 3))
    piece = seen.moment[together.one] // _PIECE
    keys = np.stack([seen.track[together.one], seen.track[together.other], piece])
    order = np.lexsort(keys[::-1])
    keys = keys[:, order]
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(keys, axis=1) != 0).any(axis=0)]))
    a, b = local_m[together.one[order]], local_m[together.other[order]]
    n = np.diff(np.append(starts, len(order))).astype(np.float64)

    def total(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, starts, axis=0))

    mean_a, mean_b = total(a) / n[:, None], total(b) / n[:, None]
    each = np.repeat(np.arange(len(starts)), n.astype(np.int64))
    p, q = a - mean_a[each], b - mean_b[each]
    dot, cross = total((p * q).sum(axis=1)), total(p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0])
    spread = total((p * p).sum(axis=1)) / n
    left = np.sqrt(np.maximum(spread + total((q * q).sum(axis=1)) / n - 2 * np.hypot(dot, cross) / n, 0.0))
    spread = np.sqrt(spread)
    angle = np.arctan2(cross, dot)
    telling = np.where((n >= _FEWEST) & (spread > _LEAST_SPREAD_M), spread * np.sqrt(n) / (left + 0.05), 0.0)
    best = np.argsort(-telling)[:_TRIED]
    best = best[telling[best] > 0]
    motions = np.zeros((len(best), 3))
    motions[:, 0] = angle[best]
    motions[:, 1:] = mean_b[best] - turned(mean_a[best], motions)
    return motions


def _of_moments(seen: Observations, together: Pairs, moments: Int64) -> Pairs:
    kept = np.isin(seen.moment[together.one], moments)
    return Pairs(together.one[kept], together.other[kept])


def _distances(motion: Array, local_m: Array, tolerance: Array, together: Pairs) -> Array:
    """(k,) how far apart the boxes of each pair are, as a share of what may be."""
    off = turned(local_m[together.one], motion) - local_m[together.other]
    return np.asarray(np.hypot(off[:, 0], off[:, 1]) / (tolerance[together.one] + tolerance[together.other]))


def _matched(motion: Array, local_m: Array, tolerance: Array, together: Pairs) -> NDArray[np.bool_]:
    """(k,) which pairs are near and nearest both ways; a row of one camera is a box at a moment, so it counts once."""
    distance = _distances(motion, local_m, tolerance, together)
    near = np.full(len(local_m), np.inf)
    far = np.full(len(local_m), np.inf)
    np.minimum.at(near, together.one, distance)
    np.minimum.at(far, together.other, distance)
    return np.asarray((distance < 1) & (distance <= near[together.one]) & (distance <= far[together.other]))


def _support(motion: Array, local_m: Array, tolerance: Array, together: Pairs) -> float:
    if not len(together.one):
        return 0.0
    kept = _matched(motion, local_m, tolerance, together)
    return float((1 - np.square(_distances(motion, local_m, tolerance, together)[kept])).sum())


def _distinct(motions: Array) -> list[Array]:
    chosen: list[Array] = []
    for motion in motions:
        if all(_differ(motion, other) for other in chosen):
            chosen.append(motion)
        if len(chosen) == _FINISHED:
            break
    return chosen


def _differ(one: Array, other: Array) -> bool:
    angle = abs((one[0] - other[0] + np.pi) % (2 * np.pi) - np.pi)
    return bool(angle > 0.15 or np.linalg.norm(one[1:] - other[1:]) > 0.7)


def check_joined(placed: Array, names: tuple[str, ...]) -> None:
    """Refuse cameras that share nobody with the others.

    Raises:
        DataError: There are such.
    """
    lonely = [name for name, motion in zip(names, placed, strict=True) if np.isnan(motion).any()]
    if lonely:
        raise DataError(
            f"{', '.join(lonely)} could not be joined to {names[0]} and those joined to it",
            expected="people who are seen by two cameras at once and walk about; on one clock",
        )
