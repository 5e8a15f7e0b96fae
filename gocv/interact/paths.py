"""Where hands were, on one grid of times: joints of each shopper without short gaps."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS, FloorTracks

Array = NDArray[np.float64]

STEP_S = 0.1
"""Between two rows of the grid."""
WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
"""Of the left and of the right hand."""
ELBOWS = [JOINTS.index("l_elbow"), JOINTS.index("r_elbow")]
"""Of the left and of the right arm."""
HAND_M = 0.08
"""From the wrist to the middle of the hand, along the forearm (Winter, "Biomechanics and Motor Control of Human
Movement", 4th ed., figure 4.1: a hand is .108 of the height long)."""
_LEAST_ARM_M = 0.05


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ShopperPath:
    """One shopper, a row each `STEP_S` from the first sighting to the last, in the store's frame.

    Attributes:
        shopper: Name.
        first: Row r is at the time (first + r) · `STEP_S`, seconds on the recording's clock.
        joints_m: (n, 8, 3) float64; NaN where a joint is not known.
        hand_m: (n, 2, 3) float64, middle of the left and of the right hand.
        seen: (n, 2) bool, whether the hand's wrist was seen then, and is no guess between two sightings.
    """

    shopper: str
    first: int
    joints_m: Array
    hand_m: Array
    seen: NDArray[np.bool_]

    @property
    def time_s(self) -> Array:
        """(n,) seconds on the recording's clock."""
        return np.asarray((self.first + np.arange(len(self.joints_m))) * STEP_S, np.float64)


def shopper_paths(shoppers: FloorTracks, *, gap_s: float = 0.5, least_score: float = 0.3) -> list[ShopperPath]:
    """The paths of all who were seen, in the order of their names.

    Args:
        shoppers: Rows in order of time.
        gap_s: A joint that is lost for no longer goes straight from where it was to where it is again.
        least_score: Joints scored lower are not known.
    """
    order = np.argsort(shoppers.shopper, kind="stable")
    edges = np.searchsorted(shoppers.shopper[order], np.arange(len(shoppers.shoppers) + 1))
    paths = []
    for index, name in enumerate(shoppers.shoppers):
        rows = order[edges[index] : edges[index + 1]]
        if len(rows):
            paths.append(_path(name, shoppers[rows], gap_s, least_score))
    return paths


def hands_of(joints_m: NDArray[np.floating], beyond_wrist_m: float = HAND_M) -> Array:
    """Where the middles of hands are: beyond the wrist, on the line from the elbow; at the wrist without an elbow.

    Args:
        joints_m: (n, 8, 3), the joints of `gocv.core.JOINTS` in any frame; NaN where not known.
        beyond_wrist_m: From the wrist to the middle of the hand. A forearm shorter than 5 cm has no direction.

    Returns:
        (n, 2, 3) float64, of the left and of the right hand; NaN where the wrist is not known.
    """
    joints_m = np.asarray(joints_m, np.float64)
    wrist, elbow = joints_m[:, WRISTS], joints_m[:, ELBOWS]
    arm = wrist - elbow
    length = np.linalg.norm(arm, axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):
        known = length > _LEAST_ARM_M
    return np.asarray(wrist + np.where(known, beyond_wrist_m * arm / np.where(known, length, 1.0), 0.0))


def _path(name: str, rows: FloorTracks, gap_s: float, least_score: float) -> ShopperPath:
    time_s = rows.time_s
    first, last = round(float(time_s[0]) / STEP_S), round(float(time_s[-1]) / STEP_S)
    grid_s = (first + np.arange(last - first + 1)) * STEP_S
    joints = np.where((rows.joint_score >= least_score)[..., None], rows.joints_m, np.nan)
    out = np.full((len(grid_s), len(JOINTS), 3), np.nan)
    seen = np.zeros((len(grid_s), 2), np.bool_)
    for joint in range(len(JOINTS)):
        known = np.flatnonzero(np.isfinite(joints[:, joint]).all(axis=1))
        if not len(known):
            continue
        at_s = time_s[known]
        after = np.searchsorted(at_s, grid_s)
        before_s = at_s[np.maximum(after - 1, 0)]
        after_s = at_s[np.minimum(after, len(at_s) - 1)]
        near_s = np.minimum(np.abs(grid_s - before_s), np.abs(grid_s - after_s))
        between = (after > 0) & (after < len(at_s)) & (after_s - before_s <= gap_s)
        inside = between | (near_s <= 0.75 * STEP_S)
        for axis in range(3):
            out[inside, joint, axis] = np.interp(grid_s[inside], at_s, joints[known, joint, axis])
        if joint in WRISTS:
            seen[:, WRISTS.index(joint)] = near_s <= 0.75 * STEP_S
    return ShopperPath(name, first, out, hands_of(out), seen)
