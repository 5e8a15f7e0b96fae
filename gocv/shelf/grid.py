"""Samples as they come, put on an even grid, with every irregularity counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, PlateId, ScaleSamples

_MOST_LISTED = 20
_SET_BACK_S = 10.0
"""A sample older than the one before by more than this means that the clock was set back, not that it came late."""

_LATEST_S = 1e10
"""Times beyond are no times: seconds to the microsecond end about there."""

_MOST_G = 1e6
"""Readings beyond are none: plates carry 20 kg."""


class EvenGrid:
    """Resamples one group of plates to a fixed rate by holding the last reading.

    What comes out does not depend on how the samples are cut into chunks:

    - A grid point shows the last sample whose time is at most half a step after it.
    - A silence of more than `longest_hold` points is closed up to that many points of the last reading. A change
      inside it shows as a step at its end, at the cost of no memory however long it was.
    - A sample not later than the one before it is dropped; where it is over 10 s earlier the clock was set back,
      and time goes on from there.
    - Weights are relative to each plate's first reading and 0 before it, so that a plate that starts late or never
      gives anything moves no sum. A reading that is missing (not finite, or beyond 1,000 kg) holds the last one.

    Args:
        rate_hz: Rate of the grid, samples per second.
        longest_hold: Longest silence that is kept, grid points; longer ones are reported as gaps.
    """

    def __init__(self, rate_hz: float, longest_hold: int = 30) -> None:
        self.rate_hz = rate_hz
        self.longest_hold = longest_hold
        self.plates: tuple[PlateId, ...] = ()
        self._origin_s = np.nan
        self._closed_up_s = 0.0
        self._next = 0
        self._last_time_s = np.nan
        self._last = np.empty(0, np.float32)
        self._first = np.empty(0, np.float32)
        self._missing = np.empty(0, np.int64)
        self._rows = 0
        self._dropped = 0
        self._jumps: list[tuple[float, float]] = []
        self._unlisted_jumps = 0

    def push(self, samples: ScaleSamples) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The grid points that these samples complete: what comes next can no longer change them.

        Returns:
            weight_g: (m, P) float32, grams since each plate's first reading.
            time_s: (m,) float64, when the readings shown were taken, on the recording's clock.

        Raises:
            DataError: The plates are not those of the call before.
        """
        if self.plates and samples.plates != self.plates:
            raise DataError("samples of other plates than before", expected=", ".join(map(str, self.plates)))
        samples = self._in_order(samples)
        if not len(samples):
            return np.empty((0, len(samples.plates)), np.float32), np.empty(0)
        if not self.plates:
            self._start(samples.plates, samples.time_s[0])
        held_g = np.concatenate([self._last[None], self._hold_last(samples.weight_g)])
        held_s = np.concatenate([[self._last_time_s], samples.time_s])
        first_point = self._first_points(samples.time_s)
        stop = int(first_point[-1])
        rows = np.searchsorted(first_point, np.arange(self._next, stop), side="right")
        self._next, self._last_time_s, self._last = stop, float(held_s[-1]), held_g[-1].copy()
        return held_g[rows], held_s[rows]

    def finish(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The last grid point, which `push` keeps back; as `push` returns it."""
        if not self.plates:
            return np.empty((0, 0), np.float32), np.empty(0)
        return self._last[None], np.array([self._last_time_s])

    def report(self) -> list[dict[str, str]]:
        """What was irregular so far."""
        where = f"scales of gondola {', '.join(sorted({str(p.gondola) for p in self.plates}))}"
        found = [{"where": where, "problem": _jump(*jump)} for jump in self._jumps]
        if self._unlisted_jumps:
            found.append({"where": where, "problem": f"{self._unlisted_jumps} more gaps"})
        if self._dropped:
            problem = (
                f"{self._dropped} samples had no time, or one not later than the sample before: they were left out"
            )
            found.append({"where": where, "problem": problem})
        for plate, missing in zip(self.plates, self._missing, strict=True):
            if missing == self._rows:
                found.append({"where": f"plate {plate}", "problem": "no reading at all: treated as never changing"})
            elif missing:
                share = f"{missing} of {self._rows} readings missing"
                found.append({"where": f"plate {plate}", "problem": f"{share}: the last reading was held"})
        return found

    def _start(self, plates: tuple[PlateId, ...], origin_s: float) -> None:
        self.plates, self._origin_s = plates, float(origin_s)
        self._last = np.zeros(len(plates), np.float32)
        self._first = np.full(len(plates), np.nan, np.float32)
        self._missing = np.zeros(len(plates), np.int64)

    def _in_order(self, samples: ScaleSamples) -> ScaleSamples:
        time_s = samples.time_s
        follows = len(time_s) > 0 and not time_s[0] <= self._last_time_s
        if follows and np.all(time_s[1:] > time_s[:-1]) and np.all(np.abs(time_s[[0, -1]]) <= _LATEST_S):
            return samples
        kept, last_s = [], self._last_time_s
        for row, now_s in enumerate(time_s.tolist()):
            if abs(now_s) <= _LATEST_S and not last_s - _SET_BACK_S <= now_s <= last_s:
                kept.append(row)
                last_s = now_s
        self._dropped += len(time_s) - len(kept)
        return samples[kept]

    def _first_points(self, time_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """The first grid point that shows each sample."""
        longest_s = self.longest_hold / self.rate_hz
        before_s = np.concatenate([[self._last_time_s], time_s[:-1]])
        step_s = time_s - before_s
        jumps = (step_s > longest_s) | (step_s < 0)
        for row in np.flatnonzero(jumps):
            if len(self._jumps) < _MOST_LISTED:
                self._jumps.append((float(before_s[row]), float(time_s[row])))
            else:
                self._unlisted_jumps += 1
        closed_up_s = np.cumsum(np.append(self._closed_up_s, np.where(jumps, step_s - longest_s, 0.0)))
        self._closed_up_s = float(closed_up_s[-1])
        steps: NDArray[np.float64] = (time_s - self._origin_s - closed_up_s[1:]) * self.rate_hz
        return np.ceil(steps - 0.5).astype(np.int64)

    def _hold_last(self, weight_g: NDArray[np.float32]) -> NDArray[np.float32]:
        known = np.abs(weight_g) < _MOST_G
        self._rows += len(weight_g)
        if np.isnan(self._first).any():
            new = np.isnan(self._first) & known.any(axis=0)
            self._first[new] = weight_g[known.argmax(axis=0)[new], new]
        since_g = weight_g - self._first
        if not known.all():
            self._missing += np.count_nonzero(~known, axis=0)
            holed = np.flatnonzero(~known.all(axis=0))
            seen = np.where(known[:, holed], np.arange(1, len(known) + 1)[:, None], 0)
            with_last = np.concatenate([self._last[None, holed], since_g[:, holed]])
            since_g[:, holed] = np.take_along_axis(with_last, np.maximum.accumulate(seen, axis=0), axis=0)
        return since_g


def _jump(before_s: float, after_s: float) -> str:
    if after_s < before_s:
        return f"the clock was set back from {before_s:.2f} s to {after_s:.2f} s"
    gap = f"no samples from {before_s:.2f} s to {after_s:.2f} s ({after_s - before_s:.2f} s)"
    return f"{gap}: a change meanwhile shows at the end"
