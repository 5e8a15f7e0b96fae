"""Following people on the floor as the cameras look: the engine of association, window by window.

Everybody who is followed has a filter of standing and walking (`gocv.motion.walking`) and log-odds of existing. In each
window the boxes of each camera are given to people one to one, so that the sum of

    log p(place | person) + log P(own track means person) + log LR(appearance) - log(1 + 1/odds) - log λ

over all pairs is greatest, with λ the density of boxes of strangers. All boxes of a person are taken account of at
once, each by its information. A camera that should see somebody and does not speaks against them (integrated
probabilistic data association: Musicki, Evans and Stankovic, IEEE Trans. Automatic Control 39 (1994)). Boxes of nobody
make newcomers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.assign import best_pairs
from gocv.core import DataError
from gocv.geometry import PinholeCamera
from gocv.motion.places import fused, inverse_2x2
from gocv.motion.walking import Gait, Walkers
from gocv.multicamera.beliefs import OwnTracks
from gocv.multicamera.likeness import Likeness, log_ratio
from gocv.multicamera.looks import Looks
from gocv.multicamera.newcomers import newcomers
from gocv.multicamera.rivals import together
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.visibility import Visibility

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_BORN, _BORN_AGAIN = -2.0, 2.0
"""Log-odds of who is seen by one camera for the first time, and what each further camera adds."""
_MOST_FOR_ONE, _SURE = 2.0, 8.0
_LATE_M_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What is believed after a window.

    Attributes:
        time_s: Of the window.
        serial: (n,) int64, numbers of those who are followed.
        mean: (n, 4) float64, x, y, vx, vy in m and m/s.
        covariance: (n, 4, 4) float64.
        seen: (n,) bool, whether some camera saw them now.
        who: (m,) int64, the serial that each look of the window is of, -1 for nobody.
        confirmed: (n,) bool, whether they are shoppers by now.
        joined: Pairs (serial that is no more, serial that it turned out to be).
    """

    time_s: float
    serial: Int64
    mean: Float64
    covariance: Float64
    seen: Bool
    who: Int64
    confirmed: Bool
    joined: tuple[tuple[int, int], ...]


class Follower:
    """Follows everybody on one floor.

    Args:
        cameras: All of them, calibrated.
        settings: How.
        likeness: What appearance tells, or None.
        gait: How people move.
    """

    def __init__(
        self,
        cameras: Sequence[PinholeCamera],
        settings: AssociationSettings,
        likeness: Likeness | None = None,
        gait: Gait | None = None,
    ) -> None:
        online = settings.online
        self._settings, self._likeness, self._gait = settings, likeness, gait or Gait()
        self._cameras = len(cameras)
        self._visibility = Visibility(cameras, settings.boxes, online.found)
        self._own = OwnTracks(online.changes_per_s, online.strangers_per_m2, settings.link.longest_s)
        self._none = float(np.log(online.strangers_per_m2))
        self._time_s: float | None = None
        self._next = 0
        self._walkers = Walkers.appear(np.empty((0, 2)), np.empty((0, 2, 2)), self._gait)
        self._serial = np.empty(0, np.int64)
        self._odds = np.empty(0)
        self._last_s = np.empty(0)
        self._confirmed = np.empty(0, np.bool_)
        self._rivals = np.zeros((0, 0))
        self._look: Float32 | None = None

    def look_of(self, serial: int) -> Float32 | None:
        """(D,) sum of the appearance vectors of somebody who is followed, or None."""
        at = np.flatnonzero(self._serial == serial)
        return None if self._look is None or not len(at) else self._look[at[0]]

    def overlooked(self, step: Step, present: Bool, looks: Looks) -> Float64:
        """(m,) log of how likely all other cameras that looked overlook somebody who is where each look's person is.

        Args:
            step: After the window.
            present: (C,) which cameras looked.
            looks: What they saw.
        """
        out = np.zeros(len(looks))
        mine = np.flatnonzero(step.who >= 0)
        if not len(mine):
            return out
        visible = self._visibility.visible(step.mean[:, :2], present)
        missed = np.log1p(-self._visibility.found[:, None] * visible)
        person = np.searchsorted(step.serial, step.who[mine])
        out[mine] = missed.sum(axis=0)[person] - missed[looks.camera[mine], person]
        return out

    def step(self, time_s: float, present: Bool, looks: Looks, vector: Float32 | None = None) -> Step:
        """Take account of one window.

        Args:
            time_s: Its time, after that of the one before.
            present: (C,) which cameras looked.
            looks: What they saw.
            vector: (n, D) appearance of each, NaN where there is none.

        Raises:
            DataError: Time does not go on.
        """
        last_s = -np.inf if self._time_s is None else self._time_s
        if not last_s < time_s < np.inf:
            raise DataError(f"{time_s} s comes after {last_s} s", key="time_s", expected="times that go on")
        elapsed_s = 0.0 if self._time_s is None else time_s - last_s
        self._time_s = time_s
        walkers = self._walkers.predict(elapsed_s, self._gait) if elapsed_s and len(self._serial) else self._walkers
        mean, covariance = walkers.state()
        chain = self._own.rows(looks.own, time_s)
        row, track, density = self._pairs(looks, mean, covariance)
        taken, by = self._assign(looks, vector, chain, row, track, density)
        self._walkers, seen = _corrected(walkers, mean, looks, taken, by)
        share = min(1.0, elapsed_s / self._settings.online.alike_s)
        self._exist(mean, present, looks, taken, by, row, track, density, share)
        self._remember(vector, taken, by)
        who = np.full(len(looks), -1, np.int64)
        who[taken] = self._serial[by]
        rest = np.flatnonzero(~np.isin(looks.box, looks.box[taken]))
        before, born = len(self._serial), self._appear(looks[rest], None if vector is None else vector[rest], time_s)
        new = born >= 0
        rest, born = rest[new], before + born[new]
        who[rest] = self._serial[born]
        pairs = np.append(row, rest), np.append(track, born), np.append(density, np.zeros(len(rest)))
        self._own.learn(chain, *pairs)
        seen = np.append(seen, np.ones(len(self._serial) - before, np.bool_))
        self._last_s[seen] = time_s
        self._confirmed = self._confirmed | (self._odds >= self._settings.online.confirm)
        joined = self._join()
        mean, covariance = self._walkers.state()
        step = Step(time_s, self._serial, mean, covariance, seen, who, self._confirmed, joined)
        self._drop(time_s, [other for other, _ in joined])
        return step

    def _pairs(self, looks: Looks, mean: Float64, covariance: Float64) -> tuple[Int64, Int64, Float64]:
        """Looks and people that are near each other, and the log density of the look, 1/m²."""
        none = np.empty(0, np.int64)
        if not len(looks) or not len(mean):
            return none, none, np.empty(0)
        ahead = mean[None, :, :2] + looks.late_s[:, None, None] * mean[None, :, 2:]
        off = looks.xy_m[:, None] - ahead
        reach = (looks.covariance_m2[:, 0, 0] + looks.covariance_m2[:, 1, 1])[:, None]
        reach = reach + (covariance[:, 0, 0] + covariance[:, 1, 1])
        gate2 = self._settings.online.gate_sd**2
        row, track = np.nonzero((off**2).sum(axis=2) < gate2 * reach)
        off = off[row, track]
        inverse, determinant = inverse_2x2(covariance[track, :2, :2] + looks.covariance_m2[row])
        squared = (off * (inverse @ off[..., None])[..., 0]).sum(axis=1)
        near = squared < gate2
        density = looks.prior[row] - 0.5 * (squared + np.log(determinant)) - np.log(2 * np.pi)
        return row[near], track[near], density[near]

    def _assign(
        self, looks: Looks, vector: Float32 | None, chain: Int64, row: Int64, track: Int64, density: Float64
    ) -> tuple[Int64, Int64]:
        """The looks that are of somebody, and of whom."""
        gain = density - self._none - np.log1p(np.exp(-self._odds[track]))
        gain += self._own.log_odds(chain[row], track) + self._likenesses(vector, row, track)
        people = max(len(self._serial), 1)
        box = np.cumsum(np.diff(looks.box, prepend=looks.box[:1]) != 0)
        order = np.lexsort((-gain, track, box[row]))
        order = order[gain[order] > 0]
        pair = box[row[order]] * people + track[order]
        order = order[np.diff(pair, prepend=-1) != 0]  # of a box's two places the likelier one
        seat = looks.camera[row[order]] * people + track[order]
        boxes, seats = best_pairs(box[row[order]], seat, gain[order], (len(looks), self._cameras * people))
        place = dict(zip(zip(box[row[order]].tolist(), seat.tolist(), strict=True), row[order].tolist(), strict=True))
        taken = [place[pair] for pair in zip(boxes.tolist(), seats.tolist(), strict=True)]
        return np.array(taken, np.int64), seats % people

    def _likenesses(self, vector: Float32 | None, row: Int64, track: Int64) -> Float64:
        if self._likeness is None or vector is None or self._look is None:
            return np.zeros(len(row))
        believed = self._settings.look
        return believed.once * log_ratio(vector[row], self._look[track], self._likeness, believed.cap)

    def _exist(
        self,
        mean: Float64,
        present: Bool,
        looks: Looks,
        taken: Int64,
        by: Int64,
        row: Int64,
        track: Int64,
        density: Float64,
        share: float,
    ) -> None:
        """Who exists, after being seen or not seen; how well cameras find people; who may be one.

        Of what is seen, `share` is counted as evidence.
        """
        people = len(mean)
        if not people:
            return
        seen_by, told = np.zeros((self._cameras, people), np.bool_), np.zeros((self._cameras, people))
        seen_by[looks.camera[taken], by] = True
        of_pair = np.zeros((len(looks), people))
        of_pair[row, track] = density - self._none
        told[looks.camera[taken], by] = np.clip(of_pair[taken, by], 0.0, _MOST_FOR_ONE)
        visible = self._visibility.visible(mean[:, :2], present)
        found = self._visibility.found[:, None] * visible
        evidence = np.where(seen_by, told, np.log1p(-found)).sum(axis=0)
        self._odds = np.minimum(self._odds + share * evidence, _SURE)
        self._rivals = together(self._rivals, mean[:, :2], found, seen_by, share)
        self._visibility.learn(visible, seen_by, self._confirmed)

    def _remember(self, vector: Float32 | None, taken: Int64, by: Int64) -> None:
        if vector is None:
            return
        if self._look is None:
            self._look = np.zeros((len(self._serial), vector.shape[1]), np.float32)
        known = np.isfinite(vector[taken, 0])
        np.add.at(self._look, by[known], vector[taken[known]])

    def _appear(self, looks: Looks, vector: Float32 | None, time_s: float) -> Int64:
        """Newcomers of looks that are of nobody: (n,) which of them each is of, -1 for a place that a box has not."""
        new = newcomers(looks)
        many = len(new.xy_m)
        if not many:
            return new.of
        self._walkers = self._walkers.joined(Walkers.appear(new.xy_m, new.covariance_m2, self._gait))
        self._serial = np.append(self._serial, self._next + np.arange(many))
        self._next += many
        self._odds = np.append(self._odds, _BORN + _BORN_AGAIN * (new.cameras - 1))
        self._last_s = np.append(self._last_s, np.full(many, time_s))
        self._confirmed = np.append(self._confirmed, np.zeros(many, np.bool_))
        self._rivals = np.pad(self._rivals, (0, many))
        self._own.appear(many)
        if self._look is not None:
            look = np.zeros((many, self._look.shape[1]), np.float32)
            if vector is not None:
                own = new.of >= 0
                np.add.at(look, new.of[own], np.nan_to_num(vector[own]))
            self._look = np.concatenate([self._look, look])
        return new.of

    def _join(self) -> tuple[tuple[int, int], ...]:
        """Those who are followed twice: who goes, and into whom."""
        joined: dict[int, int] = {}
        for a, b in np.argwhere(self._rivals > self._settings.online.same).tolist():
            one, other = (b, a) if self._confirmed[b] and not self._confirmed[a] else (a, b)
            if one in joined or other in joined or other in joined.values():
                continue
            joined[other] = one
            self._own.join(one, other)
            if self._look is not None:
                self._look[one] += self._look[other]
        return tuple((int(self._serial[other]), int(self._serial[one])) for other, one in joined.items())

    def _drop(self, time_s: float, joined: Sequence[int]) -> None:
        online = self._settings.online
        kept = (self._odds >= online.forget) & (time_s - self._last_s <= online.coast_s)
        kept &= ~np.isin(self._serial, joined)
        if kept.all():
            return
        self._walkers = self._walkers[kept]
        self._serial, self._odds, self._last_s = self._serial[kept], self._odds[kept], self._last_s[kept]
        self._confirmed, self._rivals = self._confirmed[kept], self._rivals[kept][:, kept]
        self._look = None if self._look is None else self._look[kept]
        self._own.keep(kept, time_s)


def _corrected(walkers: Walkers, mean: Float64, looks: Looks, taken: Int64, by: Int64) -> tuple[Walkers, Bool]:
    """The filters after all that was seen of each at once; and who was seen."""
    seen = np.zeros(len(mean), np.bool_)
    if not len(taken):
        return walkers, seen
    late = looks.late_s[taken]
    unsure = (_LATE_M_S * late) ** 2
    spread = looks.covariance_m2[taken] + unsure[:, None, None] * np.eye(2)
    seen[by] = True
    _, place, spread = fused(by, looks.xy_m[taken] - late[:, None] * mean[by, 2:], spread)
    return walkers.corrected(seen, place, spread), seen
