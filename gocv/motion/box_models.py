"""How boxes are measured and how they move: the filters of the published trackers, for any number of boxes at once."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gocv.motion.stacked import correct, predict

Float64 = NDArray[np.float64]


class BoxModel(Protocol):
    """Four coordinates of a box that move at constant velocity, with the noise that goes with them.

    States are those of `gocv.motion.stacked`: (5, 4, n) float64. Boxes are (n, 4) float64 xyxy in pixels, of positive
    width and height where they are measured.
    """

    def measure(self, xyxy: Float64) -> Float64:
        """(4, n) coordinates of (n, 4) boxes."""
        ...

    def boxes(self, state: Float64) -> Float64:
        """(n, 4) xyxy boxes as they are believed to be; width and height are never negative."""
        ...

    def first(self, measured: Float64) -> Float64:
        """(5, 4, n) states of boxes seen for the first time at (4, n) coordinates."""
        ...

    def predict(self, state: Float64, frames: float | Float64) -> Float64:
        """(5, 4, n) states after so many nominal frames, or (n,) of them."""
        ...

    def correct(self, state: Float64, measured: Float64, *, noise_scale: Float64 | float = 1.0) -> Float64:
        """(5, 4, n) states given (4, n) coordinates seen; their variance is multiplied by `noise_scale`."""
        ...

    def noise(self, state: Float64) -> Float64:
        """Variance of a measurement of these boxes; broadcasts to (4, n)."""
        ...


class AreaAspect:
    """Centre, area and aspect ratio: SORT's and OC-SORT's filter. The aspect ratio does not move.

    Bewley et al., "Simple Online and Realtime Tracking", 2016 (arXiv:1602.00763), §3.2, eq. 1; noise as in the
    authors' release. Equal to `gocv.motion.BoxFilter`, which filters one box with filterpy.
    """

    _NOISE = np.array([[1.0], [1.0], [10.0], [10.0]])
    _PROCESS = np.array([[1.0], [1.0], [1.0], [1.0]])
    _PROCESS_VELOCITY = np.array([[1e-2], [1e-2], [1e-4], [0.0]])
    _FIRST = np.array([[10.0], [10.0], [10.0], [10.0]])
    _FIRST_VELOCITY = np.array([[1e4], [1e4], [1e4], [0.0]])

    def measure(self, xyxy: Float64) -> Float64:
        """(4, n) centre (px), area (px²), width / height of (n, 4) boxes."""
        measured = _centre_and_size(xyxy)
        width, height = measured[2].copy(), measured[3].copy()
        np.multiply(width, height, out=measured[2])
        np.divide(width, height, out=measured[3])
        return measured

    def boxes(self, state: Float64) -> Float64:
        """(n, 4) xyxy."""
        x, y, area, aspect = state[0]
        width = np.sqrt(np.maximum(area, 0.0) * np.maximum(aspect, 0.0))
        height = np.divide(area, width, out=np.zeros_like(width), where=width > 0)
        return _xyxy(x, y, width, height)

    def first(self, measured: Float64) -> Float64:
        """(5, 4, n) states of boxes seen for the first time."""
        return _first(measured, self._FIRST, self._FIRST_VELOCITY)

    def predict(self, state: Float64, frames: float | Float64) -> Float64:
        """(5, 4, n); as in the authors' release an area does not shrink past nothing: it then stops shrinking."""
        vanishing = state[0, 2] + frames * state[1, 2] <= 0
        if vanishing.any():
            state = state.copy()
            state[1, 2, vanishing] = 0.0
        return predict(state, frames, self._PROCESS, self._PROCESS_VELOCITY)

    def correct(self, state: Float64, measured: Float64, *, noise_scale: Float64 | float = 1.0) -> Float64:
        """(5, 4, n) states given what was seen."""
        return correct(state, measured, self._NOISE * noise_scale)

    def noise(self, state: Float64) -> Float64:
        """(4, 1) variance of a measurement."""
        return self._NOISE


class AspectHeight:
    """Centre, aspect ratio and height, with noise in proportion to the height: DeepSORT's and ByteTrack's filter.

    Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", 2017 (arXiv:1703.07402), §2.1;
    noise as in the authors' release.
    """

    _PER_HEIGHT = np.array([[1 / 20], [1 / 20], [0.0], [1 / 20]]) ** 2
    _VELOCITY_PER_HEIGHT = np.array([[1 / 160], [1 / 160], [0.0], [1 / 160]]) ** 2
    _ASPECT = np.array([[0.0], [0.0], [1e-2], [0.0]]) ** 2
    _ASPECT_VELOCITY = np.array([[0.0], [0.0], [1e-5], [0.0]]) ** 2
    _ASPECT_NOISE = np.array([[0.0], [0.0], [1e-1], [0.0]]) ** 2

    def measure(self, xyxy: Float64) -> Float64:
        """(4, n) centre (px), width / height, height (px) of (n, 4) boxes."""
        measured = _centre_and_size(xyxy)
        measured[2] /= measured[3]
        return measured

    def boxes(self, state: Float64) -> Float64:
        """(n, 4) xyxy."""
        x, y, aspect, height = state[0]
        height = np.maximum(height, 0.0)
        return _xyxy(x, y, np.maximum(aspect, 0.0) * height, height)

    def first(self, measured: Float64) -> Float64:
        """(5, 4, n) states of boxes seen for the first time."""
        square = measured[3] ** 2
        return _first(
            measured,
            4 * self._PER_HEIGHT * square + self._ASPECT,
            100 * self._VELOCITY_PER_HEIGHT * square + self._ASPECT_VELOCITY,
        )

    def predict(self, state: Float64, frames: float | Float64) -> Float64:
        """(5, 4, n) states after so many frames."""
        square = state[0, 3] ** 2
        return predict(
            state,
            frames,
            self._PER_HEIGHT * square + self._ASPECT,
            self._VELOCITY_PER_HEIGHT * square + self._ASPECT_VELOCITY,
        )

    def correct(self, state: Float64, measured: Float64, *, noise_scale: Float64 | float = 1.0) -> Float64:
        """(5, 4, n) states given what was seen."""
        return correct(state, measured, self.noise(state) * noise_scale)

    def noise(self, state: Float64) -> Float64:
        """(4, n) variance of a measurement."""
        variance: Float64 = self._PER_HEIGHT * state[0, 3] ** 2 + self._ASPECT_NOISE
        return variance


class WidthHeight:
    """Centre, width and height, with noise in proportion to them: BoT-SORT's filter.

    Aharon et al., "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022 (arXiv:2206.14651), §3.1, eq. 1 to 4.
    """

    _POSITION = (1 / 20) ** 2
    _VELOCITY = (1 / 160) ** 2

    def measure(self, xyxy: Float64) -> Float64:
        """(4, n) centre, width, height (px) of (n, 4) boxes."""
        return _centre_and_size(xyxy)

    def boxes(self, state: Float64) -> Float64:
        """(n, 4) xyxy."""
        x, y, width, height = state[0]
        return _xyxy(x, y, np.maximum(width, 0.0), np.maximum(height, 0.0))

    def first(self, measured: Float64) -> Float64:
        """(5, 4, n) states of boxes seen for the first time."""
        square = self._square(measured)
        return _first(measured, 4 * self._POSITION * square, 100 * self._VELOCITY * square)

    def predict(self, state: Float64, frames: float | Float64) -> Float64:
        """(5, 4, n) states after so many frames."""
        square = self._square(state[0])
        return predict(state, frames, self._POSITION * square, self._VELOCITY * square)

    def correct(self, state: Float64, measured: Float64, *, noise_scale: Float64 | float = 1.0) -> Float64:
        """(5, 4, n) states given what was seen."""
        return correct(state, measured, self.noise(state) * noise_scale)

    def noise(self, state: Float64) -> Float64:
        """(4, n) variance of a measurement."""
        return self._POSITION * self._square(state[0])

    @staticmethod
    def _square(position: Float64) -> Float64:
        """(4, n) width², height², width², height²."""
        return np.square(position[[2, 3, 2, 3]])


def _first(measured: Float64, position: Float64, velocity: Float64) -> Float64:
    state = np.zeros((5, *measured.shape))
    state[0], state[2], state[4] = measured, position, velocity
    return state


def _centre_and_size(xyxy: Float64) -> Float64:
    """(4, n) centre x, centre y, width, height."""
    measured = np.empty((4, len(xyxy)))
    corner, opposite = xyxy[:, :2].T, xyxy[:, 2:].T
    np.subtract(opposite, corner, out=measured[2:])
    np.multiply(measured[2:], 0.5, out=measured[:2])
    measured[:2] += corner
    return measured


def _xyxy(x: Float64, y: Float64, width: Float64, height: Float64) -> Float64:
    edges = np.empty((4, len(x)))
    half_width, half_height = width * 0.5, height * 0.5
    np.subtract(x, half_width, out=edges[0])
    np.subtract(y, half_height, out=edges[1])
    np.add(x, half_width, out=edges[2])
    np.add(y, half_height, out=edges[3])
    return edges.T
