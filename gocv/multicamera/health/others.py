"""Where people are by what all cameras but one saw of them.

Around each slot of time, a shopper goes straight: x(t) = x + (t - slot) v. With I the information of a look and d its
time from the slot, least squares is

    [ΣI   ΣI d ] [x]   [ΣI z  ]
    [ΣI d ΣI d²] [v] = [ΣI d z],

with a weak belief that v is a walking velocity. The sums are kept by camera, so that each can be left out.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.motion.places import inverse_2x2

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_WALK_M_S = 0.8
"""Standard deviation, each coordinate, of walking velocities."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Others:
    """Where others see people, slot by slot.

    Attributes:
        start_s: The middle of slot 0.
        slot_s: From one slot to the next.
        first: (S + 1,) int64: those of slot k are the rows from `first[k]` to `first[k + 1]`.
        person: (n,) int64.
        time_s: (n,) float64, the middle of their slot.
        xy_m: (n, 2) float64.
        velocity_m_s: (n, 2) float64.
        sd_m: (n,) float64, of each coordinate.
    """

    start_s: float
    slot_s: float
    first: Int64
    person: Int64
    time_s: Float64
    xy_m: Float64
    velocity_m_s: Float64
    sd_m: Float64

    def slot_of(self, time_s: Float64) -> Int64:
        """(...,) the slot of each time; -1 before the first and after the last."""
        slot = np.floor((time_s - self.start_s) / self.slot_s + 0.5 + 1e-3).astype(np.int64)
        return np.where((slot >= 0) & (slot < len(self.first) - 1), slot, -1)


class SeenByEach:
    """The sums of the module's text, of each slot, person and camera.

    Args:
        time_s: (m,) of each look of somebody.
        camera: (m,) int64.
        person: (m,) int64.
        xy_m: (m, 2) metres.
        covariance_m2: (m, 2, 2).
        slot_s: Length of a slot.
    """

    def __init__(
        self, time_s: Float64, camera: Int64, person: Int64, xy_m: Float64, covariance_m2: Float64, slot_s: float
    ) -> None:
        self._slot_s, self._start_s = slot_s, float(time_s.min(initial=np.inf)) if len(time_s) else 0.0
        many, cameras = int(person.max(initial=-1)) + 1, int(camera.max(initial=-1)) + 1
        information, _ = inverse_2x2(covariance_m2)
        told = (information @ xy_m[..., None])[..., 0]
        slot = np.floor((time_s - self._start_s) / slot_s + 0.5 + 1e-3).astype(np.int64)
        self._slots = int(slot.max(initial=-1)) + 1
        near = (slot[:, None] + np.arange(-1, 2)).ravel()
        key = (near * many + np.repeat(person, 3)) * cameras + np.repeat(camera, 3)
        inside = (near >= 0) & (near < self._slots)
        keys, at = np.unique(key[inside], return_inverse=True)
        off_s = np.repeat(time_s, 3)[inside] - self._start_s - near[inside] * slot_s
        look = np.repeat(np.arange(len(time_s)), 3)[inside]
        self._slot, self._person = keys // max(cameras, 1) // max(many, 1), keys // max(cameras, 1) % max(many, 1)
        self._camera = keys % max(cameras, 1)
        parts = [information[:, 0, 0], information[:, 0, 1], information[:, 1, 1]]
        columns = [part[look] * off_s**power for power in range(3) for part in parts]
        columns += [told[look, axis] * off_s**power for power in range(2) for axis in range(2)]
        self._sums = np.stack([np.bincount(at, column, len(keys)) for column in columns], axis=1)

    def without(self, camera: int, sd_m: float) -> Others:
        """Where the other cameras see people, as far as they know it this well.

        Args:
            camera: The one that is left out; -1 for none.
            sd_m: Worst standard deviation of a coordinate.
        """
        own = self._camera != camera
        key = self._slot[own] * (int(self._person.max(initial=-1)) + 1) + self._person[own]
        keys, row, at = np.unique(key, return_index=True, return_inverse=True)
        sums = np.stack([np.bincount(at, column, len(keys)) for column in self._sums[own].T], axis=1).reshape(-1, 13)
        normal = np.empty((len(keys), 4, 4))
        for power, (i, j) in enumerate([(0, 0), (0, 2), (2, 2)]):
            block = sums[:, [3 * power, 3 * power + 1, 3 * power + 1, 3 * power + 2]].reshape(-1, 2, 2)
            normal[:, i : i + 2, j : j + 2] = block
            normal[:, j : j + 2, i : i + 2] = block
        normal[:, [2, 3], [2, 3]] += 1 / _WALK_M_S**2
        normal[:, [0, 1], [0, 1]] += 1e-6
        covariance = np.linalg.inv(normal)
        state = (covariance @ sums[:, 9:, None])[..., 0]
        sd = np.sqrt(np.maximum(covariance[:, 0, 0], covariance[:, 1, 1]))
        good = sd < sd_m
        slot = self._slot[own][row][good]
        first = np.searchsorted(slot, np.arange(self._slots + 1))
        time_s = self._start_s + slot * self._slot_s
        place, velocity = state[good, :2], state[good, 2:]
        person = self._person[own][row][good]
        return Others(self._start_s, self._slot_s, first, person, time_s, place, velocity, sd[good])
