"""Kalman filters of many boxes at once: position and velocity of four coordinates each, over real elapsed time.

With a constant velocity and noise that is independent from coordinate to coordinate, the filters of SORT, ByteTrack,
BoT-SORT and DeepSORT fall apart, exactly, into four filters of two numbers for each box. Their states are held as
(5, 4, n) float64: position x, velocity v, variance of x, covariance of x and v, variance of v; of four coordinates; of
n boxes. Velocities are per nominal frame. No matrix is inverted and nothing is approximated:

    predict over t frames   x' = x + t v,  P' = F P Fᵀ + t Q,  F = [[1, t], [0, 1]]
    correct by z            K = P Hᵀ / (P_xx + r),  x' = x + K (z - x_x),  P' = (I - K H) P,  H = [1, 0]

(Kalman 1960, as written in Welch and Bishop, "An Introduction to the Kalman Filter", eq. 1.9 to 1.13.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def predict(
    state: Float64, frames: float | Float64, position_noise: Float64 | float, velocity_noise: Float64 | float
) -> Float64:
    """Let time pass.

    Args:
        state: (5, 4, n), as the module says.
        frames: Nominal frames that pass, at least 0, or (n,) of them.
        position_noise: Process noise of positions a frame, variance; anything that broadcasts to (4, n).
        velocity_noise: Process noise of velocities a frame, variance; anything that broadcasts to (4, n).

    Returns:
        (5, 4, n) float64, the state then. 0 frames change nothing.
    """
    x, v, xx, xv, vv = state
    then = np.empty_like(state)
    np.multiply(v, frames, out=then[0])
    then[0] += x
    then[1] = v
    moved = vv * frames
    np.add(xv, moved, out=then[3])
    np.add(xv, then[3], out=then[2])
    then[2] *= frames
    then[2] += xx
    then[2] += position_noise * frames
    np.add(vv, velocity_noise * frames, out=then[4])
    return then


def correct(state: Float64, measured: Float64, noise: Float64 | float) -> Float64:
    """Take account of measured positions.

    Args:
        state: (5, 4, n), as the module says.
        measured: (4, n) positions.
        noise: Variance of the measurement; anything that broadcasts to (4, n).

    Returns:
        (5, 4, n) float64, the state given the measurement.
    """
    x, v, xx, xv, vv = state
    after = np.empty_like(state)
    total = xx + noise
    gain_x, gain_v = xx / total, xv / total
    surprise = measured - x
    np.multiply(gain_x, surprise, out=after[0])
    after[0] += x
    np.multiply(gain_v, surprise, out=after[1])
    after[1] += v
    kept = np.subtract(1.0, gain_x, out=total)
    np.multiply(xx, kept, out=after[2])
    np.multiply(xv, kept, out=after[3])
    np.multiply(gain_v, xv, out=gain_v)
    np.subtract(vv, gain_v, out=after[4])
    return after


def squared_distance(state: Float64, measured: Float64, noise: Float64 | float) -> Float64:
    """Squared Mahalanobis distance of measurements from what was predicted: (z - x)² / (P_xx + r), summed.

    Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", 2017 (arXiv:1703.07402), eq. 1.

    Args:
        state: (5, 4, k), as the module says: of the box of each pair.
        measured: (4, k) positions: of the measurement of each pair.
        noise: Variance of the measurement; anything that broadcasts to (4, k).

    Returns:
        (k,) float64, chi-squared with four degrees of freedom if the filter is right.
    """
    surprise = measured - state[0]
    surprise *= surprise
    surprise /= state[2] + noise
    distance: Float64 = surprise.sum(axis=0)
    return distance
