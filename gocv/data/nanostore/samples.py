"""Putting scale samples in order of time while they stream by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import PlateId, ScaleSamples

HORIZON_S = 2.0
"""How late a sample may come and still find its place."""
_EMIT_S = 20.0


class SampleSorter:
    """Sorts the samples of plates that are sampled together, within a buffer of some seconds.

    Samples that come later than `HORIZON_S` after a newer one, and samples at a time that is taken, are left out.

    Attributes:
        late: How many came too late.
        repeated: How many were at a time that was taken.
    """

    def __init__(self, plates: tuple[PlateId, ...], origin_unix_s: float) -> None:
        self.plates = plates
        self.late = 0
        self.repeated = 0
        self._origin = origin_unix_s
        self._last = -np.inf
        self._times: list[NDArray[np.float64]] = []
        self._weights: list[NDArray[np.float32]] = []

    def add(self, unix_s: NDArray[np.float64], weight_g: NDArray[np.float32]) -> Iterator[ScaleSamples]:
        """Take (n,) times and (n, P) weights; give what can be given now: nothing, or one chunk in order."""
        if len(unix_s) == 0:
            return
        self._times.append(unix_s - self._origin)
        self._weights.append(weight_g)
        newest = max(float(t.max()) for t in self._times)
        if newest - float(self._times[0].min()) > _EMIT_S:
            yield from self._emit(newest - HORIZON_S)

    def flush(self) -> Iterator[ScaleSamples]:
        """Give what is left."""
        if self._times:
            yield from self._emit(np.inf)

    def _emit(self, until: float) -> Iterator[ScaleSamples]:
        time_s, weight_g = np.concatenate(self._times), np.concatenate(self._weights)
        order = np.argsort(time_s, kind="stable")
        time_s, weight_g = time_s[order], weight_g[order]
        cut = int(np.searchsorted(time_s, until))
        self._times, self._weights = [time_s[cut:]], [weight_g[cut:]]
        time_s, weight_g = time_s[:cut], weight_g[:cut]
        in_time = time_s >= self._last
        self.late += int((~in_time).sum())
        time_s, weight_g = time_s[in_time], weight_g[in_time]
        new = np.diff(time_s, prepend=self._last) > 0
        self.repeated += int((~new).sum())
        if new.any():
            self._last = float(time_s[-1])
            yield ScaleSamples(self.plates, time_s=time_s[new], weight_g=weight_g[new])
