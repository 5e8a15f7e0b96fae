"""Where many people were at all moments, given all that was seen of them before and after.

Forward, the filters of standing and walking (`gocv.motion.walking`); backward, the smoother of Rauch, Tung and Striebel
("Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3 (1965)) of the walking model on the mixtures.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.motion.places import fused
from gocv.motion.walking import Gait, Walkers

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_WALK = 1


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """The paths of n people, each at the moments from `first` to `last`.

    Attributes:
        first: (n,) int64.
        last: (n,) int64; before `first` for who was never seen.
        seen_first: (n,) int64, the first moment at which they were seen.
        seen_last: (n,) int64.
        begin: (n,) int64, the row of each one's first moment.
        mean: (N, 4) float64, x, y, vx, vy in m and m/s.
        covariance: (N, 4, 4) float64.
    """

    first: Int64
    last: Int64
    seen_first: Int64
    seen_last: Int64
    begin: Int64
    mean: Float64
    covariance: Float64

    def rows(self, person: Int64, moment: Int64) -> Int64:
        """(...,) row of each person at each moment; -1 where they have none."""
        there = (moment >= self.first[person]) & (moment <= self.last[person])
        return np.where(there, self.begin[person] + moment - self.first[person], -1)


def smooth(
    time_s: Float64,
    moment: Int64,
    person: Int64,
    xy_m: Float64,
    covariance_m2: Float64,
    *,
    people: int,
    reach_s: float = 0.0,
    gait: Gait | None = None,
) -> Paths:
    """The paths on which people were seen.

    Args:
        time_s: (K,) seconds, of all moments.
        moment: (m,) int64, of each look.
        person: (m,) int64, whom it is of.
        xy_m: (m, 2) metres.
        covariance_m2: (m, 2, 2).
        people: n.
        reach_s: Paths are carried on for this long before and after.
        gait: How people move.
    """
    gait = gait or Gait()
    key, place, spread = fused(moment * people + person, xy_m, covariance_m2)
    when, whom = key // max(people, 1), key % max(people, 1)
    seen_first, seen_last = np.full(people, len(time_s)), np.full(people, -1)
    np.minimum.at(seen_first, whom, when)
    np.maximum.at(seen_last, whom, when)
    known = seen_last >= 0
    first, last = seen_first.copy(), seen_last.copy()
    first[known] = np.searchsorted(time_s, time_s[seen_first[known]] - reach_s, side="left")
    last[known] = np.searchsorted(time_s, time_s[seen_last[known]] + reach_s, side="right") - 1
    length = np.where(known, last - first + 1, 0)
    begin = np.cumsum(length) - length
    paths = Paths(
        first, last, seen_first, seen_last, begin, np.empty((length.sum(), 4)), np.empty((length.sum(), 4, 4))
    )
    _forward(paths, time_s, when, whom, place, spread, gait)
    _backward(paths, time_s, gait)
    return paths


def _forward(
    paths: Paths, time_s: Float64, when: Int64, whom: Int64, place: Float64, spread: Float64, gait: Gait
) -> None:
    """Fill the paths from each one's first sight on with what was known by then."""
    start = np.searchsorted(when, np.arange(len(time_s) + 1))
    walkers, active = Walkers.appear(np.empty((0, 2)), np.empty((0, 2, 2)), gait), np.empty(0, np.int64)
    place_of = np.full(len(paths.first), -1)
    for k in range(len(time_s)):
        if len(active):
            walkers = walkers.predict(time_s[k] - time_s[k - 1], gait)
            going = paths.last[active] >= k
            if not going.all():
                walkers, active = walkers[going], active[going]
        own = slice(start[k], start[k + 1])
        if start[k] < start[k + 1]:
            place_of[active] = np.arange(len(active))
            at = place_of[whom[own]]
            place_of[active] = -1
            old = at >= 0
            seen = np.zeros(len(active), np.bool_)
            seen[at[old]] = True
            order = np.argsort(at[old], kind="stable")
            walkers = walkers.corrected(seen, place[own][old][order], spread[own][old][order])
            if not old.all():
                walkers = walkers.joined(Walkers.appear(place[own][~old], spread[own][~old], gait))
                active = np.append(active, whom[own][~old])
        if len(active):
            row = paths.begin[active] + k - paths.first[active]
            paths.mean[row], paths.covariance[row] = walkers.state()


def _backward(paths: Paths, time_s: Float64, gait: Gait) -> None:
    """Let each moment know of those after it, and carry paths back before the first sight."""
    last, first, seen_first = paths.last, paths.first, paths.seen_first
    by_end = np.argsort(-last, kind="stable")
    ends = -last[by_end]
    active, taken = np.empty(0, np.int64), 0
    for k in range(len(time_s) - 2, -1, -1):
        more = int(np.searchsorted(ends, -(k + 1), side="right"))
        active = np.append(active, by_end[taken:more])
        taken = more
        active = active[first[active] <= k]
        if not len(active):
            continue
        transition, noise = gait.transition(time_s[k + 1] - time_s[k])
        forward, noise = transition[_WALK], noise[_WALK]
        row = paths.begin[active] + k - first[active]
        known = seen_first[active] <= k
        now, after = row[known], row[known] + 1
        mean, covariance = paths.mean[now], paths.covariance[now]
        ahead = forward @ covariance @ forward.T + noise
        gain = covariance @ forward.T @ np.linalg.inv(ahead)
        surprise = paths.mean[after] - mean @ forward.T
        paths.mean[now] = mean + (gain @ surprise[..., None])[..., 0]
        paths.covariance[now] = covariance + gain @ (paths.covariance[after] - ahead) @ np.swapaxes(gain, 1, 2)
        before = row[~known]
        back = gait.transition(time_s[k] - time_s[k + 1])[0][_WALK]
        paths.mean[before] = paths.mean[before + 1] @ back.T
        paths.covariance[before] = back @ paths.covariance[before + 1] @ back.T + noise
