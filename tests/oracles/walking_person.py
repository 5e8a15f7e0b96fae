"""One person at a time, step by step: filterpy's interacting multiple models, and a smoother written out."""

from __future__ import annotations

import math

import numpy as np
from filterpy.kalman import IMMEstimator, KalmanFilter

Array = np.ndarray


class WalkingPerson:
    """Somebody who stands or walks, as two Kalman filters of filterpy that mix.

    Args:
        xy_m: (2,) where they were seen first.
        covariance_m2: (2, 2).
        gait: sway_m, start_m_s, turn_m_s, starts_per_s and stops_per_s.
    """

    def __init__(self, xy_m: Array, covariance_m2: Array, gait: dict[str, float]) -> None:
        self.gait = gait
        filters = []
        for _ in range(2):
            one = KalmanFilter(dim_x=4, dim_z=2)
            one.x = np.array([*xy_m, 0.0, 0.0])
            one.P = np.zeros((4, 4))
            one.P[:2, :2] = covariance_m2
            one.P[2, 2] = one.P[3, 3] = gait["start_m_s"] ** 2
            one.H = np.eye(2, 4)
            filters.append(one)
        walks = gait["starts_per_s"] / (gait["starts_per_s"] + gait["stops_per_s"])
        self.imm = IMMEstimator(filters, np.array([1 - walks, walks]), np.eye(2))

    def predict(self, elapsed_s: float) -> None:
        stand, walk = self.imm.filters
        stand.F, walk.F = np.diag([1.0, 1.0, 0.0, 0.0]), walking_matrix(elapsed_s)
        stand.Q = np.diag([self.gait["sway_m"] ** 2 * elapsed_s] * 2 + [self.gait["start_m_s"] ** 2] * 2)
        walk.Q = walking_noise(elapsed_s, self.gait["turn_m_s"])
        start, stop = self.gait["starts_per_s"], self.gait["stops_per_s"]
        decay = math.exp(-(start + stop) * elapsed_s)
        standing = stop / (start + stop)  # in the long run
        walking = start / (start + stop)
        self.imm.M = np.array(
            [
                [standing + walking * decay, walking - walking * decay],
                [standing - standing * decay, walking + standing * decay],
            ]
        )
        self.imm._compute_mixing_probabilities()
        self.imm.predict()
        self.imm.mu = self.imm.cbar.copy()

    def correct(self, xy_m: Array, covariance_m2: Array) -> None:
        for one in self.imm.filters:
            one.R = covariance_m2
        self.imm.cbar = self.imm.mu.copy()
        self.imm.update(np.asarray(xy_m))

    def state(self) -> tuple[Array, Array]:
        """(4,) mean and (4, 4) covariance of the mixture."""
        self.imm._compute_state_estimate()
        return self.imm.x.copy(), self.imm.P.copy()


def walking_matrix(elapsed_s: float) -> Array:
    matrix = np.eye(4)
    matrix[0, 2] = matrix[1, 3] = elapsed_s
    return matrix


def walking_noise(elapsed_s: float, turn_m_s: float) -> Array:
    t, noise = elapsed_s, np.zeros((4, 4))
    for x, v in ((0, 2), (1, 3)):
        noise[x, x], noise[x, v], noise[v, x], noise[v, v] = t**3 / 3, t**2 / 2, t**2 / 2, t
    return turn_m_s**2 * noise


def path(
    time_s: Array, seen: dict[int, list[tuple[Array, Array]]], first: int, last: int, gait: dict[str, float]
) -> tuple[Array, Array]:
    """The path of one person at the moments from `first` to `last`.

    Args:
        time_s: (K,) of all moments.
        seen: By moment, the places and covariances that cameras saw.
        first: The first moment that is wanted, not after the first sight.
        last: The last, not before the last sight.
        gait: As for `WalkingPerson`.

    Returns:
        (n, 4) and (n, 4, 4).
    """
    begin = min(seen)
    person, means, covariances = None, {}, {}
    for k in range(begin, last + 1):
        if person is not None:
            person.predict(time_s[k] - time_s[k - 1])
        if k in seen:
            information = sum(np.linalg.inv(covariance) for _, covariance in seen[k])
            spread = np.linalg.inv(information)
            place = spread @ sum(np.linalg.inv(covariance) @ xy for xy, covariance in seen[k])
            if person is None:
                person = WalkingPerson(place, spread, gait)
            else:
                person.correct(place, spread)
        means[k], covariances[k] = person.state()
    for k in range(last - 1, begin - 1, -1):
        elapsed_s = time_s[k + 1] - time_s[k]
        forward = walking_matrix(elapsed_s)
        ahead = forward @ covariances[k] @ forward.T + walking_noise(elapsed_s, gait["turn_m_s"])
        gain = covariances[k] @ forward.T @ np.linalg.inv(ahead)
        means[k] = means[k] + gain @ (means[k + 1] - forward @ means[k])
        covariances[k] = covariances[k] + gain @ (covariances[k + 1] - ahead) @ gain.T
    for k in range(begin - 1, first - 1, -1):
        elapsed_s = time_s[k + 1] - time_s[k]
        back = walking_matrix(-elapsed_s)
        means[k] = back @ means[k + 1]
        covariances[k] = back @ covariances[k + 1] @ back.T + walking_noise(elapsed_s, gait["turn_m_s"])
    rows = range(first, last + 1)
    return np.array([means[k] for k in rows]), np.array([covariances[k] for k in rows])
