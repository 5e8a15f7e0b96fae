"""A box that moves at constant velocity: the Kalman filter of SORT, over real elapsed time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

_MEASURED = 4
_MEASUREMENT_NOISE = np.diag([1.0, 1.0, 10.0, 10.0])
_FIRST_COVARIANCE = np.diag([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])
_PROCESS_NOISE = np.diag([1.0, 1.0, 1.0, 1.0, 1e-2, 1e-2, 1e-4])


class BoxFilter:
    """The box Kalman filter of Bewley et al., "Simple Online and Realtime Tracking", 2016 (arXiv:1602.00763), §3.2.

    The state is [u, v, s, r, u', v', s']: centre (px), area (px²), aspect ratio width / height, and the velocities of
    the first three; the aspect ratio is held constant (the paper's eq. 1). Noise is that of the authors' release.

    The paper's model is one step a frame. Here a step lasts the time that really passed: velocities are held per
    nominal frame, t = elapsed_s * rate_hz frames pass, positions move by t velocities, and process noise grows by t
    times the paper's. So elapsed_s = 1 / rate_hz is the paper's filter, and elapsed_s = 0 changes nothing.

    Args:
        xyxy: (4,) first box, pixels, of positive width and height.
        rate_hz: The frame rate that the noise is meant for.

    Raises:
        DataError: The box has no area or is not finite.
    """

    def __init__(self, xyxy: ArrayLike, *, rate_hz: float) -> None:
        from filterpy.kalman import KalmanFilter  # half a second, which those who track many boxes do not need

        self._rate_hz = rate_hz
        self._filter = KalmanFilter(dim_x=7, dim_z=_MEASURED)
        self._filter.x[:_MEASURED] = _measurement(xyxy)
        self._filter.P = _FIRST_COVARIANCE.copy()
        self._filter.H = np.eye(_MEASURED, 7)
        self._filter.R = _MEASUREMENT_NOISE

    def predict(self, elapsed_s: float) -> NDArray[np.float64]:
        """Let time pass.

        Args:
            elapsed_s: Seconds since the last prediction, at least 0.

        Returns:
            (4,) float64 xyxy, where the box should be now.

        Raises:
            DataError: Time runs backward.
        """
        if not elapsed_s >= 0:
            raise DataError(f"{elapsed_s} s have passed", expected="at least 0 s")
        frames = elapsed_s * self._rate_hz
        state = self._filter.x
        if state[2, 0] + frames * state[6, 0] <= 0:
            state[6, 0] = 0.0  # as in the authors' release: an area cannot shrink past nothing
        transition = np.eye(7)
        transition[[0, 1, 2], [4, 5, 6]] = frames
        self._filter.predict(F=transition, Q=frames * _PROCESS_NOISE)
        return self.xyxy

    def update(self, xyxy: ArrayLike) -> NDArray[np.float64]:
        """Take account of a box seen now.

        Args:
            xyxy: (4,) pixels, of positive width and height.

        Returns:
            (4,) float64 xyxy, the filtered box.

        Raises:
            DataError: The box has no area or is not finite.
        """
        self._filter.update(_measurement(xyxy))
        return self.xyxy

    @property
    def xyxy(self) -> NDArray[np.float64]:
        """(4,) float64, the box as it is believed to be, pixels."""
        u, v, area, aspect = np.maximum(self._filter.x[:_MEASURED, 0], [-np.inf, -np.inf, 0.0, 0.0])
        width = np.sqrt(area * aspect)
        height = area / width if width > 0 else 0.0
        return np.array([u - width / 2, v - height / 2, u + width / 2, v + height / 2])

    @property
    def velocity_px_s(self) -> NDArray[np.float64]:
        """(2,) float64, velocity of the centre, pixels a second."""
        return np.asarray(self._filter.x[4:6, 0] * self._rate_hz)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(7, 7) float64, of the state as described above, velocities per nominal frame."""
        return np.array(self._filter.P)


def _measurement(xyxy: ArrayLike) -> NDArray[np.float64]:
    """(4, 1) column of centre, area and aspect ratio."""
    box = np.asarray(xyxy, np.float64)
    if box.shape != (4,) or not np.isfinite(box).all() or not (box[2:] > box[:2]).all():
        raise DataError(
            f"{box.tolist()} is not a box", expected="left, top, right, bottom with right > left, bottom > top"
        )
    width, height = box[2:] - box[:2]
    return np.array([[box[0] + width / 2], [box[1] + height / 2], [width * height], [width / height]])
