"""From light to what the camera's chip makes of it: exposure, flicker, vignetting, noise."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SLACK_PX = 64
_READ_NOISE, _SHOT_NOISE = 1.2, 0.16
"""Standard deviations: of the dark, and of the square root of the signal, both of 255 steps."""


class Sensor:
    """One camera's chip.

    Args:
        name: Of the camera.
        size_px: Width and height.
        seed: Of the visit.
    """

    def __init__(self, name: str, size_px: tuple[int, int], seed: int) -> None:
        width, height = size_px
        self._key = [seed, zlib.crc32(name.encode())]
        rng = np.random.default_rng(self._key)
        gain = rng.uniform(1.02, 1.20)
        white = rng.normal(1.0, 0.025, 3)
        x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
        corners = 1 - rng.uniform(0.06, 0.16) * (x * x + y * y) / 2
        self._gain = (gain * corners[..., None] * white).astype(np.float32)
        self._phase, self._period_s = rng.uniform(0, 2 * np.pi, 2), rng.uniform([3.0, 11.0], [6.0, 25.0])
        grain = rng.standard_normal((height + _SLACK_PX, width + _SLACK_PX, 3), dtype=np.float32)
        # A part of the noise is that of brightness, the same in all three colours.
        self._grain = (0.75 * grain + 0.65 * grain.mean(axis=2, keepdims=True) * np.float32(np.sqrt(3))).astype(
            np.float32
        )

    def expose(self, light: Floats, frame: int, time_s: float) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 from (h, w, 3) float32, display-encoded, 255 white.

        Args:
            light: What falls in.
            frame: Number of the frame, of which the noise follows.
            time_s: When, of which the flicker follows.
        """
        h, w = light.shape[:2]
        flicker = 1 + 0.010 * np.sin(2 * np.pi * time_s / self._period_s + self._phase).sum()
        down, right = np.random.default_rng([*self._key, frame]).integers(0, _SLACK_PX, 2)
        signal = light * self._gain
        signal *= np.float32(flicker)
        noise = np.sqrt(np.maximum(signal, 0, dtype=np.float32))
        noise *= np.float32(_SHOT_NOISE)
        noise += np.float32(_READ_NOISE)
        noise *= self._grain[down : down + h, right : right + w]
        signal += noise
        return np.asarray(np.clip(signal, 0, 255, out=signal)).astype(np.uint8)
