"""People who stand and walk on a floor: interacting multiple models of many at once, over real elapsed time.

Two models of one state [x, y, vx, vy] (metres, metres a second) run beside each other, and mix as people start and
stop:

    standing  x' = x + noise, v' ~ N(0, start_sd²): who stands has no velocity, and nobody knows where they will go
    walking   x' = x + t v, v' = v, with white acceleration of density q: Q = q [[t³/3, t²/2], [t²/2, t]]

Starting and stopping are a Markov chain in continuous time, so that a long look away is not one step like a short one.
Blom and Bar-Shalom, "The interacting multiple model algorithm for systems with Markovian switching coefficients",
IEEE Trans. Automatic Control 33 (1988); the steps are those of Bar-Shalom, Li and Kirubarajan, "Estimation with
Applications to Tracking and Navigation" (2001), section 11.6.6.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from gocv.motion.places import inverse_2x2

Float64 = NDArray[np.float64]
_STAND, _WALK = 0, 1
_LEAST_WEIGHT = 1e-300
"""A model that is all but excluded keeps this, so that its logarithm is finite."""


@dataclasses.dataclass(frozen=True, slots=True)
class Gait:
    """How people move.

    Attributes:
        sway_m: Standard deviation, each coordinate, of the way that who stands makes in a second.
        start_m_s: Of the velocity, each coordinate, with which who stood walks off.
        turn_m_s: Of the change of velocity, each coordinate, of who walks, in a second.
        starts_per_s: How often who stands walks off.
        stops_per_s: How often who walks stops.
    """

    sway_m: float = 0.1
    start_m_s: float = 0.7
    turn_m_s: float = 0.7
    starts_per_s: float = 0.4
    stops_per_s: float = 0.2

    def switching(self, elapsed_s: float) -> Float64:
        """(2, 2) probabilities of each model (column) after a time, given the one before (row)."""
        rate = self.starts_per_s + self.stops_per_s
        gone = -math.expm1(-rate * elapsed_s) / rate
        start, stop = self.starts_per_s * gone, self.stops_per_s * gone
        return np.array([[1 - start, start], [stop, 1 - stop]])

    def transition(self, elapsed_s: float) -> tuple[Float64, Float64]:
        """(2, 4, 4) F and (2, 4, 4) Q of both models."""
        t, own = elapsed_s, np.eye(2)
        forward = np.zeros((2, 4, 4))
        forward[:, :2, :2] = own
        forward[_WALK, 2:, 2:], forward[_WALK, :2, 2:] = own, t * own
        noise, q = np.zeros((2, 4, 4)), self.turn_m_s**2
        noise[_STAND, :2, :2], noise[_STAND, 2:, 2:] = self.sway_m**2 * t * own, self.start_m_s**2 * own
        noise[_WALK, :2, :2], noise[_WALK, 2:, 2:] = q * t**3 / 3 * own, q * t * own
        noise[_WALK, :2, 2:] = noise[_WALK, 2:, :2] = q * t**2 / 2 * own
        return forward, noise


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Walkers:
    """What is believed of n people.

    Attributes:
        mean: (n, 2, 4) float64, x, y, vx, vy under each model.
        covariance: (n, 2, 4, 4) float64.
        weight: (n, 2) float64, probabilities of the models; rows sum to 1.
    """

    mean: Float64
    covariance: Float64
    weight: Float64

    @classmethod
    def appear(cls, xy_m: Float64, covariance_m2: Float64, gait: Gait) -> Walkers:
        """People who were seen for the first time.

        Args:
            xy_m: (n, 2).
            covariance_m2: (n, 2, 2).
            gait: How people move.
        """
        n = len(xy_m)
        mean, covariance = np.zeros((n, 2, 4)), np.zeros((n, 2, 4, 4))
        mean[:, :, :2], covariance[:, :, :2, :2] = xy_m[:, None], covariance_m2[:, None]
        covariance[:, :, [2, 3], [2, 3]] = gait.start_m_s**2
        walk = gait.starts_per_s / (gait.starts_per_s + gait.stops_per_s)
        return cls(mean, covariance, np.tile([1 - walk, walk], (n, 1)))

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Walkers:
        return Walkers(self.mean[rows], self.covariance[rows], self.weight[rows])

    def joined(self, others: Walkers) -> Walkers:
        """These people, and then others."""
        return Walkers(
            np.concatenate([self.mean, others.mean]),
            np.concatenate([self.covariance, others.covariance]),
            np.concatenate([self.weight, others.weight]),
        )

    def predict(self, elapsed_s: float, gait: Gait) -> Walkers:
        """Let time pass: the models mix, and each goes on.

        Args:
            elapsed_s: Seconds, at least 0.
            gait: How people move.
        """
        into = self.weight[:, :, None] * gait.switching(elapsed_s)  # (n, from, to)
        weight = into.sum(axis=1)
        share = into / weight[:, None]
        mixed = np.swapaxes(share, 1, 2) @ self.mean
        off = self.mean[:, :, None] - mixed[:, None]  # (n, from, to, 4)
        spread = self.covariance[:, :, None] + off[..., None] * off[..., None, :]
        covariance = (share[..., None, None] * spread).sum(axis=1)
        forward, noise = gait.transition(elapsed_s)
        mean = (forward @ mixed[..., None])[..., 0]
        return Walkers(mean, forward @ covariance @ np.swapaxes(forward, 1, 2) + noise, weight)

    def correct(self, xy_m: Float64, covariance_m2: Float64) -> Walkers:
        """Take account of where each was seen.

        Args:
            xy_m: (n, 2).
            covariance_m2: (n, 2, 2).
        """
        total = self.covariance[:, :, :2, :2] + covariance_m2[:, None]
        inverse, determinant = inverse_2x2(total)
        surprise = xy_m[:, None] - self.mean[:, :, :2]
        gain = self.covariance[:, :, :, :2] @ inverse
        mean = self.mean + (gain @ surprise[..., None])[..., 0]
        covariance = self.covariance - gain @ self.covariance[:, :, :2]
        covariance = (covariance + np.swapaxes(covariance, 2, 3)) / 2
        squared = (surprise * (inverse @ surprise[..., None])[..., 0]).sum(axis=-1)
        log = -0.5 * (squared + np.log(determinant)) + np.log(self.weight)
        weight = np.maximum(np.exp(log - log.max(axis=1, keepdims=True)), _LEAST_WEIGHT)
        return Walkers(mean, covariance, weight / weight.sum(axis=1, keepdims=True))

    def corrected(self, seen: NDArray[np.bool_], xy_m: Float64, covariance_m2: Float64) -> Walkers:
        """The same people, those in `seen` (n,) corrected by a row each of `xy_m` and `covariance_m2`."""
        new = self[seen].correct(xy_m, covariance_m2)
        mean, covariance, weight = self.mean.copy(), self.covariance.copy(), self.weight.copy()
        mean[seen], covariance[seen], weight[seen] = new.mean, new.covariance, new.weight
        return Walkers(mean, covariance, weight)

    def state(self) -> tuple[Float64, Float64]:
        """(n, 4) mean and (n, 4, 4) covariance of the mixture."""
        mean: Float64 = (self.weight[..., None] * self.mean).sum(axis=1)
        off = self.mean - mean[:, None]
        spread = self.covariance + off[..., None] * off[..., None, :]
        return mean, (self.weight[..., None, None] * spread).sum(axis=1)
